"""crossref and xdata, resolved: an entry of the library stands on its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from kb.sources.drafts import Draft, Drafts

_FROM_PARENT = (
    "booktitle", "editor", "publisher", "year", "date", "month", "series", "volume", "number", "address",
    "location", "organization", "institution", "school", "journal", "journaltitle", "edition", "eventtitle",
    "eventdate", "venue", "isbn", "issn",
)  # fmt: skip
"""What a part has from the whole. Not its identifiers and addresses: a chapter is not its book's DOI."""


Told = tuple[Draft, str, Literal["value", "nothing"]]
"""An entry, what happened to it, and what is lost."""


def inherit(drafts: Drafts) -> Iterator[Told]:
    """Resolve `crossref` and `xdata` in place; yields (entry, what happened, what is lost).

    The pointer stays as `xref`, which biblatex defines as a pointer that inherits nothing.
    """
    if not drafts.waiting:
        return
    by_key: dict[str, int] = {}
    for number, key in enumerate(drafts.keys):
        by_key.setdefault(key.lower(), number)
    for number in drafts.waiting:
        yield from _resolve(drafts, number, by_key, [])


def _resolve(drafts: Drafts, number: int, by_key: dict[str, int], below: list[int]) -> Iterator[Told]:
    """Resolve one entry and what it takes fields from; `below` are the entries that it is resolved for."""
    draft = drafts[number]
    containers = draft.fields.pop("xdata", "")
    pointer = draft.fields.pop("crossref", "")
    if not containers and not pointer:
        return
    above = [*below, number]
    for name in filter(None, map(str.strip, containers.split(","))):
        container = by_key.get(name.lower())
        if container is not None and container not in above:
            yield from _resolve(drafts, container, by_key, above)
            for field, value in drafts[container].fields.items():
                if field not in ("ids", "entrysubtype"):
                    draft.fields.setdefault(field, value)
            yield draft, f"fields of xdata {name} are written into it", "nothing"
        else:
            yield draft, f"xdata {name} is not in this file; what it would give is missing", "value"
    if pointer:
        yield from _take_from_parent(drafts, draft, pointer, by_key, above)
    drafts[number] = draft


def _take_from_parent(
    drafts: Drafts, draft: Draft, pointer: str, by_key: dict[str, int], above: list[int]
) -> Iterator[Told]:
    draft.fields.setdefault("xref", pointer)
    parent = by_key.get(pointer.lower())
    if parent is None or parent in above:
        yield draft, f"crossref {pointer} is not in this file; kept as xref, nothing inherited", "nothing"
        return
    yield from _resolve(drafts, parent, by_key, above)
    given = drafts[parent].fields
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
