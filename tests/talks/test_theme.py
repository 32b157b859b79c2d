from __future__ import annotations

import pytest

from kb import words
from kb.talks import theme


@pytest.mark.parametrize(("text", "ground"), theme.PAIRS)
def test_every_pair_of_colours_passes_wcag_aa(text: str, ground: str) -> None:
    assert theme.contrast(text, ground) >= 4.5


def test_contrast_is_that_of_wcag() -> None:
    assert theme.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert theme.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_every_verdict_has_its_colours() -> None:
    assert set(theme.VERDICTS) == set(words.VERDICTS)


def test_every_label_over_a_title_has_colours_that_pass() -> None:
    assert {f"v-{verdict}" for verdict in words.VERDICTS} <= set(theme.LABELS)
    assert {f"s-{status}" for status in words.STATUSES} <= set(theme.LABELS)
    assert set(theme.LABELS.values()) <= set(theme.PAIRS)


@pytest.mark.parametrize("colour", theme.GRAPHICS)
def test_what_charts_draw_stands_out_from_the_paper(colour: str) -> None:
    assert theme.contrast(colour, theme.PAPER) >= 3


def test_the_renderers_use_no_colour_but_the_themes() -> None:
    import re
    from pathlib import Path

    for file in Path(theme.__file__).parent.glob("render_*.py"):
        assert not re.findall(r"#[0-9a-fA-F]{6}\b", file.read_text(encoding="utf-8")), file.name
