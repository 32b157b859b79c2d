from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kb.talks import fit
from kb.talks.text import seconds_to_say, spoken_words


def test_everything_stays_at_full_length_when_there_is_time() -> None:
    assert fit.plan([(10, 20), (10, 30)], 100, opening=5, closing=5) == fit.Plan((1, 1), 60, 30)


def test_items_are_shortened_before_one_is_dropped() -> None:
    assert fit.plan([(10, 30), (10, 30)], 25).lengths == (0, 0)


def test_the_first_items_are_lengthened_first() -> None:
    assert fit.plan([(10, 20), (10, 20)], 35).lengths == (1, 0)


def test_an_item_that_does_not_fit_ends_the_talk_and_none_is_skipped() -> None:
    plan = fit.plan([(10,), (50,), (5,)], 30)
    assert (plan.lengths, plan.seconds, plan.needed) == ((0,), 10, 65)


def test_closing_and_opening_go_before_the_only_item_does() -> None:
    plan = fit.plan([(20,)], 22, opening=10, closing=10)
    assert (plan.opening, plan.closing, plan.fits, plan.seconds) == (False, False, True, 20)


def test_a_talk_that_cannot_fit_says_so() -> None:
    assert not fit.plan([(20,)], 10).fits


def test_no_items_fit_anywhere() -> None:
    assert fit.plan([], 10).fits


items = st.lists(st.lists(st.integers(1, 99), min_size=1, max_size=3).map(sorted), max_size=9)


@given(items, st.integers(0, 400), st.integers(0, 60), st.integers(0, 60))
def test_a_plan_never_takes_longer_than_there_is(
    forms: list[list[int]], available: int, opening: int, closing: int
) -> None:
    plan = fit.plan(forms, available, opening, closing)
    spoken = sum(forms[place][length] for place, length in enumerate(plan.lengths))
    frame = opening * plan.opening + closing * plan.closing
    assert plan.seconds == spoken + frame
    assert plan.seconds <= available


@given(items, st.integers(0, 300))
def test_more_time_never_shows_less(forms: list[list[int]], available: int) -> None:
    assert len(fit.plan(forms, available).lengths) <= len(fit.plan(forms, available + 30).lengths)


def test_speaking_time_follows_from_words_rate_and_pause() -> None:
    assert seconds_to_say(("ten words " * 65,), 130, 2) == 62


def test_long_numbers_and_per_cent_signs_take_longer_to_say() -> None:
    assert spoken_words("about 4 of them") == 4
    assert spoken_words("0.873 of 12 %, or 71.8%") == 2 + 1 + 1 + 1 + 1 + 3


def test_nothing_takes_no_time() -> None:
    assert seconds_to_say((), 130, 2) == 0
