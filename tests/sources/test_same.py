"""Whether two entries are one work: title and authors together, whatever their spelling."""

from __future__ import annotations

import pytest

from kb.sources import same
from kb.sources.metadata import Person, authors_of, person


@pytest.mark.parametrize(
    ("one", "other", "likeness"),
    [
        ("Decision Transformer", "decision transformer.", "same"),
        ("Decision Transformer: Reinforcement Learning via Sequence Modeling", "Decision Transformer", "same"),
        ("Über Größe & Maß", "Uber Grosse and Mass", "same"),
        ("Multi-Game Decision Transformers", "Multigame Decision Transformers", "same"),
        ("RETRACTED: Steering Networks", "Steering Networks", "same"),
        ("Steering Networks by Activation Adition", "Steering Networks by Activation Addition", "near"),
        ("Language Models are Few-Shot Learners", "Language Models are Multitask Learners", "different"),
        ("Steering GPT-2 by Activation Addition", "Steering GPT-3 by Activation Addition", "different"),
        ("Interpretability in Practice, Part I", "Interpretability in Practice, Part II", "different"),
        ("Comment on Steering Networks by Activation Addition", "Steering Networks by Activation Addition", "different"),
        ("Erratum: Steering Networks", "Steering Networks", "different"),
        ("Steering", "Steering: A Survey", "different"),
        ("", "", "different"),
        ("???", "!!!", "different"),
        ("因果推断", "因果推断", "same"),
    ],
)  # fmt: skip
def test_titles_are_the_same_nearly_so_or_not(one: str, other: str, likeness: str) -> None:
    assert same.titles(one, other) == likeness
    assert same.titles(other, one) == likeness


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("Doe, Jane", "Jane Doe", True),
        ("Doe, J.", "Jane Q. Doe", True),
        ("Müller, Max", "Max Muller", True),
        ("Wollschläger, Tom", "Tom Wollschlaeger", True),
        ("Langosco Di Langosco, Lauro", "Lauro Langosco", True),
        ("Fraser-Taliente, Kit", "Kit Fraser Taliente", True),
        ("Li, Wei", "Wei Li", True),
        ("Wang, Lei", "Wang, Yun", False),
        ("Doe, Mike", "Michael Doe", True),
        ("Doe, John", "Jane Doe", False),
        ("Chen, Lili", "Cheng, Lili", False),
        ("Doe, Jane", "Roe, Jane", False),
        ("{OpenAI Team}", "OpenAI Team", True),
        ("O'Brien, Ann", "O’Brien, Ann", True),
        ("王, 伟", "王 伟", True),
        ("王, 伟", "李, 伟", False),
    ],
)
def test_names_are_one_persons_or_not(one: str, other: str, alike: bool) -> None:
    (mine,) = authors_of({"author": one})
    theirs = person(other)
    assert same.people(mine, theirs) is alike
    assert same.people(theirs, mine) is alike


def test_half_of_the_shorter_list_must_stand_in_the_other() -> None:
    mine = authors_of({"author": "Doe, Jane and Roe, Ann and others"})
    assert [str(one) for one in mine] == ["Jane Doe", "Ann Roe"]
    assert same.overlap(mine, [Person("Doe", "Jane"), Person("Low", "Bo"), Person("High", "Al")])
    assert not same.overlap(mine, [Person("Low", "Bo"), Person("High", "Al")])
    assert not same.overlap(mine, [])
    assert same.not_among(mine, [Person("Doe", "Jane")]) == [Person("Roe", "Ann")]


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("https://www.forum.example/post/", "http://forum.example/post#part", True),
        ("https://forum.example/post?id=1", "https://forum.example/post?id=2", False),
        ("https://forum.example/a%20b", "https://forum.example/a b", True),
        ("https://forum.example/", "https://forum.example", True),
    ],
)
def test_addresses_are_compared_without_what_makes_no_difference(one: str, other: str, equal: bool) -> None:
    assert (same.address(one) == same.address(other)) is equal


def test_a_bare_host_or_no_address_identifies_nothing() -> None:
    assert [
        same.address(url) for url in ("https://forum.example/", "javascript:alert(1)", "http://[", "")
    ] == [""] * 4
