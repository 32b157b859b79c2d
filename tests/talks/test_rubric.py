from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kb.talks import rubric


def a_rubric(scores: dict[str, dict[str, float]], **alternatives: dict[str, float]) -> dict[str, Any]:
    return {
        "criteria": [
            {"name": "causal", "weight": 3, "question": "?"},
            {"name": "contested", "weight": -2, "question": "?"},
        ],
        "alternatives": alternatives,
        "scores": {
            claim: {name: {"score": score, "reason": "because", "source": "s"} for name, score in of.items()}
            for claim, of in scores.items()
        },
    }


def test_claims_are_ordered_by_the_weighted_sum() -> None:
    of = a_rubric({"weak": {"causal": 1}, "strong": {"causal": 3}, "doubted": {"causal": 3, "contested": 3}})
    assert rubric.ranked(of, ["weak", "strong", "doubted"]) == ["strong", "doubted", "weak"]


def test_ties_are_broken_by_id_whatever_the_order_of_the_rows() -> None:
    of = a_rubric({name: {"causal": 1} for name in "cab"})
    assert rubric.ranked(of, ["c", "a", "b"]) == rubric.ranked(of, ["b", "c", "a"]) == ["a", "b", "c"]


def test_sums_that_differ_only_by_rounding_tie() -> None:
    of = a_rubric({"a": {"causal": 0.1, "contested": 0.0}, "b": {"causal": 0.1}})
    assert rubric.ranked(of, ["b", "a"]) == ["a", "b"]


def test_a_claim_without_scores_is_not_ranked() -> None:
    of = a_rubric({"scored": {"causal": 1}, "empty": {}})
    assert rubric.ranked(of, ["scored", "empty", "unknown"]) == ["scored"]


def test_the_explanation_shows_what_each_criterion_gives_and_what_is_missing() -> None:
    of = a_rubric({"a": {"contested": 1.5}})
    assert rubric.explained(of, "a") == "−3 points: contested −3 (−2 × 1.5); no score for causal"


def test_other_weights_say_who_enters_leaves_and_moves() -> None:
    of = a_rubric(
        {"a": {"causal": 3, "contested": 2}, "b": {"causal": 2}, "c": {"causal": 1}},
        kind={"contested": 0},
        harsh={"contested": -9},
    )
    assert rubric.ranked(of, ["a", "b", "c"]) == ["b", "a", "c"]
    mild, harsh = rubric.compared(of, ["a", "b", "c"], top=2)
    assert (mild["top"], mild["weights"]) == (["a", "b"], {"contested": 0})
    assert mild["text"] == "a rises from 2 to 1; b falls from 1 to 2"
    assert harsh["text"] == "c enters at 2 (was 3); a leaves"


def test_weights_that_change_nothing_are_said_to_change_nothing() -> None:
    of = a_rubric({"a": {"causal": 3}, "b": {"causal": 1}}, same={"causal": 4})
    assert rubric.compared(of, ["a", "b"])[0]["text"] == "the top 5 stay as they are"


@given(
    st.dictionaries(
        st.text("abcdef", min_size=1, max_size=3),
        st.fixed_dictionaries({"causal": st.integers(0, 3), "contested": st.integers(0, 3)}),
        max_size=12,
    ),
    st.integers(-5, 5),
)
def test_what_enters_and_leaves_accounts_for_every_change(
    scores: dict[str, dict[str, float]], weight: int
) -> None:
    of = a_rubric(scores, other={"contested": weight})
    before = set(rubric.ranked(of, scores)[:5])
    change = rubric.compared(of, scores)[0]
    assert (before - set(change["left"])) | set(change["entered"]) == set(change["top"])
