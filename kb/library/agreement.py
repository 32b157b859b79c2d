"""What both sides of a merge agreed on last, and what waits for a decision: two tables of the store."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kb import records
from kb.errors import KbError
from kb.library import references
from kb.library.side import Name, Placed, text_of, under_name

if TYPE_CHECKING:
    from sqlmodel import Session


MERGED = "sync with "
"""How the reason of a change begins that a merge made."""


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
    """Whether our record once had this content: then whoever still has it did not change it."""
    wanted = json.loads(content)
    past = connection.execute("SELECT before, after FROM change WHERE kind = ? AND name = ?", key)
    return any(
        json.loads(version).get("record") == wanted for row in past for version in (row[0], row[1]) if version
    )


def is_ours(connection: sqlite3.Connection, key: Name) -> bool:
    """Whether the last change of the record was made here, and was not what a merge brought."""
    last = connection.execute(
        "SELECT why FROM change WHERE kind = ? AND name = ? AND action <> 'verdict' ORDER BY seq DESC LIMIT 1",
        key,
    ).fetchone()
    return last is not None and not last[0].startswith(MERGED)


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
        ours = queries.record(connection, kind, new) or {}
        moved = under_name(kind, theirs, new, ours.get("aliases", ())) if theirs else None
        connection.execute(
            "INSERT OR IGNORE INTO conflict(origin, kind, name, theirs, at) VALUES (?, ?, ?, ?, ?)",
            (origin, kind, new, text_of(moved) if moved else None, one["at"]),
        )
        connection.execute(
            "DELETE FROM conflict WHERE origin = ? AND kind = ? AND name = ?", (origin, kind, old)
        )


def decide(session: Session, side: str, names: list[str]) -> list[Conflicting]:
    """Settle conflicts: `ours` keeps our record, `theirs` takes theirs; either way both sides count as met.

    With theirs comes back what it names and we had removed, as in a merge.

    Raises:
        KbError: when a name is in no conflict, or theirs cannot be stored.
    """
    from kb.store import edit, queries
    from kb.store.connect import raw

    connection = raw(session)
    follow_renames(connection)
    waiting = standing(connection)
    done = []
    for given in names:
        found = [
            one for one in waiting if one["name"] in (given, queries.former(connection, one["kind"], given))
        ]
        if not found:
            raise KbError(f"{given} is in no conflict", "kb library sync lists what is", code=1)
        for one in found:
            origin, kind, name, theirs = one["origin"], one["kind"], one["name"], one["theirs"]
            if side == "theirs" and theirs is None:
                edit.remove(session, kind, name, why=f"their side of a conflict with {origin}")
            elif side == "theirs":
                needed = _needed(connection, origin, kind, theirs)
                with edit.bulk(session) if needed else contextlib.nullcontext():
                    for other, data in [*needed, (kind, theirs)]:
                        why = f"their side of a conflict with {origin}"
                        edit.put(session, records.parse(other, data), why=why)
                for other, data in needed:
                    key = data[records.KEYS[other]]
                    _settle(connection, origin, other, key, data)
                    done.append(Conflicting(origin, other, key, f"brought back, {name} needs it"))
            _settle(connection, origin, kind, name, theirs)
            done.append(Conflicting(origin, kind, name, f"{side} taken"))
    return done


def _settle(connection: sqlite3.Connection, origin: str, kind: str, name: str, theirs: Any) -> None:
    former = connection.execute("SELECT alias FROM alias WHERE kind = ? AND name = ?", (kind, name))
    for old in [name, *(row[0] for row in former.fetchall())]:
        connection.execute(
            "DELETE FROM conflict WHERE origin = ? AND kind = ? AND name = ?", (origin, kind, old)
        )
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
                found[target] = json.loads(row[0])
                waiting.append((target[0], found[target]))
    return sorted(
        ((of, content) for (of, _), content in found.items()), key=lambda one: (one[0] != "source", one[0])
    )
