"""A run's samples through its manifest: metrics, and what each criterion says."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from kb.reproduce.manifest import Criterion, Manifest
from kb.verdict import Estimate, judge


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
    judged_by: Sequence[Mapping[str, Any]] | None = None,
) -> list[dict[str, Any]]:
    """What each criterion of the manifest says, as run records keep it.

    Args:
        manifest: of today.
        metrics: as `metrics_of` gives them, or as a record keeps them.
        preset: the run's tier.
        judged_by: the criteria that the run was first judged by. One that is not among them, or has
            another region there, was fixed after the run: its judgement is marked post hoc.
    """
    least = {metric.name: metric.min_units for metric in manifest.metrics}
    out = []
    for criterion in manifest.criteria:
        measured = metrics.get(criterion.metric)
        fields = {f.name for f in dataclasses.fields(Estimate)}
        estimate = Estimate(**{k: v for k, v in measured.items() if k in fields}) if measured else None
        judgement = judge(criterion.plain(), estimate, preset=preset, min_units=least[criterion.metric])
        post_hoc = judged_by is not None and not _among(criterion, judged_by)
        out.append({**dataclasses.asdict(judgement), "post_hoc": post_hoc})
    return out


def _among(criterion: Criterion, criteria: Sequence[Mapping[str, Any]]) -> bool:
    now = criterion.plain()
    decisive = ("claim", "metric", "meaning", "low", "high", "primary", "analogue")
    return any(all(then.get(key) == now[key] for key in decisive) for then in criteria)
