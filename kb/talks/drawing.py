"""What charts and tables are drawn with: rectangles and words, the same for SVG and for PowerPoint."""

from __future__ import annotations

from dataclasses import dataclass

from kb.talks import theme
from kb.talks.measure import LINE

TEXT = 20
CREDIT = 16
"""Sizes of a chart's words and of the small print under it."""


@dataclass(frozen=True)
class Rectangle:
    """A filled rectangle, in pixels from the chart's own corner."""

    x: float
    y: float
    width: float
    height: float
    colour: str


@dataclass(frozen=True)
class Label:
    """Words in a box; `anchor` is start or end, `y` the box's top."""

    x: float
    y: float
    width: float
    text: str
    size: int
    colour: str
    anchor: str = "start"
    bold: bool = False


@dataclass(frozen=True)
class Drawing:
    """A chart, `width` x `height` pixels."""

    width: float
    height: float
    rectangles: tuple[Rectangle, ...]
    labels: tuple[Label, ...]


def credits(lines: list[str], top: float, width: float) -> tuple[Label, ...]:
    """The small print under a chart, a label a line."""
    return tuple(
        Label(0, top + place * CREDIT * LINE, width, line, CREDIT, theme.MUTED)
        for place, line in enumerate(lines)
    )
