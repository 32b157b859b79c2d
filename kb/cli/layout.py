"""Tables and pages for a terminal: fitted to its width, coloured when colour is on.

Stdlib only and quick to import: no dataclasses, whose module takes longer than all else here. All text is
cleaned here, after which only this module's own style codes reach the terminal.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from kb.cli.output import clean, mark, one_line, style_is_on

STYLES = {
    "bold": "1", "dim": "2", "italic": "3", "red": "31", "green": "32", "yellow": "33", "magenta": "35",
    "cyan": "36", "heading": "1;36",
    "supported": "32", "refuted": "31", "mixed": "33", "inconclusive": "33", "unchecked": "2", "stale": "35",
    "disputed": "33", "open": "36", "superseded": "2",
    "asserts": "36", "supports": "32", "disputes": "31", "qualifies": "33", "background": "2",
    "pass": "32", "derived": "33", "fail": "31", "unknown": "33", "skipped": "2",
}  # fmt: skip
"""Style names -> SGR codes. Statuses, verdicts, stances and outcomes of checks are styles, too."""

READING_WIDTH = 110
"""A page is not set wider than this: longer lines are hard to read."""
PIPE_WIDTH = 100
NARROW = 60
"""A flexible column narrower than this goes below the others instead of beside them."""

Span = tuple[str, str]
Text = str | Sequence[Span | str]
"""Plain text, or pieces of it with their styles."""


def terminal_width() -> int:
    """Columns of the terminal (or of COLUMNS), 40 at least."""
    import shutil

    return max(40, shutil.get_terminal_size((PIPE_WIDTH, 24)).columns)


def paint(text: str, style: str) -> str:
    """The text in a style of `STYLES`, where colours are on."""
    code = STYLES.get(style, "")
    return f"\x1b[{code}m{text}\x1b[0m" if code and text and style_is_on() else text


def width_of(text: str) -> int:
    """Columns that the text takes: two for wide East Asian characters, none for combining ones."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )


def cut(text: str, width: int) -> str:
    """The text in at most `width` columns; what was cut off shows as `…`."""
    if width_of(text) <= width:
        return text
    text = text[:width]
    while text and width_of(text) > width - 1:
        text = text[:-1]
    return text.rstrip() + "…"


def wrap(text: Text, width: int) -> list[list[Span]]:
    """Lines of at most `width` columns, broken at spaces; a longer word is broken where it must be.

    An address stays whole even where it is too long, so that a terminal still opens it.
    """
    lines: list[list[Span]] = []
    line: list[Span] = []
    used = 0
    for begins, word in _words(text):
        size = sum(width_of(piece) for piece, _ in word)
        if begins == "\n" or (line and used + len(begins) + size > width):
            lines.append(line)
            line, used, begins = [], 0, ""
        if size > width and not word[0][0].startswith("http"):
            for char, style in [(char, style) for piece, style in word for char in piece]:
                if used + width_of(char) > width:
                    lines.append(line)
                    line, used = [], 0
                line.append((char, style))
                used += width_of(char)
            continue
        if begins and line:
            line.append((" ", word[0][1] if line[-1][1] == word[0][1] else ""))
            used += 1
        line.extend(word)
        used += size
    return [*lines, line]


def _words(text: Text) -> Iterator[tuple[str, list[Span]]]:
    """Each word as pieces of one style, with what stands before it: nothing, a space or a line break."""
    spans = [(text, "")] if isinstance(text, str) else [(s, "") if isinstance(s, str) else s for s in text]
    before, word = "", list[Span]()
    for span, style in spans:
        for piece in re.findall(r"[^ \n\t]+|\n|[ \t]+", clean(span)):
            if not piece.isspace() or piece == "\xa0":
                word.append((piece, style))
                continue
            if word:
                yield before, word
                before, word = "", []
            if piece == "\n" and before == "\n":
                yield "\n", [("", "")]
            before = "\n" if "\n" in (piece, before) else " "
    if word:
        yield before, word


def _painted(line: Iterable[Span]) -> str:
    joined: list[Span] = []
    for text, style in line:
        if joined and joined[-1][1] == style:
            joined[-1] = (joined[-1][0] + text, style)
        else:
            joined.append((text, style))
    return "".join(paint(text, style) for text, style in joined)


class Column(NamedTuple):
    """A column of a table.

    flexible: shares the width that the others leave, wraps to `lines` lines, and goes below the others
    where the terminal is narrow. most: width of one that is not flexible. piped: only for programs.
    """

    title: str
    flexible: bool = False
    style: str = ""
    right: bool = False
    lines: int = 3
    most: int = 40
    piped: bool = False


class Word(NamedTuple):
    """A cell that is a status, verdict or outcome: coloured by its meaning; verdicts with their mark."""

    word: str
    marked: bool = False

    def __str__(self) -> str:
        return self.word

    def shown(self) -> str:
        """The word as a person sees it."""
        return mark(self.word) if self.marked else self.word


_FORMULA = re.compile(r"[=@]|[+-](?![\d.,]+(?:e[+-]?\d+)? ?%?$)(?=.)", re.IGNORECASE)


def no_formula(cell: str) -> str:
    """A cell that no spreadsheet carries out: one that starts like a formula starts with an apostrophe."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


class Rows:
    """A table. Cells are anything that `str` takes; None is an empty cell."""

    def __init__(
        self, columns: Sequence[Column], rows: Iterable[Sequence[object]], empty: str = "nothing found"
    ) -> None:
        self.columns = columns
        self.rows = rows
        self.empty = empty
        self.count = 0

    def tab_separated(self) -> Iterator[str]:
        """A header and a line per row, for programs; cells hold no tabs or line breaks."""
        yield "\t".join(column.title for column in self.columns)
        for row in self.rows:
            self.count += 1
            yield "\t".join("" if cell is None else no_formula(one_line(cell)) for cell in row)

    def render(self, width: int | None = None) -> Iterator[str]:
        """Lines for a terminal of `width` columns."""
        columns = [column for column in self.columns if not column.piped]
        rows = [
            [
                _Cell.of(cell, column)
                for cell, column in zip(row, self.columns, strict=True)
                if not column.piped
            ]
            for row in self.rows
        ]
        self.count = len(rows)
        if rows:
            yield from _table(columns, rows, width or terminal_width())


class _Cell(NamedTuple):
    text: str
    style: str

    @classmethod
    def of(cls, cell: object, column: Column) -> _Cell:
        if isinstance(cell, Word):
            return cls(one_line(cell.shown()), cell.word)
        return cls("" if cell is None else one_line(cell), column.style)


def _table(columns: list[Column], rows: list[list[_Cell]], width: int) -> Iterator[str]:
    widths = [
        min(
            max(width_of(c.title), *(width_of(row[i].text) for row in rows)), 10_000 if c.flexible else c.most
        )
        for i, c in enumerate(columns)
    ]
    fixed = [i for i, column in enumerate(columns) if not column.flexible]
    flexible = [i for i, column in enumerate(columns) if column.flexible]
    left = width - sum(widths[i] for i in fixed) - 2 * (len(columns) - 1)
    share = left // len(flexible) if flexible else 0
    stacked = bool(flexible and fixed) and share < min(NARROW, max(widths[i] for i in flexible))
    beside = fixed if stacked else list(range(len(columns)))
    if not stacked:
        for n, i in enumerate(flexible):
            widths[i] = max(6, min(widths[i], left // (len(flexible) - n)))
            left -= widths[i]
    while sum(widths[i] for i in beside) + 2 * (len(beside) - 1) > width:
        widest = max(beside, key=lambda i: widths[i])
        if widths[widest] <= 6:
            break
        widths[widest] -= 1
    yield "  ".join(
        _pad(cut(columns[i].title, widths[i]), widths[i], columns[i].right, "dim") for i in beside
    ).rstrip()
    for row in rows:
        yield from _row([columns[i] for i in beside], [row[i] for i in beside], [widths[i] for i in beside])
        for i in flexible if stacked else []:
            for line in _cell_lines(row[i], width - 4, columns[i].lines):
                yield "    " + paint(line, row[i].style)


def _row(columns: list[Column], row: list[_Cell], widths: list[int]) -> Iterator[str]:
    cells = [
        _cell_lines(cell, width, column.lines if column.flexible else 1)
        for column, cell, width in zip(columns, row, widths, strict=True)
    ]
    for n in range(max(len(lines) for lines in cells)):
        parts = [
            _pad(lines[n] if n < len(lines) else "", width, column.right, cell.style)
            for column, cell, width, lines in zip(columns, row, widths, cells, strict=True)
        ]
        yield "  ".join(parts).rstrip()


def _cell_lines(cell: _Cell, width: int, most: int) -> list[str]:
    if most == 1:
        return [cut(cell.text, width)]
    lines = ["".join(text for text, _ in line) for line in wrap(cell.text, width)]
    return lines if len(lines) <= most else [*lines[: most - 1], cut(" ".join(lines[most - 1 :]), width)]


def _pad(text: str, width: int, right: bool, style: str) -> str:
    space = " " * max(0, width - width_of(text))
    return space + paint(text, style) if right else paint(text, style) + space


class Page:
    """A page to read, built from the top down. Each method gives the page back."""

    def __init__(self) -> None:
        self._parts: list[tuple[Span, Span, Text]] = []

    def line(self, text: Text = "", style: str = "", indent: int = 0) -> Page:
        """A paragraph, wrapped and indented; none given is an empty line."""
        space = (" " * indent, "")
        self._parts.append((space, space, [(text, style)] if isinstance(text, str) else text))
        return self

    def heading(self, text: str) -> Page:
        """An empty line and a heading."""
        return self.line().line(text, "heading")

    def item(self, text: Text, bullet: Span = ("•", "dim"), indent: int = 2, *, bar: bool = False) -> Page:
        """A paragraph with a bullet, its other lines aligned to the first; with `bar` they repeat the bullet."""
        first = (" " * indent + bullet[0] + " ", bullet[1])
        self._parts.append((first, first if bar else (" " * width_of(first[0]), ""), text))
        return self

    def field(self, name: str, text: Text | None, width: int = 12, indent: int = 0) -> Page:
        """A name and what it is, aligned in two columns; nothing where there is nothing to tell."""
        if text:
            first = " " * indent + f"{name:<{width}} "
            self._parts.append(((first, "dim"), (" " * width_of(first), ""), text))
        return self

    def render(self, width: int | None = None) -> Iterator[str]:
        """Lines, at most `width` columns wide (the terminal's, up to `READING_WIDTH`)."""
        columns = min(width or terminal_width(), READING_WIDTH)
        for first, rest, text in self._parts:
            for n, line in enumerate(wrap(text, max(16, columns - width_of(rest[0])))):
                begin, style = first if n == 0 else rest
                yield ((paint(begin, style) if begin.strip() else begin) + _painted(line)).rstrip()
