"""arXiv: the entry of an id from its Atom interface, withdrawn versions included."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from urllib.parse import urlencode
from xml.parsers import expat

from kb.sources import latex
from kb.sources.answer import Answer, BadRequest, Refused
from kb.sources.identifiers import arxiv, doi
from kb.sources.metadata import MOST_AUTHORS, Metadata, Notice, person
from kb.sources.strings import MONTHS

API = "https://export.arxiv.org/api/query"

_ATOM = "{http://www.w3.org/2005/Atom}"
_OWN = "{http://arxiv.org/schemas/atom}"
_SEARCH = "{http://a9.com/-/spec/opensearch/1.1/}"
_WITHDRAWN = re.compile(
    r"(?:^|[.;:!?(\[]\s*)(?:(?:this|the) (?:paper|article|submission|manuscript|work|preprint|version|arxiv\w*)"
    r" (?:\w+ )?(?:is|has been|was) (?:being |now )?)?withdrawn\b(?! from\b)",
    re.IGNORECASE,
)
"""A sentence that says so of this paper. "Supersedes a withdrawn paper" and "withdrawn from a venue" do not."""
AT_ONCE = 50
"""Ids that are asked of arXiv in one request: its terms want few requests, not small ones."""


EMPTY = b'<feed xmlns="http://www.w3.org/2005/Atom"/>'
"""A feed without an entry: arXiv has none of that id."""


def url(identifiers: list[str]) -> str:
    """The address of the entries of ids."""
    return f"{API}?{urlencode({'id_list': ','.join(identifiers), 'max_results': str(len(identifiers))})}"


def split(answer: Answer) -> dict[str, bytes]:
    """What a feed for several ids holds of each that arXiv has: a feed of its own.

    Raises:
        BadRequest: arXiv cannot read one of the ids, and so answers none.
        Refused: the answer is no Atom feed, or declares entities.
    """
    root = _root(answer.body)
    entries: dict[str, ElementTree.Element] = {}
    for entry in root.findall(f"{_ATOM}entry"):
        if _is_error(entry):
            raise BadRequest(f"arXiv says: {_text(entry, f'{_ATOM}summary')[:120]}", "look at the id")
        entries[arxiv(_text(entry, f"{_ATOM}id"))] = entry
    total = _text(root, f"{_SEARCH}totalResults")
    if not total.isdigit() or int(total) > len(entries):
        # arXiv now and then answers with an empty page: that is not to say that there is no such paper.
        raise Refused("the answer of arXiv is not whole", "try again later")
    found = {}
    for identifier, entry in entries.items():
        feed = ElementTree.Element(f"{_ATOM}feed")
        feed.append(entry)
        found[identifier] = ElementTree.tostring(feed)
    return found


def read(answer: Answer, identifier: str) -> Metadata | None:
    """The entry of an id; None where arXiv says that there is none.

    Raises:
        Refused: the answer is no Atom feed, or declares entities.
    """
    entry = _root(answer.body).find(f"{_ATOM}entry")
    if entry is None or _is_error(entry):
        return None
    published = _text(entry, f"{_ATOM}published")
    category = entry.find(f"{_OWN}primary_category")
    fields = {
        "eprint": identifier,
        "archiveprefix": "arXiv",
        "primaryclass": category.get("term", "") if category is not None else "",
        "url": f"https://arxiv.org/abs/{identifier}",
    }
    month = published[5:7]
    people = [_text(author, f"{_ATOM}name") for author in entry.findall(f"{_ATOM}author")][:MOST_AUTHORS]
    return Metadata(
        registry="arXiv",
        identifier=identifier,
        title=latex.decode(_text(entry, f"{_ATOM}title")),
        authors=[person(latex.decode(name)) for name in people if name],
        year=published[:4],
        month=list(MONTHS.values())[int(month) - 1] if month.isdigit() and 1 <= int(month) <= 12 else "",
        fields={name: value for name, value in fields.items() if value},
        notices=_withdrawn(entry),
        published_as=doi(_text(entry, f"{_OWN}doi")) or _text(entry, f"{_OWN}journal_ref"),
    )


def _is_error(entry: ElementTree.Element) -> bool:
    return "arxiv.org/api/errors" in _text(entry, f"{_ATOM}id") or _text(entry, f"{_ATOM}title") == "Error"


def _withdrawn(entry: ElementTree.Element) -> list[Notice]:
    """A withdrawn version says so in its comment, or gives the reason in place of its summary."""
    comment, summary = _text(entry, f"{_OWN}comment"), _text(entry, f"{_ATOM}summary")
    at_start = _WITHDRAWN.match(summary)
    if _WITHDRAWN.search(comment) or (at_start and at_start.start() == 0):
        return [Notice("withdrawn", "arXiv", _text(entry, f"{_ATOM}updated")[:10])]
    return []


def _root(body: bytes) -> ElementTree.Element:
    """Parse XML that may come from anybody: a document type, where entities are declared, is refused."""
    guard = expat.ParserCreate()

    def refuse(*_: object) -> None:
        raise Refused("the answer of arXiv declares a document type", "try again later")

    guard.StartDoctypeDeclHandler = refuse
    guard.EntityDeclHandler = refuse
    try:
        guard.Parse(body, True)
        return ElementTree.fromstring(body)
    except (expat.ExpatError, ElementTree.ParseError, ValueError, LookupError):  # the last: no such encoding
        raise Refused("the answer of arXiv is no XML", "try again later") from None


def _text(parent: ElementTree.Element, name: str) -> str:
    text = " ".join((parent.findtext(name) or "").split())
    return "".join(char for char in text if char.isprintable())
