"""`kb cite fetch`: keep the text of a source, so that quotes can be looked for in it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kb.cli import state
from kb.cli.options import Json, SourceKey
from kb.cli.output import emit, say


def fetch(
    key: SourceKey,
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="A PDF, HTML, LaTeX or text file that you have.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Keep the text of a source: from a file that you give, else from arXiv or its own address.

    `kb check` then looks for its quotes there. The text stays in your own store and is never shared.
    """
    from kb.sources import http, rendering
    from kb.sources.answer import shown_address
    from kb.store import connect, edit, queries, renderings

    with state.reading() as connection:
        source = queries.show_source(connection, key)
    if file is not None:
        found, where = rendering.from_file(file), file.name
    else:
        for address in rendering.addresses(source)[:1]:
            say(f"asking {shown_address(address)}")
        found, where = rendering.from_network(source, http.client())
    with connect.for_writing(state.places()) as session:
        renderings.put(connect.raw(session), source["key"], found, where, edit.now())
    number = len({claim["claim"] for claim in source["claims"]})
    if as_json:
        kept = {"kind": found.kind, "sha256": found.sha256, "extractor": found.extractor}
        emit({"source": source["key"], "from": where, **kept, "characters": len(found.text)}, True)
    say(f"kept {len(found.text):,} characters of {source['key']} ({found.kind}, sha256 {found.sha256[:12]})")
    say(f"kb check looks for its quotes there; {number} claim{'s cite' if number != 1 else ' cites'} it")
