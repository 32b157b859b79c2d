"""`kb cite fetch`: keep the text of a source, so that quotes can be looked for in it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kb.cli import state
from kb.cli.options import SourceKey
from kb.cli.output import say


def fetch(
    key: SourceKey,
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="A PDF, HTML, LaTeX or text file that you have.")
    ] = None,
) -> None:
    """Keep the text of a source: from a file that you give, else from arXiv or its own address.

    `kb check` then looks for its quotes there. The text stays in your own store and is never shared.
    """
    from kb.schema import Rendering
    from kb.sources import rendering
    from kb.store import connect, edit, queries

    with state.reading() as connection:
        source = queries.show_source(connection, key)
    if file is not None:
        found, where = rendering.from_file(file), file.name
    else:
        from kb.sources.http import Http

        found, where = rendering.from_network(source, Http())
    with connect.for_writing(state.places()) as session:
        connect.raw(session).execute("DELETE FROM rendering WHERE source_key = ?", (source["key"],))
        session.add(
            Rendering(
                source_key=source["key"],
                sha256=found.sha256,
                kind=found.kind,
                at=edit.now(),
                location=where,
                extractor=found.extractor,
                text=found.text,
            )
        )
    number = len({claim["claim"] for claim in source["claims"]})
    say(f"kept {len(found.text):,} characters of {source['key']} ({found.kind}, sha256 {found.sha256[:12]})")
    say(f"kb check looks for its quotes there; {number} claims cite it")
