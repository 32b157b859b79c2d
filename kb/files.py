"""Files that others wrote: only plain ones of a bounded size are read. A link may lead to a device that never ends."""

from __future__ import annotations

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
        if path.stat().st_size > most:
            raise KbError(f"{path} has more than {most / 1024**2:.3g} MB")
        return path.read_bytes()
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
