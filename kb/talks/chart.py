"""Small bar charts of published figures, as rectangles and words: the same drawing for SVG and for PowerPoint."""

from __future__ import annotations

from kb.talks import table, theme
from kb.talks.drawing import CREDIT, TEXT, Drawing, Label, Rectangle, credits
from kb.talks.escape import html
from kb.talks.measure import BOLD, LINE, width_of, wrapped
from kb.talks.outline import Picture
from kb.talks.text import as_printed, shorten

LEAST_PLOT = 190
"""Pixels of height below which a plot says nothing."""
_LABEL_SHARE = 0.46
_BOLD = ' font-weight="600"'


def drawn(picture: Picture, width: float, height: float) -> Drawing:
    """Draw a picture's table, or its bars."""
    return table.drawn(picture, width, height) if picture.table else _bars(picture, width, height)


def fits(picture: Picture, width: float, height: float) -> bool:
    """Whether a picture can be shown in a place of that size so that it can be read."""
    if picture.table:
        return table.fits(picture, width, height)
    if picture.bars:
        rows = len(picture.bars) + len({bar.group for bar in picture.bars if bar.group})
        return (height - 2 * TEXT - 2.5 * CREDIT * LINE) / rows >= TEXT * LINE
    return height >= LEAST_PLOT


def _bars(picture: Picture, width: float, height: float) -> Drawing:
    """Names on the left, values at the bars' ends, spread as a thin line, zero-based."""
    rectangles: list[Rectangle] = []
    labels: list[Label] = []
    title = " · ".join(part for part in (picture.title, picture.unit) if part)
    labels.append(Label(0, 0, width, wrapped(title, TEXT, width / BOLD)[0], TEXT, theme.MUTED, bold=True))
    credit = wrapped(picture.credit, CREDIT, width)[:2]
    top, bottom = TEXT * 1.9, height - 8 - len(credit) * CREDIT * LINE
    groups = list(dict.fromkeys(bar.group for bar in picture.bars if bar.group))
    row = min(60.0, (bottom - top) / max(1, len(picture.bars) + len(groups)))
    size, names = _names(picture, width * _LABEL_SHARE - 12, row)
    left = max(width_of(line, size) for lines in names for line in lines) + 12
    values = [as_printed(b.value) + (f" ± {as_printed(b.spread)}" if b.spread else "") for b in picture.bars]
    beside = max(width_of(value, TEXT) * BOLD for value in values) + 8
    room = max(20.0, width - left - beside - 8)
    most = max(bar.value + (bar.spread or 0) for bar in picture.bars) or 1
    y = top
    for place, bar in enumerate(picture.bars):
        if bar.group and (place == 0 or picture.bars[place - 1].group != bar.group):
            name = _cut(bar.group, TEXT, width)
            labels.append(Label(0, y + (row - TEXT * LINE) / 2, width, name, TEXT, theme.MUTED))
            y += row
        thick = row * 0.62
        length = max(1.5, room * bar.value / most)
        colour = theme.BAR if bar.strong else theme.BAR_OTHER
        rectangles.append(Rectangle(left, y + (row - thick) / 2, length, thick, colour))
        end = length
        if bar.spread:
            low, high = (
                max(0.0, min(room, room * (bar.value + d) / most)) for d in (-bar.spread, bar.spread)
            )
            rectangles.append(Rectangle(left + low, y + row / 2 - 1, max(1.0, high - low), 2, theme.INK))
            end = max(length, high)
        first = y + (row - len(names[place]) * size * LINE) / 2
        labels += [
            Label(0, first + line * size * LINE, left - 4, text, size, theme.INK)
            for line, text in enumerate(names[place])
        ]
        words = y + (row - TEXT * LINE) / 2
        labels.append(Label(left + end + 8, words, beside, values[place], TEXT, theme.INK, bold=True))
        y += row
    return Drawing(width, height, tuple(rectangles), (*labels, *credits(credit, y + 8, width)))


def svg(picture: Picture, width: float, height: float) -> str:
    """The chart as an SVG element."""
    drawing = drawn(picture, width, height)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width:g} {height:.0f}"'
        f' width="{width:g}" height="{height:.0f}" font-family="{html(theme.FONT)}">',
        f"<title>{html(picture.alt)}</title>",
    ]
    parts += [
        f'<rect x="{r.x:.1f}" y="{r.y:.1f}" width="{r.width:.1f}" height="{r.height:.1f}" fill="{r.colour}"/>'
        for r in drawing.rectangles
    ]
    parts += [
        f'<text x="{label.x:.1f}" y="{label.y + label.size:.1f}" font-size="{label.size}" fill="{label.colour}"'
        f"{_BOLD if label.bold else ''}>{html(label.text)}</text>"
        for label in drawing.labels
    ]
    return "".join([*parts, "</svg>"])


def _names(picture: Picture, width: float, row: float) -> tuple[int, list[list[str]]]:
    """The bars' names as lines of one size, the largest at which each has room beside its bar; else cut at it."""
    for size in (TEXT, 19, 18, 17):
        names = [wrapped(bar.label, size, width) for bar in picture.bars]
        if max(map(len, names)) * size * LINE <= row - (8 if max(map(len, names)) > 1 else 0):
            return size, names
    return 16, [[_cut(bar.label, 16, width)] for bar in picture.bars]


def _cut(text: str, size: int, width: float) -> str:
    limit = len(text)
    while limit > 4 and width_of(shorten(text, limit), size) > width:
        limit -= 1
    return shorten(text, limit)
