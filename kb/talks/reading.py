"""What a talk reads from a store, in one place: plain dicts from `kb.store.queries`, each asked for once."""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from kb import files
from kb.checks.figures import Computed
from kb.errors import KbError, NotFound

if TYPE_CHECKING:
    from kb.checks.prediction import Item

Row = dict[str, Any]
MOST_BYTES = 5_000_000
"""A picture larger than this is left out of slides."""


class Reading(Protocol):
    """What building a talk needs to know. `StoreReading` is the real one; tests bring their own."""

    def talk(self, name: str) -> Row:
        """The talk's record, with every claim and source under today's name; NotFound with the nearest names."""

    def matching(self, kind: Sequence[str], tag: Sequence[str], status: Sequence[str]) -> list[Row]:
        """Claims of any of these kinds and statuses with any of these tags, as lists show them."""

    def claim(self, name: str) -> Row | None:
        """One claim with all that hangs on it, found by id or by a former id; None where there is none."""

    def source(self, key: str) -> Row | None:
        """A source for reading: title, authors, year, doi, eprint, url."""

    def run(self, name: str) -> Row | None:
        """A run with its metrics, departures and artifacts."""

    def computed(self, claim: str) -> list[Computed]:
        """The claim's computations over published figures, evaluated now."""

    def figures(self, claim: str) -> list[Row]:
        """The published figures that those computations read, in their order."""

    def prediction(self, claim: str) -> tuple[Item, Item] | None:
        """A prediction as it stands on the network that it is about, and on stand-ins of our own."""

    def artifact(self, run: Row, artifact: Row) -> str | None:
        """Where a file that a run left is on this machine; None where it is not, or is not what was recorded."""


class StoreReading:
    """A `Reading` of an open store. `roots` are the folders that recorded runs' folders are relative to."""

    def __init__(self, connection: sqlite3.Connection, roots: Sequence[Path] = ()) -> None:
        self._connection = connection
        self._roots = tuple(roots)

    def talk(self, name: str) -> Row:
        """See `Reading`."""
        from kb.library.references import renamed
        from kb.store import queries

        found = queries.record(self._connection, "talk", queries.resolve(self._connection, "talk", name))
        if found is None:
            raise NotFound("talk", name)
        former = self._connection.execute("SELECT kind, alias, name FROM alias").fetchall()
        return renamed("talk", found, {(kind, alias): now for kind, alias, now in former})

    def matching(self, kind: Sequence[str], tag: Sequence[str], status: Sequence[str]) -> list[Row]:
        """See `Reading`."""
        from kb.store import queries

        return queries.list_claims(self._connection, kind=tuple(kind), tag=tuple(tag), status=tuple(status))

    def claim(self, name: str) -> Row | None:
        """See `Reading`."""
        from kb.store import queries

        try:
            return queries.show_claim(self._connection, queries.resolve(self._connection, "claim", name))
        except NotFound:
            return None

    def source(self, key: str) -> Row | None:
        """See `Reading`."""
        from kb.store import queries

        try:
            return queries.show_source(self._connection, key)
        except NotFound:
            return None

    def run(self, name: str) -> Row | None:
        """See `Reading`."""
        from kb.store import queries

        try:
            return queries.show_run(self._connection, name)
        except NotFound:
            return None

    def computed(self, claim: str) -> list[Computed]:
        """See `Reading`."""
        from kb.checks.figures import computations_of

        return computations_of(self._connection, claim, self._cells)

    def figures(self, claim: str) -> list[Row]:
        """See `Reading`."""
        from kb.store import queries

        names = dict.fromkeys(name for done in self.computed(claim) for name in done.cells)
        found = [queries.record(self._connection, "figure", name) for name in names]
        return [figure for figure in found if figure is not None]

    def prediction(self, claim: str) -> tuple[Item, Item] | None:
        """See `Reading`."""
        return self._predictions.get(claim)

    @functools.cached_property
    def _predictions(self) -> dict[str, tuple[Item, Item]]:
        from kb.checks.prediction import items

        pairs = zip(items(self._connection), items(self._connection, analogue=True), strict=True)
        return {real.id: (real, analogue) for real, analogue in pairs}

    def artifact(self, run: Row, artifact: Row) -> str | None:
        """See `Reading`."""
        for root in (*self._roots, Path()):
            folder = root / str(run.get("folder") or "")
            path = (folder / str(artifact["path"])).resolve()
            if not folder.is_absolute() or not path.is_relative_to(folder.resolve()):
                continue
            try:
                data = files.read_bytes(path, MOST_BYTES)
            except (OSError, KbError):
                continue
            if data and (not artifact["sha256"] or sha256(data).hexdigest() == artifact["sha256"]):
                return str(path)
        return None

    @functools.cached_property
    def _cells(self) -> dict[str, Any]:
        from kb.checks.figures import load_cells

        return load_cells(self._connection)
