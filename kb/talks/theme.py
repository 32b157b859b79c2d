"""Colours and type of every format of slides. A test computes each pair's contrast: WCAG AA, 4.5 to 1 or more."""

from __future__ import annotations

WIDTH, HEIGHT = 1280, 720
"""The canvas in pixels, 16 to 9; a pixel is 0.75 pt in a 960 pt wide presentation."""
MARGIN = 56

FONT = "Inter, 'Segoe UI', 'Helvetica Neue', Arial, 'Liberation Sans', sans-serif"
OFFICE_FONT = "Arial"

PAPER = "#ffffff"
INK = "#16202c"
MUTED = "#4c5866"
ACCENT = "#15457f"
RULE = "#c9d3de"
CAVEAT = ("#5a3300", "#fff3e0")
"""Text and ground of the caveat."""
BAR = "#2f66a8"
BAR_OTHER = "#7d92ad"
"""Bars of a chart: what it is about, and the others. Each stands out from the paper by 3 to 1 or more."""

VERDICTS = {
    "supported": ("#0f4a26", "#dff3e6"),
    "refuted": ("#7a1616", "#fde4e4"),
    "mixed": ("#5c3d00", "#fdf0cc"),
    "inconclusive": ("#5c3d00", "#fdf0cc"),
    "unchecked": ("#37414c", "#e8ecf1"),
    "stale": ("#57196b", "#f3e3f8"),
}
"""Text and ground of a verdict's label; the mark and the word stand in it, so colour is never alone."""

STATUSES = {
    "supported": VERDICTS["unchecked"],
    "disputed": VERDICTS["mixed"],
    "refuted": VERDICTS["refuted"],
    "open": VERDICTS["unchecked"],
    "superseded": VERDICTS["stale"],
}
"""The same for what the literature says; its support is no verdict of ours, so it is not green."""

LABELS = {
    **{f"v-{word}": colours for word, colours in VERDICTS.items()},
    **{f"s-{word}": colours for word, colours in STATUSES.items()},
    "flag": VERDICTS["refuted"],
    "plain": (PAPER, ACCENT),
}
"""Text and ground of the labels over a title, by the name of their style."""

PAIRS = ((INK, PAPER), (MUTED, PAPER), (ACCENT, PAPER), CAVEAT, *LABELS.values())
"""Every (text, ground) that is used."""
GRAPHICS = (BAR, BAR_OTHER, INK)
"""What charts draw on paper beside text."""


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21, as WCAG 2.2 defines it."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
