"""crossref and xdata, resolved: an entry of the library stands on its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from kb.sources.drafts import Draft, Drafts
from kb.sources.room import Room

_FROM_PARENT = (
    "booktitle", "editor", "publisher", "year", "date", "month", "series", "volume", "number", "address",
    "location", "organization", "institution", "school", "journal", "journaltitle", "edition", "eventtitle",
    "eventdate", "venue", "isbn", "issn",
)  # fmt: skip
"""What a part has from the whole. Not its identifiers and addresses: a chapter is not its book's DOI."""


_TOO_MUCH = "would give too much: entries of this file repeat far more than it holds"

Told = tuple[Draft, str, Literal["value", "nothing"]]
"""An entry, what happened to it, and what is lost."""


def inherit(drafts: Drafts, room: Room) -> Iterator[Told]:
    """Resolve `crossref` and `xdata` in place; yields (entry, what happened, what is lost).

    The pointer stays as `xref`, which biblatex defines as a pointer that inherits nothing.
    """
    if drafts.waiting:
        heirs = _Heirs(drafts, room)
        for number in drafts.waiting:
            yield from heirs.resolve(number)


class _Heirs:
    """Entries that take fields from others. `_under_way` are those that wait for what others take first."""

    def __init__(self, drafts: Drafts, room: Room) -> None:
        self._drafts = drafts
        self._room = room
        self._by_key: dict[str, int] = {}
        for number, key in enumerate(drafts.keys):
            self._by_key.setdefault(key.lower(), number)
        self._under_way: set[int] = set()

    def resolve(self, number: int) -> Iterator[Told]:
        """Resolve one entry and what it takes fields from: as many after each other as there are, so no recursion."""
        waiting = [self._steps(number)]
        while waiting:
            step = next(waiting[-1], None)
            if step is None:
                waiting.pop()
            elif isinstance(step, int):
                waiting.append(self._steps(step))
            else:
                yield step

    def _steps(self, number: int) -> Iterator[Told | int]:
        """What is told of an entry, and the number of each that has to be resolved before the next step."""
        draft = self._drafts[number]
        containers = draft.fields.pop("xdata", "")
        pointer = draft.fields.pop("crossref", "")
        if not containers and not pointer:
            return
        self._under_way.add(number)
        for name in dict.fromkeys(filter(None, map(str.strip, containers.split(",")))):
            yield from self._take_from_container(draft, name)
        if pointer:
            draft.fields.setdefault("xref", pointer)
            yield from self._take_from_parent(draft, pointer)
        self._drafts[number] = draft
        self._under_way.discard(number)

    def _take_from_container(self, draft: Draft, name: str) -> Iterator[Told | int]:
        container, why_not = self._found(name)
        if container is not None:
            yield container
            given = self._given(container)
            if given is not None:
                for field, value in given.items():
                    if field not in ("ids", "entrysubtype"):
                        draft.fields.setdefault(field, value)
                yield draft, f"fields of xdata {name} are written into it", "nothing"
                return
            why_not = _TOO_MUCH
        yield draft, f"xdata {name} {why_not}; what it would give is missing", "value"

    def _take_from_parent(self, draft: Draft, pointer: str) -> Iterator[Told | int]:
        parent, why_not = self._found(pointer)
        if parent is None:
            yield draft, f"crossref {pointer} {why_not}; kept as xref, nothing inherited", "nothing"
            return
        yield parent
        given = self._given(parent)
        if given is None:
            yield draft, f"crossref {pointer} {_TOO_MUCH}; kept as xref, nothing inherited", "value"
            return
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

    def _found(self, name: str) -> tuple[int | None, str]:
        """The entry of that name that fields can be taken from, or why there is none."""
        number = self._by_key.get(name.lower())
        if number is None:
            return None, "is not in this file"
        return (None, "goes in a circle") if number in self._under_way else (number, "")

    def _given(self, number: int) -> dict[str, str] | None:
        """The fields of an entry, once more; None where the file's entries have given each other too much already."""
        if not self._room.left:
            return None
        fields = self._drafts[number].fields
        return fields if self._room.take(sum(map(len, fields.values()))) else None
