"""The text of a source, from a file that somebody has or from where it is published.

Extraction is left to well-kept libraries: pypdf for PDF, trafilatura for web pages. What comes out is a
*rendering*: with its kind, its hash and its date, since two renderings of one paper differ.
"""

from __future__ import annotations

import hashlib
import io
import logging
import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kb import files
from kb.errors import KbError
from kb.sources.identifiers import arxiv_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kb.sources.answer import Answer
    from kb.sources.http import Http

LARGEST = 50 * 1024 * 1024
"""Bytes of a file that are read at most."""
A_PAPER = 10_000
"""Characters from which a web page may be a paper and not its landing page with the abstract."""
_LONG = ("paper", "thesis", "book")
MOST_TEXT = 10_000_000
"""Characters of text that are kept at most."""


@dataclass(frozen=True)
class Extracted:
    """Text with what it was read from and by."""

    text: str
    kind: str
    sha256: str
    extractor: str


def from_file(path: Path) -> Extracted:
    """The text of a PDF, HTML, LaTeX or plain text file.

    Raises:
        KbError: when it cannot be read, is too large, or holds no text.
    """
    try:
        content = files.read_bytes(path, LARGEST)
    except FileNotFoundError:
        raise KbError(f"no file {path}") from None
    return extract(content, kind_of(content, path.name), str(path))


def addresses(fields: Mapping[str, Any]) -> list[str]:
    """Where the text of a source may be fetched, best first: arXiv's PDF and HTML, then its own address.

    An address that is known to give no more than an abstract is none: a quote that is not in the abstract
    would seem not to stand in the paper.
    """
    identifier = arxiv_of({name: str(fields.get(name) or "") for name in ("eprint", "doi", "url")})
    version = re.search(r"\d(v\d+)$", str(fields.get("eprint") or "").strip())
    identifier += version[1] if identifier and version else ""
    found = [f"https://export.arxiv.org/pdf/{identifier}", f"https://arxiv.org/html/{identifier}"]
    url = str(fields.get("url") or "")
    forum = re.fullmatch(r"https?://openreview\.net/forum\?id=([\w-]+).*", url)
    if forum and fields.get("kind") != "review":
        url = f"https://openreview.net/pdf?id={forum[1]}"
    landing = re.match(r"https?://(?:www\.)?(?:arxiv\.org/|(?:dx\.)?doi\.org/)", url)
    return (found if identifier else []) + (
        [url] if url.startswith(("https://", "http://")) and not landing else []
    )


def from_network(fields: Mapping[str, Any], http: Http, given: Answer | None = None) -> tuple[Extracted, str]:
    """The text of a source from where it is published, and the address that gave it.

    Args:
        fields: of the source: eprint, doi, url, and its kind.
        given: what its own address has just answered, so that it is not asked twice.

    Raises:
        KbError: when there is no address, or none of them gives a text; it says why each did not.
    """
    from kb.sources.answer import ANY_TEXT, shown_address

    known = addresses(fields)
    if not known:
        raise KbError("the entry names no place that has the text", "give a file", code=1)
    problems = []
    for address in known:
        try:
            answer = given if given and given.url == address else http.get(address, ANY_TEXT)
            where = shown_address(address)
            if not answer.found:
                problems.append(f"{where} is not there ({answer.status})")
                continue
            found = extract(answer.body, kind_of(answer.body, address), where)
            if found.kind == "html" and fields.get("kind") in _LONG and len(found.text) < A_PAPER:
                problems.append(f"{where} gives {len(found.text):,} characters: not the whole text")
                continue
            return found, answer.url
        except KbError as error:
            problems.append(error.message)
    raise KbError("; ".join(dict.fromkeys(problems)), "give a file that you have", code=1)


def kind_of(content: bytes, name: str) -> str:
    """pdf, html, latex or text: by what the content is, then by its name."""
    head = content[:1024].lstrip().lower()
    if head.startswith(b"%pdf-"):
        return "pdf"
    if head.startswith((b"<!doctype html", b"<html")) or b"<html" in head or name.endswith((".html", ".htm")):
        return "html"
    if name.endswith(".tex") or b"\\documentclass" in content[:20_000]:
        return "latex"
    return "text"


def extract(content: bytes, kind: str, where: str) -> Extracted:
    """The text of `content`, which is of `kind`.

    Raises:
        KbError: when the file is broken, or holds no text (a scan, an empty page).
    """
    if kind == "pdf":
        text, extractor = _pdf(content, where)
    elif kind == "html":
        text, extractor = _html(content, where)
    else:
        text, extractor = _decoded(content, where), "none"
        if kind == "latex":
            text = re.sub(r"(?<!\\)%.*", "", text)
    text = text[:MOST_TEXT].replace("\0", "")
    if not any(c.isalnum() for c in text):
        raise KbError(f"{where} holds no text", "a scan must be read by OCR first", code=1)
    return Extracted(text, kind, hashlib.sha256(content).hexdigest(), extractor)


def _decoded(content: bytes, where: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        if b"\0" in content:
            raise KbError(f"{where} is no text", "give a PDF, HTML, LaTeX or text file") from None
        return content.decode("latin-1")


def _pdf(content: bytes, where: str) -> tuple[str, str]:
    pypdf = _needed("pypdf")
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            reader = pypdf.PdfReader(io.BytesIO(content))
            if reader.is_encrypted and not reader.decrypt(""):
                raise KbError(f"{where} is encrypted", "give a copy without a password", code=1)
            pages = []
            size = 0
            for page in reader.pages:
                pages.append(page.extract_text() or "")
                size += len(pages[-1])
                if size > MOST_TEXT:
                    break
    except KbError:
        raise
    except Exception as error:  # a broken PDF fails in many ways, all of which mean the same to the user
        raise KbError(
            f"{where} cannot be read as PDF: {type(error).__name__}", "give another copy", code=1
        ) from None
    return "\n".join(pages), f"pypdf {pypdf.__version__}"


def _html(content: bytes, where: str) -> tuple[str, str]:
    trafilatura = _needed("trafilatura")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
        try:
            text = trafilatura.extract(content, favor_recall=True, include_comments=True, include_tables=True)
        except Exception as error:  # as with a PDF: a broken page means one thing, however it fails
            told = f"{where} cannot be read as a page: {type(error).__name__}"
            raise KbError(told, "save the page as text", code=1) from None
    if not text:
        raise KbError(f"{where} holds no text that could be found", "save the page as text", code=1)
    return str(text), f"trafilatura {trafilatura.__version__}"


def _needed(name: str) -> Any:
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError:
        raise KbError(f"reading this kind of file needs {name}", "pip install 'interp-kb[text]'") from None
