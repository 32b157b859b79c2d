"""Every check of the library's health fires where it should, and not where it should not."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kb import records
from kb.checks.doctor import CHECKS, FIXES, Finding, examine
from kb.store import connect, edit, runs
from tests.making import claim, source

TODAY = "2026-11-24"
CITED = {
    "source": "paper2020",
    "stance": "asserts",
    "locator": "p. 1",
    "quote": "there are exactly 26 attention heads in it",
    "seen": "primary",
}
OTHER = {**CITED, "quote": "the model asks for less and gets even more"}
FIGURE = {
    "id": "t.a",
    "source": "paper2020",
    "locator": "T1",
    "quantity": "q",
    "value": 1.0,
    "unit": "count",
    "scale": "raw",
    "seen": "primary",
}
COMPUTED = {"name": "c", "expression": 'cell("t.a")', "expected": 1}
PREDICTED = {"probability": 0.8, "forecaster": "Jane", "resolution": "the rule"}
Put = Callable[..., None]
Ask = Callable[..., list[Finding]]


def healthy(id_: str = "a-claim", **more: Any) -> records.Claim:
    """A claim that no check complains of; each with words of its own."""
    quote = f"words of {id_}, and as many as a sentence has"
    return claim(id_, **{"citations": [{**CITED, "quote": quote}], "status": "supported", **more})


@pytest.fixture
def put(path: Path) -> Put:
    """Records into the library, which is a healthy one with a claim, a source and a figure."""

    def putting(*found: records.Record) -> None:
        with connect.writing_to(path) as session:
            for record in found:
                edit.put(session, record)

    putting(
        source(url="https://example.org/"),
        records.Figure.model_validate(FIGURE),
        healthy(citations=[CITED], computations=[COMPUTED]),
    )
    return putting


@pytest.fixture
def ask(path: Path) -> Ask:
    def asking(*names: str, today: str = TODAY) -> list[Finding]:
        with contextlib.closing(connect.open_to_read(path)) as connection:
            return list(examine(connection, today, list(names) or None))

    return asking


def test_a_healthy_library_has_no_findings(put: Put, ask: Ask) -> None:
    put(
        healthy("other"),
        healthy("rebutting", status="disputed", relations=[{"type": "rebuts", "claim": "other"}]),
        healthy("coming", kind="prediction", prediction={**PREDICTED, "horizon": "2027-01"}),
        healthy(
            "kept-apart",
            statement="Statement of other!",
            relations=[{"type": "same-as", "claim": "other"}],
        ),
    )
    assert ask() == []


DISPUTED = {**OTHER, "stance": "disputes"}
PLANTED: dict[str, tuple[list[Any], str]] = {
    "no-citation": ([healthy("bad", citations=[])], "bad"),
    "no-quote": ([healthy("bad", citations=[{**CITED, "quote": None}])], "bad"),
    "no-locator": ([healthy("bad", citations=[{**OTHER, "locator": None}])], "bad"),
    "second-hand": ([healthy("bad", citations=[{**OTHER, "seen": "second-hand"}])], "bad"),
    "same-statement": ([healthy("bad", statement="statement of A-claim")], "bad"),
    "same-source": (
        [
            source("b2020", eprint="2106.01345", url="https://example.org"),
            source("c2020", eprint="2106.01345", url="https://example.org"),
        ],
        "b2020",
    ),
    "contradicting": ([healthy("bad", relations=[{"type": "rebuts", "claim": "a-claim"}])], "bad"),
    "open-objection": ([healthy("bad", citations=[OTHER, DISPUTED])], "bad"),
    "past-horizon": (
        [healthy("bad", kind="prediction", prediction={**PREDICTED, "horizon": "2026-11-23"})],
        "bad",
    ),
    "same-words": (
        [
            source("copy2021", url="https://example.org"),
            healthy("bad", citations=[{**CITED, "source": "copy2021"}]),
        ],
        "bad",
    ),
    "orphan": ([records.Figure.model_validate({**FIGURE, "id": "t.b"})], "t.b"),
    "uncited": ([source("bad", url="https://example.org")], "bad"),
    "unnamed-source": ([source("bad")], "bad"),
    "unread-cell": (
        [records.Figure.model_validate({**FIGURE, "id": "t.b", "value": None, "seen": "not-read"})],
        "t.b",
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_found_by_its_check(put: Put, ask: Ask, name: str) -> None:
    assert ask(name) == []
    planted, where = PLANTED[name]
    put(*planted)
    found = ask(name)
    assert [(f.check, f.name, f.severity) for f in found] == [(name, where, CHECKS[name].severity)]
    assert found[0].message


def test_every_check_has_a_case_in_which_it_fires() -> None:
    assert set(PLANTED) | {"conflicts"} == set(CHECKS)


@pytest.mark.parametrize(
    ("name", "theirs", "told"),
    [
        ("a-claim", "{}", "changed here and in library"),
        ("a-claim", None, "changed here, removed in library"),
        ("gone", "{}", "removed here, changed in library"),
    ],
)
def test_a_record_that_a_merge_left_open_says_what_each_side_did(
    put: Put, ask: Ask, path: Path, name: str, theirs: str | None, told: str
) -> None:
    with connect.writing_to(path) as session:
        connect.raw(session).execute(
            "INSERT INTO conflict(kind, name, origin, theirs, at) VALUES ('claim', ?, 'library', ?, '2026-11-24')",
            (name, theirs),
        )
    (found,) = ask("conflicts")
    assert found.message == f"{told}: kb library sync --take ours|theirs {name}"


def test_a_prediction_that_resolved_is_past_nothing(put: Put, ask: Ask) -> None:
    outcome = {"value": "true", "because": "it did", "on": "2026-11-01", "by": "Jane"}
    prediction = {**PREDICTED, "horizon": "2026-11-01", "outcome": outcome}
    put(healthy("done", kind="prediction", prediction=prediction))
    assert ask("past-horizon") == []


def test_an_unanswered_claim_against_a_supported_one_is_an_open_objection(put: Put, ask: Ask) -> None:
    put(healthy("against", status="open", relations=[{"type": "undercuts", "claim": "a-claim"}]))
    (found,) = ask("open-objection")
    assert found.message == "counts as supported; against undercuts it, and nothing answers that"
    put(healthy("reply", relations=[{"type": "answers", "claim": "against"}]))
    assert ask("open-objection") == []


def test_a_judged_claim_that_is_gone_and_a_run_without_its_reproduction_are_orphans(
    put: Put, ask: Ask, path: Path
) -> None:
    criterion = {"name": "n", "claim": "no-such-claim", "metric": "m", "meaning": "supports", "low": 0.5}
    with connect.writing_to(path) as session:
        runs.save_reproduction(
            session,
            name="toy",
            title="T",
            version="1",
            code_digest="a",
            manifest={},
            criteria=[{**criterion, "primary": True, "wording": "w"}],
        )
        run = {"id": "old-1", "reproduction": "old", "version": "1", "preset": "quick", "state": "finished"}
        runs.save_run(session, {**run, "started": "2026-11-20T10:00:00+00:00"}, recorded=False)
    assert {(f.kind, f.name) for f in ask("orphan")} == {("claim", "no-such-claim"), ("run", "old-1")}


def test_a_finding_about_a_citation_says_which(put: Put, ask: Ask) -> None:
    put(healthy("bad", citations=[OTHER, {**CITED, "locator": None, "quote": None}]))
    (found,) = ask("no-locator")
    assert (found.citation, "citation 2 (paper2020)" in found.message) == (2, True)


def test_what_is_mended_by_itself_is_what_nothing_rests_on() -> None:
    assert FIXES == ("uncited",)
