"""The library's text, read: records with their home, their position and the very text that they stand in.

Every character of a file belongs to one record's block or to what stands between blocks, so that a file
can be put together again byte by byte (`kb.library.write`).
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kb import records
from kb.errors import KbError, one_line, shown
from kb.library import freshness, references
from kb.library.side import Placed, text_of
from kb.spill import Spill

MAX_BYTES = 64 * 1024 * 1024
MAX_REFERENCES = 256 * 1024 * 1024
"""references.bib may be larger: it is one file, and is read entry by entry."""
MAX_PROBLEMS = 20
FOLDERS = {"claim": "claims", "figure": "figures", "talk": "talks"}
SUFFIXES = {"claim": ".yaml", "figure": ".csv", "talk": ".yaml"}
REFERENCES = "references.bib"
ORDER = ("source", "claim", "figure", "talk")
"""Kinds in an order in which references allow them to be stored."""
_MERGE_MARKS = [re.compile(mark, re.MULTILINE) for mark in ("^<{7} ", "^={7}$", "^>{7} ")]
_NAME = re.compile(r"[^./\\][^/\\]*")
MAX_NAME = 100
"""Bytes that a file's name may have: file systems have 255, and some put an ending of their own to them."""
_UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Categories of characters that no file's name may have: a reader does not see them, or sees others turned round."""


@dataclass(frozen=True)
class Problem:
    """What is wrong with the text, and where: file under the library's folder and line (0: the file)."""

    home: str
    line: int
    what: str

    def __str__(self) -> str:
        return one_line(f"{self.home}:{self.line}: {self.what}" if self.line else f"{self.home}: {self.what}")


class BrokenLibrary(KbError):
    """A library that cannot be taken as it is; `problems` are all that were found, 20 at most."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems[:MAX_PROBLEMS]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(f"{problems[0]}{more}", "nothing was changed", code=2)


@dataclass
class Entry:
    """A record with its text: `lead` is what stands before it (comments, blank lines), `raw` its own block.

    `keys` are the offsets in `raw` at which its fields stand, for YAML in block style.
    """

    kind: str
    name: str
    record: records.Record
    home: str
    position: int
    line: int
    lead: str
    raw: str
    keys: list[tuple[str, int]] = field(default_factory=list)


@dataclass
class FileText:
    """One file: its head (a table's header line), its records in order, and what follows the last one."""

    home: str
    head: str = ""
    entries: list[Entry] = field(default_factory=list)
    tail: str = ""

    def __str__(self) -> str:
        return self.head + "".join(entry.lead + entry.raw for entry in self.entries) + self.tail


@dataclass(frozen=True, slots=True)
class Listed:
    """What is kept in memory of a record: its name, its place, its former names, and where its content is kept."""

    number: int
    kind: str
    name: str
    home: str
    position: int
    line: int
    aliases: tuple[str, ...] = ()


class LibraryText:
    """All records of a library's text, in an order in which references allow them to be stored: sources first.

    In memory is what `Listed` has; contents are spilled to the disk, and `files` reads a file again.
    `digest` is of the bytes that were read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.digest = ""
        self.listed: list[Listed] = []
        self.files = Files(folder)
        self.renames: references.Names = {}
        """Former names by which records still name others, with today's."""
        self._contents = Spill()

    def add(self, entry: Entry) -> None:
        """Take in a record that was read."""
        number = self._contents.add(text_of(records.plain(entry.record)))
        aliases = tuple(aliases_of(entry.record))
        self.listed.append(
            Listed(number, entry.kind, entry.name, entry.home, entry.position, entry.line, aliases)
        )

    def placed(self) -> Iterator[Placed]:
        """Every record with its content, read back from the disk."""
        return map(self.content_of, self.listed)

    def content_of(self, one: Listed) -> Placed:
        """A record with its content, read back from the disk."""
        data = json.loads(self._contents[one.number])
        if self.renames and references.points(one.kind, data) & self.renames.keys():
            data = references.renamed(one.kind, data, self.renames)
            data = records.plain(records.parse(one.kind, data))
        return Placed(one.kind, one.name, data, one.home, one.position, f"{one.home}:{one.line}")

    def by_name(self) -> dict[tuple[str, str], Listed]:
        """The records by (kind, name)."""
        return {(one.kind, one.name): one for one in self.listed}

    def block_of(self, one: Listed) -> str:
        """The very text of a record."""
        return next(e.raw for e in self.files[one.home].entries if (e.name, e.line) == (one.name, one.line))


class Files(Mapping[str, FileText]):
    """The files by their path under the folder, each read again when it is asked for; the last one is kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._digests: dict[str, bytes] = {}
        self._last: FileText | None = None

    def note(self, home: str, content: bytes) -> None:
        """Remember what a file held when the library was read."""
        self._digests[home] = _digest(content)

    def __getitem__(self, home: str) -> FileText:
        """The file's text and records.

        Raises:
            KbError: when it is no longer what it was when the library was read.
        """
        if home not in self._digests:
            raise KeyError(home)
        if self._last is None or self._last.home != home:
            from kb.library import readers

            content = read_bytes(self._folder, home, self._folder / home)
            if _digest(content) != self._digests[home]:
                raise KbError(f"{home} changed while it was read", "try again", code=1)
            self._last, _ = readers.read(home, kind_of(home) or "", as_text(home, content))
        return self._last

    def __contains__(self, home: object) -> bool:
        return home in self._digests  # without reading it, as Mapping would

    def __iter__(self) -> Iterator[str]:
        return iter(self._digests)

    def __len__(self) -> int:
        return len(self._digests)


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).digest()


def kind_of(home: str) -> str | None:
    """The kind of record that a file holds by its path; None where the path is no file of a library."""
    if home == REFERENCES:
        return "source"
    folder, _, name = home.partition("/")
    for kind, expected in FOLDERS.items():
        if folder == expected and name.endswith(SUFFIXES[kind]) and _is_name(name):
            return kind
    return None


def _is_name(name: str) -> bool:
    return (
        _NAME.fullmatch(name) is not None
        and len(name.encode("utf-8", "surrogateescape")) <= MAX_NAME
        and not any(unicodedata.category(char) in _UNSEEN for char in name)
    )


def read_library(folder: Path, *, check_references: bool = True) -> LibraryText:
    """Read a library's folder.

    Args:
        folder: the folder that holds references.bib, claims/, figures/ and talks/.
        check_references: whether every name that a record refers to must be in the folder.

    Raises:
        BrokenLibrary: with every problem found, each with file and line.
        KbError: when there is no such folder.
    """
    from kb.library import readers

    if not folder.is_dir():
        raise KbError(f"no library at {folder}", "name a folder with references.bib and claims/")
    library = LibraryText(folder)
    problems: list[Problem] = []
    digest = freshness.Digest()
    for home, path in freshness.files(folder):
        if kind_of(home) is None:
            what = f"a file's name has at most {MAX_NAME} bytes, and no character that nobody sees: rename it"
            problems.append(Problem(shown(home), 0, what))
            continue
        try:
            content = read_bytes(folder, home, path)
            digest.add(home, content)
            library.files.note(home, content)
            text = as_text(home, content)
            del content
            for entry in readers.entries(FileText(home), kind_of(home) or "", text, problems):
                library.add(entry)
        except BrokenLibrary as error:
            problems += error.problems
    library.listed.sort(key=lambda one: (ORDER.index(one.kind), one.home))
    problems += twice(library)
    if not problems:
        library.renames = {(one.kind, alias): one.name for one in library.listed for alias in one.aliases}
    if check_references and not problems:
        problems += references.dangling(library)
    if problems:
        raise BrokenLibrary(problems)
    library.digest = str(digest)
    return library


def read_bytes(folder: Path, home: str, path: Path) -> bytes:
    """The bytes of a file of the library.

    Raises:
        BrokenLibrary: for a link out of the folder, what is no plain file, and a file that is too large.
    """
    try:
        if not path.resolve().is_relative_to(folder.resolve()):
            raise BrokenLibrary([Problem(home, 0, "is a symbolic link out of the library: refused")])
        if not path.is_file():
            raise BrokenLibrary([Problem(home, 0, "is not a plain file")])
        size = path.stat().st_size
        check_size(home, size)
        return path.read_bytes()
    except OSError as error:
        raise BrokenLibrary([Problem(home, 0, error.strerror or "cannot be read")]) from None
    except RuntimeError:
        raise BrokenLibrary([Problem(home, 0, "is a symbolic link to itself")]) from None


def check_size(home: str, size: int) -> None:
    """Whether a file of the library may have so many bytes.

    Raises:
        BrokenLibrary: when not.
    """
    most = MAX_REFERENCES if home == REFERENCES else MAX_BYTES
    if size > most:
        remedy = "take the abstracts out" if home == REFERENCES else "split it"
        what = f"has {size // 1_000_000} MB; {most // 1_000_000} MB at most: {remedy}"
        raise BrokenLibrary([Problem(home, 0, what)])


def as_text(home: str, content: bytes) -> str:
    """Bytes as UTF-8 text with LF.

    Raises:
        BrokenLibrary: naming the line that is no UTF-8, has a carriage return or a byte-order mark.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BrokenLibrary([Problem(home, line, "is not UTF-8: save it as UTF-8")]) from None
    if text.startswith("\ufeff"):
        raise BrokenLibrary([Problem(home, 1, "starts with a byte-order mark: save it without one")])
    at = text.find("\r")
    if at >= 0:
        line = text.count("\n", 0, at) + 1
        raise BrokenLibrary([Problem(home, line, "ends in CR LF: save it with LF line ends")])
    at = _open_conflict(text)
    if at >= 0:
        what = "git left a conflict open here: settle it in the file, or as `kb library sync --help` shows"
        raise BrokenLibrary([Problem(home, text.count("\n", 0, at) + 1, what)])
    at = text.find("\0")
    if at >= 0:
        raise BrokenLibrary([Problem(home, text.count("\n", 0, at) + 1, "holds a NUL character")])
    return text


def _open_conflict(text: str) -> int:
    """Offset of the first of git's three marks of a conflict that stand in their order; -1 where they do not."""
    at, first = 0, -1
    for mark in _MERGE_MARKS:
        found = mark.search(text, at)
        if found is None:
            return -1
        at, first = found.end(), found.start() if first < 0 else first
    return first


def twice(library: LibraryText) -> list[Problem]:
    """Names that stand for two records: the same name twice, or an alias that another record has."""
    seen: dict[tuple[str, str], Listed] = {}
    problems = []
    for one in library.listed:
        first = seen.setdefault((one.kind, one.name), one)
        if first is not one:
            what = f"{one.kind} {shown(one.name)} stands in {first.home}:{first.line} already"
            problems.append(Problem(one.home, one.line, what))
    aliases: dict[tuple[str, str], Listed] = {}
    for one in library.listed:
        for alias in one.aliases:
            other = seen.get((one.kind, alias)) or aliases.setdefault((one.kind, alias), one)
            if other is not one:
                what = (
                    f"alias {shown(alias)} of {one.name} names {other.name} too ({other.home}:{other.line})"
                )
                problems.append(Problem(one.home, one.line, what))
    return problems


def aliases_of(record: records.Record) -> list[str]:
    """The names that a record had before."""
    return record.aliases if isinstance(record, (records.Claim, records.Source)) else []
