"""Copies of a small library: a folder of text with a store, as each of several people has one."""

from __future__ import annotations

import contextlib
import signal
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kb import records
from kb.library import door
from kb.library.report import Report
from kb.library.side import of_store, text_of
from kb.store import edit
from kb.store.connect import for_reading, for_writing
from kb.store.places import Places

BIB = """% Sources of the group.

@article{one2020,
  title = {One},
  author = {Ada One},
  year = {2020},
}

@misc{two2021,
  title = {Two},
  year = {2021},
  entrysubtype = {post},
}
"""
CLAIMS = """# Claims of the group; keep the ids short.

# The first one, see the minutes of May.
- id: first
  kind: empirical
  statement: The first thing holds.   # checked twice
  asserted_by: Ada
  status: open
  citations:
  - {source: one2020, stance: asserts}

# --- second part ---

- id: second
  kind: advice
  statement: >
    Do the second
    thing.
  asserted_by: Ben
  date: 2023
  status: supported
  relations:
  - type: qualifies
    claim: first
- id: third
  kind: question
  statement: Does the third thing hold?
  asserted_by: Cy
  status: open
  # nobody knows
# end of the file
"""
TALK = """# A talk.
name: short
title: A short talk
minutes: 5
select:
  claims: [first, second]
"""
FIGURES = """id,source,locator,quantity,value,spread,unit,scale,environment,dataset,method,protocol,seen,seen_at,note
a.b,one2020,Table 1,score,74.60,,score,raw,,,,,primary,,"two
lines"
a.c,one2020,Table 1,score,,,score,raw,,,,,not-read,,
"""


def claim(id_: str, **more: Any) -> dict[str, Any]:
    """A small valid claim."""
    plain = {
        "id": id_,
        "kind": "empirical",
        "statement": f"{id_} holds.",
        "asserted_by": "Ada",
        "status": "open",
    }
    return {**plain, **more}


def write_text(folder: Path) -> Path:
    """The small library in `folder`/citations."""
    library = folder / "citations"
    for home, text in (
        ("references.bib", BIB),
        ("claims/group.yaml", CLAIMS),
        ("talks/short.yaml", TALK),
        ("figures/table.csv", FIGURES),
    ):
        path = library / home
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return library


class Copy:
    """One person's workspace."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.library = folder / "citations"
        self.places = Places(
            workspace=folder,
            library=self.library,
            released=folder / "claims.db",
            working=folder / ".kb" / "store.db",
            reproductions=(),
            runs=folder / ".kb" / "runs",
        )

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The store, open for reading."""
        with contextlib.closing(for_reading(self.places)) as connection:
            yield connection

    def put(self, data: dict[str, Any], kind: str = "claim") -> None:
        """Add or change a record in the store."""
        with for_writing(self.places) as session:
            edit.put(session, records.parse(kind, data))

    def change(self, name: str, kind: str = "claim", **fields: Any) -> None:
        """Change fields of a record in the store."""
        self.put({**self.records()[kind, name], **fields}, kind)

    def remove(self, name: str, kind: str = "claim") -> None:
        """Remove a record from the store."""
        with for_writing(self.places) as session:
            edit.remove(session, kind, name)

    def rename(self, old: str, new: str, kind: str = "claim") -> None:
        """Rename a record in the store."""
        with for_writing(self.places) as session:
            edit.rename(session, kind, old, new)

    def sync(self, **how: Any) -> door.Outcome:
        """Merge with the own text."""
        return door.synchronise(self.places, **how)

    def meet(self, other: Copy | Path) -> Report:
        """Merge with somebody else's text."""
        return door.bring_in(self.places, other if isinstance(other, Path) else other.library).reports[0]

    def export(self, to: Path | None = None) -> door.Outcome:
        """Write the text."""
        return door.export(self.places, to)

    def records(self) -> dict[tuple[str, str], dict[str, Any]]:
        """All that the store holds."""
        with self.reading() as connection:
            return {(one.kind, one.name): one.data for one in of_store(connection)}

    def contents(self) -> dict[tuple[str, str], str]:
        """The same, as it is compared."""
        return {key: text_of(data) for key, data in self.records().items()}

    def conflicts(self) -> list[str]:
        """The names of the records that wait for a decision."""
        with self.reading() as connection:
            return [row[0] for row in connection.execute("SELECT name FROM conflict ORDER BY name")]

    def edit_text(self, old: str, new: str, home: str = "claims/group.yaml") -> None:
        """Change the text as an editor does."""
        path = self.library / home
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new), "utf-8")


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    """A workspace in step with its text."""
    return make_copy(tmp_path / "a")


def make_copy(folder: Path) -> Copy:
    """A workspace with the small library, in step with its text."""
    write_text(folder)
    one = Copy(folder)
    one.sync()
    return one


@pytest.fixture
def copies(tmp_path: Path) -> Callable[[str], Copy]:
    """Makes further workspaces with the same library."""
    return lambda name: make_copy(tmp_path / name)


@pytest.fixture
def ends() -> Iterator[None]:
    """A read that never ends fails the test."""
    signal.alarm(60)
    yield
    signal.alarm(0)
