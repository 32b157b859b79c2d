"""What checks found, into the store: results, and the verdicts that follow from all that is our own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kb.checks.run import Result
from kb.reproduce.verdicts import refresh
from kb.store.connect import raw
from kb.store.edit import now

if TYPE_CHECKING:
    from sqlmodel import Session


def keep(session: Session, checked: Sequence[tuple[str, list[Result]]]) -> list[tuple[str, str, str]]:
    """Put results in place of the last ones of the same claims, and refresh their verdicts.

    Returns: (claim, verdict before, verdict now) of each that changed.
    """
    connection = raw(session)
    at = now()
    for claim_id, results in checked:
        connection.execute("DELETE FROM check_result WHERE claim_id = ?", (claim_id,))
        connection.executemany(
            "INSERT OR REPLACE INTO check_result(claim_id, name, subject, outcome, detail, at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [(claim_id, r.check, r.subject, r.outcome, r.detail, at) for r in results],
        )
    return refresh(session, [claim_id for claim_id, _ in checked], now=at)
