from __future__ import annotations

import pytest

from kb.talks.select import choose
from tests.talks.conftest import Library


def test_a_list_by_hand_keeps_its_order(library: Library) -> None:
    for name in ("a", "b"):
        library.add_claim(name)
    talk = library.add_talk(select={"claims": ["b", "a", "b"]})
    assert [row["id"] for row in choose(talk, library).rows] == ["b", "a"]


def test_a_query_adds_what_the_list_does_not_hold(library: Library) -> None:
    library.add_claim("old", kind="framing")
    library.add_claim("new", kind="achievement")
    library.add_claim("other", kind="achievement", status="disputed")
    talk = library.add_talk(select={"claims": ["old"], "kind": ["achievement"], "status": ["disputed"]})
    assert [row["id"] for row in choose(talk, library).rows] == ["old", "other"]


def test_superseded_claims_are_cut_unless_asked_for(library: Library) -> None:
    library.add_claim("gone", status="superseded")
    chosen = choose(library.add_talk(select={"kind": ["achievement"]}), library)
    assert (chosen.rows, [cut.claim for cut in chosen.cut]) == ([], ["gone"])


def test_a_claim_that_is_not_there_is_named(library: Library) -> None:
    chosen = choose(library.add_talk(select={"claims": ["nowhere"]}), library)
    assert chosen.missing == ["nowhere"]
    assert "no such claim" in chosen.cut[0].why


@pytest.mark.parametrize(
    ("verdict", "status"),
    [
        ("unchecked", "supported"),
        ("stale", "supported"),
        ("inconclusive", "supported"),
        ("mixed", "supported"),
        ("refuted", "supported"),
        ("supported", "refuted"),
    ],
)
def test_only_verified_leaves_out_what_is_not_and_says_why(
    library: Library, verdict: str, status: str
) -> None:
    library.add_claim("good")
    library.add_claim("doubtful", verdict=verdict, status=status)
    chosen = choose(library.add_talk(), library, only_verified=True)
    assert [row["id"] for row in chosen.rows] == ["good"]
    assert chosen.cut[0].why.startswith("not verified")


def test_a_claim_that_the_rubric_does_not_score_is_cut_with_that_reason(library: Library) -> None:
    library.add_claim("scored")
    library.add_claim("unscored")
    rubric = {
        "criteria": [{"name": "c", "weight": 1, "question": "?"}],
        "scores": {"scored": {"c": {"score": 1, "reason": "r"}}},
    }
    chosen = choose(library.add_talk(order="rubric", rubric=rubric), library)
    assert [row["id"] for row in chosen.rows] == ["scored"]
    assert chosen.cut[0].why == "has no scores in the talk's rubric"
