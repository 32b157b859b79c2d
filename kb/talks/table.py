"""A table as rectangles and words, drawn as charts are: columns as wide as they need, cells wrapped, rows ruled."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from kb.talks import theme
from kb.talks.drawing import CREDIT, TEXT, Drawing, Label, Rectangle, credits
from kb.talks.measure import BOLD, LINE, widest_piece, width_of, wrapped
from kb.talks.outline import Picture

SIZES = (26, 24, 22, 20)
SMALLEST = 17
_BETWEEN = 22
"""Pixels between columns."""
_PAD = 8
"""Pixels over and under the words of a row."""

Row = Sequence[str]


def drawn(picture: Picture, width: float, height: float) -> Drawing:
    """The whole table at the largest size at which it fits, its title over it and its credit under it."""
    small, rows = _credit(picture, width), _unbroken(picture.table)
    title = " · ".join(part for part in (picture.title, picture.unit) if part)
    top = TEXT * 1.7 if title else 0.0
    room = _room(picture, width, height)
    size = next((size for size in SIZES if _fits(rows, size, width, room)), SMALLEST)
    columns = _columns(rows, size, width)
    labels = [Label(0, 0, width, title, TEXT, theme.MUTED, bold=True)] if title else []
    rectangles: list[Rectangle] = []
    for place, row in enumerate(rows):
        head = place == 0
        cells = _lines(row, size, columns, bold=head)
        tall = _tall(cells, size)
        left = 0.0
        for lines, wide in zip(cells, columns, strict=True):
            for line, text in enumerate(lines):
                y = top + _PAD + line * size * LINE
                colour = theme.MUTED if head else theme.INK
                labels.append(Label(left, y, wide, text, size, colour, bold=head))
            left += wide + _BETWEEN
        top += tall
        rectangles.append(Rectangle(0, top - 1, width, 2 if head else 1, theme.INK if head else theme.RULE))
    return Drawing(width, height, tuple(rectangles), (*labels, *credits(small, top + 8, width)))


def fits(picture: Picture, width: float, height: float) -> bool:
    """Whether the whole table can be drawn in a place of that size."""
    rows, room = _unbroken(picture.table), _room(picture, width, height)
    return any(_fits(rows, size, width, room) for size in (*SIZES, SMALLEST))


def _unbroken(rows: Sequence[Row]) -> list[list[str]]:
    """The rows with a figure and its spread held together on one line."""
    return [[text.replace(" ± ", "\u00a0±\u00a0") for text in row] for row in rows]


def _room(picture: Picture, width: float, height: float) -> float:
    """The height that rows have between the title and the credit."""
    title = TEXT * 1.7 if picture.title or picture.unit else 0.0
    return height - title - 10 - len(_credit(picture, width)) * CREDIT * LINE


def _credit(picture: Picture, width: float) -> list[str]:
    return wrapped(picture.credit, CREDIT, width)[:2] if picture.credit else []


def pages(picture: Picture, width: float, height: float) -> tuple[Picture, ...]:
    """The table as one picture, or as several with the same head where its rows need more room than there is."""
    head, *rows = picture.table
    room = _room(picture, width, height)
    if _height(picture.table, SIZES[-1], width) <= room:
        return (picture,)
    found: list[list[Row]] = [[]]
    for row in rows:
        if found[-1] and _height([head, *found[-1], row], SIZES[-1], width) > room:
            found.append([])
        found[-1].append(row)
    return tuple(dataclasses.replace(picture, table=(head, *map(tuple, page))) for page in found)


def _fits(rows: Sequence[Row], size: int, width: float, height: float) -> bool:
    """Whether the table has room at this size without a word broken."""
    wide = _columns(rows, size, width)
    whole = all(
        widest_piece(text, size) * (BOLD if place == 0 else 1) <= wide[column] + 0.01
        for place, row in enumerate(rows)
        for column, text in enumerate(row)
    )
    return whole and _height(rows, size, width) <= height


def _height(rows: Sequence[Row], size: int, width: float) -> float:
    columns = _columns(rows, size, width)
    return sum(_tall(_lines(row, size, columns, bold=not place), size) for place, row in enumerate(rows))


def _tall(cells: Sequence[Sequence[str]], size: int) -> float:
    return max(len(lines) for lines in cells) * size * LINE + 2 * _PAD


def _lines(row: Row, size: int, columns: Sequence[float], *, bold: bool) -> list[list[str]]:
    return [
        wrapped(text, size, wide / BOLD if bold else wide) for text, wide in zip(row, columns, strict=True)
    ]


def _columns(rows: Sequence[Row], size: int, width: float) -> list[float]:
    """Widths of the columns: what each needs if there is room, else the wide ones share what the others leave."""
    head, *others = rows
    needs = [
        max(width_of(name, size) * BOLD, *(width_of(text, size) for text in column)) + 2
        for name, *column in zip(head, *others, strict=True)
    ]
    room = width - _BETWEEN * (len(needs) - 1)
    open_, left = list(range(len(needs))), room
    # A column narrower than an equal share keeps its width; what it leaves is shared by the wider ones.
    while True:
        share = left / len(open_) if open_ else 0.0
        narrow = [place for place in open_ if needs[place] <= share]
        if not narrow or not open_:
            break
        left -= sum(needs[place] for place in narrow)
        open_ = [place for place in open_ if place not in narrow]
    wide = sum(needs[place] for place in open_)
    return [left * need / wide if place in open_ else need for place, need in enumerate(needs)]
