"""DOIs and arXiv ids, however they are spelt. Standard library only."""

from __future__ import annotations

import re
from urllib.parse import unquote

_DOI = re.compile(r"(?:^|[\s/:=(])(10\.\d{4,9}/[^\s\"<>{}]+)", re.IGNORECASE)
_ARXIV_NEW = r"(\d{4}\.\d{4,5})(v\d+)?"
_ARXIV_OLD = r"([a-z-]+(?:\.[A-Z]{2})?/\d{7})(v\d+)?"
_ARXIV = re.compile(
    rf"(?:^|arxiv[:.]\s*|arxiv\.org/(?:abs|pdf|html)/|alphaxiv\.org/abs/)(?:{_ARXIV_NEW}|{_ARXIV_OLD})(?:\.pdf)?(?![\w.])",
    re.IGNORECASE,
)
_ARXIV_DOI = "10.48550/arxiv."


def doi(text: str) -> str:
    """The DOI in `text` (bare, `doi:`, or an address of doi.org), in lower case; empty if there is none."""
    found = _DOI.search(unquote(text.strip()).replace("\\_", "_").replace("\\", ""))
    return found[1].rstrip(".,;)").lower() if found else ""


def arxiv(text: str) -> str:
    """The arXiv id in `text` without its version; empty if there is none."""
    text = text.strip()
    own = doi(text)
    if own.startswith(_ARXIV_DOI):
        text = own.removeprefix(_ARXIV_DOI)
    found = _ARXIV.search(text)
    # arXiv itself writes math.GT/0309136 as math/0309136.
    return re.sub(r"\.[a-z]{2}/", "/", (found[1] or found[3] or "").lower()) if found else ""


def doi_of(fields: dict[str, str]) -> str:
    """An entry's DOI, from its `doi` or its address; never from an abstract. arXiv's own DOIs do not count."""
    for name in ("doi", "url"):
        found = doi(fields.get(name, ""))
        if found and (name == "doi" or "doi.org/" in fields[name]) and not found.startswith(_ARXIV_DOI):
            return found
    return ""


def arxiv_of(fields: dict[str, str]) -> str:
    """An entry's arXiv id, from `eprint`, its DOI at arXiv, or its address; never from an abstract."""
    prefix = (fields.get("archiveprefix") or fields.get("eprinttype") or "arxiv").lower()
    if prefix == "arxiv":
        found = arxiv(fields.get("eprint", ""))
        if found:
            return found
    for name in ("doi", "url"):
        value = fields.get(name, "")
        if "arxiv" in value.lower():
            found = arxiv(value)
            if found:
                return found
    return ""
