"""Full-text search over claims: every word typed is quoted, so `goal-directed` and `C++` never fail."""

from __future__ import annotations

import re
import sqlite3
from typing import Any

from kb.store.queries import claims_by_id

_WORD = re.compile(r"[^\W_]+", re.UNICODE)
MOST_WORDS = 60
"""Words of a pasted text that are looked for; a longer one is cut."""
WEIGHTS = "4.0, 2.0, 1.0, 2.0"
"""bm25 weights of statement, quotes, sources, tags."""


def search_claims(connection: sqlite3.Connection, words: str, limit: int = 20) -> list[dict[str, Any]]:
    """Claims that hold all the words, best first; then those that hold any of them.

    A pasted sentence finds its claim: the words that few claims share weigh most (bm25).
    """
    terms = list(dict.fromkeys(word.casefold() for word in _WORD.findall(words)))[:MOST_WORDS]
    if not terms or limit < 1:
        return []
    quoted = [f'"{term}"' for term in terms]
    found = _match(connection, " ".join(quoted), limit)
    if len(found) < limit and len(terms) > 1:
        found += [id_ for id_ in _match(connection, " OR ".join(quoted), limit) if id_ not in found]
    return claims_by_id(connection, found[:limit])


def _match(connection: sqlite3.Connection, query: str, limit: int) -> list[str]:
    rows = connection.execute(
        # Equals by rowid: always in the same order, and SQLite then sorts no more than it gives back. By rank alone
        # FTS5 sorts all that hold a word, and a common word stands in nearly every claim.
        "SELECT t.claim_id FROM (SELECT rowid, rank FROM search WHERE search MATCH ? AND rank MATCH ?"
        " ORDER BY rank, rowid LIMIT ?) found JOIN claim_text t ON t.rowid = found.rowid"
        " ORDER BY found.rank, found.rowid",
        (query, f"bm25({WEIGHTS})", limit),
    )
    return [row[0] for row in rows]
