"""The cache of look-ups: the last answer of each address, with its date. Plain SQL, no SQLAlchemy.

It lives in the working store alone and survives every sync: what was answered once is not lost because
nobody answers today. Status 0 is an attempt that got no answer; its body says why.
"""

from __future__ import annotations

import hashlib
import sqlite3

from kb.sources.answer import Answer


def get(connection: sqlite3.Connection, url: str) -> Answer | None:
    """The last answer of an address; None if it was never asked."""
    row = connection.execute(
        "SELECT url, status, content_type, body, at FROM fetched WHERE url = ?", (url,)
    ).fetchone()
    return Answer(*row) if row else None


def put(connection: sqlite3.Connection, answer: Answer) -> None:
    """Keep an answer. An attempt without answer never replaces an answer."""
    digest = hashlib.sha256(answer.body).hexdigest()
    keep = "" if answer.status else " WHERE fetched.status = 0"
    connection.execute(
        "INSERT INTO fetched(url, at, status, content_type, body_sha256, body) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT(url) DO UPDATE SET at = excluded.at, status = excluded.status,"
        " content_type = excluded.content_type, body_sha256 = excluded.body_sha256, body = excluded.body"
        + keep,
        (answer.url, answer.at, answer.status, answer.content_type, digest, answer.body),
    )
