"""Every table of the store, readable from top to bottom: the data dictionary.

Tables do not validate (SQLModel's `table=True` models never do): what comes from people goes through
`kb.records` first, and the database itself holds the rest by CHECK constraints and foreign keys.
`kb.store.migrations` creates these tables from frozen SQL; a test holds the two together.

Read commands never import this module: it costs more than a whole `kb claim list`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from kb import words


def _one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_is_known")


def _is_json(column: str) -> CheckConstraint:
    return CheckConstraint(f"json_valid({column})", name=f"{column}_is_json")


def _owned_by_claim(**options: Any) -> Any:
    reference = ForeignKey("claim.id", ondelete="CASCADE", onupdate="CASCADE")
    return Field(sa_column=Column("claim_id", Text, reference, nullable=False, **options))


def _names_source() -> Any:
    return Field(
        sa_column=Column("source_key", Text, ForeignKey("source.key", onupdate="CASCADE"), nullable=False)
    )


# --- What is shared: the library -------------------------------------------------------------------


class Source(SQLModel, table=True):
    """A bibliographic entry: paper, post, talk, podcast, thesis."""

    __table_args__ = (
        _one_of("kind", words.SOURCE_KINDS),
        CheckConstraint("length(key) BETWEEN 1 AND 100", name="key_has_a_length"),
        _is_json("fields"),
        Index("source_by_doi", "doi"),
        Index("source_by_eprint", "eprint"),
        Index("source_by_place", "home", "position", "key"),
    )

    key: str = Field(primary_key=True, sa_type=Text)
    type: str = Field(sa_type=Text, description="BibTeX entry type, lower case")
    kind: str = Field(sa_type=Text)
    title: str = Field(default="", sa_type=Text, description="for reading: LaTeX decoded, braces gone")
    authors: str = Field(default="", sa_type=Text, description="for reading: 'First Last; First Last'")
    year: str = Field(default="", sa_type=Text)
    doi: str = Field(default="", sa_type=Text)
    eprint: str = Field(default="", sa_type=Text)
    url: str = Field(default="", sa_type=Text)
    fields: str = Field(default="{}", sa_type=Text, description="JSON: BibTeX fields as written, in order")
    home: str = Field(default="", sa_type=Text, description="file under citations/ that holds the record")
    position: int = Field(default=0, description="place in that file")


class Claim(SQLModel, table=True):
    """One sentence that somebody asserted."""

    __table_args__ = (
        _one_of("kind", words.CLAIM_KINDS),
        _one_of("status", words.STATUSES),
        CheckConstraint("length(id) BETWEEN 1 AND 80", name="id_has_a_length"),
        CheckConstraint("length(statement) BETWEEN 1 AND 600", name="statement_has_a_length"),
        Index("claim_by_place", "home", "position", "id", "kind", "status"),
    )

    id: str = Field(primary_key=True, sa_type=Text)
    kind: str = Field(sa_type=Text)
    statement: str = Field(sa_type=Text)
    asserted_by: str = Field(sa_type=Text)
    date: str | None = Field(default=None, sa_type=Text, description="2023, 2023-03 or 2023-03-11")
    date_note: str | None = Field(default=None, sa_type=Text)
    status: str = Field(sa_type=Text, description="what the cited literature says")
    headline: str | None = Field(default=None, sa_type=Text)
    number: str | None = Field(default=None, sa_type=Text)
    caveat: str | None = Field(default=None, sa_type=Text)
    answer: str | None = Field(default=None, sa_type=Text)
    note: str | None = Field(default=None, sa_type=Text)
    home: str = Field(default="", sa_type=Text)
    position: int = Field(default=0)


class Alias(SQLModel, table=True):
    """A name that a claim or a source had before: it still finds it."""

    __table_args__ = (CheckConstraint("kind IN ('claim', 'source')", name="kind_is_known"),)

    kind: str = Field(primary_key=True, sa_type=Text)
    alias: str = Field(primary_key=True, sa_type=Text)
    name: str = Field(sa_type=Text, index=True)
    position: int = Field(default=0)


class Tag(SQLModel, table=True):
    """A word under which claims are found."""

    __table_args__ = (Index("tag_by_name", "name"),)

    claim_id: str = _owned_by_claim(primary_key=True)
    name: str = Field(primary_key=True, sa_type=Text)
    position: int = Field(default=0)


class Citation(SQLModel, table=True):
    """Claim -> source: stance, directness, the sentence's role, where it stands, its words."""

    __table_args__ = (
        _one_of("stance", words.STANCES),
        _one_of("directness", words.DIRECTNESS),
        CheckConstraint(
            "role IS NULL OR role IN ('own-result', 'restated', 'hypothesis', 'limitation')",
            name="role_is_known",
        ),
        _one_of("seen", words.SEEN),
        CheckConstraint("quote IS NULL OR seen <> 'not-read'", name="a_quote_was_seen"),
        CheckConstraint("absence IS NULL OR json_valid(absence)", name="absence_is_json"),
        UniqueConstraint("claim_id", "position"),
        Index("citation_by_source", "source_key"),
    )

    id: int | None = Field(default=None, primary_key=True)
    claim_id: str = _owned_by_claim()
    position: int
    source_key: str = _names_source()
    stance: str = Field(sa_type=Text)
    cited_by: str | None = Field(
        default=None,
        sa_type=Text,
        description="source that cites this one so; NULL when the claim's text does",
    )
    directness: str = Field(default="direct", sa_type=Text)
    role: str | None = Field(default=None, sa_type=Text)
    locator: str | None = Field(default=None, sa_type=Text)
    quote: str | None = Field(default=None, sa_type=Text)
    seen: str = Field(default="not-read", sa_type=Text, description="how the passage was read")
    seen_at: str | None = Field(default=None, sa_type=Text)
    absence: str | None = Field(default=None, sa_type=Text, description="JSON: looked_for, sections, by, on")
    note: str | None = Field(default=None, sa_type=Text)


class Relation(SQLModel, table=True):
    """Claim -> claim."""

    __table_args__ = (
        _one_of("type", words.RELATIONS),
        CheckConstraint("claim_id <> target", name="not_to_itself"),
        Index("relation_by_target", "target"),
    )

    claim_id: str = _owned_by_claim(primary_key=True)
    type: str = Field(primary_key=True, sa_type=Text)
    target: str = Field(
        sa_column=Column(
            "target",
            Text,
            ForeignKey("claim.id", onupdate="CASCADE", deferrable=True, initially="DEFERRED"),
            primary_key=True,
        )
    )
    position: int = Field(default=0)
    note: str | None = Field(default=None, sa_type=Text)


class Figure(SQLModel, table=True):
    """A number printed in a source; `value` is NULL where nobody has read the cell."""

    __table_args__ = (
        _one_of("unit", words.UNITS),
        _one_of("scale", words.SCALES),
        _one_of("seen", words.SEEN),
        CheckConstraint("value IS NULL OR seen <> 'not-read'", name="a_value_was_read"),
        Index("figure_by_source", "source_key"),
        Index("figure_by_place", "home", "position", "id"),
    )

    id: str = Field(primary_key=True, sa_type=Text)
    source_key: str = _names_source()
    locator: str = Field(sa_type=Text)
    quantity: str = Field(sa_type=Text)
    value: float | None = None
    spread: float | None = None
    unit: str = Field(sa_type=Text)
    scale: str = Field(sa_type=Text)
    environment: str | None = Field(default=None, sa_type=Text)
    dataset: str | None = Field(default=None, sa_type=Text)
    method: str | None = Field(default=None, sa_type=Text)
    protocol: str | None = Field(default=None, sa_type=Text)
    seen: str = Field(sa_type=Text)
    seen_at: str | None = Field(default=None, sa_type=Text)
    note: str | None = Field(default=None, sa_type=Text)
    home: str = Field(default="", sa_type=Text)
    position: int = Field(default=0)


class Computation(SQLModel, table=True):
    """An expression over published figures that a claim rests on, with the value it must give."""

    __table_args__ = (
        _is_json("expected"),
        CheckConstraint("decimals BETWEEN 0 AND 9", name="decimals_are_few"),
    )

    claim_id: str = _owned_by_claim(primary_key=True)
    name: str = Field(primary_key=True, sa_type=Text)
    position: int = Field(default=0)
    expression: str = Field(sa_type=Text)
    expected: str = Field(sa_type=Text, description="JSON: a number, true or false")
    decimals: int = 0
    unit: str | None = Field(default=None, sa_type=Text)
    assumes: str | None = Field(default=None, sa_type=Text)
    decides: bool = Field(default=False, description="the claim says no more than this computation shows")
    note: str | None = Field(default=None, sa_type=Text)


class Prediction(SQLModel, table=True):
    """A probability with a forecaster, a resolution rule and, in time, an outcome given by hand."""

    __table_args__ = (
        CheckConstraint("probability IS NULL OR probability BETWEEN 0 AND 1", name="probability_is_one"),
        CheckConstraint("outcome IS NULL OR json_valid(outcome)", name="outcome_is_json"),
    )

    claim_id: str = _owned_by_claim(primary_key=True)
    probability: float | None = None
    forecaster: str = Field(sa_type=Text)
    made: str | None = Field(default=None, sa_type=Text)
    horizon: str | None = Field(default=None, sa_type=Text)
    about: str | None = Field(default=None, sa_type=Text, description="the named network or data set")
    resolution: str = Field(sa_type=Text)
    outcome: str | None = Field(default=None, sa_type=Text, description="JSON: value, because, on, by")


class Talk(SQLModel, table=True):
    """A selection of claims with a time budget."""

    __table_args__ = (
        CheckConstraint("minutes > 0", name="minutes_are_some"),
        _is_json("content"),
    )

    name: str = Field(primary_key=True, sa_type=Text)
    title: str = Field(sa_type=Text)
    minutes: float = 5
    content: str = Field(sa_type=Text, description="JSON: the whole record")
    home: str = Field(default="", sa_type=Text)
    position: int = Field(default=0)


class ClaimText(SQLModel, table=True):
    """What full-text search sees of a claim; triggers keep it and the FTS5 index current."""

    __tablename__ = "claim_text"

    rowid: int | None = Field(default=None, primary_key=True)
    claim_id: str = _owned_by_claim(unique=True)
    statement: str = Field(default="", sa_type=Text)
    quotes: str = Field(default="", sa_type=Text)
    sources: str = Field(default="", sa_type=Text, description="titles and authors of what it cites")
    tags: str = Field(default="", sa_type=Text, description="id, tags, asserted by, headline")


# --- Reproductions and their runs ------------------------------------------------------------------


class Reproduction(SQLModel, table=True):
    """A runnable experiment, as its manifest reproduction.toml describes it."""

    __table_args__ = (_is_json("manifest"),)

    name: str = Field(primary_key=True, sa_type=Text)
    title: str = Field(sa_type=Text)
    version: str = Field(sa_type=Text)
    code_digest: str = Field(sa_type=Text, description="over the syntax trees of its code")
    manifest: str = Field(sa_type=Text, description="JSON: the whole manifest")


class Criterion(SQLModel, table=True):
    """What it means for a claim if a metric lies in a region: fixed in the manifest before a run."""

    __table_args__ = (
        _one_of("meaning", words.MEANINGS),
        CheckConstraint("low IS NOT NULL OR high IS NOT NULL", name="a_region_has_a_bound"),
        Index("criterion_by_claim", "claim_id"),
    )

    reproduction: str = Field(
        sa_column=Column(
            "reproduction", Text, ForeignKey("reproduction.name", ondelete="CASCADE"), primary_key=True
        )
    )
    name: str = Field(primary_key=True, sa_type=Text)
    claim_id: str = Field(sa_type=Text)
    metric: str = Field(sa_type=Text)
    meaning: str = Field(sa_type=Text)
    low: float | None = None
    high: float | None = None
    is_primary: bool = False
    analogue: bool = Field(default=False, description="judged on a stand-in, not on the named artifact")
    wording: str = Field(default="", sa_type=Text)


class Run(SQLModel, table=True):
    """One execution of a reproduction."""

    __table_args__ = (
        _one_of("state", words.RUN_STATES),
        _one_of("preset", words.PRESETS),
        *(_is_json(c) for c in ("config", "protocol", "criteria", "departures", "environment")),
        Index("run_by_reproduction", "reproduction", "preset"),
    )

    id: str = Field(primary_key=True, sa_type=Text)
    reproduction: str = Field(sa_type=Text)
    version: str = Field(sa_type=Text)
    preset: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    recorded: bool = Field(default=False, description="ships with the library")
    started: str = Field(sa_type=Text, description="UTC, ISO 8601")
    seconds: float | None = None
    cpu_seconds: float | None = None
    peak_memory_mb: float | None = None
    seed: int = 0
    code_digest: str = Field(default="", sa_type=Text)
    data_digest: str = Field(default="", sa_type=Text)
    config: str = Field(default="{}", sa_type=Text, description="JSON")
    protocol: str = Field(default="{}", sa_type=Text, description="JSON")
    criteria: str = Field(default="[]", sa_type=Text, description="JSON: what it was judged by")
    departures: str = Field(default="[]", sa_type=Text, description="JSON")
    environment: str = Field(default="{}", sa_type=Text, description="JSON: machine, versions")
    folder: str = Field(default="", sa_type=Text)
    error: str | None = Field(default=None, sa_type=Text)


def _owned_by_run(**options: Any) -> Any:
    return Field(
        sa_column=Column("run_id", Text, ForeignKey("run.id", ondelete="CASCADE"), nullable=False, **options)
    )


class Metric(SQLModel, table=True):
    """What a run measured: an estimate with its interval, never a bare number."""

    run_id: str = _owned_by_run(primary_key=True)
    name: str = Field(primary_key=True, sa_type=Text)
    position: int = Field(default=0)
    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    unit: str = Field(default="", sa_type=Text, description="the independent unit: graph, level, seed")
    method: str = Field(default="", sa_type=Text, description="how the interval was made")
    title: str = Field(default="", sa_type=Text)


class Sample(SQLModel, table=True):
    """One value per independent unit: what a run can be judged again from."""

    __table_args__ = (Index("sample_by_run", "run_id", "metric"),)

    id: int | None = Field(default=None, primary_key=True)
    run_id: str = _owned_by_run()
    metric: str = Field(sa_type=Text)
    unit: str = Field(sa_type=Text)
    value: float
    weight: float | None = Field(default=None, description="denominator, for ratios and proportions")


class Judgement(SQLModel, table=True):
    """What a criterion says of a claim after a run."""

    __table_args__ = (
        _one_of("verdict", words.VERDICTS),
        Index("judgement_by_claim", "claim_id"),
    )

    run_id: str = _owned_by_run(primary_key=True)
    criterion: str = Field(primary_key=True, sa_type=Text)
    claim_id: str = Field(sa_type=Text)
    verdict: str = Field(sa_type=Text)
    is_primary: bool = False
    analogue: bool = False
    post_hoc: bool = False
    because: str = Field(default="", sa_type=Text)


class Artifact(SQLModel, table=True):
    """A file that a run left: a plot, a table."""

    run_id: str = _owned_by_run(primary_key=True)
    path: str = Field(primary_key=True, sa_type=Text)
    title: str = Field(default="", sa_type=Text)
    sha256: str = Field(default="", sa_type=Text)
    bytes: int = 0


class ClaimVerdict(SQLModel, table=True):
    """The verdict as last computed, since when and because of what."""

    __tablename__ = "claim_verdict"
    __table_args__ = (_one_of("verdict", words.VERDICTS),)

    claim_id: str = _owned_by_claim(primary_key=True)
    verdict: str = Field(sa_type=Text)
    because: str = Field(default="", sa_type=Text)
    since: str = Field(sa_type=Text)
    run_id: str | None = Field(default=None, sa_type=Text)


# --- Local: checks, history, merging ---------------------------------------------------------------


class Rendering(SQLModel, table=True):
    """The text of a source as somebody got it: what quotes are looked for in."""

    source_key: str = Field(
        sa_column=Column(
            "source_key",
            Text,
            ForeignKey("source.key", ondelete="CASCADE", onupdate="CASCADE"),
            primary_key=True,
        )
    )
    sha256: str = Field(primary_key=True, sa_type=Text, description="of the bytes as fetched or given")
    kind: str = Field(sa_type=Text, description="pdf, html, text or latex")
    at: str = Field(sa_type=Text, description="UTC, ISO 8601")
    location: str = Field(default="", sa_type=Text, description="address or file name")
    extractor: str = Field(default="", sa_type=Text, description="library and version that read the text")
    text: str = Field(sa_type=Text)


class Fetched(SQLModel, table=True):
    """The last answer of a look-up: cache and provenance. Status 0 is an attempt that nobody answered."""

    url: str = Field(primary_key=True, sa_type=Text)
    at: str = Field(sa_type=Text, description="UTC, ISO 8601")
    status: int
    content_type: str = Field(sa_type=Text)
    body_sha256: str = Field(sa_type=Text)
    body: bytes


class CheckResult(SQLModel, table=True):
    """The last outcome of a check on a claim."""

    __tablename__ = "check_result"
    __table_args__ = (_one_of("outcome", words.CHECK_OUTCOMES),)

    claim_id: str = _owned_by_claim(primary_key=True)
    name: str = Field(primary_key=True, sa_type=Text)
    subject: str = Field(primary_key=True, default="", sa_type=Text)
    outcome: str = Field(sa_type=Text)
    detail: str = Field(default="", sa_type=Text)
    at: str = Field(sa_type=Text)


class Change(SQLModel, table=True):
    """The history: every change to a record, append-only."""

    __table_args__ = (
        CheckConstraint("action IN ('add', 'edit', 'remove', 'undo', 'verdict')", name="action_is_known"),
        CheckConstraint("before IS NULL OR json_valid(before)", name="before_is_json"),
        CheckConstraint("after IS NULL OR json_valid(after)", name="after_is_json"),
        Index("change_by_record", "kind", "name"),
    )

    seq: int | None = Field(default=None, primary_key=True)
    at: str = Field(sa_type=Text, description="UTC, ISO 8601")
    by: str = Field(sa_type=Text)
    why: str = Field(default="", sa_type=Text)
    kind: str = Field(sa_type=Text)
    name: str = Field(sa_type=Text)
    action: str = Field(sa_type=Text)
    before: str | None = Field(default=None, sa_type=Text, description="JSON: the record before, with home")
    after: str | None = Field(default=None, sa_type=Text)
    undoes: int | None = None


class SyncBase(SQLModel, table=True):
    """Each record's content at the last sync with an origin: what three-way merges compare against."""

    __tablename__ = "sync_base"

    origin: str = Field(primary_key=True, sa_type=Text)
    kind: str = Field(primary_key=True, sa_type=Text)
    name: str = Field(primary_key=True, sa_type=Text)
    content: str = Field(sa_type=Text, description="JSON")


class Conflict(SQLModel, table=True):
    """A record changed on both sides: theirs is kept here beside ours until somebody decides."""

    origin: str = Field(primary_key=True, sa_type=Text)
    kind: str = Field(primary_key=True, sa_type=Text)
    name: str = Field(primary_key=True, sa_type=Text)
    theirs: str | None = Field(default=None, sa_type=Text, description="JSON; NULL when they removed it")
    at: str = Field(sa_type=Text)


class Meta(SQLModel, table=True):
    """Facts about the store itself: schema version, digests of what it was built from."""

    name: str = Field(primary_key=True, sa_type=Text)
    value: str = Field(sa_type=Text)
