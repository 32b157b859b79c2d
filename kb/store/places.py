"""Where things are: the workspace, its library and stores, and the user's data folder. Standard library only."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from kb.errors import KbError, shown

_OURS = ("store.db", "store.db-wal", "store.db-shm", "store.db-journal", "runs", "forms")
"""What kb, or SQLite for it, writes in a workspace's .kb/ under names that are always the same."""


class Places(NamedTuple):
    """Every path that a command needs, decided once."""

    workspace: Path | None
    """Nearest folder from the current one upwards that holds citations/ and one of `_MARKS`."""
    library: Path
    """The workspace's citations/, else the shipped one."""
    released: Path
    """The workspace's claims.db, else the shipped one. Only ever read."""
    working: Path
    """The working store: --db, KB_DB, <workspace>/.kb/store.db, or the one in the user's data folder."""
    reproductions: tuple[Path, ...]
    """Folders of experiments, the workspace's first."""
    runs: Path
    """Where own runs are kept."""


def shipped() -> Path:
    """The folder with claims.db, citations/ and reproductions/: inside the package, or the root of a clone."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "shipped"
    return inside if inside.is_dir() else package.parent


def find(db: str | None = None, start: Path | None = None) -> Places:
    """Decide where everything is, for a call from `start` (the current folder) with the option --db."""
    ship = shipped()
    workspace = _workspace(start)
    home = workspace or ship
    local = workspace / ".kb" if workspace else None
    named = db or os.environ.get("KB_DB")
    if named:
        working = _expanded(named).absolute()
    else:
        working = (local or data_folder()) / "store.db"
        if local:
            _must_not_lead_away(local)
    folders = [folder for base in (workspace, ship) if base for folder in [base / "reproductions"]]
    return Places(
        workspace=workspace,
        library=home / "citations",
        released=home / "claims.db",
        working=working,
        reproductions=tuple(dict.fromkeys(folder for folder in folders if folder.is_dir())),
        runs=(working.parent if named else local or data_folder()) / "runs",
    )


_MARKS = ("claims.db", ".kb", "citations/claims")
"""What makes a folder with citations/ a workspace. A clone may have the text alone: claims.db is made from it."""


def _expanded(named: str) -> Path:
    try:
        return Path(named).expanduser() if named.startswith("~") else Path(named)
    except RuntimeError:
        raise KbError(f"{shown(named)} is in the home of nobody here", "name a store with --db") from None


def _must_not_lead_away(local: Path) -> None:
    """A clone may bring links along: what is local is written into the workspace or where --db says."""
    for name in ("", *_OURS):
        path = f"{local}/{name}".rstrip("/")
        if os.path.islink(path):  # noqa: PTH114 - no objects made, every command asks
            raise KbError(f"{path} is a symbolic link: not followed", "remove it, or name a store with --db")


def _workspace(start: Path | None) -> Path | None:
    try:
        here = (start or Path.cwd()).absolute()
    except OSError:
        raise KbError("the current folder no longer exists", "change to another") from None
    for folder in (here, *here.parents):
        try:
            if (folder / "citations").is_dir() and any((folder / name).exists() for name in _MARKS):
                return folder
        except OSError:
            continue
    return None


def data_folder() -> Path:
    """The user's own data folder for kb; where there is no home, a path that cannot be written says so later."""
    named = os.environ.get("XDG_DATA_HOME")
    if named and Path(named).is_absolute():
        return Path(named) / "kb"
    try:
        return Path.home() / ".local" / "share" / "kb"
    except (RuntimeError, KeyError):
        return Path("/nonexistent-home") / "kb"
