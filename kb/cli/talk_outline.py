"""`kb talk-outline`: write a talk as an outline or as slides, each item with its evidence."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kb import files
from kb.cli import completion, output, state
from kb.cli.output import say
from kb.errors import KbError, shown

if TYPE_CHECKING:
    from kb.talks.outline import Outline


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
    from kb.talks.text import counted

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
        done = write(Path(out), document)
        say(f"{done}: {counted(len(outline.sections), 'item')}, {len(outline.cut)} cut")
    elif isinstance(document, bytes):
        if output.on_terminal():
            raise KbError(f"{chosen} is no text for a terminal", "name a file with -o FILE")
        sys.stdout.buffer.write(document)
    else:
        sys.stdout.write(output.clean(document) if output.on_terminal() else document)
    # An outline on the terminal says all of this itself.
    if not (chosen == "markdown" and out in (None, "-") and output.on_terminal()):
        _tell(outline)
    if not outline.sections:
        raise KbError(f"talk {name} has nothing to show", "what was cut says why", code=1)


MOST_CUT = 12
"""So many of the claims that were cut are told; the notes and the other formats hold them all."""


def _tell(outline: Outline) -> None:
    """What somebody must know before giving the talk, and what was cut and why, on stderr."""
    for notice in outline.notices:
        say(f"kb: {notice}")
    for cut in outline.cut[:MOST_CUT]:
        say(f"kb: cut {cut.claim}: {cut.why}")
    if len(outline.cut) > MOST_CUT:
        say(f"kb: and {len(outline.cut) - MOST_CUT} more were cut; the talk's notes say which and why")


def write(path: Path, document: str | bytes) -> str:
    """Write the whole document or nothing, and say what was done.

    A file that is there is replaced in one step; what it held is kept beside it under its name with `~`, since somebody
    may have worked on it.

    Raises:
        KbError: when the folder is missing, is read-only or full, or the path is a folder.
    """
    data = document.encode("utf-8") if isinstance(document, str) else document
    if path.is_dir():
        raise KbError(f"{shown(str(path))} is a folder", "name a file")
    kept = path.with_name(f"{path.name}~")
    try:
        if path.exists() and not path.is_file():  # a device or a pipe, such as /dev/stdout
            path.write_bytes(data)
            return f"wrote {path}"
        before = path.read_bytes() if path.exists() else None
        if before == data:
            return f"{path} is like that already"
        if before is not None:
            files.write_whole(kept, before)  # a clone may have put a link there
        files.write_whole(path, data)
    except OSError as error:
        raise KbError(f"{shown(str(path))} cannot be written: {error.strerror}") from None
    return f"wrote {path}" if before is None else f"replaced {path}, kept what was there as {kept.name}"
