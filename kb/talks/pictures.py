"""The picture of an item: a plot that the deciding run left, else the published figures behind its computations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kb.checks.figures import Computed
from kb.talks.outline import Bar, Picture
from kb.talks.reading import Reading, Row
from kb.talks.text import clean, joined

MOST_BARS = 8
_FIELDS = ("method", "dataset", "environment", "quantity")
_SCALE_WORDS = {
    "d4rl-normalised": "D4RL-normalised score",
    "human-normalised": "human-normalised score",
    "log": "log scale",
}


def picture_of(
    claim: Mapping[str, Any],
    run: Row | None,
    computed: list[Computed],
    reading: Reading,
    label: Callable[[str], str],
) -> Picture | None:
    """A plot or a small chart, or None where there is neither."""
    plot = _plot(run, reading)
    if plot or any(done.outcome in ("fail", "unknown") for done in computed):
        return plot
    return _chart(reading.figures(claim["id"]), label)


def _plot(run: Row | None, reading: Reading) -> Picture | None:
    if run is None:
        return None
    for artifact in run.get("artifacts") or []:
        if str(artifact["path"]).lower().endswith(".png"):
            file = reading.artifact(run, artifact)
            if file is not None:
                title = clean(artifact.get("title") or "")
                credit = f"our run of {clean(run['reproduction'])} ({clean(run['preset'])})"
                return Picture(
                    title, title or f"plot of {credit}", credit, clean(artifact["path"]), file=file
                )
    return None


def _chart(figures: list[Row], label: Callable[[str], str]) -> Picture | None:
    """Bars of published figures: two to eight of one quantity, unit and scale, whose names tell them apart."""
    read = [figure for figure in figures if figure.get("value") is not None]
    if not 2 <= len(read) <= MOST_BARS or len({(f["quantity"], f["unit"], f["scale"]) for f in read}) > 1:
        return None
    if any(figure["value"] < 0 for figure in read):
        return None
    names = _names(read)
    if len(set(names)) < len(names):
        return None
    bars = tuple(
        Bar(
            name,
            float(f["value"]),
            f.get("spread"),
            f["source"],
            strong=f.get("method") == read[0].get("method"),
        )
        for name, f in zip(names, read, strict=True)
    )
    shared = [clean(read[0][name]) for name in reversed(_FIELDS) if _shared(read, name)]
    scale = read[0]["scale"]
    unit = "%" if read[0]["unit"] == "percent" else _SCALE_WORDS.get(scale, clean(read[0]["unit"]))
    sources = list(dict.fromkeys(label(f["source"]) for f in read))
    where = list(dict.fromkeys(clean(f["locator"]) for f in read))
    credit = f"published figures: {joined(sources)}" + (f", {where[0]}" if len(where) == 1 else "")
    alt = "; ".join(f"{bar.label} {bar.value:g}" for bar in bars)
    return Picture(", ".join(shared[:2]), f"Bar chart. {alt}", credit, bars=bars, unit=unit)


def _shared(figures: list[Row], name: str) -> bool:
    return bool(figures[0].get(name)) and len({figure.get(name) for figure in figures}) == 1


def _names(figures: list[Row]) -> list[str]:
    """What tells the figures apart, as short names."""
    differ = [name for name in _FIELDS if len({figure.get(name) for figure in figures}) > 1]
    return [
        ", ".join(clean(figure[name]) for name in differ if figure.get(name)) or clean(figure["id"])
        for figure in figures
    ]
