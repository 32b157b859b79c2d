"""A few hostile inputs for every target in each run of the tests; `make fuzz` hands over 20,000 each."""

from __future__ import annotations

import pytest

from tests.fuzz import run
from tests.fuzz.targets import TARGETS

COUNT = 200


@pytest.mark.parametrize("name", TARGETS)
def test_hostile_inputs_are_accepted_or_refused_in_one_line(name: str) -> None:
    found = run.target(name, COUNT, seed=7)
    assert found.failed == {}
    assert found.inputs == COUNT + len(TARGETS[name].crashes)
    assert found.accepted > COUNT / 50, (
        "next to nothing is accepted: the inputs reach no further than the door"
    )
    assert found.refused > COUNT / 50


def test_the_harness_sees_a_crash_a_hang_memory_eaten_and_two_lines() -> None:
    found = run.target("traps", 20, seed=1)
    told = [found.failed.get(number, "") for number in (-4, -3, -2, -1)]
    for what, word in zip(
        told, ("ZeroDivisionError", "MemoryError", "several lines", "took too long"), strict=True
    ):
        assert word in what
    assert len(found.failed) == 4
    assert found.inputs == 24


def test_an_input_is_the_same_in_every_process() -> None:
    target = TARGETS["yaml"]
    again = type(target)(target.name, target.corpus_of, target.ready, target.dictionary)
    assert [target.input(n, 3) for n in range(50)] == [again.input(n, 3) for n in range(50)]
    assert len({target.input(n, 3) for n in range(50)}) > 40
