"""One claim, with all that hangs on it, made into one item of a talk, in every length that it can be said in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kb.checks.figures import Computed
from kb.talks import marks
from kb.talks.evidence import caveat_of, evidence_of, objections_to
from kb.talks.measured import deciding_run, departures_of, measured_of
from kb.talks.outline import Evidence, Measured, Section
from kb.talks.pictures import picture_of
from kb.talks.reading import Reading, Row
from kb.talks.text import clean, is_said_by, maybe, numerals, sentence, withhold

Label = Callable[[str], str]


@dataclass(frozen=True)
class Draft:
    """A section without its time, and what can be said of it, shortest first."""

    section: Section
    forms: tuple[tuple[str, ...], ...]


def draft(claim: Row, reading: Reading, label: Label) -> Draft:
    """Make an item of a claim.

    Args:
        claim: as `kb.store.queries.show_claim` gives it.
        label: names a source by its key, as "Meng et al. 2022".
    """
    computed = reading.computed(claim["id"])
    failing = [done.name for done in computed if done.outcome == "fail"]
    withheld = _withheld(claim, failing)
    title, statement = (
        withhold(clean(text), withheld)
        for text in (claim.get("headline") or claim["statement"], claim["statement"])
    )
    objections = objections_to(claim, reading, label, withheld)
    caveat, caveat_from = caveat_of(claim, objections, withheld)
    run = deciding_run(claim, reading)
    measured = measured_of(claim, run)
    number = None if failing else maybe(claim.get("number"))
    evidence = evidence_of(claim, label, withheld)
    forecast = _forecast(claim, reading)
    points = _points(claim, title, statement, number, forecast, withheld)
    points += [f"Our run: {one.text}" for one in measured]
    forms = _forms(claim, title, statement, number, forecast, caveat, measured, evidence)
    sources = [one.source for one in evidence] + [one.source for one in objections if one.source]
    section = Section(
        claim=claim["id"],
        kind=claim["kind"],
        title=title,
        statement=statement,
        seconds=0,
        points=tuple(points),
        number=number,
        evidence=evidence,
        caveat=caveat,
        caveat_from=caveat_from,
        sources=tuple(dict.fromkeys(sources)),
        status=claim["status"],
        verdict=claim["verdict"],
        verdict_text=marks.verdict_text(claim),
        warnings=marks.warnings_of(claim, failing),
        asserted_by=clean(claim.get("asserted_by") or ""),
        date=maybe(claim.get("date")),
        measured=measured,
        computations=tuple(_computation(done) for done in computed),
        departures=departures_of(run),
        objections=objections,
        picture=picture_of(claim, run, computed, reading, label),
        commands=tuple(
            dict.fromkeys(
                clean(one["command"]) for one in claim.get("reproductions", []) if one.get("command")
            )
        ),
    )
    return Draft(section, forms)


def _forms(
    claim: Row,
    title: str,
    statement: str,
    number: str | None,
    forecast: list[str],
    caveat: str | None,
    measured: tuple[Measured, ...],
    evidence: tuple[Evidence, ...],
) -> tuple[tuple[str, ...], ...]:
    """What can be said of the item, shortest first: none without its number, its doubts and its caveat."""
    doubts = [*marks.said(claim), *([sentence(caveat)] if caveat else [])]
    run = [f"In our own run: {one.text}." for one in measured[:1]]
    words = next(
        (f"In the words of {one.label}: “{one.quote}”" for one in evidence if _is_speech(one.quote)), None
    )

    def told(*before: str) -> tuple[str, ...]:
        spoken = [sentence(text) for text in dict.fromkeys(before)]
        if number and not is_said_by(number, spoken):
            spoken.append(f"The number: {sentence(number)}")
        return (*spoken, *map(sentence, forecast))

    # A headline may state the opposite of a claim that does not hold, so "that claim" must have been said.
    whole = (
        (title, f"The claim: {statement}") if marks.said(claim) and title != statement else (title, statement)
    )
    short = (*told(*(whole if marks.said(claim) else (title,))), *doubts)
    middle = (*told(*whole), *run, *doubts)
    long = (*told(*whole), *run, *([words] if words else []), *doubts)
    return tuple(dict.fromkeys((short, middle, long)))


def _is_speech(quote: str | None) -> bool:
    """Whether a quote can be read aloud: a row of a table cannot."""
    return quote is not None and len(numerals(quote)) <= 4


def _points(
    claim: Row, title: str, statement: str, number: str | None, forecast: list[str], withheld: set[str]
) -> list[str]:
    """What stands under the title: the number, the full sentence, an answer, a forecast."""
    points = [number] if number else []
    points += forecast
    if statement != title:
        points.append(statement)
    if claim.get("answer"):
        points.append(f"Answer: {withhold(clean(claim['answer']), withheld)}")
    return points


def _forecast(claim: Mapping[str, Any], reading: Reading) -> list[str]:
    """A forecast in words: who gave what probability, what came of it, and what a stand-in of ours says apart."""
    stands = reading.prediction(claim["id"]) if claim.get("prediction") else None
    if stands is None:
        return []
    real, analogue = stands
    who = f"{clean(real.forecaster)}{', ' + clean(real.made) if real.made else ''}"
    given = f"Forecast: {real.probability * 100:.4g} %" if real.probability is not None else "No probability"
    points = [f"{given} ({who}); outcome: {real.outcome or 'not resolved'}"]
    if analogue.outcome:
        points.append(f"On a stand-in of our own, which resolves nothing: {analogue.outcome}")
    return points


def _withheld(claim: Mapping[str, Any], failing: list[str]) -> set[str]:
    """The numerals that a failing computation takes off the slide: its own, and those of the claim's number."""
    if not failing:
        return set()
    found = numerals(claim.get("number") or "")
    for computation in claim.get("computations", []):
        expected = computation.get("expected")
        if computation["name"] in failing and not isinstance(expected, bool) and expected is not None:
            found |= numerals(f"{expected:.{computation.get('decimals') or 0}f}") | numerals(f"{expected:g}")
    return found


def _computation(done: Computed) -> str:
    """One line about a computation; of one that fails only its name, never a value."""
    if done.outcome == "fail":
        return f"✗ {clean(done.name)}: fails, so its figure is withheld"
    if done.outcome == "unknown":
        return f"· {clean(done.name)}: not recomputed, since cells it needs have not been read"
    sign = "✓" if done.outcome == "pass" else "≈"
    return f"{sign} {clean(done.name)}: {done.outcome}, {clean(done.detail)}"
