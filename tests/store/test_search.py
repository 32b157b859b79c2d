"""Search: whatever is typed or pasted finds its claim, and nothing typed is an error."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kb.store import connect, edit, search
from kb.store.search import search_claims
from tests.making import claim

STATEMENTS = {
    "goal": "Goal-directed agents keep their goal-directed ways.",
    "cpp": "C++ and naïve Bayes are unlike.",
    "dt": "The Decision Transformer can run processes that reach the state of the art although trained on random data.",
    "rl": "Reinforcement learning agents can be steered.",
}


@pytest.fixture
def store(path: Path) -> Path:
    with connect.writing_to(path) as session, edit.bulk(session):
        for id_, statement in STATEMENTS.items():
            edit.put(session, claim(id_, statement=statement, tags=["shared", f"tag-{id_}"]))
    return path


def _found(store: Path, words: str, limit: int = 20) -> list[str]:
    with contextlib.closing(connect.open_to_read(store)) as connection:
        return [found["id"] for found in search_claims(connection, words, limit)[0]]


@pytest.mark.parametrize(
    ("words", "id_"),
    [
        ("goal-directed", "goal"),
        ("C++", "cpp"),
        ("naive", "cpp"),
        ("tag-rl", "rl"),
        ("steering agents", "rl"),
        ('"Decision Transformer" AND (x OR y) NEAR', "dt"),
        (
            "A supreme counterexample is the Decision Transformer, which can be used to run processes which achieve"
            " SOTA despite being trained on random trajectories.",
            "dt",
        ),
    ],
)
def test_what_is_typed_or_pasted_finds_its_claim_first(store: Path, words: str, id_: str) -> None:
    assert _found(store, words)[0] == id_


def test_claims_with_all_the_words_come_before_those_with_any(store: Path) -> None:
    found = _found(store, "agents steered")
    assert found[0] == "rl"
    assert "goal" in found


@pytest.mark.parametrize("words", ["", "   ", "+++", "“”", "\x00", "*"])
def test_punctuation_alone_finds_nothing(store: Path, words: str) -> None:
    assert _found(store, words) == []


def test_the_limit_holds(store: Path) -> None:
    assert len(_found(store, "shared", limit=2)) == 2


def test_claims_that_fit_equally_well_come_in_the_order_in_which_they_were_added(path: Path) -> None:
    ids = [f"equal-{letter}" for letter in "dbeac"]
    with connect.writing_to(path) as session:
        for id_ in ids:
            edit.put(session, claim(id_, statement="Equal words."))
    assert _found(path, "equal words") == ids
    assert _found(path, "equal", limit=3) == ids[:3]


def test_of_claims_with_a_very_common_word_the_first_are_ranked_and_that_is_told(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "RANKED", 2)
    with contextlib.closing(connect.open_to_read(store)) as connection:
        found, whole = search_claims(connection, "shared")
        assert ({one["id"] for one in found}, whole) == ({"goal", "cpp"}, False)
        found, whole = search_claims(connection, "tag-rl shared")
        assert (found[0]["id"], whole) == ("rl", False)


def test_a_rare_word_finds_its_claim_beyond_any_number_that_share_the_others(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "RANKED", 2)
    assert _found(store, "shared missing steered")[0] == "rl"
    assert _found(store, "shared missing"), "a word that nobody has leaves the others"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=100)
@given(st.text(max_size=60))
def test_nothing_typed_is_an_error(store: Path, words: str) -> None:
    assert isinstance(_found(store, words), list)
