"""The sources of a talk: how slides name them, and the numbered list at its end."""

from __future__ import annotations

from collections.abc import Iterable

from kb.talks.outline import Reference
from kb.talks.reading import Reading, Row
from kb.talks.text import clean
from kb.talks.text import label as label_of


class Sources:
    """Sources by key, each read once."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._known: dict[str, Row] = {}

    def label(self, key: str) -> str:
        """How a slide names the source: 'Meng et al. 2022'."""
        row = self._row(key)
        authors, year, title = (clean(row.get(name) or "") for name in ("authors", "year", "title"))
        return label_of(authors, year, clean(key), title)

    def year(self, key: str) -> str:
        """The year of the source, or nothing."""
        return clean(self._row(key).get("year") or "")

    def numbered(self, keys: Iterable[str]) -> tuple[Reference, ...]:
        """The sources in the order of their first use, numbered from 1."""
        return tuple(self._reference(place, key) for place, key in enumerate(dict.fromkeys(keys), start=1))

    def _row(self, key: str) -> Row:
        if key not in self._known:
            self._known[key] = self._reading.source(key) or {}
        return self._known[key]

    def _reference(self, number: int, key: str) -> Reference:
        row = self._row(key)
        return Reference(
            number=number,
            key=clean(key),
            label=self.label(key),
            authors=clean(row.get("authors") or ""),
            year=clean(row.get("year") or ""),
            title=clean(row.get("title") or ""),
            url=_address(row),
        )


def _address(row: Row) -> str:
    """Where the source is found: its DOI, its arXiv page, or its own address if that is one of the web."""
    doi, eprint, url = (clean(row.get(name) or "") for name in ("doi", "eprint", "url"))
    if doi:
        return doi if doi.startswith(("https://", "http://")) else f"https://doi.org/{doi}"
    if url.startswith(("https://", "http://")) and " " not in url:
        return url
    return f"https://arxiv.org/abs/{eprint}" if eprint and " " not in eprint else ""
