"""The one outline model that every format is written from. Plain data: nothing here reads or computes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Reference:
    """A cited source as the list at the end prints it; `number` is its place there, from 1."""

    number: int
    key: str
    label: str
    authors: str
    year: str
    title: str
    url: str


@dataclass(frozen=True)
class Evidence:
    """A passage that an item rests on or that speaks against it: who, where, in what words."""

    source: str
    label: str
    stance: str
    directness: str
    role: str | None
    locator: str | None
    quote: str | None
    seen: str
    note: str | None = None


@dataclass(frozen=True)
class Answer:
    """What a claim of the library holds against an objection, with that claim's own standing."""

    claim: str
    text: str
    status: str
    verdict: str


@dataclass(frozen=True)
class Objection:
    """What somebody in the audience may say against an item, and where that stands.

    source: key of the source that says it, if a citation does; claim: id of the claim that does, if one does, with
    its own status, verdict and flags; answers: what claims of the library hold against the objection.
    """

    kind: str
    text: str
    label: str
    source: str | None = None
    claim: str | None = None
    locator: str | None = None
    quote: str | None = None
    note: str | None = None
    status: str | None = None
    verdict: str | None = None
    flags: tuple[str, ...] = ()
    answers: tuple[Answer, ...] = ()


@dataclass(frozen=True)
class Measured:
    """What our own run measured for an item: an estimate, its 95 % interval, its independent units.

    shown: the number with its interval, rounded for a slide; about: what it is of, how sure and from how many; text:
    both in one.
    """

    name: str
    title: str
    value: float
    low: float | None
    high: float | None
    n: int
    unit: str
    run: str
    reproduction: str
    preset: str
    analogue: bool
    shown: str
    about: str
    text: str


@dataclass(frozen=True)
class Forecast:
    """A prediction: what probability was given, what came of it, and what a stand-in of ours says apart."""

    probability: float | None
    forecaster: str
    made: str | None
    outcome: str | None
    analogue: str | None


@dataclass(frozen=True)
class Bar:
    """One published figure of a chart.

    cited: the source's key; strong: whether the chart is about it; group: what it shares with the bars beside it.
    """

    label: str
    value: float
    spread: float | None
    cited: str
    strong: bool = True
    group: str = ""


@dataclass(frozen=True)
class Picture:
    """A plot that a run left (`name` in the run, `file` on this machine), or `bars`, or a `table`.

    Bars and the cells of a table are published figures of one quantity, unit and scale, or what the talk's own claims
    say; a table's first row is its head. size: width and height of the plot in its own pixels.
    """

    title: str
    alt: str
    credit: str
    name: str = ""
    file: str | None = None
    size: tuple[int, int] = (0, 0)
    bars: tuple[Bar, ...] = ()
    table: tuple[tuple[str, ...], ...] = ()
    unit: str = ""


@dataclass(frozen=True)
class Table:
    """A slide of its own that sums up what several claims say: title, table, the words that go with it, its sources.

    name: `predictions` or `terms`.
    """

    name: str
    title: str
    picture: Picture
    say: tuple[str, ...]
    claims: tuple[str, ...]
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """One item of a talk: a claim with all that a slide about it must carry.

    title: the finding in words; seconds: time to say `say`; points: what stands under the title;
    warnings: why the audience should not take it as settled, empty when our own check supports it and
    nobody disputes it; flags: those that neither verdict nor status says, in a word or two, for the slide;
    status is the literature's word, verdict that of our own checks; pictures: further plots of the run.
    """

    claim: str
    kind: str
    title: str
    statement: str
    seconds: int
    points: tuple[str, ...]
    number: str | None
    evidence: tuple[Evidence, ...]
    caveat: str | None
    caveat_from: str | None
    sources: tuple[str, ...]
    status: str
    verdict: str
    verdict_text: str
    warnings: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    forecast: Forecast | None = None
    answer: str | None = None
    asserted_by: str = ""
    date: str | None = None
    say: tuple[str, ...] = ()
    shortened: bool = False
    measured: tuple[Measured, ...] = ()
    computations: tuple[str, ...] = ()
    departures: tuple[str, ...] = ()
    objections: tuple[Objection, ...] = ()
    commands: tuple[str, ...] = ()
    rank: int | None = None
    score: float | None = None
    why: str | None = None
    picture: Picture | None = None
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True)
class Cut:
    """A claim that the talk would have held, and why it does not."""

    claim: str
    title: str
    why: str


@dataclass(frozen=True)
class Ranking:
    """The rubric's result as printed: criteria, scored claims in order, and what other weights would change."""

    criteria: tuple[dict[str, Any], ...]
    claims: tuple[dict[str, Any], ...]
    alternatives: tuple[dict[str, Any], ...]
    size: int


@dataclass(frozen=True)
class Outline:
    """A whole talk. seconds: of the spoken text with pauses, opening and closing included."""

    name: str
    title: str
    minutes: float
    words_per_minute: int
    pause_seconds: float
    seconds: int
    opening: str | None
    closing: str | None
    sections: tuple[Section, ...]
    cut: tuple[Cut, ...]
    references: tuple[Reference, ...]
    ranking: Ranking | None = None
    notices: tuple[str, ...] = ()
    summary: tuple[str, ...] = field(default=())
    tables: tuple[Table, ...] = field(default=())
