"""Arbitrary valid records, for property tests: whatever the input models allow."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from kb import records, words

_CHARACTERS = st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"))
LINE = st.text(_CHARACTERS, min_size=1, max_size=40).map(str.strip).filter(bool)
CELL = LINE.filter(lambda line: line[0] not in "=+-@")
"""A line that no spreadsheet takes for a formula."""
TEXT = st.lists(LINE, min_size=1, max_size=3).map("\n".join)
QUOTE = st.lists(LINE, min_size=1, max_size=4).map(" ".join).filter(lambda q: len(q.split()) <= 40)
CLAIM_ID = st.from_regex(r"[a-z0-9][a-z0-9-]{0,20}", fullmatch=True)
SOURCE_KEY = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_:.+-]{0,20}", fullmatch=True)
FIGURE_ID = st.from_regex(r"[a-z0-9_]{1,8}(\.[a-z0-9_]{1,8}){1,3}", fullmatch=True)
TAG = st.from_regex(r"[a-z0-9][a-z0-9.+-]{0,10}", fullmatch=True)
DATE = st.sampled_from(["1999", "2023-03", "2023-03-11", "2026-11-24"])
NUMBER = st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: round(x, 6))


def _maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def _filled(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if value is not None}


def _objects(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(fields).map(_filled)


def _rounded(computation: dict[str, Any]) -> dict[str, Any]:
    """What is expected has no more decimals than the computation says."""
    expected = computation.get("expected")
    if isinstance(expected, bool):
        return computation
    return {**computation, "expected": round(expected, computation.get("decimals", 0))}


@st.composite
def claims(
    draw: st.DrawFn,
    ids: st.SearchStrategy[str] = CLAIM_ID,
    sources: list[str] | None = None,
    targets: list[str] | None = None,
) -> records.Claim:
    """A valid claim; its citations name one of `sources`, its relations one of `targets`."""
    id_ = draw(ids)
    kind = draw(st.sampled_from(words.CLAIM_KINDS))
    data: dict[str, Any] = {
        "id": id_,
        "kind": kind,
        "statement": draw(LINE),
        "asserted_by": draw(LINE),
        "status": draw(st.sampled_from(words.STATUSES)),
        **draw(
            _objects(
                date=_maybe(DATE),
                headline=_maybe(LINE),
                number=_maybe(LINE),
                caveat=_maybe(TEXT),
                note=_maybe(TEXT),
            )
        ),
        "tags": draw(st.lists(TAG, unique=True, max_size=3)),
    }
    if kind == "question":
        data["answer"] = draw(TEXT)
    if kind == "prediction":
        data["prediction"] = draw(
            _objects(
                probability=_maybe(st.floats(0, 1)),
                forecaster=LINE,
                made=_maybe(DATE),
                resolution=TEXT,
                outcome=_maybe(
                    _objects(value=st.sampled_from(words.OUTCOMES), because=TEXT, on=DATE, by=LINE)
                ),
            )
        )
    if sources:
        data["citations"] = draw(st.lists(_citations(sources), max_size=3))
    others = [target for target in targets or [] if target != id_]
    if others:
        data["relations"] = draw(
            st.lists(
                _objects(
                    type=st.sampled_from(words.RELATIONS), claim=st.sampled_from(others), note=_maybe(TEXT)
                ),
                max_size=2,
                unique_by=lambda r: (r["type"], r["claim"]),
            )
        )
    data["computations"] = draw(
        st.lists(
            _objects(
                name=CLAIM_ID,
                expression=LINE,
                expected=st.booleans() | NUMBER,
                decimals=st.integers(0, 9),
                unit=_maybe(LINE),
                assumes=_maybe(TEXT),
                decides=st.booleans(),
                note=_maybe(TEXT),
            ).map(_rounded),
            max_size=2,
            unique_by=lambda c: c["name"],
        )
    )
    return records.Claim.model_validate(data)


def _citations(sources: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    return _objects(
        source=st.sampled_from(sources),
        stance=st.sampled_from(words.STANCES),
        cited_by=_maybe(st.sampled_from(sources)),
        directness=st.sampled_from(words.DIRECTNESS),
        role=_maybe(st.sampled_from(words.ROLES)),
        locator=_maybe(LINE),
        quote=_maybe(QUOTE),
        seen=st.sampled_from(words.SEEN[:-1]),
        seen_at=_maybe(LINE),
        absence=_maybe(
            st.fixed_dictionaries(
                {
                    "looked_for": TEXT,
                    "sections": st.lists(LINE, min_size=1, max_size=2),
                    "by": LINE,
                    "on": DATE,
                }
            )
        ),
        note=_maybe(TEXT),
    )


@st.composite
def sources(draw: st.DrawFn, keys: st.SearchStrategy[str] = SOURCE_KEY) -> records.Source:
    """A valid source with values that BibTeX can hold."""
    value = st.text("abcXYZ 0123456789äßé,.:;-/%#&", min_size=1, max_size=30).map(str.strip).filter(bool)
    names = st.sampled_from(["title", "author", "year", "journal", "doi", "eprint", "url", "note", "x-own"])
    return records.Source.model_validate(
        {
            "key": draw(keys),
            "type": draw(st.sampled_from(["article", "misc", "book", "inproceedings", "phdthesis"])),
            "kind": draw(st.sampled_from(words.SOURCE_KINDS)),
            "fields": draw(st.dictionaries(names, value, max_size=5)),
        }
    )


@st.composite
def figures(draw: st.DrawFn, sources: list[str]) -> records.Figure:
    """A valid figure, read or not."""
    return records.Figure.model_validate(
        draw(
            _objects(
                id=FIGURE_ID,
                source=st.sampled_from(sources),
                locator=CELL,
                quantity=CELL,
                value=_maybe(NUMBER),
                spread=_maybe(NUMBER),
                unit=st.sampled_from(words.UNITS),
                scale=st.sampled_from(words.SCALES),
                environment=_maybe(CELL),
                protocol=_maybe(CELL),
                seen=st.sampled_from(words.SEEN[:-1]),
                note=_maybe(CELL),
            )
        )
    )
