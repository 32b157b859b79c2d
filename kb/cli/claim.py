"""`kb claim`: find, read, trace, write and undo claims.

What reads is here and light, and what most calls ask is done in `claim_read`, without Typer where `quick` can; what
writes is in `claim_write`, imported when it is called.
"""

from __future__ import annotations

from typing import Annotated

import typer

from kb import words
from kb.cli import claim_read, completion, state
from kb.cli.options import ClaimId, Json, Limit
from kb.cli.output import emit

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
    claim_read.list_(
        kind=kind,
        status=status,
        verdict=verdict,
        tag=tag,
        by=by,
        source=source,
        reproducible=reproducible,
        limit=limit,
        as_json=as_json,
    )


@app.command()
def show(
    claim_id: ClaimId,
    form: Annotated[str, typer.Option("--format", "-f", help="text, markdown (to paste) or json.")] = "text",
    as_json: Json = False,
) -> None:
    """Show a claim with all that hangs on it."""
    claim_read.show(claim_id, form, as_json)


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
    code = claim_read.search(terms, limit, as_json)
    if code:
        raise typer.Exit(code)
