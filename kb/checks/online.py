"""Asking for what the checks of citations and quotes read: registry entries, and texts that are not here yet.

One thing after another, each kept as it comes: whatever stops this (Ctrl-C, a full disk, a network that
goes away) leaves what was had. Nothing here is a verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from kb.checks.citations import Entry
from kb.errors import KbError
from kb.sources import rendering
from kb.sources.answer import Answer
from kb.sources.identifiers import arxiv_of, doi, doi_of
from kb.sources.registries import Asking, is_address
from kb.sources.rendering import Extracted

Step = Callable[[int, int, str], None]
"""Takes how many sources are done, out of how many, and what is being done."""


@dataclass
class Gathered:
    """What came of asking. `missing`: (source, what could not be had, why)."""

    looked_up: int = 0
    texts: list[str] = field(default_factory=list)
    missing: list[tuple[str, str, str]] = field(default_factory=list)
    stopped: str = ""

    def as_data(self) -> dict[str, Any]:
        """The same as `--json` prints it."""
        missing = [{"source": key, "what": what, "why": why} for key, what, why in self.missing]
        return {**vars(self), "missing": missing}


def gather(
    asking: Asking,
    entries: Sequence[Entry],
    done: Gathered,
    *,
    have_text: Collection[str] | None,
    keep_text: Callable[[str, Extracted, str], None],
    step: Step,
) -> None:
    """Ask what is to be known of `entries`, and fetch the texts of those that have none.

    Args:
        asking: the registries; what is younger than a day is not asked again.
        entries: the sources, in the order in which they are asked for.
        done: filled in as it goes, so that it is right whenever this is interrupted.
        have_text: keys of the sources whose text is here; None to fetch no texts at all.
        keep_text: takes a source's key, a text, and the address that gave it.
        step: told before each source.
    """
    step(0, len(entries), "arXiv")
    asking.ask_arxiv(filter(None, (arxiv_of(dict(entry.fields)) for entry in entries)))
    for number, entry in enumerate(entries):
        if asking.http.cut_off:
            done.stopped = f"no network: {asking.http.cut_off}"
            done.missing += [(one.key, "look-up", done.stopped) for one in entries[number:]]
            return
        step(number, len(entries), entry.key)
        page = _look_up(asking, entry, done)
        if have_text is not None and entry.key not in have_text:
            _fetch(asking, entry, done, page, keep_text)
    step(len(entries), len(entries), "done")


def _look_up(asking: Asking, entry: Entry, done: Gathered) -> Answer | None:
    """Ask the registries for one source; where it has only an address, give what that answered."""
    fields = dict(entry.fields)
    page = None
    own = doi_of(fields)
    if own:
        asking.ask_doi(own)
    elif not arxiv_of(fields) and is_address(fields.get("url", "")):
        page = asking.ask_page(fields["url"])
    heard = asking.of(fields)
    for one in heard:
        published = doi(one.metadata.published_as) if one.metadata else ""
        if published and published != own:
            asking.ask_doi(published)
    problems = list(dict.fromkeys(one.problem for one in heard if one.problem))
    if problems:
        done.missing.append((entry.key, "look-up", "; ".join(problems)))
    elif heard:
        done.looked_up += 1
    else:
        done.missing.append((entry.key, "look-up", "the entry has no DOI, arXiv id or address"))
    return page


def _fetch(
    asking: Asking,
    entry: Entry,
    done: Gathered,
    page: Answer | None,
    keep_text: Callable[[str, Extracted, str], None],
) -> None:
    try:
        found, where = rendering.from_network({**entry.fields, "kind": entry.kind}, asking.http, page)
    except KbError as error:
        done.missing.append((entry.key, "text", error.message))
        return
    keep_text(entry.key, found, where)
    done.texts.append(entry.key)
