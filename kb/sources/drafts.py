"""Entries of BibTeX on their way to records, in the order of the file; what they hold waits on the disk."""

from __future__ import annotations

import json
from array import array
from dataclasses import dataclass

from kb.spill import Spill


@dataclass
class Draft:
    """An entry on its way to a record: key and type as written, field names in lower case.

    `start` is the offset in the whole text at which `raw`, the entry's own text, stands; `line` its line.
    """

    type: str
    key: str
    fields: dict[str, str]
    start: int
    line: int
    raw: str


class Drafts:
    """Drafts by number. In memory are their keys; each access makes a new one from what was kept.

    `keys` are their keys in order, `waiting` the numbers of those that take fields from others.
    """

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.waiting: list[int] = []
        self._texts = Spill()
        self._places = array("Q")  # of each draft: its text, and its own text as it was written

    def add(self, draft: Draft) -> None:
        """Keep another draft."""
        if "crossref" in draft.fields or "xdata" in draft.fields:
            self.waiting.append(len(self.keys))
        self.keys.append(draft.key)
        self._places.append(self._texts.add(_text(draft)))
        self._places.append(self._texts.add(draft.raw))

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, number: int) -> Draft:
        type_, key, fields, start, line = json.loads(self._texts[self._places[2 * number]])
        return Draft(type_, key, fields, start, line, self._texts[self._places[2 * number + 1]])

    def __setitem__(self, number: int, draft: Draft) -> None:
        """Keep other fields of a draft that is there."""
        self._places[2 * number] = self._texts.add(_text(draft))


def _text(draft: Draft) -> str:
    return json.dumps([draft.type, draft.key, draft.fields, draft.start, draft.line], ensure_ascii=False)
