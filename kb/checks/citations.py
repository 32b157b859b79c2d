"""The citation check: is there such a source, is it the one of the entry, and what has become of it since?

Everything here reads what registries answered when they were last asked (`kb.sources.registries`); nothing
asks. So it says the same with and without a network, always with the date, and what was never answered is
unknown. A title alone never identifies a source: its authors must agree, too.
"""

from __future__ import annotations

import functools
import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kb.sources import latex, same
from kb.sources.answer import Answer
from kb.sources.identifiers import doi, doi_of
from kb.sources.metadata import Metadata, Notice, Person, authors_of
from kb.sources.page import REGISTRY as PAGE
from kb.sources.registries import Heard, Known
from kb.store import fetched

SEVERITY = ("retracted", "withdrawn", "concern", "corrected")
"""What a notice may say, from the worst to the least; kept apart everywhere."""
_WORDS = {
    "retracted": "retracted",
    "withdrawn": "withdrawn",
    "concern": "under an expression of concern",
    "corrected": "corrected",
}
_WORST_FIRST = ("fail", "stale", "unknown", "pass", "skipped")


@dataclass(frozen=True)
class Finding:
    """What one check says of one source; `at` is when its registries answered, empty where none did.

    outcome: pass, fail, stale (true once, and something happened since), unknown or skipped.
    """

    check: str
    outcome: str
    detail: str
    at: str = ""


@dataclass(frozen=True)
class Entry:
    """A source as it stands in the library."""

    key: str
    type: str
    kind: str
    fields: Mapping[str, str]

    @functools.cached_property
    def title(self) -> str:
        """The title as one reads it."""
        return latex.decode(self.fields.get("title", ""))

    @functools.cached_property
    def authors(self) -> list[Person]:
        """The authors as one reads them."""
        return authors_of(dict(self.fields))


def known_from(
    connection: sqlite3.Connection,
    problems: dict[str, str] | None = None,
    not_stored: Mapping[str, Answer] | None = None,
) -> Known:
    """What has been answered so far, as the store keeps it.

    Args:
        problems: addresses that were just asked in vain, and why.
        not_stored: answers that just came where the store cannot be written.
    """
    fresh = not_stored or {}
    return Known(lambda url: fresh.get(url) or fetched.get(connection, url), problems or {})


class Sources:
    """The library's sources and what is known of each."""

    def __init__(self, connection: sqlite3.Connection, known: Known) -> None:
        self._connection = connection
        self.known = known
        self._found: dict[str, list[Finding]] = {}

    @functools.cached_property
    def entries(self) -> dict[str, Entry]:
        """All sources, by key."""
        rows = self._connection.execute("SELECT key, type, kind, fields FROM source ORDER BY key")
        return {row[0]: Entry(row[0], row[1], row[2], json.loads(row[3])) for row in rows}

    @functools.cached_property
    def likes(self) -> dict[str, list[tuple[str, str, bool]]]:
        """Key -> (other key, why, whether it is certain) of the sources that may be the same work."""
        return likes(list(self.entries.values()))

    def findings(self, key: str) -> list[Finding]:
        """All that the checks say of a source."""
        if key not in self._found:
            entry = self.entries[key]
            heard = self.known.of(entry.fields)
            self._found[key] = [
                _resolves(entry, heard),
                _agrees(entry, heard),
                _notices(entry, heard, self.known),
                *_published(entry, heard, self.entries),
                _alone(self.likes.get(key, [])),
            ]
        return self._found[key]

    def summary(self, key: str) -> Finding:
        """The findings of a source in one: as good as the worst of them."""
        found = self.findings(key)
        worst = min((f.outcome for f in found if f.outcome != "skipped"), key=_WORST_FIRST.index)
        told = [f for f in found if f.outcome == worst]
        if worst == "unknown" and told[0].check == "identifier":
            # That nothing was compared, then, goes without saying.
            told = [f for f in told if f.check in ("identifier", "duplicate")]
        details = list(dict.fromkeys(f.detail for f in told))
        return Finding("source", worst, "; ".join(details), min((f.at for f in found if f.at), default=""))


def _resolves(entry: Entry, heard: list[Heard]) -> Finding:
    """What the entry names is there: its DOI, its arXiv id, or its address where it has neither."""
    if not heard:
        return Finding("identifier", "unknown", "has no DOI, arXiv id or address that could be looked up")
    outcomes, details = [], []
    for one in heard:
        name = _name(one)
        if one.unknown:
            outcomes.append("unknown")
            details.append(f"{name} {_in_vain(one.at, one.problem)}")
        elif one.absent:
            outcomes.append("fail")
            where = "Crossref and doi.org have" if one.registry == "doi.org" else f"{one.registry} has"
            details.append(f"the address is gone: {name}" if one.registry == PAGE else f"{where} no {name}")
        else:
            outcomes.append("pass")
            details.append(f"{name} resolves" + ("" if one.registry == PAGE else f" at {one.registry}"))
    return _one("identifier", outcomes, details, heard)


def _agrees(entry: Entry, heard: list[Heard]) -> Finding:
    """Title and authors behind each identifier are those of the entry."""
    check = "title and authors"
    told = [(one, one.metadata) for one in heard if one.metadata is not None]
    if not told:
        return Finding(check, "unknown", "nothing to compare with has been looked up")
    outcomes, details = [], []
    for one, metadata in told:
        outcome, detail = _compared(entry, metadata)
        # A page says what it likes of itself (a log-in form, too): it can confirm an entry, not refute it.
        outcomes.append("unknown" if outcome == "fail" and one.registry == PAGE else outcome)
        details.append(detail)
    return _one(check, outcomes, details, [one for one, _ in told])


def _compared(entry: Entry, metadata: Metadata) -> tuple[str, str]:
    at = f"at {metadata.registry}" if metadata.registry != PAGE else "on the page"
    for what, mine, theirs in (
        ("title", entry.title, metadata.title),
        ("authors", entry.authors, metadata.authors),
    ):
        if not mine or not theirs:
            return (
                "unknown",
                f"the entry has no {what}" if not mine else f"there are no {what} {at} to compare",
            )
    likeness = same.titles(entry.title, metadata.title)
    note = latex.decode(entry.fields.get("note", ""))
    if likeness == "different" and " ".join(same.words(metadata.title)) in " ".join(same.words(note)):
        likeness = "same"  # the entry's note gives the other title of the work
    missing = same.not_among(entry.authors, metadata.authors)
    if likeness == "different":
        whose = "the authors agree, but the" if not missing else "the"
        return "fail", f"{whose} title {at} is “{_short(metadata.title)}”"
    if not same.overlap(entry.authors, metadata.authors, by_family=True):
        return "fail", f"the authors {at} are others: {_names(metadata.authors)}"
    if missing:
        return (
            "unknown",
            f"not among the authors {at}: {_names(missing)}; there are {_names(metadata.authors)}",
        )
    if likeness == "near":
        return "unknown", f"the title {at} is nearly the same: “{_short(metadata.title)}”"
    return "pass", f"title and authors are those {at}"


def _notices(entry: Entry, heard: list[Heard], known: Known) -> Finding:
    """Nobody has retracted or withdrawn it, or said that there is reason for concern; corrections are told.

    Notices stand in two fields at Crossref, and in the comment or summary at arXiv. A published version
    that arXiv names is looked at, too.
    """
    check = "notices"
    notices: list[Notice] = []
    asked: list[str] = []
    gaps: list[str] = []
    times: list[str] = []
    for one in heard:
        if one.metadata:
            notices += one.metadata.notices
        if one.registry in ("arXiv", "Crossref"):
            asked.append(one.registry)
            times.append("" if one.unknown else one.at)
            if one.unknown:
                gaps.append(f"{_name(one)} {_in_vain(one.at, one.problem)}")
    for name in _dois(entry, heard):
        published = known.doi(name)
        if published.registry != "Crossref":
            continue
        if published.metadata:
            notices += published.metadata.notices
        told = known.notices(name)
        asked.append("Crossref")
        if published.unknown or told.notices is None:
            gaps.append(f"what notices say of {name} {_in_vain(told.at, told.problem)}")
        else:
            notices += told.notices
            times += [published.at, told.at]
    at = min((time for time in times if time), default="")
    found = sorted({_said(notice): notice for notice in reversed(notices)}.items(), key=_severity)
    against = [said for said, notice in found if notice.state != "corrected"]
    unread = [said for said, notice in found if notice.state == "corrected" and not _is_noted(notice, entry)]
    if against:
        return Finding(check, "fail", "; ".join([*against, *unread]), at)
    if unread:
        advice = "read the notice, then name it in the entry's note"
        return Finding(check, "stale", f"{'; '.join(unread)}: {advice}", at)
    if gaps:
        return Finding(check, "unknown", "; ".join(dict.fromkeys(gaps)), at)
    if not asked:
        if any(one.unknown for one in heard) or not heard:
            return Finding(check, "unknown", "nothing has been looked up that could hold a notice")
        return Finding(check, "skipped", "no registry keeps notices on such a source")
    where = " and ".join(dict.fromkeys(asked))
    noted = f"{'; '.join(said for said, _ in found)}, as the entry's note says" if found else ""
    return Finding(check, "pass", noted or f"no notice against it at {where}", at)


def _dois(entry: Entry, heard: list[Heard]) -> list[str]:
    own = doi_of(dict(entry.fields))
    named = [doi(one.metadata.published_as) for one in heard if one.metadata]
    return list(dict.fromkeys(name for name in [own, *named] if name))


def _said(notice: Notice) -> str:
    where = f", notice {notice.notice}" if notice.notice else ""
    date = f" on {notice.date}" if notice.date else ""
    return f"{_WORDS[notice.state]}{date} ({notice.said_by}{where})"


def _severity(found: tuple[str, Notice]) -> tuple[int, str]:
    return SEVERITY.index(found[1].state), found[0]


def _is_noted(notice: Notice, entry: Entry) -> bool:
    note = latex.decode(entry.fields.get("note", "")).lower()
    return notice.notice.lower() in note if notice.notice else "correct" in note or "errat" in note


def _published(entry: Entry, heard: list[Heard], entries: Mapping[str, Entry]) -> Iterator[Finding]:
    """A preprint whose published version a registry names; the entry should name it, too."""
    for one in heard:
        if one.metadata is None or one.registry == PAGE:
            continue
        name = one.metadata.published_as
        if not name:
            if one.registry == "arXiv":
                yield Finding("published version", "pass", "arXiv names no published version", one.at)
            continue
        other = next(
            (key for key, e in entries.items() if doi(name) and doi_of(dict(e.fields)) == doi(name)), ""
        )
        noted = name.lower() in latex.decode(entry.fields.get("note", "")).lower()
        venue = next(
            (entry.fields[f] for f in ("doi", "journal", "journaltitle", "booktitle") if entry.fields.get(f)),
            "",
        )
        if noted or venue:
            detail = f"{one.registry} names {name}; the entry {'notes it' if noted else f'says {latex.decode(venue)}'}"
            yield Finding("published version", "pass", detail, one.at)
        elif other:
            detail = f"published as {name}, which the library has as {other}"
            yield Finding("published version", "stale", detail, one.at)
        else:
            advice = f"`kb cite add {doi(name)}` adds it" if doi(name) else "name it in the entry"
            yield Finding("published version", "stale", f"published since: {name}; {advice}", one.at)


def _alone(others: list[tuple[str, str, bool]]) -> Finding:
    """No other source of the library is the same work."""
    certain = [f"{why} {key}" for key, why, sure in others if sure]
    likely = [f"{why} {key}" for key, why, sure in others if not sure]
    if certain:
        return Finding("duplicate", "fail", "; ".join(certain))
    if likely:
        return Finding("duplicate", "unknown", "; ".join(likely))
    return Finding("duplicate", "pass", "no other source of the library is the same work")


def likes(entries: list[Entry]) -> dict[str, list[tuple[str, str, bool]]]:
    """The pairs of sources that are, or may be, one work: key -> (other key, why, whether it is certain).

    Certain is a common DOI or arXiv id, or a common address under one title; title and authors alone make
    it likely. Compared are those of one first author, so a large library costs little more than its size.
    """
    found: dict[str, list[tuple[str, str, bool]]] = defaultdict(list)
    by_identifier: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    by_author: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        for name, value in same.identifiers(dict(entry.fields)).items():
            by_identifier[name, value].append(entry)
        if entry.title and entry.authors:
            by_author["".join(same.words(entry.authors[0].family)[-1:])].append(entry)
    for (name, _), group in by_identifier.items():
        for one, other in _pairs(group):
            if name != "address" or same.titles(one.title, other.title) == "same":
                _both(found, one, other, f"has the {name} of", True)
    for group in by_author.values():
        for one, other in _pairs(group):
            if one.kind == other.kind and likely_same(one, other.title, other.authors):
                _both(found, one, other, "has title and authors like", False)
    return found


def likely_same(entry: Entry, title: str, authors: list[Person]) -> bool:
    """Whether an entry may be the work of that title and those authors."""
    return same.titles(entry.title, title) != "different" and same.overlap(entry.authors, authors)


def _pairs(group: list[Entry]) -> Iterator[tuple[Entry, Entry]]:
    for number, one in enumerate(group):
        for other in group[number + 1 :]:
            yield one, other


def _both(
    found: dict[str, list[tuple[str, str, bool]]], one: Entry, other: Entry, why: str, sure: bool
) -> None:
    for mine, theirs in ((one.key, other.key), (other.key, one.key)):
        if theirs not in [key for key, _, _ in found[mine]]:
            found[mine].append((theirs, why, sure))


def _one(check: str, outcomes: list[str], details: list[str], heard: list[Heard]) -> Finding:
    """One finding for what several registries say: the worst of it, and the oldest date."""
    worst = min(outcomes, key=_WORST_FIRST.index)
    told = [detail for outcome, detail in zip(outcomes, details, strict=True) if outcome == worst]
    again = [f"asked again in vain: {one.problem}" for one in heard if one.problem and not one.unknown]
    at = min((one.at for one in heard if one.at and not one.unknown), default="")
    return Finding(check, worst, "; ".join([*told, *again]), at)


def _name(one: Heard) -> str:
    return f"arXiv:{one.identifier}" if one.registry == "arXiv" else one.identifier


def _in_vain(at: str, problem: str) -> str:
    if not at:
        return "was never looked up" + (f": {problem}" if problem else "")
    return f"was asked on {at[:10]} in vain: {problem}"


def _short(text: str) -> str:
    return text if len(text) <= 120 else f"{text[:119]}…"


def _names(people: list[Person]) -> str:
    return ", ".join(map(str, people[:3])) + (f" and {len(people) - 3} more" if len(people) > 3 else "")
