"""Sources as CSL-JSON (for pandoc, Quarto, Zotero) and as RIS, from plain data.

Takes {key, type, kind, fields}, as `kb.records.plain` gives it; imports neither pydantic nor bibtexparser.
Styled references are left to CSL processors: they know ten thousand styles.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from kb.sources import latex, names

_CSL = {
    "article": "article-journal", "book": "book", "booklet": "pamphlet", "collection": "book",
    "conference": "paper-conference", "dataset": "dataset", "inbook": "chapter", "incollection": "chapter",
    "inproceedings": "paper-conference", "manual": "report", "mastersthesis": "thesis",
    "misc": "document", "online": "webpage", "electronic": "webpage", "phdthesis": "thesis",
    "proceedings": "book", "report": "report", "software": "software", "techreport": "report",
    "thesis": "thesis", "unpublished": "manuscript",
}  # fmt: skip
_CSL_BY_KIND = {
    "post": "post-weblog", "talk": "speech", "podcast": "broadcast", "thesis": "thesis", "book": "book",
    "repository": "software", "review": "review", "comment": "post",
}  # fmt: skip
_RIS = {
    "article-journal": "JOUR", "article": "UNPB", "paper-conference": "CPAPER", "chapter": "CHAP", "book": "BOOK",
    "thesis": "THES", "report": "RPRT", "webpage": "ELEC", "post-weblog": "BLOG", "post": "ELEC",
    "software": "COMP", "dataset": "DATA", "broadcast": "SOUND", "speech": "CONF", "manuscript": "UNPB",
    "pamphlet": "PAMP", "review": "JOUR",
}  # fmt: skip
_PLAIN = (
    ("title", "title"), ("volume", "volume"), ("number", "issue"), ("issue", "issue"), ("pages", "page"),
    ("publisher", "publisher"), ("institution", "publisher"), ("school", "publisher"),
    ("address", "publisher-place"), ("location", "publisher-place"), ("edition", "edition"),
    ("series", "collection-title"), ("abstract", "abstract"), ("note", "note"), ("langid", "language"),
    ("language", "language"), ("keywords", "keyword"),
)  # fmt: skip
_AS_WRITTEN = (("doi", "DOI"), ("url", "URL"), ("isbn", "ISBN"), ("issn", "ISSN"))
_CONTAINERS = ("journal", "journaltitle", "booktitle", "howpublished", "eventtitle")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATE = re.compile(r"\s*(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")


def csl_json(sources: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """CSL-JSON items, ids the keys. Names are split before LaTeX is decoded; identifiers stay as written."""
    return [_csl(source) for source in sources]


def _csl(source: dict[str, Any]) -> dict[str, Any]:
    fields: dict[str, str] = source.get("fields") or {}
    item: dict[str, Any] = {"id": source["key"], "type": _csl_type(source, fields)}
    for name, as_ in _PLAIN:
        if name in fields and as_ not in item:
            item[as_] = latex.decode(fields[name])
    for name, as_ in _AS_WRITTEN:
        if name in fields:
            item[as_] = fields[name].replace("\\_", "_").replace("\\%", "%").replace("\\&", "&")
    container = next((fields[name] for name in _CONTAINERS if name in fields), "")
    if container:
        item["container-title"] = latex.decode(container)
    for role in ("author", "editor", "translator"):
        people = [_csl_name(name) for name in names.split(fields.get(role, ""))]
        if people:
            item[role] = people
    issued = _date(fields.get("date", "")) or _year_and_month(fields)
    if issued:
        item["issued"] = {"date-parts": [issued]}
    accessed = _date(fields.get("urldate", ""))
    if accessed:
        item["accessed"] = {"date-parts": [accessed]}
    if fields.get("eprint"):
        archive = fields.get("archiveprefix") or fields.get("eprinttype") or "arXiv"
        item["archive"] = archive
        item["archive_location"] = fields["eprint"]
        if "issue" not in item:
            item["number"] = f"{archive}:{fields['eprint']}"
    if source["type"] in ("phdthesis", "mastersthesis"):
        item["genre"] = "PhD thesis" if source["type"] == "phdthesis" else "Master's thesis"
    return item


def _csl_type(source: dict[str, Any], fields: dict[str, str]) -> str:
    by_kind = _CSL_BY_KIND.get(source.get("kind", ""))
    if by_kind:
        return by_kind
    type_ = _CSL.get(source["type"], "document")
    # A preprint: CSL's "article" is the one that has no journal.
    return "article" if type_ == "document" and fields.get("eprint") else type_


def _csl_name(name: str) -> dict[str, str]:
    if name.strip().lower() == "others":
        return {"literal": "et al."}
    if name.startswith("{") and name.endswith("}"):
        return {"literal": latex.decode(name)}
    parts = names.parse(name)
    found = {
        "family": latex.decode(parts.last),
        "given": latex.decode(parts.first),
        "non-dropping-particle": latex.decode(parts.von),
        "suffix": latex.decode(parts.junior),
    }
    if not found["given"]:
        return {
            "literal": " ".join(text for text in (found["non-dropping-particle"], found["family"]) if text)
        }
    return {part: text for part, text in found.items() if text}


def _date(text: str) -> list[int]:
    found = _DATE.match(text)
    return [int(part) for part in found.groups() if part] if found else []


def _year_and_month(fields: dict[str, str]) -> list[int]:
    year = _date(fields.get("year", ""))[:1]
    month = fields.get("month", "").strip().lower()
    if not year or not month:
        return year
    if month.isdigit() and 1 <= int(month) <= 12:
        return [*year, int(month)]
    return [*year, _MONTHS.index(month[:3]) + 1] if month[:3] in _MONTHS else year


def ris(sources: Iterable[dict[str, Any]]) -> str:
    """RIS records, one after the other, an empty line between them."""
    return "\n".join(_ris(source) for source in sources)


def _ris(source: dict[str, Any]) -> str:
    item = _csl(source)
    fields: dict[str, str] = source.get("fields") or {}
    lines = [("TY", _RIS.get(item["type"], "GEN")), ("ID", item["id"])]
    for role, tag in (("author", "AU"), ("editor", "A2"), ("translator", "A4")):
        for person in item.get(role, []):
            if person.get("literal") == "et al.":
                continue
            family = " ".join(filter(None, (person.get("non-dropping-particle"), person.get("family"))))
            parts = (family, person.get("given"), person.get("suffix"))
            lines.append((tag, person.get("literal") or ", ".join(filter(None, parts))))
    first, _, last = item.get("page", "").replace("–", "-").replace("--", "-").partition("-")
    issued = item.get("issued", {}).get("date-parts", [[]])[0]
    accessed = item.get("accessed", {}).get("date-parts", [[]])[0]
    lines += [
        ("TI", item.get("title", "")),
        ("T2", item.get("container-title", "")),
        ("T3", item.get("collection-title", "")),
        ("PY", str(issued[0]) if issued else ""),
        ("DA", "/".join(f"{part:02d}" for part in issued) if len(issued) > 1 else ""),
        ("VL", item.get("volume", "")),
        ("IS", item.get("issue", "")),
        ("SP", first),
        ("EP", last.strip()),
        ("PB", item.get("publisher", "")),
        ("CY", item.get("publisher-place", "")),
        ("ET", item.get("edition", "")),
        ("SN", item.get("ISBN", "") or item.get("ISSN", "")),
        ("DO", item.get("DOI", "")),
        ("UR", item.get("URL", "")),
        ("Y2", "/".join(f"{part:02d}" for part in accessed)),
        ("M3", item.get("genre", "")),
        ("AN", item.get("number", "") if "eprint" in fields else ""),
        ("AB", item.get("abstract", "")),
        ("N1", item.get("note", "")),
    ]
    lines += [("KW", word.strip()) for word in re.split("[,;]", item.get("keyword", ""))]
    told = [f"{tag}  - {' '.join(value.split())}" for tag, value in lines if value.strip()]
    return "\n".join([*told, "ER  - "]) + "\n"
