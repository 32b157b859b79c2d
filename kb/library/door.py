"""What the commands call: merge the store with its text, its release or somebody else's; write the text back."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from kb.errors import KbError
from kb.library import agreement, freshness, identity, sync
from kb.library.exchange import Lines
from kb.library.report import Report
from kb.library.side import Side, fingerprint, of_library, of_store, text_of
from kb.library.text import LibraryText, read_library
from kb.library.write import Wanted, write_library

if TYPE_CHECKING:
    from sqlmodel import Session

    from kb.store.places import Places

RELEASE_DIGEST = "release_digest"


@dataclass
class Outcome:
    """What a call did: one report for each origin, verdicts that changed, conflicts that stand."""

    reports: list[Report] = field(default_factory=list)
    verdicts: list[tuple[str, str, str]] = field(default_factory=list)
    standing: list[dict[str, object]] = field(default_factory=list)
    decided: list[agreement.Conflicting] = field(default_factory=list)
    written: list[str] = field(default_factory=list)


def synchronise(
    places: Places, *, take: str = "", names: Sequence[str] = (), origin: Path | None = None
) -> Outcome:
    """Merge the store with its library's text, with the release under a workspace, and with recorded runs.

    Args:
        take: "ours" or "theirs", to settle the conflicts of `names` first.
        origin: settle those with what is at this path only.

    Raises:
        BrokenLibrary: with every problem of the text; nothing is then changed.
        KbError: when something cannot be stored; nothing is then changed.
    """
    from kb.store.connect import for_writing, raw

    seen = time.time()
    library = _text(places)
    outcome = Outcome()
    with for_writing(places, empty=True) as session:
        library = _as_it_is_now(places, library)
        if take:
            outcome.decided = agreement.decide(
                session, take, list(names), str(origin.resolve()) if origin else ""
            )
        outcome.reports.append(sync.merge(session, of_library(library), sync.LIBRARY))
        outcome.reports += _release(session, places)
        _finish(session, places, outcome)
        outcome.standing = list(agreement.standing(raw(session)))
    freshness.remember(places.library, places.working.parent, library.digest, seen)
    identity.own(places.working.parent)
    return outcome


def _text(places: Places) -> LibraryText:
    # What the text names and does not have may be in the store: the merge looks at both.
    return read_library(places.library, check_references=False)


def _as_it_is_now(places: Places, library: LibraryText) -> LibraryText:
    """The text, read again if somebody's export wrote it between our reading and our turn to write."""
    now = freshness.digest_of((home, path.read_bytes()) for home, path in freshness.files(places.library))
    return library if now == library.digest else _text(places)


def bring_in(places: Places, path: Path) -> Outcome:
    """Merge the store with somebody else's folder or export file.

    Raises:
        BrokenLibrary: with every problem of theirs; nothing is then changed.
        KbError: when there is nothing at `path`, or something cannot be stored.
    """
    from kb.store.connect import for_writing, raw

    outcome = Outcome()
    with side_at(path) as (side, whose, changes), for_writing(places) as session:
        origin = agreement.origin_of(str(path.resolve()), whose)
        known = bool(whose) and not _is_older(raw(session), origin, changes)
        outcome.reports.append(sync.merge(session, side, origin, known=known))
        _finish(session, places, outcome)
        outcome.standing = list(agreement.standing(raw(session)))
    return outcome


def _is_older(connection: sqlite3.Connection, origin: str, changes: int) -> bool:
    """Whether this is an older export file than the last one that was met; notes it where it is not."""
    if not changes:
        return False
    name = f"met {origin}"
    row = connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    if row and int(row[0]) > changes:
        return True
    agreement.meta(connection, name, str(changes))
    return False


@contextlib.contextmanager
def side_at(path: Path) -> Iterator[tuple[Side, str, int]]:
    """The records of a folder, of the citations/ in it, or of an export file.

    With them comes whose they are, as far as they say, and how many changes an export file's store had seen.
    """
    if path.is_dir():
        inner = path / "citations"
        folder = inner if inner.is_dir() else path
        library = read_library(folder, check_references=False)
        if not library.files:
            raise KbError(f"no library at {path}", "name a folder with references.bib and claims/")
        yield of_library(library), identity.of_library(path), 0
    elif path.exists():
        lines = Lines(path)
        with lines as side:
            yield side, lines.store, lines.changes
    else:
        raise KbError(f"nothing at {path}", "name a citations folder, or a file of `kb library export`")


def _release(session: Session, places: Places) -> list[Report]:
    """Merge with the shipped library where the workspace was made from one, and it changed since."""
    from kb.store.connect import raw
    from kb.store.places import shipped

    folder = shipped() / "citations"
    if places.workspace is None or not folder.is_dir() or folder.resolve() == places.library.resolve():
        return []
    connection = raw(session)
    known = connection.execute("SELECT value FROM meta WHERE name = ?", (RELEASE_DIGEST,)).fetchone()
    if known is None:
        return []
    now = freshness.digest_of((home, path.read_bytes()) for home, path in freshness.files(folder))
    # Each release that was ever merged: an older kb in the same workspace must not bring its release back.
    seen = known[0].split()
    if now in seen:
        return []
    report = sync.merge(session, of_library(read_library(folder)), sync.RELEASE)
    agreement.meta(connection, RELEASE_DIGEST, " ".join([*seen, now]))
    return [report]


def _finish(session: Session, places: Places, outcome: Outcome) -> None:
    from kb.library.build import load_runs

    outcome.verdicts = load_runs(session, places.reproductions)


def export(places: Places, target: Path | None = None) -> Outcome:
    """Write the store's records into the library's text, or into a new folder.

    Nothing is written while conflicts stand. Records that nobody changed keep their bytes.

    Raises:
        BrokenLibrary: when the text as it stands cannot be read.
        KbError: when there is no workspace to write into, `target` is in use, or writing fails.
    """
    from kb.store.connect import for_reading, for_writing, raw

    if target is not None:
        _must_be_empty(target)
        library = read_library(places.library)
        with contextlib.closing(for_reading(places)) as connection:
            written = write_library(library, wanted(connection, library), target)
        return Outcome(written=written)
    if places.workspace is None:
        raise KbError(
            f"{places.library} is the shipped library", "make a workspace with `kb init`, or use --to DIR"
        )
    library = _text(places)
    outcome = Outcome()
    with for_writing(places) as session:
        library = _as_it_is_now(places, library)
        connection = raw(session)
        outcome.reports.append(sync.merge(session, of_library(library), sync.LIBRARY))
        outcome.standing = list(agreement.standing(connection))
        if not outcome.standing:
            outcome.written = write_library(library, list(wanted(connection, library)))
            after = read_library(places.library)
            again = sync.merge(session, of_library(after), sync.LIBRARY)
            agreement.agree_on_all(connection, sync.LIBRARY, of_store(connection))
            if again.taken or again.conflicts or again.ahead:
                raise KbError("the text changed while it was written", "run `kb library sync`", code=1)
    identity.own(places.working.parent)
    return outcome


def _must_be_empty(target: Path) -> None:
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise KbError(
            f"{target} is not empty", "name a new folder; `kb library sync --with` merges with what is there"
        )


def wanted(connection: sqlite3.Connection, library: LibraryText) -> Iterator[Wanted]:
    """Every record of the store as it is to stand in the text, marked where the text has it already."""
    there = {(one.kind, one.name): fingerprint(text_of(one.data)) for one in library.placed()}
    for one in of_store(connection):
        same = there.get((one.kind, one.name)) == fingerprint(text_of(one.data))
        yield Wanted(one.kind, one.name, one.home, one.position, same, {} if same else one.data)
