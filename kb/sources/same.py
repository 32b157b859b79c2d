"""Whether two entries are one work: by identifier, or by title and authors together, never by title alone."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Literal
from urllib.parse import unquote, urlsplit

from kb.sources import keys, latex
from kb.sources.identifiers import arxiv_of, doi_of
from kb.sources.metadata import Person

Likeness = Literal["same", "near", "different"]

NEAR = 90.0
"""Similarity of two titles (rapidfuzz, 0 to 100) from which they are worth a look, never more than that."""
_ALIKE = 90.0
"""Similarity of family names of six letters or more: Wollschläger is Wollschlaeger, Chen is not Cheng."""
_NUMBER = re.compile(r"\d|^(?:i{1,3}|iv|vi{0,3}|ix)$")
_ABOUT_ANOTHER = frozenset(
    {
        "comment",
        "comments",
        "reply",
        "response",
        "rejoinder",
        "erratum",
        "correction",
        "corrigendum",
        "addendum",
    }
)
_STATE = re.compile(r"^\W*(?:retracted|withdrawn)(?: article| paper)?\W*[:\]]\s*", re.IGNORECASE)
_SUBTITLE = re.compile(r"(?<=\w)(?:[:?!.]\s+|\s+[-–—]\s+|\s*—\s*)")


def words(title: str) -> tuple[str, ...]:
    """The words of a title as plain text: without case, accents, punctuation and a mark of its retraction."""
    text = unicodedata.normalize("NFKD", _STATE.sub("", title)).casefold().replace("&", " and ")
    return tuple(re.findall(r"[^\W_]+", "".join(char for char in text if not unicodedata.combining(char))))


def titles(one: str, other: str) -> Likeness:
    """How two titles, as plain text, stand to each other.

    One without its subtitle is the same; titles that differ in a number, or of which one comments on the
    other, are different however alike they look.
    """
    mine, theirs = words(one), words(other)
    if not mine or not theirs:
        return "different"
    if "".join(mine) == "".join(theirs):
        return "same"
    if (mine[0] in _ABOUT_ANOTHER) != (theirs[0] in _ABOUT_ANOTHER):
        return "different"
    for short, long in ((mine, other), (theirs, one)):
        main = words(_SUBTITLE.split(_STATE.sub("", long).strip(), maxsplit=1)[0])
        if "".join(short) == "".join(main) and len(short) > 1:
            return "same"
    if _numbers(mine) != _numbers(theirs):
        return "different"
    from rapidfuzz import fuzz

    return "near" if fuzz.ratio(" ".join(mine), " ".join(theirs)) >= NEAR else "different"


def _numbers(title: tuple[str, ...]) -> list[str]:
    return [word for word in title if _NUMBER.search(word)]


def not_among(mine: Sequence[Person], theirs: Sequence[Person], *, by_family: bool = False) -> list[Person]:
    """Those of `mine` whom nobody among `theirs` can be; `by_family` whatever their given names."""
    match = _families if by_family else people
    return [one for one in mine if not any(match(one, other) for other in theirs)]


def overlap(mine: Sequence[Person], theirs: Sequence[Person], *, by_family: bool = False) -> bool:
    """Whether at least half of the shorter list of authors stands in the other."""
    shorter, longer = sorted((mine, theirs), key=len)
    return bool(shorter) and 2 * len(not_among(shorter, longer, by_family=by_family)) <= len(shorter)


def people(one: Person, other: Person) -> bool:
    """Whether two names can be one person's: family names alike, given names not at odds."""
    mine, theirs = _tokens(str(one)), _tokens(str(other))
    if mine and sorted(mine) == sorted(theirs):
        return True  # the same words, family and given name swapped
    given, given_other = _tokens(one.given), _tokens(other.given)
    if given and given_other:
        length = 2 if min(len(given[0]), len(given_other[0])) > 2 else 1  # Mike is Michael, Jane not John
        if given[0][:length] != given_other[0][:length]:
            return False
    return _families(one, other)


def _families(one: Person, other: Person) -> bool:
    family, family_other = _tokens(one.family), _tokens(other.family)
    if not family or not family_other:
        return False
    if set(family) <= set(_tokens(str(other))) or set(family_other) <= set(_tokens(str(one))):
        return True
    from rapidfuzz import fuzz

    short = min(len("".join(family)), len("".join(family_other)))
    return short >= 6 and fuzz.ratio("".join(family), "".join(family_other)) >= _ALIKE


def _tokens(name: str) -> list[str]:
    """The words of a name without case and accents; a word that has no ASCII form stays as it is."""
    words_ = re.findall(r"[^\W_]+", re.sub("['’]", "", name).casefold())
    return [re.sub(r"[^a-z0-9]+", "", keys.plain(word)) or word for word in words_]


def identifiers(fields: dict[str, str]) -> dict[str, str]:
    """What an entry is found under: DOI, arXiv id, address; those it has, in one spelling each."""
    found = {"DOI": doi_of(fields), "arXiv id": arxiv_of(fields), "address": address(fields.get("url", ""))}
    return {name: value for name, value in found.items() if value}


def address(url: str) -> str:
    """An address as one compares it: without scheme, www, fragment and closing slash; empty for a bare host.

    The query stays: on many a site it names the page.
    """
    try:
        parts = urlsplit(latex.decode(url) if "\\" in url else url)
    except ValueError:
        return ""
    host = (parts.hostname or "").removeprefix("www.")
    path = unquote(parts.path).rstrip("/")
    if parts.scheme not in ("http", "https") or not host or not (path or parts.query):
        return ""
    return host + path + (f"?{parts.query}" if parts.query else "")
