"""What `kb cite` writes: add (a .bib file, a DOI, an arXiv id, an address), rename, remove."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kb.cli import state
from kb.cli.options import Json, SourceKey, Why
from kb.cli.output import emit, say
from kb.errors import KbError, shown

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from kb.records import Source
    from kb.sources.bibtex import Failure, Reading
    from kb.store.places import Places

UNDO = "`kb claim undo` takes back one change at a time"


@dataclass
class Imported:
    """What became of each entry: keys, and why some were not taken."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    conflicts: list[dict[str, Any]] = field(default_factory=list)
    duplicates: list[dict[str, str]] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    @property
    def lossless(self) -> bool:
        """Whether everything that was read is in the library now."""
        return not self.conflicts and all(failure.loss == "nothing" for failure in self.failures)


def add(
    what: Annotated[
        str,
        typer.Argument(metavar="WHAT", help="A DOI, an arXiv id, an address, a .bib file, or - for stdin."),
    ],
    key: Annotated[
        str | None,
        typer.Option("--key", metavar="KEY", help="For what is looked up: its key in the library."),
    ] = None,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Add what is looked up though the library seems to have it.")
    ] = False,
    update: Annotated[
        bool, typer.Option("--update", help="Change sources that are here already with other content.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would happen, change nothing.")
    ] = False,
    why: Why = "",
    as_json: Json = False,
) -> None:
    """Add sources: one that is looked up by DOI, arXiv id or address, or those of a .bib file.

    A DOI is asked of Crossref (of doi.org where Crossref has none), an arXiv id of arXiv; a page says itself
    what it is. What the library has already, under this or another identifier, is not added twice.
    """
    from kb.cli import cite_look_up
    from kb.sources import bibtex

    path = Path(what)
    is_file = what == "-" or path.suffix == ".bib" or path.is_file()
    if not is_file and cite_look_up.can_be_looked_up(what):
        if update:
            raise KbError("--update is for .bib files", "kb cite check KEY --online compares an entry")
        cite_look_up.add(what, key=key, anyway=anyway, dry_run=dry_run, why=why, as_json=as_json)
        return
    if key or anyway:
        raise KbError("--key and --anyway are for what is looked up", "a .bib file says its keys itself")
    if what == "-":
        reading = bibtex.stream(sys.stdin.read, where="stdin")
    elif is_file:
        reading = bibtex.stream_file(path)
    else:
        raise KbError(
            f"{shown(what)} is no file, DOI, arXiv id or address",
            "as in paper.bib, 10.1038/s41586-020-2649-2, arXiv:2106.01345, https://...",
        )
    if not reading.entries and not reading.failures:
        raise KbError(f"{what} holds no entries of BibTeX", "one starts like @article{key,", code=1)
    done = import_reading(
        state.places(), reading, update=update, dry_run=dry_run, why=why or f"added from {what}"
    )
    _tell(done, reading, dry_run)
    if as_json:
        failures = [asdict(failure) for failure in done.failures]
        emit({**vars(done), "failures": failures, "dry_run": dry_run}, True)
    if not done.lossless:
        raise typer.Exit(1)


def _tell(done: Imported, reading: Reading, dry_run: bool) -> None:
    for failure in done.failures:
        say(f"{failure}{'' if failure.loss == 'nothing' else f' [{failure.loss} lost]'}")
    for conflict in done.conflicts:
        say(f"{conflict['key']}: {conflict['what']}; nothing of it was changed")
    for duplicate in done.duplicates:
        say(
            f"{duplicate['key']}: has the {duplicate['by']} of {duplicate['of']};"
            " `kb doctor same-source` lists such pairs"
        )
    left = [
        f"{count} {name}"
        for count, name in ((reading.comments, "@comment"), (reading.preambles, "@preamble"))
        if count
    ]
    if left:
        say(f"left out: {', '.join(left)}")
    lost = sum(failure.loss == "entry" for failure in done.failures)
    counts = (
        (len(done.added), "to add" if dry_run else "added"),
        (len(done.changed), "to change" if dry_run else "changed"),
        (len(done.same), "already here"),
        (len(done.conflicts), "here with other content"),
        (lost, "could not be read"),
    )
    say(", ".join(f"{count} {what}" for count, what in counts if count) or "nothing to do")


def import_file(places: Places, path: Path, *, update: bool = False, dry_run: bool = False) -> Imported:
    """Import a .bib file; see `import_reading`."""
    from kb.sources import bibtex

    return import_reading(places, bibtex.stream_file(path), update=update, dry_run=dry_run)


def import_reading(
    places: Places, reading: Reading, *, update: bool = False, dry_run: bool = False, why: str = ""
) -> Imported:
    """Put all that was read into the store, in one transaction.

    An entry that is here with the same content stays; one with other content is a conflict and is left
    alone, unless `update`. A dry run only reads.
    """
    from kb.store import connect

    done = Imported(failures=reading.failures)
    if dry_run:
        connection = connect.for_reading(places)
        try:
            for _ in _wanted(connection, reading, done, update):
                pass
        finally:
            connection.close()
        return done
    sources = iter(reading.sources)
    first = next(sources, None)
    if first is None:
        return done
    reading.sources = chain([first], sources)
    from kb.store import edit

    with connect.for_writing(places) as session, ExitStack() as stack:
        connection = connect.raw(session)
        end = _end(connection)
        for number, (source, new) in enumerate(_wanted(connection, reading, done, update)):
            if number == 1:
                stack.enter_context(edit.bulk(session))
            position = end if new else None
            end += new
            edit.put(session, source, position=position, why=why)
    return done


def _end(connection: sqlite3.Connection) -> int:
    row = connection.execute(
        "SELECT COALESCE(MAX(position), -1) + 1 FROM source WHERE home = 'references.bib'"
    )
    return int(row.fetchone()[0])


def _wanted(
    connection: sqlite3.Connection, reading: Reading, done: Imported, update: bool
) -> Iterator[tuple[Source, bool]]:
    """Sources to write, one by one, with whether each is new; what becomes of all of them goes into `done`."""
    from kb import records
    from kb.store import queries

    names = _Names(connection)
    known: dict[tuple[str, str], str] = {}
    for _, _, _, data in queries.records(connection, "source"):
        _note_identifiers(data, known)
    for source in reading.sources:
        old = queries.record(connection, "source", source.key)
        if old is None:
            taken = names.former(source.key)
            if taken:
                what = f"is a former key of {taken}"
                done.conflicts.append({"key": source.key, "what": what, "differs": []})
                continue
            source = names.given(source, reading)
            done.added.append(source.key)
            for identifier, of in _note_identifiers(records.plain(source), known):
                done.duplicates.append({"key": source.key, "by": identifier, "of": of})
            yield source, True
            continue
        merged = _merged(names.given(source, reading), old)
        new = records.plain(merged)
        if new == old:
            done.same.append(source.key)
        elif update:
            done.changed.append(source.key)
            yield merged, False
        else:
            differs = _differences(old, new)
            what = f"is here with another {', '.join(differs)} (--update takes the new one)"
            done.conflicts.append({"key": source.key, "what": what, "differs": differs})


class _Names:
    """Keys and former keys that are taken: in the store, and by what is to be added, which a dry run does not store."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._former: dict[str, str] = {}
        self._keys: set[str] = set()

    def former(self, key: str) -> str | None:
        """The key of the source that was called so before."""
        from kb.store import queries

        return queries.former(self._connection, "source", key) or self._former.get(key)

    def given(self, source: Source, reading: Reading) -> Source:
        """The source without former keys that find another one, each told; those that it has are taken from now on."""
        from kb.store import queries

        kept = []
        for alias in source.aliases:
            other = self.former(alias) or source.key
            if alias in self._keys or queries.record(self._connection, "source", alias) is not None:
                reading.fail(f"the former key {alias} is left out: it is the key of another source", "value")
            elif other != source.key:
                reading.fail(f"the former key {alias} is left out: {other} has it already", "value")
            else:
                kept.append(alias)
        self._keys.add(source.key)
        self._former.update(dict.fromkeys(kept, source.key))
        return source if kept == source.aliases else source.model_copy(update={"aliases": kept})


def _merged(source: Source, old: dict[str, Any]) -> Source:
    """The entry as it would stand: kind and former keys that the file does not tell stay."""
    from kb.sources.bibtex import default_kind

    kind = old["kind"] if source.kind == default_kind(source.type, source.fields) else source.kind
    aliases = list(dict.fromkeys([*old.get("aliases", []), *source.aliases]))
    return source.model_copy(update={"kind": kind, "aliases": aliases})


def _differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    names = [name for name in ("type", "kind", "aliases") if old.get(name) != new.get(name)]
    before, after = old.get("fields", {}), new.get("fields", {})
    names += [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return names or ["order of fields"]


def _note_identifiers(source: dict[str, Any], known: dict[tuple[str, str], str]) -> list[tuple[str, str]]:
    """Note (DOI or arXiv id, its plain form) -> key; returns (DOI or arXiv id, key) where it was noted already."""
    from kb.sources.same import identifiers

    found = []
    for name, value in identifiers(source.get("fields", {})).items():
        if name != "address":
            of = known.setdefault((name, value), source["key"])
            if of != source["key"]:
                found.append((name, of))
    return found


def rename(
    old: SourceKey,
    new: Annotated[str, typer.Argument(metavar="NEW", help="The new key; the old one still finds it.")],
    join: Annotated[
        bool, typer.Option("--join", help="NEW is here already and is the same source: OLD goes.")
    ] = False,
    why: Why = "",
    as_json: Json = False,
) -> None:
    """Give a source another key; what cites it follows, and the old key still finds it.

    With --join, two entries become one: what rests on OLD rests on NEW, and OLD is removed, its key too.
    """
    from kb.store import connect, edit, queries

    if join:
        _join(old, new, why, as_json)
        return
    with connect.for_writing(state.places()) as session:
        key = queries.resolve(connect.raw(session), "source", old)
        if key == new:
            raise KbError(f"the source is called {shown(new)} already", code=1)
        edit.rename(session, "source", key, new, why=why)
    say(f"{key} is now {new}; `kb claim undo` takes it back")
    if as_json:
        emit({"action": "renamed", "source": new, "formerly": key}, True)


def _join(old: str, new: str, why: str, as_json: bool) -> None:
    from kb.library.join import join
    from kb.store import connect

    with connect.for_writing(state.places()) as session:
        changed = join(session, old, new, why=why)
    say(f"{old} is {new} now, and {len(changed)} records rest on that; {UNDO}")
    if as_json:
        emit({"action": "joined", "source": new, "removed": old, "changed": changed}, True)


def remove(key: SourceKey, why: Why = "", as_json: Json = False) -> None:
    """Remove a source that nothing cites any more."""
    from kb.store import connect, edit, queries

    with connect.for_writing(state.places()) as session:
        name = queries.resolve(connect.raw(session), "source", key)
        edit.remove(session, "source", name, why=why)
    say(f"removed {name}; `kb claim undo` takes it back")
    if as_json:
        emit({"action": "removed", "source": name}, True)
