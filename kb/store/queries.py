"""What the store is asked: plain SQL in, plain dicts out, in the shapes that `--json` prints.

Nothing here imports SQLAlchemy: a list costs less than that import. A test holds the columns named here
against the schema.
"""

from __future__ import annotations

import difflib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

from kb import words
from kb.errors import NotFound

Row = dict[str, Any]
KEYS = {"claim": "id", "source": "key", "figure": "id", "talk": "name"}

_LISTED = """
SELECT c.id, c.kind, c.statement, c.asserted_by, c.date, c.status,
    COALESCE((SELECT v.verdict FROM claim_verdict v WHERE v.claim_id = c.id), 'unchecked') AS verdict,
    (SELECT GROUP_CONCAT(name) FROM (
        SELECT name FROM tag g WHERE g.claim_id = c.id ORDER BY g.position)) AS tags,
    (SELECT COUNT(*) FROM citation t WHERE t.claim_id = c.id) AS citations,
    (SELECT COUNT(DISTINCT j.run_id) FROM judgement j WHERE j.claim_id = c.id) AS runs
FROM claim c
"""


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
    for column, wanted in (("c.kind", kind), ("c.status", status)):
        if wanted:
            where.append(f"{column} IN ({_marks(wanted)})")
            values += wanted
    if verdict:
        where.append(
            "COALESCE((SELECT v.verdict FROM claim_verdict v WHERE v.claim_id = c.id), 'unchecked')"
            f" IN ({_marks(verdict)})"
        )
        values += verdict
    if tag:
        where.append(f"c.id IN (SELECT claim_id FROM tag WHERE name IN ({_marks(tag)}))")
        values += tag
    if by:
        where.append("c.asserted_by LIKE ? ESCAPE '\\'")
        values.append(f"%{_escaped(by)}%")
    if source:
        where.append("c.id IN (SELECT claim_id FROM citation WHERE source_key = ?)")
        values.append(resolve(connection, "source", source))
    if reproducible:
        where.append(f"c.id IN (SELECT {_OF_TODAY} FROM criterion k)")
    sql = _LISTED + (" WHERE " + " AND ".join(where) if where else "") + " ORDER BY c.home, c.position, c.id"
    return [
        _listed(row)
        for row in connection.execute(f"{sql} LIMIT ?", (*values, -1 if limit is None else limit))
    ]


def claims_by_id(connection: sqlite3.Connection, ids: Sequence[str]) -> list[Row]:
    """The claims named, as `list_claims` shows them, in the order given."""
    found = {
        row["id"]: _listed(row)
        for row in connection.execute(f"{_LISTED} WHERE c.id IN ({_marks(ids)})", tuple(ids))
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


def _marks(values: Sequence[Any]) -> str:
    return ", ".join("?" * len(values))


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
    out["aliases"] = _column(connection, "SELECT alias FROM alias WHERE kind = 'claim' AND name = ?", id_)
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
    out["prediction"] = _prediction(connection, id_)
    names = [id_, *out["aliases"]]
    out["criteria"] = [
        _truths(row, "primary", "analogue")
        for row in connection.execute(
            "SELECT reproduction, name, metric, meaning, low, high, is_primary AS 'primary', analogue, wording"
            f" FROM criterion WHERE claim_id IN ({_marks(names)}) ORDER BY is_primary DESC, reproduction, name",
            names,
        )
    ]
    out["reproductions"] = _reproductions_of(connection, [c["reproduction"] for c in out["criteria"]])
    out["runs"] = [
        _truths(row, "recorded", "analogue", "post_hoc")
        for row in connection.execute(
            "SELECT r.id, r.reproduction, r.preset, j.verdict, j.criterion, j.because, j.analogue, j.post_hoc,"
            " r.recorded, r.started, r.state FROM judgement j JOIN run r ON r.id = j.run_id"
            f" WHERE j.claim_id IN ({_marks(names)}) AND j.is_primary ORDER BY r.started, r.id",
            names,
        )
    ]
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


def _prediction(connection: sqlite3.Connection, id_: str) -> Row | None:
    row = connection.execute(
        "SELECT probability, forecaster, made, horizon, about, resolution, outcome FROM prediction"
        " WHERE claim_id = ?",
        (id_,),
    ).fetchone()
    return {**dict(row), "outcome": json.loads(row["outcome"]) if row["outcome"] else None} if row else None


def _reproductions_of(connection: sqlite3.Connection, names_: Sequence[str]) -> list[Row]:
    wanted = list(dict.fromkeys(names_))
    return [r for r in list_reproductions(connection) if r["name"] in wanted]


def _truths(row: sqlite3.Row, *columns: str) -> Row:
    return {name: bool(value) if name in columns else value for name, value in dict(row).items()}


def _column(connection: sqlite3.Connection, sql: str, *values: Any) -> list[Any]:
    return [row[0] for row in connection.execute(sql, values)]


# --- Records: the lossless form ---------------------------------------------------------------------


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
            "tags": _column(connection, "SELECT name FROM tag WHERE claim_id = ? ORDER BY position", id_),
            "aliases": _column(
                connection, "SELECT alias FROM alias WHERE kind = 'claim' AND name = ? ORDER BY position", id_
            ),
            "citations": list(_plain_citations(connection, id_)),
            "relations": list(_plain_relations(connection, id_)),
            "computations": list(_plain_computations(connection, id_)),
        }
        plain.update({name: value for name, value in parts.items() if value})
        prediction = _prediction(connection, id_)
        if prediction:
            plain["prediction"] = _filled(prediction)
        yield id_, row["home"], row["position"], plain


def _plain_citations(connection: sqlite3.Connection, id_: str) -> Iterator[Row]:
    rows = connection.execute(
        "SELECT source_key AS source, stance, cited_by, directness, role, locator, quote, seen, seen_at, absence,"
        " note FROM citation WHERE claim_id = ? ORDER BY position",
        (id_,),
    )
    for row in rows:
        plain = _filled(dict(row))
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
        yield _filled(dict(row))


def _plain_computations(connection: sqlite3.Connection, id_: str) -> Iterator[Row]:
    for row in connection.execute(
        "SELECT name, expression, expected, decimals, unit, assumes, decides, note FROM computation"
        " WHERE claim_id = ? ORDER BY position",
        (id_,),
    ):
        plain = _filled(dict(row))
        plain["expected"] = json.loads(plain["expected"])
        if plain["decimals"] == 0:
            del plain["decimals"]
        if plain.pop("decides"):
            plain["decides"] = True
            plain["note"] = plain.pop("note", None)
        yield _filled(plain)


def _filled(row: Row) -> Row:
    return {name: value for name, value in row.items() if value is not None}


def _source_records(connection: sqlite3.Connection, clause: str, values: tuple[Any, ...]) -> Placed:
    for row in connection.execute(
        f"SELECT key, type, kind, fields, home, position FROM source {clause}", values
    ):
        plain: Row = {"key": row["key"], "type": row["type"], "kind": row["kind"]}
        fields = json.loads(row["fields"])
        if fields:
            plain["fields"] = fields
        aliases = _column(
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
        plain = _filled(dict(row))
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


# --- Names ------------------------------------------------------------------------------------------


def resolve(connection: sqlite3.Connection, kind: str, name: str) -> str:
    """Today's name of a record, from its name or a former one.

    Raises:
        NotFound: with the names that come near.
    """
    if connection.execute(f"SELECT 1 FROM {kind} WHERE {KEYS[kind]} = ?", (name,)).fetchone():
        return name
    row = connection.execute("SELECT name FROM alias WHERE kind = ? AND alias = ?", (kind, name)).fetchone()
    if row:
        return str(row[0])
    raise NotFound({"source": "cite"}.get(kind, kind), name, nearest(name, names(connection, kind)))


def nearest(name: str, known: Sequence[str]) -> list[str]:
    """Up to three names that come near: by spelling, or holding all of what was typed."""
    wanted = name[:100].casefold()
    holding = [other for other in known if len(wanted) > 2 and wanted in other.casefold()]
    return list(dict.fromkeys(difflib.get_close_matches(wanted, known, 3) + sorted(holding, key=len)))[:3]


def names(connection: sqlite3.Connection, kind: str) -> list[str]:
    """Every name of a kind, sorted: for completion and for suggestions."""
    return _column(connection, f"SELECT {KEYS[kind]} FROM {kind} ORDER BY 1")


def pointing_at(connection: sqlite3.Connection, kind: str, name: str) -> list[str]:
    """What would dangle if the record were removed: 'claim x', 'figure y', 'talk z'."""
    match kind:
        case "claim":
            sql = "SELECT 'claim ' || claim_id FROM relation WHERE target = ? ORDER BY 1"
            talks = connection.execute("SELECT name, content FROM talk ORDER BY name").fetchall()
            listed = [f"talk {t}" for t, content in talks if name in _claims_of_talk(json.loads(content))]
            return _column(connection, sql, name) + listed
        case "source":
            return _column(
                connection,
                "SELECT DISTINCT 'claim ' || claim_id FROM citation WHERE source_key = ?1"
                " UNION SELECT 'figure ' || id FROM figure WHERE source_key = ?1 ORDER BY 1",
                name,
            )
        case "figure":
            sql = "SELECT 'claim ' || claim_id FROM computation WHERE instr(expression, ?) ORDER BY 1"
            return _column(connection, sql, f'"{name}"')
        case _:
            return []


def _claims_of_talk(content: Row) -> set[str]:
    return {*content["select"].get("claims", []), *(content.get("rubric") or {}).get("scores", {})}


# --- History and facts ------------------------------------------------------------------------------


def history(connection: sqlite3.Connection, name: str | None = None, limit: int | None = None) -> list[Row]:
    """Changes, the newest first; of one record if named."""
    where, values = ("WHERE name = ?", [name]) if name else ("", [])
    rows = connection.execute(
        f"SELECT * FROM change {where} ORDER BY seq DESC LIMIT ?", [*values, -1 if limit is None else limit]
    )
    return [change(row) for row in rows]


def change(row: sqlite3.Row) -> Row:
    """A row of the history, with what changed named field by field."""
    before = json.loads(row["before"]) if row["before"] else None
    after = json.loads(row["after"]) if row["after"] else None
    was = before.get("record", before) if before else {}
    becomes = after.get("record", after) if after else {}
    fields = [field for field in dict.fromkeys((*was, *becomes)) if was.get(field) != becomes.get(field)]
    return {
        **{name: row[name] for name in ("seq", "at", "by", "why", "kind", "name", "action", "undoes")},
        "fields": fields,
        "before": before,
        "after": after,
    }


def facts(connection: sqlite3.Connection) -> Row:
    """Counts for `kb db info`: records by kind, status and verdict; quotes by how they were seen."""
    counts = {
        kind: connection.execute(f"SELECT COUNT(*) FROM {kind}").fetchone()[0] for kind in words.RECORD_KINDS
    }
    listed = list_claims(connection)
    seen = dict(
        connection.execute(
            "SELECT seen, COUNT(*) FROM citation WHERE quote IS NOT NULL GROUP BY seen"
        ).fetchall()
    )
    last = connection.execute(
        "SELECT at, action, kind, name FROM change ORDER BY seq DESC LIMIT 1"
    ).fetchone()
    return {
        "records": counts,
        "citations": connection.execute("SELECT COUNT(*) FROM citation").fetchone()[0],
        "relations": connection.execute("SELECT COUNT(*) FROM relation").fetchone()[0],
        "runs": connection.execute("SELECT COUNT(*) FROM run").fetchone()[0],
        "claims_by_kind": _tally([c["kind"] for c in listed], words.CLAIM_KINDS),
        "claims_by_status": _tally([c["status"] for c in listed], words.STATUSES),
        "claims_by_verdict": _tally([c["verdict"] for c in listed], words.VERDICTS),
        "quotes_by_seen": {name: seen.get(name, 0) for name in words.SEEN if name != "not-read"},
        "citations_without_quote": connection.execute(
            "SELECT COUNT(*) FROM citation WHERE quote IS NULL AND absence IS NULL"
        ).fetchone()[0],
        "last_change": dict(last) if last else None,
        "meta": dict(connection.execute("SELECT name, value FROM meta ORDER BY name").fetchall()),
    }


def _tally(values: Sequence[str], order: Sequence[str]) -> dict[str, int]:
    return {name: values.count(name) for name in order}


# --- Sources, figures, reproductions, runs ------------------------------------------------------------


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
    out["aliases"] = _column(
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
    out["figures"] = _column(connection, "SELECT id FROM figure WHERE source_key = ? ORDER BY id", key)
    return out


def list_figures(connection: sqlite3.Connection, pattern: str = "*") -> list[Row]:
    """Published figures whose id matches a pattern with * and ?."""
    rows = connection.execute(
        "SELECT id, source_key AS source, locator, quantity, value, spread, unit, scale, environment, dataset,"
        " method, protocol, seen, seen_at, note FROM figure WHERE id GLOB ? ORDER BY id",
        (pattern,),
    )
    return [dict(row) for row in rows]


def list_reproductions(connection: sqlite3.Connection) -> list[Row]:
    """Reproductions that the store knows: {name, title, command, needs, recorded, claims, presets}."""
    out = []
    for row in connection.execute("SELECT name, title, version, manifest FROM reproduction ORDER BY name"):
        manifest = json.loads(row["manifest"])
        recorded = _column(
            connection,
            "SELECT id FROM run WHERE reproduction = ? AND recorded ORDER BY preset, started",
            row["name"],
        )
        out.append(
            {
                "name": row["name"],
                "title": row["title"],
                "command": f"kb reproduce {row['name']}",
                "needs": manifest.get("needs", []),
                "recorded": recorded,
                "claims": _column(
                    connection,
                    "SELECT DISTINCT claim_id FROM criterion WHERE reproduction = ? ORDER BY 1",
                    row["name"],
                ),
                "presets": list(manifest.get("presets", {})),
            }
        )
    return out


def list_runs(connection: sqlite3.Connection, reproduction: str | None = None) -> list[Row]:
    """Runs, the oldest first, each with what it said of the claims it judges first."""
    where, values = ("WHERE reproduction = ?", (reproduction,)) if reproduction else ("", ())
    rows = connection.execute(
        "SELECT id, reproduction, preset, state, recorded, started, seconds, seed,"
        " (SELECT GROUP_CONCAT(j.claim_id || ': ' || j.verdict, '; ') FROM judgement j"
        "  WHERE j.run_id = run.id AND j.is_primary) AS verdict"
        f" FROM run {where} ORDER BY started, id",
        values,
    )
    return [_truths(row, "recorded") for row in rows]


def show_run(connection: sqlite3.Connection, run_id: str) -> Row:
    """A run with its metrics, judgements, artifacts and all that it was run with."""
    row = connection.execute("SELECT * FROM run WHERE id = ?", (run_id,)).fetchone()
    if row is None:
        known = _column(connection, "SELECT id FROM run ORDER BY 1")
        raise NotFound("run", run_id, nearest(run_id, known))
    out = _truths(row, "recorded")
    for name in ("config", "protocol", "criteria", "departures", "environment"):
        out[name] = json.loads(out[name])
    out["metrics"] = {
        m["name"]: {k: m[k] for k in ("value", "low", "high", "n", "unit", "method", "title")}
        for m in connection.execute("SELECT * FROM metric WHERE run_id = ? ORDER BY position", (run_id,))
    }
    out["verdicts"] = [
        _truths(j, "primary", "analogue", "post_hoc")
        for j in connection.execute(
            "SELECT claim_id AS claim, criterion, verdict, is_primary AS 'primary', analogue, post_hoc, because"
            " FROM judgement WHERE run_id = ? ORDER BY is_primary DESC, criterion",
            (run_id,),
        )
    ]
    out["artifacts"] = [
        dict(a)
        for a in connection.execute(
            "SELECT path, title, sha256, bytes FROM artifact WHERE run_id = ? ORDER BY path", (run_id,)
        )
    ]
    out["samples"] = connection.execute("SELECT COUNT(*) FROM sample WHERE run_id = ?", (run_id,)).fetchone()[
        0
    ]
    return out
