"""From estimates and criteria to verdicts. Pure functions: no store, no files, no clock.

The table `COMBINED` is the one in docs/verdicts.md; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from kb.margin import EDGE_CHANCE, LEAST_UNITS, WILSON, chance_at_edge, margin

Verdict = Literal["supported", "refuted", "mixed", "inconclusive", "unchecked", "stale"]


@dataclass(frozen=True)
class Estimate:
    """What was measured: a value with its interval over `n` independent units; never a bare number."""

    value: float
    low: float | None
    high: float | None
    n: int
    unit: str
    method: str

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return f"{self.value:.3g} (no interval, n = {self.n})"
        return f"{self.value:.3g} [{self.low:.3g}, {self.high:.3g}], n = {self.n}"


@dataclass(frozen=True)
class Judgement:
    """What a criterion says of its claim after a run, and why in words."""

    criterion: str
    claim: str
    verdict: Verdict
    because: str
    primary: bool = False
    analogue: bool = False
    post_hoc: bool = False


def judge(
    criterion: Mapping[str, object], estimate: Estimate | None, *, preset: str, min_units: int
) -> Judgement:
    """Judge one criterion.

    The interval inside the region, by the margin that so few units need: the criterion's meaning holds. Outside
    it: the criterion fails, which is no verdict the other way round. Across its edge, inside by less than the
    margin, without an interval, or with too few units: inconclusive.

    Args:
        criterion: {name, claim, metric, meaning, low, high, primary, analogue, presets} as in a manifest.
        estimate: of the criterion's metric; None where the run did not give it.
        preset: the run's tier. A smoke run never gives a verdict.
        min_units: fewer independent units are too few for any sentence; never fewer than `LEAST_UNITS`.
    """
    low, high = _bound(criterion.get("low")), _bound(criterion.get("high"))
    presets = criterion.get("presets") or ("quick", "full")
    assert isinstance(presets, Sequence)
    holds: Verdict = "supported" if criterion["meaning"] == "supports" else "refuted"
    verdict: Verdict = "inconclusive"
    metric = criterion["metric"]
    least = max(min_units, LEAST_UNITS)
    if preset == "smoke":
        verdict, because = "unchecked", "a smoke run proves that the code runs, nothing else"
    elif preset not in presets:
        verdict, because = "unchecked", f"this criterion is not for a {preset} run"
    elif estimate is None:
        because = f"the run did not measure {metric}"
    elif estimate.n < least:
        because = f"{metric} has {estimate.n} independent units ({estimate.unit}), {least} are needed"
    elif estimate.low is None or estimate.high is None:
        because = f"{metric} is {estimate}: {estimate.method}"
    elif lies_inside(estimate, low, high):
        because = f"{metric} is {estimate}: inside {_region(low, high)}"
        lacking = _short_of(estimate, low, high)
        verdict, because = ("inconclusive", f"{because}, but {lacking}") if lacking else (holds, because)
    elif (low is not None and estimate.high < low) or (high is not None and estimate.low > high):
        because = f"{metric} is {estimate}: outside {_region(low, high)}"
    else:
        because = f"{metric} is {estimate}: across the edge of {_region(low, high)}"
    return Judgement(
        criterion=str(criterion["name"]),
        claim=str(criterion["claim"]),
        verdict=verdict,
        because=because,
        primary=bool(criterion.get("primary")),
        analogue=bool(criterion.get("analogue")),
    )


def lies_inside(estimate: Estimate, low: float | None, high: float | None) -> bool:
    """Whether the whole interval lies in the region from `low` to `high`, edges included; None: open there.

    An estimate without an interval lies in no region.
    """
    if estimate.low is None or estimate.high is None:
        return False
    return (low is None or estimate.low >= low) and (high is None or estimate.high <= high)


def _short_of(estimate: Estimate, low: float | None, high: float | None) -> str:
    """Why an interval inside the region is no verdict yet; "" where it is one."""
    assert estimate.low is not None
    assert estimate.high is not None
    if estimate.method == WILSON:
        chance = chance_at_edge(round(estimate.value * estimate.n), estimate.n, low, high)
        if chance <= EDGE_CHANCE:
            return ""
        return f"a truth at the edge gives that {chance:.1%} of the time, by the exact binomial test"
    factor = margin(estimate.n, estimate.method)
    below = estimate.value - factor * (estimate.value - estimate.low)
    above = estimate.value + factor * (estimate.high - estimate.value)
    if lies_inside(replace(estimate, low=below, high=above), low, high):
        return ""
    return (
        f"not by the margin for {estimate.n} units, which may be skewed: widened {factor:g} times it is"
        f" [{below:.3g}, {above:.3g}]"
    )


def _bound(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _region(low: float | None, high: float | None) -> str:
    if low is None:
        return f"at most {high:g}"
    return f"at least {low:g}" if high is None else f"{low:g} to {high:g}"


def together(judgements: Sequence[Judgement]) -> tuple[Verdict, str]:
    """The verdict of one run on one claim, from its primary criteria: each meaning has its own region."""
    primary = [judgement for judgement in judgements if judgement.primary]
    decided = [j for j in primary if j.verdict in ("supported", "refuted")]
    if len({j.verdict for j in decided}) > 1:
        return "mixed", "; ".join(j.because for j in decided)
    if decided:
        return decided[0].verdict, decided[0].because
    if any(j.verdict == "inconclusive" for j in primary):
        return "inconclusive", "; ".join(
            dict.fromkeys(j.because for j in primary if j.verdict == "inconclusive")
        )
    return "unchecked", primary[0].because if primary else "no criterion judges this claim"


@dataclass(frozen=True)
class Evidence:
    """One thing of our own that speaks for or against a claim: a run, or a computation that decides."""

    subject: str
    """Which reproduction, or which computation."""
    name: str
    """Which run."""
    verdict: Verdict
    because: str
    preset: str = "full"
    when: str = ""
    analogue: bool = False
    stale: bool = False


COMBINED: dict[tuple[bool, bool, bool, bool], Verdict] = {
    # supported, refuted, inconclusive, stale: what is among the evidence that counts
    (True, True, True, True): "mixed",
    (True, True, True, False): "mixed",
    (True, True, False, True): "mixed",
    (True, True, False, False): "mixed",
    (True, False, True, True): "supported",
    (True, False, True, False): "supported",
    (True, False, False, True): "supported",
    (True, False, False, False): "supported",
    (False, True, True, True): "refuted",
    (False, True, True, False): "refuted",
    (False, True, False, True): "refuted",
    (False, True, False, False): "refuted",
    (False, False, True, True): "inconclusive",
    (False, False, True, False): "inconclusive",
    (False, False, False, True): "stale",
    (False, False, False, False): "unchecked",
}
"""How what counts combines into one verdict."""
_TIER = {"quick": 1, "full": 2}


def combine(evidence: Iterable[Evidence]) -> tuple[Verdict, str, Evidence | None]:
    """The verdict on a claim, its reason, and the piece of evidence that it rests on most.

    What counts: of each subject the runs of its highest tier that are not stale and that say something; runs
    of one tier that decide differently are mixed, so that nobody repeats a run until it suits. An analogue (a
    stand-in for the named artifact) and a smoke run never count.
    """
    counting = _counting(
        [e for e in evidence if not e.analogue and e.preset != "smoke" and e.verdict != "unchecked"]
    )
    kinds = {"stale" if e.stale else e.verdict for e in counting}
    if "mixed" in kinds:
        kinds |= {"supported", "refuted"}
    verdict = COMBINED["supported" in kinds, "refuted" in kinds, "inconclusive" in kinds, "stale" in kinds]
    if verdict == "mixed":
        told = [e for e in counting if not e.stale and e.verdict in ("supported", "refuted", "mixed")]
        return verdict, "; ".join(f"{e.subject} {e.verdict}: {e.because}" for e in told), told[0]
    for e in counting:
        if ("stale" if e.stale else e.verdict) == verdict:
            return verdict, f"{e.subject} ({_tier_of(e)}): {e.because}", e
    return verdict, "nothing of our own has tested it", None


def _tier_of(evidence: Evidence) -> str:
    return f"{evidence.preset} run" if evidence.name else "computation"


def _counting(evidence: Sequence[Evidence]) -> list[Evidence]:
    """Of each subject its highest fresh tier; the newest first among those that decide, then the others."""
    counting: list[Evidence] = []
    for subject in dict.fromkeys(e.subject for e in evidence):
        own = [e for e in evidence if e.subject == subject]
        fresh = [e for e in own if not e.stale] or own
        tier = max(_TIER.get(e.preset, 0) for e in fresh)
        top = sorted(
            (e for e in fresh if _TIER.get(e.preset, 0) == tier), key=lambda e: (e.when, e.name), reverse=True
        )
        decided = [e for e in top if e.verdict in ("supported", "refuted", "mixed")]
        counting += decided or top[:1]
    return counting
