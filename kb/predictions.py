"""Scoring rules and calibration. Pure functions: no store, no files, nothing imported but mathematics.

Sources: G. W. Brier (1950), Verification of forecasts expressed in terms of probability; A. H. Murphy
(1973), A new vector partition of the probability score; E. B. Wilson (1927) for the intervals.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

ENOUGH_FOR_A_CURVE = 20
"""With fewer resolved predictions a calibration curve is noise: the rows are printed instead."""


@dataclass(frozen=True)
class Forecast:
    """A resolved prediction: the probability that was given, and whether it came true."""

    probability: float
    came_true: bool

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1:
            raise ValueError(f"a probability lies between 0 and 1, not at {self.probability}")


def brier(forecasts: Sequence[Forecast]) -> float | None:
    """Mean squared distance of probability and outcome, 0 (perfect) to 1; None of nothing."""
    if not forecasts:
        return None
    return math.fsum((f.probability - f.came_true) ** 2 for f in forecasts) / len(forecasts)


def log_score(forecasts: Sequence[Forecast]) -> float | None:
    """Mean surprise in nats, -ln of the probability given to what happened: 0 is perfect, inf the worst."""
    if not forecasts:
        return None
    return math.fsum(_surprise(f) for f in forecasts) / len(forecasts)


def _surprise(forecast: Forecast) -> float:
    given = forecast.probability if forecast.came_true else 1 - forecast.probability
    return math.inf if given == 0 else -math.log(given)


@dataclass(frozen=True)
class Bin:
    """Forecasts of like probability: their mean, how many came true, and a 95 % Wilson interval."""

    low: float
    high: float
    n: int
    mean_probability: float
    share_true: float
    interval: tuple[float, float]


def calibration(forecasts: Sequence[Forecast], bins: int = 10) -> list[Bin]:
    """Forecasts grouped into equal bins of probability, empty bins left out; 1.0 is in the last bin."""
    grouped: dict[int, list[Forecast]] = {}
    for forecast in forecasts:
        # Rounding first: 0.35 / 0.05 is 6.999..., and a forecast must not fall a bin too low.
        index = min(bins - 1, math.floor(round(forecast.probability * bins, 9)))
        grouped.setdefault(index, []).append(forecast)
    return [_bin(index / bins, (index + 1) / bins, grouped[index]) for index in sorted(grouped)]


def _bin(low: float, high: float, members: Sequence[Forecast]) -> Bin:
    true = sum(f.came_true for f in members)
    mean = math.fsum(f.probability for f in members) / len(members)
    return Bin(low, high, len(members), mean, true / len(members), wilson(true, len(members)))


@dataclass(frozen=True)
class Decomposition:
    """Brier = reliability - resolution + uncertainty + within-bin terms (Murphy 1973, Stephenson 2008).

    With forecasts that are equal within each bin the two within-bin terms are zero and the classical
    three-way identity holds; kept apart, the identity holds for any forecasts.
    """

    reliability: float
    resolution: float
    uncertainty: float
    within_bin_variance: float
    within_bin_covariance: float

    @property
    def brier(self) -> float:
        """The score that the parts add up to."""
        return (
            self.reliability
            - self.resolution
            + self.uncertainty
            + self.within_bin_variance
            - self.within_bin_covariance
        )


def decompose(forecasts: Sequence[Forecast], bins: int = 10) -> Decomposition | None:
    """The parts of the Brier score over bins of probability; None of nothing."""
    if not forecasts:
        return None
    total = len(forecasts)
    base = sum(f.came_true for f in forecasts) / total
    parts = calibration(forecasts, bins)
    variance = covariance = 0.0
    for part in parts:
        members = [f for f in forecasts if _belongs(f, part)]
        variance += math.fsum((f.probability - part.mean_probability) ** 2 for f in members)
        covariance += 2 * math.fsum(
            (f.came_true - part.share_true) * (f.probability - part.mean_probability) for f in members
        )
    return Decomposition(
        reliability=math.fsum(p.n * (p.mean_probability - p.share_true) ** 2 for p in parts) / total,
        resolution=math.fsum(p.n * (p.share_true - base) ** 2 for p in parts) / total,
        uncertainty=base * (1 - base),
        within_bin_variance=variance / total,
        within_bin_covariance=covariance / total,
    )


def _belongs(forecast: Forecast, part: Bin) -> bool:
    above = round(forecast.probability - part.low, 9) >= 0
    below = round(part.high - forecast.probability, 9) > 0 or part.high == 1
    return above and below


def wilson(successes: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of a proportion.

    Raises:
        ValueError: of nothing, or of more successes than trials.
    """
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"no proportion: {successes} of {n}")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = successes / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low = 0.0 if successes == 0 else middle - half
    high = 1.0 if successes == n else middle + half
    return low, high
