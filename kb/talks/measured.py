"""What our own runs say of a claim, as numbers with intervals, never bare."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kb.talks.outline import Measured
from kb.talks.reading import Reading, Row
from kb.talks.text import clean, estimate

_TIERS = {"full": 2, "quick": 1}


def deciding_run(claim: Mapping[str, Any], reading: Reading) -> Row | None:
    """The run behind the verdict: the one that the store names, else the last one of the highest tier.

    A smoke run proves that the code runs and says nothing of a claim, so it is never taken.
    """
    runs = [run for run in claim.get("runs", []) if run.get("preset") in _TIERS]
    named = (claim.get("verdict_detail") or {}).get("run")
    chosen = next((run for run in runs if run["id"] == named), None)
    if chosen is None and runs:
        chosen = max(enumerate(runs), key=lambda pair: (_TIERS[pair[1]["preset"]], pair[0]))[1]
    return reading.run(chosen["id"]) if chosen else None


def measured_of(claim: Mapping[str, Any], run: Row | None) -> tuple[Measured, ...]:
    """The metrics of that run by which the claim was judged, the primary criterion's first."""
    if run is None:
        return ()
    criteria = [c for c in claim.get("criteria", []) if c.get("reproduction") in (None, run["reproduction"])]
    criteria.sort(key=lambda criterion: not criterion.get("primary"))
    analogue = {criterion["metric"] for criterion in criteria if criterion.get("analogue")}
    found = []
    for name in dict.fromkeys(criterion["metric"] for criterion in criteria):
        metric = (run.get("metrics") or {}).get(name)
        if metric and metric.get("value") is not None:
            found.append(_measured(name, metric, run, name in analogue))
    return tuple(found)


def departures_of(run: Row | None) -> tuple[str, ...]:
    """What the run substituted for the original experiment."""
    if run is None:
        return ()
    return tuple(
        clean(one.get("text") or one.get("what") or "" if isinstance(one, dict) else one)
        for one in run.get("departures") or []
    )


def _measured(name: str, metric: Mapping[str, Any], run: Row, analogue: bool) -> Measured:
    title = clean(metric.get("title") or name.replace("_", " "))
    low, high, n = metric.get("low"), metric.get("high"), int(metric.get("n") or 0)
    shown = estimate(metric["value"], low, high)
    unit = clean(metric.get("unit") or "")
    size = [f"n = {n}" + (f" {_plural(unit, n)}" if unit else "")] if n else []
    about = ", ".join(["95 % interval" if "[" in shown else "no interval", *size, f"{run['preset']} run"])
    where = "on a stand-in, not the named artifact: " if analogue else ""
    return Measured(
        name=clean(name),
        title=title,
        value=metric["value"],
        low=low,
        high=high,
        n=n,
        unit=unit,
        run=run["id"],
        reproduction=run["reproduction"],
        preset=run["preset"],
        analogue=analogue,
        shown=shown,
        about=f"{where}{title} ({about})",
        text=f"{where}{title}: {shown} ({about})",
    )


def _plural(noun: str, count: int) -> str:
    return noun if count == 1 or noun.endswith("s") else f"{noun}s"
