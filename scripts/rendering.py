"""Slides as an audience sees them: Marp's own command line, a browser, LibreOffice; pictures, and what is wrong.

`make slides` and the tests of the rendered slides use this. Nothing here downloads a browser.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = Path(os.environ.get("KB_SLIDES_TOOLS", ROOT / ".venv-slides"))
"""Where `make slides` puts Marp's command line."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def browser() -> str | None:
    """A browser that is installed: CHROME_PATH, else Chromium or Chrome from the path."""
    named = os.environ.get("CHROME_PATH")
    return next((found for name in ((named,) if named else BROWSERS) if (found := shutil.which(name))), None)


def missing(*, marp: bool = True, office: bool = True) -> list[str]:
    """What has to be installed before slides can be rendered, a line each; empty when all is there."""
    lacks = []
    if browser() is None:
        lacks.append("Chromium (Debian: apt install chromium), or CHROME_PATH naming a Chrome")
    if shutil.which("node") is None:
        lacks.append("Node.js 18 or later (Debian: apt install nodejs npm)")
    if marp and not (TOOLS / "node_modules" / ".bin" / "marp").exists():
        lacks.append(f"Marp's command line in {TOOLS.name} (`make slides` puts it there)")
    if office and shutil.which("soffice") is None:
        lacks.append("LibreOffice (Debian: apt install --no-install-recommends libreoffice-impress)")
    if office and shutil.which("pdftotext") is None:
        lacks.append("poppler's tools (Debian: apt install poppler-utils)")
    return lacks


@dataclass(frozen=True)
class Seen:
    """What a browser saw: how many slides, and what is wrong with which, counted from 1."""

    slides: int
    wrong: list[tuple[int, str]]


@dataclass(frozen=True)
class Job:
    """A page to look at: `kind` is reveal or marp (as HTML of its command line)."""

    kind: str
    page: Path
    pictures: Path | None = None


def look(jobs: Iterable[Job], scratch: Path) -> list[Seen]:
    """Open pages in a browser, slide by slide: measure each, and take its picture where a folder is named."""
    told = []
    for job in jobs:
        if job.pictures is not None:
            job.pictures.mkdir(parents=True, exist_ok=True)
        pictures = str(job.pictures) if job.pictures else None
        told.append({"kind": job.kind, "page": str(job.page), "pictures": pictures})
    (scratch / "jobs.json").write_text(json.dumps(told), encoding="utf-8")
    script = ROOT / "scripts" / "slides.mjs"
    printed = _run(["node", script, browser() or "", TOOLS, scratch / "profile", scratch / "jobs.json"])
    return [
        Seen(one["slides"], [(slide, what) for slide, what in one["wrong"]]) for one in json.loads(printed)
    ]


def marp_html(markdown: Path, page: Path) -> None:
    """Marp's Markdown as HTML by its own command line."""
    _marp([markdown, "--bespoke.osc=false", "-o", page])


def marp_pictures(markdown: Path, folder: Path) -> list[Path]:
    """Marp's Markdown as a PNG of each slide by its own command line."""
    folder.mkdir(parents=True, exist_ok=True)
    _marp([markdown, "--images", "png", "-o", folder / "slide.png"])
    return sorted(folder.glob("slide.*.png"))


def _marp(arguments: list[str | Path]) -> None:
    environment = {**os.environ, "CHROME_PATH": browser() or "", "CHROME_NO_SANDBOX": "1"}
    _run([TOOLS / "node_modules" / ".bin" / "marp", "--no-config-file", *arguments], environment)


def office_pdf(presentation: Path, folder: Path, scratch: Path) -> Path:
    """A presentation as PDF by LibreOffice, with a profile of its own."""
    profile = f"-env:UserInstallation={(scratch / 'office').as_uri()}"
    _run(["soffice", "--headless", profile, "--convert-to", "pdf", "--outdir", folder, presentation])
    return folder / f"{presentation.stem}.pdf"


def pdf_pictures(pdf: Path, folder: Path, width: int = 1280) -> list[Path]:
    """A PNG of each page of a PDF."""
    folder.mkdir(parents=True, exist_ok=True)
    _run(["pdftoppm", "-png", "-scale-to-x", str(width), "-scale-to-y", "-1", pdf, folder / "page"])
    return sorted(folder.glob("page-*.png"))


@dataclass(frozen=True)
class Line:
    """A line of text on a page of a PDF, in points from its upper left corner."""

    page: int
    left: float
    top: float
    right: float
    bottom: float
    text: str


def pdf_lines(pdf: Path) -> tuple[tuple[float, float], list[Line]]:
    """The size of the pages and every line of text on them, by poppler."""
    from xml.etree import ElementTree

    printed = _run(["pdftotext", "-bbox-layout", pdf, "-"])
    # Text of a slide may hold what XML forbids; poppler writes it as it is.
    root = ElementTree.fromstring(re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f]", "", printed))
    space = "{http://www.w3.org/1999/xhtml}"
    size, lines = (0.0, 0.0), []
    for number, page in enumerate(root.iter(f"{space}page"), start=1):
        size = (float(page.attrib["width"]), float(page.attrib["height"]))
        for line in page.iter(f"{space}line"):
            box = [float(line.attrib[name]) for name in ("xMin", "yMin", "xMax", "yMax")]
            words = " ".join(word.text or "" for word in line.iter(f"{space}word"))
            lines.append(Line(number, *box, words))
    return size, lines


def _run(command: list[str | Path], environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        timeout=600,
        env=environment,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode:
        told = "\n".join((done.stderr or done.stdout).strip().splitlines()[-5:])
        raise RuntimeError(f"{Path(command[0]).name} ended with {done.returncode}: {told}")
    return done.stdout


def pptx_faults(presentation: Path, pdf: Path) -> list[tuple[int, str]]:
    """What is wrong with a presentation as LibreOffice sets it: (slide, what), counted from 1.

    Every line of the PDF must lie on its page, inside the box of a shape that holds its words, and on no other line.
    """
    from pptx import Presentation

    (width, height), lines = pdf_lines(pdf)
    shapes = []
    for slide in Presentation(str(presentation)).slides:
        held = [shape for shape in slide.shapes if shape.has_text_frame and shape.text_frame.text.strip()]
        shapes.append([(_letters(shape.text_frame.text), *_box(shape)) for shape in held])
    faults = []
    for place, line in enumerate(lines):
        shown = line.text[:50]
        if line.left < -1 or line.top < -1 or line.right > width + 1 or line.bottom > height + 1:
            faults.append((line.page, f"outside: {shown}"))
        # A line's box is as high as its type's ascent and descent, a little more than the letters.
        more = 2 + 0.2 * (line.bottom - line.top)
        if not any(
            _letters(line.text) in text
            and left - 2 <= line.left
            and line.right <= right + 2
            and top - more <= line.top
            and line.bottom <= bottom + more
            for text, left, top, right, bottom in shapes[line.page - 1]
        ):
            faults.append((line.page, f"outside of its box: {shown}"))
        for other in lines[place + 1 :]:
            if other.page != line.page:
                break
            wide = min(line.right, other.right) - max(line.left, other.left)
            high = min(line.bottom, other.bottom) - max(line.top, other.top)
            if wide > 1 and high > 0.35 * min(line.bottom - line.top, other.bottom - other.top):
                faults.append((line.page, f"overlap: {shown} / {other.text[:50]}"))
    return faults


def _letters(text: str) -> str:
    """The letters and digits alone: what a PDF keeps of a text whatever its fonts, spaces and hyphens."""
    return "".join(char for char in text if char.isalnum())


def _box(shape: object) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of a shape in points."""
    left, top, width, height = (getattr(shape, name) / 12_700 for name in ("left", "top", "width", "height"))
    return left, top, left + width, top + height
