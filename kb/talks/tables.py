"""Slides that sum up several items as a table: predictions against outcomes, and who uses which word."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from kb.predictions import brier
from kb.talks.outline import Evidence, Objection, Picture, Section, Table
from kb.talks.reading import Reading
from kb.talks.text import clean, counted, joined

_AROUND = 26


def summary_of(claims: Iterable[str], reading: Reading) -> tuple[str, ...]:
    """The score of the talk's predictions, on what they are about and on stand-ins apart; nothing without any."""
    stands = [pair for claim in claims if (pair := reading.prediction(claim)) is not None]
    given = [pair for pair in stands if pair[0].probability is not None]
    if not given:
        return ()
    told = []
    for place, where in enumerate(("", "On stand-ins of our own, scored apart: ")):
        forecasts = [pair[place].forecast for pair in given]
        resolved = [forecast for forecast in forecasts if forecast is not None]
        score = brier(resolved)
        if score is not None:
            told.append(
                f"{where}{len(resolved)} of {counted(len(given), 'prediction')} with a probability resolved,"
                f" Brier score {score:.3f} (0 is perfect, 0.25 is a coin)"
            )
        elif not where:
            told.append(
                f"None of {counted(len(given), 'prediction')} with a probability is resolved yet, so there is no score"
            )
    return tuple(told)


def predictions(sections: Sequence[Section], summary: tuple[str, ...]) -> Table | None:
    """The predictions of a talk against their outcomes, in its order; None where it has none."""
    given = [(section, section.forecast) for section in sections if section.forecast is not None]
    if not given:
        return None
    resolved = sum(bool(forecast.outcome) for _, forecast in given)
    tested = any(forecast.analogue for _, forecast in given)
    rows = [
        ("prediction", "forecast", "outcome", *(["score"] if resolved else []))
        + (("on our stand-in", "score there") if tested else ())
    ]
    for section, forecast in given:
        chance = forecast.probability
        cells = [section.title, "none" if chance is None else f"{chance * 100:.4g} %"]
        cells += [forecast.outcome or "not resolved"]
        cells += [_score(chance, forecast.outcome)] if resolved else []
        cells += [forecast.analogue or "not decided", _score(chance, forecast.analogue)] if tested else []
        rows.append(tuple(cells))
    title = f"{resolved or 'None'} of {counted(len(given), 'prediction')} resolved so far"
    alt = "; ".join(", ".join(row) for row in rows)
    credit = "score: Brier, (probability − outcome)², 0 is perfect" if resolved or tested else ""
    credit += "; a stand-in of our own resolves nothing" if tested else ""
    picture = Picture("", f"Table. {alt}", credit, table=tuple(rows))
    return Table("predictions", title, picture, summary, tuple(section.claim for section, _ in given))


def _score(probability: float | None, outcome: str | None) -> str:
    """The Brier score of one forecast, or a dash where there is nothing to score."""
    if probability is None or outcome not in ("true", "false"):
        return "–"
    return f"{(probability - (outcome == 'true')) ** 2:.3f}"


def terms(words: Sequence[str], sections: Sequence[Section]) -> Table | None:
    """Who uses which of the words, by the passages quoted for these items; None where no passage holds any.

    A passage counts for a word that stands in it as a whole word; whether it is used or only mentioned there, the
    words around it show.
    """
    rows = [("word", "who", "in what words")]
    who: dict[str, list[str]] = {}
    keys: list[str] = []
    claims: list[str] = []
    for word in map(clean, words):
        for label, key, quote, claim in _passages(sections):
            found = re.search(rf"(?<!\w){re.escape(word)}(?!\w)", quote, re.IGNORECASE)
            if found is None or label in who.get(word, []):
                continue
            who.setdefault(word, []).append(label)
            keys.append(key)
            claims.append(claim)
            first = word if len(who[word]) == 1 else ""
            rows.append((first, label, _around(quote, found.start(), found.end())))
    if not who:
        return None
    told = [f"“{word}” by {counted(len(who.get(word, [])), 'source')}" for word in map(clean, words)]
    said = [f"“{word}” stands in the words of {joined(labels)}." for word, labels in who.items()]
    alt = "; ".join(", ".join(row) for row in rows)
    credit = "by the passages quoted in this talk; a mention counts as a use"
    picture = Picture("", f"Table. {alt}", credit, table=tuple(rows))
    title = joined(told).replace("” by", "” is written by", 1)
    title = title[0] + title[1].upper() + title[2:]
    claims, keys = list(dict.fromkeys(claims)), list(dict.fromkeys(keys))
    return Table("terms", title, picture, tuple(said), tuple(claims), tuple(keys))


def _passages(sections: Sequence[Section]) -> Iterator[tuple[str, str, str, str]]:
    """Every quoted passage of the items: label, key and words of its source, and the item's claim."""
    for section in sections:
        cited: tuple[Evidence | Objection, ...] = (*section.evidence, *section.objections)
        for one in cited:
            if one.quote and one.source:
                yield one.label, one.source, one.quote, section.claim


def _around(quote: str, start: int, end: int) -> str:
    """The words around a place in a quote, cut at words."""
    before, after = quote[:start], quote[end:]
    if len(before) > _AROUND:
        before = "…" + before[-_AROUND:].partition(" ")[2]
    if len(after) > _AROUND:
        after = after[:_AROUND].rpartition(" ")[0] + "…"
    return f"“{before}{quote[start:end]}{after}”"
