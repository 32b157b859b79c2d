from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from kb.checks.figures import Computed
from kb.errors import KbError
from kb.talks import render_json, render_markdown
from kb.talks.build import Options, build
from tests.talks.conftest import Library

Cite = Callable[..., dict[str, Any]]


def markdown(library: Library, **options: Any) -> str:
    return render_markdown.render(build("talk", library, Options(**options)))


def test_an_item_carries_headline_number_caveat_verdict_and_source(library: Library, cite: Cite) -> None:
    cited = [cite("lovelace1843", "asserts", locator="Note G", quote="words of a: 9 of 10")]
    library.add_claim("a", headline="It works", number="9 of 10", caveat="In toys only.", citations=cited)
    library.add_talk()
    text = markdown(library)
    for part in ("## 1. It works", "9 of 10", "In toys only.", "✓ supported", "Lovelace and Babbage 1843"):
        assert part in text
    assert "Note G" in text
    assert "“words of a: 9 of 10”" in text


def test_a_claim_without_headline_uses_its_statement(library: Library) -> None:
    library.add_claim("a")
    library.add_talk()
    assert build("talk", library).sections[0].title == "Statement of a."


def test_json_has_the_keys_that_scripts_rely_on(library: Library) -> None:
    library.add_claim("a")
    library.add_talk()
    data = json.loads(render_json.render(build("talk", library)))
    assert {"title", "minutes", "sections", "cut", "references"} <= set(data)
    section = {"claim", "title", "seconds", "points", "evidence", "caveat", "sources"}
    assert section <= set(data["sections"][0])
    assert data["sections"][0]["sources"] == [data["references"][0]["key"]] == ["lovelace1843"]


def test_the_best_counter_evidence_stands_in_for_a_caveat(library: Library, cite: Cite) -> None:
    library.add_claim(
        "a", citations=[cite("s1", "asserts"), cite("s2", "disputes", locator="p. 3", quote="it does not")]
    )
    library.add_talk()
    section = build("talk", library).sections[0]
    assert section.caveat is not None
    assert "p. 3: “it does not”" in section.caveat
    assert section.caveat_from == "s2"


def test_a_rebutting_claim_stands_in_where_no_source_disputes(library: Library) -> None:
    rebuts = {"type": "rebuts", "claim": "b", "direction": "in", "statement": "It fails.", "note": None}
    library.add_claim("a", relations=[rebuts])
    library.add_talk()
    section = build("talk", library).sections[0]
    assert (section.caveat, section.caveat_from) == ("It fails. This rebuts it.", "b")


def test_without_any_objection_the_outline_says_that_none_is_known(library: Library) -> None:
    library.add_claim("a")
    library.add_talk()
    assert "none in this library, which is not the same as none" in markdown(library)


@pytest.mark.parametrize("verdict", ["unchecked", "stale", "inconclusive", "mixed", "refuted"])
def test_an_unsettled_verdict_is_marked_on_the_item(library: Library, verdict: str) -> None:
    library.add_claim("a", verdict=verdict)
    library.add_talk()
    warnings = build("talk", library).sections[0].warnings
    assert len(warnings) == 1
    assert f"> **!** {warnings[0]}" in markdown(library)


def test_a_supported_undisputed_claim_carries_no_warning(library: Library) -> None:
    library.add_claim("a")
    library.add_talk()
    assert build("talk", library).sections[0].warnings == ()


def test_a_contradicted_claim_is_said_in_full_so_that_the_headline_cannot_mislead(library: Library) -> None:
    library.add_claim("a", headline="It does not work", statement="It works.", status="refuted")
    library.add_talk(minutes=0.2)
    said = build("talk", library).sections[0].say
    assert said[:3] == ("It does not work.", "The claim: It works.", "The literature refutes that claim.")


def test_a_figure_whose_computation_fails_is_printed_nowhere(library: Library, cite: Cite) -> None:
    library.add_claim(
        "a",
        headline="It reaches 47% of it",
        statement="It reaches 47% in 3 runs.",
        number="47%",
        caveat="Only 47% though.",
        citations=[cite("s", "asserts", quote="we reach 47 per cent")],
        computations=[{"name": "ratio", "expected": 47.0, "decimals": 0}],
    )
    library.computations["a"] = [Computed("ratio", "x", 12.0, "fail", "gives 12, not 47")]
    library.add_talk()
    outline = build("talk", library)
    for text in (render_markdown.render(outline), render_json.render(outline)):
        assert "47" not in text
        assert "gives 12" not in text
    assert outline.sections[0].title == "It reaches [withheld]% of it"
    assert "in 3 runs" in outline.sections[0].statement
    assert "withheld" in outline.sections[0].warnings[0]


def test_only_verified_leaves_out_a_claim_whose_computation_fails(library: Library) -> None:
    library.add_claim("a", computations=[{"name": "ratio", "expected": True}])
    library.computations["a"] = [Computed("ratio", "x", False, "fail", "gives false, not true")]
    library.add_talk()
    outline = build("talk", library, Options(only_verified=True))
    assert outline.sections == ()
    assert outline.cut[0].why == "not verified: figures withheld: a computation fails"
    assert any("1 claim left out" in notice for notice in outline.notices)


def test_a_derived_figure_shows_its_assumption(library: Library) -> None:
    library.add_claim("a", number="4%")
    library.computations["a"] = [Computed("ratio", "x", 4.0, "derived", "4 percent, assumes equal cells")]
    library.add_talk()
    assert "derived, 4 percent, assumes equal cells" in markdown(library)


def test_our_own_run_is_shown_with_interval_units_and_preset(library: Library) -> None:
    criterion = {"reproduction": "r", "name": "c", "metric": "share", "primary": True, "analogue": False}
    library.add_claim(
        "a",
        criteria=[criterion],
        runs=[{"id": "run-1", "reproduction": "r", "preset": "quick", "verdict": "supported"}],
        reproductions=[{"name": "r", "command": "kb reproduce r"}],
        verdict_detail={"verdict": "supported", "because": "share in region", "since": "x", "run": "run-1"},
    )
    metric = {
        "value": 0.92,
        "low": 0.85,
        "high": 0.97,
        "n": 10,
        "unit": "graph",
        "title": "share of shortest",
    }
    library.runs["run-1"] = {
        "id": "run-1",
        "reproduction": "r",
        "preset": "quick",
        "metrics": {"share": metric},
        "departures": ["our own graphs"],
    }
    library.add_talk()
    text = markdown(library)
    assert "share of shortest: 0.92 \\[0.85, 0.97\\] (95 % interval, n = 10 graphs, quick run)" in text
    assert "our own graphs" in text
    assert "`kb reproduce r`" in text


def test_a_smoke_run_never_stands_for_a_verdict(library: Library) -> None:
    library.add_claim(
        "a", runs=[{"id": "run-1", "reproduction": "r", "preset": "smoke", "verdict": "unchecked"}]
    )
    library.runs["run-1"] = {"id": "run-1", "reproduction": "r", "preset": "smoke", "metrics": {}}
    library.add_talk()
    assert build("talk", library).sections[0].measured == ()


def test_top_limits_the_items_and_says_what_was_beyond(library: Library) -> None:
    for name in "abcd":
        library.add_claim(name)
    library.add_talk(top=4)
    outline = build("talk", library, Options(top=3))
    assert [section.claim for section in outline.sections] == ["a", "b", "c"]
    assert outline.cut[0].why == "beyond the first 3 (it is number 4)"


def test_what_does_not_fit_the_minutes_is_cut_with_the_seconds_it_needs(library: Library) -> None:
    for name in "abc":
        library.add_claim(name, statement="word " * 50 + name)
    library.add_talk()
    outline = build("talk", library, Options(minutes=1))
    assert outline.seconds <= 60
    assert ([section.claim for section in outline.sections], [cut.claim for cut in outline.cut]) == (
        ["a", "b"],
        ["c"],
    )
    assert "its shortest form takes 0:26" in outline.cut[0].why
    assert any("fit in 1:00" in notice for notice in outline.notices)


def test_a_talk_of_which_nothing_fits_says_so(library: Library) -> None:
    library.add_claim("a", statement="word " * 100)
    library.add_talk()
    with pytest.raises(KbError, match="cannot fit") as caught:
        build("talk", library, Options(minutes=0.2))
    assert caught.value.code == 1


@pytest.mark.parametrize("options", [{"minutes": 0}, {"minutes": float("nan")}, {"top": 0}, {"top": 1000}])
def test_senseless_options_are_refused(library: Library, options: dict[str, Any]) -> None:
    library.add_claim("a")
    library.add_talk()
    with pytest.raises(KbError):
        build("talk", library, Options(**options))


def test_a_talk_by_rubric_prints_scores_reasons_and_what_other_weights_change(library: Library) -> None:
    library.add_claim("a")
    library.add_claim("b")
    score = {"score": 3, "reason": "Shown by ablation", "source": "lovelace1843"}
    rubric = {
        "criteria": [{"name": "causal", "weight": 3, "question": "By intervening?"}],
        "alternatives": {"upside-down": {"causal": -1}},
        "scores": {"a": {"causal": {"score": 1, "reason": "Hardly"}}, "b": {"causal": score}},
    }
    library.add_talk(order="rubric", rubric=rubric)
    outline = build("talk", library)
    assert [section.claim for section in outline.sections] == ["b", "a"]
    text = render_markdown.render(outline)
    assert "causal 3: Shown by ablation. [1]" in text
    assert "upside-down (causal −1): a rises from 2 to 1; b falls from 1 to 2." in text


def test_letters_that_turn_text_round_or_hide_reach_no_outline_by_any_field(library: Library) -> None:
    library.add_claim("a")
    hidden = "w\u202eeights\U000e0041"
    rubric = {
        "criteria": [{"name": "causal", "weight": 3, "question": "By intervening?"}],
        "alternatives": {hidden: {"causal": -1}},
        "scores": {"a": {"causal": {"score": 1, "reason": "Hardly"}}},
    }
    library.add_talk(order="rubric", rubric=rubric, pictures={"a": hidden})
    outline = build("talk", library)
    for text in (render_markdown.render(outline), render_json.render(outline), *outline.notices):
        assert "\u202e" not in text
        assert "\U000e0041" not in text


def test_the_same_library_and_options_give_the_same_bytes(library: Library) -> None:
    for name in "abc":
        library.add_claim(name)
    library.add_talk()
    assert markdown(library) == markdown(library)


def test_a_prediction_shows_its_probability_and_outcome(library: Library) -> None:
    library.add_claim(
        "a",
        kind="prediction",
        prediction={"probability": 0.8, "forecaster": "Emmons", "made": "2023-03", "outcome": "true"},
    )
    library.add_talk()
    outline = build("talk", library)
    assert "Forecast: 80 % (Emmons, 2023-03); outcome: true" in outline.sections[0].points
    assert outline.summary == (
        "1 of 1 prediction with a probability resolved, Brier score 0.040 (0 is perfect, 0.25 is a coin)",
    )


def test_an_outcome_on_a_stand_in_is_told_apart_and_resolves_nothing(library: Library) -> None:
    library.add_claim(
        "a", kind="prediction", prediction={"probability": 0.5, "forecaster": "Emmons", "analogue": "false"}
    )
    library.add_talk()
    outline = build("talk", library)
    assert outline.sections[0].points[:2] == (
        "Forecast: 50 % (Emmons); outcome: not resolved",
        "On a stand-in of our own, which resolves nothing: false",
    )
    assert outline.summary[0].startswith("None of 1 prediction with a probability is")
    assert outline.summary[1].startswith("On stand-ins of our own, scored apart: 1 of 1")
