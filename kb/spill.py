"""Texts kept on the disk and not in memory: for records that are read now and needed again later."""

from __future__ import annotations

import contextlib
import tempfile
from array import array
from collections.abc import Iterator

from kb.errors import KbError

IN_MEMORY = 4 * 1024 * 1024
"""Bytes up to which no file is made."""


class Spill:
    """Texts by number, in a file without a name: it is gone with the process, however that ends.

    Raises:
        KbError: when there is no room for the file.
    """

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - closed with the object
        self._starts = array("Q", [0])

    def add(self, text: str) -> int:
        """Keep a text; its number."""
        content = text.encode("utf-8", "surrogatepass")
        with _errors_told():
            self._file.seek(self._starts[-1])
            self._file.write(content)
        self._starts.append(self._starts[-1] + len(content))
        return len(self) - 1

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __getitem__(self, number: int) -> str:
        if not 0 <= number < len(self):
            raise IndexError(number)
        start, end = self._starts[number], self._starts[number + 1]
        with _errors_told():
            self._file.seek(start)
            return self._file.read(end - start).decode("utf-8", "surrogatepass")

    def __del__(self) -> None:
        with contextlib.suppress(OSError):  # what was not written yet is not needed any more
            self._file.close()


@contextlib.contextmanager
def _errors_told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = error.strerror or error
        hint = "make room there, or name another folder in TMPDIR; nothing was changed"
        raise KbError(f"no room for a temporary file in {tempfile.gettempdir()}: {why}", hint) from None
