"""The health of the library itself: named checks, each with what it means and what to do about it.

Plain SQL in, findings out. Nothing is changed here; `FIXES` names the checks whose findings kb can mend safely.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from kb.checks.expressions import cell_ids
from kb.checks.figures import load_cells
from kb.checks.quotes import normalise
from kb.records import KEYS

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class Finding:
    """One thing that a check found: where, and in words."""

    check: str
    severity: Severity
    kind: str
    name: str
    message: str
    citation: int | None = None
    """Which of the claim's citations, from 1; None where it is about the whole record."""


class Found(NamedTuple):
    """What a check yields: the kind of record, its name, what is wrong, and with which of its citations."""

    kind: str
    name: str
    message: str
    citation: int | None = None


@dataclass(frozen=True)
class Check:
    """A named check of the library's health."""

    name: str
    severity: Severity
    explanation: str
    run: Callable[[sqlite3.Connection, str], Iterator[Found]]
    """(connection, today) -> what it finds."""


def examine(connection: sqlite3.Connection, today: str, names: list[str] | None = None) -> Iterator[Finding]:
    """Run the checks named, or all; `today` is an ISO date, so that nothing depends on the clock."""
    for check in CHECKS.values():
        if names is None or check.name in names:
            for found in check.run(connection, today):
                yield Finding(check.name, check.severity, *found)


def _uncited(connection: sqlite3.Connection, _: str) -> Iterator[Found]:
    rows = connection.execute(
        "SELECT key FROM source WHERE key NOT IN (SELECT source_key FROM citation)"
        " AND key NOT IN (SELECT source_key FROM figure) ORDER BY key"
    )
    for (key,) in rows:
        yield Found("source", key, "no claim cites it and no figure comes from it")


def _no_citation(connection: sqlite3.Connection, _: str) -> Iterator[Found]:
    for (id_,) in connection.execute(
        "SELECT id FROM claim WHERE id NOT IN (SELECT claim_id FROM citation) ORDER BY id"
    ):
        yield Found("claim", id_, "cites nothing")


def _no_quote(connection: sqlite3.Connection, _: str) -> Iterator[Found]:
    for (id_,) in connection.execute(
        "SELECT id FROM claim WHERE id NOT IN (SELECT claim_id FROM citation WHERE quote IS NOT NULL"
        " OR absence IS NOT NULL) ORDER BY id"
    ):
        yield Found("claim", id_, "no citation has a quote or an absence that somebody read")


def _no_locator(connection: sqlite3.Connection, _: str) -> Iterator[Found]:
    for id_, position, key in connection.execute(
        "SELECT claim_id, position, source_key FROM citation WHERE locator IS NULL ORDER BY claim_id, position"
    ):
        yield Found(
            "claim", id_, f"citation {position + 1} ({key}) does not say where in the source", position + 1
        )


def _second_hand(connection: sqlite3.Connection, _: str) -> Iterator[Found]:
    for (id_,) in connection.execute(
        "SELECT claim_id FROM citation WHERE stance IN ('asserts', 'supports') GROUP BY claim_id"
        " HAVING SUM(seen NOT IN ('second-hand', 'comment', 'not-read')) = 0 ORDER BY claim_id"
    ):
        yield Found(
            "claim", id_, "every source that asserts or supports it was seen second-hand or not at all"
        )


def _contradicting(connection: sqlite3.Connection, _: str) -> Iterator[Found]:
    for field, where in (("the literature", "a.status"), ("our own checks", "v.verdict")):
        for id_, other in connection.execute(
            "SELECT r.claim_id, r.target FROM relation r JOIN claim a ON a.id = r.claim_id JOIN claim b"
            " ON b.id = r.target LEFT JOIN claim_verdict v ON v.claim_id = a.id LEFT JOIN claim_verdict w"
            f" ON w.claim_id = b.id WHERE r.type = 'rebuts' AND {where} = 'supported'"
            f" AND {where.replace('a.', 'b.').replace('v.', 'w.')} = 'supported' ORDER BY 1, 2"
        ):
            yield Found("claim", id_, f"rebuts {other}, and {field} count both as supported")


def _open_objections(connection: sqlite3.Connection, _: str) -> Iterator[Found]:
    for id_, sources in connection.execute(
        "SELECT c.id, GROUP_CONCAT(DISTINCT t.source_key) FROM claim c JOIN citation t ON t.claim_id = c.id"
        " WHERE t.stance = 'disputes' AND c.status = 'supported' GROUP BY c.id ORDER BY c.id"
    ):
        yield Found("claim", id_, f"counts as supported although {sources} disputes it")
    for id_, other, kind in connection.execute(
        "SELECT r.target, r.claim_id, r.type FROM relation r JOIN claim c ON c.id = r.target JOIN claim o"
        " ON o.id = r.claim_id WHERE r.type IN ('rebuts', 'undercuts') AND c.status = 'supported'"
        " AND o.status IN ('supported', 'open') AND r.claim_id NOT IN (SELECT x.target FROM relation x"
        " WHERE x.type IN ('rebuts', 'undercuts', 'answers', 'qualifies')) ORDER BY 1, 2"
    ):
        yield Found("claim", id_, f"counts as supported; {other} {kind} it, and nothing answers that")


def _past_horizon(connection: sqlite3.Connection, today: str) -> Iterator[Found]:
    for id_, horizon in connection.execute(
        "SELECT claim_id, horizon FROM prediction WHERE outcome IS NULL AND horizon IS NOT NULL"
        " AND horizon < ? ORDER BY claim_id",
        (today,),
    ):
        yield Found("claim", id_, f"should have resolved by {horizon}")


_NOISE = re.compile(r"[\W_]+")


def _same_statement(connection: sqlite3.Connection, _: str) -> Iterator[Found]:
    said = {
        frozenset(pair)
        for pair in connection.execute("SELECT claim_id, target FROM relation WHERE type = 'same-as'")
    }
    by_words: dict[str, list[str]] = defaultdict(list)
    for id_, statement in connection.execute("SELECT id, statement FROM claim ORDER BY id"):
        by_words[_NOISE.sub(" ", statement.casefold()).strip()].append(id_)
    for ids in by_words.values():
        for id_ in ids[1:]:
            if frozenset((id_, ids[0])) not in said:
                yield Found("claim", id_, f"says the same words as {ids[0]}")


LONG_ENOUGH = 6
"""Words of a quote from which on two sources having them is no chance."""


def _same_words(connection: sqlite3.Connection, _: str) -> Iterator[Found]:
    first: dict[str, tuple[str, str]] = {}
    for id_, position, key, quote in connection.execute(
        "SELECT claim_id, position, source_key, quote FROM citation WHERE quote IS NOT NULL"
        " ORDER BY claim_id, position"
    ):
        words = normalise(quote)
        if len(words.split()) < LONG_ENOUGH:
            continue
        other, where = first.setdefault(words, (key, id_))
        if other != key:
            told = f"citation {position + 1} has {key} say what {where} has {other} say, word for word"
            yield Found("claim", id_, told, position + 1)


def _orphan(connection: sqlite3.Connection, _: str) -> Iterator[Found]:
    cells = load_cells(connection)
    used: set[str] = set()
    for (expression,) in connection.execute("SELECT expression FROM computation"):
        used.update(cell_ids(expression, cells))
    for (manifest,) in connection.execute("SELECT manifest FROM reproduction"):
        used.update(entry.get("figure", "") for entry in json.loads(manifest).get("published", []))
    for id_ in cells.ordered:
        if id_ not in used:
            yield Found("figure", id_, "no computation reads it and no reproduction is compared with it")
    for name, claim in connection.execute(
        "SELECT DISTINCT reproduction, claim_id FROM criterion WHERE claim_id NOT IN (SELECT id FROM claim)"
        " AND claim_id NOT IN (SELECT alias FROM alias WHERE kind = 'claim') ORDER BY 1, 2"
    ):
        yield Found("claim", claim, f"is judged by {name}, but is not in the library")
    for run, name in connection.execute(
        "SELECT id, reproduction FROM run WHERE reproduction NOT IN (SELECT name FROM reproduction) ORDER BY 1"
    ):
        yield Found("run", run, f"is a run of {name}, which is not here any more")


def _same_source(connection: sqlite3.Connection, _: str) -> Iterator[Found]:
    for field in ("doi", "eprint"):
        for keys, value in connection.execute(
            f"SELECT GROUP_CONCAT(key, ', '), {field} FROM source WHERE {field} <> ''"
            f" GROUP BY LOWER({field}) HAVING COUNT(*) > 1 ORDER BY 1"
        ):
            yield Found("source", keys.split(", ")[0], f"{keys} have the same {field}: {value}")


def _unused_figure(connection: sqlite3.Connection, _: str) -> Iterator[Found]:
    for (id_,) in connection.execute("SELECT id FROM figure WHERE value IS NULL ORDER BY id"):
        yield Found("figure", id_, "nobody has read this cell yet")


def _conflicts(connection: sqlite3.Connection, _: str) -> Iterator[Found]:
    for kind, name, origin, theirs in connection.execute(
        "SELECT kind, name, origin, theirs FROM conflict ORDER BY 1, 2, 3"
    ):
        ours = connection.execute(f"SELECT 1 FROM {kind} WHERE {KEYS[kind]} = ?", (name,)).fetchone()
        if theirs is None:
            what = f"changed here, removed in {origin}"
        else:
            what = f"changed here and in {origin}" if ours else f"removed here, changed in {origin}"
        yield Found(kind, name, f"{what}: kb library sync --take ours|theirs {name}")


def _unnamed_source(connection: sqlite3.Connection, _: str) -> Iterator[Found]:
    for key, title, authors, url, doi, eprint in connection.execute(
        "SELECT key, title, authors, url, doi, eprint FROM source ORDER BY key"
    ):
        missing = [name for name, value in (("title", title), ("author", authors)) if not value]
        if not (url or doi or eprint):
            missing.append("address (doi, eprint or url)")
        if missing:
            yield Found("source", key, f"has no {' and no '.join(missing)}")


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
            "Two entries have one DOI or arXiv id. kb cite rename OLD NEW --join makes one of them.",
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
            "A source or an unanswered claim speaks against a claim whose status says supported. Say disputed,"
            " qualify it, or relate a claim that answers.",
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
        Check(
            "same-words",
            "warning",
            "Two sources are quoted with the same words: one is misattributed, or quotes the other.",
            _same_words,
        ),
        Check(
            "orphan",
            "note",
            "Something that nothing uses: a figure, a run without its reproduction, a judged claim that is gone.",
            _orphan,
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
