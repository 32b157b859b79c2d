"""`kb claim`: find, read, trace, write and undo claims.

What reads is here and light; what writes is in `claim_write`, imported when it is called.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from kb import words
from kb.cli import completion, state
from kb.cli.options import ClaimId, Json, Limit
from kb.cli.output import emit, words_of
from kb.errors import KbError

app = typer.Typer(help="Find, read, trace, write and undo claims.", no_args_is_help=True)

LATER = {
    "add": "kb.cli.claim_write:add",
    "edit": "kb.cli.claim_write:edit_",
    "cite": "kb.cli.claim_write:cite",
    "relate": "kb.cli.claim_history:relate",
    "remove": "kb.cli.claim_history:remove",
    "rename": "kb.cli.claim_history:rename",
    "undo": "kb.cli.claim_history:undo",
    "history": "kb.cli.claim_history:history",
}
"""The commands that write, and the history: their modules are imported when they are called."""
FORMATS = ("text", "markdown", "json")


def _one_of(known: tuple[str, ...], value: str | None, what: str) -> str | None:
    return words_of([value], known, what)[0] if value else None


@app.command("list")
def list_(
    kind: Annotated[
        list[str] | None,
        typer.Option("--kind", metavar="KIND", help=f"One of {', '.join(words.CLAIM_KINDS)}."),
    ] = None,
    status: Annotated[
        list[str] | None,
        typer.Option("--status", metavar="WORD", help=f"One of {', '.join(words.STATUSES)}."),
    ] = None,
    verdict: Annotated[
        list[str] | None,
        typer.Option("--verdict", metavar="WORD", help=f"One of {', '.join(words.VERDICTS)}."),
    ] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", metavar="TAG", help="With this tag.")] = None,
    by: Annotated[
        str | None, typer.Option("--by", metavar="NAME", help="Asserted by somebody whose name holds this.")
    ] = None,
    source: Annotated[
        str | None, typer.Option(metavar="KEY", autocompletion=completion.sources, help="Citing this source.")
    ] = None,
    reproducible: Annotated[bool, typer.Option("--reproducible", help="Only those we can test.")] = False,
    limit: Limit = None,
    as_json: Json = False,
) -> None:
    """List claims, all or those that fit every option.

    --kind, --status, --verdict and --tag may be repeated or hold commas: any of the words will do.
    """
    from kb.store import queries

    kinds = words_of(kind, words.CLAIM_KINDS, "kind of claim")
    statuses = words_of(status, words.STATUSES, "status")
    verdicts = words_of(verdict, words.VERDICTS, "verdict")
    with state.reading() as connection:
        tags = words_of(tag, (), "tag")
        key = queries.resolve(connection, "source", source) if source else None
        found = queries.list_claims(
            connection,
            kind=kinds,
            status=statuses,
            verdict=verdicts,
            tag=tags,
            by=by,
            source=key,
            reproducible=reproducible,
            limit=limit,
        )
    _emit_list(found, as_json, "no claim is like that; `kb claim list` without options lists all")


def _emit_list(found: list[dict[str, object]], as_json: bool, empty: str) -> None:
    from kb.cli.claim_page import table

    emit(found, as_json, rows=lambda: table(found, empty))


@app.command()
def show(
    claim_id: ClaimId,
    form: Annotated[str, typer.Option("--format", "-f", help="text, markdown (to paste) or json.")] = "text",
    as_json: Json = False,
) -> None:
    """Show a claim with all that hangs on it."""
    from kb.cli import claim_data, claim_page

    form = _one_of(FORMATS, form, "format") or "text"
    with state.reading() as connection:
        claim = claim_data.load(connection, claim_id)
    if form == "markdown" and not as_json:
        from kb.cli.claim_markdown import markdown

        emit(claim, text=markdown(claim))
    else:
        emit(claim, as_json or form == "json", page=lambda: claim_page.page(claim))


@app.command()
def trace(claim_id: ClaimId, as_json: Json = False) -> None:
    """Follow a claim from citation to slide, link by link, and name what is missing."""
    from kb.cli import claim_trace

    with state.reading() as connection:
        chain = claim_trace.chain(connection, claim_id)
    emit(chain, as_json, page=lambda: claim_trace.page(chain))


@app.command()
def search(
    terms: Annotated[
        list[str], typer.Argument(metavar="WORDS...", help="Words, a sentence, or - for stdin.")
    ],
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """Search statements, quotes, sources and tags, best first.

    A pasted sentence finds its claim. Exit code 1 when nothing is found.
    """
    from kb.store.search import search_claims

    wanted = sys.stdin.read(100_000) if terms == ["-"] else " ".join(terms)
    if not wanted.strip():
        raise KbError("nothing to search for", "give words or a sentence")
    with state.reading() as connection:
        found = search_claims(connection, wanted, limit=limit or 20)
    _emit_list(found, as_json, "nothing found; fewer or other words may find it")
    if not found:
        raise typer.Exit(1)
