"""Records from a file, from stdin or from a form: YAML or JSON, with the line of each field."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kb.errors import KbError, shown

DATES = ("date", "made", "horizon", "on")
FieldPath = tuple[str | int, ...]


class Unreadable(KbError):
    """Text that is no YAML or JSON, or holds more than plain data. `line` counts from 1."""

    def __init__(self, where: str, line: int, what: str) -> None:
        super().__init__(f"{where}:{line}: {what}")
        self.line = line


@dataclass
class Entry:
    """One record as plain data, with the line on which it begins and the line of each of its fields."""

    data: dict[str, Any]
    line: int
    lines: dict[FieldPath, int] = field(default_factory=dict)

    def line_at(self, path: Sequence[str | int]) -> int:
        """The line of the field at `path`, or of the innermost field around it that is there."""
        known = (tuple(path[:n]) for n in range(len(path), 0, -1))
        return next((self.lines[part] for part in known if part in self.lines), self.line)

    def line_of(self, error: KbError) -> int:
        """The line that an error is about: a field that does not validate, a citation, a relation."""
        problems = getattr(error, "problems", [])
        part = re.search(r"\b(citation|relation) (\d+)\b", error.message)
        if problems:
            return self.line_at(problems[0][0])
        return self.line_at((f"{part.group(1)}s", int(part.group(2)) - 1)) if part else self.line


def given(source: str) -> tuple[str, str]:
    """The text of a file, or of stdin for `-`, and what to call it in errors."""
    try:
        if source == "-":
            return sys.stdin.read(), "stdin"
        return Path(source).read_text(encoding="utf-8"), source
    except UnicodeDecodeError as error:
        raise KbError(f"{shown(source)} is not UTF-8 text: byte {error.start} cannot be read") from None
    except OSError as error:
        raise KbError(f"{shown(source)} cannot be read: {error.strerror}") from None


def many(text: str, *, where: str) -> list[Entry]:
    """Records: one mapping, or a list of them. Fields left empty are left out.

    Raises:
        KbError: names `where` and the line.
    """
    lines: dict[FieldPath, int] = {}
    data = _load(text, where, lines)
    if isinstance(data, dict):
        return [_entry(data, (), lines)]
    if not isinstance(data, list) or not data:
        raise Unreadable(where, 1, "holds no record: give `field: value` lines, or a list of records")
    for n, item in enumerate(data):
        if not isinstance(item, dict):
            raise Unreadable(where, lines.get((n,), 1), f"entry {n + 1} is no record of `field: value` lines")
    return [_entry(item, (n,), lines) for n, item in enumerate(data)]


def one(text: str, *, where: str) -> Entry:
    """The single record of a form or of an edit."""
    found = many(text, where=where)
    if len(found) > 1:
        raise Unreadable(where, found[1].line, "one record is wanted, and here a second begins")
    return found[0]


def _load(text: str, where: str, lines: dict[FieldPath, int]) -> Any:
    from kb.library import strict

    begin = text.lstrip()[:1]
    if begin not in ("{", "["):
        return strict.load(text, where, lines=lines)
    try:
        data = json.loads(text, object_pairs_hook=lambda pairs: _no_name_twice(pairs, where))
    except json.JSONDecodeError as error:
        raise Unreadable(where, error.lineno, f"is no JSON: {error.msg}") from None
    except RecursionError:
        raise Unreadable(where, 1, "is nested too deeply") from None
    except ValueError:  # Python turns no more than some thousands of digits into a number
        raise Unreadable(where, 1, "holds a number of too many digits") from None
    try:  # JSON is nearly YAML: its reader knows the lines of most files, and is not needed for more
        strict.load(text, where, lines=lines)
    except KbError:
        lines.clear()
    return data


def _no_name_twice(pairs: list[tuple[str, Any]], where: str) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Unreadable(where, 1, f"{shown(twice)} stands twice in one record")
    return data


def _entry(data: dict[str, Any], at: FieldPath, lines: dict[FieldPath, int]) -> Entry:
    entry = Entry({}, min((line for path, line in lines.items() if path[: len(at)] == at), default=1))
    entry.data = _tidy(data, at, (), lines, entry.lines) or {}
    return entry


def _tidy(
    value: Any, old: FieldPath, new: FieldPath, lines: dict[FieldPath, int], kept: dict[FieldPath, int]
) -> Any:
    """`value` without what was left empty; the lines under its `old` path noted under its `new` one."""
    if old in lines:
        kept[new] = lines[old]
    if isinstance(value, dict):
        cleaned = {}
        for key, item in value.items():
            name = str(key)
            tidied = _tidy(item, (*old, name), (*new, name), lines, kept)
            if name in DATES and isinstance(tidied, int) and not isinstance(tidied, bool):
                tidied = str(tidied)  # a year alone
            if tidied not in (None, "", [], {}):
                cleaned[name] = tidied
        return cleaned
    if isinstance(value, list):
        items: list[Any] = []
        for n, item in enumerate(value):
            tidied = _tidy(item, (*old, n), (*new, len(items)), lines, kept)
            if tidied not in (None, "", [], {}):
                items.append(tidied)
        return items
    return value
