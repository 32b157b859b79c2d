"""How every command prints: JSON, a table or a page; escaped, and fitted to the terminal.

Everything that kb prints may come from outside: a statement, a quote, a file name. `clean` makes control
characters visible, so that nothing in a claim moves the cursor, turns the text round or hides.
No rich here: its import costs more than the whole of `kb claim list` may.
"""

from __future__ import annotations

import codecs
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kb.cli.layout import Page, Rows

MARKS = {
    "supported": "✓",
    "refuted": "✗",
    "mixed": "≠",
    "inconclusive": "?",
    "unchecked": "·",
    "stale": "!",
}
"""A verdict's mark: it never stands without its word."""

INTERRUPTED = 130
"""The exit code of a call that was stopped by Ctrl-C."""


class ReaderLeft(Exception):
    """Whoever reads our output has had enough, as in `kb claim list | head -1`."""


_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u206f"
    "\u115f\u1160\u3164\uffa0\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
"""Control characters but tab and newline; marks that turn text round or hide it; lone surrogates; letters of Hangul
that show as nothing. Selectors of variants stay: emoji and Japanese names need them, and they hide no letter."""

_PLAIN = {
    "✓": "+", "✗": "x", "≠": "~", "·": ".", "…": "...", "—": "-", "–": "-", "−": "-", "→": "->", "←": "<-",
    "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "│": "|", "─": "-", "•": "*", "×": "x", "≤": "<=",
    "≥": ">=", "±": "+-", "\xa0": " ", "●": "*", "◐": "o", "○": "-",
}  # fmt: skip


def _replace(error: UnicodeError) -> tuple[str | bytes, int]:
    """What a terminal that cannot show a character shows in its place."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(_PLAIN.get(c, "?") for c in error.object[error.start : error.end]), error.end


codecs.register_error("kb", _replace)


def prepare() -> None:
    """Let neither a character that the terminal's encoding lacks nor a stream that is closed end the program.

    Messages to a stream that is not there would go to stdout; files opened later would get its number.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(errors="kb")


def clean(text: object) -> str:
    r"""The text with control characters, bidirectional marks and invisible tags as `\x1b`, `\u202e`."""
    return _UNSAFE.sub(lambda found: found.group().encode("unicode_escape").decode(), str(text))


def one_line(text: object) -> str:
    """`clean`, and tabs and line breaks as single spaces."""
    return clean(" ".join(str(text).split("\n")).replace("\t", " "))


def mark(verdict: str) -> str:
    """A verdict's mark and word, as in `✓ supported`."""
    return f"{MARKS.get(verdict, '·')} {verdict}"


def on_terminal() -> bool:
    """Whether stdout is a terminal (a person reads) and not a pipe or file (a program does)."""
    return sys.stdout.isatty()


def style_is_on() -> bool:
    """Whether to colour: on a terminal that can, unless NO_COLOR is set. FORCE_COLOR colours a pipe."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return on_terminal() and os.environ.get("TERM", "") not in ("dumb", "")


def say(text: str) -> None:
    """A message for the person: stderr, so that stdout holds data and nothing else."""
    print(clean(text), file=sys.stderr)


def as_json_text(data: Any) -> str:
    """One JSON document: what a terminal would obey is escaped, numbers that JSON lacks are null."""
    ascii_only = (
        not (sys.stdout.encoding or "utf-8").lower().startswith("utf")
    )  # escapes, where it lacks letters
    try:
        text = json.dumps(data, ensure_ascii=ascii_only, indent=2, allow_nan=False, default=str)
    except ValueError:
        text = json.dumps(_finite(data), ensure_ascii=ascii_only, indent=2, default=str)
    return _UNSAFE.sub(lambda found: json.dumps(found.group())[1:-1], text)


def _finite(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _finite(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_finite(value) for value in data]
    return None if isinstance(data, float) and data - data != 0 else data


def emit(
    data: Any,
    as_json: bool = False,
    *,
    rows: Rows | Callable[[], Rows] | None = None,
    page: Page | Callable[[], Page] | None = None,
    text: str | None = None,
) -> None:
    """Print `data` on stdout in the form that was asked for.

    Args:
        data: what `--json` prints, as one document.
        as_json: whether `--json` was given.
        rows: the same as a table: fitted to the terminal, tab-separated with a header when piped.
        page: the same as a page to read. Give `rows` or `page`, or a function that makes it.
        text: the same as text that is a document of its own, such as Markdown or BibTeX: printed as it is,
            but for what a terminal would obey.
    """
    if as_json:
        print(as_json_text(data))
        return
    if text is not None:
        print(clean(text).rstrip("\n"))
        return
    if rows is not None:
        table = rows() if callable(rows) else rows
        for line in table.render() if on_terminal() else table.tab_separated():
            print(line)
        if table.empty and not table.count:
            say(table.empty)
        return
    if page is not None:
        sheet = page() if callable(page) else page
        for line in sheet.render():
            print(line)


def words_of(values: Iterable[str] | None, known: Sequence[str], what: str) -> tuple[str, ...]:
    """Options that may be repeated or hold commas, each checked against the words that are known.

    Raises:
        KbError: for a word that is not among `known`; it names them.
    """
    from kb.errors import KbError, shown

    given = [part.strip() for value in values or () for part in value.split(",") if part.strip()]
    for word in given:
        if known and word not in known:
            raise KbError(f"{shown(word)} is no {what}", f"it is one of {', '.join(known)}")
    return tuple(given)
