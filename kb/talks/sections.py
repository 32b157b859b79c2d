"""One claim, with all that hangs on it, made into one item of a talk, in every length that it can be said in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kb.checks.figures import Computed
from kb.talks import marks
from kb.talks.evidence import caveat_of, evidence_of, objections_to
from kb.talks.measured import deciding_run, departures_of, measured_of
from kb.talks.outline import Evidence, Forecast, Measured, Section
from kb.talks.pictures import pictures_of
from kb.talks.reading import Reading, Row
from kb.talks.references import Sources
from kb.talks.refusals import Refusals, unbacked
from kb.talks.text import clean, is_said_by, lowered, maybe, numerals, sentence, withhold


@dataclass(frozen=True)
class Draft:
    """A section without its time, and what can be said of it, shortest first."""

    section: Section
    forms: tuple[tuple[str, ...], ...]


def draft(
    claim: Row, reading: Reading, sources: Sources, refusals: Refusals, picture: str | None = None
) -> Draft:
    """Make an item of a claim.

    Args:
        claim: as `kb.store.queries.show_claim` gives it.
        picture: which of the run's pictures to show, a file name or a pattern; None takes what suits.
    """
    computed = reading.computed(claim["id"])
    refusal = refusals.of(claim["id"], claim)
    run = deciding_run(claim, reading)
    without = _without(claim, computed, reading, run, sources)
    withheld = set(refusal.numerals)
    statement = withhold(clean(claim["statement"]), withheld)
    headline = maybe(claim.get("headline"))
    title = withhold(headline, withheld | without) if headline else statement
    objections = objections_to(claim, reading, sources.label, refusals)
    caveat, caveat_from = caveat_of(claim, objections, withheld)
    measured = measured_of(claim, run)
    number = None if refusal.failing or without else maybe(claim.get("number"))
    evidence = evidence_of(claim, sources.label, withheld)
    forecast = _forecast(claim, reading)
    answer = withhold(clean(claim["answer"]), withheld) if claim.get("answer") else None
    points = _points(title, statement, number, forecast, answer)
    points += [f"Our run: {one.text}" for one in measured]
    forms = _forms(claim, title, statement, number, forecast, caveat, measured, evidence)
    cited = [one.source for one in evidence] + [one.source for one in objections if one.source]
    pictures = pictures_of(claim, run, computed, reading, sources.label, picture)
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
        sources=tuple(dict.fromkeys(cited)),
        status=claim["status"],
        verdict=claim["verdict"],
        verdict_text=marks.verdict_text(claim, refusal.failing),
        warnings=marks.warnings_of(claim, refusal.failing, sorted(without)),
        flags=marks.flags_of(claim, refusal.failing, sorted(without)),
        forecast=forecast,
        answer=answer,
        asserted_by=clean(claim.get("asserted_by") or ""),
        date=maybe(claim.get("date")),
        measured=measured,
        computations=tuple(_computation(done) for done in computed),
        departures=departures_of(run),
        objections=objections,
        picture=pictures[0] if pictures else None,
        pictures=pictures[1:],
        commands=tuple(
            dict.fromkeys(
                clean(one["command"]) for one in claim.get("reproductions", []) if one.get("command")
            )
        ),
    )
    return Draft(section, forms)


def _without(
    claim: Row, computed: list[Computed], reading: Reading, run: Row | None, sources: Sources
) -> set[str]:
    """The numerals of the headline and of the slide's number that nothing stands behind."""
    shown = " ".join(clean(claim.get(name) or "") for name in ("headline", "number"))
    if not numerals(shown):
        return set()
    years = [sources.year(citation["source"]) for citation in claim.get("citations", [])]
    return unbacked(shown, claim, computed, reading.figures(claim["id"]), run, years)


def _forms(
    claim: Row,
    title: str,
    statement: str,
    number: str | None,
    forecast: Forecast | None,
    caveat: str | None,
    measured: tuple[Measured, ...],
    evidence: tuple[Evidence, ...],
) -> tuple[tuple[str, ...], ...]:
    """What can be said of the item, shortest first: none without its number, its doubts and its caveat."""
    doubts = [*marks.said(claim), *([sentence(caveat)] if caveat else [])]
    run = [_spoken(one) for one in measured[:1]]
    words = next(
        (f"In the words of {one.label}: “{one.quote}”" for one in evidence if _is_speech(one.quote)), None
    )

    def told(*before: str) -> tuple[str, ...]:
        spoken = [sentence(text) for text in dict.fromkeys(before)]
        if number and not is_said_by(number, spoken):
            spoken.append(f"The number: {sentence(number)}")
        return (*spoken, *map(sentence, _foretold(forecast)))

    # A headline may state the opposite of a claim that does not hold, so "that claim" must have been said.
    whole = (
        (title, f"The claim: {statement}") if marks.said(claim) and title != statement else (title, statement)
    )
    # The number on the slide is said in every form; where it is that of our own run, with its interval.
    shown = [_number_of(one) for one in measured[:1] if not number]
    short = (*told(*(whole if marks.said(claim) else (title,))), *shown, *doubts)
    middle = (*told(*whole), *run, *doubts)
    long = (*told(*whole), *run, *([words] if words else []), *doubts)
    return tuple(dict.fromkeys((short, middle, long)))


def _number_of(one: Measured) -> str:
    """What our own run measured, as a speaker says the number alone."""
    where = "on a stand-in of our own" if one.analogue else "in our own run"
    return f"The number {where}: {_interval(one)}."


def _spoken(one: Measured) -> str:
    """What our own run measured and of what, as a speaker says it."""
    where = "On a stand-in of our own" if one.analogue else "In our own run"
    return f"{where}, {lowered(one.title)}: {_interval(one)}."


def _interval(one: Measured) -> str:
    value, _, interval = one.shown.partition(" [")
    low, _, high = interval.rstrip("]").partition(", ")
    return f"{value}, with an interval from {low} to {high}" if high else f"{value}, without an interval"


def _is_speech(quote: str | None) -> bool:
    """Whether a quote can be read aloud: a row of a table cannot."""
    return quote is not None and len(numerals(quote)) <= 4


def _points(
    title: str, statement: str, number: str | None, forecast: Forecast | None, answer: str | None
) -> list[str]:
    """What stands under the title: the number, the full sentence, an answer, a forecast."""
    points = [number] if number else []
    points += _foretold(forecast)
    if statement != title:
        points.append(statement)
    if answer:
        points.append(f"Answer: {answer}")
    return points


def _forecast(claim: Mapping[str, Any], reading: Reading) -> Forecast | None:
    stands = reading.prediction(claim["id"]) if claim.get("prediction") else None
    if stands is None:
        return None
    real, analogue = stands
    return Forecast(
        real.probability, clean(real.forecaster), maybe(real.made), real.outcome, analogue.outcome
    )


def _foretold(forecast: Forecast | None) -> list[str]:
    """A forecast in words: who gave what probability, what came of it, and what a stand-in of ours says apart."""
    if forecast is None:
        return []
    who = f"{forecast.forecaster}{', ' + forecast.made if forecast.made else ''}"
    points = [f"{chance(forecast)} ({who}); outcome: {forecast.outcome or 'not resolved'}"]
    return points + on_a_stand_in(forecast)


def chance(forecast: Forecast) -> str:
    """The probability in words."""
    given = forecast.probability
    return f"Forecast: {given * 100:.4g} %" if given is not None else "Foretold without a probability"


def on_a_stand_in(forecast: Forecast) -> list[str]:
    """What a stand-in of our own says, which resolves nothing."""
    return (
        [f"On a stand-in of our own, which resolves nothing: {forecast.analogue}"]
        if forecast.analogue
        else []
    )


def _computation(done: Computed) -> str:
    """One line about a computation; of one that fails only its name, never a value."""
    if done.outcome == "fail":
        return f"✗ {clean(done.name)}: fails, so its figure is withheld"
    if done.outcome == "unknown":
        return f"· {clean(done.name)}: not recomputed, since cells it needs have not been read"
    sign = "✓" if done.outcome == "pass" else "≈"
    return f"{sign} {clean(done.name)}: {done.outcome}, {clean(done.detail)}"
