"""Expressions over published figures, evaluated without ever executing text.

An expression is parsed by Python's own parser and walked by hand: numbers, `cell("id")`,
`cells("pattern.*")`, a handful of functions, arithmetic and comparisons. Anything else is refused.

Every value carries the unit and scale of the figures that it came from. Figures of different units,
scales or data set versions are never added, compared or divided: that is an error, not a number.
"""

from __future__ import annotations

import ast
import bisect
import fnmatch
import functools
import itertools
import math
import operator
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import NamedTuple

MAX_LENGTH = 2_000
MAX_NODES = 400
MAX_DEPTH = 60


class ExpressionError(ValueError):
    """The expression cannot be read, names no figure, or mixes what cannot be mixed."""


class MissingCells(ValueError):
    """The expression needs cells that nobody has read. `ids` names them."""

    def __init__(self, ids: Sequence[str]) -> None:
        super().__init__(f"not read: {', '.join(ids)}")
        self.ids = list(ids)


class Cell(NamedTuple):
    """A published figure as expressions see it; `value` is None where nobody has read it."""

    id: str
    value: float | None
    unit: str
    scale: str
    version: str = ""
    """Version of the data set behind the figure, where the protocol names one."""
    seen: str = "primary"
    """How it was read (`kb.words.SEEN`)."""

    @property
    def plain(self) -> bool:
        """Whether it is a bare number, without a dimension that must agree."""
        return self.unit in ("ratio", "count") and self.scale == "raw"


class Dimension(NamedTuple):
    """What must agree before two figures meet."""

    unit: str
    scale: str
    version: str

    def __str__(self) -> str:
        return " ".join(part for part in (self.unit, self.scale, self.version) if part)


class Quantity(NamedTuple):
    """A number with the dimension it carries; None for a plain number or a ratio."""

    value: float
    dimension: Dimension | None = None


Value = Quantity | bool | list[Quantity]


def evaluate(expression: str, cells: Mapping[str, Cell]) -> float | bool:
    """The value of `expression` over `cells` (by id).

    Raises:
        ExpressionError: on anything but the small language, an unknown cell, mixed units, scales or
            versions, a division by zero, or a result that is no finite number.
        MissingCells: where cells that exist have no value yet.
    """
    if len(expression) > MAX_LENGTH:
        raise ExpressionError(f"longer than {MAX_LENGTH} characters")
    tree = _tree(expression)
    if sum(1 for _ in ast.walk(tree)) > MAX_NODES:
        raise ExpressionError(f"has more than {MAX_NODES} parts")
    missing = [c.id for c in _named_cells(tree, cells) if c.value is None]
    if missing:
        raise MissingCells(missing)
    try:
        result = _Evaluator(cells).value(tree.body, 0)
    except (OverflowError, ZeroDivisionError) as error:
        raise ExpressionError(
            "divides by zero" if isinstance(error, ZeroDivisionError) else "overflows"
        ) from None
    if isinstance(result, list):
        raise ExpressionError("gives several numbers: use mean, sum, min or max")
    if isinstance(result, bool):
        return result
    if not math.isfinite(result.value):
        raise ExpressionError("gives no finite number")
    return result.value


def cell_ids(expression: str, cells: Mapping[str, Cell]) -> list[str]:
    """The ids of the cells that an expression reads, in order, for showing them beside it."""
    if len(expression) > MAX_LENGTH:
        return []
    try:
        return list(dict.fromkeys(cell.id for cell in _named_cells(_tree(expression), cells)))
    except ExpressionError:
        return []


def _tree(expression: str) -> ast.Expression:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's advice on its own code: `\\d` in a text, `1if`
            return ast.parse(expression.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ExpressionError("cannot be read as an expression") from None


def name_starts(expression: str) -> set[str]:
    """How the ids start that an expression can read: whole ids, and patterns up to their first wildcard."""
    try:
        tree = ast.parse(expression.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    return {
        _start(argument.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for argument in node.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }


def rounds_to(value: float, expected: float, decimals: int) -> bool:
    """Whether `value`, rounded half up to `decimals`, is `expected` as a printed table would show it."""
    if not (math.isfinite(value) and math.isfinite(expected)):
        return False
    return _rounded(value, decimals) == _rounded(expected, decimals)


_DIGITS = Context(prec=350)
"""Room for every float with nine decimals; the usual 28 digits are too few for 1e30."""


def _rounded(value: float, decimals: int) -> Decimal:
    # Twelve significant places first: 0.1 + 0.2 is 0.3 to any reader of a table.
    near = Decimal(f"{value:.12g}")
    return near.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP, context=_DIGITS)


def _named_cells(tree: ast.AST, cells: Mapping[str, Cell]) -> list[Cell]:
    found: list[Cell] = []
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ("cell", "cells")
        ):
            found += _cells_of(node, cells)
    return found


def _cells_of(node: ast.Call, cells: Mapping[str, Cell]) -> list[Cell]:
    match node.args:
        case [ast.Constant(value=str(name))] if not node.keywords:
            pass
        case _:
            raise ExpressionError('cell and cells take one name in quotes, as in cell("dt.t2.hopper")')
    assert isinstance(node.func, ast.Name)
    if node.func.id == "cell":
        if name not in cells:
            raise ExpressionError(f"no figure named {name[:80]!r}")
        return [cells[name]]
    found = [cells[id_] for id_ in _matching(name, cells)]
    if not found:
        raise ExpressionError(f"no figure matches {name[:80]!r}")
    return found


class Cells(dict[str, Cell]):
    """Cells by id that also know their ids in order, so that a pattern looks at those alone that start like it."""

    @functools.cached_property
    def ordered(self) -> list[str]:
        """Every id, sorted; the cells must not change after the first look."""
        return sorted(self)


def _start(pattern: str) -> str:
    return re.split(r"[*?\[]", pattern, maxsplit=1)[0]


def _matching(pattern: str, cells: Mapping[str, Cell]) -> Iterator[str]:
    """The ids that match a pattern with *, ? and [...], in order."""
    start = _start(pattern)
    ordered = cells.ordered if isinstance(cells, Cells) else sorted(cells)
    for index in range(bisect.bisect_left(ordered, start), len(ordered)):
        id_ = ordered[index]
        if not id_.startswith(start):
            return
        if fnmatch.fnmatchcase(id_, pattern):
            yield id_


_ARITHMETIC: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_REDUCTIONS: dict[str, Callable[[list[float]], float]] = {
    "mean": lambda xs: math.fsum(xs) / len(xs),
    "sum": math.fsum,
    "min": min,
    "max": max,
}


class _Evaluator:
    """Walks a syntax tree; every node that it does not know is refused."""

    def __init__(self, cells: Mapping[str, Cell]) -> None:
        self._cells = cells

    def value(self, node: ast.expr, depth: int) -> Value:
        if depth > MAX_DEPTH:
            raise ExpressionError("is nested too deeply")
        match node:
            case ast.Constant(value=bool() as truth):
                return truth
            case ast.Constant(value=int() | float() as number):
                return Quantity(float(number))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                inner = self._single(operand, depth)
                return Quantity(-inner.value, inner.dimension)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
                return self._arithmetic(op, self._single(left, depth), self._single(right, depth))
            case ast.Compare(left=left, ops=ops, comparators=others) if all(
                type(o) in _COMPARISONS for o in ops
            ):
                return self._compare([left, *others], ops, depth)
            case ast.BoolOp(op=op, values=values):
                results = [self.value(value, depth + 1) for value in values]
                if not all(isinstance(result, bool) for result in results):
                    raise ExpressionError("and/or join comparisons only")
                return all(results) if isinstance(op, ast.And) else any(results)
            case ast.Call(func=ast.Name(id=name)):
                return self._call(name, node, depth)
            case _:
                raise ExpressionError(f"may not hold {type(node).__name__}")

    def _single(self, node: ast.expr, depth: int) -> Quantity:
        result = self.value(node, depth + 1)
        if not isinstance(result, Quantity):
            raise ExpressionError("needs one number here: use mean, sum, min or max over cells")
        return result

    def _arithmetic(self, op: ast.operator, left: Quantity, right: Quantity) -> Quantity:
        value = _ARITHMETIC[type(op)](left.value, right.value)
        if isinstance(value, complex):  # a root of a negative number
            raise ExpressionError("gives no finite number")
        match op:
            case ast.Add() | ast.Sub():
                return Quantity(value, self._same(left, right))
            case ast.Mult():
                if left.dimension and right.dimension:
                    raise ExpressionError(f"multiplies {left.dimension} by {right.dimension}")
                return Quantity(value, left.dimension or right.dimension)
            case ast.Div():
                if left.dimension and right.dimension:
                    self._same(left, right)
                    return Quantity(value)
                if right.dimension:
                    raise ExpressionError(f"divides a plain number by {right.dimension}")
                return Quantity(value, left.dimension)
            case _:
                if left.dimension or right.dimension:
                    raise ExpressionError("raises a figure with a unit to a power")
                return Quantity(value)

    def _same(self, left: Quantity, right: Quantity) -> Dimension | None:
        """A plain number takes the other's dimension; two figures must agree."""
        one, other = left.dimension, right.dimension
        if one is None or other is None:
            return one or other
        versions_differ = one.version and other.version and one.version != other.version
        if (one.unit, one.scale) != (other.unit, other.scale) or versions_differ:
            raise ExpressionError(f"mixes {one} with {other}")
        return one if one.version else other

    def _compare(self, nodes: list[ast.expr], ops: list[ast.cmpop], depth: int) -> bool:
        values = [self._single(node, depth) for node in nodes]
        for left, right in itertools.pairwise(values):
            self._same(left, right)
        return all(
            _COMPARISONS[type(op)](left.value, right.value)
            for op, left, right in zip(ops, values, values[1:], strict=False)
        )

    def _call(self, name: str, node: ast.Call, depth: int) -> Value:
        if node.keywords:
            raise ExpressionError(f"{name} takes no named arguments")
        if name in ("cell", "cells"):
            found = [_quantity(cell) for cell in _cells_of(node, self._cells)]
            return found[0] if name == "cell" else found
        if name not in (*_REDUCTIONS, "count", "abs", "round"):
            raise ExpressionError(f"knows no function {name[:40]!r}")
        many: list[Quantity] = []
        for argument in node.args:
            result = self.value(argument, depth + 1)
            if isinstance(result, bool):
                raise ExpressionError(f"{name} takes numbers")
            many += result if isinstance(result, list) else [result]
        if not many:
            raise ExpressionError(f"{name} of nothing")
        if name == "count":
            return Quantity(float(len(many)))
        if name in ("abs", "round"):
            return self._abs_or_round(name, many)
        dimension = functools.reduce(
            lambda so_far, q: self._same(Quantity(0, so_far), q), many[1:], many[0].dimension
        )
        if not all(math.isfinite(q.value) for q in many):
            raise ExpressionError("gives no finite number")
        return Quantity(_REDUCTIONS[name]([q.value for q in many]), dimension)

    def _abs_or_round(self, name: str, many: list[Quantity]) -> Quantity:
        if name == "abs" and len(many) == 1:
            return Quantity(abs(many[0].value), many[0].dimension)
        if name == "round" and len(many) <= 2 and 0 <= (many[1].value if len(many) == 2 else 0) <= 9:
            if not math.isfinite(many[0].value):
                raise ExpressionError("gives no finite number")
            rounded = _rounded(many[0].value, int(many[1].value) if len(many) == 2 else 0)
            return Quantity(float(rounded), many[0].dimension)
        raise ExpressionError(
            f"{name} takes one number" + (" and up to 9 decimals" if name == "round" else "")
        )


def _quantity(cell: Cell) -> Quantity:
    assert cell.value is not None, "missing cells are reported before evaluation"
    return Quantity(cell.value, None if cell.plain else Dimension(cell.unit, cell.scale, cell.version))
