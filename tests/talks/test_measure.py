from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kb.talks.measure import POINTER, fitted, height_of, lines_of

texts = st.text(st.characters(codec="utf-8", exclude_categories=("C",)), max_size=700).map(
    lambda text: " ".join(text.split())
)


def test_words_wrap_where_the_line_is_full() -> None:
    assert lines_of("nnnn nnnn nnnn", 10, 60) == 2


def test_a_word_wider_than_the_line_is_broken() -> None:
    assert lines_of("n" * 100, 10, 100) >= 7


def test_short_text_takes_the_largest_size() -> None:
    assert fitted("short", 1000, 100, (50, 40)).size == 50


def test_text_too_long_for_any_size_is_cut_with_a_pointer_to_the_notes() -> None:
    set_ = fitted("word " * 500, 1000, 100, (50, 40))
    assert set_.cut
    assert set_.text.endswith(POINTER)


@given(texts, st.integers(200, 1200), st.integers(30, 500))
def test_what_is_set_never_takes_more_height_than_there_is(text: str, width: int, height: int) -> None:
    set_ = fitted(text, width, height, (40, 30, 22))
    if set_.text:
        assert height_of(set_.text, set_.size, width) <= height or not text
