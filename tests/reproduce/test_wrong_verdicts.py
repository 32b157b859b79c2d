"""Simulated experiments with known truth: verdicts are wrong at most one time in twenty.

The whole table, with ten times the repetitions, is `python -m benchmarks.verdicts`; here a few of its cases.
"""

from __future__ import annotations

import pytest

from benchmarks.verdicts import CASES, Case, simulate

FEW_UNITS = [case for case in CASES if case.promised]


@pytest.mark.slow
@pytest.mark.parametrize("n", [5, 10])
@pytest.mark.parametrize("case", FEW_UNITS, ids=lambda case: f"{case.estimator}, {case.units}")
def test_at_the_edge_of_a_region_few_units_decide_wrongly_at_most_one_time_in_twenty(
    case: Case, n: int
) -> None:
    row = simulate(case, n, 1_000)
    assert not row.broken, row


def test_without_the_margin_skewed_units_would_break_the_promise() -> None:
    (lognormal,) = (c for c in CASES if (c.estimator, c.units) == ("mean", "lognormal"))
    row = simulate(lognormal, 5, 1_000)
    assert row.interval_alone > 0.1
    assert row.covered < 0.9


def test_what_no_rule_can_promise_is_told_apart() -> None:
    (rare,) = (c for c in CASES if not c.promised)
    assert simulate(rare, 5, 300).wrong > 0.3
