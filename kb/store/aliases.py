"""Former names: each finds one record, and none is the name of another."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from kb import records
from kb.errors import KbError
from kb.store import names

Clash = tuple[str, str, str]
"""A kind, a former name, and the record that has it though another one is called so."""


def check(
    connection: sqlite3.Connection, kind: str, name: str, aliases: Sequence[str], *, in_bulk: bool
) -> None:
    """Whether a record may have these former names.

    Args:
        in_bulk: a record that is called so may go before the end: `clashes` is asked there.

    Raises:
        KbError: when one finds another record, naming both.
    """
    for alias in aliases:
        called_so = f"SELECT 1 FROM {kind} WHERE {records.KEYS[kind]} = ?"
        if not in_bulk and connection.execute(called_so, (alias,)).fetchone():
            raise _clash(kind, alias, name)
        other = names.former(connection, kind, alias)
        if other not in (None, name):
            raise KbError(
                f"{alias} is a former name of {kind} {other} already; {name} cannot have it, too",
                "leave it out of one of them",
                code=1,
            )


def clashes(connection: sqlite3.Connection) -> set[Clash]:
    """Former names that are names of other records."""
    found = set()
    for kind in ("claim", "source"):
        rows = connection.execute(
            f"SELECT alias, name FROM alias WHERE kind = ? AND alias IN (SELECT {records.KEYS[kind]} FROM {kind})",
            (kind,),
        )
        found |= {(kind, alias, name) for alias, name in rows}
    return found


def check_no_more(before: set[Clash], after: set[Clash]) -> None:
    """Whether all that is `after` was there `before`.

    Raises:
        KbError: naming the former name and both records.
    """
    for clash in sorted(after - before)[:1]:
        raise _clash(*clash)


def _clash(kind: str, alias: str, name: str) -> KbError:
    return KbError(
        f"{alias} is a {kind} of its own; it cannot be a former name of {name}",
        f"leave it out of {name}, or give {alias} another name first",
        code=1,
    )
