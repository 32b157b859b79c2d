"""Change point against logistic: each wins on data of its own kind, and neither where both fit."""

import numpy as np
import pytest

from reproductions.maze import transition

pytestmark = pytest.mark.experiment

SIZES = np.arange(9, 26, 2)


def points(rates: np.ndarray, of_each: int, seed: int) -> list[tuple[int, bool, int]]:
    generator = np.random.default_rng(seed)
    return [
        (int(size), bool(generator.random() < rate), 1000 * int(size) + level)
        for size, rate in zip(SIZES, rates, strict=True)
        for level in range(of_each)
    ]


def mean_gain(rates: np.ndarray) -> tuple[float, float]:
    """Mean gain of the change point and its standard error."""
    gains = list(transition.gains(points(rates, 300, 0), np.random.default_rng(1)).values())
    return float(np.mean(gains)), float(np.std(gains) / np.sqrt(len(gains)))


def test_a_sharp_drop_is_told_from_a_smooth_one_and_the_other_way_round() -> None:
    sharp, error = mean_gain(np.where(SIZES <= 15, 0.9, 0.1))
    assert sharp > 3 * error
    smooth, error = mean_gain(1 / (1 + np.exp((SIZES - 17) / 3.0)))
    assert smooth < -3 * error


def test_a_constant_rate_favours_neither() -> None:
    gain, _ = mean_gain(np.full(len(SIZES), 0.5))
    assert abs(gain) < 0.01


def test_the_change_may_span_two_sizes_and_no_more() -> None:
    known = [(size, i < 90, 0) for size in (9, 11) for i in range(100)]
    known += [(13, i < 50, 0) for i in range(100)]
    known += [(size, i < 10, 0) for size in (15, 17) for i in range(100)]
    rate = transition.fit_change_point([(size, success) for size, success, _ in known])
    np.testing.assert_allclose(rate(np.array([9.0, 11, 13, 15, 17])), [0.9, 0.9, 0.5, 0.1, 0.1], atol=0.02)


def test_levels_of_the_first_half_are_not_judged_on_and_points_of_a_level_stay_together() -> None:
    twice = [(int(size), True, level) for size in SIZES for level in range(10) for _ in (0, 1)]
    gains = transition.gains(twice, np.random.default_rng(0))
    assert len(gains) == 5
    assert transition.gains([(9, True, 1)], np.random.default_rng(0)) == {}
