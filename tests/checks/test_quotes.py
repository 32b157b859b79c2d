"""Exact quotes are found through every rendering; altered ones never are."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.checks.numerals import numerals
from kb.checks.quotes import difference, find, find_in, nearest, normalise, words_in, words_needed

PAGE = (
    "We con-\n  sider the ﬁrst 26 attention heads, grouped into 7 main classes. On average it outperforms\n"
    "zero-shot accuracy by 4.0 % \u2014 and “truthfulness” rises from 32.5% to 65.1%. State-of-the-\n"
    "art agents fall short. Single-game BCQ [21] results are from Gulcehre et al. [25]. 11 of 128 channels "
    "carry it; "
    "94% of runs end well. The technology, from the point of view of AI, is entirely feasible.\n"
    "A supreme counterexample is the _Decision Transformer_, trained on *random* trajectories. It\n"
    "ends at x = 12 in the dark, rises by -5 points, 10² times; a truly \u2013 as they say \u2014 non-\n"
    "trivial result; they can’t see it; costs 3\u20135 points, <0.01 of $20, in 1/3 of 5 × 10^6 (7\u00a0%)."
)


@pytest.mark.parametrize(
    "quote",
    [
        "We consider the first 26 attention heads",
        "outperforms zero-shot accuracy by 4.0 % — and",
        'and "truthfulness" rises from 32.5% to 65.1%',
        "and ‘truthfulness’ rises",
        "State-of-the-art agents fall short",
        "Single-game BCQ [21] results are from Gulcehre et al. [25]",
        "The technology [of lethal autonomous drones], from the point of view of AI, is entirely feasible.",
        "We consider [...] 7 main classes",
        "We consider ... grouped into 7 main classes",
        "the Decision Transformer, trained on random trajectories",
        "the _Decision Transformer_, trained on *random* trajectories",
        "11 of 128 channels",
        "[A] supreme counterexample is the Decision Transformer",
        "State-of-the-art agents [of today] fall short",
        "On average it outperforms zero-shot accuracy by 4.0\u00a0%\u2009—\u2009and",
        "ends at 𝑥 ＝ １２ in the dark",
        "rises by −5 points, 10² times",
        "a truly—as they say—non-trivial result",
        "they can't see it",
    ],
)
def test_an_exact_quote_is_found_through_what_a_rendering_changes(quote: str) -> None:
    assert find(quote, PAGE) is not None


@pytest.mark.parametrize(
    "quote",
    [
        "We consider the first 27 attention heads",
        "zero-shot accuracy by 40 %",
        "zero-shot accuracy by 4 %",
        "rises from 32.5% to 65.2%",
        "4% of runs end well",
        "1 of 128 channels",
        "11 of 12",
        "agents never fall short",
        "Single-game BCQ [22] results are from Gulcehre et al. [25]",
        "is entirely infeasible",
        "feasible is entirely",
        "We do not consider [...] 7 main classes",
        "7 main classes [...] We consider",
        "echnology, from the point",
        "sider the first",
        "...",
        "[sic]",
        "5 points, 10² times",
        "rises by 5 points",
        "rises by -5 points, 102 times",
        "trivial result",
        "they can",
        "5 points, <0.01",
        "costs 3",
        "costs −3–5 points",
        "0.01 of $20",
        "20, in 1/3",
        "3 of 5",
        "in 1/3 of 5",
        "in 1/3 of 5 × 10",
        ".01 of $20",
        "10^6 (7",
        "−5 points, <0.01",
        "[B]verage it outperforms",
    ],
)
def test_an_altered_number_or_word_is_not_found(quote: str) -> None:
    assert find(quote, PAGE) is None


@pytest.mark.parametrize(
    ("quote", "left_out"),
    [
        ("agents do [...] fall short", "not, in our tests,"),
        ("agents do ... fall short", "not, in our tests,"),
        ("agents do [always] fall short", "not, in our tests,"),
        ("agents [...] fall short", "do not, in our tests,"),
    ],
)
def test_an_ellipsis_that_drops_a_negation_says_so(quote: str, left_out: str) -> None:
    found = find(quote, "We saw that agents do not, in our tests, fall short.")
    assert found is not None
    assert found.negation_left_out == left_out


def test_an_ellipsis_is_read_at_the_place_where_it_drops_no_negation() -> None:
    found = find("agents [...] fall", "agents do not fall, or so it seemed; agents often fall")
    assert found is not None
    assert (found.left_out, found.negation_left_out) == (("often",), None)


def test_what_is_found_says_where_it_stands() -> None:
    found = find("is entirely feasible", PAGE)
    assert found is not None
    assert 0.5 < found.share < 0.6
    assert "point of view of AI, is entirely feasible" in found.context


def test_an_ellipsis_does_not_bridge_a_whole_paper() -> None:
    assert find("alpha [...] omega", "alpha " + "x " * 1_000 + "omega") is None


@pytest.mark.parametrize("gap", [" … ", "…", " [...] "])
def test_many_ellipses_in_a_long_text_take_no_longer_than_one(gap: str) -> None:
    text = normalise("the " * 40_000 + "x " * 500 + "zebra")
    started = time.process_time()
    assert find_in(gap.join(["the"] * 6 + ["zebra"]), text) is None
    assert find_in(gap.join(["the"] * 8), text) is not None
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    "row", ["*" * 120_000, "a" + "_" * 120_000 + "b", "ab-\n" * 20_000, "a" * 120_000 + " b-\nc"]
)
def test_a_text_of_marks_or_hyphens_alone_is_normalised_in_no_time(row: str) -> None:
    started = time.process_time()
    text = normalise(f"the end {row} the start")
    assert words_in(text) >= {"the", "end", "start"}
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    ("marked", "plain"),
    [
        ("a *b* _c_ **d**, ***", "a b c d, ***"),
        ("a * b ** c_d e__f", "a * b ** c_d e__f"),
    ],
)
def test_marks_of_emphasis_are_left_out_and_other_marks_stay(marked: str, plain: str) -> None:
    assert normalise(marked).split() == plain.split()


def test_a_row_of_dashes_is_compared_in_one_way_only() -> None:
    started = time.process_time()
    assert find("a " + "- " * 40 + "b", "b a " + "- " * 40 + "c") is None
    assert find("a " + "- " * 40 + "b", "a " + "- " * 40 + "b") is not None
    assert time.process_time() - started < 2


def test_a_near_miss_is_shown_as_a_difference() -> None:
    miss = nearest("grouped into 8 main classes", PAGE)
    assert miss is not None
    assert miss.score < 100
    assert "[-8-] {+7+}" in miss.difference


def test_nothing_close_gives_no_near_miss() -> None:
    assert nearest("completely unrelated sentence about zebras quux", "short text") is None


def test_a_difference_marks_both_sides() -> None:
    assert difference("a b c", "a x c d") == "a [-b-] {+x+} c {+d+}"


def test_numerals_keep_their_value() -> None:
    assert numerals("68 of the 32,000 edges, 92.5% (GPT2, v2)") == ["68", "32000", "92.5"]


@pytest.mark.parametrize(
    "quote",
    [
        "We consider the first 26",
        "State-of-the-art agents",
        "[A] supreme counterexample",
        "non-trivial result",
        "4.0 %",
    ],
)
def test_a_text_that_a_quote_stands_in_has_the_words_that_it_needs(quote: str) -> None:
    assert find(quote, PAGE) is not None
    assert words_needed(quote) <= words_in(normalise(PAGE))


def test_a_word_broken_at_two_line_ends_is_still_one() -> None:
    page = "a mis-\nunder-\nstanding"
    assert find("a misunderstanding", page) is not None
    assert words_needed("a misunderstanding") <= words_in(normalise(page))


WORDS = st.lists(st.text("abcdefgh0123456789.%", min_size=1, max_size=6), min_size=4, max_size=30)


@given(WORDS, st.data())
def test_any_run_of_words_is_found_and_any_changed_digit_is_not(
    words: list[str], data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(words) - 3))
    quote = " ".join(words[start : start + 3])
    unit_cut_off = words[start + 3 : start + 4] and words[start + 3].startswith("%") and quote[-1].isdigit()
    if any(c.isalnum() for c in quote) and not unit_cut_off:
        assert find(quote, " ".join(words)) is not None
    digits = [i for i, c in enumerate(quote) if c.isdigit()]
    if digits:
        at = data.draw(st.sampled_from(digits))
        changed = quote[:at] + str((int(quote[at]) + 1) % 10) + quote[at + 1 :]
        if changed not in " ".join(words):
            assert find(changed, " ".join(words)) is None
