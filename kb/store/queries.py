"""What the store is asked: plain SQL in, plain dicts out, in the shapes that `--json` prints.

Nothing here imports SQLAlchemy: a list costs less than that import. A test holds the columns named here
against the schema.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from kb.store.content import KEYS, placed_record, prediction_of, record, records
from kb.store.experiments import list_reproductions, list_runs, show_run
from kb.store.history import change, facts, history
from kb.store.names import former, names, near, pointing_at, resolve
from kb.store.shared import Row, column, marks, truths

__all__ = [
    "KEYS",
    "change",
    "claims_by_id",
    "facts",
    "former",
    "history",
    "list_claims",
    "list_figures",
    "list_reproductions",
    "list_runs",
    "list_sources",
    "names",
    "near",
    "placed_record",
    "pointing_at",
    "record",
    "records",
    "resolve",
    "show_claim",
    "show_run",
    "show_source",
]

_LISTED = """
SELECT c.id, c.kind, c.statement, c.asserted_by, c.date, c.status,
    COALESCE((SELECT v.verdict FROM claim_verdict v WHERE v.claim_id = c.id), 'unchecked') AS verdict,
    (SELECT GROUP_CONCAT(name) FROM (
        SELECT name FROM tag g WHERE g.claim_id = c.id ORDER BY g.position)) AS tags,
    (SELECT COUNT(*) FROM citation t WHERE t.claim_id = c.id) AS citations,
    (SELECT COUNT(DISTINCT j.run_id) FROM judgement j WHERE j.claim_id = c.id) AS runs
FROM claim c
"""
_PLACE = "c.home, c.position, c.id"


def list_claims(
    connection: sqlite3.Connection,
    *,
    kind: Sequence[str] = (),
    status: Sequence[str] = (),
    verdict: Sequence[str] = (),
    tag: Sequence[str] = (),
    by: str | None = None,
    source: str | None = None,
    reproducible: bool = False,
    limit: int | None = None,
) -> list[Row]:
    """Claims that match every filter given; within one filter, any of its values. Ordered by file and place.

    Args:
        by: part of who asserted it, any case.
        source: a key, or a former one, that the claim cites.
        reproducible: only claims that a reproduction judges.
    """
    where: list[str] = []
    values: list[Any] = []
    for field, wanted in (("c.kind", kind), ("c.status", status)):
        if wanted:
            where.append(f"{field} IN ({marks(wanted)})")
            values += wanted
    if verdict:
        where.append(
            "COALESCE((SELECT v.verdict FROM claim_verdict v WHERE v.claim_id = c.id), 'unchecked')"
            f" IN ({marks(verdict)})"
        )
        values += verdict
    if tag:
        where.append(f"c.id IN (SELECT claim_id FROM tag WHERE name IN ({marks(tag)}))")
        values += tag
    if by:
        where.append("c.asserted_by LIKE ? ESCAPE '\\'")
        values.append(f"%{_escaped(by)}%")
    if source:
        where.append("c.id IN (SELECT claim_id FROM citation WHERE source_key = ?)")
        values.append(resolve(connection, "source", source))
    if reproducible:
        where.append(f"c.id IN (SELECT {_OF_TODAY} FROM criterion k)")
    chosen = f"WHERE {' AND '.join(where) or 'TRUE'} ORDER BY {_PLACE}"
    if limit is not None:
        # Which claims first, then what is shown of them: the counts are made for those on the page alone.
        chosen = f"WHERE c.id IN (SELECT c.id FROM claim c {chosen} LIMIT ?) ORDER BY {_PLACE}"
        values.append(limit)
    return [_listed(row) for row in connection.execute(f"{_LISTED} {chosen}", values)]


def claims_by_id(connection: sqlite3.Connection, ids: Sequence[str]) -> list[Row]:
    """The claims named, as `list_claims` shows them, in the order given."""
    found = {
        row["id"]: _listed(row)
        for part in (ids[n : n + 10_000] for n in range(0, len(ids), 10_000))  # SQLite takes 32,766 at once
        for row in connection.execute(f"{_LISTED} WHERE c.id IN ({marks(part)})", tuple(part))
    }
    return [found[id_] for id_ in ids if id_ in found]


_OF_TODAY = (
    "COALESCE((SELECT a.name FROM alias a WHERE a.kind = 'claim' AND a.alias = k.claim_id), k.claim_id)"
)
"""A manifest may name a claim by a former id."""


def _listed(row: sqlite3.Row) -> Row:
    out = dict(row)
    out["tags"] = row["tags"].split(",") if row["tags"] else []
    return out


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def show_claim(connection: sqlite3.Connection, claim_id: str) -> Row:
    """All that the store knows of a claim. `claim_id` may be a former one.

    Raises:
        NotFound: with the nearest ids.
    """
    id_ = resolve(connection, "claim", claim_id)
    out = claims_by_id(connection, [id_])[0]
    more = "headline, number, caveat, date_note, answer, note"
    out.update(dict(connection.execute(f"SELECT {more} FROM claim WHERE id = ?", (id_,)).fetchone()))
    out["aliases"] = column(connection, "SELECT alias FROM alias WHERE kind = 'claim' AND name = ?", id_)
    verdict = connection.execute(
        "SELECT verdict, because, since, run_id AS run FROM claim_verdict WHERE claim_id = ?", (id_,)
    ).fetchone()
    out["verdict_detail"] = dict(verdict) if verdict else None
    out["citations"] = _citations(connection, id_)
    out["relations"] = _relations(connection, id_)
    out["computations"] = [
        {**dict(row), "expected": json.loads(row["expected"])}
        for row in connection.execute(
            "SELECT name, expression, expected, decimals, unit, assumes, decides, note FROM computation"
            " WHERE claim_id = ? ORDER BY position",
            (id_,),
        )
    ]
    out["prediction"] = prediction_of(connection, id_)
    names = [id_, *out["aliases"]]
    out["criteria"] = [
        truths(row, "primary", "analogue")
        for row in connection.execute(
            "SELECT reproduction, name, metric, meaning, low, high, is_primary AS 'primary', analogue, wording"
            f" FROM criterion WHERE claim_id IN ({marks(names)}) ORDER BY is_primary DESC, reproduction, name",
            names,
        )
    ]
    out["reproductions"] = _reproductions_of(connection, [c["reproduction"] for c in out["criteria"]])
    out["runs"] = _runs_on(connection, names)
    out["checks"] = [
        dict(row)
        for row in connection.execute(
            "SELECT name AS 'check', subject, outcome, detail, at FROM check_result WHERE claim_id = ?"
            " ORDER BY rowid",
            (id_,),
        )
    ]
    out["conflict"] = [
        {"origin": row["origin"], "theirs": json.loads(row["theirs"]) if row["theirs"] else None}
        for row in connection.execute(
            "SELECT origin, theirs FROM conflict WHERE kind = 'claim' AND name = ? ORDER BY origin", (id_,)
        )
    ]
    return out


def _runs_on(connection: sqlite3.Connection, claim_ids: Sequence[str]) -> list[Row]:
    """Runs that judge a claim first, each with the judgement that decides, or else the first that does not."""
    rows = connection.execute(
        "SELECT r.id, r.reproduction, r.preset, j.verdict, j.criterion, j.because, j.analogue, j.post_hoc,"
        " r.recorded, r.started, r.state FROM judgement j JOIN run r ON r.id = j.run_id"
        f" WHERE j.claim_id IN ({marks(claim_ids)}) AND j.is_primary"
        " ORDER BY r.started, r.id, j.verdict NOT IN ('supported', 'refuted'), j.rowid",
        claim_ids,
    )
    out: list[Row] = []
    for row in rows:
        seen = out and (out[-1]["id"], out[-1]["analogue"]) == (row["id"], bool(row["analogue"]))
        if not seen or row["verdict"] in ("supported", "refuted"):
            out.append(truths(row, "recorded", "analogue", "post_hoc"))
    return out


def _citations(connection: sqlite3.Connection, id_: str) -> list[Row]:
    rows = connection.execute(
        "SELECT t.source_key AS source, t.stance, t.directness, t.role, t.locator, t.quote, t.seen, t.seen_at,"
        " t.cited_by, t.absence, t.note, s.title, s.authors, s.year, s.url, s.doi, s.eprint, s.kind AS source_kind"
        " FROM citation t JOIN source s ON s.key = t.source_key WHERE t.claim_id = ? ORDER BY t.position",
        (id_,),
    )
    return [{**dict(row), "absence": json.loads(row["absence"]) if row["absence"] else None} for row in rows]


def _relations(connection: sqlite3.Connection, id_: str) -> list[Row]:
    rows = connection.execute(
        "SELECT r.type, r.target AS claim, 'out' AS direction, c.statement, c.status, r.note, r.position"
        " FROM relation r LEFT JOIN claim c ON c.id = r.target WHERE r.claim_id = ?"
        " UNION ALL SELECT r.type, r.claim_id, 'in', c.statement, c.status, r.note, r.position"
        " FROM relation r JOIN claim c ON c.id = r.claim_id WHERE r.target = ? ORDER BY 3 DESC, 7, 2",
        (id_, id_),
    )
    return [{name: value for name, value in dict(row).items() if name != "position"} for row in rows]


def _reproductions_of(connection: sqlite3.Connection, names_: Sequence[str]) -> list[Row]:
    return [r for r in list_reproductions(connection) if r["name"] in names_] if names_ else []


def list_sources(connection: sqlite3.Connection, *, limit: int | None = None) -> list[Row]:
    """Sources with how many claims cite them."""
    rows = connection.execute(
        "SELECT key, type, kind, authors, year, title, doi, eprint, url,"
        " (SELECT COUNT(DISTINCT claim_id) FROM citation t WHERE t.source_key = s.key) AS claims"
        " FROM source s ORDER BY home, position, key LIMIT ?",
        (-1 if limit is None else limit,),
    )
    return [dict(row) for row in rows]


def show_source(connection: sqlite3.Connection, key: str) -> Row:
    """A source with its fields, former keys, the claims that cite it and the figures read from it."""
    key = resolve(connection, "source", key)
    row = connection.execute("SELECT * FROM source WHERE key = ?", (key,)).fetchone()
    out = {
        name: row[name]
        for name in ("key", "type", "kind", "title", "authors", "year", "doi", "eprint", "url")
    }
    out["fields"] = json.loads(row["fields"])
    out["aliases"] = column(
        connection, "SELECT alias FROM alias WHERE kind = 'source' AND name = ? ORDER BY position", key
    )
    out["claims"] = [
        dict(r)
        for r in connection.execute(
            "SELECT t.claim_id AS claim, t.stance, t.locator, t.seen, c.statement FROM citation t"
            " JOIN claim c ON c.id = t.claim_id WHERE t.source_key = ? ORDER BY t.claim_id, t.position",
            (key,),
        )
    ]
    out["figures"] = column(connection, "SELECT id FROM figure WHERE source_key = ? ORDER BY id", key)
    return out


def list_figures(connection: sqlite3.Connection, pattern: str = "*") -> list[Row]:
    """Published figures whose id matches a pattern with * and ?."""
    rows = connection.execute(
        "SELECT id, source_key AS source, locator, quantity, value, spread, unit, scale, environment, dataset,"
        " method, protocol, seen, seen_at, note FROM figure WHERE id GLOB ? ORDER BY id",
        (pattern,),
    )
    return [dict(row) for row in rows]
