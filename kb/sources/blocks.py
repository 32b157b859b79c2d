"""BibTeX text -> blocks: bibtexparser's, compared with a plain scan, nothing between them overlooked."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kb.sources import scan
from kb.sources.scan import Scanned

if TYPE_CHECKING:
    from bibtexparser.model import Block, Entry

_DOUBTFUL = re.compile(r'\\[{}",=)]')
_BARE = re.compile(r'[^\s,{}"#=]+')
_WITHOUT_AT = re.compile(
    r"^[ \t]*(?:article|book|booklet|inbook|incollection|inproceedings|conference|manual|mastersthesis|misc|"
    r"online|phdthesis|proceedings|report|software|techreport|thesis|unpublished)\s*\{\s*[^\s,{}=]+\s*,",
    re.MULTILINE | re.IGNORECASE,
)


@dataclass(frozen=True)
class Broken:
    """A stretch of text that should be a block and cannot be read."""

    start: int
    end: int
    what: str


def split(text: str) -> Iterator[Scanned | Broken]:
    """The blocks of a stretch of BibTeX (`kb.sources.stretches`) in their order.

    bibtexparser splits. An entry in which it may have taken a backslash for an escape, or whose values
    are not plainly delimited, is scanned again by BibTeX's own rule, and so is a block that it gave up
    on. Text that it takes for a comment is searched for entries.
    """
    from bibtexparser.entrypoint import parse_string

    log = logging.getLogger("bibtexparser")
    if not log.handlers:
        # What it warns of is reported as failures; its own lines on stderr would only say it twice.
        log.addHandler(logging.NullHandler())
    at = 0
    cursor = 0
    for block in parse_string(text, parse_stack=[]).blocks:
        start = text.find(block.raw or "", at)
        at = start + 1
        if start < cursor or type(block).__name__ == "ImplicitComment":
            continue
        yield from _overlooked(text, cursor, start)
        found = _read(text, block, start)
        yield found
        cursor = at = found.end
        if cursor == len(text):
            return  # what is broken reaches to the end: bibtexparser's blocks in it are none
    yield from _overlooked(text, cursor, len(text))


def _read(text: str, block: Block, start: int) -> Scanned | Broken:
    from bibtexparser.model import DuplicateBlockKeyBlock, DuplicateFieldKeyBlock, Entry

    raw = block.raw or ""
    if isinstance(block, (DuplicateBlockKeyBlock, DuplicateFieldKeyBlock)) and block.ignore_error_block:
        block = block.ignore_error_block
    if isinstance(block, Entry):
        as_parsed = Scanned(
            block.entry_type.lower(), block.key, [(f.key, f.value, -1) for f in block.fields], start,
            start + len(raw),
        )  # fmt: skip
        if not _DOUBTFUL.search(raw) and _is_plain(block):
            return as_parsed
        return scan.entry(text, start) or as_parsed
    scanned = scan.entry(text, start)
    if scanned:
        return scanned
    if type(block).__name__ in ("ExplicitComment", "Preamble", "String"):
        return Scanned(type(block).__name__.lower().removeprefix("explicit"), "", [], start, start + len(raw))
    reason = getattr(getattr(block, "error", None), "abort_reason", "")
    return Broken(start, len(text), _in_words(reason))


def _is_plain(entry: Entry) -> bool:
    for field in entry.fields:
        value: str = field.value
        if value[:1] == "{" and value[-1:] == "}":
            if value.find("{", 1) < 0 and value.find("}", 0, -1) < 0:
                continue
            if scan.close_brace(value, 0) != len(value):
                return False
        elif value[:1] == '"':
            if scan.close_quote(value, 0) != len(value):
                return False
        elif not _BARE.fullmatch(value):
            return False
    return True


def _overlooked(text: str, start: int, end: int) -> Iterator[Scanned | Broken]:
    """Entries in text that bibtexparser takes for a comment."""
    if end - start < 8:
        return
    at = start
    while found := scan.OVERLOOKED.search(text, at, end):
        yield from _without_at(text, at, found.start())
        scanned = scan.entry(text, found.start())
        if scanned is None:
            yield Broken(found.start(), end, "cannot be read")
            return
        yield scanned
        at = scanned.end
    yield from _without_at(text, at, end)


def _without_at(text: str, start: int, end: int) -> Iterator[Broken]:
    """Entries that only their @ is missing of, each to where the next one starts."""
    hits = _WITHOUT_AT.finditer(text, start, end)
    hit = next(hits, None)
    while hit:
        following = next(hits, None)
        first = hit.start() + len(hit[0]) - len(hit[0].lstrip())
        yield Broken(first, following.start() if following else end, "looks like an entry without its @")
        hit = following


def _in_words(reason: str) -> str:
    if "Unexpected block start" in reason or "end of file" in reason:
        return "a brace or a quote is never closed"
    if "comma after entry key" in reason:
        return "has no key, or no comma after its key"
    if "Expected a `=`" in reason:
        return "has a field without ="
    return "cannot be read: " + (" ".join(reason.split()) or "no reason given")
