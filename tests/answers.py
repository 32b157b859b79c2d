"""Answers in the shapes that the services document: of recorded shape, not recorded.

Crossref: api.crossref.org and its documentation of update-to and updated-by. arXiv: the API user's manual.
doi.org: content negotiation, CSL-JSON. The works in them are made up, or named as everybody knows them.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, urlencode
from xml.sax.saxutils import escape

from tests.web import Reply

DOI = "10.1234/steer.2023"
AUTHORS = (("Doe", "Jane"), ("Müller", "Max"))
TITLE = "Steering Networks by Activation Addition"


def work(doi: str = DOI, title: str = TITLE, authors: Any = AUTHORS, **more: Any) -> Reply:
    """Crossref's answer for a DOI."""
    message = {
        "indexed": {"date-parts": [[2024, 5, 1]]},
        "publisher": "A Press",
        "issue": "2",
        "type": "journal-article",
        "DOI": doi,
        "title": [title],
        "container-title": ["Journal of Networks"],
        "volume": "4",
        "page": "10-20",
        "author": [{"given": given, "family": family, "sequence": "first"} for family, given in authors],
        "issued": {"date-parts": [[2023, 3, 11]]},
        "URL": f"https://doi.org/{doi}",
        "relation": {},
        "references-count": 0,
        **more,
    }
    body = {"status": "ok", "message-type": "work", "message-version": "1.0.0", "message": message}
    return Reply(json.dumps(body).encode())


def update(state: str, doi: str = "10.1234/notice", source: str = "publisher") -> dict[str, Any]:
    """One entry of `updated-by` (doi: of the notice) or `update-to` (doi: of the work)."""
    return {
        "updated": {
            "date-parts": [[2024, 6, 5]],
            "date-time": "2024-06-05T00:00:00Z",
            "timestamp": 1717545600000,
        },
        "DOI": doi,
        "type": state,
        "source": source,
        "label": state.capitalize(),
        "record-id": "1",
    }


def notices(*found: tuple[str, str], doi: str = DOI) -> Reply:
    """Crossref's list of notices whose `update-to` names a DOI: (DOI of the notice, type)."""
    items = [
        {"DOI": notice, "type": "journal-article", "update-to": [update(state, doi)]}
        for notice, state in found
    ]
    message = {"total-results": len(items), "items": items, "items-per-page": 20, "query": {}}
    return Reply(json.dumps({"status": "ok", "message-type": "work-list", "message": message}).encode())


def csl(doi: str, title: str = "A Data Set", authors: Any = AUTHORS) -> Reply:
    """doi.org's answer for a DOI that DataCite registers."""
    body = {
        "type": "dataset",
        "id": f"https://doi.org/{doi}",
        "author": [{"family": family, "given": given} for family, given in authors],
        "issued": {"date-parts": [[2022]]},
        "publisher": "Zenodo",
        "DOI": doi,
        "title": title,
    }
    return Reply(json.dumps(body).encode(), "application/vnd.citationstyles.csl+json")


def entry(
    identifier: str, title: str = TITLE, authors: Any = AUTHORS, *, comment: str = "", summary: str = "We steer.",
    doi: str = "", journal: str = "", version: int = 2,
) -> str:  # fmt: skip
    """An entry of arXiv's Atom feed."""
    people = "".join(
        f"<author><name>{escape(f'{given} {family}')}</name></author>" for family, given in authors
    )
    own = "".join(
        f'<arxiv:{name} xmlns:arxiv="http://arxiv.org/schemas/atom">{escape(value)}</arxiv:{name}>'
        for name, value in (("comment", comment), ("journal_ref", journal), ("doi", doi))
        if value
    )
    return (
        f"<entry><id>http://arxiv.org/abs/{identifier}v{version}</id><updated>2023-06-24T12:00:00Z</updated>"
        f"<published>2023-03-02T17:53:39Z</published><title>{escape(title)}</title>"
        f"<summary>  {escape(summary)}\n</summary>{people}{own}"
        '<arxiv:primary_category xmlns:arxiv="http://arxiv.org/schemas/atom" term="cs.LG"/></entry>'
    )


def feed(*entries: str, total: int | None = None) -> Reply:
    """arXiv's answer."""
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">'
        '<title type="html">ArXiv Query</title><id>http://arxiv.org/api/cHxbiOdZaP56ODnBPIenZhzg5f8</id>'
        '<opensearch:totalResults xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/">'
        f"{len(entries) if total is None else total}</opensearch:totalResults>{''.join(entries)}</feed>"
    )
    return Reply(text.encode(), "application/atom+xml")


PAGE = """<!DOCTYPE html><html><head><title>Steering a maze | The Forum</title>
<meta name="author" content="Jane Doe"><meta property="og:site_name" content="The Forum">
<meta property="article:published_time" content="2023-03-11T10:00:00Z">{more}</head><body>
<nav><a href="/">Home</a></nav><article><h1>Steering a maze</h1>
<p>Our explanation encompasses <b>26 attention heads</b> grouped into 7 main classes, which we study at length.</p>
<p>A second paragraph says more, so that the page looks like an article and not like a list of links.</p>
</article></body></html>"""


def page(more: str = "") -> Reply:
    """A post on the web; `more` goes into its head."""
    return Reply(PAGE.replace("{more}", more).encode(), "text/html; charset=utf-8")


def pdf(text: str) -> bytes:
    """The smallest PDF that holds a line of text."""
    stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out = b"%PDF-1.4\n"
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return out + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table)


def at_work(doi: str) -> str:
    """Where Crossref is asked for a DOI."""
    return f"api.crossref.org/works/{quote(doi, safe='')}"


def at_notices(doi: str) -> str:
    """Where Crossref is asked for the notices that name a DOI."""
    return f"api.crossref.org/works?{urlencode({'filter': f'updates:{doi}', 'rows': '20'})}"


def at_arxiv(*identifiers: str) -> str:
    """Where arXiv is asked for ids."""
    query = {"id_list": ",".join(identifiers), "max_results": str(len(identifiers))}
    return f"export.arxiv.org/api/query?{urlencode(query)}"
