"""Two entries that are one source: what rests on one comes to rest on the other, and the one goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kb import records
from kb.errors import KbError
from kb.library import references

if TYPE_CHECKING:
    from sqlmodel import Session


def join(session: Session, old: str, new: str, *, why: str = "") -> list[str]:
    """Let everything that names the source `old` name `new`, then remove `old`.

    Each record that changes is a change of its own in the history, so that `undo` goes back step by step. The old
    key is no former key of `new` afterwards: it stands in the texts of others still, as a source of its own.

    Returns: what was changed, as in "claim a-claim".

    Raises:
        NotFound: when one of them is not there.
        KbError: when both are the same.
    """
    from kb.store import edit, queries
    from kb.store.connect import raw

    connection = raw(session)
    old, new = (queries.resolve(connection, "source", key) for key in (old, new))
    if old == new:
        raise KbError(f"{old} and {new} are one source", "name two", code=1)
    why = why or f"{old} is {new}"
    names = {("source", old): new}
    changed = [
        (kind, name, now)
        for kind in ("claim", "figure", "talk")
        for name, _, _, data in queries.records(connection, kind)
        if (now := references.renamed(kind, data, names)) != data
    ]
    for kind, _, now in changed:
        edit.put(session, records.parse(kind, now), why=why)
    edit.remove(session, "source", old, why=why)
    return [f"{kind} {name}" for kind, name, _ in changed]
