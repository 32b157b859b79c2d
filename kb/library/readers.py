"""One reader for each format of the library: YAML lists, YAML documents, BibTeX, CSV -> records with text."""

from __future__ import annotations

import csv
import difflib
import re
import typing
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from kb import records
from kb.errors import shown
from kb.library import strict
from kb.library.text import Entry, FileText, Problem
from kb.lines import Lines

COLUMNS = tuple(records.Figure.model_fields)
_COMMENT = re.compile(r"[ \t]*#")


def read(home: str, kind: str, text: str) -> tuple[FileText, list[Problem]]:
    """The file's records and everything that is wrong with it; `text` is UTF-8 with LF."""
    file = FileText(home)
    problems: list[Problem] = []
    file.entries = list(entries(file, kind, text, problems))
    return file, problems


def entries(file: FileText, kind: str, text: str, problems: list[Problem]) -> Iterator[Entry]:
    """The records of a file, one by one.

    Args:
        file: receives its head and, at the end, its tail; no records.
        problems: receives everything that is wrong.
    """
    reader = {"source": _bibtex, "figure": _table, "talk": _document}.get(kind, _list)
    try:
        yield from reader(file, text, problems)
    except strict.BadYaml as error:
        file.tail = text
        problems.append(Problem(file.home, error.line, error.what))


def parsed(
    home: str, kind: str, data: object, text: str, line: int, in_list: bool
) -> records.Record | list[Problem]:
    """The record, or what is wrong with it: each problem with the line of its field."""
    try:
        return records.parse(kind, data)
    except records.InvalidRecord as error:
        lines: dict[strict.Path, int] = {}
        if text:
            strict.load(text, home, first=line, lines=lines)
        told = error.name or "(without a name)"
        problems = []
        for path, what in error.problems:
            full = (0, *path) if in_list else path
            while full not in lines and full:
                full = full[:-1]
            field = ".".join(str(part) for part in path)
            near = _nearest_field(kind, path) if what.startswith("Extra inputs") else ""
            what = "is no field of it" + near if what.startswith("Extra inputs") else what
            problems.append(
                Problem(
                    home,
                    lines.get(full, line),
                    f"{kind} {shown(told)}: {f'{field}: ' if field else ''}{what}",
                )
            )
        return problems


def _nearest_field(kind: str, path: tuple[str | int, ...]) -> str:
    model: Any = records.MODELS[kind]
    for part in path[:-1]:
        if isinstance(part, str) and isinstance(model, type) and issubclass(model, BaseModel):
            found = model.model_fields.get(part)
            model = _model_in(found.annotation) if found else None
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return ""
    near = difflib.get_close_matches(str(path[-1]), list(model.model_fields), 1, 0.5)
    return f"; did you mean `{near[0]}`?" if near else f" (fields: {', '.join(model.model_fields)})"


def _model_in(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in typing.get_args(annotation):
        found = _model_in(inner)
        if found is not None:
            return found
    return None


def _list(file: FileText, text: str, problems: list[Problem]) -> Iterator[Entry]:
    home, kind = file.home, "claim"
    cursor = 0
    items = strict.items(text, home)
    lines = Lines(text)
    for number, item in enumerate(items):
        start = _dash(text, item.start, cursor)
        following = items[number + 1].start if number + 1 < len(items) else len(text)
        limit = _dash(text, following, item.end) if number + 1 < len(items) else len(text)
        end = _end_of_block(text, item.end, limit, start - (text.rfind("\n", 0, start) + 1))
        raw = text[start:end]
        line = lines.at(start)
        found = parsed(home, kind, item.data, raw, line, in_list=True)
        if isinstance(found, list):
            problems += found
            continue
        keys = [(key, offset - start) for key, offset in item.keys]
        yield Entry(kind, records.name_of(found), found, home, number, line, text[cursor:start], raw, keys)
        cursor = end
    file.tail = text[cursor:]


def _dash(text: str, start: int, floor: int) -> int:
    """Start of the line on which the `- ` of the item at `start` stands; comments may stand between."""
    at = text.rfind("\n", 0, start) + 1
    while at > floor and not text[at:start].lstrip(" ").startswith("-"):
        at = text.rfind("\n", 0, at - 1) + 1
    return max(at, floor)


def _end_of_block(text: str, end: int, limit: int, indent: int) -> int:
    """End of the item's last line, with comment lines after it that are indented as its fields are."""
    at = text.find("\n", end)
    at = limit if at < 0 else at + 1
    while at < limit:
        stop = text.find("\n", at)
        stop = limit if stop < 0 else stop + 1
        line = text[at:stop]
        if not (_COMMENT.match(line) and len(line) - len(line.lstrip(" ")) > indent):
            break
        at = stop
    return min(at, limit)


def _document(file: FileText, text: str, problems: list[Problem]) -> Iterator[Entry]:
    item = strict.document(text, file.home)
    found = parsed(file.home, "talk", item.data, text, 1, in_list=False) if item else []
    if item is None or isinstance(found, list):
        file.tail = text
        problems += found if isinstance(found, list) else []
        return
    start = text.rfind("\n", 0, item.start) + 1
    keys = [(key, offset - start) for key, offset in item.keys]
    line = text.count("\n", 0, start) + 1
    yield Entry("talk", records.name_of(found), found, file.home, 0, line, text[:start], text[start:], keys)


def _bibtex(file: FileText, text: str, problems: list[Problem]) -> Iterator[Entry]:
    from kb.sources import bibtex

    home = file.home
    failures: list[bibtex.Failure] = []
    cursor = 0
    for position, (source, draft) in enumerate(bibtex.placed(text, where=home, failures=failures)):
        start, end = draft.start, draft.start + len(draft.raw)
        end = end + 1 if text[end : end + 1] == "\n" else end
        yield Entry(
            "source", source.key, source, home, position, draft.line, text[cursor:start], text[start:end]
        )
        cursor = end
    file.tail = text[cursor:]
    problems += [
        Problem(home, failure.line, f"{failure.key}: {failure.what}" if failure.key else failure.what)
        for failure in failures
    ]


def _table(file: FileText, text: str, problems: list[Problem]) -> Iterator[Entry]:
    home = file.home
    if not text.strip():
        file.tail = text
        return
    rows = _rows(text)
    try:
        header, head, _ = next(rows)
    except csv.Error as error:
        problems.append(Problem(home, 1, f"is no CSV: {error}"))
        return
    unknown = [name for name in header if name not in COLUMNS]
    absent = [name for name in COLUMNS if name not in header]
    if unknown or absent or len(set(header)) != len(header):
        what = f"unknown column {shown(unknown[0])}" if unknown else f"no column {', '.join(absent)}"
        what = what if unknown or absent else "a column stands twice"
        problems.append(Problem(home, 1, f"{what}; the columns are {','.join(COLUMNS)}"))
        return
    file.head = head
    at, position, lead = len(head), 0, ""
    while True:
        try:
            cells, raw, line = next(rows)
        except StopIteration:
            break
        except csv.Error as error:
            problems.append(Problem(home, text.count("\n", 0, at) + 1, f"is no CSV: {error}"))
            break
        at += len(raw)
        if not any(cells):
            lead += raw
            continue
        if len(cells) != len(header):
            problems.append(Problem(home, line, f"{len(cells)} cells under {len(header)} columns"))
            continue
        data = {name: cell for name, cell in zip(header, cells, strict=True) if cell != ""}
        found = parsed(home, "figure", data, "", line, in_list=False)
        if isinstance(found, list):
            problems += found
            continue
        yield Entry("figure", records.name_of(found), found, home, position, line, lead, raw)
        position += 1
        lead = ""
    file.tail = lead


def _rows(text: str) -> Iterator[tuple[list[str], str, int]]:
    """Rows as (cells, their text, line number); a row may go over several lines."""
    taken: list[str] = []

    def lines() -> Iterator[str]:
        at = 0
        while at < len(text):
            end = text.find("\n", at) + 1 or len(text)
            taken.append(text[at:end])
            yield taken[-1]
            at = end

    line = 1
    for cells in csv.reader(lines(), strict=True):
        raw = "".join(taken)
        yield cells, raw, line
        line += len(taken)
        taken.clear()
