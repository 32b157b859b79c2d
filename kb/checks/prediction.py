"""Predictions against outcomes: by hand, by a computation that decides, or by a run's criterion.

A prediction about a named network resolves only on that network: an analogue (a stand-in of our own) gives an
analogue outcome, kept in a table of its own and scored apart.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from kb.predictions import Forecast
from kb.reproduce.verdicts import of_runs
from kb.verdict import combine


@dataclass(frozen=True)
class Item:
    """A prediction and how it stands: outcome true, false, ambiguous, unresolvable, or None for not yet."""

    id: str
    statement: str
    probability: float | None
    forecaster: str
    made: str | None
    about: str | None
    resolution: str
    outcome: str | None
    because: str
    horizon: str | None = None
    status: str = "open"
    """What the cited literature is recorded as saying."""
    literature: Mapping[str, int] = field(default_factory=dict)
    """How many citations support, dispute and qualify it; the forecaster's own assertion is none of them."""

    @property
    def forecast(self) -> Forecast | None:
        """The forecast to score; None while unresolved, without a probability, or resolved to neither."""
        if self.probability is None or self.outcome not in ("true", "false"):
            return None
        return Forecast(self.probability, self.outcome == "true")


def _literature(connection: sqlite3.Connection, claim_id: str) -> dict[str, int]:
    counted = dict(
        connection.execute(
            "SELECT stance, COUNT(*) FROM citation WHERE claim_id = ? AND cited_by IS NULL GROUP BY stance",
            (claim_id,),
        ).fetchall()
    )
    return {stance: counted.get(stance, 0) for stance in ("supports", "disputes", "qualifies")}


_OUTCOMES = {"supported": "true", "refuted": "false"}


def items(
    connection: sqlite3.Connection, by: str | None = None, *, claim: str | None = None, analogue: bool = False
) -> list[Item]:
    """Every prediction, of forecasters whose name holds `by`, with its outcome, or its analogue outcome."""
    where, values = ("WHERE c.id = ?", (claim,)) if claim else ("", ())
    rows = connection.execute(
        "SELECT c.id, c.statement, c.status, p.probability, p.forecaster, p.made, p.horizon, p.about,"
        f" p.resolution, p.outcome FROM prediction p JOIN claim c ON c.id = p.claim_id {where}"
        " ORDER BY c.home, c.position",
        values,
    ).fetchall()
    wanted = [row for row in rows if by is None or by.casefold() in row["forecaster"].casefold()]
    out = []
    for row in wanted:
        outcome, because = _analogue(connection, row) if analogue else _outcome(connection, row)
        plain = {name: row[name] for name in row.keys() if name != "outcome"}  # noqa: SIM118 - sqlite3.Row
        leaning = _literature(connection, row["id"])
        out.append(Item(**plain, outcome=outcome, because=because, literature=leaning))
    return out


def _outcome(connection: sqlite3.Connection, row: sqlite3.Row) -> tuple[str | None, str]:
    if row["outcome"]:
        by_hand = json.loads(row["outcome"])
        return by_hand["value"], f"{by_hand['by']}, {by_hand['on']}: {by_hand['because']}"
    verdict = connection.execute(
        "SELECT verdict, because FROM claim_verdict WHERE claim_id = ?", (row["id"],)
    ).fetchone()
    if verdict and verdict["verdict"] in _OUTCOMES:
        return _OUTCOMES[verdict["verdict"]], verdict["because"]
    about = f"not resolved: needs {row['about']}" if row["about"] else "not resolved"
    if verdict and verdict["verdict"] != "unchecked":
        return None, f"{about}; our own checks are {verdict['verdict']}: {verdict['because']}"
    return None, about


def _analogue(connection: sqlite3.Connection, row: sqlite3.Row) -> tuple[str | None, str]:
    """As verdicts come about, from the runs on a stand-in alone: several that disagree are mixed and decide nothing."""
    evidence = [
        replace(e, analogue=False) for e in of_runs(connection, row["id"]).get(row["id"], []) if e.analogue
    ]
    verdict, because, rests_on = combine(evidence)
    if rests_on is None:
        return None, "no run on a stand-in decides it"
    told = f"on our stand-in, {rests_on.name}: {because}"
    return _OUTCOMES.get(verdict), told if verdict in _OUTCOMES else f"{verdict} {told}"
