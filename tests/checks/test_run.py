"""Every check of a claim, each with a case in which it fails."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kb import records
from kb.checks import run
from kb.checks.keep import keep
from kb.schema import Judgement, Rendering
from kb.store import connect, edit, queries, runs
from tests.making import claim, source

Check = Callable[..., list[run.Result]]


@pytest.fixture
def check(path: Path) -> Check:
    """Put a claim (and texts of sources) into the store and give what the checks say of it."""

    def checked(
        texts: dict[str, str] | None = None, figures: list[records.Figure] | None = None, **fields: Any
    ) -> list[run.Result]:
        with connect.writing_to(path) as session:
            edit.put(session, source("other2021"))
            for figure in figures or []:
                edit.put(session, figure)
            edit.put(session, claim("checked", **fields))
            connect.raw(session).execute("DELETE FROM rendering")
            for key, text in (texts or {}).items():
                session.add(
                    Rendering(source_key=key, sha256="f" * 64, kind="text", at="2026-11-24", text=text)
                )
        with contextlib.closing(connect.open_to_read(path)) as connection:
            return run.check_claim(run.load(connection), "checked")

    return checked


def _only(results: list[run.Result], name: str) -> run.Result:
    (result,) = [r for r in results if r.check == name]
    return result


QUOTED = {
    "source": "paper2020",
    "stance": "asserts",
    "locator": "p. 1",
    "quote": "exactly 26 heads",
    "seen": "primary",
}


def figure(id_: str, value: float | None = 1.0, **more: Any) -> records.Figure:
    data = {
        "id": id_,
        "source": "paper2020",
        "locator": "T1",
        "quantity": "q",
        "unit": "score",
        "scale": "raw",
    }
    return records.Figure.model_validate({**data, "value": value, "seen": "primary", **more})


@pytest.mark.parametrize(
    ("citations", "outcome"),
    [
        ([{"source": "paper2020", "stance": "asserts", "locator": "p. 1"}], "pass"),
        ([{"source": "paper2020", "stance": "asserts"}], "fail"),
        ([], "fail"),
    ],
)
def test_a_claim_needs_a_citation_that_says_where(check: Check, citations: list[Any], outcome: str) -> None:
    assert _only(check(citations=citations), "citation").outcome == outcome


@pytest.mark.parametrize(
    ("texts", "outcome", "told"),
    [
        ({}, "unknown", "no rendering of paper2020 is stored"),
        (
            {"paper2020": "there are exactly 26 heads here"},
            "pass",
            "these words stand in the text of paper2020",
        ),
        ({"paper2020": "there are exactly 27 heads here"}, "fail", "do not stand"),
        (
            {"paper2020": "something else", "other2021": "there are exactly 26 heads"},
            "fail",
            "misattributed: these words are not in the text of paper2020",
        ),
    ],
)
def test_a_quote_stands_in_its_source_or_not(
    check: Check, texts: dict[str, str], outcome: str, told: str
) -> None:
    result = _only(check(texts=texts, citations=[QUOTED]), "quote")
    assert result.outcome == outcome
    assert told in result.detail
    assert "support" not in result.detail


def test_a_citation_without_words_is_counted_as_unknown(check: Check) -> None:
    citations = [{"source": "paper2020", "stance": "asserts", "locator": "p. 1", "seen": "second-hand"}]
    result = _only(check(citations=citations), "quote")
    assert (result.outcome, "no verbatim words are kept" in result.detail) == ("unknown", True)
    assert "in another document only" in result.detail


def test_words_of_an_unread_source_that_stand_elsewhere_are_pointed_out(check: Check) -> None:
    result = _only(check(texts={"other2021": "there are exactly 26 heads"}, citations=[QUOTED]), "quote")
    assert (result.outcome, "stand in the stored text of other2021" in result.detail) == ("unknown", True)


def test_an_ellipsis_over_a_negation_is_handed_to_a_reader(check: Check) -> None:
    quoted = {**QUOTED, "quote": "these heads do [...] explain it"}
    result = _only(check(texts={"paper2020": "these heads do not explain it"}, citations=[quoted]), "quote")
    assert (result.outcome, "holds a negation: 'not'" in result.detail) == ("unknown", True)


def test_a_near_miss_is_shown_as_a_difference(check: Check) -> None:
    result = _only(check(texts={"paper2020": "there are exactly 27 heads here"}, citations=[QUOTED]), "quote")
    assert "[-26-] {+27+}" in result.detail


def test_an_absence_is_somebodys_reading_and_stays_unknown(check: Check) -> None:
    absence = {"looked_for": "random data", "sections": ["4", "5"], "by": "Jane", "on": "2026-11-24"}
    citations = [{"source": "paper2020", "stance": "disputes", "locator": "4", "absence": absence}]
    result = _only(check(citations=citations), "absence")
    assert (result.outcome, "Jane read 4, 5" in result.detail) == ("unknown", True)


@pytest.mark.parametrize(
    ("value", "more", "outcome"),
    [
        (4.0, {}, "pass"),
        (4.6, {}, "fail"),
        (4.0, {"assumes": "something"}, "derived"),
        (4.6, {"assumes": "something"}, "fail"),
        (None, {}, "unknown"),
        (4.0, {"expression": 'cell("t.none")'}, "fail"),
        (4.0, {"expression": "__import__('os')"}, "fail"),
    ],
)
def test_a_computation_gives_what_the_claim_needs_or_not(
    check: Check, value: float | None, more: dict[str, Any], outcome: str
) -> None:
    computation = {"name": "c", "expression": 'cell("t.a")', "expected": 4, **more}
    results = check(figures=[figure("t.a", value)], computations=[computation])
    assert _only(results, "figure").outcome == outcome


@pytest.mark.parametrize(
    ("more", "assumes"),
    [
        ({"seen": "second-hand"}, "the cells are as another document reports them"),
        ({"seen": "comment"}, "the cells are as another document reports them"),
    ],
)
def test_cells_that_nobody_read_in_their_source_give_a_derived_number(
    check: Check, more: dict[str, Any], assumes: str
) -> None:
    computation = {"name": "c", "expression": 'cell("t.a")', "expected": 4}
    result = _only(check(figures=[figure("t.a", 4.0, **more)], computations=[computation]), "figure")
    assert (result.outcome, assumes in result.detail) == ("derived", True)


def test_cells_whose_data_version_nobody_noted_are_assumed_to_be_the_others(check: Check) -> None:
    cells = [figure("t.a", 4.0, protocol="dataset=gym-v2"), figure("t.b", 2.0)]
    computation = {"name": "c", "expression": 'cell("t.a") / cell("t.b")', "expected": 2}
    result = _only(check(figures=cells, computations=[computation]), "figure")
    assert result.outcome == "derived"
    assert "1 cells without a data set version are of gym-v2" in result.detail


def test_two_versions_of_a_data_set_are_an_error(check: Check) -> None:
    cells = [figure("t.a", 4.0, protocol="dataset=gym-v2"), figure("t.b", 2.0, protocol="dataset=gym-v0")]
    computation = {"name": "c", "expression": 'cell("t.a") - cell("t.b")', "expected": 2}
    result = _only(check(figures=cells, computations=[computation]), "figure")
    assert (result.outcome, "mixes score raw gym-v2 with score raw gym-v0" in result.detail) == ("fail", True)


@pytest.mark.parametrize(
    ("statement", "decimals", "expected", "outcome"),
    [
        ("It reaches 3.77% of it.", 2, 3.77, "pass"),
        ("It reaches 4% of it.", 0, 4, "pass"),
        ("It reaches 4% of it.", 1, 3.8, "fail"),
        ("It reaches 3.8% of it.", 0, 4, "fail"),
        ("It reaches a share of 3.77%.", 1, 3.8, "fail"),
    ],
)
def test_a_computation_that_decides_rounds_as_the_claim_is_worded(
    check: Check, statement: str, decimals: int, expected: float, outcome: str
) -> None:
    computation = {"name": "c", "expression": 'cell("t.a")', "expected": expected, "decimals": decimals}
    results = check(
        figures=[figure("t.a", 3.769)], statement=statement, computations=[{**computation, "decides": True}]
    )
    assert _only(results, "figure").outcome == outcome


@pytest.mark.parametrize(
    ("number", "outcome"),
    [
        ("26 heads", "pass"),
        ("27 heads", "fail"),
        ("2.6 heads", "fail"),
        ("all heads", "pass"),
        ("4.0 of 26", "pass"),
    ],
)
def test_a_slides_number_stands_in_the_evidence(check: Check, number: str, outcome: str) -> None:
    computation = {"name": "c", "expression": 'cell("t.a")', "expected": 4}
    results = check(
        number=number, citations=[QUOTED], figures=[figure("t.a", 4.0)], computations=[computation]
    )
    assert _only(results, "number").outcome == outcome


def test_a_source_that_contradicts_its_citer_fails(check: Check) -> None:
    cited = {"source": "other2021", "stance": "supports", "cited_by": "paper2020", "locator": "link"}
    disputes = {
        "source": "other2021",
        "stance": "disputes",
        "locator": "Sec. 4",
        "quote": "no",
        "seen": "primary",
    }
    result = _only(check(citations=[cited, disputes]), "source contradicts its citer")
    assert result.outcome == "fail"
    assert "paper2020 cites other2021 in support" in result.detail
    assert [r for r in check(citations=[cited]) if r.check == "source contradicts its citer"] == []


@pytest.mark.parametrize("resolved", [False, True])
def test_a_prediction_is_unknown_until_it_resolves(check: Check, resolved: bool) -> None:
    prediction: dict[str, Any] = {"probability": 0.8, "forecaster": "Jane", "resolution": "the rule"}
    if resolved:
        prediction["outcome"] = {"value": "true", "because": "it did", "on": "2026-11-24", "by": "Jane"}
    result = _only(check(kind="prediction", prediction=prediction), "prediction")
    assert result.outcome == ("pass" if resolved else "unknown")


@pytest.mark.parametrize(
    ("value", "assumes", "verdict"),
    [
        (4.0, None, "supported"),
        (5.0, None, "refuted"),
        (4.0, "x", "inconclusive"),
        (5.0, "x", "inconclusive"),
        (None, None, "inconclusive"),
    ],
)
def test_a_computation_that_decides_gives_the_verdict(
    check: Check,
    path: Path,
    value: float | None,
    assumes: str | None,
    verdict: str,
) -> None:
    computation = {"name": "c", "expression": 'cell("t.a")', "expected": 4, "decides": True}
    if assumes:
        computation["assumes"] = assumes
    results = check(figures=[figure("t.a", value)], statement="It is 4.", computations=[computation])
    with connect.writing_to(path) as session:
        keep(session, [("checked", results)])
    with contextlib.closing(connect.open_to_read(path)) as connection:
        shown = queries.show_claim(connection, "checked")
    assert shown["verdict"] == verdict
    assert {c["check"] for c in shown["checks"]} == {r.check for r in results}


def test_a_computation_whose_number_the_claim_does_not_say_decides_nothing(check: Check, path: Path) -> None:
    computation = {"name": "c", "expression": 'cell("t.a")', "expected": 4, "decides": True}
    results = check(figures=[figure("t.a", 4.0)], statement="It is 5.", computations=[computation])
    with connect.writing_to(path) as session:
        keep(session, [("checked", results)])
    with contextlib.closing(connect.open_to_read(path)) as connection:
        assert queries.show_claim(connection, "checked")["verdict"] == "unchecked"


def test_outcomes_are_counted_and_unknown_is_not_passed(check: Check) -> None:
    counts = run.count(check(citations=[QUOTED]))
    assert (counts["passed"], counts["unknown"], counts["failed"]) == (1, 2, 0)


REPRODUCTION = {
    "name": "toy",
    "title": "T",
    "version": "1",
    "code_digest": "a",
    "manifest": {"presets": {"quick": {"parameters": {}}}},
}
EDGES = (
    {"name": "high", "meaning": "supports", "low": 0.5},
    {"name": "low", "meaning": "refutes", "high": 0.4},
)


@pytest.mark.parametrize(
    ("verdicts", "digest", "analogue", "outcome", "told"),
    [
        (None, "a", False, "unknown", "never run here: kb reproduce toy"),
        (("supported", "inconclusive"), "a", False, "pass", "supported (quick): because"),
        (("inconclusive", "refuted"), "a", False, "pass", "refuted (quick): because"),
        (("inconclusive", "inconclusive"), "a", False, "unknown", "inconclusive (quick): because"),
        (
            ("supported", "inconclusive"),
            "a",
            True,
            "unknown",
            "supported (quick, analogue, not the named artifact)",
        ),
        (("supported", "inconclusive"), "b", False, "stale", "its code changed since; then: because"),
    ],
)
def test_a_run_gives_one_result_from_its_primary_criteria(
    check: Check,
    path: Path,
    verdicts: tuple[str, str] | None,
    digest: str,
    analogue: bool,
    outcome: str,
    told: str,
) -> None:
    shared = {"claim": "checked", "metric": "m", "primary": True, "wording": "w"}
    with connect.writing_to(path) as session:
        criteria = [{**shared, **edge} for edge in EDGES]
        runs.save_reproduction(session, **{**REPRODUCTION, "code_digest": digest}, criteria=criteria)
        if verdicts:
            run = {
                "id": "toy-1",
                "reproduction": "toy",
                "version": "1",
                "preset": "quick",
                "state": "finished",
            }
            run |= {"started": "2026-11-20T10:00:00+00:00", "code_digest": "a"}
            runs.save_run(session, run, recorded=False)
            for edge, verdict in zip(EDGES, verdicts, strict=True):
                session.add(
                    Judgement(
                        run_id="toy-1",
                        claim_id="checked",
                        criterion=edge["name"],
                        verdict=verdict,
                        because="because",
                        is_primary=True,
                        analogue=analogue,
                        post_hoc=False,
                    )
                )
    result = _only(check(), "reproduction")
    assert result.outcome == outcome
    assert told in result.detail
