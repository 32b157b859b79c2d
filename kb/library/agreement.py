"""What both sides of a merge agreed on last, and what waits for a decision: two tables of the store."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kb import records, words
from kb.errors import KbError
from kb.library import references
from kb.library.side import Name, Placed, text_of, todays_names, under_name

if TYPE_CHECKING:
    from sqlmodel import Session


MERGED = "sync with "
"""How the reason of a change begins that a merge made."""


_WHOSE = " #"


def origin_of(path: str, whose: str) -> str:
    """What another library is called: its path, and the number of its store where it has one."""
    return f"{path}{_WHOSE}{whose[:12]}" if whose else path


@dataclass(frozen=True)
class Conflicting:
    """A record that stays as it is until somebody decides."""

    origin: str
    kind: str
    name: str
    why: str


def rows(connection: sqlite3.Connection, origin: str) -> Iterable[tuple[str, str, str]]:
    """The base of an origin: (kind, name, content) of each record at the last sync with it."""
    for row in connection.execute("SELECT kind, name, content FROM sync_base WHERE origin = ?", (origin,)):
        yield row[0], row[1], row[2]


def was_ours(connection: sqlite3.Connection, key: Name, content: str) -> bool:
    """Whether our record once had this content, whatever it was called: then whoever still has it did not change it."""
    wanted = _nameless(key[0], json.loads(content))
    return any(wanted in (before, after) for _, before, after in _history(connection, key))


def is_ours(connection: sqlite3.Connection, key: Name) -> bool:
    """Whether the record's content was last changed here, and is not what a merge brought."""
    whys = [why for why, before, after in _history(connection, key) if before != after]
    return bool(whys) and not whys[-1].startswith(MERGED)


def was_changed(connection: sqlite3.Connection, key: Name) -> bool:
    """Whether the record ever had another content here than it came with."""
    return any(before and after and before != after for _, before, after in _history(connection, key))


def was_added_here(connection: sqlite3.Connection, key: Name) -> bool:
    """Whether somebody made the record here, so that nobody else can have it but from us."""
    past = _history(connection, key)
    return bool(past) and past[0][1] is None and not past[0][0].startswith(MERGED)


def was_never_out(connection: sqlite3.Connection, key: Name) -> bool:
    """Whether the record was made here and in no text yet: nobody else can have it under any name."""
    met = connection.execute("SELECT 1 FROM sync_base WHERE kind = ? AND name = ?", key).fetchone()
    return met is None and was_added_here(connection, key)


def was_renamed_here(connection: sqlite3.Connection, kind: str, old: str, new: str) -> bool:
    """Whether somebody gave the record its name here, and no merge did."""
    rows = connection.execute(
        "SELECT why, before FROM change WHERE kind = ? AND name = ? AND before IS NOT NULL", (kind, new)
    )
    return any(
        json.loads(before)["record"].get(records.KEYS[kind]) == old and not why.startswith(MERGED)
        for why, before in rows
    )


def is_another(connection: sqlite3.Connection, origin: str, kind: str, name: str, content: str) -> bool:
    """Whether theirs, under a name that our record had before, cannot be that record: ours never left this store so.

    Args:
        name: the former name.
        content: theirs.
    """
    from kb.store import queries

    today = queries.former(connection, kind, name)
    if today is None or not was_added_here(connection, (kind, today)):
        return False
    names = "SELECT origin, name FROM sync_base WHERE kind = ?1 AND name IN (?2, ?3)"
    out = set(map(tuple, connection.execute(names, (kind, name, today))))
    if {(origin, name), (origin, today)} & out or any(of != "library" and n == name for of, n in out):
        return False
    if any(of == "library" for of, _ in out) and not was_renamed_here(connection, kind, name, today):
        return False  # it was in our text, from which theirs may be made; who renamed it knew better
    return not was_ours(connection, (kind, today), content)


def _history(connection: sqlite3.Connection, key: Name) -> list[tuple[str, Any, Any]]:
    """(why, content before, content after) of each change of a record, under today's name and its former ones."""
    kind, name = key
    rows = connection.execute(
        "SELECT why, before, after FROM change WHERE kind = ?1 AND action <> 'verdict' AND (name = ?2 OR name IN"
        " (SELECT alias FROM alias WHERE kind = ?1 AND name = ?2)) ORDER BY seq",
        (kind, name),
    )
    return [(why, *(_nameless(kind, json.loads(v).get("record")) if v else None for v in states))
            for why, *states in rows]  # fmt: skip


def _nameless(kind: str, data: Any) -> Any:
    """A content without its names: a rename changes nothing else."""
    if not isinstance(data, dict):
        return None
    return {field: value for field, value in data.items() if field not in (records.KEYS[kind], "aliases")}


def agree(connection: sqlite3.Connection, origin: str, kind: str, name: str, content: str) -> None:
    """Both sides have this content now."""
    connection.execute("INSERT OR REPLACE INTO sync_base VALUES (?, ?, ?, ?)", (origin, kind, name, content))


def forget(connection: sqlite3.Connection, origin: str, kind: str, name: str) -> None:
    """Neither side has the record any more."""
    connection.execute(
        "DELETE FROM sync_base WHERE origin = ? AND kind = ? AND name = ?", (origin, kind, name)
    )


def meta(connection: sqlite3.Connection, name: str, value: str) -> None:
    """Set a fact about the store."""
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))


def agree_on_all(connection: sqlite3.Connection, origin: str, placed: Iterable[Placed]) -> None:
    """Set the base of `origin` to the records given: their text then is exactly what the store holds."""
    connection.execute("DELETE FROM sync_base WHERE origin = ?", (origin,))
    connection.executemany(
        "INSERT INTO sync_base VALUES (?, ?, ?, ?)",
        ((origin, one.kind, one.name, text_of(one.data)) for one in placed),
    )


def standing(connection: sqlite3.Connection, origin: str | None = None) -> list[dict[str, Any]]:
    """Conflicts that wait for a decision: {origin, kind, name, theirs, at}."""
    found = connection.execute(
        "SELECT origin, kind, name, theirs, at FROM conflict WHERE ?1 IS NULL OR origin = ?1"
        " ORDER BY origin, kind, name",
        (origin,),
    )
    return [{**dict(row), "theirs": json.loads(row["theirs"]) if row["theirs"] else None} for row in found]


def follow_renames(connection: sqlite3.Connection) -> None:
    """Conflicts of records that we renamed since wait under today's names."""
    from kb.store import queries

    for one in standing(connection):
        origin, kind, old, theirs = one["origin"], one["kind"], one["name"], one["theirs"]
        new = queries.former(connection, kind, old)
        if new is None:
            continue
        if theirs and is_another(connection, origin, kind, old, text_of(theirs)):
            # Ours was renamed to make room for theirs: there is nothing to decide any more.
            _drop(connection, origin, kind, old)
            continue
        ours = queries.record(connection, kind, new) or {}
        moved = under_name(kind, theirs, new, ours.get("aliases", ())) if theirs else None
        connection.execute(
            "INSERT OR IGNORE INTO conflict(origin, kind, name, theirs, at) VALUES (?, ?, ?, ?, ?)",
            (origin, kind, new, text_of(moved) if moved else None, one["at"]),
        )
        _drop(connection, origin, kind, old)


def _drop(connection: sqlite3.Connection, origin: str, kind: str, name: str) -> None:
    connection.execute(
        "DELETE FROM conflict WHERE origin = ? AND kind = ? AND name = ?", (origin, kind, name)
    )


def decide(session: Session, side: str, names: list[str], origin: str = "") -> list[Conflicting]:
    """Settle conflicts: `ours` keeps our record, `theirs` takes theirs; either way both sides count as met.

    With theirs comes back what it names and we had removed, as in a merge. Records go after all others came.

    Args:
        origin: settle those with this one only.

    Raises:
        KbError: when a name is in no conflict, is in several with different contents and none was chosen, or theirs
            cannot be stored.
    """
    from kb.store import edit
    from kb.store.connect import raw

    connection = raw(session)
    follow_renames(connection)
    chosen = _chosen(connection, side, names, origin)
    done = []
    for one in sorted(chosen, key=lambda one: one["theirs"] is None):
        of, kind, name, theirs = one["origin"], one["kind"], one["name"], one["theirs"]
        if side == "theirs" and theirs is None:
            edit.remove(session, kind, name, why=f"their side of a conflict with {of}")
        elif side == "theirs":
            needed = _needed(connection, of, kind, theirs)
            with edit.bulk(session) if needed else contextlib.nullcontext():
                for other, data in [
                    *needed,
                    (kind, references.renamed(kind, theirs, todays_names(connection))),
                ]:
                    why = f"their side of a conflict with {of}"
                    edit.put(session, records.parse(other, data), why=why)
            for other, data in needed:
                key = data[records.KEYS[other]]
                _settle(connection, of, other, key, data)
                done.append(Conflicting(of, other, key, f"brought back, {name} needs it"))
        _settle(connection, of, kind, name, theirs)
        done.append(Conflicting(of, kind, name, f"{side} taken"))
    return done


def _chosen(connection: sqlite3.Connection, side: str, names: list[str], origin: str) -> list[dict[str, Any]]:
    from kb.store import queries

    waiting = [one for one in standing(connection) if not origin or one["origin"].split(_WHOSE)[0] == origin]
    chosen: dict[tuple[str, str, str], dict[str, Any]] = {}
    for given in names:
        called = {kind: {given, queries.former(connection, kind, given)} for kind in words.RECORD_KINDS}
        found = [one for one in waiting if one["name"] in called[one["kind"]]]
        if not found:
            raise KbError(f"{given} is in no conflict", "kb library sync lists what is", code=1)
        if side == "theirs" and len({text_of(one["theirs"]) for one in found}) > 1:
            several = ", ".join(one["origin"] for one in found)
            raise KbError(
                f"{given} is in conflict with several: {several}",
                f"choose: kb library sync --with PATH --take theirs {given}",
            )
        chosen.update({(one["origin"], one["kind"], one["name"]): one for one in found})
    return list(chosen.values())


def _settle(connection: sqlite3.Connection, origin: str, kind: str, name: str, theirs: Any) -> None:
    former = connection.execute("SELECT alias FROM alias WHERE kind = ? AND name = ?", (kind, name))
    for old in [name, *(row[0] for row in former.fetchall())]:
        _drop(connection, origin, kind, old)
        forget(connection, origin, kind, old)
    if theirs is not None:
        agree(connection, origin, kind, name, text_of(theirs))


def _needed(connection: sqlite3.Connection, origin: str, kind: str, data: Any) -> list[tuple[str, Any]]:
    """What a record of theirs names and we do not have, as they had it last: (kind, content), sources first."""
    from kb.store import queries

    found: dict[Name, Any] = {}
    waiting = [(kind, data)]
    name = (kind, data[records.KEYS[kind]])
    while waiting:
        for target in references.named(*waiting.pop()) - {name, *found}:
            if queries.former(connection, *target) or queries.record(connection, *target):
                continue
            row = connection.execute(
                "SELECT theirs FROM conflict WHERE (origin, kind, name) = (?1, ?2, ?3) AND theirs IS NOT NULL"
                " UNION ALL SELECT content FROM sync_base WHERE (origin, kind, name) = (?1, ?2, ?3)",
                (origin, *target),
            ).fetchone()
            if row:
                # What we renamed since, it names by the name of today: many puts at once look at those only.
                found[target] = references.renamed(target[0], json.loads(row[0]), todays_names(connection))
                waiting.append((target[0], found[target]))
    return sorted(
        ((of, content) for (of, _), content in found.items()), key=lambda one: (one[0] != "source", one[0])
    )
