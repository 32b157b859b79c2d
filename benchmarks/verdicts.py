"""How often a verdict is wrong, on simulated experiments whose truth is known.

    python -m benchmarks.verdicts [--repetitions N] [--json]

Each experiment draws units, reports them as a run does, and goes through kb's own estimator and judge. The
truth lies exactly at the edge of a region that supports (above it) and of one that refutes (below it), the worst
place for it: just outside either, each verdict is wrong. A row gives the share of wrong `supported` and wrong
`refuted` verdicts, what the interval alone would have said without the margin or the exact test, and how often
the 95 % interval, where there is one, covers the truth. Seeds are fixed: two runs give the same figures.

Exit code 1 when the share of wrong verdicts of a promised case is above 5 % beyond the noise of the simulation.
The last rows are cases for which no rule can promise it; they are measured and told, not promised.
"""

from __future__ import annotations

import argparse
import json
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from kb.predictions import wilson
from kb.reproduce.manifest import Metric
from kb.reproduce.statistics import FEW, estimate
from kb.verdict import Estimate, judge

PROMISE = 0.05
LOGNORMAL_MEAN = float(np.exp(0.5))
Draw = Callable[[np.random.Generator, int], "list[np.ndarray[Any, Any]]"]


@dataclass(frozen=True)
class Case:
    """One simulated experiment: what its units are like, and the true value of its metric."""

    estimator: str
    units: str
    draw: Draw
    truth: float
    sizes: tuple[int, ...] = (5, 10, 30)
    promised: bool = True


@dataclass(frozen=True)
class Row:
    """What came out of the repetitions of one case at one number of units."""

    estimator: str
    units: str
    n: int
    repetitions: int
    wrong_supported: float
    wrong_refuted: float
    interval_alone: float
    """The larger of the two shares, had the interval inside the region been enough."""
    no_interval: float
    covered: float
    promised: bool

    @property
    def wrong(self) -> float:
        """The larger of the two shares: one truth makes only one of the verdicts wrong."""
        return max(self.wrong_supported, self.wrong_refuted)

    @property
    def broken(self) -> bool:
        """Above the promise by more than the simulation's own noise."""
        return wilson(round(self.wrong * self.repetitions), self.repetitions)[0] > PROMISE


def _normal(mean: float, deviation: float) -> Draw:
    return lambda rng, n: [rng.normal(mean, deviation, n)]


def _pair(one: Draw, other: Draw) -> Draw:
    return lambda rng, n: [*one(rng, n), *other(rng, n)]


def _exponential(rng: np.random.Generator, n: int) -> list[np.ndarray[Any, Any]]:
    return [rng.exponential(1.0, n)]


def _left(rng: np.random.Generator, n: int) -> list[np.ndarray[Any, Any]]:
    return [1.0 - rng.exponential(1.0, n)]


def _lognormal(rng: np.random.Generator, n: int) -> list[np.ndarray[Any, Any]]:
    return [rng.lognormal(0.0, 1.0, n)]


def _shares(rng: np.random.Generator, n: int) -> list[np.ndarray[Any, Any]]:
    return [rng.binomial(19, 0.9, n) / 19]


def _same_level(rng: np.random.Generator, n: int) -> list[np.ndarray[Any, Any]]:
    """Paired units that share a level of their own, as two treatments of one seed do."""
    level = rng.lognormal(0.0, 1.0, n)
    return [level * rng.lognormal(0.0, 0.3, n), level]


def _rare_loss(rng: np.random.Generator, n: int) -> list[np.ndarray[Any, Any]]:
    return [np.where(rng.random(n) < 0.1, 0.0, 1.0) - rng.uniform(0.0, 0.02, n)]


def _flips(share: float) -> Draw:
    return lambda rng, n: [(rng.random(n) < share).astype(float)]


CASES = (
    *(Case("proportion", f"a true share of {p:g}", _flips(p), p) for p in (0.02, 0.1, 1 / 3, 0.5, 0.9, 0.98)),
    Case("mean", "normal", _normal(1, 1), 1.0, (5, 10, FEW - 1, 30)),
    Case("mean", "exponential", _exponential, 1.0, (5, 10, FEW - 1, 30)),
    Case("mean", "exponential, tail to the left", _left, 0.0, (5, 10, 30)),
    Case("mean", "lognormal", _lognormal, LOGNORMAL_MEAN, (5, 10, FEW - 1, 30, 50, 100)),
    Case("mean", "shares out of 19, true mean 0.9", _shares, 0.9),
    Case("difference", "normal - normal", _pair(_normal(1, 1), _normal(0, 1)), 1.0),
    Case("difference", "exponential - exponential", _pair(_exponential, _exponential), 0.0),
    Case("difference", "lognormal - normal", _pair(_lognormal, _normal(1, 0.1)), LOGNORMAL_MEAN - 1),
    Case("difference", "lognormal, paired by level", _same_level, LOGNORMAL_MEAN * (np.exp(0.045) - 1)),
    Case("ratio", "normal / normal", _pair(_normal(1, 0.3), _normal(1, 0.3)), 1.0),
    Case("ratio", "exponential / normal", _pair(_exponential, _normal(1, 0.1)), 1.0),
    Case("ratio", "normal / exponential", _pair(_normal(1, 0.1), _exponential), 1.0),
    Case("ratio", "lognormal / normal", _pair(_lognormal, _normal(1, 0.1)), LOGNORMAL_MEAN),
    Case("ratio", "normal / lognormal", _pair(_normal(1, 0.1), _lognormal), 1 / LOGNORMAL_MEAN),
    Case("ratio", "lognormal, paired by level", _same_level, float(np.exp(0.045))),
    Case("mean", "one unit in ten loses all, the others hardly differ", _rare_loss, 0.89, promised=False),
)


def simulate(case: Case, n: int, repetitions: int) -> Row:
    """Draw, estimate and judge `repetitions` experiments of `n` units."""
    rng = np.random.default_rng(zlib.crc32(f"{case.estimator} {case.units} {n}".encode()))
    names = ("a", "b") if case.estimator in ("difference", "ratio") else ("a",)
    metric = Metric("m", "M", case.estimator, names, "unit", 5)
    units = [f"u{k}" for k in range(n)]
    weight = 1.0 if case.estimator == "proportion" else None
    above = {"name": "above", "claim": "c", "metric": "m", "meaning": "supports", "primary": True}
    above |= {"low": float(np.nextafter(case.truth, np.inf))}
    below = {**above, "meaning": "refutes", "low": None, "high": float(np.nextafter(case.truth, -np.inf))}
    told = {"supported": 0, "refuted": 0}
    alone = [0, 0]
    intervals = covered = 0
    for _ in range(repetitions):
        samples = [
            {"metric": name, "unit": unit, "value": value, "weight": weight}
            for name, column in zip(names, case.draw(rng, n), strict=True)
            for unit, value in zip(units, column.tolist(), strict=True)
        ]
        found: Estimate | None = estimate(metric, samples)
        for criterion in (above, below):
            verdict = judge(criterion, found, preset="full", min_units=5).verdict
            if verdict in told:
                told[verdict] += 1
        if found is not None and found.low is not None and found.high is not None:
            intervals += 1
            covered += found.low <= case.truth <= found.high
            alone[0] += found.low > case.truth
            alone[1] += found.high < case.truth
    return Row(
        case.estimator,
        case.units,
        n,
        repetitions,
        told["supported"] / repetitions,
        told["refuted"] / repetitions,
        max(alone) / repetitions,
        1 - intervals / repetitions,
        covered / intervals if intervals else float("nan"),
        case.promised,
    )


def measure(repetitions: int) -> Iterator[Row]:
    """Every case at every number of units; the bootstrap, which is slow, a fifth as often."""
    for case in CASES:
        for n in case.sizes:
            slow = n >= FEW and case.estimator != "proportion"
            yield simulate(case, n, repetitions // 5 if slow else repetitions)


def main() -> int:
    """Print the table, and say by the exit code whether the promise holds."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.verdicts", description=__doc__.split("\n")[0])
    parser.add_argument(
        "--repetitions", type=int, default=10_000, help="of each case; a fifth from 30 units on"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    options = parser.parse_args()
    rows = []
    if not options.json:
        print(
            "estimator   units                                                n  wrong   alone  covered  none"
        )
    for row in measure(options.repetitions):
        rows.append(row)
        if not options.json:
            mark = " BROKEN" if row.promised and row.broken else "" if row.promised else " (not promised)"
            print(
                f"{row.estimator:<11} {row.units:<50} {row.n:>3}  {row.wrong:5.1%}  {row.interval_alone:5.1%}"
                f"  {row.covered:6.1%}  {row.no_interval:5.1%}{mark}",
                flush=True,
            )
    broken = [row for row in rows if row.promised and row.broken]
    if options.json:
        print(json.dumps([{**asdict(row), "broken": row.promised and row.broken} for row in rows], indent=1))
    else:
        worst = max((row for row in rows if row.promised), key=lambda row: row.wrong)
        print(
            f"worst promised case: {worst.wrong:.1%} wrong ({worst.estimator}, {worst.units}, n = {worst.n})"
        )
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
