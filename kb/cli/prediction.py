"""`kb prediction`: probabilities that people gave, their rules, outcomes and scores."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kb import words
from kb.cli import state
from kb.cli.layout import Column, Page, Rows
from kb.cli.options import ClaimId, Json
from kb.cli.output import emit, say, words_of
from kb.errors import KbError

if TYPE_CHECKING:
    from kb.checks.prediction import Item

app = typer.Typer(help="Predictions: list, resolve, score.", no_args_is_help=True)
By = Annotated[
    str | None, typer.Option("--by", metavar="WHO", help="Only of forecasters whose name holds this.")
]


@app.command("list")
def list_(by: By = None, as_json: Json = False) -> None:
    """List predictions with probability, rule, horizon and outcome; their history: kb claim history ID."""
    from dataclasses import asdict

    from kb.checks.prediction import items

    with state.reading() as connection:
        found = items(connection, by)
    columns = [
        Column("prediction", most=36),
        Column("given", right=True),
        Column("outcome"),
        Column("by"),
        Column("due", piped=True),
        Column("statement", flexible=True),
        Column("rule", piped=True),
    ]
    rows = [
        [
            i.id,
            _given(i.probability),
            i.outcome or "open",
            i.forecaster,
            i.horizon or "",
            i.statement,
            i.resolution,
        ]
        for i in found
    ]
    data = [asdict(item) for item in found]
    emit(data, as_json, rows=lambda: Rows(columns, rows, empty="no prediction is like that"))


def _given(probability: float | None) -> str:
    return "none" if probability is None else f"{probability:.0%}"


@app.command()
def score(by: By = None, as_json: Json = False) -> None:
    """Score predictions that have resolved: Brier (0 to 1, 0 is perfect), log score, calibration.

    Counted are predictions with a probability; outcomes on stand-ins of our own are in a table of their own
    and never mixed in.
    """
    from kb.checks.prediction import items

    with state.reading() as connection:
        real, analogue = items(connection, by), items(connection, by, analogue=True)
    if not real:
        raise KbError("no prediction is like that", "kb prediction list shows them", code=1)
    data = {"by": by, **_scored(real), "analogue": _scored(analogue)}
    emit(data, as_json, page=lambda: _page(data))


def _scored(found: list[Item]) -> dict[str, Any]:
    from dataclasses import asdict

    from kb.predictions import ENOUGH_FOR_A_CURVE, brier, calibration, decompose, log_score

    forecasts = [item.forecast for item in found if item.forecast is not None]
    given = [item for item in found if item.probability is not None]
    surprise = log_score(forecasts)
    parts = decompose(forecasts)
    return {
        "n": len(given),
        "without_probability": len(found) - len(given),
        "resolved": len(forecasts),
        **{name: sum(i.outcome == name for i in given) for name in ("ambiguous", "unresolvable")},
        "brier": brier(forecasts),
        "log_score": surprise if surprise is None or math.isfinite(surprise) else "infinite",
        "decomposition": asdict(parts) if parts else None,
        "calibration": [asdict(b) for b in calibration(forecasts)]
        if len(forecasts) >= ENOUGH_FOR_A_CURVE
        else None,
        "items": [
            {
                "id": i.id,
                "probability": i.probability,
                "outcome": i.outcome,
                "because": i.because,
                "literature": {"status": i.status, **i.literature},
            }
            for i in found
        ],
    }


def _page(data: dict[str, Any]) -> Page:
    page = Page()
    who = f" of {data['by']}" if data["by"] else ""
    page.line([(f"{data['resolved']} of {data['n']} predictions{who} are resolved", "bold")])
    others = [f"{data[name]} {name}" for name in ("ambiguous", "unresolvable") if data[name]]
    others += [f"{data['without_probability']} more without a probability"] * bool(
        data["without_probability"]
    )
    if others:
        page.line(f"not scored: {', '.join(others)}", "dim")
    _table_on(page, data, "Nothing to score yet.")
    for row in data["items"]:
        outcome = row["outcome"] or "open"
        page.item([(f"{_given(row['probability']):>5} ", "bold"), (f"{outcome:<12}", ""), row["id"]])
        page.line(row["because"], "dim", indent=6)
        if row["outcome"] is None:
            page.line(_leaning(row["literature"]), "dim", indent=6)
    analogue = data["analogue"]
    page.heading("On stand-ins of our own (analogue outcomes: never mixed with the above)")
    decided = [row for row in analogue["items"] if row["outcome"]]
    _table_on(page, analogue, "No run on a stand-in has decided any of them.")
    for row in decided:
        page.item([(f"{_given(row['probability']):>5} ", "bold"), (f"{row['outcome']:<12}", ""), row["id"]])
        page.line(row["because"], "dim", indent=6)
    return page


def _leaning(literature: dict[str, Any]) -> str:
    """What the cited literature says meanwhile: it resolves nothing."""
    counts = [
        f"{literature[name]} {name}" for name in ("supports", "disputes", "qualifies") if literature[name]
    ]
    return f"the literature: {literature['status']}" + (
        f" (citations: {', '.join(counts)})" if counts else ""
    )


def _table_on(page: Page, scored: dict[str, Any], nothing: str) -> None:
    from kb.predictions import ENOUGH_FOR_A_CURVE

    if scored["brier"] is None:
        page.line(nothing)
        return
    log = scored["log_score"]
    told = "infinite: a certainty was wrong" if isinstance(log, str) else f"{log:.3f} nats"
    page.line(f"Brier score {scored['brier']:.3f} (0 to 1, 0 is perfect), log score {told}")
    if scored["calibration"] is None:
        page.line(
            f"calibration: with fewer than {ENOUGH_FOR_A_CURVE} resolved, the rows below say more than a curve",
            "dim",
        )
        return
    parts = scored["decomposition"]
    within = parts["within_bin_variance"] - parts["within_bin_covariance"]
    page.line(
        f"= reliability {parts['reliability']:.3f} - resolution {parts['resolution']:.3f}"
        f" + uncertainty {parts['uncertainty']:.3f} + within bins {within:.3f} (Murphy 1973)"
    )
    page.line("calibration: given, resolved, came true with the 95 % interval", "dim")
    for part in scored["calibration"]:
        low, high = part["interval"]
        page.item(
            [
                (f"{part['low']:.0%} to {part['high']:.0%}", "bold"),
                f"  mean {part['mean_probability']:.0%}, {part['n']} resolved, {part['share_true']:.0%}"
                f" [{low:.0%}, {high:.0%}]",
            ]
        )


@app.command()
def resolve(
    claim_id: ClaimId,
    outcome: Annotated[str, typer.Argument(metavar="OUTCOME", help=f"One of {', '.join(words.OUTCOMES)}.")],
    because: Annotated[str, typer.Option(metavar="TEXT", help="What decides it: kept with the outcome.")],
    on: Annotated[str | None, typer.Option(metavar="DATE", help="When; today by default.")] = None,
) -> None:
    """Resolve a prediction by hand, with a reason. What runs and computations decide resolves by itself."""
    from datetime import date

    from kb.records import parse
    from kb.store import connect, edit, queries

    value = words_of([outcome], words.OUTCOMES, "outcome")[0]
    with connect.for_writing(state.places()) as session:
        connection = connect.raw(session)
        id_ = queries.resolve(connection, "claim", claim_id)
        plain = queries.record(connection, "claim", id_) or {}
        if "prediction" not in plain:
            raise KbError(f"{id_} is no prediction", "kb prediction list shows them")
        when = on or date.today().isoformat()
        plain["prediction"]["outcome"] = {"value": value, "because": because, "on": when, "by": edit.editor()}
        edit.put(session, parse("claim", plain), why=f"resolved: {because}")
    say(f"{id_} resolved as {value}; kb claim undo takes it back")
