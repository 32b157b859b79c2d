"""What an interval must show beyond lying inside a region before a verdict is given. Pure functions.

A nominal 95 % interval of a mean of few skewed units misses the truth on one side far more often than 2.5 % of
the time (five lognormal units: 18 %), and Wilson's interval of a rare event does so near 0 and 1 (up to 16 %). The
estimates stay as they are printed; a verdict needs more: for means, differences and ratios the interval widened
by the margin for its number of units, for proportions the exact binomial test at the region's edge. With both, wrong
verdicts stay at or below 5 % for normal, exponential and lognormal units, at every number of units from
`LEAST_UNITS` on: benchmarks/verdicts measures it. No rule can promise it for any distribution whatever
(R. R. Bahadur and L. J. Savage 1956): docs/verdicts.md says for which it fails.
"""

from __future__ import annotations

import math

LEAST_UNITS = 5
"""With fewer independent units no metric gives a verdict, whatever a manifest asks for."""
EDGE_CHANCE = 0.05
"""How often what was observed, or more of it, may come from a truth at the region's edge."""
WILSON = "Wilson interval"
"""How estimates name the interval of a proportion."""
BOOTSTRAP = "bootstrap over units"
"""How estimates name the bootstrap's interval."""

_FROM_SPREAD = (
    (400, 1.05),
    (200, 1.1),
    (100, 1.2),
    (50, 1.35),
    (30, 1.5),
    (20, 1.65),
    (15, 1.75),
    (10, 2.0),
    (5, 2.4),
)
_FROM_BOOTSTRAP = ((200, 1.0), (100, 1.1), (50, 1.25), (30, 1.4))  # fmt: skip
"""(units at least, margin): the factor with which lognormal units (log standard deviation 1, skewness 6.2) exceed an
edge at which the truth lies less than 5 % of the time, rounded up. Student's t and Fieller need more than BCa."""


def margin(n: int, method: str) -> float:
    """The factor by which an interval over `n` units is widened, on each side of its value, for a verdict."""
    table = _FROM_BOOTSTRAP if method == BOOTSTRAP else _FROM_SPREAD
    return next((factor for least, factor in table if n >= least), table[-1][1])


def chance_at_edge(successes: int, n: int, low: float | None, high: float | None) -> float:
    """How likely so many successes in `n` trials, or more, are at `low`; so few, or fewer, at `high`.

    The larger of the two where a region has both edges; 0 of an edge that no proportion can lie beyond.
    """
    above = 0.0 if low is None or low <= 0 else _at_least(successes, n, low)
    below = 0.0 if high is None or high >= 1 else _at_least(n - successes, n, 1 - high)
    return max(above, below)


def _at_least(successes: int, n: int, share: float) -> float:
    """The chance of `successes` or more in `n` trials of probability `share`."""
    if successes <= 0 or share >= 1:
        return 1.0
    whole = math.lgamma(n + 1)
    return min(
        1.0,
        math.fsum(
            math.exp(
                whole
                - math.lgamma(k + 1)
                - math.lgamma(n - k + 1)
                + k * math.log(share)
                + (n - k) * math.log1p(-share)
            )
            for k in range(successes, n + 1)
        ),
    )
