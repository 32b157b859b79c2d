"""Options that several commands share, so that they are called the same everywhere."""

from __future__ import annotations

from typing import Annotated

import typer

from kb.cli import completion

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
ClaimId = Annotated[str, typer.Argument(metavar="ID", autocompletion=completion.claims, help="A claim's id.")]
SourceKey = Annotated[
    str, typer.Argument(metavar="SOURCE", autocompletion=completion.sources, help="A source's key.")
]
Limit = Annotated[int | None, typer.Option("--limit", "-n", min=1, max=10**9, metavar="N", help="At most N.")]
Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="The reason, kept in the history.")]
