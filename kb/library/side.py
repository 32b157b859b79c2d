"""One side of a merge: records by name with a fingerprint each, their content fetched only where needed.

A library folder or an export file of any size is gone through more than once; of it only names, fingerprints and
places are kept in memory.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kb.library import references

if TYPE_CHECKING:
    from kb.library.text import LibraryText

Name = tuple[str, str]
Fingerprint = bytes


def text_of(data: dict[str, Any]) -> str:
    """Content as it is compared and kept: JSON, fields in their order."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def fingerprint(content: str) -> Fingerprint:
    """16 bytes that stand for a content."""
    return hashlib.blake2b(content.encode("utf-8", "surrogatepass"), digest_size=16).digest()


Former = dict[Name, list[str]]
"""The names that records had before, by today's name."""


@dataclass
class Placed:
    """A record with its place in citations/ and where its text is said to stand, for error lines."""

    kind: str
    name: str
    data: dict[str, Any]
    home: str
    position: int
    where: str = ""


@dataclass
class Side:
    """Records of a folder or a file.

    `scan` goes through all records in order; `fetch` gives one by name. `names` maps former names to
    today's where our side renamed what this side still has under its old name; `former` are the names
    that our records had before.
    """

    scan: Callable[[], Iterator[Placed]]
    fetch: Callable[[str, str], Placed]
    digest: str = ""
    prints: dict[Name, Fingerprint] = field(default_factory=dict)
    places: dict[Name, tuple[str, int]] = field(default_factory=dict)
    aliases: dict[Name, str] = field(default_factory=dict)
    points: dict[Name, list[Name]] = field(default_factory=dict)
    names: references.Names = field(default_factory=dict)
    former: Former = field(default_factory=dict)

    def index(self) -> None:
        """Go through all records and note name, fingerprint, place, former names and references."""
        for table in (self.prints, self.places, self.aliases, self.points):
            table.clear()
        for one in self.scan():
            one = self._in_our_names(one)
            key = (one.kind, one.name)
            self.prints[key] = fingerprint(text_of(one.data))
            self.places[key] = (one.home, one.position)
            for alias in one.data.get("aliases", ()):
                self.aliases[one.kind, alias] = one.name
            for target in references.points(one.kind, one.data):
                self.points.setdefault(target, []).append(key)

    def get(self, key: Name) -> Placed:
        """The record in our names."""
        kind, name = key
        old = next((o for (k, o), new in self.names.items() if k == kind and new == name), name)
        return self._in_our_names(self.fetch(kind, old))

    def _in_our_names(self, one: Placed) -> Placed:
        if not self.names:
            return one
        data = references.renamed(one.kind, one.data, self.names)
        new = self.names.get((one.kind, one.name))
        if new:
            data = under_name(one.kind, data, new, self.former.get((one.kind, new), ()))
        name = new or one.name
        return Placed(one.kind, name, data, one.home, one.position, one.where)


def under_name(kind: str, data: dict[str, Any], new: str, former: Sequence[str] = ()) -> dict[str, Any]:
    """The same content under a new name, with the old one among its former names, as renames leave it.

    Args:
        former: the names that the record had before, as far as our side knows. They are what it is given unless it
            has others: of two copies the one that was renamed more often has no other content for that.
    """
    from kb import records

    old = data[records.KEYS[kind]]
    aliases = [alias for alias in data.get("aliases", []) if alias != new] + [old]
    if set(aliases) <= set(former):
        aliases = list(former)
    moved = {**data, records.KEYS[kind]: new, "aliases": aliases}
    return records.plain(records.parse(kind, moved))


def of_library(library: LibraryText) -> Side:
    """The side of a library's text."""
    listed = library.by_name()
    side = Side(library.placed, lambda kind, name: library.content_of(listed[kind, name]), library.digest)
    side.index()
    return side


def todays_names(connection: sqlite3.Connection) -> references.Names:
    """Today's name of each record by each of its former ones."""
    rows = connection.execute("SELECT kind, alias, name FROM alias").fetchall()
    return {(kind, alias): name for kind, alias, name in rows}


def of_store(connection: sqlite3.Connection) -> Iterator[Placed]:
    """Every record of a store, sources first. Talks name claims and sources by their names of today."""
    from kb import words
    from kb.store import queries

    names = todays_names(connection)
    for kind in words.RECORD_KINDS:
        for name, home, position, data in queries.records(connection, kind):
            # A rename follows every reference but those in a talk's own document.
            if kind == "talk" and references.points(kind, data) & names.keys():
                data = references.renamed(kind, data, names)
            yield Placed(kind, name, data, home, position)
