"""From a talk's record to its outline: choose, order, draft, fit to the time, number the references."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kb.errors import KbError
from kb.talks import fit, rubric, tables
from kb.talks.outline import Cut, Outline, Ranking, Section, Table
from kb.talks.pictures import is_named
from kb.talks.reading import Reading, Row
from kb.talks.references import Sources
from kb.talks.refusals import Refusals
from kb.talks.sections import Draft, draft
from kb.talks.select import Chosen, brief, choose
from kb.talks.text import clean, clock, counted, maybe, seconds_to_say, weight

_OWN_WORDS = ("title", "opening", "closing")
"""What a talk says itself, beside its claims."""
DEFAULTS = {"minutes": 5, "words_per_minute": 130, "pause_seconds": 2}


@dataclass(frozen=True)
class Options:
    """What a call asks for beside the talk's name; None keeps what the talk's record says."""

    minutes: float | None = None
    top: int | None = None
    only_verified: bool = False


class _Pace:
    """How long saying something takes in this talk."""

    def __init__(self, talk: Mapping[str, Any], minutes: float | None) -> None:
        self.minutes = float(minutes if minutes is not None else talk.get("minutes", DEFAULTS["minutes"]))
        self.rate = int(talk.get("words_per_minute", DEFAULTS["words_per_minute"]))
        self.pause = float(talk.get("pause_seconds", DEFAULTS["pause_seconds"]))
        self.available = self.minutes * 60

    def seconds(self, texts: tuple[str, ...]) -> int:
        return seconds_to_say(texts, self.rate, self.pause)


def build(name: str, reading: Reading, options: Options | None = None) -> Outline:
    """The outline of a talk. The same store and options give the same outline: no clock, no chance.

    Raises:
        NotFound: no such talk.
        KbError: the minutes or the number of items make no sense, or not even one item fits the time.
    """
    options = options or Options()
    _sensible(options)
    talk = reading.talk(name)
    pace = _Pace(talk, options.minutes)
    refusals = Refusals(reading)
    chosen = choose(talk, reading, refusals.title, only_verified=options.only_verified)
    top = options.top if options.top is not None else talk.get("top")
    wanted, below = (chosen.rows, []) if top is None else (chosen.rows[:top], chosen.rows[top:])
    sources = Sources(reading)
    title, opening, closing = (refusals.spoken(maybe(talk.get(part)), chosen.rows) for part in _OWN_WORDS)
    making = _Making(talk, reading, sources, refusals, pace)
    drafts, failing, late = making.drafts(wanted, options.only_verified)
    # What is said over the tables is part of the end; counted for all items, of which some may yet be cut.
    shown, _ = making.tables([one.section for one in drafts])
    frame = (pace.seconds((opening,) if opening else ()), _ending(pace, shown, closing))
    plan = fit.plan([[pace.seconds(form) for form in one.forms] for one in drafts], pace.available, *frame)
    if not plan.fits:
        needs = pace.seconds(drafts[0].forms[0])
        raise KbError(
            f"talk {name} cannot fit: its first item alone takes {clock(needs)} at {pace.rate} words a minute,"
            f" and there are {clock(pace.available)}",
            "give it more --minutes",
            code=1,
        )
    ranks = _ranks(talk, chosen)
    kept = [_timed(one, length, pace, talk, ranks) for one, length in zip(drafts, plan.lengths, strict=False)]
    over = [one.section for one in drafts[len(kept) :]]
    left = pace.available - plan.seconds
    cut = [
        *(_no_time(section, pace, left, drafts) for section in over),
        *(Cut(row["id"], brief(refusals.title(row)), "no time was left for it") for row in late),
        *failing,
        *(
            Cut(row["id"], brief(refusals.title(row)), _beyond(row, place, top or 0, talk))
            for place, row in enumerate(below, start=(top or 0) + 1)
        ),
        *chosen.cut,
    ]
    shown, summary = making.tables(kept)
    seconds = plan.seconds + ((_ending(pace, shown, closing) - frame[1]) if plan.closing else 0)
    ranking = _ranking(talk, chosen, {section.claim for section in kept}, refusals)
    return Outline(
        name=clean(talk.get("name", name)),
        title=title or "",
        minutes=pace.minutes,
        words_per_minute=pace.rate,
        pause_seconds=pace.pause,
        seconds=seconds,
        opening=opening if plan.opening else None,
        closing=closing if plan.closing else None,
        sections=tuple(kept),
        cut=tuple(cut),
        references=sources.numbered(_cited(kept, shown, ranking)),
        ranking=ranking,
        summary=summary,
        tables=shown if plan.closing else tuple(dataclasses.replace(table, say=()) for table in shown),
        notices=tuple(
            _notices(kept, over + late, chosen, failing, top, pace, plan, frame, options)
            + _unfound(talk, kept)
        ),
    )


def _ending(pace: _Pace, tables: tuple[Table, ...], closing: str | None) -> int:
    """Seconds for what is said over the tables, and then at the end."""
    return sum(pace.seconds(table.say) for table in tables) + pace.seconds((closing,) if closing else ())


def _cited(kept: list[Section], tables: tuple[Table, ...], ranking: Ranking | None) -> list[str]:
    """Every source that the talk names, in the order in which it does."""
    keys = [key for section in kept for key in section.sources]
    keys += [key for table in tables for key in table.sources]
    for row in ranking.claims if ranking else ():
        if row["shown"]:
            keys += [given["source"] for given in row["scores"].values() if given["source"]]
    return keys


def _unfound(talk: Mapping[str, Any], kept: list[Section]) -> list[str]:
    """The pictures that a talk names and no run has."""
    wanted = talk.get("pictures") or {}
    return [
        f"{section.claim} has no picture {clean(wanted[section.claim])}: see `kb run show` for the files of its run"
        for section in kept
        if section.claim in wanted
        and not (section.picture and is_named(section.picture, wanted[section.claim]))
    ]


@dataclass(frozen=True)
class _Making:
    """What makes items of claims."""

    talk: Mapping[str, Any]
    reading: Reading
    sources: Sources
    refusals: Refusals
    pace: _Pace

    def drafts(self, rows: list[Row], only_verified: bool) -> tuple[list[Draft], list[Cut], list[Row]]:
        """Drafts in order until the time is used up; claims left out for what is withheld; claims never reached."""
        drafts: list[Draft] = []
        withheld: list[Cut] = []
        used = 0
        for place, row in enumerate(rows):
            if used > self.pace.available:
                return drafts, withheld, rows[place:]
            whole = isinstance(row.get("citations"), list)
            claim = row if whole else self.reading.claim(row["id"])
            if claim is None:  # removed between the list and now: cannot happen in one read transaction
                continue
            picture = (self.talk.get("pictures") or {}).get(row["id"])
            one = draft(claim, self.reading, self.sources, self.refusals, picture)
            doubt = next((flag for flag in one.section.flags if "withheld" in flag), None)
            if only_verified and doubt:
                withheld.append(Cut(row["id"], one.section.title, f"not verified: {doubt}"))
                continue
            drafts.append(one)
            used += self.pace.seconds(one.forms[0])
        return drafts, withheld, []

    def tables(self, sections: list[Section]) -> tuple[tuple[Table, ...], tuple[str, ...]]:
        """The talk's tables, and the score of its predictions."""
        summary = tables.summary_of([section.claim for section in sections], self.reading)
        found = (
            tables.predictions(sections, summary),
            tables.terms(self.talk.get("terms") or (), sections),
        )
        return tuple(table for table in found if table is not None), summary


def _sensible(options: Options) -> None:
    if options.minutes is not None and not 0 < options.minutes <= 600:
        raise KbError(f"--minutes {options.minutes:g} is no length of a talk", "give 0.5 to 600")
    if options.top is not None and not 1 <= options.top <= 200:
        raise KbError(f"--top {options.top} is no number of items", "give 1 to 200")


def _timed(one: Draft, length: int, pace: _Pace, talk: Mapping[str, Any], ranks: dict[str, int]) -> Section:
    name = one.section.claim
    by_rubric = name in ranks
    scores = talk["rubric"]["scores"][name] if by_rubric else {}
    return dataclasses.replace(
        one.section,
        seconds=pace.seconds(one.forms[length]),
        say=one.forms[length],
        shortened=length < len(one.forms) - 1,
        rank=ranks.get(name),
        score=rubric.total(scores, rubric.weights_of(talk["rubric"])) if by_rubric else None,
        why=clean(rubric.explained(talk["rubric"], name)) if by_rubric else None,
    )


def _ranks(talk: Mapping[str, Any], chosen: Chosen) -> dict[str, int]:
    if talk.get("order", "hand") != "rubric":
        return {}
    return {row["id"]: place for place, row in enumerate(chosen.rows, start=1)}


def _no_time(section: Section, pace: _Pace, left: float, drafts: list[Draft]) -> Cut:
    forms = next(one.forms for one in drafts if one.section is section)
    needs = pace.seconds(forms[0])
    if needs <= left:
        return Cut(section.claim, section.title, "comes after an item that no longer fitted")
    return Cut(
        section.claim,
        section.title,
        f"no time: its shortest form takes {clock(needs)}, and {clock(left)} of {clock(pace.available)} is left",
    )


def _beyond(row: Row, place: int, top: int, talk: Mapping[str, Any]) -> str:
    why = f"beyond the first {top} (it is number {place}"
    if talk.get("order", "hand") == "rubric":
        points = rubric.total(talk["rubric"]["scores"][row["id"]], rubric.weights_of(talk["rubric"]))
        why += f", with {weight(points)} points"
    return f"{why})"


def _ranking(talk: Mapping[str, Any], chosen: Chosen, shown: set[str], refusals: Refusals) -> Ranking | None:
    if talk.get("order", "hand") != "rubric":
        return None
    of = talk["rubric"]
    weights = rubric.weights_of(of)
    titles = {row["id"]: refusals.title(row) for row in chosen.rows}
    claims = tuple(
        {
            "claim": name,
            "title": titles[name],
            "rank": place,
            "total": rubric.total(of["scores"][name], weights),
            "shown": name in shown,
            "scores": {
                criterion: {
                    "score": given["score"],
                    "reason": refusals.spoken(maybe(given["reason"]), [{"id": name}]) or "",
                    "source": given.get("source"),
                }
                for criterion, given in of["scores"][name].items()
            },
        }
        for place, name in enumerate(titles, start=1)
    )
    criteria = tuple(
        {"name": one["name"], "weight": one["weight"], "question": clean(one["question"])}
        for one in of["criteria"]
    )
    return Ranking(criteria, claims, tuple(rubric.compared(of, titles)), rubric.TOP)


def _notices(
    kept: list[Section],
    over: list[Any],
    chosen: Chosen,
    failing: list[Cut],
    top: int | None,
    pace: _Pace,
    plan: fit.Plan,
    frame: tuple[int, ...],
    options: Options,
) -> list[str]:
    """What somebody must know before giving the talk, each in one sentence."""
    told = []
    if over:
        asked = (
            f"the top {top} were asked for"
            if top
            else f"{counted(len(kept) + len(over), 'claim')} were chosen"
        )
        at_least = "" if plan.needed > pace.available else "at least "
        told.append(
            f"{asked}, {len(kept)} fit in {clock(pace.available)}: all would take {at_least}{clock(plan.needed)}"
        )
    elif top and len(kept) < top:
        told.append(f"the top {top} were asked for; only {len(kept)} can be shown")
    dropped = [
        part
        for part, there, seconds in zip(
            ("opening", "closing"), (plan.opening, plan.closing), frame, strict=True
        )
        if seconds and not there
    ]
    if dropped:
        told.append(f"no time for the {' and '.join(dropped)}")
    if options.only_verified:
        doubted = [cut for cut in chosen.cut if cut.why.startswith("not verified")] + failing
        told.append(
            f"only verified claims: {counted(len(doubted), 'claim')} left out, listed under what was cut"
        )
    if chosen.missing:
        told.append(
            f"{counted(len(chosen.missing), 'claim')} named by the talk not in this store: {', '.join(chosen.missing)}"
        )
    marked = [section for section in kept if section.warnings]
    if marked:
        told.append(f"{len(marked)} of {counted(len(kept), 'item')} carry a warning; each says which")
    shortened = [section.claim for section in kept if section.shortened]
    if shortened:
        which = "every item" if len(shortened) == len(kept) else ", ".join(shortened)
        told.append(f"said in a shorter form to fit the time: {which}")
    return told
