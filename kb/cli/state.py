"""What one call of `kb` works on: which places, and the store open for reading."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kb.cli.output import say

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from kb.store.places import Places

_chosen: str | None = None
_told: set[str] = set()


def choose_store(path: str | None) -> None:
    """Remember the global option `--db` for this call."""
    global _chosen
    _chosen = path
    _told.clear()


def places() -> Places:
    """Workspace, library and stores of this call, after `--db`, then KB_DB, then the current folder."""
    from kb.store.places import find

    return find(_chosen or os.environ.get("KB_DB") or None)


@contextmanager
def reading() -> Iterator[sqlite3.Connection]:
    """The store, open for reading and closed at the end.

    Says in one line on stderr, once in a call, when the library's text moved on since the store was made.
    """
    from kb.library.freshness import moved_on
    from kb.store.connect import for_reading

    here = places()
    connection = for_reading(here)
    try:
        behind = moved_on(here, connection)
        if behind and behind not in _told:
            _told.add(behind)
            say(behind)
        yield connection
    finally:
        connection.close()


def forms() -> Path:
    """The folder in which forms are kept while they are filled in."""
    return places().working.parent / "forms"
