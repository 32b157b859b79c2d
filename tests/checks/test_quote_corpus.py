"""The quote check on real text: every exact quote is found, no planted defect is."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from kb.checks.quotes import Found, find_in, normalise
from tests.checks.quote_corpus import DEFECTS, NEGATIONS, WAYS, Text, quotes, rendered, texts

SEED = 20_261_124


@pytest.fixture(scope="module")
def corpus() -> list[tuple[Text, str]]:
    """The texts, each with one rendering of it, normalised as sources are."""
    draw = random.Random(SEED)
    return [(text, normalise(rendered(text.words, draw))) for text in texts()]


def test_the_corpus_is_of_real_text_and_large(corpus: list[tuple[Text, str]]) -> None:
    assert len(corpus) >= 40
    assert sum(len(text.words) for text, _ in corpus) > 100_000


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_every_exact_quote_is_found_through_the_normalisations(
    corpus: list[tuple[Text, str]], way: str
) -> None:
    draw = random.Random(f"{SEED} {way}")
    tried, missed, held_back = 0, [], 0
    for text, page in corpus:
        for words in quotes(text, draw, 20):
            quote = WAYS[way](words, draw)
            found = find_in(quote, page)
            tried += 1
            if found is None:
                missed.append((text.name, quote))
            elif found.negation_left_out:
                held_back += 1
    assert not missed, missed[:3]
    assert tried > 1_000
    assert held_back == 0 or way in ("an ellipsis", "an editor's insertion")
    assert held_back < tried / 5  # many of these quotes are drawn around negations


@pytest.mark.slow
def test_no_planted_defect_is_accepted(corpus: list[tuple[Text, str]]) -> None:
    draw = random.Random(f"{SEED} defects")
    tried: Counter[str] = Counter()
    accepted: list[tuple[str, str, str]] = []
    for text, page in corpus:
        for words in quotes(text, draw, 25):
            for name, defect in DEFECTS.items():
                altered = defect(words, draw)
                if altered is None or not altered or text.holds(altered):
                    continue
                tried[name] += 1
                if _passes(find_in(" ".join(altered), page)):
                    accepted.append((name, text.name, " ".join(altered)))
    assert not accepted, accepted[:3]
    assert set(tried) == set(DEFECTS)
    assert min(tried.values()) >= 10, tried
    assert sum(tried.values()) > 10_000


@pytest.mark.slow
def test_no_negation_is_dropped_by_an_ellipsis(corpus: list[tuple[Text, str]]) -> None:
    draw = random.Random(f"{SEED} ellipsis")
    tried = elsewhere = 0
    for text, page in corpus:
        for words in quotes(text, draw, 20):
            at = [n for n, word in enumerate(words[1:-1], 1) if word in ("not", "never", "no", "cannot")]
            if not at:
                continue
            place = draw.choice(at)
            for mark in ("[...]", "...", "[indeed]"):
                tried += 1
                quote = " ".join([*words[:place], mark, *words[place + 1 :]])
                found = find_in(quote, page)
                if _passes(found):  # it stands elsewhere, with other words in the gap
                    elsewhere += 1
                    assert not set(" ".join(found.left_out).lower().split()) & set(NEGATIONS), quote
    assert tried > 300
    assert elsewhere < tried / 50


def _passes(found: Found | None) -> bool:
    return found is not None and found.negation_left_out is None
