"""How the store differs from the library's text, record by record, without loading what writing needs."""

from __future__ import annotations

import difflib
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kb import words
from kb.library import freshness
from kb.library.side import Name, fingerprint, of_store, text_of


@dataclass(frozen=True)
class Difference:
    """One record that differs: `change` is what the store did to it: added, changed or removed."""

    kind: str
    name: str
    change: str
    home: str
    lines: list[str]


Theirs = dict[Name, tuple[str, str]]
"""(kind, name) -> (home, content)."""


def differences(connection: sqlite3.Connection, theirs: Theirs) -> Iterator[Difference]:
    """Each record in which the store differs from `theirs`, in the order of the files."""
    left = dict(theirs)
    for one in of_store(connection):
        home, content = left.pop((one.kind, one.name), ("", None))
        ours = text_of(one.data)
        if content is None or fingerprint(content) != fingerprint(ours):
            change = "added" if content is None else "changed"
            before = json.loads(content) if content else None
            lines = _lines(one.kind, one.name, home or one.home, before, one.data)
            yield Difference(one.kind, one.name, change, home or one.home, lines)
    order = words.RECORD_KINDS.index
    for (kind, name), (home, content) in sorted(left.items(), key=lambda item: (order(item[0][0]), item[0])):
        lines = _lines(kind, name, home, json.loads(content), None)
        yield Difference(kind, name, "removed", home, lines)


def of_text(connection: sqlite3.Connection, folder: Path, cache: Path) -> Theirs:
    """The text's records. Where the text is as the store last met it, from the store: nothing is parsed.

    Raises:
        BrokenLibrary: when the text changed and cannot be read.
    """
    row = connection.execute("SELECT value FROM meta WHERE name = ?", (freshness.KEY,)).fetchone()
    # The base of a merge goes by today's names: after a rename it is not what the text says.
    fact = "SELECT 1 FROM meta WHERE name = ? AND value <> ''"
    older = connection.execute(fact, (freshness.OLDER_NAMES,)).fetchone()
    if row and not older and row[0] == freshness.current(folder, cache):
        rows = connection.execute("SELECT kind, name, content FROM sync_base WHERE origin = 'library'")
        return {(kind, name): ("", content) for kind, name, content in rows}
    return of_folder(folder)


def of_folder(folder: Path) -> Theirs:
    """The records of a folder, read and validated."""
    from kb.library.text import read_library

    library = read_library(folder, check_references=False)
    return {(one.kind, one.name): (one.home, text_of(one.data)) for one in library.placed()}


def of_lines(path: Path) -> Theirs:
    """The records of an export file, read and validated."""
    from kb.library.exchange import Lines

    lines = Lines(path)
    with lines:
        return {(one.kind, one.name): (one.home, text_of(one.data)) for one in lines.scan()}


def _lines(
    kind: str, name: str, home: str, before: dict[str, Any] | None, after: dict[str, Any] | None
) -> list[str]:
    from kb.library import strict

    where = f"{kind}/{name}" + (f" ({home})" if home else "")
    return list(
        difflib.unified_diff(
            strict.dump(before).splitlines() if before else [],
            strict.dump(after).splitlines() if after else [],
            f"text {where}" if before else "/dev/null",
            f"store {where}" if after else "/dev/null",
            lineterm="",
        )
    )
