from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kb.talks.column import COMFORTABLE, SIZES, Want, column, is_whole

words = st.text("abcdefg mW", min_size=1, max_size=500).map(lambda text: " ".join(text.split()) or "a")
wants = st.lists(
    st.builds(Want, st.sampled_from(["number", "body", "quote"]), words, optional=st.booleans()), max_size=5
)


def test_texts_are_as_large_as_all_of_them_can_be() -> None:
    assert column([Want("body", "short")], 0, 400, 1000)[0].text.size == SIZES[0]
    long = column([Want("body", "word " * 150)], 0, 400, 1000)
    assert SIZES[-1] <= long[0].text.size < SIZES[0]


def test_what_is_optional_goes_before_type_gets_small() -> None:
    needed, extra = Want("body", "word " * 60), Want("quote", "word " * 60, optional=True)
    blocks = column([needed, extra], 0, 300, 1000)
    assert [block.role for block in blocks] == ["body"]
    assert blocks[0].text.size >= COMFORTABLE


def test_what_fits_at_no_size_is_cut_with_a_pointer_to_the_notes() -> None:
    wanted = [Want("body", "word " * 500), Want("body", "last")]
    blocks = column(wanted, 0, 200, 800)
    assert blocks[0].text.text.endswith("(whole in the notes)")
    assert not is_whole(blocks, wanted)


def test_our_own_words_have_typographic_marks_and_quotes_keep_theirs() -> None:
    own, quote = column([Want("body", 'a "word" isn\'t'), Want("quote", 'a "word"')], 0, 400, 1000)
    assert (own.text.text, quote.text.text) == ("a “word” isn’t", 'a "word"')


@given(wants, st.integers(60, 500), st.integers(250, 1168))
def test_a_column_never_leaves_its_place(wanted: list[Want], height: int, width: int) -> None:
    below = 10.0
    for block in column(wanted, 10, 10 + height, width):
        assert block.top >= below
        below = block.top + block.text.height
        assert below <= 10 + height + 1e-6
