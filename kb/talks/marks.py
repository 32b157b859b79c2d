"""Verdict marks and the words that always stand beside them; what makes a claim anything but settled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kb.talks.text import clean, counted

MARKS = {
    "supported": "✓",
    "refuted": "✗",
    "mixed": "≠",
    "inconclusive": "?",
    "unchecked": "·",
    "stale": "!",
}
_VERDICT_WORDS = {
    "supported": "supported by our own check",
    "refuted": "contradicted: our own check refutes it",
    "mixed": "contradicted in part: our own checks disagree",
    "inconclusive": "inconclusive: our own check does not decide it",
    "unchecked": "unchecked: no check of our own has tested it",
    "stale": "stale: our check is older than what it checked",
}
_STATUS_WORDS = {
    "supported": "supported in the literature",
    "disputed": "disputed in the literature",
    "refuted": "refuted in the literature",
    "open": "open in the literature",
    "superseded": "superseded in the literature",
}
_SAID_VERDICT = {
    "refuted": "Our own check contradicts that claim.",
    "mixed": "Our own checks of that claim disagree.",
    "inconclusive": "Our own check of that claim was inconclusive.",
    "stale": "Our own check of that claim is out of date.",
}
_SAID_STATUS = {
    "disputed": "The literature disputes that claim.",
    "refuted": "The literature refutes that claim.",
    "superseded": "Later work supersedes that claim.",
}


def verdict_text(claim: Mapping[str, Any], failing: Sequence[str] = ()) -> str:
    """Mark and words of our own verdict, with what it was because of, unless that is a computation that fails."""
    told = f"{MARKS[claim['verdict']]} {_VERDICT_WORDS[claim['verdict']]}"
    because = clean((claim.get("verdict_detail") or {}).get("because") or "")
    # "unchecked" has no because worth a line on a slide, and a failing computation's would print its figures.
    return f"{told} ({because})" if because and claim["verdict"] != "unchecked" and not failing else told


def warnings_of(
    claim: Mapping[str, Any], failing: Sequence[str] = (), without: Sequence[str] = ()
) -> tuple[str, ...]:
    """Why the audience should not take the claim as settled; empty where our check supports it undisputed.

    Args:
        failing: the claim's computations that fail.
        without: numerals of its headline and number that nothing stands behind.
    """
    found = [
        f"computation {clean(name)} fails its check: the figures of this claim are withheld"
        for name in failing
    ]
    if without:
        found.append(
            f"withheld: {counted(len(without), 'number')} of the headline or of the slide's number, in no quote,"
            " figure or computation of the claim"
        )
    if claim["verdict"] != "supported":
        found.append(_VERDICT_WORDS[claim["verdict"]])
    if claim["status"] != "supported":
        found.append(_STATUS_WORDS[claim["status"]])
    if claim.get("conflict"):
        found.append("changed on both sides of a sync: two versions wait for a decision")
    return tuple(found)


def flags_of(
    claim: Mapping[str, Any], failing: Sequence[str] = (), without: Sequence[str] = ()
) -> tuple[str, ...]:
    """What a slide says in a word or two beside verdict and status."""
    found = ["figures withheld: a computation fails"] if failing else []
    if without:
        found.append("number withheld: nothing stands behind it")
    if claim.get("conflict"):
        found.append("two versions")
    return tuple(found)


def standing(status: str, verdict: str) -> str:
    """A claim's standing in a few words, for a line in a list; nothing where it is settled."""
    # That nothing has checked it can only be said of us; every other word could be the literature's.
    ours = {"supported": [], "unchecked": ["unchecked"]}
    parts = list(ours.get(verdict, [f"{verdict} by us"]))
    parts += [] if status == "supported" else [status]
    return ", ".join(parts)


def is_doubted(status: str, verdict: str) -> bool:
    """Whether a headline may say the opposite of the claim, so that the claim itself must be shown or said."""
    return status in _SAID_STATUS or verdict in _SAID_VERDICT


def said(claim: Mapping[str, Any]) -> tuple[str, ...]:
    """The sentences that a speaker owes the audience about a contradicted, stale or disputed claim."""
    sentences = (_SAID_VERDICT.get(claim["verdict"]), _SAID_STATUS.get(claim["status"]))
    return tuple(text for text in sentences if text)
