"""Records -> the library's text: what nobody changed keeps its bytes, files change whole or not at all."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kb import records
from kb.errors import KbError
from kb.library import readers, strict
from kb.library.readers import COLUMNS
from kb.library.text import FOLDERS, REFERENCES, SUFFIXES, Entry, FileText, LibraryText, check_size, kind_of


@dataclass(frozen=True)
class Wanted:
    """A record as it is to stand in the text; `data` is its content where its block must be written."""

    kind: str
    name: str
    home: str
    position: int
    same: bool
    data: dict[str, Any]


def canonical(kind: str, data: dict[str, Any]) -> str:
    """The block of one record as kb writes it: YAML, a BibTeX entry or a row of CSV, ending in a line end."""
    if kind == "source":
        from kb.sources import bibtex

        record = records.parse("source", data)
        assert isinstance(record, records.Source), "parse gives the kind that it was asked for"
        return bibtex.write([record]).strip("\n") + "\n"
    if kind == "figure":
        return _csv_row([_cell(data.get(column)) for column in COLUMNS])
    return strict.dump([data] if kind == "claim" else data)


def _cell(value: object) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return "" if value is None else str(value)


def _csv_row(cells: Iterable[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue()


def changed_block(entry: Entry, data: dict[str, Any]) -> str:
    """The record's block with new content; fields that are as they were keep their text and comments."""
    if entry.kind in ("claim", "talk") and entry.keys:
        block = _by_field(entry, data)
        if block is not None and _reads_as(entry, block, data):
            return block
    return canonical(entry.kind, data)


def _by_field(entry: Entry, data: dict[str, Any]) -> str | None:
    before = records.plain(entry.record)
    first = entry.keys[0][1]
    indent = " " * (first - (entry.raw.rfind("\n", 0, first) + 1))
    ends = [entry.raw.rfind("\n", 0, offset) + 1 for _, offset in entry.keys[1:]] + [len(entry.raw)]
    written = {}
    start = first
    for (key, _), end in zip(entry.keys, ends, strict=True):
        if key not in before and key not in data:
            written[key] = entry.raw[start:end]  # a default that somebody wrote out
        elif key in data:
            same = key in before and before[key] == data[key]
            written[key] = entry.raw[start:end] if same else _field(key, data[key], indent)
        start = end
    keys = [key for key, _ in entry.keys if key in written]
    if not keys or keys[0] != entry.keys[0][0]:
        return None
    for key in data:
        if key not in written:
            written[key] = _field(key, data[key], indent)
            known = list(data)[: list(data).index(key)]
            at = max((keys.index(other) + 1 for other in known if other in keys), default=len(keys))
            keys.insert(at, key)
    parts = [written[key] if written[key].endswith("\n") else written[key] + "\n" for key in keys]
    parts[1:] = [part if part.startswith(indent) else indent + part for part in parts[1:]]
    return entry.raw[:first] + parts[0].removeprefix(indent) + "".join(parts[1:])


def _field(key: str, value: Any, indent: str) -> str:
    # As an item of a list, so that lines are folded where they are in a whole block.
    text = strict.dump([{key: value}] if indent else {key: value})
    taken = 2 if indent else 0
    lines = [line[taken:] for line in text.removesuffix("\n").split("\n")]
    return "".join(f"{indent}{line}\n" if line.strip() else "\n" for line in lines)


def _reads_as(entry: Entry, block: str, data: dict[str, Any]) -> bool:
    try:
        loaded = strict.load(block, entry.home)
        if entry.kind == "claim":
            (loaded,) = loaded
        return records.plain(records.parse(entry.kind, loaded)) == data
    except (KbError, ValueError, TypeError):
        return False


def put_together(library: LibraryText, wanted: Iterable[Wanted]) -> dict[str, str | None]:
    """The files that change, by their path: their new text, None where nothing is left in them.

    Args:
        library: the text as it stands; its files keep their order and all that is not a changed record.
        wanted: every record that is to be in the text. `same` ones keep their block.
    """
    there = library.by_name()
    by_home: dict[str, dict[tuple[str, str], Wanted]] = {home: {} for home in library.files}
    chosen = list(wanted)
    names = {(one.kind, one.name) for one in chosen}
    for one in chosen:
        # A record that was renamed keeps its place and its comments.
        former = ((one.kind, alias) for alias in one.data.get("aliases", ()))
        known = (key for key in ((one.kind, one.name), *former) if key in there)
        key = next((key for key in known if key[1] == one.name or key not in names), (one.kind, one.name))
        entry = there.get(key)
        by_home.setdefault(entry.home if entry else _home(one, library), {})[key] = one
    changed: dict[str, str | None] = {}
    for home, members in by_home.items():
        old = library.files.get(home) or FileText(home)
        if not members and not old.entries:
            continue
        text = _file(old, members)
        if not members and not text.removeprefix(old.head).strip():
            changed[home] = None
        elif home not in library.files or text != str(old):
            changed[home] = text
    return changed


def _home(one: Wanted, library: LibraryText) -> str:
    """Where a record goes that is in no file yet: its home, or the usual file where that is no path for it."""
    if one.kind == "talk":
        homes = (f"talks/{one.name}{'-' * more}.yaml" for more in range(1_000))
        return next(home for home in homes if home not in library.files)
    if kind_of(one.home) == one.kind:
        return one.home
    return REFERENCES if one.kind == "source" else f"{FOLDERS[one.kind]}/own{SUFFIXES[one.kind]}"


def _file(old: FileText, members: dict[tuple[str, str], Wanted]) -> str:
    blocks: list[tuple[int, str, bool]] = []
    for entry in old.entries:
        one = members.get((entry.kind, entry.name))
        if one is None:
            blocks.append((entry.position, _kept_lead(entry, first=entry is old.entries[0]), False))
        elif one.same:
            blocks.append((one.position, entry.lead + entry.raw, False))
        else:
            blocks.append((one.position, entry.lead + changed_block(entry, one.data), False))
    known = {(entry.kind, entry.name) for entry in old.entries}
    added = [one for key, one in members.items() if key not in known]
    # From the last to the first, each before what stands at its place: a record that is brought back stands
    # where it stood, although its successor has moved up meanwhile.
    for one in sorted(added, key=lambda one: (one.position, one.name), reverse=True):
        later = (i for i, block in enumerate(blocks) if block[0] >= one.position)
        blocks.insert(next(later, len(blocks)), (one.position, canonical(one.kind, one.data), True))
    text = old.head or (_csv_row(COLUMNS) if old.home.endswith(".csv") else "")
    if not old.entries:
        text += old.tail
    parts = [text]
    for number, (_, block, is_new) in enumerate(blocks):
        if is_new:
            if parts[-1] and not parts[-1].endswith("\n"):
                parts.append("\n")
            # Between two records of BibTeX stands an empty line, as in every .bib file.
            if old.home == REFERENCES:
                block = f"\n{block}" if any(parts) else block
                block += "\n" if number == 0 and len(blocks) > 1 and not blocks[1][2] else ""
        parts.append(block)
    return "".join(parts) + (old.tail if old.entries else "")


def _kept_lead(entry: Entry, first: bool) -> str:
    """What stays of the lines before a removed record: not the comment that stands directly above it."""
    if first or not entry.lead.endswith("\n"):
        return entry.lead
    lines = entry.lead.split("\n")[:-1]
    while lines and lines[-1].strip():
        lines.pop()
    return "".join(f"{line}\n" for line in lines)


def write_library(library: LibraryText, wanted: Iterable[Wanted], folder: Path | None = None) -> list[str]:
    """Write the files that change; a file is replaced in one step, after its new text is safe on the disk.

    Args:
        folder: where to write; the library's own folder when None, else every file is written there.

    Returns: the paths of the files that were written or removed.

    Raises:
        KbError: when a file cannot be written. Files that were written before it stand; each is whole.
    """
    changed = put_together(library, wanted)
    for home, text in changed.items():
        if text is not None:
            _check(home, text)
    homes = set(changed)
    if folder is not None and folder != library.folder:
        homes = {home for home in homes | set(library.files) if changed.get(home, "") is not None}
    target = folder or library.folder
    # Sources first: where writing is cut off, what cites them finds them.
    for home in sorted(homes, key=lambda home: (home != REFERENCES, home)):
        text = changed[home] if home in changed else str(library.files[home])
        path = target / home
        if not path.parent.resolve().is_relative_to(target.resolve()):
            raise KbError(f"{path.parent} is a symbolic link out of the library", "put a folder in its place")
        if text is None:
            path.unlink(missing_ok=True)
        else:
            write_file(path, text.encode("utf-8"))
    return sorted(homes)


def _check(home: str, text: str) -> None:
    """What is written must be what can be read: asked before anything is written."""
    check_size(home, len(text.encode("utf-8")))
    _, problems = readers.read(home, kind_of(home) or "", text)
    if problems:
        raise KbError(f"{problems[0]}", "its text was not written: please report this")


def write_file(path: Path, content: bytes) -> None:
    """Replace a file in one step: a temporary file beside it, on the disk, then renamed.

    Raises:
        KbError: naming the file; the file is then as it was.
    """
    half: str | None = None
    try:
        path = path.resolve() if path.is_symlink() else path
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, half = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(descriptor, "wb") as file:
            _write_all(file, content)
            file.flush()
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~umask
        Path(half).chmod(mode)
        Path(half).replace(path)
        _settle(path.parent)
    except OSError as error:
        if half:
            Path(half).unlink(missing_ok=True)
        raise KbError(
            f"{path} cannot be written: {error.strerror or error}", "the file is as it was before"
        ) from None


def _write_all(file: io.BufferedIOBase | Any, content: bytes) -> None:
    file.write(content)


def _settle(folder: Path) -> None:
    """Make a rename in `folder` last over a power cut, where the file system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
