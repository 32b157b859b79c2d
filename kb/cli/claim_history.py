"""The rest of what `kb claim` writes: relations, removal, renaming, undo; and the history."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from kb import words
from kb.cli import completion, state
from kb.cli.claim_write import _changed, _done, change
from kb.cli.options import ClaimId, Json, Limit, Why
from kb.cli.output import emit, say, words_of
from kb.errors import KbError

Relation = Annotated[str, typer.Argument(metavar="TYPE", help=f"One of {', '.join(words.RELATIONS)}.")]
Other = Annotated[str, typer.Argument(metavar="OTHER", autocompletion=completion.claims, help="Its id.")]


def relate(
    claim_id: ClaimId,
    relation: Relation,
    other: Other,
    note: Annotated[str | None, typer.Option("--note", metavar="TEXT", help="What to know about it.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take the relation away.")] = False,
    why: Why = "",
    as_json: Json = False,
) -> None:
    """Say how a claim stands to another: `kb claim relate a rebuts b`."""
    (kind,) = words_of([relation], words.RELATIONS, "relation") or ("",)
    target = other if remove else _resolved(other)

    def changed(before: dict[str, Any]) -> dict[str, Any]:
        kept = [r for r in before.get("relations", []) if (r["type"], r["claim"]) != (kind, target)]
        if remove:
            if len(kept) == len(before.get("relations", [])):
                raise KbError(f"{before['id']} has no relation {kind} {other}", code=1)
            return {**before, "relations": kept}
        new = {"type": kind, "claim": target, **({"note": note} if note else {})}
        return {**before, "relations": [*kept, new]}

    name, outcome = change(claim_id, changed, why)
    _changed(
        name, outcome, as_json, f"{name} no longer {kind} {other}" if remove else f"{name} {kind} {other}"
    )


def _resolved(claim_id: str) -> str:
    from kb.store import queries

    with state.reading() as connection:
        name: str = queries.resolve(connection, "claim", claim_id)
    return name


def remove(claim_id: ClaimId, why: Why = "", as_json: Json = False) -> None:
    """Remove a claim. Refused while other claims or talks point at it."""
    from kb.store import connect, edit, queries

    with connect.for_writing(state.places()) as session:
        name = queries.resolve(connect.raw(session), "claim", claim_id)
        edit.remove(session, "claim", name, why=why)
    _done(as_json, f"removed {name}", action="removed", claims=[name])


def rename(
    old: ClaimId,
    new: Annotated[str, typer.Argument(metavar="NEW", help="The new id.")],
    why: Why = "",
    as_json: Json = False,
) -> None:
    """Give a claim another id. The old one still finds it; whatever points at it follows."""
    from kb.store import connect, edit, queries

    with connect.for_writing(state.places()) as session:
        name = queries.resolve(connect.raw(session), "claim", old)
        edit.rename(session, "claim", name, new, why=why)
    _done(as_json, f"{name} is now {new}", action="renamed", claims=[new])


def undo(why: Why = "", as_json: Json = False) -> None:
    """Take the last change back. The history keeps both the change and its undoing."""
    from kb.library import agreement
    from kb.store import connect, edit

    with connect.for_writing(state.places()) as session:
        taken = edit.undo(session, why=why)
    reason = f" ({taken['why']})" if taken.get("why") else ""
    say(f"taken back: {taken['action']} {taken['kind']} {taken['name']} of {taken['at']}{reason}")
    if str(taken.get("why")).startswith(agreement.MERGED):
        say("that was brought by a sync: your next `kb library export` takes it back for everybody")
    if as_json:
        emit(taken, True)


def history(
    claim_id: Annotated[
        str | None,
        typer.Argument(metavar="[ID]", autocompletion=completion.claims, help="Of one claim only."),
    ] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """What changed, when, by whom and why, the newest first."""
    from kb.cli import history_page
    from kb.store import queries

    with state.reading() as connection:
        name = None
        if claim_id:
            known = any(c["name"] == claim_id for c in queries.history(connection, claim_id, 1))
            name = claim_id if known else queries.resolve(connection, "claim", claim_id)
        changes = queries.history(connection, name, limit)
    emit(changes, as_json, rows=lambda: history_page.table(changes))
