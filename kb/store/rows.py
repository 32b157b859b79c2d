"""A record as rows of tables: one place that says which field stands in which column."""

from __future__ import annotations

import json
from typing import Any

from kb import records

Rows = list[tuple[str, list[dict[str, Any]]]]
"""(table, rows) in an order that foreign keys allow."""


def dumps(value: Any) -> str:
    """JSON as the store keeps it: keys sorted, text as it is, so that equal content is equal text."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def rows_of(record: records.Record, home: str, position: int) -> Rows:
    """The rows of a record, the one that carries its name first."""
    match record:
        case records.Claim():
            return _claim(record, home, position)
        case records.Source():
            return _source(record, home, position)
        case records.Figure():
            row = record.model_dump()
            row["source_key"] = row.pop("source")
            return [("figure", [{**row, "home": home, "position": position}])]
        case records.Talk():
            talk = {"name": record.name, "title": record.title, "minutes": record.minutes}
            content = json.dumps(records.plain(record), ensure_ascii=False)
            return [("talk", [{**talk, "content": content, "home": home, "position": position}])]


def _claim(claim: records.Claim, home: str, position: int) -> Rows:
    own = ("id", "kind", "statement", "asserted_by", "date", "date_note", "status", "headline", "number")
    row = {name: getattr(claim, name) for name in (*own, "caveat", "answer", "note")}
    out: Rows = [("claim", [{**row, "home": home, "position": position}])]
    id_ = {"claim_id": claim.id}
    out.append(("alias", _aliases("claim", claim.id, claim.aliases)))
    out.append(("tag", [{**id_, "name": tag, "position": n} for n, tag in enumerate(claim.tags)]))
    citations = []
    for n, citation in enumerate(claim.citations):
        fields = citation.model_dump()
        fields["source_key"] = fields.pop("source")
        absence = fields.pop("absence")
        fields["absence"] = json.dumps(absence, ensure_ascii=False) if absence else None
        citations.append({**id_, "position": n, **fields})
    out.append(("citation", citations))
    out.append(
        (
            "relation",
            [
                {**id_, "type": r.type, "target": r.claim, "position": n, "note": r.note}
                for n, r in enumerate(claim.relations)
            ],
        )
    )
    computations = []
    for n, computation in enumerate(claim.computations):
        fields = computation.model_dump()
        fields["expected"] = json.dumps(fields["expected"])
        computations.append({**id_, "position": n, **fields})
    out.append(("computation", computations))
    if claim.prediction:
        fields = claim.prediction.model_dump()
        outcome = fields.pop("outcome")
        fields["outcome"] = json.dumps(outcome, ensure_ascii=False) if outcome else None
        out.append(("prediction", [{**id_, **fields}]))
    return out


def _source(source: records.Source, home: str, position: int) -> Rows:
    from kb.sources.bibtex import display

    shown = display(source.fields)
    row = {
        "key": source.key,
        "type": source.type,
        "kind": source.kind,
        **{name: shown.get(name, "") for name in ("title", "authors", "year", "doi", "eprint", "url")},
        "fields": json.dumps(source.fields, ensure_ascii=False),
        "home": home,
        "position": position,
    }
    return [("source", [row]), ("alias", _aliases("source", source.key, source.aliases))]


def _aliases(kind: str, name: str, aliases: list[str]) -> list[dict[str, Any]]:
    return [{"kind": kind, "alias": alias, "name": name, "position": n} for n, alias in enumerate(aliases)]
