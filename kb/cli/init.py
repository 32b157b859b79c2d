"""`kb init`: a workspace for claims of your own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kb.cli.options import Json
from kb.cli.output import emit, say


def command(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="The current folder by default.")] = Path(),
    as_json: Json = False,
) -> None:
    """Make a workspace: the library as text and as a store, with a place for your own claims and runs.

    Nothing that exists is touched. Put the folder under git to share it; `kb library sync` merges what
    others push, and a newer release of kb, record by record.
    """
    from kb.library.workspace import make

    made = make(folder)
    emit(made.plain(), as_json, text="\n".join(made.files))
    for line in made.advice:
        say(line)
    say(f"made a workspace in {made.folder}: `kb claim add` there, then `kb library export`")
