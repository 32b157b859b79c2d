"""Tables and pages fit the terminal and lose no word without saying so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.cli.layout import Column, Page, Rows, Word, cut, paint, width_of, wrap

COLUMNS = [
    Column("id", style="bold"),
    Column("verdict"),
    Column("n", right=True),
    Column("text", flexible=True),
]
ROWS = [
    ("dt-random-four-percent", Word("supported", marked=True), 12, "a long statement about networks " * 8),
    ("short", Word("unchecked", marked=True), None, "日本語の文 " * 30),
]


@pytest.fixture(autouse=True)
def _no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("FORCE_COLOR", raising=False)


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 250])
def test_a_table_fits_the_width(width: int) -> None:
    assert max(width_of(line) for line in Rows(COLUMNS, ROWS).render(width)) <= width


def test_on_a_narrow_terminal_the_long_column_goes_below_the_others() -> None:
    lines = list(Rows(COLUMNS, ROWS).render(70))
    assert lines[1].startswith("dt-random-four-percent  ✓ supported")
    assert lines[2].startswith("    a long statement")


def test_on_a_wide_terminal_the_long_column_stands_beside_the_others() -> None:
    lines = list(Rows(COLUMNS, ROWS).render(120))
    assert lines[0].split() == ["id", "verdict", "n", "text"]
    assert lines[1].startswith("dt-random-four-percent  ✓ supported  12  a long statement")


def test_what_does_not_fit_ends_with_an_ellipsis() -> None:
    assert any(line.endswith("…") for line in Rows(COLUMNS, ROWS).render(80))


def test_programs_get_tabs_a_header_and_plain_words() -> None:
    rows = [("a\tb", Word("supported", marked=True), None, "two\nlines \x1b[31m")]
    assert list(Rows(COLUMNS, rows).tab_separated()) == [
        "id\tverdict\tn\ttext",
        "a b\tsupported\t\ttwo lines \\x1b[31m",
    ]


def test_a_table_without_rows_prints_nothing() -> None:
    assert list(Rows(COLUMNS, []).render(80)) == []


@given(
    st.text(st.characters(blacklist_categories=("Cs", "Cc", "Cf", "Zl", "Zp")), max_size=200),
    st.integers(5, 60),
)
def test_wrapping_keeps_every_word_and_the_width(text: str, width: int) -> None:
    lines = ["".join(piece for piece, _ in line) for line in wrap(text, width)]
    assert "".join("".join(lines).split(" ")) == "".join(text.split(" "))
    assert all(width_of(line) <= max(width, 2) or "http" in line for line in lines)


def test_an_address_stays_whole() -> None:
    address = "https://example.org/" + "a" * 80
    assert [(address, "")] in wrap(f"see {address} there", 40)


def test_punctuation_sticks_to_the_styled_word_before_it() -> None:
    lines = list(Page().line([("“", "dim"), ("word " * 20 + "end", "italic"), ("”", "dim")]).render(40))
    assert lines[-1].endswith("end”")


@given(st.text(max_size=50), st.integers(1, 30))
def test_cutting_gives_at_most_the_width(text: str, width: int) -> None:
    assert width_of(cut(text, width)) <= width or width_of(cut(text, width)) <= 1


def test_markup_is_text() -> None:
    assert list(Page().line("[bold]x[/bold] [red]").render(80)) == ["[bold]x[/bold] [red]"]


def test_fields_align_their_further_lines() -> None:
    lines = list(Page().field("status", "word " * 30).render(60))
    assert lines[0].startswith("status       word")
    assert lines[1].startswith(" " * 13 + "word")


def test_an_empty_field_is_left_out() -> None:
    assert list(Page().field("note", None).field("tags", "").render(80)) == []


def test_styles_become_codes_only_where_colour_is_on(monkeypatch: pytest.MonkeyPatch) -> None:
    assert paint("x", "bold") == "x"
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert paint("x", "bold") == "\x1b[1mx\x1b[0m"
    assert paint("x", "no-style") == "x"
