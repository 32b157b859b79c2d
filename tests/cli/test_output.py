"""What reaches the terminal: inert text, whole characters, one JSON document."""

from __future__ import annotations

import io
import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb import words
from kb.cli import output
from kb.errors import KbError

DANGEROUS = [
    "\x1b[2J", "\x1b]0;title\x07", "\x00", "\x9b31m", "\x7f", "\r", "\u202e", "\u2066", "\u200f", "\u061c", "\ufeff", "\u115f", "\u1160", "\u3164", "\uffa0",
    "\U000e0041", "\u2028", "\ud800",
]  # fmt: skip


@pytest.mark.parametrize("text", DANGEROUS)
def test_what_a_terminal_obeys_is_shown_as_an_escape(text: str) -> None:
    cleaned = output.clean(f"a{text}b")
    assert cleaned.startswith("a\\")
    assert cleaned.isprintable()


@given(st.text())
def test_cleaned_text_is_printable_but_for_tabs_line_breaks_and_spaces(text: str) -> None:
    for char in output.clean(text):
        assert char.isprintable() or char in "\n\t" or char.isspace() or ord(char) > 0x7F
        assert ord(char) >= 32 or char in "\n\t"


def test_cleaning_leaves_accents_and_other_scripts_alone() -> None:
    assert output.clean("Lévi, 日本語, שלום, 👩‍🔬 naïve") == "Lévi, 日本語, שלום, 👩‍🔬 naïve"


@pytest.mark.parametrize("text", DANGEROUS)
def test_json_keeps_dangerous_characters_as_escapes_that_load_to_the_same_text(text: str) -> None:
    written = output.as_json_text({"statement": text})
    assert json.loads(written) == {"statement": text}
    assert text not in written


def test_json_has_null_where_a_number_is_not_finite() -> None:
    assert json.loads(output.as_json_text([float("nan"), {"a": float("inf")}, 1.5])) == [
        None,
        {"a": None},
        1.5,
    ]


def test_every_verdict_has_a_mark_of_its_own() -> None:
    assert set(output.MARKS) == set(words.VERDICTS)
    assert len(set(output.MARKS.values())) == len(output.MARKS)
    assert output.mark("supported") == "✓ supported"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_a_terminal_that_lacks_characters_shows_others_instead(
    encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding))
    output.prepare()
    print("✓ supported … “quoted” 日 \ud800")
    sys.stdout.flush()
    assert raw.getvalue().decode(encoding).startswith("+ supported")


def test_options_may_be_repeated_or_hold_commas() -> None:
    assert output.words_of(["a,b", " c ", "a"], ("a", "b", "c"), "letter") == ("a", "b", "c", "a")
    assert output.words_of(None, (), "letter") == ()


def test_an_unknown_word_is_told_which_words_there_are() -> None:
    with pytest.raises(KbError, match="'guess' is no status; it is one of supported, disputed"):
        output.words_of(["guess"], words.STATUSES, "status")


@pytest.mark.parametrize(
    ("environment", "terminal", "on"),
    [
        ({"TERM": "xterm"}, True, True),
        ({"TERM": "xterm"}, False, False),
        ({"TERM": "dumb"}, True, False),
        ({"TERM": "xterm", "NO_COLOR": "1"}, True, False),
        ({"TERM": "xterm", "NO_COLOR": ""}, True, True),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
        ({}, True, False),
    ],
)
def test_colour_is_for_terminals_that_can_and_people_who_want_it(
    environment: dict[str, str], terminal: bool, on: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TERM", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(output, "on_terminal", lambda: terminal)
    assert output.style_is_on() is on


def test_messages_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    output.say("done \x1b[31m")
    assert capsys.readouterr() == ("", "done \\x1b[31m\n")
