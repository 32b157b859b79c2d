"""Records in their lossless form: what `kb.records.parse` takes, read back from the rows."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from typing import Any

from kb.store.shared import Row, column, filled

KEYS = {"claim": "id", "source": "key", "figure": "id", "talk": "name"}


def record(connection: sqlite3.Connection, kind: str, name: str) -> Row | None:
    """A record as plain data: what `kb.records.parse` takes, with nothing lost; None if there is none."""
    found = placed_record(connection, kind, name)
    return found["record"] if found else None


def placed_record(connection: sqlite3.Connection, kind: str, name: str) -> Row | None:
    """A record with its place in citations/: {"record", "home", "position"}."""
    rows = _READERS[kind](connection, f"WHERE {KEYS[kind]} = ?", (name,))
    for _, home, position, plain in rows:
        return {"record": plain, "home": home, "position": position}
    return None


def records(connection: sqlite3.Connection, kind: str) -> Iterator[tuple[str, str, int, Row]]:
    """Every record of a kind as (name, home, position, plain data), in the order of its files; streamed."""
    yield from _READERS[kind](connection, f"ORDER BY home, position, {KEYS[kind]}", ())


Placed = Iterator[tuple[str, str, int, Row]]


def _claim_records(connection: sqlite3.Connection, clause: str, values: tuple[Any, ...]) -> Placed:
    cursor = connection.execute(
        "SELECT id, kind, statement, asserted_by, date, date_note, status, headline, number, caveat, answer, note,"
        f" home, position FROM claim {clause}",
        values,
    )
    for row in cursor:
        plain = {name: row[name] for name in row.keys()[:-2] if row[name] is not None}
        id_ = row["id"]
        parts = {
            "tags": column(connection, "SELECT name FROM tag WHERE claim_id = ? ORDER BY position", id_),
            "aliases": column(
                connection, "SELECT alias FROM alias WHERE kind = 'claim' AND name = ? ORDER BY position", id_
            ),
            "citations": list(_plain_citations(connection, id_)),
            "relations": list(_plain_relations(connection, id_)),
            "computations": list(_plain_computations(connection, id_)),
        }
        plain.update({name: value for name, value in parts.items() if value})
        prediction = prediction_of(connection, id_)
        if prediction:
            plain["prediction"] = filled(prediction)
        yield id_, row["home"], row["position"], plain


def _plain_citations(connection: sqlite3.Connection, id_: str) -> Iterator[Row]:
    rows = connection.execute(
        "SELECT source_key AS source, stance, cited_by, directness, role, locator, quote, seen, seen_at, absence,"
        " note FROM citation WHERE claim_id = ? ORDER BY position",
        (id_,),
    )
    for row in rows:
        plain = filled(dict(row))
        if plain.get("absence"):
            plain["absence"] = json.loads(plain["absence"])
        if plain["directness"] == "direct":
            del plain["directness"]
        if plain["seen"] == "not-read":
            del plain["seen"]
        yield plain


def _plain_relations(connection: sqlite3.Connection, id_: str) -> Iterator[Row]:
    for row in connection.execute(
        "SELECT type, target AS claim, note FROM relation WHERE claim_id = ? ORDER BY position", (id_,)
    ):
        yield filled(dict(row))


def _plain_computations(connection: sqlite3.Connection, id_: str) -> Iterator[Row]:
    for row in connection.execute(
        "SELECT name, expression, expected, decimals, unit, assumes, decides, note FROM computation"
        " WHERE claim_id = ? ORDER BY position",
        (id_,),
    ):
        plain = filled(dict(row))
        plain["expected"] = json.loads(plain["expected"])
        if plain["decimals"] == 0:
            del plain["decimals"]
        if plain.pop("decides"):
            plain["decides"] = True
            plain["note"] = plain.pop("note", None)
        yield filled(plain)


def _source_records(connection: sqlite3.Connection, clause: str, values: tuple[Any, ...]) -> Placed:
    for row in connection.execute(
        f"SELECT key, type, kind, fields, home, position FROM source {clause}", values
    ):
        plain: Row = {"key": row["key"], "type": row["type"], "kind": row["kind"]}
        fields = json.loads(row["fields"])
        if fields:
            plain["fields"] = fields
        aliases = column(
            connection,
            "SELECT alias FROM alias WHERE kind = 'source' AND name = ? ORDER BY position",
            row["key"],
        )
        if aliases:
            plain["aliases"] = aliases
        yield row["key"], row["home"], row["position"], plain


def _figure_records(connection: sqlite3.Connection, clause: str, values: tuple[Any, ...]) -> Placed:
    for row in connection.execute(
        "SELECT id, source_key AS source, locator, quantity, value, spread, unit, scale, environment, dataset,"
        f" method, protocol, seen, seen_at, note, home, position FROM figure {clause}",
        values,
    ):
        plain = filled(dict(row))
        home, position = plain.pop("home"), plain.pop("position")
        yield row["id"], home, position, plain


def _talk_records(connection: sqlite3.Connection, clause: str, values: tuple[Any, ...]) -> Placed:
    for row in connection.execute(f"SELECT name, content, home, position FROM talk {clause}", values):
        yield row["name"], row["home"], row["position"], json.loads(row["content"])


_READERS = {
    "claim": _claim_records,
    "source": _source_records,
    "figure": _figure_records,
    "talk": _talk_records,
}


def prediction_of(connection: sqlite3.Connection, id_: str) -> Row | None:
    """The prediction of a claim, None where it is none."""
    row = connection.execute(
        "SELECT probability, forecaster, made, horizon, about, resolution, outcome FROM prediction"
        " WHERE claim_id = ?",
        (id_,),
    ).fetchone()
    return {**dict(row), "outcome": json.loads(row["outcome"]) if row["outcome"] else None} if row else None
