"""BibTeX both ways: parse -> blocks -> transforms -> records, with every failure kept.

`write` is canonical and `read(write(x)) == x`. Values stay BibTeX source text, as written between their
outer delimiters; they are decoded for display alone.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from kb import words
from kb.errors import KbError, one_line, shown
from kb.sources import blocks, keys, scan
from kb.sources.inherit import Draft, inherit

if TYPE_CHECKING:
    from kb.records import Source

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_:.+-]{0,99}")
_FIELD_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip
MONTHS = {name[:3].lower(): name for name in _MONTHS}
"""The macros that every BibTeX style defines, with the names that plain.bst gives them."""

Loss = Literal["entry", "value", "nothing"]


@dataclass(frozen=True)
class Failure:
    """Something in a BibTeX file that was not taken over as it stands.

    `loss` says what the library does not have because of it: the whole `entry`, a `value`, or `nothing`
    where kb only had to write it differently. `raw` is the text concerned.
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
    """All that a BibTeX file held. Comments and preambles are counted, strings resolved."""

    sources: list[Source] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    entries: int = 0
    comments: int = 0
    preambles: int = 0
    strings: dict[str, str] = field(default_factory=dict)


def read(text: str, *, where: str = "") -> tuple[list[Source], list[Failure]]:
    """The sources in BibTeX `text`, and everything in it that was not taken over as it stands.

    Args:
        text: a whole .bib file. A byte order mark and CRLF are fine.
        where: the file's name, which failures name.
    """
    reading = read_all(text, where=where)
    return reading.sources, reading.failures


def read_file(path: Path) -> Reading:
    """Read a .bib file.

    Raises:
        KbError: the file cannot be opened or is not UTF-8; names the line.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise KbError(f"cannot read {path}: {error.strerror or error}") from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = content[error.start]
        hint = f"if it is Latin-1: iconv -f latin1 -t utf-8 {path.name}"
        raise KbError(f"{path}, line {line}: not UTF-8 (byte 0x{byte:02X})", hint) from None
    return read_all(text, where=str(path))


def read_all(text: str, *, where: str = "") -> Reading:
    """As `read`, with what else the file held."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    return _Reader(text, where).run()


class _Reader:
    def __init__(self, text: str, where: str) -> None:
        self.text = text
        self.where = where
        self.reading = Reading()
        self.drafts: list[Draft] = []
        self._counted = (0, 1)

    def run(self) -> Reading:
        for block in blocks.split(self.text):
            if isinstance(block, blocks.Broken):
                self.fail(block.start, "", block.what, self.text[block.start : block.end].strip())
            elif block.type == "comment":
                self.reading.comments += 1
            elif block.type == "preamble":
                self.reading.preambles += 1
            elif block.type == "string":
                self.define(block)
            else:
                self.reading.entries += 1
                self.drafts.append(self.draft(block))
        for draft, what, loss in inherit(self.drafts):
            self.fail_draft(draft, what, loss)
        self.records()
        self.reading.failures.sort(key=lambda failure: failure.line)
        return self.reading

    def fail(self, start: int, key: str, what: str, raw: str, loss: Loss = "entry") -> None:
        self.reading.failures.append(Failure(self.line(start), key, what, raw, loss, self.where))

    def fail_draft(self, draft: Draft, what: str, loss: Loss) -> None:
        raw = self.text[draft.start : draft.end]
        self.reading.failures.append(Failure(draft.line, draft.key, what, raw, loss, self.where))

    def line(self, offset: int) -> int:
        """The line of an offset; counted on from the last one asked for, so a whole file costs one pass."""
        at, line = self._counted
        if offset < at:
            at, line = 0, 1
        line += self.text.count("\n", at, offset)
        self._counted = (offset, line)
        return line

    def define(self, block: scan.Scanned) -> None:
        scanned = block if block.fields else scan.entry(self.text, block.start)
        raw = self.text[block.start : block.end]
        if scanned is None or not scanned.fields:
            self.fail(block.start, "", "an @string that cannot be read", raw, "value")
            return
        for name, expression, _ in scanned.fields:
            value, unknown = self.resolve(expression)
            known = self.reading.strings.get(name.lower())
            if known is not None and known != value:
                self.fail(block.start, "", f"@string {name} is defined again; the new one holds from here",
                          raw, "nothing")  # fmt: skip
            if unknown:
                self.fail(
                    block.start, "", f"@string {name} uses {unknown}, which is not defined", raw, "nothing"
                )
            self.reading.strings[name.lower()] = value

    def resolve(self, expression: str) -> tuple[str, str]:
        """The value of an expression, and the names in it that are no known string."""
        first, last = expression[:1], expression[-1:]
        if first == "{" and last == "}":
            inner = expression[1:-1]
            if ("{" not in inner and "}" not in inner) or scan.close_brace(expression, 0) == len(expression):
                return inner.strip(), ""
        elif first == '"' and last == '"' and '"' not in (inner := expression[1:-1]):
            return inner.strip(), ""
        elif expression.isdigit():
            return expression, ""
        found = scan.pieces(expression)
        if found is None or found[1] != len(expression):
            # What only bibtexparser's reading accepts, such as "Schr\"odinger".
            return (expression[1:-1] if first + last in ('""', "{}") else expression).strip(), ""
        parts = []
        unknown = []
        for kind, piece in found[0]:
            if kind == "bare" and not piece.isdigit():
                known = self.reading.strings.get(piece.lower(), MONTHS.get(piece.lower()))
                if known is None:
                    unknown.append(piece)
                parts.append(piece if known is None else known)
            else:
                parts.append(piece)
        return "".join(parts).strip(), ", ".join(shown(name) for name in unknown)

    def draft(self, block: scan.Scanned) -> Draft:
        draft = Draft(block.type, block.key, {}, block.start, block.end, self.line(block.start))
        for name, expression, _ in block.fields:
            value, unknown = self.resolve(expression)
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

    def records(self) -> None:
        from kb.records import InvalidRecord, parse

        taken = {draft.key for draft in self.drafts if _KEY.fullmatch(draft.key)}
        seen: dict[str, tuple[int, Source]] = {}
        for draft in self.drafts:
            if draft.type == "xdata":
                self.fail_draft(
                    draft, "an @xdata is no source; its fields went to the entries that name it", "nothing"
                )
                continue
            key = draft.key
            if not _KEY.fullmatch(key):
                key = keys.free(_slug(draft), taken)
                taken.add(key)
                what = (
                    f"kb cannot have this key; imported as {key}"
                    if draft.key
                    else f"has no key; imported as {key}"
                )
                self.fail_draft(draft, what, "nothing")
            try:
                source = parse("source", self.plain(draft, key))
            except InvalidRecord as error:
                told = "; ".join(": ".join([*map(str, path), what]) for path, what in error.problems[:2])
                self.fail_draft(draft, f"cannot be imported: {told}", "entry")
                continue
            earlier = seen.get(key)
            if earlier:
                line, other = earlier
                if other == source:
                    self.fail_draft(draft, f"is the same entry as on line {line}", "nothing")
                else:
                    self.fail_draft(draft, f"the key is taken by the entry on line {line}", "entry")
                continue
            seen[key] = (draft.line, source)  # type: ignore[assignment]
            self.reading.sources.append(source)  # type: ignore[arg-type]

    def plain(self, draft: Draft, key: str) -> dict[str, Any]:
        fields = draft.fields
        subtype = fields.pop("entrysubtype", "")
        if subtype and subtype not in words.SOURCE_KINDS:
            self.fail_draft(draft, f"entrysubtype {shown(subtype)} is no kind that kb knows", "value")
            subtype = ""
        aliases: list[str] = []
        for alias in (one.strip() for one in fields.pop("ids", "").split(",")):
            if not alias or alias == key or alias in aliases:
                continue
            if _KEY.fullmatch(alias):
                aliases.append(alias)
            else:
                self.fail_draft(draft, f"kb cannot have the former key {shown(alias)}", "value")
        kind = subtype or default_kind(draft.type, fields)
        return {"key": key, "type": draft.type, "kind": kind, "fields": fields, "aliases": aliases}


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
