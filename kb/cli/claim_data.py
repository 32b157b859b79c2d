"""A claim with its computations evaluated: what `kb claim show --json` prints."""

from __future__ import annotations

import sqlite3
from typing import Any


def load(connection: sqlite3.Connection, claim_id: str) -> dict[str, Any]:
    """All that the store knows of a claim, its computations over published figures done now.

    Raises:
        NotFound: with the nearest ids.
    """
    from kb.store import queries

    claim = queries.show_claim(connection, claim_id)
    if claim["computations"]:
        from kb.checks.figures import computations_of, load_cells_of

        cells = load_cells_of(connection, [c["expression"] for c in claim["computations"]])
        computed = {c.name: c for c in computations_of(connection, claim["id"], cells)}
        for computation in claim["computations"]:
            done = computed[computation["name"]]
            computation.update(value=done.value, outcome=done.outcome, detail=done.detail, cells=done.cells)
    return claim
