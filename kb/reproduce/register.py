"""Reproductions and the runs that ship with them, from their folders into the store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kb.errors import KbError
from kb.reproduce import manifest, recorded
from kb.reproduce.judging import judgements_of
from kb.store import runs
from kb.store.connect import raw

if TYPE_CHECKING:
    from sqlmodel import Session


def register(session: Session, of: manifest.Manifest) -> None:
    """Put one reproduction, as its manifest and code are now, into the store."""
    runs.save_reproduction(
        session,
        name=of.name,
        title=of.title,
        version=of.version,
        code_digest=of.code,
        manifest=dict(of.raw),
        criteria=[criterion.plain() for criterion in of.criteria],
    )


def register_all(session: Session, roots: Sequence[Path]) -> list[str]:
    """Bring the store's reproductions and recorded runs to what the folders hold; the names of all.

    Verdicts are computed from the metrics that a record keeps, by the criteria of today; own runs stay.

    Raises:
        KbError: when a manifest or a record is broken.
    """
    connection = raw(session)
    found = manifest.load_all(tuple(roots))
    for one in found:
        register(session, one)
    gone = {row[0] for row in connection.execute("SELECT name FROM reproduction")} - {m.name for m in found}
    for name in gone:
        runs.remove_reproduction(session, name)
    connection.execute("DELETE FROM run WHERE recorded")
    for one in found:
        for folder, run in recorded.recorded_runs(one.runs):
            runs.save_run(session, _judged(one, folder, run), recorded=True, folder=_told(one, folder))
    rejudge_own(session, found)
    return [m.name for m in found]


def _told(one: manifest.Manifest, folder: Path) -> str:
    """A recorded run's folder as seen from the library's root: no path of anybody's machine."""
    return folder.relative_to(one.folder.parent.parent).as_posix()


def _judged(one: manifest.Manifest, folder: Path, run: dict[str, Any]) -> dict[str, Any]:
    if run["reproduction"] != one.name:
        raise KbError(f"{folder / recorded.RECORD} is a run of {run['reproduction']}, not of {one.name}")
    if run["state"] != "finished":
        raise KbError(f"{folder / recorded.RECORD} is not finished", "only finished runs are recorded")
    judgements = judgements_of(
        one,
        run["metrics"],
        run["preset"],
        on_original="original" in run["config"],
        judged_by=run["criteria"],
    )
    kept = {name: value for name, value in run.items() if name != "notes"}
    return {**kept, "judgements": judgements}


def rejudge_own(session: Session, found: Sequence[manifest.Manifest]) -> None:
    """Own runs by the criteria of today: what was fixed after a run is marked post hoc."""
    import json

    from kb.schema import Judgement

    connection = raw(session)
    by_name = {m.name: m for m in found}
    for row in connection.execute(
        "SELECT id, reproduction, preset, config, criteria FROM run WHERE NOT recorded AND state = 'finished'"
    ).fetchall():
        one = by_name.get(row["reproduction"])
        if one is None:
            continue
        metrics = {
            m["name"]: {k: m[k] for k in ("value", "low", "high", "n", "unit", "method")}
            for m in connection.execute("SELECT * FROM metric WHERE run_id = ?", (row["id"],))
        }
        judgements = judgements_of(
            one,
            metrics,
            row["preset"],
            on_original="original" in json.loads(row["config"]),
            judged_by=json.loads(row["criteria"]),
        )
        connection.execute("DELETE FROM judgement WHERE run_id = ?", (row["id"],))
        for judgement in judgements:
            session.add(
                Judgement(
                    run_id=row["id"],
                    claim_id=judgement.pop("claim"),
                    is_primary=judgement.pop("primary"),
                    **judgement,
                )
            )
    session.flush()
