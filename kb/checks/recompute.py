"""Recorded metrics, computed anew from the per-unit samples: a record is judged by what it holds."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterator

from kb.checks.run import Result
from kb.errors import KbError


def recomputed(connection: sqlite3.Connection, claim_id: str) -> Iterator[Result]:
    """For each finished run that judges the claim: do its samples give its metrics? Needs scipy."""
    from kb.reproduce.manifest import Metric
    from kb.reproduce.statistics import estimate

    rows = connection.execute(
        "SELECT DISTINCT r.id, r.reproduction FROM judgement j JOIN run r ON r.id = j.run_id"
        " WHERE j.claim_id = ? AND r.state = 'finished' ORDER BY r.id",
        (claim_id,),
    ).fetchall()
    for run_id, name in rows:
        row = connection.execute("SELECT manifest FROM reproduction WHERE name = ?", (name,)).fetchone()
        if row is None:
            yield Result("recompute", run_id, "unknown", f"the manifest of {name} is not here")
            continue
        samples = [
            dict(sample)
            for sample in connection.execute(
                "SELECT metric, unit, value, weight FROM sample WHERE run_id = ? ORDER BY id", (run_id,)
            )
        ]
        wrong = []
        for raw in json.loads(row[0]).get("metric", []):
            given = tuple(raw.get("samples") or (raw["name"],))
            metric = Metric(
                raw["name"], raw["title"], raw["estimator"], given, raw["unit"], int(raw["min_units"])
            )
            kept = connection.execute(
                "SELECT value, low, high, n FROM metric WHERE run_id = ? AND name = ?", (run_id, metric.name)
            ).fetchone()
            try:
                found = estimate(metric, samples)
            except KbError as error:
                wrong.append(f"{metric.name}: {error}")
                continue
            now = (found.value, found.low, found.high, found.n) if found else None
            if not _same(now, tuple(kept) if kept else None):
                wrong.append(f"{metric.name}: recorded {tuple(kept) if kept else None}, samples give {now}")
        if wrong:
            yield Result("recompute", run_id, "fail", "; ".join(wrong))
        else:
            yield Result("recompute", run_id, "pass", f"{len(samples)} samples give the recorded metrics")


def _same(one: tuple[float | None, ...] | None, other: tuple[float | None, ...] | None) -> bool:
    if one is None or other is None:
        return one is other
    return all(
        a is b or (a is not None and b is not None and math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-9))
        for a, b in zip(one, other, strict=True)
    )
