r"""A plain scan of BibTeX by BibTeX's own rule: every brace counts, a backslash escapes nothing.

bibtexparser takes a backslash before a delimiter for an escape. BibTeX does not, so `title = {C:\}` ends
for BibTeX where bibtexparser reads on into the next field (sciunto-org/python-bibtexparser#598). This scan
is what its result is compared with, and what blocks that it gave up on are read again by.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_BRACE = re.compile(r"[{}]")
_BRACE_OR_QUOTE = re.compile(r'[{}"]')
_HEAD = re.compile(r"@\s*(?:([^\s{}(),=\"#@]+)\s*)?([{(])\s*")
_KEY = re.compile(r"[^,{}\"=\n)]*")
_KEY_BRACED = re.compile(r"[^,{}\"=\n]*")
_NAME = re.compile(r"\s*([^\s,{}()\"=#%]+)\s*=\s*")
_SPACE = re.compile(r"\s*")
_BARE = {"}": re.compile(r"[^,#{}\"]*"), ")": re.compile(r"[^,#{}\")]*")}

OVERLOOKED = re.compile(r"@\s*[\w-]{1,300}\s*[{(]\s*(?:[^\s,{}=\"]{1,300}\s*)?,")
"""Where an entry may start though bibtexparser does not look: `@article`, a new line, `{key,`. Type and key end
somewhere, so that each `@` is looked at for so long and no longer."""
LINE_START = re.compile(r"\n[^\S\n]*@\w*[ \t]*[{(]")
"""A block that starts at the start of a line, which ends an unclosed block before it."""


@dataclass(frozen=True)
class Scanned:
    """One block as scanned: `fields` are (name as written, expression as written, offset of the name).

    `no_comma` names the fields that no comma parts from the next one: read all the same, and told.
    """

    type: str
    key: str
    fields: list[tuple[str, str, int]]
    start: int
    end: int
    no_comma: tuple[str, ...] = ()


def close_brace(text: str, start: int) -> int:
    """Offset just after the brace that closes the one at `start`; -1 if none does."""
    depth = 0
    for match in _BRACE.finditer(text, start):
        depth += 1 if match.group() == "{" else -1
        if depth == 0:
            return match.end()
    return -1


def close_quote(text: str, start: int) -> int:
    """Offset just after the quote that closes the one at `start`, outside all braces; -1 if none does."""
    depth = 0
    for match in _BRACE_OR_QUOTE.finditer(text, start + 1):
        mark = match.group()
        if mark == '"':
            if depth == 0:
                return match.end()
        else:
            depth += 1 if mark == "{" else -1
            if depth < 0:
                return -1
    return -1


def balanced(value: str) -> bool:
    """Whether `value` can stand between braces: each brace in it closes within it."""
    if "{" not in value and "}" not in value:
        return True
    depth = 0
    for match in _BRACE.finditer(value):
        depth += 1 if match.group() == "{" else -1
        if depth < 0:
            return False
    return depth == 0


def pieces(text: str, start: int = 0, closing: str = "}") -> tuple[list[tuple[str, str]], int] | None:
    """The pieces of the expression at `start`: [(kind, text)] with kind `text` or `bare`, and its end.

    Pieces are joined by `#`. A bare piece is a number or the name of a string. The end is the offset of
    the comma, of the closing delimiter, or of the next field's name where the comma is missing. None
    where the expression is broken.
    """
    found: list[tuple[str, str]] = []
    at = start
    while True:
        at = _space(text, at)
        if at >= len(text):
            return (found, at) if found else None
        if text[at] in '{"':
            end = close_brace(text, at) if text[at] == "{" else close_quote(text, at)
            if end < 0:
                return None
            found.append(("text", text[at + 1 : end - 1]))
        else:
            match = _BARE[closing].match(text, at)
            end = match.end() if match else at
            bare = text[at:end].strip()
            if not bare:
                return None
            found.append(("bare", bare))
        at = _space(text, end)
        if at < len(text) and text[at] == "#":
            at += 1
            continue
        ended = at >= len(text) or text[at] in (",", closing) or _NAME.match(text, at)
        return (found, at) if ended else None


def entry(text: str, start: int) -> Scanned | None:
    """Scan the block that starts with the `@` at `start`; None where it is broken or never closes."""
    head = _HEAD.match(text, start)
    if not head:
        return None
    closing = "}" if head[2] == "{" else ")"
    name = (head[1] or "").lower()
    if name == "comment":
        end = close_brace(text, head.end(2) - 1) if closing == "}" else text.find(")", start) + 1
        return Scanned(name, "", [], start, end) if end > 0 else None
    at = head.end()
    key = ""
    if name not in ("string", "preamble"):
        found = (_KEY if closing == ")" else _KEY_BRACED).match(text, at)
        key, at = (found[0].strip(), found.end()) if found else ("", at)
        if at < len(text) and text[at] == closing:
            return Scanned(name, key, [], start, at + 1)
        if at >= len(text) or text[at] != ",":
            return None
        at += 1
    if name == "preamble":
        value = pieces(text, at, closing)
        closed = value is not None and value[1] < len(text) and text[value[1]] == closing
        return Scanned(name, "", [], start, value[1] + 1) if value and closed else None
    fields: list[tuple[str, str, int]] = []
    no_comma: list[str] = []
    while True:
        at = _space(text, at)
        if at >= len(text):
            return None
        if text[at] == closing:
            return Scanned(name, key, fields, start, at + 1, tuple(no_comma))
        field = _NAME.match(text, at)
        if not field:
            return None
        value = pieces(text, field.end(), closing)
        if value is None or value[1] >= len(text):
            return None
        fields.append((field[1], text[field.end() : value[1]].strip(), field.start(1)))
        at = value[1]
        if text[at] == ",":
            at += 1
        elif text[at] != closing:
            no_comma.append(field[1])


def _space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
