"""Margins: known values of the exact test, and factors that only ever shrink with more units."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.margin import BOOTSTRAP, EDGE_CHANCE, chance_at_edge, margin
from kb.predictions import wilson

METHODS = ("t interval over units", "Fieller interval over units", BOOTSTRAP)


@pytest.mark.parametrize(
    ("successes", "n", "low", "high", "chance"),
    [
        (10, 10, 0.5, None, 0.5**10),
        (0, 10, None, 0.5, 0.5**10),
        (9, 10, 0.5, None, 11 * 0.5**10),
        (1, 10, None, 0.5, 11 * 0.5**10),
        (5, 10, 0.4, 0.6, 0.36690),
        (0, 10, 0.1, None, 1),
        (3, 10, 0, 1, 0),
        (118, 300, 0.33, None, 0.012345),
    ],
)
def test_the_exact_chance_at_an_edge_is_the_binomials(
    successes: int, n: int, low: float | None, high: float | None, chance: float
) -> None:
    assert chance_at_edge(successes, n, low, high) == pytest.approx(chance, abs=2e-5)


@given(st.integers(5, 60), st.floats(0.001, 0.999))
def test_no_true_proportion_at_an_edge_is_called_beyond_it_more_than_one_time_in_twenty(
    n: int, edge: float
) -> None:
    """Exactly, by adding up the chances of every outcome that would be called so."""
    called = [
        x for x in range(n + 1) if wilson(x, n)[0] >= edge and chance_at_edge(x, n, edge, None) <= EDGE_CHANCE
    ]
    wrong = chance_at_edge(min(called), n, edge, None) if called else 0.0
    assert wrong <= 0.05 + 1e-9


def test_wilson_alone_would_break_the_promise_near_zero() -> None:
    edge = wilson(1, 300)[0]
    assert chance_at_edge(1, 300, edge, None) > 0.16


@given(st.sampled_from(METHODS), st.integers(5, 2_000))
def test_more_units_never_need_a_wider_margin(method: str, n: int) -> None:
    assert 1 <= margin(n + 1, method) <= margin(n, method) <= margin(5, method)


def test_the_bootstrap_of_skewed_units_needs_less_than_the_t_interval() -> None:
    assert margin(30, BOOTSTRAP) < margin(30, METHODS[0])
