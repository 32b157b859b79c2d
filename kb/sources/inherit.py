"""crossref and xdata, resolved: an entry of the library stands on its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

_FROM_PARENT = (
    "booktitle", "editor", "publisher", "year", "date", "month", "series", "volume", "number", "address",
    "location", "organization", "institution", "school", "journal", "journaltitle", "edition", "eventtitle",
    "eventdate", "venue", "isbn", "issn",
)  # fmt: skip
"""What a part has from the whole. Not its identifiers and addresses: a chapter is not its book's DOI."""


@dataclass
class Draft:
    """An entry on its way to a record: key and type as written, field names in lower case."""

    type: str
    key: str
    fields: dict[str, str]
    start: int
    end: int
    line: int


def inherit(drafts: list[Draft]) -> Iterator[tuple[Draft, str, Literal["value", "nothing"]]]:
    """Resolve `crossref` and `xdata` in place; yields (entry, what happened, what is lost).

    The pointer stays as `xref`, which biblatex defines as a pointer that inherits nothing.
    """
    by_key: dict[str, Draft] = {}
    for draft in drafts:
        by_key.setdefault(draft.key.lower(), draft)
    waiting = [draft for draft in drafts if "crossref" in draft.fields or "xdata" in draft.fields]
    for draft in waiting:
        yield from _resolve(draft, by_key, [])


def _resolve(
    draft: Draft, by_key: dict[str, Draft], below: list[Draft]
) -> Iterator[tuple[Draft, str, Literal["value", "nothing"]]]:
    for name in filter(None, map(str.strip, draft.fields.pop("xdata", "").split(","))):
        container = by_key.get(name.lower())
        if container is not None and container is not draft and container not in below:
            yield from _resolve(container, by_key, [*below, draft])
            for field, value in container.fields.items():
                if field not in ("ids", "entrysubtype"):
                    draft.fields.setdefault(field, value)
            yield draft, f"fields of xdata {name} are written into it", "nothing"
        else:
            yield draft, f"xdata {name} is not in this file; what it would give is missing", "value"
    pointer = draft.fields.pop("crossref", "")
    if not pointer:
        return
    draft.fields.setdefault("xref", pointer)
    parent = by_key.get(pointer.lower())
    if parent is None or parent is draft or parent in below:
        yield draft, f"crossref {pointer} is not in this file; kept as xref, nothing inherited", "nothing"
        return
    yield from _resolve(parent, by_key, [*below, draft])
    given = dict(parent.fields)
    if "title" in given:
        given.setdefault("booktitle", given["title"])
    taken = [name for name in _FROM_PARENT if name in given and name not in draft.fields]
    for name in taken:
        draft.fields[name] = given[name]
    what = (
        f"has {', '.join(taken)} from crossref {pointer}"
        if taken
        else f"crossref {pointer} gave nothing more"
    )
    yield draft, what + "; kept as xref", "nothing"
