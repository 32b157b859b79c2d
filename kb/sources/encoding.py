"""Files that are not UTF-8: where they are not, and the command that makes them so."""

from __future__ import annotations

import shlex
from pathlib import Path

from kb.errors import KbError

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def not_utf8(path: Path) -> KbError:
    """The error for a file that could not be read as UTF-8: names its line, and a command that can be copied."""
    line, byte, head = _first_line(path)
    from_, hint = ("utf-16", "it is UTF-16") if head in _UTF_16 else ("latin1", "if it is Latin-1")
    given, made = shlex.quote(str(path.resolve())), shlex.quote(f"./{path.stem}-utf8{path.suffix}")
    hint += f": iconv -f {from_} -t utf-8 {given} > {made}"
    return KbError(f"{path}, line {line}: not UTF-8 (byte 0x{byte:02X})", hint)


def _first_line(path: Path) -> tuple[int, int, bytes]:
    """The first line that is not UTF-8, the byte at which it is not, and the file's first two bytes."""
    head = b""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            head = head or line[:2]
            try:
                line.decode()
            except UnicodeDecodeError as error:
                return number, line[error.start], head
    return 0, 0, head  # it was written anew meanwhile
