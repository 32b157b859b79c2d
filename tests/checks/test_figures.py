"""Computations over published figures: which figures are read for them."""

import contextlib
from pathlib import Path

import pytest

from kb import records
from kb.checks.figures import compute, load_cells, load_cells_of
from kb.store import connect, edit

IDS = ("t1.a", "t1.b", "t10.a", "t2.a", "t2._b", "t2.z9", "u.a")
EXPRESSIONS = (
    'cell("t1.a")',
    'cell("t1.a") / cell("u.a")',
    'mean(cells("t1*"))',
    'sum(cells("t2.*")) + cell("t10.a")',
    'count(cells("*"))',
    'max(cells("[tu]?.a"))',
    'cells("t1.?")',
    'cell("nothing.here")',
    'mean(cells("nothing.*"))',
    'cell("\\ud800")',
    'cell("é.*")',
    'cell("t1.a',
    "1 + 1",
)


@pytest.fixture
def store(path: Path) -> Path:
    with connect.writing_to(path) as session:
        for n, id_ in enumerate(IDS):
            figure = {"id": id_, "source": "paper2020", "locator": "T1", "quantity": "q", "value": n + 1.0}
            figure |= {"unit": "score", "scale": "raw", "seen": "primary"}
            edit.put(session, records.parse("figure", figure))
    return path


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_a_computation_gives_the_same_over_its_own_figures_as_over_all(store: Path, expression: str) -> None:
    with contextlib.closing(connect.open_to_read(store)) as connection:
        every, own = load_cells(connection), load_cells_of(connection, [expression])
    assert compute("c", expression, 3.0, 0, None, None, own) == compute(
        "c", expression, 3.0, 0, None, None, every
    )


def test_only_the_figures_that_an_expression_can_read_are_loaded(store: Path) -> None:
    with contextlib.closing(connect.open_to_read(store)) as connection:
        assert sorted(load_cells_of(connection, ['mean(cells("t1.*")) - cell("u.a")'])) == [
            "t1.a",
            "t1.b",
            "u.a",
        ]
        assert load_cells_of(connection, []) == {}
