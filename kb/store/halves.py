"""Making a file whole beside its place before it is put there, so that a killed process leaves no half one."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

STALE_SECONDS = 3600
"""What a killed process left goes after this long; nobody works on one file for an hour without writing to it."""
_JOURNALS = ("", "-journal", "-wal", "-shm")


@contextlib.contextmanager
def beside(target: Path) -> Iterator[Path]:
    """A new path beside `target`; whatever is there at the end is removed, and so is what others left long ago.

    The name is never used twice: a process number alone is, in a container where kb is always process 1, and
    a store that was left over would then be taken for the new one.
    """
    _sweep(target)
    half = target.with_name(f".{target.name}.{os.getpid()}-{os.urandom(4).hex()}.new")
    try:
        yield half
    finally:
        for ending in _JOURNALS:
            _remove(Path(f"{half}{ending}"))


def _sweep(target: Path) -> None:
    with contextlib.suppress(OSError):
        for left in target.parent.glob(f".{_literally(target.name)}.*.new*"):
            if time.time() - left.stat().st_mtime > STALE_SECONDS:
                _remove(left)


def _literally(name: str) -> str:
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
