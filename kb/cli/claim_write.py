"""What `kb claim` writes: add, edit, cite, relate, remove, rename, undo; and the history of it all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from kb.cli import completion, state
from kb.cli.claim_options import (
    Answer,
    By,
    Caveat,
    Date,
    Forecaster,
    From,
    Headline,
    Indirect,
    Kind,
    Locator,
    Note,
    Number,
    Probability,
    Quote,
    Resolution,
    Role,
    Seen,
    SeenAt,
    Stance,
    Statement,
    Status,
)
from kb.cli.options import ClaimId, Json, SourceKey, Why
from kb.cli.output import emit, say, words_of
from kb.errors import KbError, NotFound, shown

UNDO = "`kb claim undo` takes it back"


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in (None, [], ())}


def _done(as_json: bool, what: str, **data: Any) -> None:
    say(f"{what}; {UNDO}")
    if as_json:
        emit(data, True)


def add(
    claim_id: Annotated[str | None, typer.Option("--id", metavar="ID", help="Lower case, hyphens.")] = None,
    kind: Kind = None,
    statement: Statement = None,
    by: By = None,
    date: Date = None,
    status: Status = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", metavar="TAG", help="May be repeated.")] = None,
    headline: Headline = None,
    number: Number = None,
    caveat: Caveat = None,
    answer: Answer = None,
    note: Note = None,
    probability: Probability = None,
    forecaster: Forecaster = None,
    resolution: Resolution = None,
    source: Annotated[
        str | None,
        typer.Option("--source", metavar="KEY", autocompletion=completion.sources, help="What it cites."),
    ] = None,
    stance: Stance = None,
    locator: Locator = None,
    quote: Quote = None,
    seen: Seen = None,
    seen_at: SeenAt = None,
    role: Role = None,
    indirect: Indirect = False,
    from_file: From = None,
    why: Why = "",
    as_json: Json = False,
) -> None:
    """Add a claim: by options, --from a file or stdin, or in your editor."""
    citation = _given(
        source=source, stance=stance, locator=locator, quote=quote, seen=seen, seen_at=seen_at, role=role
    ) | ({"directness": "indirect"} if indirect else {})
    prediction = _given(probability=probability, forecaster=forecaster, resolution=resolution)
    record = _given(
        id=claim_id, kind=kind, statement=statement, asserted_by=by, date=date, status=status, tags=tag,
        headline=headline, number=number, caveat=caveat, answer=answer, note=note,
        citations=[{"stance": "asserts", **citation}] if citation else None, prediction=prediction or None,
    )  # fmt: skip
    if from_file is not None:
        if record:
            raise KbError("--from takes whole records", "leave the other options out, or edit afterwards")
        added = _add_from(from_file, why)
    elif record:
        if prediction and "forecaster" not in prediction and by:
            record["prediction"]["forecaster"] = by
        added = [_add_one({"status": "open", **record}, why)]
    else:
        from kb.cli import claim_form, form

        added = [
            form.fill_in(
                claim_form.blank(),
                name="claim-new",
                folder=state.forms(),
                accept=lambda data: _add_one(data, why),
                resume="kb claim add --from FILE",
            )
        ]
    _done(as_json, f"added {_names(added)}", action="added", claims=added)


def _names(names: list[str]) -> str:
    return " ".join(names) if len(names) <= 3 else f"{len(names)} claims, {names[0]} to {names[-1]}"


def _add_one(data: dict[str, Any], why: str) -> str:
    return _add_all([data], why)[0]


def _add_from(source: str, why: str) -> list[str]:
    from kb.cli import reading_records

    text, where = reading_records.given(source)
    entries = reading_records.many(text, where=where)

    def told(error: KbError, index: int) -> KbError:
        return KbError(
            f"{where}:{entries[index].line_of(error)}: {error.message}", error.hint, code=error.code
        )

    return _add_all([entry.data for entry in entries], why, told)


def _add_all(
    found: list[dict[str, Any]], why: str, told: Callable[[KbError, int], KbError] = lambda error, _: error
) -> list[str]:
    """Add claims in one transaction: all or none. `told` makes the error for the record of that index."""
    from contextlib import nullcontext

    from kb import records
    from kb.store import connect, edit, queries

    parsed = []
    for index, data in enumerate(found):
        try:
            parsed.append(records.parse("claim", data))
        except KbError as error:
            raise told(error, index) from None
    names = [records.name_of(record) for record in parsed]
    with connect.for_writing(state.places()) as session:
        known = set(queries.names(connect.raw(session), "claim"))
        for index, name in enumerate(names):
            if name in known:
                hint = f"`kb claim edit {name}` changes it"
                raise told(KbError(f"there is a claim {name} already", hint, code=1), index)
            known.add(name)
        with edit.bulk(session) if len(parsed) > 1 else nullcontext():
            for index, record in enumerate(parsed):
                try:
                    edit.put(session, record, why=why)
                except KbError as error:
                    raise told(error, index) from None
    return names


def change(
    claim_id: str,
    changed: Callable[[dict[str, Any]], dict[str, Any]],
    why: str,
    base: dict[str, Any] | None = None,
) -> tuple[str, str]:
    """Put a changed record in the place of a claim's, in one transaction.

    Args:
        claim_id: an id, or one that the claim had before.
        changed: from the record as plain data to the new one.
        why: for the history.
        base: the record that a form started from: it is an error if the store's is another by now.

    Returns:
        The claim's id, and "changed" or "same".
    """
    from kb import records
    from kb.store import connect, edit, queries

    with connect.for_writing(state.places()) as session:
        raw = connect.raw(session)
        name = queries.resolve(raw, "claim", claim_id)
        before = queries.record(raw, "claim", name)
        if before is None:
            raise NotFound("claim", claim_id)
        if base is not None and base != before:
            raise KbError(f"the claim {name} was changed meanwhile", f"see `kb claim history {name}`", code=1)
        after = records.parse("claim", changed(before))
        if records.name_of(after) != name:
            raise KbError("an id is changed by `kb claim rename OLD NEW`, so that the old one still finds it")
        return name, edit.put(session, after, why=why)


def _changed(name: str, outcome: str, as_json: bool, what: str) -> None:
    if outcome == "same":
        say(f"{name} is like that already: nothing was changed")
        if as_json:
            emit({"action": "same", "claims": [name]}, True)
    else:
        _done(as_json, what, action="changed", claims=[name])


def edit_(
    claim_id: ClaimId,
    kind: Kind = None,
    statement: Statement = None,
    by: By = None,
    date: Date = None,
    status: Status = None,
    headline: Headline = None,
    number: Number = None,
    caveat: Caveat = None,
    answer: Answer = None,
    note: Note = None,
    probability: Probability = None,
    forecaster: Forecaster = None,
    resolution: Resolution = None,
    add_tag: Annotated[
        list[str] | None, typer.Option("--add-tag", metavar="TAG", help="May be repeated.")
    ] = None,
    remove_tag: Annotated[
        list[str] | None, typer.Option("--remove-tag", metavar="TAG", help="May be repeated.")
    ] = None,
    clear: Annotated[
        list[str] | None, typer.Option("--clear", metavar="FIELD", help="Empty a field.")
    ] = None,
    from_file: From = None,
    why: Why = "",
    as_json: Json = False,
) -> None:
    """Change a claim: by options, --from a file or stdin, or in your editor."""
    fields = _given(
        kind=kind, statement=statement, asserted_by=by, date=date, status=status, headline=headline,
        number=number, caveat=caveat, answer=answer, note=note,
    )  # fmt: skip
    prediction = _given(probability=probability, forecaster=forecaster, resolution=resolution)
    adding, removing = words_of(add_tag, (), "tag"), words_of(remove_tag, (), "tag")
    if from_file is not None:
        name, outcome = _edit_from(claim_id, from_file, why)
    elif fields or prediction or adding or removing or clear:

        def changed(before: dict[str, Any]) -> dict[str, Any]:
            after = {**before, **fields}
            tags = [tag for tag in before.get("tags", []) if tag not in removing]
            absent = [tag for tag in removing if tag not in before.get("tags", [])]
            if absent:
                raise KbError(
                    f"{before['id']} has no tag {shown(absent[0])}", f"it has {', '.join(tags) or 'none'}"
                )
            after["tags"] = tags + [tag for tag in adding if tag not in tags]
            if prediction:
                after["prediction"] = {**before.get("prediction", {}), **prediction}
            for field in clear or []:
                if field not in after:
                    raise KbError(
                        f"{before['id']} has no {shown(field)} to clear", f"it has {', '.join(before)}"
                    )
                del after[field]
            return after

        name, outcome = change(claim_id, changed, why)
    else:
        name, outcome = _edit_in_editor(claim_id, why)
    _changed(name, outcome, as_json, f"changed {name}")


def _edit_in_editor(claim_id: str, why: str) -> tuple[str, str]:
    from kb.cli import claim_form, form
    from kb.store import queries

    with state.reading() as connection:
        name = queries.resolve(connection, "claim", claim_id)
        before = queries.record(connection, "claim", name) or {}
    return form.fill_in(
        claim_form.of(before),
        name=f"claim-{name}",
        folder=state.forms(),
        accept=lambda data: change(name, lambda _: data, why, base=before),
        resume=f"kb claim edit {name} --from FILE",
    )


def _edit_from(claim_id: str, source: str, why: str) -> tuple[str, str]:
    from kb.cli import reading_records

    text, where = reading_records.given(source)
    entry = reading_records.one(text, where=where)
    try:
        return change(claim_id, lambda _: entry.data, why)
    except KbError as error:
        if not getattr(error, "problems", []):
            raise
        raise KbError(
            f"{where}:{entry.line_of(error)}: {error.message}", error.hint, code=error.code
        ) from None


def cite(
    claim_id: ClaimId,
    source: SourceKey,
    stance: Stance = "supports",
    locator: Locator = None,
    quote: Quote = None,
    seen: Seen = None,
    seen_at: SeenAt = None,
    role: Role = None,
    cited_by: Annotated[
        str | None, typer.Option("--cited-by", metavar="KEY", help="It is this source that cites it so.")
    ] = None,
    indirect: Indirect = False,
    note: Note = None,
    looked_for: Annotated[
        str | None, typer.Option("--looked-for", metavar="TEXT", help="Absence: what is not there.")
    ] = None,
    section: Annotated[
        list[str] | None, typer.Option("--section", metavar="TEXT", help="Absence: what was read.")
    ] = None,
    read_by: Annotated[
        str | None, typer.Option("--read-by", metavar="NAME", help="Absence: who read it.")
    ] = None,
    read_on: Annotated[str | None, typer.Option("--read-on", metavar="DATE", help="Absence: when.")] = None,
    why: Why = "",
    as_json: Json = False,
) -> None:
    """Cite a source for or against a claim.

    With its place and words, or (--looked-for) with what was looked for there and not found.
    """
    absence = _given(looked_for=looked_for, sections=section, by=read_by, on=read_on)
    citation = _given(
        source=source, stance=stance, cited_by=cited_by, directness="indirect" if indirect else None,
        role=role, locator=locator, quote=quote, seen=seen, seen_at=seen_at, note=note,
        absence=absence or None,
    )  # fmt: skip
    name, outcome = change(
        claim_id, lambda before: {**before, "citations": [*before.get("citations", []), citation]}, why
    )
    _changed(name, outcome, as_json, f"{name} now cites {source}")
