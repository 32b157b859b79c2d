"""`kb cite add` of a DOI, an arXiv id or an address: looked up, made an entry, compared with what is here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from kb.cli import online, output, state
from kb.cli.output import emit, say
from kb.errors import KbError, shown
from kb.sources import bibtex, keys, metadata, same
from kb.sources.answer import names_a_secret, shown_address
from kb.sources.identifiers import arxiv, arxiv_of, doi, doi_of
from kb.sources.registries import is_address

if TYPE_CHECKING:
    from kb.checks.citations import Entry
    from kb.records import Source
    from kb.sources.metadata import Metadata, Notice
    from kb.sources.registries import Asking, Heard


@dataclass(frozen=True)
class Found:
    """What was looked up: the metadata, when, and what notices say."""

    metadata: Metadata
    at: str
    notices: list[Notice]


def can_be_looked_up(what: str) -> bool:
    """Whether `what` is a DOI, an arXiv id, or an address."""
    return bool(arxiv(what) or doi(what) or is_address(what))


def add(what: str, *, key: str | None, anyway: bool, dry_run: bool, why: str, as_json: bool) -> None:
    """Look `what` up and add the source that it is.

    Raises:
        KbError: when nothing is found or nobody answers; when the library has it already, or seems to.
    """
    from kb.cli.cite_write import import_reading
    from kb.store import queries
    from kb.store.shared import column

    with online.asking(in_memory=dry_run) as (asking, keeper):
        found = _look_up(asking, what)
        here = {name: _entry(name, data) for name, _, _, data in queries.records(keeper.reading, "source")}
        taken = {*here, *column(keeper.reading, "SELECT alias FROM alias WHERE kind = 'source'")}
    source = _source(found.metadata, key, taken)
    _refuse_known(source, found.metadata, list(here.values()), anyway)
    reading = bibtex.Reading(sources=[source], entries=1)
    done = import_reading(state.places(), reading, dry_run=dry_run, why=why or f"looked up: {what}")
    _tell(found, source, dry_run)
    entry = bibtex.write([source])
    if as_json:
        added = {"entry": entry, "looked_up": found.at, "registry": found.metadata.registry}
        emit(
            {**vars(done), "dry_run": dry_run, **added, "notices": [n._asdict() for n in found.notices]}, True
        )
    elif output.on_terminal() or dry_run:
        emit(None, text=entry)


def _entry(name: str, data: dict[str, Any]) -> Entry:
    from kb.checks.citations import Entry

    return Entry(name, data["type"], data["kind"], data.get("fields", {}))


def _look_up(asking: Asking, what: str) -> Found:
    identifier, name = arxiv(what), doi(what)
    if identifier:
        asking.ask_arxiv([identifier])
        return _found(asking, asking.arxiv(identifier), what)
    if name:
        asking.ask_doi(name)
        heard = asking.doi(name)
        if not (is_address(what) and heard.absent):
            return _found(asking, heard, what)
    if "@" in what.split("/")[2]:
        raise KbError("the address holds a name or password", "leave it out: entries are shared")
    if secret := names_a_secret(what):
        raise KbError(f"the address holds a {secret}", "leave it out: entries are shared")
    page = asking.ask_page(what, anew=True)
    heard = asking.page(what)
    if page is None and heard.problem and not heard.unknown:
        raise KbError(heard.problem, "try again later, or write the entry in a .bib file", code=1)
    found = _found(asking, heard, what)
    # What a page says of itself is second to what a registry says of the identifiers that it gives.
    for named in (found.metadata.fields.get("eprint", ""), found.metadata.fields.get("doi", "")):
        if named:
            try:
                better = _look_up(asking, named)
            except KbError as error:
                say(f"the page gives {named}, but {error.message}; the entry is made from the page")
            else:
                return better
    if not found.metadata.title:
        raise KbError(
            f"{shown_address(what)} says no title of itself", "write the entry in a .bib file", code=1
        )
    return found


def _found(asking: Asking, heard: Heard, what: str) -> Found:
    if heard.metadata is None:
        if heard.absent:
            where = {"doi.org": "neither Crossref nor doi.org has", "arXiv": "arXiv has no"}.get(
                heard.registry, ""
            )
            told = f"{where} {heard.identifier}" if where else f"there is nothing at {shown_address(what)}"
            raise KbError(told, "look at its spelling", code=1)
        raise KbError(
            f"{shown_address(what) if is_address(what) else shown(what)} could not be looked up: {heard.problem}",
            "write the entry in a .bib file, or try again later",
            code=1,
        )
    notices = list(heard.metadata.notices)
    if heard.registry == "Crossref":
        notices += asking.notices(heard.identifier).notices or []
    return Found(heard.metadata, heard.at, list(dict.fromkeys(notices)))


def _source(found: Metadata, key: str | None, taken: set[str]) -> Source:
    from kb import records

    fields = metadata.entry_fields(found)
    if found.registry == "the page":
        fields["urldate"] = date.today().isoformat()
    if key is None:
        family = found.authors[0].family if found.authors else fields.get("howpublished", "")
        key = keys.free(keys.suggest(family, found.year, found.title), taken)
    elif key in taken:
        raise KbError(f"the key {shown(key)} is taken", "choose another, or leave --key out", code=1)
    kind = bibtex.default_kind(found.type, fields)
    source = records.parse("source", {"key": key, "type": found.type, "kind": kind, "fields": fields})
    assert isinstance(source, records.Source)
    return source


def _refuse_known(source: Source, found: Metadata, here: list[Entry], anyway: bool) -> None:
    """Refuse what the library has: under an identifier always, by title and authors unless `anyway`."""
    from kb.checks.citations import likely_same

    own = same.identifiers(source.fields)
    published = doi(found.published_as)
    for entry in here:
        theirs = same.identifiers(dict(entry.fields))
        for name, value in own.items():
            alike = name != "address" or same.titles(found.title, entry.title) != "different"
            if theirs.get(name) == value and alike:
                raise KbError(
                    f"the library has it: {entry.key} has this {name}", f"kb cite show {entry.key}", code=1
                )
        if anyway:
            continue
        if published and doi_of(dict(entry.fields)) == published:
            raise KbError(
                f"the library has its published version: {entry.key} ({published})",
                "--anyway adds it, too",
                code=1,
            )
        if likely_same(entry, found.title, found.authors):
            preprint = arxiv_of(dict(entry.fields))
            if preprint and "DOI" in own and "arXiv id" not in own:
                told = (
                    f"it seems to be the published version of {entry.key} (arXiv:{preprint}), which is here"
                )
            elif "arXiv id" in own and not preprint:
                told = f"it seems to be the preprint of {entry.key}, which is here"
            else:
                told = f"it seems to be {entry.key}: same title and authors"
            raise KbError(told, "--anyway adds it, too", code=1)


def _tell(found: Found, source: Source, dry_run: bool) -> None:
    what = found.metadata
    say(
        f"{'would add' if dry_run else 'added'} {source.key}: {what.title} ({what.registry}, {found.at[:10]})"
    )
    for notice in found.notices:
        on = f" on {notice.date}" if notice.date else ""
        where = f", notice {notice.notice}" if notice.notice else ""
        say(f"take care: {notice.state}{on}, says {notice.said_by}{where}")
    if what.published_as:
        advice = f": `kb cite add {doi(what.published_as)}` adds that" if doi(what.published_as) else ""
        say(f"there is a published version: {what.published_as}{advice}")
    missing = [name for name in ("author", "year") if name not in source.fields]
    if missing:
        say(
            f"nobody says {' and '.join(missing)}; complete the entry in a .bib file with `kb cite add --update`"
        )
