"""BibTeX both ways: parse -> blocks -> transforms -> records, with every failure kept.

`write` is canonical and `read(write(x)) == x`. Values stay BibTeX source text, as written between their
outer delimiters; they are decoded for display alone.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from kb import words
from kb.errors import KbError, one_line, shown
from kb.lines import Lines
from kb.sources import blocks, keys, scan
from kb.sources.drafts import Draft, Drafts
from kb.sources.encoding import not_utf8
from kb.sources.inherit import inherit
from kb.sources.room import Room
from kb.sources.stretches import NoBlocks, Read, of_text, stretches
from kb.sources.strings import TOO_LONG, Strings

if TYPE_CHECKING:
    from kb.records import Source

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_:.+-]{0,99}")
_FIELD_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
LONGEST_RAW = 2_000
"""Characters that are kept of the text of a failure: a large entry can have thousands of them."""
Loss = Literal["entry", "value", "nothing"]


@dataclass(frozen=True)
class Failure:
    """Something in a BibTeX file that was not taken over as it stands.

    `loss` says what the library does not have because of it: the whole `entry`, a `value`, or `nothing`
    where kb only had to write it differently. `raw` is the text concerned, cut at `LONGEST_RAW`.
    """

    line: int
    key: str
    what: str
    raw: str
    loss: Loss = "entry"
    where: str = ""

    def __str__(self) -> str:
        place = f"{self.where}:{self.line}" if self.where else f"line {self.line}"
        return one_line(f"{place}: {self.key + ': ' if self.key else ''}{self.what}")


@dataclass
class Reading:
    """All that a BibTeX file held. Comments and preambles are counted, strings resolved.

    Where it comes from `stream`, `sources` can be gone through once, and only then are `failures` all there.
    """

    sources: Iterable[Source] = ()
    failures: list[Failure] = field(default_factory=list)
    entries: int = 0
    comments: int = 0
    preambles: int = 0
    strings: dict[str, str] = field(default_factory=dict)
    last: Draft | None = None
    """The entry whose source was handed out last."""
    where: str = ""

    def fail(self, what: str, loss: Loss) -> None:
        """Tell of the source that was handed out last what the library does not have of it."""
        if self.last:
            self.fail_draft(self.last, what, loss)

    def fail_draft(self, draft: Draft, what: str, loss: Loss) -> None:
        """Tell what the library does not have of an entry."""
        self.failures.append(Failure(draft.line, draft.key, what, _cut(draft.raw), loss, self.where))


def _cut(raw: str) -> str:
    return raw if len(raw) <= LONGEST_RAW else raw[: LONGEST_RAW - 1] + "…"


def read(text: str, *, where: str = "") -> tuple[list[Source], list[Failure]]:
    """The sources in BibTeX `text`, and everything in it that was not taken over as it stands.

    Args:
        text: a whole .bib file. A byte order mark and CRLF are fine.
        where: the file's name, which failures name.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    reading = stream(of_text(text), where=where)
    return list(reading.sources), reading.failures


def read_file(path: Path) -> tuple[list[Source], Reading]:
    """The sources in a .bib file, and what else it held.

    Raises:
        KbError: as `stream_file`.
    """
    reading = stream_file(path)
    return list(reading.sources), reading


def stream_file(path: Path) -> Reading:
    """Read a .bib file of any size: see `stream`.

    Raises:
        KbError: the file cannot be opened, is not UTF-8 or no BibTeX; names the line.
    """
    try:
        with path.open(encoding="utf-8") as file:
            return stream(file.read, where=str(path))
    except OSError as error:
        raise KbError(f"cannot read {path}: {error.strerror or error}") from None
    except NoBlocks as error:
        raise KbError(f"{path}, {error.message}", error.hint) from None
    except UnicodeDecodeError:
        raise not_utf8(path) from None


def stream(read: Read, *, where: str = "") -> Reading:
    """Read BibTeX without holding it: of entries that were read only keys stay in memory.

    Everything is read before this returns; `sources` are made while one goes through them.

    Args:
        read: hands out the next so many characters, with LF at the ends of lines.
    """
    first = read(1).removeprefix("\ufeff")

    def unmarked(size: int) -> str:
        nonlocal first
        piece, first = first + read(size), ""
        return piece

    reader = _Reader(where)
    reader.read(unmarked)
    reader.reading.sources = (source for source, _ in reader.records())
    return reader.reading


def placed(text: str, *, where: str, failures: list[Failure]) -> Iterator[tuple[Source, Draft]]:
    """The sources in BibTeX `text`, each with its place in it, one by one; at the end `failures` has them all."""
    reader = _Reader(where, failures)
    reader.read(of_text(text))
    yield from reader.records()


class _Reader:
    def __init__(self, where: str, failures: list[Failure] | None = None) -> None:
        self.where = where
        self.reading = Reading(failures=[] if failures is None else failures, where=where)
        self.drafts = Drafts()
        self.room = Room()
        self.strings = Strings(self.reading.strings, self.room)
        self.text = ""
        self.start = 0
        self.lines = Lines("")

    def read(self, read: Read) -> None:
        """Take in all blocks; after it `records` can be asked for."""
        for text, line in stretches(read):
            self.text, self.lines = text, Lines(text, line)
            self.room.read(len(text))
            for block in blocks.split(text):
                self.take(block)
            self.start += len(text)
        self.text = ""
        for draft, what, loss in inherit(self.drafts, self.room):
            self.fail_draft(draft, what, loss)

    def take(self, block: scan.Scanned | blocks.Broken) -> None:
        if isinstance(block, blocks.Broken):
            end = min(
                block.end, block.start + LONGEST_RAW + 1
            )  # of what is broken the rest of the file may be part
            self.fail(block.start, "", block.what, self.text[block.start : end].strip())
        elif block.type == "comment":
            self.reading.comments += 1
        elif block.type == "preamble":
            self.reading.preambles += 1
        elif block.type == "string":
            self.define(block)
        else:
            self.reading.entries += 1
            self.drafts.add(self.draft(block))

    def fail(self, start: int, key: str, what: str, raw: str, loss: Loss = "entry") -> None:
        self.reading.failures.append(Failure(self.lines.at(start), key, what, _cut(raw), loss, self.where))

    def fail_draft(self, draft: Draft, what: str, loss: Loss) -> None:
        self.reading.fail_draft(draft, what, loss)

    def define(self, block: scan.Scanned) -> None:
        scanned = block if block.fields else scan.entry(self.text, block.start)
        raw = self.text[block.start : block.end]
        if scanned is None or not scanned.fields:
            self.fail(block.start, "", "an @string that cannot be read", raw, "value")
            return
        for name, expression, _ in scanned.fields:
            value, unknown = self.strings.resolve(expression)
            if value is None:
                self.fail(block.start, "", f"@string {name} {TOO_LONG}", raw, "value")
                continue
            known = self.reading.strings.get(name.lower())
            if known is not None and known != value:
                self.fail(block.start, "", f"@string {name} is defined again; the new one holds from here",
                          raw, "nothing")  # fmt: skip
            if unknown:
                self.fail(
                    block.start, "", f"@string {name} uses {unknown}, which is not defined", raw, "nothing"
                )
            self.reading.strings[name.lower()] = value

    def draft(self, block: scan.Scanned) -> Draft:
        raw = self.text[block.start : block.end]
        draft = Draft(block.type, block.key, {}, self.start + block.start, self.lines.at(block.start), raw)
        for name, expression, _ in block.fields:
            value, unknown = self.strings.resolve(expression)
            if value is None:
                self.fail_draft(draft, f"{name} {TOO_LONG}", "value")
                continue
            if unknown:
                told = f"{name} uses {unknown}, which no @string defines; kept as it stands"
                self.fail_draft(draft, told, "nothing")
            lower = name.lower()
            if not _FIELD_NAME.fullmatch(lower):
                lower = _field_name(lower)
                self.fail_draft(draft, f"field {shown(name)} is kept as {lower}", "nothing")
            if not value:
                continue
            if lower in draft.fields:
                if draft.fields[lower] != value:
                    self.fail_draft(
                        draft, f"has {lower} twice; the first one holds, not {shown(value)}", "value"
                    )
                continue
            draft.fields[lower] = value
        for name in block.no_comma:
            self.fail_draft(draft, f"no comma after {name}; read as if there were one", "nothing")
        return draft

    def records(self) -> Iterator[tuple[Source, Draft]]:
        """Each source with the entry that it was; sorts the failures when all are there."""
        from kb.records import InvalidRecord, parse

        taken = {key for key in self.drafts.keys if _KEY.fullmatch(key)}
        seen: dict[str, int] = {}
        tried: dict[str, int] = {}
        for number in range(len(self.drafts)):
            draft = self.drafts[number]
            if draft.type == "xdata":
                self.fail_draft(
                    draft, "an @xdata is no source; its fields went to the entries that name it", "nothing"
                )
                continue
            key = draft.key
            if not _KEY.fullmatch(key):
                key = keys.free(_slug(draft), taken, tried)
                taken.add(key)
                what = (
                    f"kb cannot have this key; imported as {key}"
                    if draft.key
                    else f"has no key; imported as {key}"
                )
                self.fail_draft(draft, what, "nothing")
            plain, lost = _plain(draft, key)
            for what in lost:
                self.fail_draft(draft, what, "value")
            try:
                source: Source = parse("source", plain)  # type: ignore[assignment]
            except InvalidRecord as error:
                told = "; ".join(": ".join([*map(str, path), what]) for path, what in error.problems[:2])
                self.fail_draft(draft, f"cannot be imported: {told}", "entry")
                continue
            if key in seen:
                other = self.drafts[seen[key]]
                if parse("source", _plain(other, key)[0]) == source:
                    self.fail_draft(draft, f"is the same entry as on line {other.line}", "nothing")
                else:
                    self.fail_draft(draft, f"the key is taken by the entry on line {other.line}", "entry")
                continue
            seen[key] = number
            self.reading.last = draft
            yield source, draft
        self.reading.failures.sort(key=lambda failure: failure.line)


def _plain(draft: Draft, key: str) -> tuple[dict[str, Any], list[str]]:
    """What `kb.records.parse` takes, and what of the entry is lost in it."""
    fields = dict(draft.fields)
    lost = []
    subtype = fields.pop("entrysubtype", "")
    if subtype and subtype not in words.SOURCE_KINDS:
        lost.append(f"entrysubtype {shown(subtype)} is no kind that kb knows")
        subtype = ""
    aliases: list[str] = []
    for alias in dict.fromkeys(one.strip() for one in fields.pop("ids", "").split(",")):
        if not alias or alias == key:
            continue
        if _KEY.fullmatch(alias):
            aliases.append(alias)
        else:
            lost.append(f"kb cannot have the former key {shown(alias)}")
    kind = subtype or default_kind(draft.type, fields)
    return {"key": key, "type": draft.type, "kind": kind, "fields": fields, "aliases": aliases}, lost


def default_kind(type_: str, fields: dict[str, str]) -> str:
    """The kind of source that an entry is when no `entrysubtype` says it."""
    if type_ == "book":
        return "book"
    if type_ == "phdthesis":
        return "thesis"
    return "post" if type_ == "misc" and "howpublished" in fields else "paper"


def write(sources: Iterable[Source | dict[str, Any]]) -> str:
    """Canonical BibTeX: one field a line, values in braces, entries parted by an empty line.

    Takes records or their plain data; needs no bibtexparser.
    """
    return "\n".join(_entry(one if isinstance(one, dict) else one.model_dump()) for one in sources)


def _entry(source: dict[str, Any]) -> str:
    fields: dict[str, str] = dict(source.get("fields") or {})
    if source["kind"] != default_kind(source["type"], fields):
        fields["entrysubtype"] = source["kind"]
    if source.get("aliases"):
        fields["ids"] = ", ".join(source["aliases"])
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items())
    return f"@{source['type']}{{{source['key']},\n{lines}}}\n"


def display(fields: dict[str, str]) -> dict[str, str]:
    """What one reads of an entry: title, authors ('First Last; First Last'), year, doi, eprint, url.

    Names are split before they are decoded, so that `{{OpenAI Team}}` stays one name. LaTeX is decoded in
    the title and the authors alone; addresses and identifiers stand as written.
    """
    from kb.sources import latex, names

    people = fields.get("author") or fields.get("editor") or ""
    authors = "; ".join(latex.decode(str(names.parse(name))) for name in names.split(people))
    year = fields.get("year") or fields.get("date", "")[:4]
    return {
        "title": latex.decode(fields.get("title", "")),
        "authors": authors,
        "year": latex.decode(year),
        "doi": fields.get("doi", ""),
        "eprint": fields.get("eprint", ""),
        "url": fields.get("url", ""),
    }


def _slug(draft: Draft) -> str:
    """A key that kb can have: the given one in ASCII, or author, year and first word of the title."""
    if draft.key:
        return keys.slug(draft.key) or "source"
    shown_as = display(draft.fields)
    author = shown_as["authors"].split(";")[0].split(" ")[-1]
    return keys.suggest(author, shown_as["year"], shown_as["title"])


def _field_name(name: str) -> str:
    ascii_ = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9_-]+", "-", ascii_).strip("-0123456789_")[:40] or "field"
