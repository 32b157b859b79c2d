"""What is suggested for a name that is not there: as good as a comparison with every name, at a fraction of it."""

import contextlib
import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from kb.store import connect, names
from tests.making import claim

SHIPPED = Path(__file__).parents[2] / "claims.db"


@pytest.fixture(scope="module")
def shipped() -> Iterator[sqlite3.Connection]:
    with contextlib.closing(connect.open_to_read(SHIPPED)) as opened:
        yield opened


@pytest.fixture(scope="module")
def large() -> Iterator[sqlite3.Connection]:
    """20,000 names of two to five made-up words each, as ids have them; no two words are rare."""
    draw = random.Random(11)
    syllables = [
        "ka",
        "lo",
        "mi",
        "ren",
        "tor",
        "vel",
        "is",
        "qua",
        "dis",
        "pro",
        "con",
        "ter",
        "sub",
        "mar",
        "nel",
        "phi",
        "gra",
        "sto",
        "bel",
        "dun",
        "fer",
    ]
    words = ["".join(draw.choices(syllables, k=draw.randint(1, 3))) for _ in range(2_000)]
    made = {"-".join(draw.choices(words, k=draw.randint(2, 5))) for _ in range(20_000)}
    with contextlib.closing(sqlite3.connect(":memory:")) as opened:
        opened.execute("CREATE TABLE claim (id TEXT PRIMARY KEY)")
        opened.executemany("INSERT INTO claim VALUES (?)", ((name,) for name in sorted(made)))
        yield opened


def _mistaken(draw: random.Random, name: str, mistakes: int) -> str:
    """A letter replaced, left out, put in twice or swapped with the next, so many times."""
    for _ in range(mistakes):
        at = draw.randrange(max(1, len(name) - 1))
        two = name[at : at + 2]
        new = draw.choice(["x" + two[1:], two[1:], two[:1] + two, two[::-1]])
        name = name[:at] + new + name[at + 2 :]
    return name


@pytest.mark.parametrize("kind", ["claim", "source"])
def test_few_names_are_all_compared(shipped: sqlite3.Connection, kind: str) -> None:
    known = names.names(shipped, kind)
    assert 50 < len(known) <= names.COMPARED
    draw = random.Random(3)
    for name in known:
        for wrong in (_mistaken(draw, name, 1), _mistaken(draw, name, 3), name[3:-3].upper(), "nothing"):
            assert names.near(shipped, kind, wrong) == names.nearest(wrong, known)


@pytest.mark.parametrize("kind", ["claim", "source"])
def test_a_quarter_of_the_shipped_names_holds_the_best_of_all(shipped: sqlite3.Connection, kind: str) -> None:
    known = names.names(shipped, kind)
    draw = random.Random(4)
    for name in known:
        wrong = _mistaken(draw, name, 1)
        chosen = names._candidates(shipped, kind, wrong, len(known) // 4)
        assert len(chosen) == len(known) // 4
        assert names.nearest(wrong, chosen)[:1] == names.nearest(wrong, known)[:1]


@pytest.mark.parametrize("mistakes", [1, 2])
def test_among_many_names_the_right_one_is_suggested(large: sqlite3.Connection, mistakes: int) -> None:
    known = names.names(large, "claim")
    draw = random.Random(5 + mistakes)
    right = draw.sample(known, 150)
    found = sum(name in names.near(large, "claim", _mistaken(draw, name, mistakes)) for name in right)
    assert found >= 148


def test_among_many_names_those_that_hold_what_was_typed_are_suggested(large: sqlite3.Connection) -> None:
    name = max(names.names(large, "claim"), key=len)
    part = name[9:-9]
    assert names.near(large, "claim", part.upper()) == names.near(large, "claim", part)
    assert name in names.near(large, "claim", part)


@pytest.mark.parametrize("name", ["", "x", "é" * 300, "%_*[", "ẞ" * 60, "a'b\"c"])
def test_whatever_is_typed_can_be_looked_for(large: sqlite3.Connection, path: Path, name: str) -> None:
    assert len(names.near(large, "claim", name)) <= 3
    with contextlib.closing(connect.open_to_read(path)) as small:
        assert names.near(small, "claim", name) in ([], [claim().id])
