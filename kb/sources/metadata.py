"""What a registry says of a source, in one shape for all of them, and the entry that it makes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from kb.sources import latex, names

MOST_AUTHORS = 5_000
"""More names than any paper has; what comes beyond is not kept."""


class Person(NamedTuple):
    """An author as plain text, not LaTeX. A group or an institution has a family name alone."""

    family: str
    given: str = ""
    suffix: str = ""

    def __str__(self) -> str:
        return " ".join(part for part in (self.given, self.family, self.suffix) if part)


class Notice(NamedTuple):
    """That something happened to a source: what, who says so, when, and the DOI of the notice."""

    state: str
    """retracted, withdrawn, concern or corrected: kept apart, a correction is no retraction."""
    said_by: str
    date: str = ""
    notice: str = ""


@dataclass(frozen=True)
class Metadata:
    """Title, authors and the rest of a source, as a registry has them. Text is plain, not LaTeX."""

    registry: str
    identifier: str
    title: str
    authors: list[Person] = field(default_factory=list)
    year: str = ""
    month: str = ""
    """As BibTeX's macros spell it out: January."""
    type: str = "misc"
    fields: dict[str, str] = field(default_factory=dict)
    """Further BibTeX fields: journal, volume, doi, eprint, url ..."""
    notices: list[Notice] = field(default_factory=list)
    published_as: str = ""
    """DOI or reference of the published version, where this is a preprint that has one."""


_GROUP = re.compile(
    r"\b(?:collaboration|consortium|team|group|foundation|institute|university)\b", re.IGNORECASE
)
_AS_THEY_ARE = ("doi", "url", "eprint", "archiveprefix", "primaryclass", "isbn", "issn", "urldate")
_UNSAFE_IN_ADDRESS = re.compile(r"[^A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]")


def person(name: str) -> Person:
    """A name as it is written out, `Jane van der Berg` or `Berg, Jane`, in its parts."""
    name = " ".join(name.replace("{", " ").replace("}", " ").split())
    if _GROUP.search(name):
        return Person(name)
    parts = names.parse(name)
    return Person(" ".join(filter(None, (parts.von, parts.last))), parts.first, parts.junior)


def authors_of(fields: dict[str, str]) -> list[Person]:
    """The authors of a BibTeX entry as plain text, without `others`."""
    people = []
    for one in names.split(fields.get("author") or fields.get("editor") or ""):
        parts = names.parse(one)
        family = latex.decode(" ".join(filter(None, (parts.von, parts.last))))
        if family.lower() not in ("others", "et al."):
            people.append(Person(family, latex.decode(parts.first), latex.decode(parts.junior)))
    return people


def entry_fields(found: Metadata) -> dict[str, str]:
    """The fields of a BibTeX entry for what was found, in the usual order; identifiers as they are."""
    fields = {
        "author": " and ".join(_bibtex(author) for author in found.authors),
        "title": latex.encode_title(found.title),
    }
    for name in ("booktitle", "journal", "howpublished", "volume", "number", "pages", "publisher"):
        fields[name] = latex.encode(found.fields.get(name, ""))
    fields |= {"year": latex.encode(found.year), "month": found.month}
    for name, value in found.fields.items():
        if name == "url":
            fields[name] = safe_address(value)
        elif name in _AS_THEY_ARE:
            fields[name] = re.sub(r"[{}\\\s]", "", value)
        else:
            fields[name] = latex.encode(value)
    return {name: value for name, value in fields.items() if value}


def safe_address(address: str) -> str:
    """An address in which whatever BibTeX or LaTeX would take amiss is percent-encoded."""
    return _UNSAFE_IN_ADDRESS.sub(lambda c: "".join(f"%{b:02X}" for b in c[0].encode()), address)


def _bibtex(author: Person) -> str:
    if not author.given:
        return (
            "{" + latex.encode(author.family) + "}" if " " in author.family else latex.encode(author.family)
        )
    parts = [latex.encode(part) for part in (author.family, author.suffix, author.given) if part]
    return ", ".join("{" + part + "}" if _ambiguous(part) else part for part in parts)


def _ambiguous(part: str) -> bool:
    """Whether BibTeX would take a part of a name for several: an `and` or a comma within it."""
    return "," in part or re.search(r"(?:^|\s)and(?:\s|$)", part, re.IGNORECASE) is not None
