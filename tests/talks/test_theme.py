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
