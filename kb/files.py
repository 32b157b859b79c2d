"""Files that others wrote: only plain ones of a bounded size are read. A link may lead to a device that never ends.

And files among theirs: written under a name that nobody can have put a link at.
"""

from __future__ import annotations

import os
from pathlib import Path

from kb.errors import KbError

LARGEST = 64 * 1024 * 1024
"""Bytes of a file that is read as a whole."""


def read_bytes(path: Path, most: int = LARGEST) -> bytes:
    """The bytes of a plain file.

    Raises:
        FileNotFoundError: when there is nothing at `path`.
        KbError: when it is no plain file, has more than `most` bytes, or cannot be read.
    """
    try:
        if not path.is_file():
            if not path.exists():
                raise FileNotFoundError(path)
            raise KbError(f"{path} is not a plain file")
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > most:
                raise KbError(f"{path} has more than {most / 1024**2:.3g} MB")
            return file.read(size)  # no further: a file of /proc says 0 and may never end
    except FileNotFoundError:
        raise
    except OSError as error:
        raise KbError(f"{path} cannot be read: {error.strerror or error}") from None


def read_text(path: Path, most: int = LARGEST) -> str:
    """The text of a plain file in UTF-8. Raises as `read_bytes` does, and KbError when it is no UTF-8."""
    try:
        return read_bytes(path, most).decode("utf-8")
    except UnicodeDecodeError as error:
        raise KbError(f"{path} is not UTF-8 (byte {error.start})") from None


def write_whole(path: Path, content: bytes) -> None:
    """Make or replace a file in one step: the content is written beside it, under a name made anew.

    A link at `path` is replaced, not followed.

    Raises:
        OSError: when it cannot be written; what was at `path` is then as it was.
    """
    half = path.with_name(f".{path.name[:50]}.{os.urandom(8).hex()}.part")
    descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor
            file.write(content)
        half.replace(path)
    except BaseException:
        half.unlink(missing_ok=True)
        raise
