"""Tables and pages for a terminal: fitted to its width, coloured when colour is on.

Stdlib only and quick to import. All text is cleaned here, after which only this module's own style
codes reach the terminal.
"""

from __future__ import annotations

import shutil
import textwrap
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from kb.cli.output import clean, mark, one_line, style_is_on

STYLES = {
    "bold": "1", "dim": "2", "italic": "3", "red": "31", "green": "32", "yellow": "33", "magenta": "35",
    "cyan": "36",
    "heading": "1;36",
    "supported": "32", "refuted": "31", "mixed": "33", "inconclusive": "33", "unchecked": "2", "stale": "35",
    "disputed": "33", "open": "36", "superseded": "2",
    "pass": "32", "derived": "33", "fail": "31", "unknown": "33", "skipped": "2",
}  # fmt: skip
"""Style names -> SGR codes. Statuses, verdicts and outcomes of checks are styles, too."""

READING_WIDTH = 110
"""A page is not set wider than this: longer lines are hard to read."""
PIPE_WIDTH = 100


def terminal_width() -> int:
    """Columns of the terminal (or of COLUMNS), 40 at least."""
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
    while text and width_of(text) > width - 1:
        text = text[: min(len(text) - 1, width)]
    return text.rstrip() + "…"


def wrap(text: str, width: int, first: str = "", rest: str | None = None) -> list[str]:
    """Lines of at most `width` columns, broken at spaces; `first` and `rest` are their beginnings."""
    indent = first if rest is None else rest
    lines: list[str] = []
    for paragraph in text.split("\n"):
        begin = first if not lines else indent
        wrapped = textwrap.wrap(
            paragraph, max(20, width), initial_indent=begin, subsequent_indent=indent, break_on_hyphens=False
        )
        lines.extend(wrapped or [begin.rstrip()])
    return lines


@dataclass(frozen=True)
class Column:
    """A column of a table. A flexible one shares the width that the others leave, and wraps."""

    title: str
    flexible: bool = False
    style: str = ""
    right: bool = False
    lines: int = 3
    most: int = 40


@dataclass(frozen=True)
class Word:
    """A cell that is a status, verdict or outcome: coloured by its meaning; verdicts with their mark."""

    word: str
    marked: bool = False

    def __str__(self) -> str:
        return self.word


@dataclass
class Rows:
    """A table. Cells are anything that `str` takes; None is an empty cell."""

    columns: Sequence[Column]
    rows: Iterable[Sequence[object]]
    empty: str = "nothing found"
    count: int = field(default=0, init=False)

    def tab_separated(self) -> Iterator[str]:
        """A header and a line per row, for programs; cells hold no tabs or line breaks."""
        yield "\t".join(column.title for column in self.columns)
        for row in self.rows:
            self.count += 1
            yield "\t".join("" if cell is None else one_line(cell) for cell in row)

    def render(self, width: int | None = None) -> Iterator[str]:
        """Lines for a terminal of `width` columns."""
        rows = [list(row) for row in self.rows]
        self.count = len(rows)
        if not rows:
            return
        cells = [[_shown(cell) for cell in row] for row in rows]
        widths = self._widths(cells, width or terminal_width())
        yield "  ".join(
            paint(_pad(cut(c.title, w), w, c.right), "dim") for c, w in zip(self.columns, widths, strict=True)
        ).rstrip()
        for row, texts in zip(rows, cells, strict=True):
            yield from self._row(row, texts, widths)

    def _widths(self, cells: list[list[str]], width: int) -> list[int]:
        natural = [
            max(width_of(column.title), *(width_of(row[i]) for row in cells))
            for i, column in enumerate(self.columns)
        ]
        widths = [n if c.flexible else min(n, c.most) for n, c in zip(natural, self.columns, strict=True)]
        flexible = [i for i, column in enumerate(self.columns) if column.flexible]
        gaps = 2 * (len(widths) - 1)
        left = width - gaps - sum(w for i, w in enumerate(widths) if i not in flexible)
        for n, i in enumerate(flexible):
            widths[i] = max(12, min(widths[i], left // (len(flexible) - n)))
            left -= widths[i]
        while sum(widths) + gaps > width and max(widths) > 6:
            widths[widths.index(max(widths))] -= 1
        return widths

    def _row(self, row: list[object], texts: list[str], widths: list[int]) -> Iterator[str]:
        columns = []
        for text, column, width in zip(texts, self.columns, widths, strict=True):
            if column.flexible and column.lines > 1:
                lines = _wrap_cell(text, width)
                if len(lines) > column.lines:
                    lines = [*lines[: column.lines - 1], cut(" ".join(lines[column.lines - 1 :]), width)]
            else:
                lines = [cut(text, width)]
            columns.append(lines)
        for n in range(max(len(lines) for lines in columns)):
            parts = []
            for cell, column, width, lines in zip(row, self.columns, widths, columns, strict=True):
                text = _pad(lines[n] if n < len(lines) else "", width, column.right)
                parts.append(paint(text, cell.word if isinstance(cell, Word) else column.style))
            yield "  ".join(parts).rstrip()


def _shown(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, Word) and cell.marked:
        return mark(cell.word)
    return one_line(cell)


def _wrap_cell(text: str, width: int) -> list[str]:
    if text.isascii():
        return textwrap.wrap(text, width, break_on_hyphens=False) or [""]
    lines, line = [], ""
    for word in text.split():
        while width_of(word) > width:
            head = cut(word, width)[:-1] or word[:1]
            lines.extend([line] if line else [])
            lines.append(head)
            word, line = word[len(head) :], ""
        if line and width_of(line) + 1 + width_of(word) > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line]


def _pad(text: str, width: int, right: bool) -> str:
    space = " " * max(0, width - width_of(text))
    return space + text if right else text + space


class Page:
    """A page to read, built from the top down."""

    def __init__(self) -> None:
        self._parts: list[tuple[str, str, str, str]] = []

    def line(self, text: object = "", style: str = "", indent: int = 0) -> Page:
        """A paragraph, wrapped and indented; none given is an empty line."""
        space = " " * indent
        self._parts.append((space, space, clean(text), style))
        return self

    def heading(self, text: object) -> Page:
        """An empty line and a heading."""
        self.line()
        return self.line(text, "heading")

    def item(self, text: object, bullet: str = "•", style: str = "", indent: int = 2) -> Page:
        """A paragraph with a bullet, its other lines aligned to the first."""
        first = " " * indent + bullet + " "
        self._parts.append((first, " " * width_of(first), clean(text), style))
        return self

    def field(self, name: str, text: object, style: str = "", width: int = 12) -> Page:
        """A name and what it is, aligned in two columns; nothing where there is nothing to tell."""
        if text not in (None, ""):
            self._parts.append((f"{name:<{width}} ", " " * (width + 1), clean(text), f"field:{style}"))
        return self

    def render(self, width: int | None = None) -> Iterator[str]:
        """Lines, at most `width` columns wide (the terminal's, up to `READING_WIDTH`)."""
        columns = min(width or terminal_width(), READING_WIDTH)
        for first, rest, text, style in self._parts:
            lines = _wrap_wide(text, columns, first, rest)
            if style.startswith("field:"):
                name, body = first, lines[0][len(first) :]
                yield paint(name, "dim") + paint(body, style[6:])
                lines = lines[1:]
                style = style[6:]
            for line in lines:
                body = line.lstrip(" ")
                yield line[: len(line) - len(body)] + paint(body, style)


def _wrap_wide(text: str, width: int, first: str, rest: str) -> list[str]:
    if text.isascii() or width_of(text) == len(text):
        return wrap(text, width, first, rest)
    lines = _wrap_cell(text.replace("\n", " "), max(20, width - width_of(rest)))
    return [(first if n == 0 else rest) + line for n, line in enumerate(lines)]
