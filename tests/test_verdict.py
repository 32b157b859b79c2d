"""Verdicts: every rule, and for every rule a case in which it fails."""

import itertools
from pathlib import Path

import pytest

from kb.margin import BOOTSTRAP, WILSON
from kb.predictions import wilson
from kb.verdict import COMBINED, Estimate, Evidence, Judgement, combine, judge, lies_inside, together

SUPPORTS = {
    "name": "high",
    "claim": "c",
    "metric": "score",
    "meaning": "supports",
    "low": 0.5,
    "high": None,
    "primary": True,
    "analogue": False,
    "presets": ["quick", "full"],
}
REFUTES = {**SUPPORTS, "name": "low", "meaning": "refutes", "low": None, "high": 0.2}


def estimate(low: float | None, high: float | None, n: int = 200, method: str = BOOTSTRAP) -> Estimate:
    middle = 0.5 if low is None or high is None else (low + high) / 2
    return Estimate(middle, low, high, n, "seed", method)


@pytest.mark.parametrize(
    ("criterion", "interval", "verdict", "why"),
    [
        (SUPPORTS, (0.5, 0.9), "supported", "inside at least 0.5"),
        (SUPPORTS, (0.49, 0.9), "inconclusive", "across the edge"),
        (SUPPORTS, (0.0, 0.1), "inconclusive", "outside"),
        (REFUTES, (0.0, 0.2), "refuted", "inside at most 0.2"),
        (REFUTES, (0.1, 0.3), "inconclusive", "across the edge"),
        (REFUTES, (0.6, 0.9), "inconclusive", "outside"),
        ({**SUPPORTS, "high": 0.7}, (0.5, 0.7), "supported", "inside 0.5 to 0.7"),
        ({**SUPPORTS, "high": 0.7}, (0.5, 0.71), "inconclusive", "across the edge"),
    ],
)
def test_an_interval_inside_the_region_holds_and_nothing_else_does(
    criterion: dict[str, object], interval: tuple[float, float], verdict: str, why: str
) -> None:
    judged = judge(criterion, estimate(*interval), preset="quick", min_units=5)
    assert judged.verdict == verdict
    assert why in judged.because


@pytest.mark.parametrize(
    ("interval", "region", "inside"),
    [
        ((0.5, 0.9), (0.5, 0.9), True),
        ((0.5, 0.9), (None, None), True),
        ((0.4, 0.9), (0.5, None), False),
        ((0.5, 0.9), (None, 0.8), False),
        ((None, None), (None, None), False),
        ((None, 0.9), (None, 1.0), False),
    ],
)
def test_a_region_holds_an_interval_with_its_edges_and_never_a_bare_value(
    interval: tuple[float | None, float | None], region: tuple[float | None, float | None], inside: bool
) -> None:
    assert lies_inside(estimate(*interval), *region) is inside


def test_few_units_must_clear_the_region_by_their_margin() -> None:
    """Half widths of 0.1 become 0.24 with five units: 0.7 clears 0.5, but not by that."""
    few = estimate(0.6, 0.8, n=5, method="t interval over units")
    judged = judge(SUPPORTS, few, preset="full", min_units=5)
    assert judged.verdict == "inconclusive"
    assert "inside at least 0.5, but not by the margin for 5 units" in judged.because
    assert "[0.46, 0.94]" in judged.because
    clear = estimate(0.7, 0.9, n=5, method="t interval over units")
    assert judge(SUPPORTS, clear, preset="full", min_units=5).verdict == "supported"


def test_one_success_in_ten_does_not_show_a_rare_event_although_wilson_says_so() -> None:
    low, high = wilson(1, 10)
    rare = Estimate(0.1, low, high, 10, "level", WILSON)
    judged = judge({**SUPPORTS, "low": low}, rare, preset="full", min_units=5)
    assert judged.verdict == "inconclusive"
    assert "by the exact binomial test" in judged.because


def test_a_proportion_far_from_the_edge_is_a_verdict() -> None:
    low, high = wilson(9, 10)
    found = Estimate(0.9, low, high, 10, "level", WILSON)
    assert judge(SUPPORTS, found, preset="full", min_units=5).verdict == "supported"


def test_a_manifest_cannot_ask_for_fewer_than_five_units() -> None:
    judged = judge(SUPPORTS, estimate(0.9, 0.95, n=4), preset="quick", min_units=2)
    assert "5 are needed" in judged.because


def test_failing_a_supports_region_does_not_refute() -> None:
    assert judge(SUPPORTS, estimate(0.0, 0.01), preset="full", min_units=5).verdict == "inconclusive"


def test_a_smoke_run_never_gives_a_verdict() -> None:
    judged = judge(SUPPORTS, estimate(0.9, 0.95), preset="smoke", min_units=1)
    assert judged.verdict == "unchecked"


def test_too_few_units_are_inconclusive_whatever_they_show() -> None:
    judged = judge(SUPPORTS, estimate(0.9, 0.95, n=4), preset="quick", min_units=5)
    assert judged.verdict == "inconclusive"
    assert "4 independent units (seed), 5 are needed" in judged.because


def test_an_estimate_without_interval_is_inconclusive() -> None:
    assert judge(SUPPORTS, estimate(None, None), preset="quick", min_units=1).verdict == "inconclusive"


def test_what_was_not_measured_is_inconclusive() -> None:
    judged = judge(SUPPORTS, None, preset="quick", min_units=1)
    assert (judged.verdict, judged.because) == ("inconclusive", "the run did not measure score")


def test_a_criterion_for_full_runs_says_nothing_of_a_quick_one() -> None:
    criterion = {**SUPPORTS, "presets": ["full"]}
    assert judge(criterion, estimate(0.9, 0.95), preset="quick", min_units=1).verdict == "unchecked"


def _judgement(verdict: str, primary: bool = True) -> Judgement:
    return Judgement("n", "c", verdict, f"because {verdict}", primary=primary)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("verdicts", "together_as"),
    [
        (["supported", "inconclusive"], "supported"),
        (["inconclusive", "refuted"], "refuted"),
        (["inconclusive", "inconclusive"], "inconclusive"),
        (["supported", "refuted"], "mixed"),
        (["unchecked", "unchecked"], "unchecked"),
        ([], "unchecked"),
    ],
)
def test_the_primary_criteria_of_a_run_give_one_verdict(verdicts: list[str], together_as: str) -> None:
    assert together([_judgement(v) for v in verdicts])[0] == together_as


def test_a_secondary_criterion_gives_no_verdict() -> None:
    assert together([_judgement("supported", primary=False)])[0] == "unchecked"


def _run(verdict: str, **more: object) -> Evidence:
    fields: dict[str, object] = {
        "subject": "r",
        "name": "run",
        "because": "it ran",
        "preset": "quick",
        **more,
    }
    return Evidence(verdict=verdict, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("row", list(itertools.product([True, False], repeat=4)))
def test_every_row_of_the_table_is_what_combine_gives(row: tuple[bool, bool, bool, bool]) -> None:
    supported, refuted, inconclusive, stale = row
    evidence = [
        *([_run("supported", subject="a")] if supported else []),
        *([_run("refuted", subject="b")] if refuted else []),
        *([_run("inconclusive", subject="c")] if inconclusive else []),
        *([_run("supported", subject="d", stale=True)] if stale else []),
    ]
    assert combine(evidence)[0] == COMBINED[row]


def test_a_full_run_outranks_a_later_quick_one() -> None:
    runs = [_run("supported", preset="full", when="1"), _run("refuted", preset="quick", when="2")]
    assert combine(runs)[0] == "supported"


def test_runs_of_one_tier_that_disagree_are_mixed_so_that_repeating_does_not_help() -> None:
    assert combine([_run("refuted", when="1"), _run("supported", when="2")])[0] == "mixed"


def test_a_run_that_decides_counts_beside_later_ones_that_do_not() -> None:
    assert combine([_run("refuted", when="1"), _run("inconclusive", when="2")])[0] == "refuted"


def test_a_full_run_that_judges_nothing_does_not_hide_a_quick_one() -> None:
    assert combine([_run("supported"), _run("unchecked", preset="full")])[0] == "supported"


def test_a_stale_full_run_does_not_outrank_a_fresh_quick_one() -> None:
    runs = [_run("supported", preset="full", stale=True), _run("refuted", preset="quick")]
    assert combine(runs)[0] == "refuted"


@pytest.mark.parametrize("more", [{"analogue": True}, {"preset": "smoke"}])
def test_analogues_and_smoke_runs_never_count(more: dict[str, object]) -> None:
    assert combine([_run("supported", **more)])[0] == "unchecked"


def test_a_verdict_names_its_tier_and_what_it_rests_on() -> None:
    verdict, because, rests_on = combine([_run("refuted", preset="full", name="the-run")])
    assert (verdict, because) == ("refuted", "r (full run): it ran")
    assert rests_on is not None
    assert rests_on.name == "the-run"


def test_evidence_that_disagrees_is_mixed_and_both_sides_are_told() -> None:
    verdict, because, _ = combine([_run("supported", subject="a"), _run("refuted", subject="b")])
    assert verdict == "mixed"
    assert "a supported" in because
    assert "b refuted" in because


def test_the_table_in_the_documentation_is_the_codes_own() -> None:
    text = (Path(__file__).parent.parent / "docs" / "verdicts.md").read_text("utf-8")
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith(("| yes", "| no"))]
    documented = {}
    for *cells, verdict in rows:
        options = [(True, False) if cell == "any" else (cell == "yes",) for cell in cells]
        documented.update(dict.fromkeys(itertools.product(*options), verdict))
    assert documented == COMBINED
