"""Ordering claims by a rubric that can be read: a weighted sum of scores, each with a reason.

A rubric is the plain data of `kb.records.Rubric`. total = sum over criteria of weight x score; a criterion
without a score counts 0 and shows as missing; ties are broken by claim id, so that the order never depends on
how the store happens to return its rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kb.talks.text import clean, joined, weight

TOP = 5
"""How many of the best are compared between weightings."""


def weights_of(rubric: Mapping[str, Any], alternative: str | None = None) -> dict[str, float]:
    """The weights by criterion; an alternative overrides those that it names."""
    weights = {criterion["name"]: float(criterion["weight"]) for criterion in rubric["criteria"]}
    if alternative is not None:
        weights.update(rubric.get("alternatives", {})[alternative])
    return weights


def total(scores: Mapping[str, Mapping[str, Any]], weights: Mapping[str, float]) -> float:
    """The weighted sum of one claim's scores."""
    # Rounded, since 0.1 + 0.2 must tie with 0.3 whatever the order of the criteria.
    return round(sum(weights[name] * float(score["score"]) for name, score in scores.items()), 9)


def ranked(rubric: Mapping[str, Any], claims: Iterable[str], alternative: str | None = None) -> list[str]:
    """The claims that have scores, best first, ties by id."""
    weights = weights_of(rubric, alternative)
    scores = rubric["scores"]
    totals = {claim: total(scores[claim], weights) for claim in claims if scores.get(claim)}
    return sorted(totals, key=lambda claim: (-totals[claim], claim))


def explained(rubric: Mapping[str, Any], claim: str) -> str:
    """Why a claim stands where it does: its total and what each criterion gives, largest first."""
    weights = weights_of(rubric)
    scores = rubric["scores"].get(claim, {})
    parts = [
        (weights[name] * float(scores[name]["score"]), name, weights[name], float(scores[name]["score"]))
        for name in weights
        if name in scores
    ]
    parts.sort(key=lambda part: (-abs(part[0]), part[1]))
    told = ", ".join(f"{name} {_signed(gives)} ({weight(w)} × {weight(s)})" for gives, name, w, s in parts)
    missing = [name for name in weights if name not in scores]
    without = f"; no score for {joined(missing)}" if missing else ""
    return f"{weight(total(scores, weights))} points: {told}{without}"


def compared(rubric: Mapping[str, Any], claims: Iterable[str], top: int = TOP) -> list[dict[str, Any]]:
    """How the first `top` change under each alternative weighting.

    Returns:
        One entry per alternative, in the rubric's order: {name, weights (those that differ), top, entered,
        left, moved:[{claim, from, to}], text}. Places count from 1.
    """
    claims = list(claims)
    base = ranked(rubric, claims)
    before = {claim: place for place, claim in enumerate(base, start=1)}
    plain_weights = weights_of(rubric)
    result = []
    for name in rubric.get("alternatives", {}):
        now = ranked(rubric, claims, name)[:top]
        after = {claim: place for place, claim in enumerate(now, start=1)}
        changed = {
            criterion: value
            for criterion, value in weights_of(rubric, name).items()
            if value != plain_weights[criterion]
        }
        entered = [claim for claim in now if before[claim] > top]
        left = [claim for claim in base[:top] if claim not in after]
        moved = [
            {"claim": claim, "from": before[claim], "to": after[claim]}
            for claim in now
            if before[claim] <= top and before[claim] != after[claim]
        ]
        entry = {
            "name": clean(name),
            "weights": changed,
            "top": now,
            "entered": entered,
            "left": left,
            "moved": moved,
        }
        result.append({**entry, "text": _told(entry, after, before, top)})
    return result


def _told(entry: dict[str, Any], after: dict[str, int], before: dict[str, int], top: int) -> str:
    parts = [f"{claim} enters at {after[claim]} (was {before[claim]})" for claim in entry["entered"]]
    if entry["left"]:
        parts.append(f"{joined(entry['left'])} {'leaves' if len(entry['left']) == 1 else 'leave'}")
    for move in entry["moved"]:
        verb = "rises" if move["to"] < move["from"] else "falls"
        parts.append(f"{move['claim']} {verb} from {move['from']} to {move['to']}")
    return "; ".join(parts) if parts else f"the top {top} stay as they are"


def _signed(value: float) -> str:
    return f"+{weight(value)}" if value > 0 else weight(value)
