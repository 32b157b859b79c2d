"""The figure check: a claim's computations over the published figures that the library holds."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from kb.checks.expressions import (
    Cell,
    Cells,
    ExpressionError,
    MissingCells,
    cell_ids,
    evaluate,
    name_starts,
    rounds_to,
)
from kb.checks.numerals import numerals

if TYPE_CHECKING:
    from kb.verdict import Evidence, Verdict


class Computed(NamedTuple):
    """The result of one computation.

    outcome: pass; derived (it agrees, under a stated assumption); fail; unknown (cells not read yet).
    """

    name: str
    expression: str
    value: float | bool | None
    outcome: str
    detail: str
    cells: Sequence[str] = ()
    assumes: str = ""
    """What it takes for granted; '' where it rests on cells that somebody read in the source alone."""


_CELLS = "SELECT id, value, unit, scale, protocol, seen FROM figure"


def load_cells(connection: sqlite3.Connection) -> Cells:
    """Every published figure of the store, by id."""
    return _as_cells(connection.execute(_CELLS))


def load_cells_of(connection: sqlite3.Connection, expressions: Iterable[str]) -> Cells:
    """The published figures that these expressions can read, by id: of a large library a few."""
    starts = {start for expression in expressions for start in name_starts(expression)}
    return _as_cells(
        row
        for start in starts
        if start.isascii()
        # Ids hold letters, digits, points and underscores of ASCII: none is beyond its start with \x7f behind it.
        for row in connection.execute(f"{_CELLS} WHERE id >= ? AND id < ?", (start, f"{start}\x7f"))
    )


def _as_cells(rows: Iterable[tuple[Any, ...]]) -> Cells:
    return Cells(
        {
            id_: Cell(id_, value, unit, scale, _version(protocol), seen)
            for id_, value, unit, scale, protocol, seen in rows
        }
    )


def _version(protocol: str | None) -> str:
    """The data set version that a protocol string names: 'dataset=d4rl-v2; seeds=3' -> 'd4rl-v2'."""
    for part in (protocol or "").split(";"):
        key, _, value = part.partition("=")
        if key.strip() in ("dataset", "dataset_version"):
            return value.strip()
    return ""


def compute(
    name: str,
    expression: str,
    expected: float | bool,
    decimals: int,
    unit: str | None,
    assumes: str | None,
    cells: Mapping[str, Cell],
) -> Computed:
    """Evaluate one computation and compare it with what the claim needs it to give."""
    used = cell_ids(expression, cells)
    taken = "; ".join([*([assumes] if assumes else []), *_taken_for_granted([cells[id_] for id_ in used])])
    try:
        value = evaluate(expression, cells)
    except MissingCells as missing:
        return Computed(name, expression, None, "unknown", str(missing), used)
    except ExpressionError as error:
        return Computed(name, expression, None, "fail", f"the expression {error}", used)
    if isinstance(expected, bool) or isinstance(value, bool):
        agrees = value is expected
        shown = str(value).lower()
        wanted = str(expected).lower()
    else:
        agrees = rounds_to(value, expected, decimals)
        shown = f"{value:.{max(decimals, 2) if not value.is_integer() else decimals}f}"
        wanted = f"{expected:.{decimals}f}"
    suffix = f" {unit}" if unit else ""
    if not agrees:
        told = f"gives {shown}{suffix}, not {wanted}{suffix}" + (f", assuming {taken}" if taken else "")
        return Computed(name, expression, value, "fail", told, used, taken)
    if taken:
        return Computed(name, expression, value, "derived", f"{shown}{suffix}, assumes {taken}", used, taken)
    return Computed(name, expression, value, "pass", f"gives {shown}{suffix} as stated", used)


def _taken_for_granted(used: Sequence[Cell]) -> Iterator[str]:
    """What a computation assumes by the cells that it reads: that others reported them well, and of which data."""
    reported = sum(cell.seen in ("second-hand", "comment") for cell in used)
    if reported:
        whole = "the cells are" if reported == len(used) else f"{reported} of its {len(used)} cells are"
        yield f"{whole} as another document reports them"
    measured = [cell for cell in used if not cell.plain]
    versions = sorted({cell.version for cell in measured} - {""})
    unsaid = sum(not cell.version for cell in measured)
    if versions and unsaid:
        yield f"{unsaid} cells without a data set version are of {versions[0]}, like the others"


def computations_of(
    connection: sqlite3.Connection, claim_id: str, cells: Mapping[str, Cell]
) -> list[Computed]:
    """The computations of one claim, evaluated, in their order.

    One that decides must be rounded as the claim is worded: its number has to stand in the claim's statement.
    """
    rows = connection.execute(
        "SELECT p.name, p.expression, p.expected, p.decimals, p.unit, p.assumes, p.decides, c.statement"
        " FROM computation p JOIN claim c ON c.id = p.claim_id WHERE p.claim_id = ? ORDER BY p.position",
        (claim_id,),
    )
    out = []
    for name, expression, text, decimals, unit, assumes, decides, statement in rows:
        expected = json.loads(text)
        computed = compute(name, expression, expected, decimals, unit, assumes, cells)
        if decides and not isinstance(expected, bool):
            shown = f"{abs(expected):.{decimals}f}"
            if shown not in numerals(statement):
                told = f"the claim that it decides does not say {shown}: {computed.detail}"
                computed = computed._replace(value=None, outcome="fail", detail=told)
        out.append(computed)
    return out


def deciding(connection: sqlite3.Connection) -> dict[str, list[Evidence]]:
    """What computations that decide say of their claims, for `kb.verdict.combine`.

    Agreement supports, disagreement refutes; under an assumption (one stated, or that a cell which nobody read in
    the source is as reported), or with cells unread, it is inconclusive; an expression that cannot be evaluated,
    or whose number the claim does not say, says nothing.
    """
    from kb.verdict import Evidence

    cells = load_cells(connection)
    out: dict[str, list[Evidence]] = {}
    rows = connection.execute("SELECT DISTINCT claim_id FROM computation WHERE decides ORDER BY claim_id")
    for (claim_id,) in rows.fetchall():
        names = {
            row[0]
            for row in connection.execute(
                "SELECT name FROM computation WHERE claim_id = ? AND decides", (claim_id,)
            )
        }
        for computed in computations_of(connection, claim_id, cells):
            verdict = _DECIDED.get((computed.outcome, computed.value is not None))
            if verdict == "refuted" and computed.assumes:
                verdict = "inconclusive"
            if computed.name in names and verdict is not None:
                evidence = Evidence(f"computation {computed.name}", "", verdict, computed.detail)
                out.setdefault(claim_id, []).append(evidence)
    return out


_DECIDED: dict[tuple[str, bool], Verdict] = {
    ("pass", True): "supported",
    ("fail", True): "refuted",
    ("derived", True): "inconclusive",
    ("unknown", False): "inconclusive",
}
"""(outcome, whether it gave a value) -> what it says of a claim that says no more than it shows."""
