"""Small things that every query uses."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

Row = dict[str, Any]


def column(connection: sqlite3.Connection, sql: str, *values: Any) -> list[Any]:
    """The first column of a query's answer."""
    return [row[0] for row in connection.execute(sql, values)]


def marks(values: Sequence[Any]) -> str:
    """As many question marks as there are values."""
    return ", ".join("?" * len(values))


def filled(row: Row) -> Row:
    """The row without its empty columns."""
    return {name: value for name, value in row.items() if value is not None}


def truths(row: sqlite3.Row, *columns: str) -> Row:
    """The row with 0 and 1 of the columns named as False and True."""
    return {name: bool(value) if name in columns else value for name, value in dict(row).items()}
