from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.talks.escape import address, html, markdown, markdown_code
from kb.talks.text import clean


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("*a* _b_ `c`", r"\*a\* \_b\_ \`c\`"),
        ("<script>", "&lt;script&gt;"),
        ("<!-- theme: gaia -->", "&lt;!-- theme: gaia --&gt;"),
        ("# heading", r"\# heading"),
        ("- item", r"\- item"),
        ("3. item", r"3\. item"),
        ("71.8% of it", "71.8% of it"),
        ("[a](b)", r"\[a\](b)"),
        ("$x$", r"\$x\$"),
        (":smile: at 1:00: now", ":&#8288;smile: at 1:00: now"),
        ("see https://evil.example", "see https&#58;//evil.example"),
        ("www.evil.example", "www&#46;evil.example"),
        (
            "@user, (@org/team): #12, me/repo#12, GH-12",
            "@&#8288;user, (@&#8288;org/team): #&#8288;12, me/repo#&#8288;12, GH-&#8288;12",
        ),
        ("me@evil.example", "me@&#8288;evil.example"),
        ("pass@10 at 5 @ 3, C# and F#", "pass@10 at 5 @ 3, C# and F#"),
        ("a &lt;b&gt; &#64;c", "a &amp;lt;b&amp;gt; &amp;#&#8288;64;c"),
    ],
)
def test_markup_in_text_is_inert_in_markdown(text: str, escaped: str) -> None:
    assert markdown(text) == escaped


def test_code_survives_the_backticks_in_it() -> None:
    assert markdown_code("a``b") == "``` a``b ```"


def test_an_address_cannot_leave_its_brackets() -> None:
    assert address("https://e.org/a b>\n\"'") == "https://e.org/a%20b%3E%0A%22%27"


@given(st.text())
def test_escaped_html_holds_no_markup(text: str) -> None:
    assert not set("<>\"'") & set(html(text))


@given(st.text())
def test_cleaned_text_is_one_visible_line(text: str) -> None:
    assert clean(text) == "" or clean(text).isprintable()


def test_letters_that_turn_text_round_are_shown_not_obeyed() -> None:
    assert clean("a\u202eb\x1b[0m") == "a\\u202eb\\u001b[0m"
