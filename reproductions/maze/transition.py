"""Does a rate change with size in one step or smoothly? Two models with as many steps of freedom as they need.

A change point: one rate up to a size, another after it, and between them nothing, or a single size with a rate of
its own, so that the change spans at most two odd sizes. Smooth: the rate is logistic in size. Both are fitted on
half of the levels; what counts is the log-likelihood of the other half.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from reproductions.maze.regression import Floats, newton

Rate = Callable[[Floats], Floats]
"""From sizes to probabilities of success."""
_PRIOR = 0.5
"""Successes and failures added to each rate, so that none is 0 or 1 (Jeffreys)."""


def gains(points: Sequence[tuple[int, bool, int]], generator: np.random.Generator) -> dict[int, float]:
    """What the change point gains over the logistic, in nats, on levels that neither was fitted on.

    Args:
        points: (size, success, level); a level's points stay together.
        generator: halves the levels.

    Returns: level -> mean gain over its points, for the levels of the second half.
    """
    levels = sorted({level for _, _, level in points})
    fitted_on = set(generator.permutation(levels)[: len(levels) // 2].tolist())
    train = [(size, success) for size, success, level in points if level in fitted_on]
    models = [fit(train) for fit in (fit_change_point, fit_logistic)] if train else []
    found: dict[int, list[float]] = {}
    for size, success, level in points:
        if level in fitted_on or not models:
            continue
        step, smooth = (float(rate(np.array([size], float))[0]) for rate in models)
        chosen = (step, smooth) if success else (1 - step, 1 - smooth)
        found.setdefault(level, []).append(float(np.log(chosen[0]) - np.log(chosen[1])))
    return {level: sum(values) / len(values) for level, values in found.items()}


def _arrays(points: Sequence[tuple[int, bool]]) -> tuple[Floats, Floats]:
    return np.array([p[0] for p in points], float), np.array([p[1] for p in points], float)


def _log_likelihood(rate: Rate, sizes: Floats, successes: Floats) -> float:
    p = rate(sizes)
    return float((successes * np.log(p) + (1 - successes) * np.log(1 - p)).sum())


def fit_change_point(points: Sequence[tuple[int, bool]]) -> Rate:
    """The likeliest change point: rates before it, perhaps at one size in the middle, and after it."""
    sizes, successes = _arrays(points)
    known = np.unique(sizes)
    best: tuple[float, Rate] | None = None
    for first in range(len(known)):
        for middle in (0, 1):
            bounds = known[first], known[min(first + middle, len(known) - 1)]
            rate = _steps(sizes, successes, (float(bounds[0]), float(bounds[1])))
            score = _log_likelihood(rate, sizes, successes)
            if best is None or score > best[0] + 1e-9:
                best = score, rate
    assert best is not None
    return best[1]


def _steps(sizes: Floats, successes: Floats, bounds: tuple[float, float]) -> Rate:
    """One rate up to the first bound, one after it up to the second, one beyond."""

    def part(of: Floats) -> NDArray[np.int64]:
        found: NDArray[np.int64] = np.digitize(of, bounds, right=True)
        return found

    where = part(sizes)
    counts = np.bincount(where, minlength=3) + 2 * _PRIOR
    rates = (np.bincount(where, successes, minlength=3) + _PRIOR) / counts
    return lambda of: np.asarray(rates[part(of)], float)


def fit_logistic(points: Sequence[tuple[int, bool]]) -> Rate:
    """The rate logistic in size, by Newton's method with a weak prior on the slope that keeps it finite."""
    sizes, successes = _arrays(points)
    centre, scale = sizes.mean(), sizes.std() or 1.0

    def design(of: Floats) -> Floats:
        return np.stack([np.ones_like(of), (of - centre) / scale], axis=1)

    weights = newton(design(sizes), successes, np.array([1e-2, 1e-2]))

    def rate(of: Floats) -> Floats:
        p: Floats = np.clip(1 / (1 + np.exp(-design(of) @ weights)), 1e-6, 1 - 1e-6)
        return p

    return rate
