"""Pieces that follow each other are found where a regular expression finds them, and without its backtracking."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.checks import passages
from kb.checks.passages import Passage

PIECES = ("a", "b", "aa", "ab?", " ?b", "a(?=a)")


@given(
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=5),
    st.lists(st.integers(0, 4), min_size=4, max_size=4),
    st.text("abc ", max_size=40),
    st.sampled_from([1, 2, 5, 1_000]),
)
def test_passages_are_those_that_one_lazy_expression_finds(
    pieces: list[str], gaps: list[int], text: str, at_once: int
) -> None:
    gaps = gaps[: len(pieces) - 1]
    whole = pieces[0] + "".join(
        f"(.{{0,{gap}}}?){piece}" for gap, piece in zip(gaps, pieces[1:], strict=True)
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passages, "AT_ONCE", at_once)
        found = list(Passage([re.compile(piece) for piece in pieces], gaps).found_in(text))
    assert [(spans[0][0], spans[-1][1]) for spans in found] == [m.span() for m in re.finditer(whole, text)]


def test_an_earlier_place_that_leads_nowhere_is_passed_over() -> None:
    passage = Passage([re.compile(piece) for piece in "abc"], [2, 2])
    assert list(passage.found_in("a--b----a-b-c")) == [[(8, 9), (10, 11), (12, 13)]]
