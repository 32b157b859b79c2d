"""The library as JSON Lines: one record in each line after a line that names the format. Streams both ways."""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from kb import records, words
from kb.errors import KbError
from kb.library.side import Placed, Side, of_store, text_of
from kb.library.text import BrokenLibrary, Problem

FORMAT = "kb-library"
VERSION = 1
MAX_LINE = 4 * 1024 * 1024


def write_lines(connection: sqlite3.Connection, path: Path, store: str = "") -> int:
    """Write every record of a store into `path`, which changes whole or not at all; how many there were.

    A device or a pipe, such as /dev/stdout, is written into and stays what it is.

    Args:
        store: the store's own number (`kb.library.identity`), by which others know whose file it is.

    Raises:
        KbError: when the file cannot be written.
    """
    half: Path | None = None
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            with path.open("w", encoding="utf-8", newline="\n") as file:
                return stream(connection, file, store)
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        half = Path(name)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            count = stream(connection, file, store)
            file.flush()
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        half.chmod(0o666 & ~umask)
        half.replace(path)
    except OSError as error:
        if half:
            half.unlink(missing_ok=True)
        raise KbError(
            f"{path} cannot be written: {error.strerror or error}", "name another with -o"
        ) from None
    return count


def stream(connection: sqlite3.Connection, file: IO[str], store: str = "") -> int:
    """Write every record of a store as lines; how many there were."""
    counts = (connection.execute(f"SELECT COUNT(*) FROM {kind}").fetchone()[0] for kind in words.RECORD_KINDS)
    changes = connection.execute("SELECT COALESCE(MAX(seq), 0) FROM change").fetchone()[0]
    header = {
        "format": FORMAT,
        "version": VERSION,
        "records": sum(counts),
        "changes": changes,
        "store": store,
    }
    file.write(text_of({name: value for name, value in header.items() if value != ""}) + "\n")
    count = 0
    for one in of_store(connection):
        count += 1
        line = {"kind": one.kind, "home": one.home, "position": one.position, "record": one.data}
        file.write(text_of(line) + "\n")
    return count


class Lines:
    """An export file as one side of a merge. A context manager, since it keeps the file open.

    Every record is validated on the way; problems come as `BrokenLibrary`, with their lines.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.offsets: dict[tuple[str, str], tuple[int, int]] = {}
        self.store = ""
        """The number of the store that it comes from, once it was read; empty where it does not say."""
        self.records: int | None = None
        """How many records it says that it has."""
        self.changes = 0
        """How many changes its store had seen: which of two files of one store is the older."""
        if path.exists() and not path.is_file():  # it is read more than once, and a pipe may never end
            raise KbError(f"{path} is not a plain file", "name one that `kb library export` made")
        try:
            self.file: IO[bytes] = path.open("rb")
        except OSError as error:
            raise KbError(f"{path} cannot be read: {error.strerror or error}") from None

    def __enter__(self) -> Side:
        side = Side(self.scan, self.fetch)
        try:
            side.index()
        except BaseException:
            self.file.close()
            raise
        return side

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def scan(self) -> Iterator[Placed]:
        """Every record in the file's order.

        Raises:
            BrokenLibrary: with everything that is wrong in the file.
        """
        self.offsets.clear()
        problems: list[Problem] = []
        self.file.seek(0)
        self._header()
        number = 1
        while True:
            offset = self.file.tell()
            line = self.file.readline(MAX_LINE + 1)
            if not line:
                break
            number += 1
            if not line.strip():
                continue
            try:
                one = self._record(line, number)
                first = self.offsets.setdefault((one.kind, one.name), (offset, number))
                if first[0] != offset:
                    what = f"{one.kind} {one.name} stands in line {first[1]} already"
                    problems.append(Problem(self.path.name, number, what))
                    continue
                yield one
            except KbError as error:
                problems.append(Problem(self.path.name, number, error.message))
                if len(line) > MAX_LINE:
                    break
        if not problems and self.records is not None and len(self.offsets) < self.records:
            what = f"is cut short: {len(self.offsets)} of {self.records} records; export it again"
            problems.append(Problem(self.path.name, number, what))
        if problems:
            raise BrokenLibrary(problems)

    def fetch(self, kind: str, name: str) -> Placed:
        """One record, read again from its line."""
        offset, number = self.offsets[kind, name]
        back = self.file.tell()
        self.file.seek(offset)
        try:
            return self._record(self.file.readline(MAX_LINE + 1), number)
        finally:
            self.file.seek(back)

    def _header(self) -> None:
        try:
            header = _loads(self.file.readline(MAX_LINE))
        except KbError:
            header = None
        if not isinstance(header, dict) or header.get("format") != FORMAT:
            raise KbError(
                f"{self.path} is no export of kb", "make one with `kb library export --format jsonl -o FILE`"
            )
        version = header.get("version")
        if version != VERSION:
            raise KbError(
                f"{self.path} has format version {str(version)[:20]}, this kb reads {VERSION}",
                "upgrade kb: pip install --upgrade interp-kb",
            )
        store, count, changes = (header.get(name) for name in ("store", "records", "changes"))
        self.store = store if isinstance(store, str) and len(store) <= 64 and store.isalnum() else ""
        self.records = count if isinstance(count, int) else None
        self.changes = changes if isinstance(changes, int) and 0 <= changes < 2**53 else 0

    def _record(self, line: bytes, number: int) -> Placed:
        if len(line) > MAX_LINE:
            raise KbError(f"the line is longer than {MAX_LINE // 1024 // 1024} MB")
        data = _loads(line)
        if not isinstance(data, dict) or data.get("kind") not in words.RECORD_KINDS:
            raise KbError(f"no record: `kind` must be one of {', '.join(words.RECORD_KINDS)}")
        kind = str(data["kind"])
        record = records.parse(kind, data.get("record"))
        home, position = data.get("home"), data.get("position")
        return Placed(
            kind,
            records.name_of(record),
            records.plain(record),
            home if isinstance(home, str) else "",
            position if isinstance(position, int) and 0 <= position < 2**53 else 0,
            f"{self.path.name}:{number}",
        )


def _loads(line: bytes) -> Any:
    def refuse(name: str) -> None:
        raise KbError(f"{name} is no number of JSON")

    try:
        return json.loads(line.decode("utf-8"), parse_constant=refuse)
    except UnicodeDecodeError:
        raise KbError("is not UTF-8") from None
    except RecursionError:
        raise KbError("is nested too deep") from None
    except ValueError as error:
        raise KbError(f"is no JSON: {error}") from None
