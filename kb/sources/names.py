"""Names of people in BibTeX's notation, split before anything in them is decoded."""

from __future__ import annotations

import re
from typing import NamedTuple

_MARK = re.compile(r"[{}]|\s+and(?=\s)", re.IGNORECASE)
_TOKEN = re.compile(r"[{}]|,|[\s~]+")


class Name(NamedTuple):
    """The parts of a name, still in BibTeX's notation. A corporate name is `last` alone, in its braces."""

    first: str
    von: str
    last: str
    junior: str

    def __str__(self) -> str:
        return " ".join(part for part in (self.first, self.von, self.last, self.junior) if part)


def split(names: str) -> list[str]:
    """The names of a list joined by `and`; an `and` within braces joins nothing."""
    found: list[str] = []
    depth = start = 0
    for match in _MARK.finditer(names):
        mark = match.group()
        if mark == "{":
            depth += 1
        elif mark == "}":
            depth = max(depth - 1, 0)
        elif depth == 0:
            found.append(names[start : match.start()])
            start = match.end()
    found.append(names[start:])
    return [name for name in (one.strip() for one in found) if name]


def parse(name: str) -> Name:
    """One name by BibTeX's rules: `First von Last`, `von Last, First` or `von Last, Jr, First`.

    A word whose first letter outside braces is lower case belongs to the von part. Method: Oren Patashnik,
    "Designing BibTeX styles", section 4.
    """
    sections = _sections(name)
    if not sections[0]:
        return Name("", "", name.strip(), "")
    if len(sections) == 1:
        words = sections[0]
        if len(words) == 1:
            return Name("", "", words[0], "")
        low = [i for i, word in enumerate(words[:-1]) if _is_low(word)]
        if not low:
            return Name(" ".join(words[:-1]), "", words[-1], "")
        return Name(
            " ".join(words[: low[0]]),
            " ".join(words[low[0] : low[-1] + 1]),
            " ".join(words[low[-1] + 1 :]),
            "",
        )
    words = sections[0]
    low = [i for i, word in enumerate(words[:-1]) if _is_low(word)]
    cut = low[-1] + 1 if low else 0
    junior = " ".join(sections[1]) if len(sections) > 2 else ""
    first = " ".join(word for section in sections[2 if len(sections) > 2 else 1 :] for word in section)
    return Name(first, " ".join(words[:cut]), " ".join(words[cut:]), junior)


def _sections(name: str) -> list[list[str]]:
    """Words of a name, in the sections that commas outside braces make."""
    sections: list[list[str]] = [[]]
    depth = start = 0

    def end_word(end: int) -> None:
        if end > start:
            sections[-1].append(name[start:end])

    for match in _TOKEN.finditer(name):
        mark = match.group()
        if mark == "{":
            depth += 1
        elif mark == "}":
            depth = max(depth - 1, 0)
        elif depth == 0:
            end_word(match.start())
            start = match.end()
            if mark == ",":
                sections.append([])
    end_word(len(name))
    full = [section for section in sections if section]
    return full or [[]]


def _is_low(word: str) -> bool:
    r"""Whether the first letter outside braces is lower case; a special character `{\'e}` counts as one."""
    depth = 0
    special = False
    skip = False
    for i, char in enumerate(word):
        if char == "{":
            depth += 1
            special = special or (depth == 1 and word[i + 1 : i + 2] == "\\")
        elif char == "}":
            depth -= 1
        elif char == "\\":
            skip = True
        elif char.isalpha():
            # The letters of a command such as \relax are not the word's; those of \'e are.
            if skip and len(word) > i + 1 and word[i + 1].isalpha():
                continue
            if depth == 0 or special:
                return char.islower()
        else:
            skip = False
    return False
