"""A web page as a source: title, authors and date from what the page says of itself.

First the `citation_*` meta tags that journals and archives write for Google Scholar, then what trafilatura
finds. A page may say anything of itself, so it confirms an entry but never refutes it.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections import defaultdict
from html.parser import HTMLParser

from kb.sources.answer import HTML, Answer, Refused
from kb.sources.identifiers import arxiv, doi
from kb.sources.metadata import MOST_AUTHORS, Metadata, Person, person
from kb.sources.strings import MONTHS

REGISTRY = "the page"


def read(answer: Answer) -> Metadata:
    """What a page says of itself; without a title where it says nothing, or is no HTML.

    Identifiers that it gives of itself stand in `fields` as doi and eprint.
    """
    if answer.content_type not in HTML:
        return Metadata(REGISTRY, answer.url, "", fields={"url": answer.url})
    tags = _tags(answer.body)
    title, authors, date, site = _by_trafilatura(answer.body, answer.url)

    def first(*names: str) -> str:
        return next((tags[name][0] for name in names if tags.get(name)), "")

    named = tags.get("citation_author") or [
        a for text in tags.get("citation_authors", []) for a in text.split(";")
    ]
    date = first("citation_publication_date", "citation_date", "citation_online_date") or date
    date = date or first("article:published_time", "dc.date")
    found = re.match(r"(\d{4})(?:[-/](\d{1,2}))?", date)
    month = int(found[2]) if found and found[2] else 0
    journal = first("citation_journal_title")
    conference = first("citation_conference_title", "citation_inbook_title")
    fields = {
        "journal": journal,
        "booktitle": "" if journal else conference,
        "howpublished": "" if journal or conference else first("og:site_name") or site,
        "doi": doi(first("citation_doi")),
        "eprint": arxiv(first("citation_arxiv_id")),
        "url": answer.url,
    }
    return Metadata(
        REGISTRY,
        answer.url,
        first("citation_title") or title or first("og:title", "title"),
        [person(name) for name in named if name.strip()][:MOST_AUTHORS]
        or authors
        or _persons(first("author")),
        found[1] if found else "",
        list(MONTHS.values())[month - 1] if 1 <= month <= 12 else "",
        "article" if journal else "inproceedings" if conference else "misc",
        {name: value for name, value in fields.items() if value},
    )


def reduced(found: Metadata) -> bytes:
    """What is kept of a page in the cache of look-ups: what it says of itself, not its megabytes."""
    kept = {**vars(found), "authors": [list(author) for author in found.authors], "notices": []}
    return json.dumps(kept, ensure_ascii=False).encode()


def restored(answer: Answer) -> Metadata:
    """What `reduced` kept.

    Raises:
        Refused: when it is not that.
    """
    try:
        kept = json.loads(answer.body)
        return Metadata(**{**kept, "authors": [Person(*author) for author in kept["authors"]]})
    except (ValueError, TypeError, KeyError):
        raise Refused("what is kept of the page cannot be read", "look it up again") from None


class _Head(HTMLParser):
    """The meta tags of a page and its <title>."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: dict[str, list[str]] = defaultdict(list)
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "meta":
            name = (given.get("name") or given.get("property") or "").lower()
            content = " ".join(given.get("content", "").split())
            if name and content:
                self.tags[name].append(content)
        self._in_title = tag == "title"

    def handle_data(self, data: str) -> None:
        if self._in_title and data.strip():
            self.tags["title"].append(" ".join(data.split()))


_CHARSET = re.compile(rb"<meta[^>]{0,200}charset=[\"']?([\w-]{1,40})", re.IGNORECASE)


def _tags(body: bytes) -> dict[str, list[str]]:
    found = _CHARSET.search(body[:4096])
    charset = found[1].decode("ascii", "replace") if found else "utf-8"
    try:
        text = body[:1_000_000].decode(charset, "replace")
    except LookupError:
        text = body[:1_000_000].decode("utf-8", "replace")
    head = _Head()
    with contextlib.suppress(AssertionError):  # html.parser's word for markup it cannot go on from
        head.feed(text)
    return head.tags


def _by_trafilatura(body: bytes, url: str) -> tuple[str, list[Person], str, str]:
    """Title, authors, date and name of the site; nothing where trafilatura is missing or finds nothing."""
    import logging
    import warnings

    try:
        import trafilatura
    except ImportError:
        return "", [], "", ""
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    logging.getLogger("htmldate").setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = trafilatura.extract_metadata(body, default_url=url)
        except Exception:  # a page may be broken in many ways, all of which mean that nothing is found
            found = None
    if found is None:
        return "", [], "", ""
    return found.title or "", _persons(found.author or ""), found.date or "", found.sitename or ""


def _persons(text: str) -> list[Person]:
    return [person(name) for name in re.split(r";|\s+and\s+", text) if name.strip()][:MOST_AUTHORS]
