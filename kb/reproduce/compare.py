"""Two runs side by side, or a run beside what was published: what differs before the numbers do."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from kb.errors import KbError

Row = dict[str, Any]


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[Row]:
    """Where two runs differ: {part, name, a, b}; protocol first, since it decides whether numbers compare."""
    out: list[Row] = []
    plain = ("reproduction", "version", "preset", "seed", "code_digest", "data_digest")
    for part, names in (("protocol", None), ("config", None), ("run", plain)):
        a, b = (_part(run, part, names) for run in (one, other))
        for name in dict.fromkeys((*a, *b)):
            if a.get(name) != b.get(name):
                out.append({"part": part, "name": name, "a": _told(a.get(name)), "b": _told(b.get(name))})
    metrics_a, metrics_b = one["metrics"], other["metrics"]
    for name in dict.fromkeys((*metrics_a, *metrics_b)):
        told_a, told_b = (_metric(m.get(name)) for m in (metrics_a, metrics_b))
        if told_a != told_b:
            out.append({"part": "metric", "name": name, "a": told_a, "b": told_b})
    return out


def _part(run: Mapping[str, Any], part: str, names: tuple[str, ...] | None) -> Mapping[str, Any]:
    if names is None:
        return dict(run.get(part) or {})
    return {name: run[name] for name in names if run.get(name) not in (None, "")}


def _told(value: Any) -> str:
    return "not said" if value is None else str(value)[:80]


def _metric(metric: Mapping[str, Any] | None) -> str:
    if not metric or metric.get("value") is None:
        return "not measured"
    if metric.get("low") is None:
        return f"{metric['value']:.3g}"
    return f"{metric['value']:.3g} [{metric['low']:.3g}, {metric['high']:.3g}], n = {metric['n']}"


def published(connection: sqlite3.Connection, run: Mapping[str, Any]) -> Row:
    """What was published for a run's metrics, as the manifest names the figures, in the shape of a run.

    Raises:
        KbError: when the manifest names no published figure.
    """
    row = connection.execute(
        "SELECT manifest FROM reproduction WHERE name = ?", (run["reproduction"],)
    ).fetchone()
    entries = figures_of(connection, json.loads(row["manifest"]).get("published", []) if row else [])
    if not entries:
        raise KbError(f"{run['reproduction']} has no published figure to compare with", code=1)
    metrics: Row = {}
    protocol: Row = {}
    for entry in entries:
        metrics[entry["metric"]] = {"value": entry["value"], "low": None, "high": None, "n": 0}
        protocol.update(entry.get("protocol", {}))
    return {"protocol": protocol, "config": {}, "metrics": metrics}


def figures_of(connection: sqlite3.Connection, entries: Iterable[Mapping[str, Any]]) -> list[Row]:
    """The published figures that a manifest sets beside its metrics: {metric, figure, value, source, locator,
    protocol, note}; the value is None where nobody has read it.
    """
    out: list[Row] = []
    for entry in entries:
        figure = connection.execute(
            "SELECT value, source_key AS source, locator FROM figure WHERE id = ?", (entry.get("figure"),)
        ).fetchone()
        found = dict(figure) if figure else {"value": None, "source": "", "locator": ""}
        out.append({"protocol": {}, "note": "", **entry, **found})
    return out
