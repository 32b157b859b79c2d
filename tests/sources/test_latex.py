"""LaTeX is read as a reader would: no character lost, nothing printed."""

from __future__ import annotations

import logging

import pytest

from kb.sources import latex


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (r"A {\textbar} B{\textbar}C", "A | B|C"),
        (r"{\textless}b{\textgreater} and \textless b\textgreater", "<b> and <b>"),
        (r"a\textasciitilde{}b\textbackslash{}c\textasciicircum{}d", "a~b\\c^d"),
        (r"\& \% \_ \# \$ \{\}", "& % _ # $ {}"),
        (r"\textbraceleft x\textunderscore y\textbraceright", "{x_y}"),
    ],
)
def test_characters_that_latex_names_are_read(value: str, read: str) -> None:
    assert latex.decode(value) == read


def test_a_command_that_cannot_be_read_is_shown_and_nothing_is_printed(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert latex.decode(r"About \frac") == r"About \frac"
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger("pylatexenc").handlers, (
        "without one, Python prints the warnings of a library itself"
    )
