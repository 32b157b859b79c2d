"""What an experiment's process can import: the files of its own folder that somebody trusted, and nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from kb.errors import KbError

PATH = "path"
"""The folder inside a run's from which its process imports."""
_CACHE, _BYTECODE = "__pycache__", ".pyc"
_IMPORTED = (".py", _BYTECODE, ".so", ".pyd")


def files_of(folder: Path) -> Iterator[Path]:
    """The files of an experiment, in a fixed order: all that lies in its folder but the bytecode in Python's cache.

    Raises:
        KbError: at a symbolic link: what it leads to could change without anybody being asked again.
    """
    for path in sorted(folder.rglob("*")):
        if path.suffix == _BYTECODE and path.parent.name == _CACHE:
            continue  # never read; anything else there may be read by the experiment
        if path.is_symlink() and path.exists():  # one that leads nowhere is an editor's lock
            raise KbError(f"{path} is a symbolic link", "what an experiment uses lies in its own folder")
        if path.is_file():
            yield path


def must_be_plain(run: Path) -> None:
    """Make sure that a run's folder leads nowhere else: kb and the experiment write there under known names.

    Raises:
        KbError: when it is a link, or holds one, a pipe or a device; `path`, which is made anew, aside.
    """
    for path in (run, *run.rglob("*")):
        if PATH not in path.relative_to(run).parts[:1] and (
            path.is_symlink() or not (path.is_file() or path.is_dir())
        ):
            raise KbError(f"{path} is no plain file", "a run's folder holds no links; start a new run")


def module_path(experiment: Path, run: Path) -> Path:
    """A folder inside the run's that holds `reproductions/<this one>` and nothing else, made anew.

    Each file is linked by itself: bytecode that lies in the experiment's folder could be of another program than
    the text that somebody read, and Python would run it unseen.

    Raises:
        KbError: when the run's folder holds modules of its own, which Python could import in place of others.
    """
    place = run / PATH
    if place.is_symlink():
        place.unlink()
    elif place.exists():
        shutil.rmtree(place)
    for path in run.rglob("*"):
        if path.suffix in _IMPORTED:
            raise KbError(f"{run} holds a program ({path.name})", "a run's folder has none; start a new run")
    source = experiment.resolve()
    target = place / "reproductions" / experiment.name
    target.mkdir(parents=True)
    for path in files_of(source):
        link = target / path.relative_to(source)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(path)
    return place
