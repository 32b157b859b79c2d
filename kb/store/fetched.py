"""The cache of look-ups: the last answer of each address, with its date. Plain SQL, no SQLAlchemy."""

from __future__ import annotations

import hashlib
import sqlite3
from typing import NamedTuple


class Row(NamedTuple):
    """An answer as the store keeps it. Status 0: an attempt that nobody answered."""

    url: str
    at: str
    status: int
    content_type: str
    body: bytes


def get(connection: sqlite3.Connection, url: str) -> Row | None:
    """The last answer of an address; None if it was never asked."""
    row = connection.execute(
        "SELECT url, at, status, content_type, body FROM fetched WHERE url = ?", (url,)
    ).fetchone()
    return Row(*row) if row else None


def put(connection: sqlite3.Connection, row: Row) -> None:
    """Keep an answer. An attempt without answer never replaces an answer."""
    digest = hashlib.sha256(row.body).hexdigest()
    keep = "" if row.status else " WHERE fetched.status = 0"
    connection.execute(
        "INSERT INTO fetched(url, at, status, content_type, body_sha256, body) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT(url) DO UPDATE SET at = excluded.at, status = excluded.status,"
        " content_type = excluded.content_type, body_sha256 = excluded.body_sha256, body = excluded.body"
        + keep,
        (row.url, row.at, row.status, row.content_type, digest, row.body),
    )
