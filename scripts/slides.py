"""`make slides`: every shipped talk in every format of slides, rendered, measured, and its pictures into docs/slides.

python -m scripts.slides [FOLDER]     (docs/slides; single slides at full size go to build/slides)
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from scripts import rendering
from scripts.rendering import ROOT, Job

FULL_SIZE = ROOT / "build" / "slides"
COLUMNS, WIDTH, EDGE = 4, 400, 6
COLOURS = 48


def main(folder: Path) -> int:
    """Render everything; 1 where something is wrong with a slide, 2 where a tool is missing."""
    lacks = rendering.missing()
    if lacks:
        print("slides cannot be rendered: install\n  " + "\n  ".join(lacks), file=sys.stderr)
        return 2
    shutil.rmtree(FULL_SIZE, ignore_errors=True)
    FULL_SIZE.mkdir(parents=True)
    folder.mkdir(parents=True, exist_ok=True)
    wrong = 0
    with tempfile.TemporaryDirectory() as scratch:
        for talk in sorted(path.stem for path in (ROOT / "citations" / "talks").glob("*.yaml")):
            wrong += _talk(talk, folder, Path(scratch))
    print(f"single slides: {FULL_SIZE.relative_to(ROOT)}; contact sheets: {folder}")
    return 1 if wrong else 0


def _talk(talk: str, folder: Path, scratch: Path) -> int:
    files = {form: FULL_SIZE / f"{talk}{end}" for form, end in _ENDS.items()}
    for form, file in files.items():
        _kb("talk-outline", talk, "--format", form, "-o", str(file))
    marp = scratch / f"{talk}.marp.html"
    rendering.marp_html(files["marp"], marp)
    pictures = {form: FULL_SIZE / f"{talk}-{form}" for form in ("marp", "revealjs", "pptx")}
    seen = rendering.look(
        [Job("reveal", files["revealjs"], pictures["revealjs"]), Job("marp", marp)], scratch
    )
    pdf = rendering.office_pdf(files["pptx"], scratch, scratch)
    shown = {
        "marp": rendering.marp_pictures(files["marp"], pictures["marp"]),
        "revealjs": sorted(pictures["revealjs"].glob("*.png")),
        "pptx": rendering.pdf_pictures(pdf, pictures["pptx"]),
    }
    faults = [
        *(f"revealjs slide {n}: {what}" for n, what in seen[0].wrong),
        *(f"marp slide {n}: {what}" for n, what in seen[1].wrong),
        *(f"pptx slide {n}: {what}" for n, what in rendering.pptx_faults(files["pptx"], pdf)),
    ]
    for form, slides in shown.items():
        if len(slides) != seen[0].slides:
            faults.append(f"{form} has {len(slides)} slides where revealjs has {seen[0].slides}")
        _sheet(slides, folder / f"{talk}-{form}.png")
    print(f"{talk}: {seen[0].slides} slides in 3 formats, {len(faults)} faults")
    for fault in faults:
        print(f"  {fault}")
    return len(faults)


_ENDS = {"markdown": ".md", "marp": ".marp.md", "revealjs": ".html", "pptx": ".pptx", "json": ".json"}


def _kb(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "kb.cli.main", *arguments], cwd=ROOT, check=True)


def _sheet(slides: Iterable[Path], file: Path) -> None:
    """The slides beside each other, small, as one PNG with few colours."""
    from PIL import Image

    images = [Image.open(path).convert("RGB") for path in slides]
    height = WIDTH * 9 // 16
    rows = -(-len(images) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * (WIDTH + EDGE) + EDGE, rows * (height + EDGE) + EDGE), "#8a8f96")
    for place, image in enumerate(images):
        left, top = place % COLUMNS * (WIDTH + EDGE) + EDGE, place // COLUMNS * (height + EDGE) + EDGE
        sheet.paste(image.resize((WIDTH, height), Image.Resampling.LANCZOS), (left, top))
    sheet.quantize(COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "slides"))
