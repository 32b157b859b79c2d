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
from kb.schema import Rendering
from kb.store import connect, edit, queries
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


def figure(id_: str, value: float | None = 1.0) -> records.Figure:
    data = {
        "id": id_,
        "source": "paper2020",
        "locator": "T1",
        "quantity": "q",
        "unit": "score",
        "scale": "raw",
    }
    return records.Figure.model_validate({**data, "value": value, "seen": "primary"})


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
    results = check(figures=[figure("t.a", value)], computations=[computation])
    with connect.writing_to(path) as session:
        keep(session, [("checked", results)])
    with contextlib.closing(connect.open_to_read(path)) as connection:
        shown = queries.show_claim(connection, "checked")
    assert shown["verdict"] == verdict
    assert {c["check"] for c in shown["checks"]} == {r.check for r in results}


def test_outcomes_are_counted_and_unknown_is_not_passed(check: Check) -> None:
    counts = run.count(check(citations=[QUOTED]))
    assert (counts["passed"], counts["unknown"], counts["failed"]) == (1, 2, 0)
