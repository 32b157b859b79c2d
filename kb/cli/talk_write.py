"""What `kb talk` writes: new talks and changes to them, by options, from a file or in your editor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from kb.cli import completion, state
from kb.cli.options import Json, Why
from kb.cli.output import emit, say, words_of
from kb.errors import KbError, NotFound

if TYPE_CHECKING:
    import sqlite3

FORM = """\
# A talk. Save and close to go on; leave the form as it is, or empty it, to change nothing.
# Lines that begin with # are ignored; fields left empty are left out.

name: {name}
title:
minutes: 5
words_per_minute: 130
pause_seconds: 2
top:                # how many at most
opening:            # one or two spoken sentences
closing:
select:
  claims:           # by hand, in this order: `kb claim list` shows the ids
  -
  kind: []          # or by query: achievement framing empirical prediction advice question
  tag: []
  status: []        # supported disputed refuted open superseded
order: hand         # or rubric, with a rubric as docs/library-format.md shows it
pictures:           # claim: which picture of its run to show, as `*curves.png`; or published
terms: []           # words, for a slide that shows who uses which, by the passages quoted
"""

Title = Annotated[str | None, typer.Option("--title", metavar="TEXT", help="What the talk is called.")]
Minutes = Annotated[float | None, typer.Option("--minutes", "-m", metavar="N", help="How long it takes.")]
Top = Annotated[int | None, typer.Option("--top", metavar="N", help="At most the first N claims.")]
Opening = Annotated[str | None, typer.Option("--opening", metavar="TEXT", help="What is said first.")]
Closing = Annotated[str | None, typer.Option("--closing", metavar="TEXT", help="What is said last.")]
ClaimIds = Annotated[
    list[str] | None,
    typer.Option("--claim", metavar="ID", autocompletion=completion.claims, help="By hand, in this order."),
]
Kinds = Annotated[list[str] | None, typer.Option("--kind", metavar="KIND", help="By query: of this kind.")]
Tags = Annotated[list[str] | None, typer.Option("--tag", metavar="TAG", help="By query: with this tag.")]
Statuses = Annotated[
    list[str] | None, typer.Option("--status", metavar="WORD", help="By query: of this status.")
]
From = Annotated[str | None, typer.Option("--from", metavar="FILE", help="YAML or JSON; - is stdin.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Lower-case words with hyphens.")]
Known = Annotated[str, typer.Argument(metavar="NAME", autocompletion=completion.talks, help="A talk's name.")]


def new(
    name: Name,
    title: Title = None,
    claim: ClaimIds = None,
    kind: Kinds = None,
    tag: Tags = None,
    status: Statuses = None,
    minutes: Minutes = None,
    top: Top = None,
    opening: Opening = None,
    closing: Closing = None,
    from_file: From = None,
    why: Why = "",
    as_json: Json = False,
) -> None:
    """Make a talk: by options, --from a file or stdin, or in your editor."""
    fields = _fields(title, minutes, top, opening, closing)
    select = _select(claim, kind, tag, status)
    if from_file is not None:
        if fields or select:
            raise KbError("--from takes a whole record", "leave the other options out, or edit afterwards")
        _from_file(from_file, lambda data: _add(name, data, why))
    elif fields or select:
        _add(name, {"name": name, "title": name, **fields, "select": select}, why)
    else:
        _form(FORM.format(name=name), name, lambda data: _add(name, data, why), "new")
    _done(as_json, "added", name)


def edit_(
    name: Known,
    title: Title = None,
    claim: ClaimIds = None,
    kind: Kinds = None,
    tag: Tags = None,
    status: Statuses = None,
    minutes: Minutes = None,
    top: Top = None,
    opening: Opening = None,
    closing: Closing = None,
    from_file: From = None,
    why: Why = "",
    as_json: Json = False,
) -> None:
    """Change a talk: by options, --from a file or stdin, or in your editor."""
    fields = _fields(title, minutes, top, opening, closing)
    select = _select(claim, kind, tag, status)
    before = _before(name)
    name = before["name"]
    if from_file is not None:
        outcome = _from_file(from_file, lambda data: _change(before, data, why))
    elif fields or select:
        chosen = {**before["select"], **select}
        outcome = _change(before, {**before, **fields, "select": chosen}, why)
    else:
        import yaml

        text = f"# The talk {name}\n" + yaml.safe_dump(before, sort_keys=False, allow_unicode=True, width=96)
        outcome = _form(text, name, lambda data: _change(before, data, why), "edit")
    if outcome == "same":
        say(f"{name} is like that already: nothing was changed")
        if as_json:
            emit({"action": "same", "talk": name}, True)
    else:
        _done(as_json, "changed", name)


def _fields(
    title: str | None, minutes: float | None, top: int | None, opening: str | None, closing: str | None
) -> dict[str, Any]:
    given = {"title": title, "minutes": minutes, "top": top, "opening": opening, "closing": closing}
    return {name: value for name, value in given.items() if value is not None}


def _select(
    claim: list[str] | None, kind: list[str] | None, tag: list[str] | None, status: list[str] | None
) -> dict[str, list[str]]:
    given = {"claims": claim, "kind": kind, "tag": tag, "status": status}
    return {name: list(words_of(values, (), name)) for name, values in given.items() if values}


def _before(name: str) -> dict[str, Any]:
    from kb.store import queries

    with state.reading() as connection:
        found = queries.record(connection, "talk", queries.resolve(connection, "talk", name))
    if found is None:
        raise NotFound("talk", name)
    return found


def _add(name: str, data: dict[str, Any], why: str) -> str:
    from kb import records
    from kb.store import connect, edit, queries

    record = records.parse("talk", {**data, "name": data.get("name", name)})
    if records.name_of(record) != name:
        raise KbError(f"the record is of the talk {records.name_of(record)}, not of {name}")
    with connect.for_writing(state.places()) as session:
        raw = connect.raw(session)
        if name in queries.names(raw, "talk"):
            raise KbError(f"there is a talk {name} already", f"`kb talk edit {name}` changes it", code=1)
        _claims_are_there(raw, data)
        return edit.put(session, record, why=why)


def _change(before: dict[str, Any], data: dict[str, Any], why: str) -> str:
    from kb import records
    from kb.store import connect, edit, queries

    record = records.parse("talk", data)
    name = before["name"]
    if records.name_of(record) != name:
        raise KbError(f"the name {name} stays", f"`kb talk new {records.name_of(record)}` makes another talk")
    with connect.for_writing(state.places()) as session:
        raw = connect.raw(session)
        if queries.record(raw, "talk", name) != before:
            raise KbError(f"the talk {name} was changed meanwhile", "look at it and try again", code=1)
        _claims_are_there(raw, data)
        return edit.put(session, record, why=why)


def _claims_are_there(connection: sqlite3.Connection, data: dict[str, Any]) -> None:
    from kb.store import queries

    for claim in data["select"].get("claims", []):
        queries.resolve(connection, "claim", claim)


def _from_file(source: str, accept: Any) -> str:
    from kb.cli import reading_records

    text, where = reading_records.given(source)
    entry = reading_records.one(text, where=where)
    try:
        return str(accept(entry.data))
    except KbError as error:
        if not getattr(error, "problems", []):
            raise
        told = f"{where}:{entry.line_of(error)}: {error.message}"
        raise KbError(told, error.hint, code=error.code) from None


def _form(text: str, name: str, accept: Any, action: str) -> str:
    from kb.cli import form

    return str(
        form.fill_in(
            text,
            name=f"talk-{name}",
            folder=state.forms(),
            accept=accept,
            resume=f"kb talk {action} {name} --from FILE",
        )
    )


def _done(as_json: bool, what: str, name: str) -> None:
    say(f"{what} {name}; `kb talk-outline {name}` writes it")
    if as_json:
        emit({"action": what, "talk": name}, True)
