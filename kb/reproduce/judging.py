"""A run's samples through its manifest: metrics, and what each criterion says."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from kb.reproduce.manifest import Criterion, Manifest
from kb.verdict import Estimate, Judgement, judge, lies_inside


def metrics_of(manifest: Manifest, samples: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Every metric that the samples give, by name: {value, low, high, n, unit, method, title}."""
    from kb.reproduce.statistics import estimate

    out: dict[str, dict[str, Any]] = {}
    for metric in manifest.metrics:
        found = estimate(metric, samples)
        if found is not None:
            out[metric.name] = {**dataclasses.asdict(found), "title": metric.title}
    return out


def judgements_of(
    manifest: Manifest,
    metrics: Mapping[str, Mapping[str, Any]],
    preset: str,
    *,
    on_original: bool = False,
    judged_by: Sequence[Mapping[str, Any]] | None = None,
) -> list[dict[str, Any]]:
    """What each criterion of the manifest says, as run records keep it.

    Args:
        manifest: of today.
        metrics: as `metrics_of` gives them, or as a record keeps them.
        preset: the run's tier.
        on_original: whether the run used the named artifact itself: then nothing is an analogue.
        judged_by: the criteria that the run was first judged by. One that is not among them, or has
            another region there, was fixed after the run: its judgement is marked post hoc.
    """
    least = {metric.name: metric.min_units for metric in manifest.metrics}
    fields = {f.name for f in dataclasses.fields(Estimate)}
    judged: dict[str, Judgement] = {}
    holding: set[str] = set()
    for criterion in manifest.criteria:
        measured = metrics.get(criterion.metric)
        estimate = Estimate(**{k: v for k, v in measured.items() if k in fields}) if measured else None
        plain = {**criterion.plain(), "analogue": criterion.analogue and not on_original}
        judgement = judge(plain, estimate, preset=preset, min_units=least[criterion.metric])
        if judgement.verdict != "unchecked" and _holds(criterion, estimate, least[criterion.metric]):
            holding.add(criterion.name)
        post_hoc = judged_by is not None and not _among(criterion, judged_by)
        judged[criterion.name] = dataclasses.replace(judgement, post_hoc=post_hoc)
    return [
        dataclasses.asdict(_controlled(judged[criterion.name], criterion, judged, holding))
        for criterion in manifest.criteria
    ]


def _holds(criterion: Criterion, estimate: Estimate | None, least: int) -> bool:
    """Whether a control holds: its interval lies in its region. It gives no verdict, so it needs no margin."""
    if estimate is None or estimate.n < least:
        return False
    return lies_inside(estimate, criterion.low, criterion.high)


def _controlled(
    judgement: Judgement, criterion: Criterion, judged: Mapping[str, Judgement], holding: set[str]
) -> Judgement:
    """The judgement, inconclusive where it would decide although a control that it requires does not hold."""
    missing = [name for name in criterion.requires if name not in holding]
    if judgement.verdict not in ("supported", "refuted") or not missing:
        return judgement
    because = f"the control {missing[0]} does not hold ({judged[missing[0]].because})"
    return dataclasses.replace(judgement, verdict="inconclusive", because=f"{because}; {judgement.because}")


def _among(criterion: Criterion, criteria: Sequence[Mapping[str, Any]]) -> bool:
    now = criterion.plain()
    decisive = ("claim", "metric", "meaning", "low", "high", "primary", "analogue", "requires")
    return any(all(then.get(key) == now.get(key) for key in decisive) for then in criteria)
