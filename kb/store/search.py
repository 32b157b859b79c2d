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


RANKED = 20_000
"""Claims that are ranked for one query, at most: what everybody has tells nothing apart, and takes long to rank."""


def search_claims(
    connection: sqlite3.Connection, words: str, limit: int = 20
) -> tuple[list[dict[str, Any]], bool]:
    """Claims that hold all the words, best first; then those that hold any of them.

    A pasted sentence finds its claim: the words that few claims share weigh most (bm25).

    Returns: the claims, and whether all that hold the words were ranked. Where more than `RANKED` hold all of
        them, the first that were added are; of claims that hold any, those with the rarest words.
    """
    terms = list(dict.fromkeys(word.casefold() for word in _WORD.findall(words)))[:MOST_WORDS]
    if not terms or limit < 1:
        return [], True
    quoted = [f'"{term}"' for term in terms]
    found, whole = _match(connection, " ".join(quoted), limit)
    if len(found) < limit and len(terms) > 1:
        rare, all_of_them = _rarest(connection, quoted)
        more, ranked = _match(connection, " OR ".join(rare), limit) if rare else ([], True)
        found += [id_ for id_ in more if id_ not in found]
        whole &= ranked and all_of_them
    return claims_by_id(connection, found[:limit]), whole


def _match(connection: sqlite3.Connection, query: str, limit: int) -> tuple[list[str], bool]:
    # Walking the index costs a hundredth of ranking what it finds.
    beyond = connection.execute(
        "SELECT rowid FROM search WHERE search MATCH ? LIMIT 1 OFFSET ?", (query, RANKED)
    ).fetchone()
    rows = connection.execute(
        # Equals by rowid: always in the same order, and SQLite then sorts no more than it gives back. By rank alone
        # FTS5 sorts all that hold a word, and a common word stands in nearly every claim.
        "SELECT t.claim_id FROM (SELECT rowid, rank FROM search WHERE search MATCH ? AND rank MATCH ?"
        " AND rowid < ? ORDER BY rank, rowid LIMIT ?) found JOIN claim_text t ON t.rowid = found.rowid"
        " ORDER BY found.rank, found.rowid",
        (query, f"bm25({WEIGHTS})", beyond[0] if beyond else 2**63 - 1, limit),
    )
    return [row[0] for row in rows], beyond is None


def _rarest(connection: sqlite3.Connection, quoted: list[str]) -> tuple[list[str], bool]:
    """The rarest words that any claim has, as many as stand in `RANKED` claims together, and whether these are all.

    The rarest one is taken in any case.
    """
    count = "SELECT COUNT(*) FROM (SELECT 1 FROM search WHERE search MATCH ? LIMIT ?)"
    counts = {word: connection.execute(count, (word, RANKED + 1)).fetchone()[0] for word in quoted}
    there = sorted((word for word in quoted if counts[word]), key=counts.__getitem__)
    taken: list[str] = []
    room = RANKED
    for word in there:
        room -= counts[word]
        if taken and room < 0:
            break
        taken.append(word)
    return taken, len(taken) == len(there)
