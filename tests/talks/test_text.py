from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.talks.text import estimate, label, plain_quote, typeset


@pytest.mark.parametrize(
    ("numbers", "shown"),
    [
        ((0.9, 0.7695, 0.9604), "0.90 [0.77, 0.96]"),
        ((-0.0097, -0.0258, -0.0026), "−0.010 [−0.026, −0.003]"),
        ((104.2, 81.0, 127.4), "104 [81, 127]"),
        ((2.5, None, None), "2.5"),
        ((1.0, 1.0, 1.0), "1.00 [1.00, 1.00]"),
        ((-0.001, -0.3, 0.3), "0.00 [−0.30, 0.30]"),
    ],
)
def test_an_estimate_is_as_exact_as_its_interval(numbers: tuple[float, ...], shown: str) -> None:
    assert estimate(*numbers) == shown


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6), st.floats(0, 1e6))
def test_the_interval_that_is_shown_holds_the_estimate_that_is_shown(
    value: float, below: float, above: float
) -> None:
    shown = estimate(value, value - below, value + above).replace("−", "-")
    middle, low, high = (float(part.strip("[],")) for part in shown.split())
    assert low <= middle <= high


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('a "word" here', "a “word” here"),
        ('"Accident or misuse"', "“Accident or misuse”"),
        ('("x")', "(“x”)"),
        ("it isn't one's 'own' word", "it isn’t one’s ‘own’ word"),
    ],
)
def test_our_own_words_are_set_with_typographic_marks(text: str, shown: str) -> None:
    assert typeset(text) == shown


def test_a_quote_is_shown_without_the_marks_of_italics_and_with_single_inner_quotes() -> None:
    assert plain_quote('the _Decision Transformer_ is "it" at snake_case **now**') == (
        "the Decision Transformer is ‘it’ at snake_case now"
    )


def test_a_source_without_authors_goes_by_its_title() -> None:
    assert label("", "2026", "k", "A much safer world") == "“A much safer world” 2026"
    assert label("", "", "k") == "k"
