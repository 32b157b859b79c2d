"""Estimates and their intervals: known values, what they refuse, and what they cover."""

import random
from typing import Any

import pytest

from kb.errors import KbError
from kb.reproduce.manifest import Metric
from kb.reproduce.statistics import FEW, estimate


def metric(estimator: str, *samples: str) -> Metric:
    return Metric("m", "M", estimator, samples or ("a",), "seed", 5)


def samples(name: str, values: list[float], weight: float | None = None) -> list[dict[str, Any]]:
    return [{"metric": name, "unit": f"u{n}", "value": v, "weight": weight} for n, v in enumerate(values)]


def test_the_t_interval_of_a_mean_is_the_textbooks() -> None:
    found = estimate(metric("mean"), samples("a", [1.0, 2.0, 3.0, 4.0, 5.0]))
    assert found is not None
    assert (found.value, found.n) == (3.0, 5)
    assert (found.low, found.high) == pytest.approx((1.0368, 4.9632), abs=1e-4)


def test_a_proportion_has_wilsons_interval() -> None:
    found = estimate(metric("proportion"), samples("a", [1.0] * 7 + [0.0] * 3, weight=1))
    assert found is not None
    assert (found.value, found.low, found.high) == pytest.approx((0.7, 0.3968, 0.8922), abs=1e-4)


def test_a_difference_is_paired_by_unit() -> None:
    noisy = [0.0, 10.0, 20.0, 30.0, 40.0]
    found = estimate(
        metric("difference", "a", "b"), samples("a", [x + 1 for x in noisy]) + samples("b", noisy)
    )
    assert found is not None
    assert found.value == pytest.approx(1)
    assert found.low is None  # all differences are equal: their spread is unknown


def test_many_units_are_bootstrapped_and_always_to_the_same_interval() -> None:
    generator = random.Random(1)
    values = [generator.gauss(0, 1) for _ in range(FEW)]
    first, again = (estimate(metric("mean"), samples("a", values)) for _ in range(2))
    assert first is not None
    assert first == again
    assert first.method == "bootstrap over units"
    assert first.low is not None
    assert first.low < first.value < (first.high or 0)


def test_fiellers_interval_of_a_ratio_is_the_known_one() -> None:
    above, below = [8.0, 9.5, 7.5, 9.0, 10.0], [94.0, 95.0, 93.0, 96.0, 92.0]
    found = estimate(metric("ratio", "a", "b"), samples("a", above) + samples("b", below))
    assert found is not None
    assert found.value == pytest.approx(0.09362, abs=1e-4)
    assert (found.low, found.high) == pytest.approx((0.08036, 0.10701), abs=2e-3)


def test_a_ratio_whose_denominator_may_be_zero_has_no_interval() -> None:
    found = estimate(
        metric("ratio", "a", "b"), samples("a", [1, 2, 3, 2, 1]) + samples("b", [-3, 4, -2, 3, 1])
    )
    assert found is not None
    assert (found.low, found.high) == (None, None)


def test_several_samples_of_one_unit_count_once() -> None:
    twice = samples("a", [1.0, 2.0, 3.0]) + samples("a", [3.0, 2.0, 1.0])
    found = estimate(metric("mean"), twice)
    assert found is not None
    assert found.n == 3


@pytest.mark.parametrize("values", [[1.0], [1.0] * (FEW - 1)])
def test_without_spread_there_is_no_interval(values: list[float]) -> None:
    found = estimate(metric("mean"), samples("a", values))
    assert found is not None
    assert found.low is None


def test_what_was_not_sampled_has_no_estimate() -> None:
    assert estimate(metric("difference", "a", "b"), samples("a", [1.0])) is None


def test_a_comparison_needs_the_same_units() -> None:
    with pytest.raises(KbError, match="same units"):
        estimate(metric("difference", "a", "b"), samples("a", [1.0, 2.0]) + samples("b", [1.0]))


def test_more_successes_than_trials_are_no_proportion() -> None:
    for values in ([3.0, 0.0], [-1.0, 0.0]):
        with pytest.raises(KbError, match="of 2 is no proportion"):
            estimate(metric("proportion"), samples("a", values, weight=1))


def test_a_proportion_needs_one_trial_for_each_unit() -> None:
    with pytest.raises(KbError, match="not independent"):
        estimate(metric("proportion"), samples("a", [3.0, 4.0], weight=5))
    with pytest.raises(KbError, match="needs samples with a weight"):
        estimate(metric("proportion"), samples("a", [1.0]))


def test_a_zero_denominator_is_no_ratio() -> None:
    with pytest.raises(KbError, match="zero on average"):
        estimate(metric("ratio", "a", "b"), samples("a", [1.0, 1.0]) + samples("b", [1.0, -1.0]))


def test_intervals_of_five_normal_units_cover_the_truth_about_as_often_as_they_say() -> None:
    generator = random.Random(7)
    covered = 0
    for _ in range(400):
        found = estimate(metric("mean"), samples("a", [generator.gauss(2, 1) for _ in range(5)]))
        assert found is not None
        covered += (found.low or 9) <= 2 <= (found.high or -9)
    assert 0.92 <= covered / 400 <= 0.98
