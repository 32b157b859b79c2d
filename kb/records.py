"""What a record of the library may be: the input models, validated before anything reaches the store.

A record is the unit that people write, review in a pull request, merge and undo: a claim with all that
hangs on it, a source, a published figure, a talk. `parse` makes one from plain data (YAML, JSON, a form),
`plain` gives the plain data back without the fields that are empty. `plain(parse(kind, data))` of data
that is already plain is the same data.

Table models (`kb.schema`) do not validate, so nothing is written that has not been through here.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from kb.errors import KbError

_FORBIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\ud800-\udfff]")
MAX_QUOTE_WORDS = 40


def _clean(text: str) -> str:
    found = _FORBIDDEN.search(text)
    if found:
        raise ValueError(f"holds the control character {found.group().encode('unicode_escape').decode()}")
    return text


def _one_line(text: str) -> str:
    if "\n" in text:
        raise ValueError("must be one line")
    return text


def _word_count(text: str) -> str:
    count = len(text.split())
    if count > MAX_QUOTE_WORDS:
        raise ValueError(f"has {count} words; a quote has {MAX_QUOTE_WORDS} at most")
    return text


def _real_date(text: str) -> str:
    parts = [int(part) for part in text.split("-")]
    month = parts[1] if len(parts) > 1 else 1
    day = parts[2] if len(parts) > 2 else 1
    if not 1 <= month <= 12 or not 1 <= day <= 31:
        raise ValueError("is no date of the calendar")
    return text


_Stripped = StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000)
Text = Annotated[str, _Stripped, AfterValidator(_clean)]
"""A few sentences, 2,000 characters at most."""
Line = Annotated[str, _Stripped, AfterValidator(_clean), AfterValidator(_one_line)]
"""One line of text."""
Long = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000), AfterValidator(_clean)
]
"""A longer text, such as an abstract: 20,000 characters at most."""
Quote = Annotated[Text, AfterValidator(_word_count)]
Date = Annotated[str, StringConstraints(pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$"), AfterValidator(_real_date)]
"""A date as far as it is known: 2023, 2023-03 or 2023-03-11."""
ClaimId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,79}$")]
SourceKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_:.+-]{0,99}$")]
FigureId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)+$", max_length=120)]
Tag = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.+-]{0,39}$")]

Kind = Literal["achievement", "framing", "empirical", "prediction", "advice", "question"]
Status = Literal["supported", "disputed", "refuted", "open", "superseded"]
Stance = Literal["asserts", "supports", "disputes", "qualifies", "background"]
Seen = Literal["primary", "paper-copy", "web-copy", "repository", "second-hand", "comment", "not-read"]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Absence(_Record):
    """Evidence of absence: what was looked for, where, by whom and when, and not found."""

    looked_for: Text
    sections: list[Line] = Field(min_length=1)
    by: Line
    on: Date


class Citation(_Record):
    """Claim -> source: how the source stands to the claim, where in it, and in what words.

    `cited_by` names a source that cites this one with that stance: "the post cites the paper in support". Such
    a citation reports what somebody else does; whether the source agrees is for the others to show.
    """

    source: SourceKey
    stance: Stance
    cited_by: SourceKey | None = None
    directness: Literal["direct", "indirect"] = "direct"
    role: Literal["own-result", "restated", "hypothesis", "limitation"] | None = None
    locator: Line | None = None
    quote: Quote | None = None
    seen: Seen = "not-read"
    seen_at: Line | None = None
    absence: Absence | None = None
    note: Text | None = None

    @model_validator(mode="after")
    def _quote_was_seen(self) -> Citation:
        if self.quote and self.seen == "not-read":
            raise ValueError("a quote needs `seen`: how were these words read?")
        return self


class Relation(_Record):
    """Claim -> claim."""

    type: Literal["supports", "rebuts", "undercuts", "qualifies", "answers", "supersedes", "same-as"]
    claim: ClaimId
    note: Text | None = None


class Computation(_Record):
    """An expression over published figures that a claim rests on, with the value that it must give.

    `expected` is compared after rounding to `decimals`. A computation with `assumes` never passes: it
    is `derived`, and the assumption is printed beside it. One that `decides` gives the claim its verdict,
    because the claim says no more than what the computation shows.
    """

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$")]
    expression: Line
    expected: float | bool
    decimals: int = Field(default=0, ge=0, le=9)
    unit: Line | None = None
    assumes: Text | None = None
    decides: bool = False
    note: Text | None = None

    @model_validator(mode="after")
    def _is_rounded_as_it_says(self) -> Computation:
        if not isinstance(self.expected, bool) and round(self.expected, self.decimals) != self.expected:
            raise ValueError(
                f"`expected` {self.expected:g} has more than {self.decimals} decimals: set `decimals`"
            )
        return self


class Outcome(_Record):
    """How a prediction was resolved by hand; outcomes that runs give are computed, never written."""

    value: Literal["true", "false", "ambiguous", "unresolvable"]
    because: Text
    on: Date
    by: Line


class Prediction(_Record):
    """A probability, who gave it, and the rule, written beforehand, that resolves it."""

    probability: float | None = Field(default=None, ge=0, le=1)
    forecaster: Line
    made: Date | None = None
    horizon: Date | None = None
    about: Line | None = None
    resolution: Text
    outcome: Outcome | None = None


class Claim(_Record):
    """One precise sentence, who asserted it and when, and all that hangs on it."""

    id: ClaimId
    kind: Kind
    statement: Annotated[Line, StringConstraints(max_length=600)]
    asserted_by: Line
    date: Date | None = None
    date_note: Line | None = None
    status: Status
    headline: Annotated[Line, StringConstraints(max_length=90)] | None = None
    number: Annotated[Line, StringConstraints(max_length=160)] | None = None
    caveat: Annotated[Text, StringConstraints(max_length=400)] | None = None
    answer: Text | None = None
    note: Text | None = None
    tags: list[Tag] = Field(default_factory=list)
    aliases: list[ClaimId] = Field(default_factory=list)
    citations: list[Citation] = Field(default_factory=list)
    relations: list[Relation] = Field(default_factory=list)
    computations: list[Computation] = Field(default_factory=list)
    prediction: Prediction | None = None

    @model_validator(mode="after")
    def _hangs_together(self) -> Claim:
        if self.prediction and self.kind != "prediction":
            raise ValueError("only a claim of kind prediction has a `prediction`")
        if self.answer and self.kind != "question":
            raise ValueError("only a claim of kind question has an `answer`")
        for name, values in (
            ("tags", self.tags),
            ("aliases", self.aliases),
            ("computations", [c.name for c in self.computations]),
            ("relations", [(r.type, r.claim) for r in self.relations]),
        ):
            if len(set(values)) != len(values):
                raise ValueError(f"`{name}` names one thing twice")
        if any(relation.claim == self.id for relation in self.relations):
            raise ValueError("a claim cannot be related to itself")
        return self


_CARRIED_OUT = re.compile(
    r"\\(?:input|include|includegraphics|includepdf|InputIfFileExists|IfFileExists|openin|openout|read|readline|write|newread|"
    r"newwrite|immediate|special|catcode|csname|directlua|latelua|luaexec|ShellEscape|usepackage|RequirePackage|"
    r"lstinputlisting|verbatiminput|VerbatimInput|inputminted|scantokens|expandafter|def|edef|gdef|xdef|let|loop|"
    r"newcommand|renewcommand|providecommand|DeclareRobustCommand|pdffiledump|pdfobj)(?![A-Za-z])|"
    r"\\begin\s*\{\s*filecontents\*?\s*\}|\^\^"
)
"""What LaTeX obeys instead of setting it: files read or written, programs run, commands redefined."""

_RESOLVED = ("crossref", "xdata", "ids", "entrysubtype")
_ENTRY_START = re.compile(r"\n[^\S\n]*@\w*[ \t]*[{(]")


def _braces_close(value: str) -> bool:
    depth = 0
    for brace in re.findall(r"[{}]", value):
        depth += 1 if brace == "{" else -1
        if depth < 0:
            return False
    return depth == 0


class Source(_Record):
    """A bibliographic entry. `fields` are its BibTeX fields, names in lower case, in their order.

    `key` never changes; a rename leaves the old key among `aliases`. Values are BibTeX source text
    between the outer braces, so that nothing is lost on the way through the store.
    """

    key: SourceKey
    type: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,30}$")]
    kind: Literal["paper", "post", "talk", "podcast", "thesis", "book", "repository", "review", "comment"]
    fields: dict[Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")], Long] = Field(
        default_factory=dict
    )
    aliases: list[SourceKey] = Field(default_factory=list)

    @model_validator(mode="after")
    def _can_be_written_as_bibtex(self) -> Source:
        if self.type.startswith(("comment", "preamble", "string")) or self.type == "xdata":
            raise ValueError(f"@{self.type} is no type of entry")
        for name, value in self.fields.items():
            if name in _RESOLVED:
                raise ValueError(f"`{name}` is no field: it is resolved when an entry is imported")
            if ("{" in value or "}" in value) and not _braces_close(value):
                raise ValueError(f"the braces in `{name}` do not close (BibTeX counts those after a \\ too)")
            if ("\\" in value or "^" in value) and (found := _CARRIED_OUT.search(value)):
                raise ValueError(f"`{name}` holds {found.group()}, which LaTeX would carry out")
            if "@" in value and _ENTRY_START.search(value):
                raise ValueError(f"a line of `{name}` starts like an entry of BibTeX")
        if len({self.key, *self.aliases}) != len(self.aliases) + 1:
            raise ValueError("`aliases` names one key twice, or the source's own key")
        return self


_FORMULA = re.compile(r"[=@]|[+-](?!\s*[\d.,]+(?:e[+-]?\d+)? ?(?:%|[a-z]{1,12})?$)", re.IGNORECASE)
"""How a formula starts. A signed number is none where it is the whole cell, with a percent sign or a unit at most."""


class Figure(_Record):
    """A number printed in a source. `value` is empty where the cell exists but nobody has read it."""

    id: FigureId
    source: SourceKey
    locator: Line
    quantity: Line
    value: float | None = None
    spread: float | None = None
    unit: Literal["percent", "score", "count", "ratio", "steps", "probability", "seconds", "bytes", "nats"]
    scale: Literal["0-1", "0-100", "d4rl-normalised", "human-normalised", "raw", "log"]
    environment: Line | None = None
    dataset: Line | None = None
    method: Line | None = None
    protocol: Line | None = None
    seen: Seen
    seen_at: Line | None = None
    note: Text | None = None

    @model_validator(mode="after")
    def _is_no_formula(self) -> Figure:
        # These records are a table that people open in a spreadsheet.
        for name, value in self:
            if isinstance(value, str) and _FORMULA.match(value):
                raise ValueError(
                    f"`{name}` starts like a spreadsheet's formula ({value[0]}): start with a word"
                )
        return self

    @model_validator(mode="after")
    def _a_value_was_read(self) -> Figure:
        if self.value is not None and self.seen == "not-read":
            raise ValueError("a value needs `seen`: in which rendering was it read?")
        return self


class Criterion(_Record):
    """One criterion of a talk's rubric."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
    weight: float
    question: Text


class Score(_Record):
    """How a claim does on one criterion, 0 to 3, why, and which source says so."""

    score: float = Field(ge=0, le=3)
    reason: Text
    source: SourceKey | None = None


class Rubric(_Record):
    """How claims are ordered: criteria with weights, scores with reasons, and other weights to compare."""

    criteria: list[Criterion] = Field(min_length=1)
    alternatives: dict[str, dict[str, float]] = Field(default_factory=dict)
    scores: dict[ClaimId, dict[str, Score]]

    @model_validator(mode="after")
    def _names_are_known(self) -> Rubric:
        known = {criterion.name for criterion in self.criteria}
        for where, names in [
            *((f"scores of {claim}", set(scores)) for claim, scores in self.scores.items()),
            *((f"alternative {name}", set(weights)) for name, weights in self.alternatives.items()),
        ]:
            if names - known:
                raise ValueError(f"{where}: no criterion named {', '.join(sorted(names - known))}")
        return self


class Selection(_Record):
    """Which claims a talk draws on: a list by hand, or a query over kinds, tags and statuses."""

    claims: list[ClaimId] = Field(default_factory=list)
    kind: list[Kind] = Field(default_factory=list)
    tag: list[Tag] = Field(default_factory=list)
    status: list[Status] = Field(default_factory=list)


class Talk(_Record):
    """A selection of claims with a time budget.

    pictures: which of a run's pictures an item shows, by claim: a file name or a pattern such as `*curves.png`;
    terms: words, for a slide that shows who uses which, by the passages quoted.
    """

    name: ClaimId
    title: Line
    minutes: float = Field(default=5, gt=0, le=600)
    words_per_minute: int = Field(default=130, ge=60, le=260)
    pause_seconds: float = Field(default=2, ge=0, le=60)
    top: int | None = Field(default=None, ge=1, le=200)
    opening: Text | None = None
    closing: Text | None = None
    select: Selection
    order: Literal["rubric", "hand"] = "hand"
    pictures: dict[ClaimId, Line] = Field(default_factory=dict)
    terms: list[Line] = Field(default_factory=list, max_length=6)
    rubric: Rubric | None = None

    @model_validator(mode="after")
    def _an_order_by_rubric_has_one(self) -> Talk:
        if self.order == "rubric" and self.rubric is None:
            raise ValueError("order: rubric needs a `rubric`")
        return self


Record = Claim | Source | Figure | Talk
MODELS: dict[str, type[Claim] | type[Source] | type[Figure] | type[Talk]] = {
    "claim": Claim,
    "source": Source,
    "figure": Figure,
    "talk": Talk,
}
KEYS = {"claim": "id", "source": "key", "figure": "id", "talk": "name"}


class InvalidRecord(KbError):
    """A record that does not validate. `problems` are (path of the field, what is wrong with it)."""

    def __init__(self, kind: str, name: str, problems: list[tuple[tuple[str | int, ...], str]]) -> None:
        self.kind = kind
        self.name = name
        self.problems = problems
        told = "; ".join(f"{'.'.join(str(p) for p in path) or kind}: {what}" for path, what in problems[:3])
        more = f" (and {len(problems) - 3} more)" if len(problems) > 3 else ""
        super().__init__(f"{kind} {name or '(without a name)'}: {told}{more}")


def parse(kind: str, data: object) -> Record:
    """Validate plain data as a record of `kind`.

    Raises:
        InvalidRecord: with every problem found and the path of the field that has it.
    """
    try:
        return MODELS[kind].model_validate(data)
    except ValidationError as error:
        name = str(data.get(KEYS[kind], "")) if isinstance(data, dict) else ""
        problems = [
            (tuple(e["loc"]), _in_words(e["msg"], e.get("input"))) for e in error.errors(include_url=False)
        ]
        raise InvalidRecord(kind, name[:80], problems) from None


_PATTERNS = {
    r"^[a-z0-9][a-z0-9-]{0,79}$": "must be lower-case letters, digits and hyphens, 80 at most",
    r"^[a-z0-9][a-z0-9.+-]{0,39}$": "must be lower-case letters, digits and . + -, 40 at most",
    r"^\d{4}(-\d{2}(-\d{2})?)?$": "must be a date such as 2023, 2023-03 or 2023-03-11",
    r"^[A-Za-z0-9][A-Za-z0-9_:.+-]{0,99}$": "must be letters, digits and _ : . + -, 100 at most",
    r"^[a-z0-9_]+(\.[a-z0-9_]+)+$": "must be lower-case words with dots between them",
}
"""What people are told instead of a pattern."""


def _in_words(message: str, given: Any) -> str:
    """Pydantic's message without its prefix, with the offending value where it is short."""
    text = message.removeprefix("Value error, ").replace("Input should be ", "must be ")
    text = text.replace("Field required", "is missing")
    if text.startswith("String should match pattern "):
        text = _PATTERNS.get(text.split("'")[1], text)
    if isinstance(given, str | int | float | bool) and len(str(given)) <= 40:
        text += f" (got {given!r})"
    return text


def name_of(record: Record) -> str:
    """The record's own name: a claim's id, a source's key, a figure's id, a talk's name."""
    return record.key if isinstance(record, Source) else getattr(record, "id", None) or record.name  # type: ignore[union-attr]


def plain(record: Record) -> dict[str, Any]:
    """The record as plain data, fields in their declared order, empty ones and defaults left out."""
    return record.model_dump(mode="json", exclude_defaults=True)
