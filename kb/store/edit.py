"""The only door for changes to records: validated content in, rows and history out, in one transaction."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import sqlite3
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from kb import records
from kb.errors import KbError, shown
from kb.store import aliases, queries
from kb.store.connect import raw
from kb.store.rows import rows_of

if TYPE_CHECKING:
    from sqlmodel import Session

OWN = {"claim": "claims/own.yaml", "source": "references.bib", "figure": "figures/own.csv"}
"""Where a new record goes in citations/ when nobody says."""

_CHILDREN = ("tag", "citation", "relation", "computation", "prediction")


def put(
    session: Session,
    record: records.Record,
    *,
    home: str | None = None,
    position: int | None = None,
    why: str = "",
    by: str | None = None,
    record_history: bool = True,
) -> str:
    """Add a record, or change the one of that name; "added", "changed" or "same".

    Raises:
        KbError: when it cites or relates to what is not there, naming it and what comes near, or when a name of it,
            today's or a former one, finds another record.
    """
    kind, name = kind_of(record), records.name_of(record)
    connection = raw(session)
    before = queries.placed_record(connection, kind, name)
    at_home = home or (before["home"] if before else OWN.get(kind, f"talks/{name}.yaml"))
    if position is None:
        position = (
            before["position"] if before and at_home == before["home"] else _end_of(connection, kind, at_home)
        )
    after = {"record": records.plain(record), "home": at_home, "position": position}
    if before == after:
        return "same"
    _check_names(connection, kind, record, bool(before))
    record = _check_references(connection, record)
    _write(session, connection, record, at_home, position)
    changed = before is None or before["record"] != after["record"]
    if before and changed:
        _outdate(connection, kind, name)
    if record_history and changed:
        _remember(session, kind, name, "edit" if before else "add", before, after, why=why, by=by)
    return "changed" if before else "added"


def remove(
    session: Session,
    kind: str,
    name: str,
    *,
    why: str = "",
    by: str | None = None,
    even_if_used: bool = False,
) -> None:
    """Remove a record; history keeps it.

    Args:
        even_if_used: do not ask what points at it: for a merge, which has looked and removes that too.

    Raises:
        NotFound: when there is none of that name.
        KbError: when others still point at it, naming them.
    """
    connection = raw(session)
    name = queries.resolve(connection, kind, name)
    before = queries.placed_record(connection, kind, name)
    pointing = [] if even_if_used else queries.pointing_at(connection, kind, name)
    if pointing:
        told = ", ".join(pointing[:5]) + (f" and {len(pointing) - 5} more" if len(pointing) > 5 else "")
        raise KbError(f"{kind} {name} is still used by {told}", "change or remove those first", code=1)
    delete(session, kind, name)
    _remember(session, kind, name, "remove", before, None, why=why, by=by)


def delete(session: Session, kind: str, name: str) -> None:
    """Take a record's rows away without asking or remembering: for `remove` and the merge of libraries."""
    connection = raw(session)
    if kind in ("claim", "source"):
        connection.execute("DELETE FROM alias WHERE kind = ? AND name = ?", (kind, name))
    connection.execute(f"DELETE FROM {kind} WHERE {records.KEYS[kind]} = ?", (name,))


def rename(session: Session, kind: str, old: str, new: str, *, why: str = "", by: str | None = None) -> None:
    """Give a claim or source another name; references follow, and the old name still finds it.

    Raises:
        NotFound: when there is none named `old`.
        KbError: when `new` is taken, or no name of that kind.
    """
    connection = raw(session)
    old = queries.resolve(connection, kind, old)
    if kind not in ("claim", "source"):
        raise KbError(f"a {kind} cannot be renamed", "add a new one and remove the old")
    before = queries.placed_record(connection, kind, old)
    assert before is not None, "resolve found it"
    content = dict(before["record"])
    content[records.KEYS[kind]] = new
    content["aliases"] = [alias for alias in content.get("aliases", []) if alias != new] + [old]
    record = records.parse(kind, content)
    _rename_rows(connection, kind, old, new)
    _write(session, connection, record, before["home"], before["position"])
    after = {**before, "record": records.plain(record)}
    _remember(session, kind, new, "edit", before, after, why=why or f"renamed from {old}", by=by)


def undo(session: Session, *, why: str = "", by: str | None = None) -> dict[str, Any]:
    """Take the last change that is not yet undone back; the history keeps both.

    Returns: the change that was taken back, as `queries.history` shows it.

    Raises:
        KbError: when there is nothing to undo, or later records stand in the way.
    """
    connection = raw(session)
    row = connection.execute(
        "SELECT * FROM change WHERE action IN ('add', 'edit', 'remove')"
        " AND seq NOT IN (SELECT undoes FROM change WHERE undoes IS NOT NULL) ORDER BY seq DESC LIMIT 1"
    ).fetchone()
    if row is None:
        raise KbError("there is nothing to undo", "kb claim history shows what happened", code=1)
    kind, name = row["kind"], row["name"]
    before = json.loads(row["before"]) if row["before"] else None
    now = queries.placed_record(connection, kind, name)
    if before is None:
        pointing = queries.pointing_at(connection, kind, name)
        if pointing:
            raise KbError(
                f"{kind} {name} is used by {', '.join(pointing[:5])} by now", "change those first", code=1
            )
        delete(session, kind, name)
        restored = name
    else:
        record = records.parse(kind, before["record"])
        restored = records.name_of(record)
        if restored != name:
            _rename_rows(connection, kind, name, restored)
        _check_names(connection, kind, record, exists=True)
        record = _check_references(connection, record)
        _write(session, connection, record, before["home"], before["position"])
        _outdate(connection, kind, restored)
    _remember(session, kind, restored, "undo", now, before, why=why, by=by, undoes=row["seq"])
    return queries.change(row)


@contextlib.contextmanager
def bulk(session: Session) -> Iterator[None]:
    """Many puts at once: the search text is rebuilt at the end; relations and former names are checked then."""
    connection = raw(session)
    clashes = aliases.clashes(connection)
    connection.execute("INSERT OR IGNORE INTO meta VALUES ('bulk', '1')")
    yield
    session.flush()
    dangling = connection.execute(
        "SELECT r.claim_id, r.target FROM relation r LEFT JOIN claim c ON c.id = r.target"
        " WHERE c.id IS NULL ORDER BY 1, 2 LIMIT 5"
    ).fetchall()
    if dangling:
        told = ", ".join(f"{claim} -> {target}" for claim, target in dangling)
        raise KbError(
            f"relations to claims that are not there: {told}", "add those claims or drop the relations"
        )
    aliases.check_no_more(clashes, aliases.clashes(connection))
    connection.execute("DELETE FROM meta WHERE name = 'bulk'")
    rebuild_search(connection)


def rebuild_search(connection: sqlite3.Connection) -> None:
    """Bring the search text of every claim up to date; unchanged rows are left alone."""
    connection.execute(
        "INSERT INTO claim_text(claim_id, statement, quotes, sources, tags)"
        " SELECT w.claim_id, w.statement, w.quotes, w.sources, w.tags FROM claim_text_wanted w"
        " LEFT JOIN claim_text t ON t.claim_id = w.claim_id"
        " WHERE t.claim_id IS NULL OR (t.statement, t.quotes, t.sources, t.tags)"
        " <> (w.statement, w.quotes, w.sources, w.tags)"
        " ON CONFLICT(claim_id) DO UPDATE SET statement = excluded.statement, quotes = excluded.quotes,"
        " sources = excluded.sources, tags = excluded.tags"
    )


def kind_of(record: records.Record) -> str:
    """The record kind of a validated record: claim, source, figure or talk."""
    return next(kind for kind, model in records.MODELS.items() if type(record) is model)


def now() -> str:
    """The time as the store writes it: UTC, to the second."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def editor() -> str:
    """Who makes changes: KB_USER, else the login name, else 'unknown'."""
    return next((os.environ[n] for n in ("KB_USER", "USER", "LOGNAME") if os.environ.get(n)), "unknown")[:100]


def _write(
    session: Session, connection: sqlite3.Connection, record: records.Record, home: str, position: int
) -> None:
    kind, name = kind_of(record), records.name_of(record)
    own_bulk = connection.execute("INSERT OR IGNORE INTO meta VALUES ('bulk', '1')").rowcount == 1
    if kind == "claim":
        for child in _CHILDREN:
            connection.execute(f"DELETE FROM {child} WHERE claim_id = ?", (name,))
    if kind in ("claim", "source"):
        connection.execute("DELETE FROM alias WHERE kind = ? AND name = ?", (kind, name))
    for table, rows in rows_of(record, home, position):
        if not rows:
            continue
        sql = _insert(table, tuple(rows[0]), records.KEYS[kind] if table == kind else "")
        connection.executemany(sql, [tuple(row.values()) for row in rows])
    if own_bulk:
        connection.execute("DELETE FROM meta WHERE name = 'bulk'")
        _refresh_search(connection, kind, name)


def _outdate(connection: sqlite3.Connection, kind: str, name: str) -> None:
    """What checks found of a record that changed is stale: of a claim all, of a figure what computes with it."""
    of = {
        "claim": "claim_id = ?",
        "figure": "name IN ('figure', 'number') AND claim_id IN (SELECT claim_id FROM computation) AND ? <> ''",
        "source": "name = 'source' AND subject = ?",
    }.get(kind)
    if of:
        connection.execute(
            "UPDATE check_result SET outcome = 'stale', detail = ? || detail"
            f" WHERE outcome IN ('pass', 'derived', 'fail') AND {of}",
            (f"the {kind} changed since; then: ", name),
        )


@functools.lru_cache(maxsize=64)
def _insert(table: str, columns: tuple[str, ...], key: str) -> str:
    """An insert of rows whose columns `kb.store.rows` names; with `key`, an update where the row is there.

    Plain SQL: building the statement anew for each record would cost more than all else of a `put`.
    """
    sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
    if key:
        changes = ", ".join(f"{column} = excluded.{column}" for column in columns if column != key)
        sql += f" ON CONFLICT ({key}) DO UPDATE SET {changes}"
    return sql


def _refresh_search(connection: sqlite3.Connection, kind: str, name: str) -> None:
    """Touch what the triggers watch, once, now that the whole record is written."""
    if kind == "claim":
        connection.execute("UPDATE claim SET id = id WHERE id = ?", (name,))
    elif kind == "source":
        connection.execute("UPDATE source SET key = key WHERE key = ?", (name,))


def _rename_rows(connection: sqlite3.Connection, kind: str, old: str, new: str) -> None:
    key = records.KEYS[kind]
    taken = connection.execute(f"SELECT 1 FROM {kind} WHERE {key} = ?", (new,)).fetchone()
    if taken:
        raise KbError(f"there is already a {kind} named {new}", "choose another name", code=1)
    connection.execute("DELETE FROM alias WHERE kind = ? AND (name = ? OR alias = ?)", (kind, old, new))
    # The search text follows by its foreign key; the triggers, which run before that, would add a second row.
    own_bulk = connection.execute("INSERT OR IGNORE INTO meta VALUES ('bulk', '1')").rowcount == 1
    connection.execute(f"UPDATE {kind} SET {key} = ? WHERE {key} = ?", (new, old))
    if kind == "source":
        connection.execute("UPDATE citation SET cited_by = ? WHERE cited_by = ?", (new, old))
    if own_bulk:
        connection.execute("DELETE FROM meta WHERE name = 'bulk'")


def _end_of(connection: sqlite3.Connection, kind: str, home: str) -> int:
    row = connection.execute(f"SELECT COALESCE(MAX(position), -1) + 1 FROM {kind} WHERE home = ?", (home,))
    return int(row.fetchone()[0])


def _check_names(connection: sqlite3.Connection, kind: str, record: records.Record, exists: bool) -> None:
    name = records.name_of(record)
    today = None if exists else queries.former(connection, kind, name)
    if today:
        raise KbError(
            f"{name} is a former name of {kind} {today}", "edit that one, or choose another name", code=1
        )
    if isinstance(record, (records.Claim, records.Source)):
        aliases.check(connection, kind, name, record.aliases, in_bulk=_in_bulk(connection))


def _in_bulk(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM meta WHERE name = 'bulk'").fetchone() is not None


def _check_references(connection: sqlite3.Connection, record: records.Record) -> records.Record:
    """The record with former names of what it points at replaced by today's."""
    if isinstance(record, records.Figure):
        return record.model_copy(
            update={"source": _source_key(connection, record.source, f"figure {record.id}")}
        )
    if not isinstance(record, records.Claim):
        return record
    citations = [
        c.model_copy(update={"source": _source_key(connection, c.source, f"claim {record.id}: citation {n}")})
        for n, c in enumerate(record.citations, 1)
    ]
    relations = record.relations
    if not _in_bulk(connection):
        relations = [
            r.model_copy(update={"claim": _claim_id(connection, r.claim, f"claim {record.id}: relation {n}")})
            for n, r in enumerate(record.relations, 1)
        ]
    return record.model_copy(update={"citations": citations, "relations": relations})


def _source_key(connection: sqlite3.Connection, key: str, where: str) -> str:
    return _known(connection, "source", key, where, "kb cite add brings it in")


def _claim_id(connection: sqlite3.Connection, id_: str, where: str) -> str:
    return _known(connection, "claim", id_, where, "kb claim list shows what there is")


def _known(connection: sqlite3.Connection, kind: str, name: str, where: str, remedy: str) -> str:
    key = records.KEYS[kind]
    if connection.execute(f"SELECT 1 FROM {kind} WHERE {key} = ?", (name,)).fetchone():
        return name
    today = queries.former(connection, kind, name)
    if today:
        return today
    near = queries.near(connection, kind, name)
    hint = f"did you mean {', '.join(near)}?" if near else remedy
    raise KbError(f"{where} names the {kind} {shown(name)}, which is not there", hint)


def _kept(state: dict[str, Any] | None) -> str | None:
    # In its own order: that of BibTeX's fields is part of a source, and undo brings it back.
    return json.dumps(state, ensure_ascii=False, separators=(",", ":")) if state else None


def _remember(
    session: Session,
    kind: str,
    name: str,
    action: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    *,
    why: str,
    by: str | None,
    undoes: int | None = None,
) -> None:
    raw(session).execute(
        "INSERT INTO change (at, by, why, kind, name, action, before, after, undoes)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            now(),
            by or editor(),
            why,
            kind,
            name,
            action,
            _kept(before),
            _kept(after),
            undoes,
        ),
    )
