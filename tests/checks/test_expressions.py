"""The small language of computations: what it gives, and what it refuses."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.checks.expressions import Cell, ExpressionError, MissingCells, cell_ids, evaluate, rounds_to

CELLS = {
    cell.id: cell
    for cell in (
        Cell("t.a", 10.0, "score", "d4rl-normalised", "v2"),
        Cell("t.b", 30.0, "score", "d4rl-normalised", "v2"),
        Cell("t.unversioned", 20.0, "score", "d4rl-normalised"),
        Cell("t.old", 20.0, "score", "d4rl-normalised", "v0"),
        Cell("p.unit", 0.5, "probability", "0-1"),
        Cell("p.hundred", 50.0, "percent", "0-100"),
        Cell("n.channels", 11.0, "count", "raw"),
        Cell("n.activations", 32768.0, "count", "raw"),
        Cell("m.unread", None, "score", "d4rl-normalised", "v2"),
    )
}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 + 2 * 3", 7),
        ("-(2) ** 2", -4),
        ('cell("t.a") / cell("t.b") * 100', 100 / 3),
        ('mean(cells("t.[ab]"))', 20),
        ('mean(cells("t.a"), cell("t.b"))', 20),
        ('12 * cell("t.a") - sum(cells("t.[ab]"))', 80),
        ('100 * cell("n.channels") / cell("n.activations")', 0.033569),
        ('count(cells("t.*"))', 4),
        ("round(2.345, 2)", 2.35),
        ('min(cell("t.a"), 3)', 3),
        ('cell("t.a") + cell("t.unversioned")', 30),
    ],
)
def test_arithmetic_over_figures_gives_the_number(expression: str, value: float) -> None:
    assert evaluate(expression, CELLS) == pytest.approx(value, rel=1e-4)


def test_comparisons_give_truth_values() -> None:
    assert evaluate('cell("t.a") < cell("t.b") <= 30', CELLS) is True
    assert evaluate('cell("t.a") > cell("t.b") or 1 == 2', CELLS) is False


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ('cell("t.a") + cell("p.hundred")', "mixes score d4rl-normalised v2 with percent 0-100"),
        ('cell("p.unit") < cell("p.hundred")', "mixes"),
        ('cell("t.a") / cell("t.old")', "mixes"),
        ('mean(cells("t.*"))', "mixes"),
        ('cell("t.a") * cell("t.b")', "multiplies"),
        ('100 / cell("t.a")', "divides a plain number"),
        ('cell("t.a") ** 2', "to a power"),
        ('cell("t.a") / 0', "divides by zero"),
        ("10.0 ** 400", "overflows"),
        ("(-1) ** 0.5", "no finite number"),
        ('cells("t.[ab]")', "several numbers"),
        ('cell("no.such")', "no figure named"),
        ('cells("no.*")', "no figure matches"),
        ('cell("t.a", "t.b")', "one name in quotes"),
        ("cell(1)", "one name in quotes"),
        ("mean()", "of nothing"),
        ("1 +", "cannot be read"),
        ("(" * 500 + "1" + ")" * 500, "cannot be read"),
        ("-" * 100 + "1", "nested too deeply"),
        ("+".join(["1"] * 1_500), "longer than"),
        ("+".join(["1"] * 300), "parts"),
    ],
)
def test_what_cannot_be_a_number_is_an_error_that_says_why(expression: str, complaint: str) -> None:
    with pytest.raises(ExpressionError, match=complaint):
        evaluate(expression, CELLS)


@pytest.mark.parametrize(
    "expression",
    [
        "__import__('os').system('true')",
        "().__class__.__bases__",
        "open('x')",
        "lambda: 1",
        "[x for x in (1,)]",
        "cell.__globals__",
        "f'{1}'",
        "'a' * 10",
        "1 if 1 else 2",
        "(x := 1)",
        "mean(key=1)",
        "9 % 2",
        "1 << 60",
        "...",
    ],
)
def test_code_is_refused_and_never_executed(expression: str) -> None:
    with pytest.raises(ExpressionError):
        evaluate(expression, CELLS)


def test_a_cell_that_nobody_has_read_makes_the_result_unknown_and_is_named() -> None:
    with pytest.raises(MissingCells) as missing:
        evaluate('mean(cell("t.a"), cells("m.*"))', CELLS)
    assert missing.value.ids == ["m.unread"]


def test_the_cells_that_an_expression_reads_are_listed_once_in_order() -> None:
    assert cell_ids('cell("t.b") + mean(cells("t.[ab]"))', CELLS) == ["t.b", "t.a"]


@pytest.mark.parametrize(
    ("value", "expected", "decimals", "agrees"),
    [
        (3.77, 4, 0, True),
        (3.4999, 4, 0, False),
        (0.5, 1, 0, True),
        (74.7333, 74.7, 1, True),
        (74.75, 74.7, 1, False),
        (0.1 + 0.2, 0.3, 9, True),
        (-0.5, -1, 0, True),
    ],
)
def test_rounding_is_half_up_as_a_printed_table_rounds(
    value: float, expected: float, decimals: int, agrees: bool
) -> None:
    assert rounds_to(value, expected, decimals) is agrees


@given(st.text(alphabet="0123456789+-*/().,<>= \"'cellsmeanandorabnot[]{}:", max_size=80))
def test_any_text_gives_a_value_or_one_of_the_two_errors(text: str) -> None:
    started = time.process_time()
    try:
        result = evaluate(text, CELLS)
    except (ExpressionError, MissingCells):
        result = 0.0
    assert isinstance(result, bool | float)
    assert time.process_time() - started < 2
