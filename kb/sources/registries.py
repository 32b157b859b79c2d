"""What the registries are known to say of a source, and asking them: Crossref, doi.org, arXiv, its own page.

What was answered is kept (`kb.store.fetched`) and read from there, so that a check works the same with and
without a network. An answer that cannot be read is none; one that fails to come replaces nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from kb.sources import arxiv, crossref, page
from kb.sources.answer import ANY_TEXT, JSON, XML, Answer, BadRequest, HttpError, now
from kb.sources.http import Http
from kb.sources.identifiers import arxiv_of, doi_of
from kb.sources.metadata import Metadata, Notice

FRESH = timedelta(days=1)
"""How old an answer may be before it is asked for again."""
CSL = ("application/vnd.citationstyles.csl+json", "application/json")


@dataclass(frozen=True)
class Heard:
    """What one registry is known to say of one identifier.

    at: when it answered; where it never did, when it was last asked in vain; empty if it never was asked.
    problem: why it did not answer when it was asked last.
    """

    registry: str
    identifier: str
    at: str = ""
    metadata: Metadata | None = None
    absent: bool = False
    problem: str = ""

    @property
    def unknown(self) -> bool:
        """Whether nothing is known: it has never answered."""
        return self.metadata is None and not self.absent


@dataclass(frozen=True)
class HeardNotices:
    """The notices that are known to name a DOI; `at` and `problem` as in `Heard`, None where never heard."""

    notices: list[Notice] | None
    at: str = ""
    problem: str = ""


@dataclass
class Known:
    """What has been answered so far.

    Args:
        get: the kept answer of an address.
        problems: address -> why it gave no answer just now.
    """

    get: Callable[[str], Answer | None]
    problems: dict[str, str] = field(default_factory=dict)

    def arxiv(self, identifier: str) -> Heard:
        """What arXiv says of an id."""
        return self._heard(
            "arXiv", identifier, arxiv.url([identifier]), lambda answer: arxiv.read(answer, identifier)
        )

    def doi(self, doi: str) -> Heard:
        """What Crossref says of a DOI or, where Crossref has none, what doi.org does."""
        heard = self._heard(
            "Crossref", doi, crossref.work_url(doi), lambda answer: crossref.read_work(answer, doi)
        )
        if not heard.absent:
            return heard
        return self._heard(
            "doi.org", doi, crossref.resolver_url(doi), lambda answer: crossref.read_work(answer, doi)
        )

    def notices(self, doi: str) -> HeardNotices:
        """What notices at Crossref say of a DOI in their `update-to`."""
        url = crossref.notices_url(doi)
        kept = self.get(url)
        problem = self.problems.get(url, "")
        if kept and kept.found:
            try:
                return HeardNotices(crossref.read_notices(kept, doi), kept.at, problem)
            except HttpError as error:
                problem = error.message
        return HeardNotices(None, kept.at if kept else "", problem or _why(kept))

    def page(self, url: str) -> Heard:
        """What a web page says of itself."""
        return self._heard(page.REGISTRY, url, url, page.restored)

    def of(self, fields: Mapping[str, str]) -> list[Heard]:
        """All that is known of an entry: by its arXiv id and its DOI; by its address where it has neither."""
        entry = dict(fields)
        identifier, doi = arxiv_of(entry), doi_of(entry)
        heard = [self.arxiv(identifier)] if identifier else []
        heard += [self.doi(doi)] if doi else []
        if not heard and is_address(entry.get("url", "")):
            heard = [self.page(entry["url"])]
        return heard

    def _heard(
        self, registry: str, identifier: str, url: str, read: Callable[[Answer], Metadata | None]
    ) -> Heard:
        kept = self.get(url)
        problem = self.problems.get(url, "")
        if kept is None:
            return Heard(registry, identifier, problem=problem)
        if not kept.status:
            return Heard(registry, identifier, kept.at, problem=problem or _why(kept))
        if not kept.found:
            return Heard(registry, identifier, kept.at, absent=True, problem=problem)
        try:
            metadata = read(kept)
        except HttpError as error:
            return Heard(registry, identifier, kept.at, problem=error.message)
        return Heard(registry, identifier, kept.at, metadata, metadata is None, problem)


@dataclass
class Asking(Known):
    """Asking the registries: what is older than a day, politely; each answer is kept as it comes."""

    http: Http = field(default_factory=Http)
    put: Callable[[Answer], None] = lambda answer: None

    def ask_arxiv(self, identifiers: Iterable[str]) -> None:
        """Ask arXiv for ids, many in one request."""
        wanted = [one for one in dict.fromkeys(identifiers) if not self._is_fresh(arxiv.url([one]))]
        for start in range(0, len(wanted), arxiv.AT_ONCE):
            self._ask_feed(wanted[start : start + arxiv.AT_ONCE])

    def _ask_feed(self, identifiers: list[str]) -> None:
        try:
            feeds = arxiv.split(self.http.get(arxiv.url(identifiers), XML))
        except HttpError as error:
            if not isinstance(error, BadRequest):
                for identifier in identifiers:
                    self._in_vain(arxiv.url([identifier]), error)
                return
            feeds = {}  # an id that arXiv cannot read spoils the answer for all
        if len(identifiers) == 1 and len(feeds) == 1:
            feeds = dict(zip(identifiers, feeds.values(), strict=True))  # arXiv spells some ids its own way
        for identifier in identifiers:
            if identifier in feeds or len(identifiers) == 1:
                feed = feeds.get(identifier, arxiv.EMPTY)
                self.put(Answer(arxiv.url([identifier]), 200, XML[0], feed, now()))
            else:  # that there is none of an id is believed when it was asked for alone
                self._ask_feed([identifier])

    def ask_doi(self, doi: str) -> None:
        """Ask Crossref for a DOI and for notices that name it, doi.org where Crossref does not know it."""
        self._ask(crossref.work_url(doi), JSON, lambda answer: crossref.read_work(answer, doi))
        kept = self.get(crossref.work_url(doi))
        if kept and kept.status and not kept.found:
            self._ask(crossref.resolver_url(doi), CSL, lambda answer: crossref.read_work(answer, doi))
        elif kept and kept.found:
            self._ask(crossref.notices_url(doi), JSON, lambda answer: crossref.read_notices(answer, doi))

    def ask_page(self, url: str, *, anew: bool = False) -> Answer | None:
        """Ask a page, keep what it says of itself, and give the page as it came; None where it did not."""
        if not anew and self._is_fresh(url):
            return None
        try:
            answer = self.http.get(url, ANY_TEXT)
            found = page.read(answer) if answer.found else None
        except HttpError as error:
            self._in_vain(url, error)
            return None
        body = page.reduced(found) if found else b""
        self.put(Answer(url, answer.status, JSON[0], body, answer.at))
        return answer if answer.found else None

    def _ask(self, url: str, accept: tuple[str, ...], read: Callable[[Answer], object]) -> None:
        if self._is_fresh(url):
            return
        try:
            answer = self.http.get(url, accept)
            if answer.found:
                read(answer)
        except HttpError as error:
            self._in_vain(url, error)
        else:
            self.put(answer)

    def _in_vain(self, url: str, error: HttpError) -> None:
        self.problems[url] = error.message
        self.put(Answer(url, 0, "", error.message.encode(), now()))

    def _is_fresh(self, url: str) -> bool:
        kept = self.get(url)
        if kept is None or not kept.status:
            return False
        return datetime.now(timezone.utc) - datetime.fromisoformat(kept.at) < FRESH


def is_address(text: str) -> bool:
    """Whether `text` is an address of the web."""
    return text.lower().startswith(("https://", "http://"))


def _why(kept: Answer | None) -> str:
    return kept.body.decode("utf-8", "replace") if kept and not kept.status else ""
