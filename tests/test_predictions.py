"""Scores of forecasts: known values, and identities that hold for any forecasts."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.predictions import Forecast, brier, calibration, decompose, log_score, wilson

MAZE = [Forecast(p, t) for p, t in ((0.8, True), (0.75, True), (0.75, False), (0.55, True), (0.8, True))]
FORECASTS = st.lists(st.builds(Forecast, st.floats(0, 1), st.booleans()), min_size=1, max_size=60)


def test_the_brier_score_is_the_mean_squared_distance_on_zero_to_one() -> None:
    assert brier(MAZE) == pytest.approx((0.04 + 0.0625 + 0.5625 + 0.2025 + 0.04) / 5)


def test_the_log_score_is_the_mean_surprise_in_nats() -> None:
    assert log_score([Forecast(0.5, True), Forecast(0.25, False)]) == pytest.approx(
        (math.log(2) - math.log(0.75)) / 2
    )


def test_certainty_that_fails_is_infinitely_surprising() -> None:
    assert log_score([Forecast(1.0, False)]) == math.inf


def test_nothing_resolved_has_no_score() -> None:
    assert brier([]) is None
    assert log_score([]) is None
    assert decompose([]) is None


@pytest.mark.parametrize("probability", [-0.1, 7, math.nan])
def test_a_probability_outside_zero_and_one_is_refused(probability: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        Forecast(probability, True)


@pytest.mark.parametrize(("probability", "low"), [(0.35, 0.35), (0.45, 0.45), (0.0, 0.0), (1.0, 0.95)])
def test_a_forecast_on_the_edge_of_a_bin_falls_into_the_upper_one(probability: float, low: float) -> None:
    (only,) = calibration([Forecast(probability, True)], bins=20)
    assert only.low == pytest.approx(low)


@given(FORECASTS, st.integers(1, 20))
def test_the_parts_add_up_to_the_brier_score(forecasts: list[Forecast], bins: int) -> None:
    parts = decompose(forecasts, bins)
    score = brier(forecasts)
    assert parts is not None
    assert score is not None
    assert abs(parts.brier - score) < 1e-9


@given(FORECASTS, st.integers(1, 20))
def test_no_forecast_is_lost_or_counted_twice_in_the_bins(forecasts: list[Forecast], bins: int) -> None:
    assert sum(part.n for part in calibration(forecasts, bins)) == len(forecasts)


def test_the_classical_identity_holds_where_forecasts_are_equal_within_bins() -> None:
    parts = decompose(MAZE, bins=20)
    assert parts is not None
    assert parts.within_bin_variance == pytest.approx(0, abs=1e-12)
    assert parts.reliability - parts.resolution + parts.uncertainty == pytest.approx(brier(MAZE), abs=1e-9)


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(389, 400, 0.951, 0.985), (2, 150, 0.0037, 0.0473), (0, 28, 0.0, 0.1206), (28, 28, 0.8794, 1.0)],
)
def test_wilson_intervals_agree_with_published_ones(successes: int, n: int, low: float, high: float) -> None:
    assert wilson(successes, n) == pytest.approx((low, high), abs=6e-4)


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (3, 2), (-1, 2)])
def test_no_interval_without_trials(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match="no proportion"):
        wilson(successes, n)
