"""What a record may be: valid ones keep everything, others are refused with the field that is wrong."""

from typing import Any

import pytest
from hypothesis import given

from kb import records, words
from kb.records import InvalidRecord, parse, plain
from tests import strategies

CLAIM: dict[str, Any] = {
    "id": "a-claim",
    "kind": "empirical",
    "statement": "One sentence.",
    "asserted_by": "Somebody",
    "status": "open",
}


@given(strategies.claims(sources=["a", "b"], targets=["x", "y"]))
def test_plain_data_of_a_claim_makes_the_same_claim(claim: records.Claim) -> None:
    assert parse("claim", plain(claim)) == claim


@given(strategies.sources())
def test_plain_data_of_a_source_makes_the_same_source(source: records.Source) -> None:
    assert parse("source", plain(source)) == source


@pytest.mark.parametrize(
    ("change", "field", "complaint"),
    [
        ({"kind": "guess"}, "kind", "achievement"),
        ({"id": "Not An Id"}, "id", "must be"),
        ({"id": "../escape"}, "id", "must be"),
        ({"statement": ""}, "statement", "at least 1"),
        ({"statement": "x" * 1_000_000}, "statement", "at most"),
        ({"statement": "nul \x00 inside"}, "statement", "control character"),
        ({"statement": "escape \x1b[31m inside"}, "statement", "control character"),
        ({"statement": "two\nlines"}, "statement", "one line"),
        ({"date": "March 2023"}, "date", "must be"),
        ({"date": "2023-13"}, "date", "calendar"),
        ({"colour": "red"}, "colour", "Extra inputs"),
        ({"tags": ["a", "a"]}, "", "twice"),
        ({"tags": ["Not a tag"]}, "tags.0", "must be"),
        ({"answer": "42"}, "", "kind question"),
        ({"prediction": {"forecaster": "x", "resolution": "y"}}, "", "kind prediction"),
        ({"relations": [{"type": "rebuts", "claim": "a-claim"}]}, "", "itself"),
        ({"citations": [{"source": "k", "stance": "likes"}]}, "citations.0.stance", "asserts"),
        ({"citations": [{"source": "k", "stance": "asserts", "quote": "words"}]}, "citations.0", "how were"),
        (
            {"citations": [{"source": "k", "stance": "asserts", "seen": "primary", "quote": "w " * 41}]},
            "citations.0.quote",
            "41 words",
        ),
    ],
)
def test_a_claim_that_is_wrong_is_refused_with_its_field(
    change: dict[str, Any], field: str, complaint: str
) -> None:
    with pytest.raises(InvalidRecord) as refused:
        parse("claim", {**CLAIM, **change})
    path, what = refused.value.problems[0]
    assert ".".join(map(str, path)) == field
    assert complaint in what


@pytest.mark.parametrize("probability", [7, -0.1, "likely"])
def test_a_probability_outside_zero_and_one_is_refused(probability: object) -> None:
    prediction = {"probability": probability, "forecaster": "x", "resolution": "y"}
    with pytest.raises(InvalidRecord, match="probability"):
        parse("claim", {**CLAIM, "kind": "prediction", "prediction": prediction})


def test_an_error_is_one_line_that_names_the_claim() -> None:
    with pytest.raises(InvalidRecord) as refused:
        parse("claim", {**CLAIM, "kind": "x", "status": "y", "id": "?", "asserted_by": ""})
    assert "\n" not in str(refused.value)
    assert "(and 1 more)" in str(refused.value)


@pytest.mark.parametrize("data", [None, [], "text", 3])
def test_what_is_no_mapping_is_refused(data: object) -> None:
    with pytest.raises(InvalidRecord):
        parse("claim", data)


@pytest.mark.parametrize(
    ("model", "field", "vocabulary"),
    [
        (records.Claim, "kind", words.CLAIM_KINDS),
        (records.Claim, "status", words.STATUSES),
        (records.Citation, "stance", words.STANCES),
        (records.Citation, "directness", words.DIRECTNESS),
        (records.Citation, "seen", words.SEEN),
        (records.Relation, "type", words.RELATIONS),
        (records.Source, "kind", words.SOURCE_KINDS),
        (records.Figure, "unit", words.UNITS),
        (records.Figure, "scale", words.SCALES),
        (records.Outcome, "value", words.OUTCOMES),
    ],
)
def test_the_models_take_the_words_of_the_vocabulary(
    model: Any, field: str, vocabulary: tuple[str, ...]
) -> None:
    schema = model.model_json_schema()["properties"][field]
    assert tuple(schema["enum"]) == vocabulary


def test_a_rubric_names_only_its_own_criteria() -> None:
    talk = {
        "name": "t",
        "title": "T",
        "select": {},
        "order": "rubric",
        "rubric": {
            "criteria": [{"name": "scale", "weight": 1, "question": "?"}],
            "scores": {"a-claim": {"size": {"score": 1, "reason": "r"}}},
        },
    }
    with pytest.raises(InvalidRecord, match="no criterion named size"):
        parse("talk", talk)


def test_a_talk_ordered_by_rubric_needs_one() -> None:
    with pytest.raises(InvalidRecord, match="needs a `rubric`"):
        parse("talk", {"name": "t", "title": "T", "select": {}, "order": "rubric"})


def test_a_figure_with_a_value_was_read_by_somebody() -> None:
    figure = {
        "id": "a.b",
        "source": "k",
        "locator": "Table 1",
        "quantity": "score",
        "value": 1,
        "unit": "score",
        "scale": "raw",
        "seen": "not-read",
    }
    with pytest.raises(InvalidRecord, match="in which rendering"):
        parse("figure", figure)
