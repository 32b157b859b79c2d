"""Crossref: the entry of a DOI, and what became of it. Answers of doi.org in CSL-JSON read the same.

The state of a paper stands in two places: `updated-by` in its own entry, which Crossref fills from
Retraction Watch and from publishers, and `update-to` in the entry of a notice. Asking for one of them alone
misses some of the best known retractions, so both are read.
"""

from __future__ import annotations

import html
import json
import re
from typing import Any
from urllib.parse import quote, urlencode

from kb.sources.answer import Answer, Refused
from kb.sources.metadata import MOST_AUTHORS, Metadata, Notice, Person
from kb.sources.strings import MONTHS

API = "https://api.crossref.org"
RESOLVER = "https://doi.org"

_TYPES = {
    "journal-article": "article", "article-journal": "article", "proceedings-article": "inproceedings",
    "paper-conference": "inproceedings", "book": "book", "monograph": "book", "book-chapter": "incollection",
    "chapter": "incollection", "dissertation": "phdthesis", "thesis": "phdthesis", "report": "techreport",
}  # fmt: skip
_STATES = (
    ("partial_retraction", "corrected"), ("retract", "retracted"), ("removal", "retracted"),
    ("withdraw", "withdrawn"), ("concern", "concern"), ("correct", "corrected"), ("corrigend", "corrected"),
    ("errat", "corrected"), ("addend", "corrected"), ("clarif", "corrected"),
)  # fmt: skip
"""What the type of a notice holds -> what it says of the work; the first that fits."""
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,200}>")


def work_url(doi: str) -> str:
    """The address of a DOI's entry."""
    return f"{API}/works/{quote(doi, safe='')}"


def notices_url(doi: str) -> str:
    """The address of the notices whose `update-to` names a DOI."""
    return f"{API}/works?{urlencode({'filter': f'updates:{doi}', 'rows': '20'})}"


def resolver_url(doi: str) -> str:
    """The address that answers with CSL-JSON for the DOIs of every registry."""
    return f"{RESOLVER}/{quote(doi, safe='/')}"


def read_work(answer: Answer, doi: str) -> Metadata:
    """A work as Crossref or doi.org describes it.

    Raises:
        Refused: the answer is not what it should be.
    """
    data = _json(answer)
    work = data.get("message", data)
    if not isinstance(work, dict) or not (work.get("title") or work.get("DOI")):
        raise Refused(f"the answer for {doi} is no entry of a work", "try again later")
    date = _date(work)
    container = _first(work.get("container-title"))
    kind = _TYPES.get(str(work.get("type", "")), "misc")
    fields = {
        ("booktitle" if kind in ("inproceedings", "incollection") else "journal"): container,
        "volume": _text(work.get("volume")),
        "number": _text(work.get("issue")),
        "pages": _text(work.get("page")).replace("-", "--"),
        "publisher": _text(work.get("publisher")),
        "doi": _text(work.get("DOI")) or doi,
    }
    title = _first(work.get("title"))
    subtitle = _first(work.get("subtitle"))
    return Metadata(
        registry="Crossref" if "message" in data else "doi.org",
        identifier=doi,
        title=f"{title}: {subtitle}" if subtitle and subtitle.lower() not in title.lower() else title,
        authors=[name for name in map(_name, _list(work.get("author"))) if name.family][:MOST_AUTHORS],
        year=str(date[0]) if date else "",
        month=list(MONTHS.values())[date[1] - 1] if len(date) > 1 and 1 <= date[1] <= 12 else "",
        type=kind,
        fields={name: value for name, value in fields.items() if value},
        notices=_updated_by(work) + _in_title(title),
        published_as=_related(work, "is-preprint-of"),
    )


def read_notices(answer: Answer, doi: str) -> list[Notice]:
    """What notices in `answer` say of `doi`: their `update-to`."""
    message = _json(answer).get("message", {})
    found: list[Notice] = []
    for notice in _list(message.get("items") if isinstance(message, dict) else []):
        for update in _list(notice.get("update-to")):
            if _text(update.get("DOI")).lower() == doi.lower():
                found += _notice(update, _text(notice.get("DOI")))
    return found


def _updated_by(work: dict[str, Any]) -> list[Notice]:
    return [
        notice
        for update in _list(work.get("updated-by"))
        for notice in _notice(update, _text(update.get("DOI")))
    ]


def _notice(update: dict[str, Any], notice: str) -> list[Notice]:
    kind = _text(update.get("type")).lower().replace("-", "_").replace(" ", "_")
    state = next((state for word, state in _STATES if word in kind), "")
    if not state:
        return []  # new_version, new_edition and the like say nothing against a source
    parts = _date({"issued": update.get("updated")})
    date = "-".join(f"{part:02d}" for part in parts)
    by = {"retraction-watch": "Retraction Watch", "publisher": "the publisher"}.get(
        _text(update.get("source")), "Crossref"
    )
    return [Notice(state, by, date, notice)]


def _in_title(title: str) -> list[Notice]:
    found = re.match(r"\W*(retracted|withdrawn)(?: article| paper)?\W*[:\]]", title, re.IGNORECASE)
    return [Notice(found[1].lower(), "the title at Crossref")] if found else []


def _related(work: dict[str, Any], name: str) -> str:
    relation = work.get("relation")
    for one in _list(relation.get(name) if isinstance(relation, dict) else []):
        if one.get("id-type") == "doi":
            return _text(one.get("id"))
    return ""


def _name(author: dict[str, Any]) -> Person:
    family, given = _text(author.get("family")), _text(author.get("given"))
    if not family:
        return Person(_text(author.get("name")) or _text(author.get("literal")) or given)
    von = _text(author.get("non-dropping-particle")) or _text(author.get("dropping-particle"))
    return Person(f"{von} {family}".strip(), given, _text(author.get("suffix")))


def _date(work: dict[str, Any]) -> list[int]:
    for name in ("issued", "published", "published-online", "created"):
        parts = work.get(name)
        parts = parts.get("date-parts") if isinstance(parts, dict) else None
        if isinstance(parts, list) and parts and isinstance(parts[0], list) and parts[0] and parts[0][0]:
            return [int(part) for part in parts[0][:3] if str(part).isdigit()]
    return []


def _json(answer: Answer) -> dict[str, Any]:
    try:
        data = json.loads(answer.body)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise Refused("the answer is no JSON object", "try again later")
    return data


def _first(value: object) -> str:
    return _text(value[0] if isinstance(value, list) and value else value)


def _text(value: object) -> str:
    """Plain text: HTML entities and tags (Crossref titles hold some) resolved, white space collapsed."""
    if not isinstance(value, str | int):
        return ""
    text = html.unescape(_TAG.sub("", str(value)))
    return " ".join("".join(char for char in text if char.isprintable() or char.isspace()).split())


def _list(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
