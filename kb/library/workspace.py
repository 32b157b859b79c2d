"""A new workspace: the shipped library as text and as a store, in a folder that can be put under git."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kb import files
from kb.errors import KbError
from kb.library import agreement, freshness
from kb.library.sync import LIBRARY, RELEASE

IGNORED = (
    ".kb/",
    ".claims.db.*",
    "citations/.references.bib.*",
    "citations/**/.*.yaml.*",
    "citations/**/.*.csv.*",
)
"""What is nobody else's, and what a killed process leaves of a file that it was about to replace."""
ATTRIBUTES = ("citations/** text eol=lf",)
LARGEST = 1024 * 1024
"""Bytes of a .gitignore that is read."""
README = """# Reproductions of your own

One folder for each: reproduction.toml, experiment.py and, once recorded, runs/. `kb reproduce --list` shows
what there is; the ones that ship with kb need no copy here.
"""


@dataclass
class Made:
    """What was made, and what is left to the person."""

    folder: Path
    files: list[str] = field(default_factory=list)
    advice: list[str] = field(default_factory=list)

    def plain(self) -> dict[str, Any]:
        """For `--json`."""
        return {"folder": str(self.folder), "files": self.files, "advice": self.advice}


def make(folder: Path) -> Made:
    """Make a workspace in `folder`. All of it is prepared beside its place, then put there.

    Raises:
        KbError: when something of a workspace is there already (all of it is named), or writing fails.
    """
    from kb.store.places import find, shipped

    folder = folder.absolute()
    source = shipped()
    if not (source / "claims.db").is_file() or not (source / "citations").is_dir():
        raise KbError(f"{source} has no library to start from", "install kb anew")
    wanted = ("citations", "claims.db", "reproductions", ".kb")
    there = [name for name in wanted if os.path.lexists(folder / name)]
    if there:
        hint = "name another folder"
        if "claims.db" not in there and find(start=folder).workspace == folder:
            hint = "it is a workspace: `kb library build` there makes its claims.db"
        raise KbError(f"{folder} has {', '.join(there)} already", f"nothing was touched; {hint}", code=1)
    made = Made(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".kb-init-", dir=folder) as scratch:
            prepared = Path(scratch)
            _prepare(source, prepared)
            for name in wanted:
                (prepared / name).replace(folder / name)
                made.files += _listed(folder, name)
    except OSError as error:
        raise KbError(
            f"{error.filename or folder}: {error.strerror or error}", "no workspace was made"
        ) from None
    _lines_in(folder / ".gitignore", IGNORED, made)
    _lines_in(folder / ".gitattributes", ATTRIBUTES, made)
    return made


def _prepare(source: Path, target: Path) -> None:
    for home, path in freshness.files(source / "citations"):
        copy = target / "citations" / home
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    shutil.copyfile(source / "claims.db", target / "claims.db")
    (target / "claims.db").chmod(0o644)
    remember_release(target / "claims.db", source / "citations")
    (target / "reproductions").mkdir()
    (target / "reproductions" / "README.md").write_text(README, "utf-8")
    (target / ".kb").mkdir()


def remember_release(store: Path, citations: Path) -> None:
    """Note in a workspace's store which release it was made from: what upgrades are merged against."""
    from kb.library.door import RELEASE_DIGEST
    from kb.store.connect import errors_told

    with errors_told(store), contextlib.closing(sqlite3.connect(store)) as connection, connection:
        connection.execute(
            "INSERT OR REPLACE INTO sync_base SELECT ?, kind, name, content FROM sync_base WHERE origin = ?",
            (RELEASE, LIBRARY),
        )
        digest = freshness.digest_of((home, path.read_bytes()) for home, path in freshness.files(citations))
        agreement.meta(connection, RELEASE_DIGEST, digest)


def _listed(folder: Path, name: str) -> list[str]:
    path = folder / name
    found = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    return [file.relative_to(folder).as_posix() for file in found]


def _lines_in(path: Path, lines: tuple[str, ...], made: Made) -> None:
    """A new file with these lines; what exists is left as it is, and the person told what it lacks."""
    try:
        with path.open("x", encoding="utf-8") as file:  # never through a link, even one that leads nowhere
            file.writelines(f"{line}\n" for line in lines)
        made.files.append(path.name)
        return
    except FileExistsError:
        there: list[str] = []
    with contextlib.suppress(OSError, KbError):
        there = files.read_text(path, LARGEST).splitlines()
    lacking = [f"`{line}`" for line in lines if line not in there]
    if lacking:
        told = f"line {lacking[0]}" if len(lacking) == 1 else f"lines {', '.join(lacking)}"
        made.advice.append(f"{path.name} exists and was not touched: add the {told}")
