"""`kb talk-outline`: write a talk as an outline or as slides, each item with its evidence."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from kb.cli import completion, output, state
from kb.cli.output import say
from kb.errors import KbError, shown


def command(
    name: Annotated[
        str, typer.Argument(metavar="NAME", autocompletion=completion.talks, help="A talk's name.")
    ],
    minutes: Annotated[
        float | None, typer.Option("--minutes", "-m", metavar="N", help="How long it may take.")
    ] = None,
    top: Annotated[
        int | None, typer.Option("--top", "-t", metavar="N", help="Only the first N items.")
    ] = None,
    form: Annotated[
        str | None,
        typer.Option("--format", "-f", metavar="FORMAT", help="markdown, marp, revealjs, pptx or json."),
    ] = None,
    only: Annotated[
        str | None,
        typer.Option(
            "--only", metavar="verified", help="verified: leave out what our checks do not support."
        ),
    ] = None,
    out: Annotated[
        str | None, typer.Option("--out", "-o", metavar="FILE", help="Write to FILE, not to stdout.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    """Write a talk: fitted to its minutes, each item with number, caveat, verdict and sources."""
    from kb.talks.build import Options, build
    from kb.talks.formats import format_for, render
    from kb.talks.reading import StoreReading

    if only not in (None, "verified"):
        raise KbError(f"--only {shown(only or '')} is not known", "--only verified is")
    chosen = format_for("json" if as_json else form, out)
    with state.reading() as connection:
        outline = build(
            name,
            StoreReading(connection, [folder.parent for folder in state.places().reproductions]),
            Options(minutes, top, only == "verified"),
        )
    document = render(outline, chosen)
    if out is not None and out != "-":
        write(Path(out), document)
        say(f"wrote {out}: {len(outline.sections)} items, {len(outline.cut)} cut")
    elif isinstance(document, bytes):
        if output.on_terminal():
            raise KbError(f"{chosen} is no text for a terminal", "name a file with -o FILE")
        sys.stdout.buffer.write(document)
    else:
        sys.stdout.write(output.clean(document) if output.on_terminal() else document)
    if out is not None and out != "-":
        for notice in outline.notices:
            say(f"kb: {notice}")
    if not outline.sections:
        raise KbError(f"talk {name} has nothing to show", "what was cut says why", code=1)


def write(path: Path, document: str | bytes) -> None:
    """Write the whole document or nothing: a file that is there is replaced in one step.

    Raises:
        KbError: when the folder is missing, is read-only or full, or the path is a folder.
    """
    data = document.encode("utf-8") if isinstance(document, str) else document
    if path.is_dir():
        raise KbError(f"{shown(str(path))} is a folder", "name a file")
    partial = path.with_name(f".{path.name[:200]}.{os.getpid()}.part")
    try:
        if path.exists() and not path.is_file():  # a device or a pipe, such as /dev/stdout
            path.write_bytes(data)
            return
        try:
            partial.write_bytes(data)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise KbError(f"{shown(str(path))} cannot be written: {error.strerror}") from None
