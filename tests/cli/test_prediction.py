"""`kb prediction`: list, resolve by hand, score; stand-ins apart; rows instead of a curve."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from kb import records
from kb.schema import ClaimVerdict, Judgement
from kb.store import connect, edit, runs
from tests.cli.conftest import Kb, sql


def add(store: Path, number: int, probability: float | None, **more: object) -> str:
    """One more prediction."""
    id_ = f"prediction-{number}"
    data = {
        "id": id_,
        "kind": "prediction",
        "statement": f"Prediction number {number} comes true.",
        "asserted_by": "Jane",
        "status": "open",
        "citations": [{"source": "comments", "stance": "asserts", "locator": "body"}],
        "prediction": {"probability": probability, "forecaster": "Jane", "resolution": "a rule", **more},
    }
    with connect.writing_to(store) as session:
        edit.put(session, records.parse("claim", data))
    return id_


def resolved(value: str) -> dict[str, object]:
    return {"outcome": {"value": value, "because": "it was seen", "on": "2026-11-24", "by": "Jane"}}


def test_a_list_has_probability_rule_horizon_and_outcome(kb: Kb, store: Path) -> None:
    add(store, 1, 0.3, horizon="2027-01")
    (found,) = kb("prediction", "list", "--by", "jane", "--json").json
    assert (found["probability"], found["resolution"], found["horizon"]) == (0.3, "a rule", "2027-01")
    assert (found["forecaster"], found["outcome"]) == ("Jane", None)
    assert "a rule" in kb("prediction", "list").out


def test_resolving_by_hand_needs_a_reason_and_is_kept_with_it(kb: Kb, store: Path) -> None:
    id_ = add(store, 1, 0.3)
    assert kb("prediction", "resolve", id_, "true").code == 2
    assert kb("prediction", "resolve", id_, "maybe", "--because", "x").code == 2
    assert kb("prediction", "resolve", "four-percent", "true", "--because", "x").code == 2
    assert kb("prediction", "resolve", id_, "false", "--because", "the paper's Table 3").code == 0
    (found,) = kb("prediction", "list", "--by", "Jane", "--json").json
    assert (found["outcome"], "the paper's Table 3" in found["because"]) == ("false", True)
    (change,) = (c for c in kb("claim", "history", id_, "--json").json if c["action"] == "edit")
    assert "the paper's Table 3" in change["why"]


def test_history_keeps_an_earlier_probability(kb: Kb, store: Path) -> None:
    id_ = add(store, 1, 0.3)
    add(store, 1, 0.9)
    change = kb("claim", "history", id_, "--json").json[0]
    before, after = (change[side]["record"]["prediction"]["probability"] for side in ("before", "after"))
    assert (before, after) == (0.3, 0.9)


def test_with_few_resolved_there_are_rows_and_no_curve(kb: Kb, store: Path) -> None:
    add(store, 1, 0.9, **resolved("true"))
    add(store, 2, 0.2, **resolved("true"))
    add(store, 3, 0.5, **resolved("ambiguous"))
    add(store, 4, 0.5, **resolved("unresolvable"))
    add(store, 5, None)
    data = kb("prediction", "score", "--by", "Jane", "--json").json
    assert (data["n"], data["resolved"], data["ambiguous"], data["unresolvable"]) == (4, 2, 1, 1)
    assert data["without_probability"] == 1
    assert data["brier"] == pytest.approx((0.01 + 0.64) / 2)
    assert data["calibration"] is None
    out = kb("prediction", "score", "--by", "Jane").out
    assert "2 of 4 predictions of Jane are resolved" in out
    assert "not scored: 1 ambiguous, 1 unresolvable, 1 more without a probability" in out
    assert "fewer than 20 resolved" in out
    assert "prediction-2" in out


def test_with_twenty_there_is_a_calibration_table_with_intervals(kb: Kb, store: Path) -> None:
    draw = random.Random(3)
    for n in range(20):
        add(store, n, draw.choice((0.1, 0.5, 0.9)), **resolved(draw.choice(("true", "false"))))
    data = kb("prediction", "score", "--by", "Jane", "--json").json
    assert sum(part["n"] for part in data["calibration"]) == 20
    parts = data["decomposition"]
    total = parts["reliability"] - parts["resolution"] + parts["uncertainty"]
    assert total + parts["within_bin_variance"] - parts["within_bin_covariance"] == pytest.approx(
        data["brier"], abs=1e-9
    )
    out = kb("prediction", "score", "--by", "Jane").out
    assert "Murphy 1973" in out
    assert "90% to 100%" in out


def test_a_certainty_that_was_wrong_has_an_infinite_log_score_and_valid_json(kb: Kb, store: Path) -> None:
    add(store, 1, 1.0, **resolved("false"))
    assert kb("prediction", "score", "--by", "Jane", "--json").json["log_score"] == "infinite"
    assert "infinite: a certainty was wrong" in kb("prediction", "score", "--by", "Jane").out


def test_unresolved_predictions_are_shown_beside_what_the_literature_says(kb: Kb, store: Path) -> None:
    data = kb("prediction", "score", "--by", "Emmons", "--json").json
    assert (data["n"], data["resolved"], data["brier"]) == (1, 0, None)
    assert data["items"][0]["literature"] == {"status": "open", "supports": 0, "disputes": 0, "qualifies": 0}
    assert "0 of 1 predictions of Emmons are resolved" in kb("prediction", "score", "--by", "Emmons").out


@pytest.mark.parametrize(
    ("verdict", "outcome"), [("supported", "true"), ("refuted", "false"), ("mixed", None)]
)
def test_a_verdict_of_our_own_on_the_named_network_resolves(
    kb: Kb, store: Path, verdict: str, outcome: str | None
) -> None:
    with connect.writing_to(store) as session:
        session.add(
            ClaimVerdict(claim_id="small-mazes", verdict=verdict, because="it ran", since="2026-11-24")
        )
    (item,) = kb("prediction", "list", "--by", "Emmons", "--json").json
    assert item["outcome"] == outcome
    assert "it ran" in item["because"]
    results = {c["check"]: c for c in kb("check", "small-mazes", "--json").json["claims"][0]["checks"]}
    assert results["prediction"]["outcome"] in ("pass", "unknown")


def test_a_stand_in_gives_an_analogue_outcome_in_a_table_of_its_own_and_resolves_nothing(
    kb: Kb, store: Path
) -> None:
    criterion = {"name": "half", "claim": "small-mazes", "metric": "share", "meaning": "refutes", "high": 0.5}
    with connect.writing_to(store) as session:
        runs.save_reproduction(
            session,
            name="maze",
            title="T",
            version="1",
            code_digest="a",
            manifest={"presets": {"full": {"parameters": {}}}},
            criteria=[{**criterion, "primary": True, "analogue": True, "wording": "w"}],
        )
        run = {"id": "maze-1", "reproduction": "maze", "version": "1", "preset": "full", "state": "finished"}
        run |= {"started": "2026-11-20T10:00:00+00:00", "code_digest": "a"}
        runs.save_run(session, run, recorded=False)
        session.add(
            Judgement(
                run_id="maze-1",
                claim_id="small-mazes",
                criterion="half",
                verdict="refuted",
                because="share is 0.1",
                is_primary=True,
                analogue=True,
                post_hoc=False,
            )
        )
    data = kb("prediction", "score", "--by", "Emmons", "--json").json
    assert (data["resolved"], data["items"][0]["outcome"]) == (0, None)
    assert (data["analogue"]["resolved"], data["analogue"]["items"][0]["outcome"]) == (1, "false")
    assert data["analogue"]["brier"] == pytest.approx(0.64)
    assert "small-mazes: refuted (analogue)" in kb("run", "list").out
    kb("check")
    assert sql(store, "SELECT verdict FROM claim_verdict WHERE claim_id = 'small-mazes'") == []


def test_stand_ins_that_disagree_or_are_stale_decide_nothing(kb: Kb, store: Path) -> None:
    shared = {"claim": "small-mazes", "metric": "share", "primary": True, "analogue": True, "wording": "w"}
    with connect.writing_to(store) as session:
        runs.save_reproduction(
            session,
            name="maze",
            title="T",
            version="1",
            code_digest="a",
            manifest={"presets": {"full": {"parameters": {}}}},
            criteria=[{**shared, "name": "half", "meaning": "refutes", "high": 0.5}],
        )
        for number, verdict in enumerate(("refuted", "supported")):
            run = {"id": f"maze-{number}", "reproduction": "maze", "version": "1", "preset": "full"}
            run |= {"state": "finished", "started": f"2026-11-2{number}T10:00:00+00:00", "code_digest": "a"}
            runs.save_run(session, run, recorded=False)
            session.add(
                Judgement(
                    run_id=f"maze-{number}",
                    claim_id="small-mazes",
                    criterion="half",
                    verdict=verdict,
                    because="it ran",
                    is_primary=True,
                    analogue=True,
                    post_hoc=False,
                )
            )

    def analogue() -> tuple[str | None, str]:
        item = kb("prediction", "score", "--by", "Emmons", "--json").json["analogue"]["items"][0]
        return item["outcome"], item["because"].split()[0]

    assert analogue() == (None, "mixed")
    sql(store, "DELETE FROM run WHERE id = 'maze-1'")
    assert analogue()[0] == "false"
    sql(store, "UPDATE reproduction SET code_digest = 'b' WHERE name = 'maze'")
    assert analogue() == (None, "stale")


def test_nobody_of_that_name_is_told(kb: Kb, store: Path) -> None:
    done = kb("prediction", "score", "--by", "Nobody")
    assert (done.code, "kb prediction list" in done.err) == (1, True)
