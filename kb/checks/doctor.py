"""The health of the library itself: named checks, each with what it means and what to do about it.

Plain SQL in, findings out. Nothing is changed here; `FIXES` names the checks whose findings kb can mend safely.
"""

from __future__ import annotations

import re
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class Finding:
    """One thing that a check found: where, and in words."""

    check: str
    severity: Severity
    kind: str
    name: str
    message: str


@dataclass(frozen=True)
class Check:
    """A named check of the library's health."""

    name: str
    severity: Severity
    explanation: str
    run: Callable[[sqlite3.Connection, str], Iterator[tuple[str, str, str]]]
    """(connection, today) -> (kind of record, its name, what is wrong)."""


def examine(connection: sqlite3.Connection, today: str, names: list[str] | None = None) -> Iterator[Finding]:
    """Run the checks named, or all; `today` is an ISO date, so that nothing depends on the clock."""
    for check in CHECKS.values():
        if names is None or check.name in names:
            for kind, name, message in check.run(connection, today):
                yield Finding(check.name, check.severity, kind, name, message)


def _uncited(connection: sqlite3.Connection, _: str) -> Iterator[tuple[str, str, str]]:
    rows = connection.execute(
        "SELECT key FROM source WHERE key NOT IN (SELECT source_key FROM citation)"
        " AND key NOT IN (SELECT source_key FROM figure) ORDER BY key"
    )
    for (key,) in rows:
        yield "source", key, "no claim cites it and no figure comes from it"


def _no_citation(connection: sqlite3.Connection, _: str) -> Iterator[tuple[str, str, str]]:
    for (id_,) in connection.execute(
        "SELECT id FROM claim WHERE id NOT IN (SELECT claim_id FROM citation) ORDER BY id"
    ):
        yield "claim", id_, "cites nothing"


def _no_quote(connection: sqlite3.Connection, _: str) -> Iterator[tuple[str, str, str]]:
    for (id_,) in connection.execute(
        "SELECT id FROM claim WHERE id NOT IN (SELECT claim_id FROM citation WHERE quote IS NOT NULL"
        " OR absence IS NOT NULL) ORDER BY id"
    ):
        yield "claim", id_, "no citation has a quote or an absence that somebody read"


def _no_locator(connection: sqlite3.Connection, _: str) -> Iterator[tuple[str, str, str]]:
    for id_, position, key in connection.execute(
        "SELECT claim_id, position, source_key FROM citation WHERE locator IS NULL ORDER BY claim_id, position"
    ):
        yield "claim", id_, f"citation {position + 1} ({key}) does not say where in the source"


def _second_hand(connection: sqlite3.Connection, _: str) -> Iterator[tuple[str, str, str]]:
    for (id_,) in connection.execute(
        "SELECT claim_id FROM citation WHERE stance IN ('asserts', 'supports') GROUP BY claim_id"
        " HAVING SUM(seen NOT IN ('second-hand', 'comment', 'not-read')) = 0 ORDER BY claim_id"
    ):
        yield "claim", id_, "every source that asserts or supports it was seen second-hand or not at all"


def _contradicting(connection: sqlite3.Connection, _: str) -> Iterator[tuple[str, str, str]]:
    for id_, other in connection.execute(
        "SELECT r.claim_id, r.target FROM relation r JOIN claim a ON a.id = r.claim_id JOIN claim b"
        " ON b.id = r.target WHERE r.type = 'rebuts' AND a.status = 'supported' AND b.status = 'supported'"
        " ORDER BY 1, 2"
    ):
        yield "claim", id_, f"rebuts {other}, and both count as supported"


def _open_objections(connection: sqlite3.Connection, _: str) -> Iterator[tuple[str, str, str]]:
    for id_, sources in connection.execute(
        "SELECT c.id, GROUP_CONCAT(DISTINCT t.source_key) FROM claim c JOIN citation t ON t.claim_id = c.id"
        " WHERE t.stance = 'disputes' AND c.status = 'supported' GROUP BY c.id ORDER BY c.id"
    ):
        yield "claim", id_, f"counts as supported although {sources} disputes it"


def _past_horizon(connection: sqlite3.Connection, today: str) -> Iterator[tuple[str, str, str]]:
    for id_, horizon in connection.execute(
        "SELECT claim_id, horizon FROM prediction WHERE outcome IS NULL AND horizon IS NOT NULL"
        " AND horizon < ? ORDER BY claim_id",
        (today,),
    ):
        yield "claim", id_, f"should have resolved by {horizon}"


_NOISE = re.compile(r"[\W_]+")


def _same_statement(connection: sqlite3.Connection, _: str) -> Iterator[tuple[str, str, str]]:
    by_words: dict[str, list[str]] = defaultdict(list)
    for id_, statement in connection.execute("SELECT id, statement FROM claim ORDER BY id"):
        by_words[_NOISE.sub(" ", statement.casefold()).strip()].append(id_)
    for ids in by_words.values():
        for id_ in ids[1:]:
            yield "claim", id_, f"says the same words as {ids[0]}"


def _same_source(connection: sqlite3.Connection, _: str) -> Iterator[tuple[str, str, str]]:
    for field in ("doi", "eprint"):
        for keys, value in connection.execute(
            f"SELECT GROUP_CONCAT(key, ', '), {field} FROM source WHERE {field} <> ''"
            f" GROUP BY LOWER({field}) HAVING COUNT(*) > 1 ORDER BY 1"
        ):
            yield "source", keys.split(", ")[0], f"{keys} have the same {field}: {value}"


def _unused_figure(connection: sqlite3.Connection, _: str) -> Iterator[tuple[str, str, str]]:
    for (id_,) in connection.execute("SELECT id FROM figure WHERE value IS NULL ORDER BY id"):
        yield "figure", id_, "nobody has read this cell yet"


def _conflicts(connection: sqlite3.Connection, _: str) -> Iterator[tuple[str, str, str]]:
    for kind, name, origin in connection.execute("SELECT kind, name, origin FROM conflict ORDER BY 1, 2, 3"):
        yield kind, name, f"changed here and in {origin}: kb library sync --take ours|theirs {name}"


def _unnamed_source(connection: sqlite3.Connection, _: str) -> Iterator[tuple[str, str, str]]:
    for key, title, authors, url, doi, eprint in connection.execute(
        "SELECT key, title, authors, url, doi, eprint FROM source ORDER BY key"
    ):
        missing = [name for name, value in (("title", title), ("author", authors)) if not value]
        if not (url or doi or eprint):
            missing.append("address (doi, eprint or url)")
        if missing:
            yield "source", key, f"has no {' and no '.join(missing)}"


CHECKS: dict[str, Check] = {
    check.name: check
    for check in (
        Check(
            "no-citation",
            "error",
            "A claim must rest on at least one citation. Add one with kb claim cite ID SOURCE.",
            _no_citation,
        ),
        Check(
            "conflicts",
            "error",
            "A record was changed on both sides of a merge. Both versions are kept until somebody decides.",
            _conflicts,
        ),
        Check(
            "same-statement",
            "error",
            "Two claims say the same words. Keep one; kb claim relate A same-as B where both must stay.",
            _same_statement,
        ),
        Check(
            "same-source",
            "error",
            "Two entries have one DOI or arXiv id. kb cite rename OLD NEW leaves an alias behind.",
            _same_source,
        ),
        Check(
            "contradicting",
            "warning",
            "A claim rebuts another, and the literature is recorded as supporting both. One status is wrong.",
            _contradicting,
        ),
        Check(
            "open-objection",
            "warning",
            "A source disputes the claim, whose status still says supported. Say disputed, or qualify it.",
            _open_objections,
        ),
        Check(
            "past-horizon",
            "warning",
            "A prediction should have resolved by now. kb prediction resolve ID.",
            _past_horizon,
        ),
        Check(
            "no-locator",
            "warning",
            "A citation does not say where in its source to look. A reader cannot check it.",
            _no_locator,
        ),
        Check(
            "no-quote",
            "warning",
            "Nobody has kept the words that the claim rests on. Read the source and add a quote.",
            _no_quote,
        ),
        Check(
            "second-hand",
            "warning",
            "Every source in the claim's favour is known only through another document.",
            _second_hand,
        ),
        Check(
            "unnamed-source",
            "note",
            "A bibliographic entry lacks its title, author or address: nobody verified them.",
            _unnamed_source,
        ),
        Check("uncited", "note", "A source that nothing rests on. Harmless; cite it or remove it.", _uncited),
        Check(
            "unread-cell",
            "note",
            "A published figure exists that nobody has read. Computations over it are unknown.",
            _unused_figure,
        ),
    )
}
FIXES = ("uncited",)
"""Checks whose findings `kb doctor --fix` mends: sources that nothing rests on are removed (undo brings back)."""
