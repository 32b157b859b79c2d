"""The verdict on each claim, computed from all that is our own: runs, and computations that decide."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from kb.store import queries
from kb.store.connect import raw
from kb.verdict import Evidence, Judgement, Verdict, combine, together

if TYPE_CHECKING:
    from sqlmodel import Session


def refresh(
    session: Session,
    claim_ids: Iterable[str] | None = None,
    *,
    now: str | None = None,
    history: bool = True,
) -> list[tuple[str, str, str]]:
    """Compute verdicts anew and keep those that changed, with since when and because of what.

    Args:
        session: an open transaction.
        claim_ids: which claims; all by default. Former names will do; unknown ones are passed over.
        now: the time to write; the clock's by default.
        history: whether a change goes into the history.

    Returns: (claim, verdict before, verdict now) of each that changed.
    """
    from kb.checks.figures import deciding
    from kb.store.edit import now as clock

    connection = raw(session)
    computed = deciding(connection)
    ids = _known(connection, claim_ids)
    at = now or clock()
    changed: list[tuple[str, str, str]] = []
    evidence = of_runs(connection)
    for id_ in ids:
        own = [*evidence.get(id_, []), *computed.get(id_, [])]
        verdict, because, rests_on = combine(own)
        before = connection.execute(
            "SELECT verdict, because FROM claim_verdict WHERE claim_id = ?", (id_,)
        ).fetchone()
        run = rests_on.name if rests_on and rests_on.name else None
        if before is None and verdict == "unchecked":
            continue
        if before is not None and (before["verdict"], before["because"]) == (verdict, because):
            continue
        if before is not None and before["verdict"] == verdict:
            connection.execute(
                "UPDATE claim_verdict SET because = ?, run_id = ? WHERE claim_id = ?", (because, run, id_)
            )
            continue
        was = before["verdict"] if before else "unchecked"
        connection.execute(
            "INSERT INTO claim_verdict(claim_id, verdict, because, since, run_id) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT(claim_id) DO UPDATE SET verdict = excluded.verdict, because = excluded.because,"
            " since = excluded.since, run_id = excluded.run_id",
            (id_, verdict, because, at, run),
        )
        if history:
            _remember(connection, id_, was, verdict, because, at)
        changed.append((id_, was, verdict))
    return changed


def _known(connection: sqlite3.Connection, claim_ids: Iterable[str] | None) -> list[str]:
    known = set(queries.names(connection, "claim"))
    if claim_ids is None:
        return sorted(known)
    aliases = dict(connection.execute("SELECT alias, name FROM alias WHERE kind = 'claim'").fetchall())
    today = [aliases.get(id_, id_) for id_ in claim_ids]
    return [id_ for id_ in dict.fromkeys(today) if id_ in known]


def of_runs(connection: sqlite3.Connection, claim: str | None = None) -> dict[str, list[Evidence]]:
    """What finished runs say of each claim, or of one; stale where version, code or configuration changed since."""
    aliases = dict(connection.execute("SELECT alias, name FROM alias WHERE kind = 'claim'").fetchall())
    now = manifests(connection)
    by_run: dict[tuple[str, str], list[Judgement]] = {}
    runs: dict[str, sqlite3.Row] = {}
    for row in connection.execute(
        "SELECT j.*, r.reproduction, r.version, r.code_digest, r.preset, r.started, r.config FROM judgement j"
        " JOIN run r ON r.id = j.run_id WHERE r.state = 'finished' AND (? IS NULL OR j.claim_id IN"
        " (SELECT ? UNION SELECT alias FROM alias WHERE kind = 'claim' AND name = ?)) ORDER BY r.started, r.id",
        (claim, claim, claim),
    ):
        runs[row["run_id"]] = row
        claim = aliases.get(row["claim_id"], row["claim_id"])
        by_run.setdefault((row["run_id"], claim), []).append(
            Judgement(
                criterion=row["criterion"],
                claim=claim,
                verdict=row["verdict"],
                because=row["because"] + (" (post hoc)" if row["post_hoc"] else ""),
                primary=bool(row["is_primary"]),
                analogue=bool(row["analogue"]),
            )
        )
    out: dict[str, list[Evidence]] = {}
    for (run_id, claim), judgements in by_run.items():
        row = runs[run_id]
        changes = changes_since(row, now.get(row["reproduction"]))
        for analogue in (False, True):
            part = [j for j in judgements if j.analogue is analogue]
            if not any(j.primary for j in part):
                continue
            verdict, because = together(part)
            evidence = Evidence(
                subject=row["reproduction"],
                name=run_id,
                verdict=verdict,
                because=f"{changes} changed since; then: {because}" if changes else because,
                preset=row["preset"],
                when=row["started"],
                analogue=analogue,
                stale=bool(changes),
            )
            out.setdefault(claim, []).append(evidence)
    return out


Today = tuple[str, str, dict[str, Any]]
"""A reproduction as it is now: its version, the digest of its code, its manifest."""


def manifests(connection: sqlite3.Connection) -> dict[str, Today]:
    """Every reproduction as it is now, by name."""
    return {
        row["name"]: (row["version"], row["code_digest"], json.loads(row["manifest"]))
        for row in connection.execute("SELECT name, version, code_digest, manifest FROM reproduction")
    }


def changes_since(row: sqlite3.Row, manifest: Today | None) -> str:
    """What changed between a run and its reproduction as it is now, in words; '' where nothing did.

    Args:
        row: of the run, with version, code_digest, preset and config.
        manifest: None where the reproduction is not here any more.
    """
    if manifest is None:
        return ""
    version, code, raw_manifest = manifest
    parameters = raw_manifest.get("presets", {}).get(row["preset"], {}).get("parameters", {})
    differs = {
        "the experiment's version": row["version"] != version,
        "its code": row["code_digest"] != code,
        "its configuration": {k: v for k, v in json.loads(row["config"]).items() if k != "original"}
        != parameters,
    }
    return " and ".join(what for what, yes in differs.items() if yes)


def _remember(
    connection: sqlite3.Connection, id_: str, was: str, verdict: Verdict, because: str, at: str
) -> None:
    connection.execute(
        "INSERT INTO change(at, by, why, kind, name, action, before, after) VALUES (?, 'kb', ?, 'claim', ?,"
        " 'verdict', ?, ?)",
        (at, because, id_, json.dumps({"verdict": was}), json.dumps({"verdict": verdict})),
    )
