"""Which numbers a talk may not print: those of a failing computation, and those that nothing stands behind."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kb.checks.figures import Computed
from kb.checks.numerals import numerals as values_of
from kb.talks.reading import Reading, Row
from kb.talks.text import clean, numerals, withhold

# The digit of "GPT-2" or "Q1" is part of a name and measures nothing.
_NAMES = re.compile(r"(?<![\w.])[^\W\d_]+-?\d[\w.]*")


@dataclass(frozen=True)
class Refusal:
    """What of a claim may not be printed: the computations that fail, and the numerals that go with them."""

    failing: tuple[str, ...] = ()
    numerals: frozenset[str] = frozenset()


class Refusals:
    """The refusals of every claim that a talk names, each computed once."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._known: dict[str, Refusal] = {}

    def of(self, claim: str, row: Row | None = None) -> Refusal:
        """What of this claim may not be printed; `row` is the whole claim if it is at hand."""
        if claim not in self._known:
            failing = tuple(done.name for done in self._reading.computed(claim) if done.outcome == "fail")
            whole = (
                (row if row and "computations" in row else self._reading.claim(claim)) if failing else None
            )
            self._known[claim] = Refusal(failing, frozenset(_numerals(whole or {}, failing)))
        return self._known[claim]

    def spoken(self, text: str | None, rows: Iterable[Mapping[str, Any]]) -> str | None:
        """A text about these claims without what may not be printed of any of them."""
        refused = {numeral for row in rows for numeral in self.of(row["id"]).numerals}
        return withhold(text, refused) if text else text

    def title(self, row: Mapping[str, Any]) -> str:
        """A claim's headline, else its statement, without what may not be printed."""
        return withhold(clean(row.get("headline") or row["statement"]), set(self.of(row["id"]).numerals))


def _numerals(claim: Mapping[str, Any], failing: Iterable[str]) -> set[str]:
    """The numerals of failing computations: what they were to give, and those of the claim's number."""
    if not failing:
        return set()
    found = numerals(claim.get("number") or "")
    for computation in claim.get("computations", []):
        expected = computation.get("expected")
        if computation["name"] in failing and not isinstance(expected, bool) and expected is not None:
            found |= numerals(f"{expected:.{computation.get('decimals') or 0}f}") | numerals(f"{expected:g}")
    return found


def unbacked(
    text: str,
    claim: Mapping[str, Any],
    computed: Iterable[Computed],
    figures: Iterable[Row],
    run: Row | None,
    years: Iterable[str],
) -> set[str]:
    """The numerals of a text that stand in no quote, figure, computation, run or forecast of the claim.

    Args:
        text: a headline or the number of a slide.
        computed, figures: the claim's computations and the published figures that they read.
        run: the run that decides about the claim.
        years: of the sources that the claim cites; a year in a headline is that of a source.
    """
    there: set[str] = set()
    for citation in claim.get("citations", []):
        there.update(_values(citation.get("quote") or ""))
    for done in computed:
        if done.outcome in ("pass", "derived"):
            there.update(_values(done.detail.partition(", assumes")[0]))
    for figure in figures:
        there.update(f"{figure[name]:g}" for name in ("value", "spread") if figure.get(name) is not None)
    there.update(value for year in years for value in _values(year))
    probability = (claim.get("prediction") or {}).get("probability")
    if probability is not None:
        there.update((f"{probability:g}", f"{probability * 100:g}"))
    estimates = _estimates(claim, run)
    named = {digits for name in _NAMES.findall(text) for digits in numerals(name)}
    return {
        shown
        for shown in numerals(text) - named
        if not _values(shown) & there and not _rounds_to(shown, estimates)
    }


def _values(text: str) -> set[str]:
    return {f"{float(numeral):g}" for numeral in values_of(text)}


def _estimates(claim: Mapping[str, Any], run: Row | None) -> list[float]:
    """The estimates by which a run judges the claim, with their bounds, as they are and as per cent, and their n."""
    metrics = (run or {}).get("metrics") or {}
    found = []
    for name in {criterion["metric"] for criterion in claim.get("criteria", [])} & set(metrics):
        bounds = [metrics[name].get(part) for part in ("value", "low", "high")]
        found += [float(bound) * scale for bound in bounds if bound is not None for scale in (1, 100)]
        found.append(float(metrics[name].get("n") or 0))
    return found


def _rounds_to(shown: str, estimates: list[float]) -> bool:
    """Whether the numeral is one of the estimates, rounded to the places that it shows."""
    try:
        value = float(shown.replace(",", ""))
    except ValueError:
        return False
    places = len(shown.partition(".")[2])
    return any(abs(abs(one) - value) <= 0.5 * 10**-places + 1e-9 for one in estimates)
