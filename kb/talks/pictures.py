"""The pictures of an item: plots that the deciding run left, and the published figures behind its computations."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from kb.checks.figures import Computed
from kb.talks.outline import Bar, Picture
from kb.talks.reading import Reading, Row
from kb.talks.text import as_printed, clean, joined

MOST_BARS = 8
MOST_CELLS = 60
PUBLISHED = "published"
"""In place of a file's name: the chart of published figures, though there is a plot of our own."""
_FIELDS = ("method", "dataset", "environment", "quantity")
_SCALE_WORDS = {
    "d4rl-normalised": "D4RL-normalised score",
    "human-normalised": "human-normalised score",
    "log": "log scale",
}


def pictures_of(
    claim: Mapping[str, Any],
    run: Row | None,
    computed: list[Computed],
    reading: Reading,
    label: Callable[[str], str],
    wanted: str | None = None,
) -> tuple[Picture, ...]:
    """The pictures of an item, the one to show first: plots of its run, then a chart or table of published figures.

    Args:
        wanted: which one comes first: the file's name in the run or a pattern such as `*curves.png`, or `published`.
            Without it, a plot whose name or title names the claim or what it is judged by, else the run's first.
    """
    plots = _plots(claim, run, reading)
    drawn = None
    # Cells that nobody has read leave a computation unknown, but say nothing against those that were read.
    if not any(done.outcome == "fail" for done in computed):
        drawn = _published(reading.figures(claim["id"]), label)
    pictures = [*plots, *([drawn] if drawn else [])]
    if wanted is not None:
        pictures.sort(key=lambda picture: not is_named(picture, wanted))
    return tuple(pictures)


def is_named(picture: Picture, wanted: str) -> bool:
    """Whether this is the picture that a talk names."""
    return wanted == PUBLISHED if not picture.name else fnmatchcase(picture.name, wanted)


def _plots(claim: Mapping[str, Any], run: Row | None, reading: Reading) -> list[Picture]:
    plots = []
    for artifact in (run or {}).get("artifacts") or []:
        file = reading.artifact(run or {}, artifact) if _is_png(artifact["path"]) else None
        size = png_size(file) if file else None
        if file and size and run:
            title = clean(artifact.get("title") or "")
            credit = f"our run of {clean(run['reproduction'])} ({clean(run['preset'])})"
            alt = title or f"plot of {credit}"
            plots.append(Picture(title, alt, credit, clean(artifact["path"]), file=file, size=size))
    told = [claim["id"], *(criterion["metric"] for criterion in claim.get("criteria", []))]
    about = {_letters(word) for word in told}
    plots.sort(key=lambda plot: not any(word in _letters(plot.name + plot.title) for word in about))
    return plots


def _is_png(path: str) -> bool:
    return str(path).lower().endswith(".png")


def _letters(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())


def png_size(file: str) -> tuple[int, int] | None:
    """Width and height of a PNG file in pixels; None for anything else, and for a file that ends too early."""
    data = Path(file).read_bytes()
    start = data[:24]
    if start[:8] != b"\x89PNG\r\n\x1a\n" or start[12:16] != b"IHDR" or data[-8:-4] != b"IEND":
        return None
    width, height = struct.unpack(">II", start[16:24])
    return (width, height) if 0 < width <= 20_000 and 0 < height <= 20_000 else None


def _published(figures: list[Row], label: Callable[[str], str]) -> Picture | None:
    """Published figures of one quantity, unit and scale: bars where they are few, else a table, else nothing."""
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for figure in figures:
        if figure.get("value") is not None:
            groups.setdefault((figure["quantity"], figure["unit"], figure["scale"]), []).append(figure)
    if not groups:
        return None
    # Few bars need all of their figures; of a longer list the largest group makes a table.
    read = max(groups.values(), key=len)
    shared = [clean(read[0][name]) for name in reversed(_FIELDS) if _shared(read, name)]
    unit = "%" if read[0]["unit"] == "percent" else _SCALE_WORDS.get(read[0]["scale"], clean(read[0]["unit"]))
    title, credit = ", ".join(shared[:2]), _credit(read, label)
    bars = _bars(read) if len(groups) == 1 else ()
    if bars:
        alt = "; ".join(
            f"{f'{bar.group}, ' if bar.group else ''}{bar.label} {as_printed(bar.value)}" for bar in bars
        )
        return Picture(title, f"Bar chart. {alt}", credit, bars=bars, unit=unit)
    table = _grid(read)
    alt = "; ".join(", ".join(row) for row in table)
    return Picture(title, f"Table. {alt}", credit, table=table, unit=unit) if table else None


def _bars(figures: list[Row]) -> tuple[Bar, ...]:
    """Two to eight bars that names tell apart and that start at zero, or none."""
    names = _names(figures)
    if not 2 <= len(names) == len(set(names)) <= MOST_BARS or any(f["value"] < 0 for f in figures):
        return ()
    about = figures[0].get("method")
    bars = [
        Bar(name, float(f["value"]), f.get("spread"), f["source"], strong=f.get("method") == about)
        for name, f in zip(names, figures, strict=True)
    ]
    differ = _differing(figures)
    groups = [clean(figure.get(differ[-1]) or "") for figure in figures] if differ else []
    if len(differ) == 2 and all(groups) and len(set(groups)) < len(groups):
        bars = [
            replace(bar, label=clean(f.get(differ[0]) or ""), group=group)
            for bar, f, group in zip(bars, figures, groups, strict=True)
        ]
        bars.sort(key=lambda bar: groups.index(bar.group))
    return tuple(bars)


def _differing(figures: list[Row]) -> list[str]:
    """The fields in which the figures differ."""
    return [name for name in _FIELDS if len({clean(figure.get(name) or "") for figure in figures}) > 1]


def _credit(figures: list[Row], label: Callable[[str], str]) -> str:
    """Where the figures are from, and what their spread is, as their protocol has it."""
    sources = list(dict.fromkeys(label(f["source"]) for f in figures))
    where = list(dict.fromkeys(clean(f["locator"]) for f in figures))
    credit = f"published figures: {joined(sources)}" + (f", {where[0]}" if len(where) == 1 else "")
    spreads = dict.fromkeys(_spread(f) for f in figures if f.get("spread") is not None)
    return f"{credit}; ±: {joined(list(spreads))}" if spreads else credit


def _spread(figure: Row) -> str:
    parts = (part.partition("=") for part in clean(figure.get("protocol") or "").split(";"))
    found = {key.strip(): value.strip() for key, _, value in parts}
    return found.get("spread") or "as printed, its kind not recorded"


def _grid(figures: list[Row]) -> tuple[tuple[str, ...], ...]:
    """Rows and columns by the fields in which the figures differ; empty where two would share a cell."""
    if not MOST_BARS < len(figures) <= MOST_CELLS:
        return ()
    differ = _differing(figures)
    if len(differ) < 2:
        return ()
    across = min(differ, key=lambda name: len({figure.get(name) for figure in figures}))
    down = [name for name in reversed(_FIELDS) if name in differ and name != across]
    columns = list(dict.fromkeys(clean(figure.get(across) or "") for figure in figures))
    cells: dict[str, dict[str, str]] = {}
    for figure in figures:
        row = cells.setdefault(", ".join(clean(figure.get(name) or "") for name in down), {})
        column = clean(figure.get(across) or "")
        if column in row:
            return ()
        spread = f" ± {as_printed(figure['spread'])}" if figure.get("spread") is not None else ""
        row[column] = as_printed(figure["value"]) + spread
    head = (" / ".join(down), *columns)
    return (head, *((name, *(row.get(column, "–") for column in columns)) for name, row in cells.items()))


def _shared(figures: list[Row], name: str) -> bool:
    return bool(figures[0].get(name)) and len({figure.get(name) for figure in figures}) == 1


def _names(figures: list[Row]) -> list[str]:
    """What tells the figures apart, as short names."""
    differ = _differing(figures)
    return [
        ", ".join(clean(figure[name]) for name in differ if figure.get(name)) or clean(figure["id"])
        for figure in figures
    ]
