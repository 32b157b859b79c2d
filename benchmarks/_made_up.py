"""Made-up libraries of any size, streamed and seeded: the same arguments give the same records, byte by byte.

What is drawn is shaped like a library that people have kept for years: words by Zipf's law (the commonest stand
in nearly every claim, most are rare), lengths and numbers of citations with long tails, a few sources that
hundreds of claims cite, tags of which a few are everywhere, and names of people in several scripts. No record
is kept: a library of a million claims takes no more memory than one of a thousand.
"""

from __future__ import annotations

import csv
import itertools
import json
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

Record = tuple[str, dict[str, Any]]
"""(kind, plain data as `kb.records.parse` takes it)."""

COMMON = """
the of a in and to is that model for are with on by as from at than be an it network not which language learning can
trained this training when more has reward features agent attention we policy transformer its or behaviour circuits
representations neurons layer probes steering goal interpretability data these activation probability causal prompt
tokens human feedback robust evidence task concept random sparse
"""
"""The commonest words, commonest first."""
FAMILIES = """
Müller García-López Nguyễn Wang Иванова Çelik Søndergård O’Brien Łukasiewicz 王 Papadopoulos Hakimi Okafor Tanaka 김
Håkansson Dvořák Şahin Öztürk Ferreira Kowalczyk Abdalla Rao Svensson Brown Chen Turner Iyer Smith Jones Mbeki Novák
"""
GIVEN = """
Jörg María Mai Xiaoming Анна Élodie Zoë Søren Siobhán Łucja 小明 Γιώργος Yuki Ngozi 민준 Charles Åsa Tomáš Ayşe Inês
Zofia Omar Priya Lars Emma Lili Alex Neel Sam Chris Thabo Karin Jan Paolo Amélie
"""
SYLLABLES = (
    "ka lo mi ren tor vel is qua dis pro con ter sub mar nel phi gra sto bel dun fer zi ol hex tra lin"
)
KINDS = {"empirical": 52, "achievement": 20, "framing": 10, "prediction": 8, "advice": 6, "question": 4}
STATUSES = {"open": 55, "supported": 30, "disputed": 10, "refuted": 3, "superseded": 2}
STANCES = {"asserts": 60, "supports": 20, "background": 10, "disputes": 6, "qualifies": 4}
RELATIONS = {"supports": 50, "qualifies": 20, "rebuts": 15, "undercuts": 10, "same-as": 5}
CITATIONS = {1: 44, 2: 28, 3: 14, 4: 7, 6: 4, 9: 2, 15: 1}
"""How many citations claims have, with the share of each number in per cent; so above for the words."""
VOCABULARY = 30_000
TAGS = 400
CELLS = 4
"""Cells of a table of published figures."""
COLUMNS = """
id source locator quantity value spread unit scale environment dataset method protocol seen seen_at note
"""
A_FILE = 1_000
"""Claims in one file of the library's text."""


class _Weighted:
    """Draws from values with weights, in a time that hardly grows with their number."""

    def __init__(self, values: Sequence[Any], weights: Sequence[float]) -> None:
        self.values = values
        self.cumulated = list(itertools.accumulate(weights))

    def draw(self, random_: random.Random, number: int) -> list[Any]:
        return random_.choices(self.values, cum_weights=self.cumulated, k=number)


def _shares(shares: dict[Any, int]) -> _Weighted:
    return _Weighted(list(shares), list(shares.values()))


def _by_zipf(values: Sequence[str]) -> _Weighted:
    """The word of rank r with a share in 1 / (r + 2.7), as in English (Mandelbrot's form of Zipf's law)."""
    return _Weighted(values, [1 / (rank + 2.7) for rank in range(1, len(values) + 1)])


def _rare_word(number: int) -> str:
    syllables = SYLLABLES.split()
    number += len(syllables) ** 2
    word = ""
    while number:
        number, which = divmod(number, len(syllables))
        word += syllables[which]
    return word


class Library:
    """A made-up library of `claims` claims; the same seed gives the same one."""

    def __init__(self, claims: int, seed: int = 7) -> None:
        self.claims = claims
        self.seed = seed
        self.sources = max(claims // 4, 1)
        self.tables = max(claims // 8, 1)
        common = COMMON.split()
        words = common + [_rare_word(n) for n in range(VOCABULARY - len(common))]
        self._words = _by_zipf(words)
        self._families, self._given = FAMILIES.split(), GIVEN.split()
        self._tags = _by_zipf([*common[8:], *words[900 : 900 + TAGS]])
        self._kinds, self._statuses, self._stances = _shares(KINDS), _shares(STATUSES), _shares(STANCES)
        self._relations, self._citations = _shares(RELATIONS), _shares(CITATIONS)

    def __iter__(self) -> Iterator[Record]:
        """Every record, in an order in which references can be stored."""
        yield from (("source", source) for source in self.source_records())
        yield from (("claim", claim) for claim in self.claim_records())
        yield from (("figure", figure) for figure in self.figure_records())

    def source_records(self) -> Iterator[dict[str, Any]]:
        """Sources with an abstract each, as reference managers export them."""
        draw = self._random("sources")
        for number in range(self.sources):
            fields = {
                "title": self._sentence(draw, 4, 14).rstrip(".").capitalize(),
                "author": " and ".join(
                    self._person(draw) for _ in range(min(1 + int(draw.expovariate(0.4)), 12))
                ),
                "year": str(draw.randint(1990, 2026)),
                "doi": f"10.1000/made-up.{number}",
                "url": f"https://example.org/paper/{number}",
                "abstract": self._sentence(draw, 60, 180),
            }
            kind = draw.choice(("article", "inproceedings", "misc"))
            if kind != "misc":
                name = "journal" if kind == "article" else "booktitle"
                fields[name] = "Journal of Made-up Results"
            yield {"key": self.key(number), "type": kind, "kind": "paper", "fields": fields}

    def claim_records(self) -> Iterator[dict[str, Any]]:
        """Claims with all that hangs on them; a relation points at a claim that stands before."""
        draw = self._random("claims")
        for number in range(self.claims):
            yield self._claim(draw, number)

    def figure_records(self) -> Iterator[dict[str, Any]]:
        """Published figures, `CELLS` to a table, two tables for each computation."""
        for number in range(self.tables * CELLS):
            table, cell = divmod(number, CELLS)
            yield {
                "id": f"table{table}.cell{cell}",
                "source": self.key(table % self.sources),
                "locator": f"Table {table % 9 + 1}",
                "quantity": "normalised return",
                "value": _value(table, cell),
                "unit": "score",
                "scale": "0-100",
                "seen": "primary",
            }

    def key(self, number: int) -> str:
        """The key of a source."""
        return f"made{number}up"

    def claim_id(self, number: int) -> str:
        """The id of a claim."""
        return f"claim-{number}"

    def home(self, number: int) -> str:
        """The file of the library's text in which a claim stands."""
        return f"claims/made-up-{number // A_FILE:04}.yaml"

    def _random(self, what: str) -> random.Random:
        return random.Random(f"{self.seed} {what}")

    def _sentence(self, draw: random.Random, least: int, most: int) -> str:
        length = int(min(max(draw.lognormvariate(2.9, 0.45) * (least + most) / 40, least), most))
        return " ".join(self._words.draw(draw, length)).capitalize() + "."

    def _person(self, draw: random.Random) -> str:
        """'Family, Given', a few of them in many papers."""
        family, given = (
            names[int(len(names) * draw.random() ** 1.5)] for names in (self._families, self._given)
        )
        return f"{family}, {given} {chr(65 + draw.randrange(26))}."

    def _source_of(self, draw: random.Random) -> str:
        """A key; a few sources are cited by very many claims."""
        return self.key(int(self.sources * draw.random() ** 3))

    def _claim(self, draw: random.Random, number: int) -> dict[str, Any]:
        kind = self._kinds.draw(draw, 1)[0]
        family, given = self._person(draw).split(", ")
        year = draw.randint(2012, 2026)
        claim: dict[str, Any] = {
            "id": self.claim_id(number),
            "kind": kind,
            "statement": self._sentence(draw, 6, 60)[:600],
            "asserted_by": f"{given} {family}" + (" et al." if draw.random() < 0.6 else ""),
            "date": f"{year}-{draw.randint(1, 12):02}" if draw.random() < 0.7 else str(year),
            "status": self._statuses.draw(draw, 1)[0],
        }
        if draw.random() < 0.5:
            claim["headline"] = self._sentence(draw, 5, 9)[:90].rstrip()
        if draw.random() < 0.5:
            claim["caveat"] = self._sentence(draw, 8, 30)[:400].rstrip()
        tags = self._tags.draw(draw, min(1 + int(draw.expovariate(0.6)), 9))
        claim["tags"] = list(dict.fromkeys(tag for tag in tags))
        claim["citations"] = [self._citation(draw) for _ in range(self._citations.draw(draw, 1)[0])]
        relations = {}
        for _ in range(int(draw.expovariate(1.0)) if number else 0):
            target = self.claim_id(number - 1 - int(min(number - 1, draw.expovariate(0.02))))
            relations[self._relations.draw(draw, 1)[0], target] = None
        if relations:
            claim["relations"] = [{"type": type_, "claim": target} for type_, target in relations]
        if number % 8 == 0:
            table = number // 8 % self.tables
            mean = sum(_value(table, cell) for cell in range(CELLS)) / CELLS
            expression = f'mean(cells("table{table}.*"))'
            claim["computations"] = [
                {"name": "mean", "expression": expression, "expected": round(mean, 2), "decimals": 2}
            ]
        if kind == "prediction":
            claim["prediction"] = {
                "probability": round(draw.random(), 2),
                "forecaster": f"{given} {family}",
                "made": f"{year}",
                "resolution": self._sentence(draw, 10, 30),
            }
        return claim

    def _citation(self, draw: random.Random) -> dict[str, Any]:
        citation: dict[str, Any] = {
            "source": self._source_of(draw),
            "stance": self._stances.draw(draw, 1)[0],
            "locator": f"section {draw.randint(1, 9)}, page {draw.randint(1, 40)}",
        }
        if draw.random() < 0.7:
            citation["quote"] = self._sentence(draw, 8, 38)
            citation["seen"] = draw.choice(("primary", "paper-copy"))
        return citation


def _value(table: int, cell: int) -> float:
    return (table * 7919 + cell * 104_729) % 1_000 / 10


def write_lines(library: Library, path: Path) -> None:
    """The library as an export file of kb (JSON Lines)."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write('{"format": "kb-library", "version": 1}\n')
        for number, (kind, data) in enumerate(library):
            home = _home(library, kind, number)
            line = {"kind": kind, "home": home, "position": number, "record": data}
            file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")


def write_text(library: Library, folder: Path) -> None:
    """The library as a citations folder: references.bib, YAML of `A_FILE` claims a file, one table of figures."""
    (folder / "claims").mkdir(parents=True)
    (folder / "figures").mkdir()
    write_bibtex(library, folder / "references.bib")
    claims = library.claim_records()
    for first in range(0, library.claims, A_FILE):
        with (folder / library.home(first)).open("w", encoding="utf-8", newline="\n") as file:
            for claim in itertools.islice(claims, A_FILE):
                file.write("- " + "".join(_yaml(claim, "  "))[2:])
    with (folder / "figures" / "made-up.csv").open("w", encoding="utf-8", newline="\n") as file:
        table = csv.DictWriter(file, COLUMNS.split(), lineterminator="\n")
        table.writeheader()
        table.writerows(library.figure_records())


def _yaml(data: dict[str, Any], indent: str) -> Iterator[str]:
    """Block style, texts in double quotes: kb's own writer checks what it writes, which takes its time."""
    for key, value in data.items():
        if isinstance(value, dict):
            yield f"{indent}{key}:\n"
            yield from _yaml(value, indent + "  ")
        elif isinstance(value, list):
            yield f"{indent}{key}:\n"
            for item in value:
                if isinstance(item, dict):
                    yield f"{indent}- " + "".join(_yaml(item, indent + "  "))[len(indent) + 2 :]
                else:
                    yield f"{indent}- {json.dumps(item, ensure_ascii=False)}\n"
        else:
            yield f"{indent}{key}: {json.dumps(value, ensure_ascii=False)}\n"


def write_bibtex(library: Library, path: Path) -> None:
    """The library's sources as a .bib file."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for source in library.source_records():
            fields = "".join(f"  {name} = {{{value}}},\n" for name, value in source["fields"].items())
            file.write(f"@{source['type']}{{{source['key']},\n{fields}}}\n\n")


def make_store(library: Library, path: Path) -> None:
    """The library as a new store, by the door that every change of kb goes through, as in `kb library build`."""
    from kb import records
    from kb.store import connect, edit

    connect.create(path)
    with connect.writing_to(path) as session, edit.bulk(session):
        for number, (kind, data) in enumerate(library):
            home = _home(library, kind, number)
            record = records.parse(kind, data)
            edit.put(session, record, home=home, position=number, record_history=False)


def _home(library: Library, kind: str, number: int) -> str:
    of = {"source": "references.bib", "figure": "figures/made-up.csv"}
    return of.get(kind) or library.home(number - library.sources)


def main() -> None:
    """`python -m benchmarks._made_up store|text|lines|bibtex CLAIMS PATH`: for benchmarks, as a process of its own."""
    what, claims, path = sys.argv[1:]
    makers = {"store": make_store, "text": write_text, "lines": write_lines, "bibtex": write_bibtex}
    makers[what](Library(int(claims)), Path(path))


if __name__ == "__main__":
    main()
