"""BibTeX keys: family name, year, first word of the title that says something, as in chen2021decision."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

_NOT_IN_KEY = re.compile(r"[^A-Za-z0-9_:.+-]+")
_SAY_NOTHING = frozenset(
    {
        "a", "an", "and", "are", "as", "at", "be", "but", "by", "can", "do", "does", "for", "from", "how",
        "in", "into", "is", "it", "its", "not", "of", "on", "or", "our", "that", "the", "their", "this",
        "to", "towards", "toward", "under", "via", "we", "what", "when", "where", "which", "who", "why",
        "with", "you", "your",
    }
)  # fmt: skip


def suggest(family: str, year: str, title: str) -> str:
    """The key for a work: `family` of its first author, `year`, and `title` as plain text.

    The same work always gets the same key; whether it is free is for `free` to see.
    """
    words = re.findall(r"[^\W_]+", plain(title.replace("-", "").replace("'", "").replace("’", "")).lower())
    word = next((w for w in words if w not in _SAY_NOTHING and len(w) > 1), "")
    name = re.sub(r"[^a-z]+", "", plain(family.lower()).split(" and ")[0].removeprefix("the "))
    return (name[:30] + re.sub(r"\D", "", year)[:4] + word[:30]) or "source"


def plain(text: str) -> str:
    """`text` in ASCII: accents dropped, other letters that have no ASCII form gone."""
    text = text.translate(_LETTERS)
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


_LETTERS = str.maketrans(
    {
        "ø": "o",
        "Ø": "O",
        "ł": "l",
        "Ł": "L",
        "ß": "ss",
        "æ": "ae",
        "Æ": "Ae",
        "œ": "oe",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "ı": "i",
    }
)


def slug(text: str) -> str:
    """`text` as near to itself as a key can be; empty if nothing of it can stand in one."""
    return _NOT_IN_KEY.sub("-", plain(text)).strip("-_:.+")[:90]


def free(wanted: str, taken: Collection[str], tried: dict[str, int] | None = None) -> str:
    """`wanted`, or the first of wanted-2, wanted-3 ... that is not taken.

    Args:
        tried: for many keys after each other, none of which becomes free again: up to where each was tried.
    """
    if wanted not in taken:
        return wanted
    tried = {} if tried is None else tried
    first = tried.get(wanted, 2)
    tried[wanted] = next(n for n in range(first, first + len(taken) + 1) if f"{wanted}-{n}" not in taken)
    return f"{wanted}-{tried[wanted]}"
