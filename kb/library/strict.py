"""YAML as the library allows it: mappings, lists, text, true, false and null, and where each stands.

Anchors, aliases, tags, keys named twice and deep nesting are refused: a file that people review must say
what it means where it says it. A plain number stays the text that it is; the record's model makes a
number of it where it asks for one. So `date: 2023` is a date, and no version 1.10 becomes 1.1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

from kb.errors import KbError, shown

MAX_DEPTH = 24
WIDTH = 100
Path = tuple[str | int, ...]

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Quoting(_Dumper):  # type: ignore[misc]
    """Puts every text in double quotes, for what the emitter gets wrong otherwise."""

    def represent_quoted(self, text: str) -> Any:
        return self.represent_scalar("tag:yaml.org,2002:str", text, style='"')


_Quoting.add_representer(str, _Quoting.represent_quoted)
_CONSTANTS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


class BadYaml(KbError):
    """Text that is not the YAML of the library. `line` is the line that is wrong, from 1."""

    def __init__(self, where: str, line: int, what: str) -> None:
        super().__init__(f"{where}:{line}: {what}")
        self.line = line
        self.what = what


@dataclass
class Item:
    """One value with its place: offsets of its first and behind its last character, in characters.

    `keys` are the offsets at which the keys of a mapping in block style stand; empty in flow style.
    """

    data: Any
    start: int
    end: int
    line: int
    keys: list[tuple[str, int]] = field(default_factory=list)


class _Reader:
    """Makes plain data from the parser's events, and notes the line of each path where asked to."""

    def __init__(self, text: str, where: str, lines: dict[Path, int] | None = None, first: int = 1) -> None:
        self.where = where
        self.lines = lines
        self.first = first
        self.end = 0
        self.parser = _Loader(text)

    def next(self) -> Any:
        event = self.parser.get_event()
        if getattr(event, "anchor", None) is not None:
            alias = isinstance(event, yaml.AliasEvent)
            self.refuse(event, f"YAML {'aliases' if alias else 'anchors'} are refused: write it out")
        if getattr(event, "tag", None) is not None:
            self.refuse(event, "YAML tags are refused")
        return event

    def refuse(self, event: Any, what: str) -> None:
        raise BadYaml(self.where, self.first + event.start_mark.line, what)

    def opened(self) -> Any:
        """The event that starts the first document's content; None where there is none."""
        self.parser.get_event()
        if isinstance(self.parser.get_event(), yaml.StreamEndEvent):
            return None
        return self.next()

    def closed(self) -> None:
        self.parser.get_event()
        event = self.parser.get_event()
        if not isinstance(event, yaml.StreamEndEvent):
            self.refuse(event, "a second document; one file holds one")

    def value(self, event: Any, path: Path = (), item: Item | None = None) -> Any:
        """The data that starts with `event`; `item` receives the offsets of the mapping's own keys."""
        if isinstance(event, yaml.ScalarEvent):
            self._passed(event)
            plain = event.implicit[0] and event.style in ("", None)
            return _CONSTANTS.get(event.value, event.value) if plain else event.value
        if len(path) >= MAX_DEPTH:
            self.refuse(event, f"nested more than {MAX_DEPTH} deep")
        data: Any = [] if isinstance(event, yaml.SequenceStartEvent) else {}
        if isinstance(data, list):
            while not isinstance(inner := self.next(), yaml.SequenceEndEvent):
                here = (*path, len(data))
                self._note(here, inner)
                data.append(self.value(inner, here))
        else:
            while not isinstance(inner := self.next(), yaml.MappingEndEvent):
                key = self._key(inner, data)
                here = (*path, key)
                self._note(here, inner)
                if item is not None and not event.flow_style:
                    item.keys.append((key, inner.start_mark.index))
                data[key] = self.value(self.next(), here)
        if event.flow_style:
            self._passed(inner)
        return data

    def _key(self, event: Any, data: dict[str, Any]) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            self.refuse(event, "a key must be a word")
        self._passed(event)
        if event.value in data:
            self.refuse(event, f"{shown(event.value, 40)} stands twice in one mapping")
        return str(event.value)

    def _note(self, path: Path, event: Any) -> None:
        if self.lines is not None:
            self.lines[path] = self.first + event.start_mark.line

    def _passed(self, event: Any) -> None:
        """Content ends here; a block scalar's own end is the start of the line after it."""
        mark = event.end_mark
        self.end = mark.index - 1 if mark.column == 0 and mark.index else mark.index


def _told(where: str, first: int, error: yaml.YAMLError) -> BadYaml:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or getattr(error, "reason", None) or "is no YAML"
    if "nesting" in what:  # newer versions of the parser look ahead and stop at a depth of their own
        what = f"nested more than {MAX_DEPTH} deep"
    return BadYaml(where, first + (mark.line if mark else 0), " ".join(str(what).split()))


def load(text: str, where: str, *, first: int = 1, lines: dict[Path, int] | None = None) -> Any:
    """The data of one document. `lines` receives the line of every path; None for an empty document.

    Raises:
        BadYaml: naming `where` and the line, counted from `first`.
    """
    try:
        reader = _Reader(text, where, lines, first)
        try:
            event = reader.opened()
            if event is None:
                return None
            data = reader.value(event)
            reader.closed()
            return data
        finally:
            reader.parser.dispose()
    except yaml.YAMLError as error:
        raise _told(where, first, error) from None


def items(text: str, where: str) -> list[Item]:
    """The items of a document that is a list in block style, with their places.

    Raises:
        BadYaml: naming `where` and the line.
    """
    try:
        reader = _Reader(text, where)
        try:
            event = reader.opened()
            if event is None or (isinstance(event, yaml.ScalarEvent) and event.value == ""):
                return []
            if not isinstance(event, yaml.SequenceStartEvent) or event.flow_style:
                reader.refuse(event, "must be a list, each record starting with `- `")
            found = []
            while not isinstance(inner := reader.next(), yaml.SequenceEndEvent):
                mark = inner.start_mark
                item = Item(None, mark.index, mark.index, mark.line + 1)
                item.data = reader.value(inner, (), item)
                item.end = reader.end
                found.append(item)
            reader.closed()
            return found
        finally:
            reader.parser.dispose()
    except yaml.YAMLError as error:
        raise _told(where, 1, error) from None


def document(text: str, where: str) -> Item | None:
    """The one mapping of a document, with the places of its keys; None for an empty document.

    Raises:
        BadYaml: naming `where` and the line.
    """
    try:
        reader = _Reader(text, where)
        try:
            event = reader.opened()
            if event is None or (isinstance(event, yaml.ScalarEvent) and event.value == ""):
                return None
            mark = event.start_mark
            item = Item(None, mark.index, mark.index, mark.line + 1)
            item.data = reader.value(event, (), item)
            item.end = reader.end
            reader.closed()
            return item
        finally:
            reader.parser.dispose()
    except yaml.YAMLError as error:
        raise _told(where, 1, error) from None


def dump(data: Any) -> str:
    """Canonical YAML: block style, folded at 100 columns, keys in their order, whole numbers without point.

    What is written reads back as the same data; text for which the emitter fails at that is quoted.
    """
    whole = _whole(data)
    text = _dump(whole, _Dumper)
    return text if load(text, "") == _texts(whole) else _dump(whole, _Quoting)


def _dump(data: Any, dumper: Any) -> str:
    return str(
        yaml.dump(
            data, Dumper=dumper, default_flow_style=False, width=WIDTH, allow_unicode=True, sort_keys=False
        )
    )


def _whole(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _whole(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_whole(value) for value in data]
    if isinstance(data, float) and data.is_integer() and abs(data) < 1e15:
        return int(data)
    return data


def _texts(data: Any) -> Any:
    """`data` as `load` gives it back: numbers as text."""
    if isinstance(data, dict):
        return {key: _texts(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_texts(value) for value in data]
    if isinstance(data, (int, float)) and not isinstance(data, bool):
        return load(_dump(data, _Dumper), "")
    return data
