"""Whose library it is: a store's own number, in a file beside it, so that one path is not taken for one person."""

from __future__ import annotations

import re
import uuid
from pathlib import Path

from kb import files
from kb.errors import KbError
from kb.library.write import write_file

FILE = "store-id"
_ID = re.compile(r"[0-9a-f]{32}")


def of(folder: Path) -> str:
    """The number in a folder that holds a store; empty where there is none to be read."""
    try:
        found = files.read_text(folder / FILE, 1_000).strip()
    except (FileNotFoundError, KbError):
        return ""
    return found if _ID.fullmatch(found) else ""


def own(folder: Path) -> str:
    """The number of the store in `folder`, made now where there is none; empty where it cannot be kept."""
    found = of(folder)
    if found:
        return found
    made = uuid.uuid4().hex
    try:
        write_file(folder / FILE, f"{made}\n".encode())
    except KbError:
        return ""
    return made


def of_library(path: Path) -> str:
    """The number of the workspace that a library's folder belongs to; empty for a text without a store."""
    return of(path / ".kb") or of(path.parent / ".kb")
