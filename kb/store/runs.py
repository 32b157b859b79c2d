"""Reproductions and runs into the store: each run whole, or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kb.store.connect import raw

if TYPE_CHECKING:
    from sqlmodel import Session

_PLAIN = (
    "id",
    "reproduction",
    "version",
    "preset",
    "state",
    "started",
    "seconds",
    "cpu_seconds",
    "peak_memory_mb",
    "seed",
    "code_digest",
    "data_digest",
    "error",
)
_JSON = ("config", "protocol", "criteria", "departures", "environment")


def save_reproduction(
    session: Session,
    *,
    name: str,
    title: str,
    version: str,
    code_digest: str,
    manifest: Mapping[str, Any],
    criteria: Sequence[Mapping[str, Any]],
) -> None:
    """Put a reproduction and its criteria in place of what the store had of them.

    Args:
        session: an open transaction.
        name: as in its manifest.
        title: one line.
        version: of the experiment.
        code_digest: over the syntax trees of its code (`kb.reproduce.digest`).
        manifest: the whole manifest as plain data.
        criteria: {name, claim, metric, meaning, low, high, primary, analogue, wording} each.
    """
    from kb.schema import Criterion, Reproduction

    connection = raw(session)
    connection.execute("DELETE FROM criterion WHERE reproduction = ?", (name,))
    connection.execute("DELETE FROM reproduction WHERE name = ?", (name,))
    plain = json.dumps(manifest, ensure_ascii=False, sort_keys=True)
    session.add(
        Reproduction(name=name, title=title, version=version, code_digest=code_digest, manifest=plain)
    )
    session.flush()
    for criterion in criteria:
        session.add(
            Criterion(
                reproduction=name,
                name=criterion["name"],
                claim_id=criterion["claim"],
                metric=criterion["metric"],
                meaning=criterion["meaning"],
                low=criterion.get("low"),
                high=criterion.get("high"),
                is_primary=bool(criterion.get("primary", False)),
                analogue=bool(criterion.get("analogue", False)),
                wording=criterion.get("wording", ""),
            )
        )
    session.flush()


def remove_reproduction(session: Session, name: str) -> None:
    """Forget a reproduction that is no longer there; its runs stay."""
    raw(session).execute("DELETE FROM reproduction WHERE name = ?", (name,))


def save_run(session: Session, run: Mapping[str, Any], *, recorded: bool = False, folder: str = "") -> None:
    """Put a run, as `run.json` holds it, in place of what the store had under its id.

    Args:
        session: an open transaction.
        run: the columns of the run, with `metrics` (by name), `judgements`, `artifacts` and `samples`.
        recorded: whether it ships with the library.
        folder: where its files are.
    """
    from kb.schema import Artifact, Judgement, Metric, Run

    connection = raw(session)
    id_ = run["id"]
    connection.execute("DELETE FROM run WHERE id = ?", (id_,))
    columns: dict[str, Any] = {name: run[name] for name in _PLAIN if run.get(name) is not None}
    as_json: dict[str, Any] = {
        name: json.dumps(run[name], ensure_ascii=False) for name in _JSON if name in run
    }
    session.add(Run(**columns, **as_json, recorded=recorded, folder=folder))
    session.flush()
    for position, (name, metric) in enumerate(run.get("metrics", {}).items()):
        session.add(Metric(run_id=id_, name=name, position=position, **metric))
    for judgement in run.get("judgements", []):
        fields = dict(judgement)
        session.add(
            Judgement(
                run_id=id_, claim_id=fields.pop("claim"), is_primary=fields.pop("primary", False), **fields
            )
        )
    session.add_all(Artifact(run_id=id_, **artifact) for artifact in run.get("artifacts", []))
    session.flush()
    # Plain SQL: there are tens of thousands, and building an object for each took most of a build.
    connection.executemany(
        "INSERT INTO sample(run_id, metric, unit, value, weight) VALUES (?, ?, ?, ?, ?)",
        ((id_, s["metric"], s["unit"], s["value"], s.get("weight")) for s in run.get("samples", [])),
    )


def samples_of(session: Session, run_id: str) -> list[dict[str, Any]]:
    """The per-unit samples of a run, in the order in which they came."""
    rows = raw(session).execute(
        "SELECT metric, unit, value, weight FROM sample WHERE run_id = ? ORDER BY id", (run_id,)
    )
    return [dict(row) for row in rows]
