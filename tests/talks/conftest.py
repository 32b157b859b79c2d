"""A library in memory, small enough to read beside the test that uses it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kb.checks.figures import Computed
from kb.checks.prediction import Item
from kb.errors import NotFound

Row = dict[str, Any]


class Library:
    """A `kb.talks.reading.Reading` over plain dicts."""

    def __init__(self) -> None:
        self.claims: dict[str, Row] = {}
        self.talks: dict[str, Row] = {}
        self.sources: dict[str, Row] = {}
        self.runs: dict[str, Row] = {}
        self.computations: dict[str, list[Computed]] = {}
        self.cells: dict[str, list[Row]] = {}

    def add_claim(self, name: str, **fields: Any) -> Row:
        claim = {
            "id": name,
            "kind": "achievement",
            "statement": f"Statement of {name}.",
            "asserted_by": "Ada Lovelace",
            "date": "2023",
            "status": "supported",
            "verdict": "supported",
            "tags": [],
            "citations": [citation("lovelace1843", "asserts", locator="Note G", quote=f"words of {name}")],
            "relations": [],
            "computations": [],
            "criteria": [],
            "reproductions": [],
            "runs": [],
            **fields,
        }
        self.claims[name] = claim
        for cited in claim["citations"]:
            self.sources.setdefault(
                cited["source"],
                {
                    "key": cited["source"],
                    "title": f"Title of {cited['source']}",
                    "authors": "Ada Lovelace; Charles Babbage",
                    "year": "1843",
                    "doi": "",
                    "eprint": "",
                    "url": "https://example.org/notes",
                },
            )
        return claim

    def add_talk(self, name: str = "talk", **fields: Any) -> Row:
        talk = {"name": name, "title": "A talk", "select": {"claims": list(self.claims)}, **fields}
        self.talks[name] = talk
        return talk

    def talk(self, name: str) -> Row:
        if name not in self.talks:
            raise NotFound("talk", name)
        return self.talks[name]

    def matching(self, kind: Any, tag: Any, status: Any) -> list[Row]:
        return [
            claim
            for claim in self.claims.values()
            if (not kind or claim["kind"] in kind)
            and (not tag or set(tag) & set(claim["tags"]))
            and (not status or claim["status"] in status)
        ]

    def claim(self, name: str) -> Row | None:
        return self.claims.get(name)

    def source(self, key: str) -> Row | None:
        return self.sources.get(key)

    def run(self, name: str) -> Row | None:
        return self.runs.get(name)

    def computed(self, claim: str) -> list[Computed]:
        return self.computations.get(claim, [])

    def figures(self, claim: str) -> list[Row]:
        return self.cells.get(claim, [])

    def prediction(self, claim: str) -> tuple[Item, Item] | None:
        made = self.claims[claim].get("prediction")
        if not made:
            return None
        common = (made.get("probability"), made["forecaster"], made.get("made"), None, "the rule")
        return tuple(  # type: ignore[return-value]
            Item(claim, self.claims[claim]["statement"], *common, made.get(which), "seen")
            for which in ("outcome", "analogue")
        )

    def artifact(self, run: Row, artifact: Row) -> str | None:
        return artifact.get("file")


def citation(source: str, stance: str, **fields: Any) -> Row:
    return {
        "source": source,
        "stance": stance,
        "directness": "direct",
        "role": None,
        "locator": None,
        "quote": None,
        "seen": "primary",
        "note": None,
        **fields,
    }


@pytest.fixture
def library() -> Library:
    return Library()


@pytest.fixture
def cite() -> Callable[..., Row]:
    return citation


HOSTILE = (
    "<script>alert(1)</script> <img src=x onerror=alert(2)> --> <!-- theme: gaia --> </aside></section></style>"
    " # heading --- **bold** [link](javascript:alert(3)) ![i](http://evil.example/i.png) `code` $x^2$ :smile:"
    " {{7*7}} {% raw %} \u202eright to left\u202c \u200b https://evil.example & &lt;b&gt; ]]> _class: lead"
)


@pytest.fixture
def hostile(library: Library) -> Library:
    """Every field that people fill in, as long as it may be and full of what formats obey."""

    def full(length: int) -> str:
        return (HOSTILE + " " + "incomprehensibilities " * 40)[:length]

    library.add_claim(
        "a" * 80,
        headline=full(90),
        statement=full(600),
        number=full(160),
        caveat=full(400),
        asserted_by=full(300),
        verdict="stale",
        verdict_detail={"verdict": "stale", "because": full(200), "since": "2026", "run": None},
        citations=[
            citation("s1", "asserts", locator=full(300), quote=full(250)),
            citation("s2", "disputes", locator=full(300), quote=full(250), note=full(500)),
        ],
        relations=[
            {"type": "rebuts", "claim": "b", "direction": "in", "statement": full(600), "note": full(300)}
        ],
        prediction={"probability": 0.8, "forecaster": full(100)},
        answer=full(500),
    )
    library.add_claim("long-word", statement="W" * 600, caveat="M" * 400, number="%" * 160)
    library.add_claim("wide", statement="汉" * 600, caveat="字 " * 200)
    library.sources["s1"].update(title=full(900), authors=full(900), url='https://e.org/"><script>')
    library.add_talk(title=full(300), opening=full(400), closing=full(400), minutes=60)
    return library
