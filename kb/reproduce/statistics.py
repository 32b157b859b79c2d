"""From per-unit samples to estimates with 95 % intervals over what was sampled independently.

Wilson for proportions; Student's t on unit means with fewer than 30 units; the bias-corrected and accelerated
bootstrap over units (Efron 1987) from 30 on; Fieller (1954) for ratios of means with fewer than 30. scipy does the
work and is imported only here, inside the functions. benchmarks/verdicts measures what the intervals cover.
"""

from __future__ import annotations

import math
import warnings
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kb.errors import KbError
from kb.margin import BOOTSTRAP, WILSON
from kb.predictions import wilson
from kb.reproduce.manifest import Metric
from kb.verdict import Estimate

FEW = 30
"""Below this many units the bootstrap covers too little: t and Fieller instead."""
RESAMPLES = 9_999
SEED = 20_260_101
"""Of the bootstrap: the same samples always give the same interval."""


def estimate(metric: Metric, samples: Iterable[Mapping[str, Any]]) -> Estimate | None:
    """The estimate of a metric from samples {metric, unit, value, weight}; None where there are none.

    Several samples of one unit are averaged first (their values and weights added, for proportions).

    Raises:
        KbError: when samples that are compared are not of the same units, or a proportion has no weights.
    """
    by_name: dict[str, dict[str, list[tuple[float, float | None]]]] = defaultdict(lambda: defaultdict(list))
    for sample in samples:
        if sample["metric"] in metric.samples:
            by_name[sample["metric"]][sample["unit"]].append((sample["value"], sample.get("weight")))
    if any(name not in by_name for name in metric.samples):
        return None
    if metric.estimator == "proportion":
        return _proportion(metric, by_name[metric.samples[0]])
    means = [
        {unit: math.fsum(v for v, _ in values) / len(values) for unit, values in by_name[name].items()}
        for name in metric.samples
    ]
    if len({frozenset(m) for m in means}) > 1:
        raise KbError(
            f"metric {metric.name}: {' and '.join(metric.samples)} were not measured on the same units"
        )
    units = list(means[0])
    columns = [[mean[unit] for unit in units] for mean in means]
    if metric.estimator == "ratio":
        return _ratio(metric, columns[0], columns[1])
    values = columns[0] if len(columns) == 1 else [a - b for a, b in zip(*columns, strict=True)]
    return _mean(metric, values)


def _proportion(metric: Metric, units: Mapping[str, Sequence[tuple[float, float | None]]]) -> Estimate:
    pairs = [pair for values in units.values() for pair in values]
    if any(weight is None for _, weight in pairs):
        raise KbError(f"metric {metric.name}: a proportion needs samples with a weight")
    successes = round(math.fsum(value for value, _ in pairs))
    trials = round(math.fsum(weight or 0 for _, weight in pairs))
    if trials != len(units):
        raise KbError(
            f"metric {metric.name}: {trials} trials on {len(units)} units; trials of one unit are not independent",
            "report shares per unit and use the estimator mean",
        )
    if not 0 <= successes <= trials:
        raise KbError(f"metric {metric.name}: {successes} of {trials} is no proportion")
    low, high = wilson(successes, trials)
    return Estimate(successes / trials, low, high, trials, metric.unit, WILSON)


def _mean(metric: Metric, values: Sequence[float]) -> Estimate:
    n = len(values)
    mean = math.fsum(values) / n
    if n < 2:
        return Estimate(mean, None, None, n, metric.unit, "one unit has no spread")
    if max(values) == min(values):
        # Units that agree to the last digit say nothing of their spread: rare losses are 36 % likely not to
        # show among ten units, 4 % among thirty (simulated), so no interval of width zero is given.
        return Estimate(mean, None, None, n, metric.unit, f"all {n} units are equal: their spread is unknown")
    if n < FEW:
        half = _t(n - 1) * _deviation(values) / math.sqrt(n)
        return Estimate(mean, mean - half, mean + half, n, metric.unit, "t interval over units")
    low, high = _bootstrap((values,), lambda a, axis: a.mean(axis=axis))
    if not (math.isfinite(low) and math.isfinite(high)):
        return Estimate(
            mean, None, None, n, metric.unit, "the units hardly differ: the bootstrap gives no interval"
        )
    return Estimate(mean, low, high, n, metric.unit, BOOTSTRAP)


def _ratio(metric: Metric, above: Sequence[float], below: Sequence[float]) -> Estimate:
    n = len(above)
    mean_above, mean_below = math.fsum(above) / n, math.fsum(below) / n
    if mean_below == 0:
        raise KbError(f"metric {metric.name}: the ratio's denominator is zero on average")
    value = mean_above / mean_below
    if n < 2:
        return Estimate(value, None, None, n, metric.unit, "one unit has no spread")
    if n >= FEW and min(below) > 0:
        low, high = _bootstrap((above, below), lambda a, b, axis: a.mean(axis=axis) / b.mean(axis=axis))
        if not (math.isfinite(low) and math.isfinite(high)):
            return Estimate(value, None, None, n, metric.unit, "the bootstrap gives no interval")
        return Estimate(value, low, high, n, metric.unit, BOOTSTRAP)
    return Estimate(value, *_fieller(above, below, _t(n - 1)), n, metric.unit, "Fieller interval over units")


def _fieller(above: Sequence[float], below: Sequence[float], t: float) -> tuple[float | None, float | None]:
    """Fieller's interval for the ratio of paired means; (None, None) where it is unbounded."""
    n = len(above)
    a, b = math.fsum(above) / n, math.fsum(below) / n
    var_a = math.fsum((x - a) ** 2 for x in above) / (n - 1) / n
    var_b = math.fsum((y - b) ** 2 for y in below) / (n - 1) / n
    cov = math.fsum((x - a) * (y - b) for x, y in zip(above, below, strict=True)) / (n - 1) / n
    denominator = b * b - t * t * var_b
    inside = (a * b - t * t * cov) ** 2 - denominator * (a * a - t * t * var_a)
    if denominator <= 0 or inside < 0:
        return None, None
    middle, half = a * b - t * t * cov, math.sqrt(inside)
    return (middle - half) / denominator, (middle + half) / denominator


def _deviation(values: Sequence[float]) -> float:
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (len(values) - 1))


def _t(freedom: int) -> float:
    """The two-sided 95 % quantile of Student's t."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.975))


def _bootstrap(data: tuple[Sequence[float], ...], statistic: Any) -> tuple[float, float]:
    import numpy as np
    from scipy.stats import bootstrap

    with warnings.catch_warnings():
        # Nearly equal units make the acceleration 0/0: the interval is then checked below, not warned about.
        warnings.simplefilter("ignore", RuntimeWarning)
        result = _resampled(bootstrap, data, statistic, np.random.default_rng(SEED))
    return float(result.confidence_interval.low), float(result.confidence_interval.high)


def _resampled(bootstrap: Any, data: tuple[Sequence[float], ...], statistic: Any, rng: Any) -> Any:
    return bootstrap(
        data,
        statistic,
        paired=len(data) > 1,
        vectorized=True,
        n_resamples=RESAMPLES,
        batch=1_000,
        method="BCa",
        rng=rng,
    )
