"""`make slides`: every shipped talk in every format of slides, rendered, measured, and its pictures into docs/slides.

python -m scripts.slides [FOLDER]

A sheet for each talk and format, of the slides up to the last; one for each talk's backup, as reveal.js shows it. The
single slides at full size go to build/slides.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kb.talks import theme
from scripts import rendering
from scripts.rendering import ROOT, Job

FULL_SIZE = ROOT / "build" / "slides"
COLUMNS, WIDTH, EDGE = 4, 360, 6


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
            try:
                wrong += _talk(talk, folder, Path(scratch))
            except (RuntimeError, subprocess.CalledProcessError) as error:
                print(f"{talk}: {error}", file=sys.stderr)
                return 2
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
    kinds = re.findall(r'<section class="(\w+)"', files["revealjs"].read_text(encoding="utf-8"))
    end = kinds.index("closing") + 1
    for form, slides in shown.items():
        if len(slides) != seen[0].slides:
            faults.append(f"{form} has {len(slides)} slides where revealjs has {seen[0].slides}")
        _sheet(slides[:end], folder / f"{talk}-{form}.png")
    _sheet(shown["revealjs"][end:], folder / f"{talk}-backup.png")
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
    sheet.quantize(palette=_palette(), dither=Image.Dither.NONE).save(file, optimize=True)


def _palette() -> Any:
    """The theme's colours, and what lies between each text and its ground: a sheet with these stays small and true."""
    from PIL import Image

    pairs = (*theme.PAIRS, (theme.BAR, theme.PAPER), (theme.BAR_OTHER, theme.PAPER))
    colours = [channel for text, ground in pairs for channel in _between(text, ground)]
    palette = Image.new("P", (1, 1))
    palette.putpalette(colours)
    return palette


def _between(text: str, ground: str) -> list[int]:
    steps = (0, 0.25, 0.5, 0.75, 1) if ground == theme.PAPER else (0, 0.5, 1)
    ends = [[int(colour[place : place + 2], 16) for place in (1, 3, 5)] for colour in (text, ground)]
    return [round(one + (other - one) * step) for step in steps for one, other in zip(*ends, strict=True)]


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "slides"))
