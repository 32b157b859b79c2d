"""A library in memory, small enough to read beside the test that uses it."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
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


def png(width: int = 1200, height: int = 675) -> bytes:
    """A grey picture as the bytes of a PNG file."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\x99" * width) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def add_run(library: Library, claim: str, folder: Path, *names: str, metric: str = "share") -> None:
    """A finished run that decides about the claim, with a picture of each of these names in the folder."""
    artifacts = []
    for name in names:
        (folder / name).write_bytes(png())
        title = name.partition(".")[0].replace("-", " ").capitalize()
        artifacts.append({"path": name, "title": title, "sha256": "", "file": str(folder / name)})
    library.runs["run-1"] = {
        "id": "run-1",
        "reproduction": "r",
        "preset": "full",
        "metrics": {
            metric: {
                "value": 0.9,
                "low": 0.77,
                "high": 0.96,
                "n": 40,
                "unit": "graph",
                "title": "share solved",
            }
        },
        "departures": ["our own graphs"],
        "artifacts": artifacts,
    }
    criterion = {"reproduction": "r", "name": "c", "metric": metric, "primary": True, "analogue": False}
    library.claims[claim].update(
        criteria=[criterion],
        runs=[{"id": "run-1", "reproduction": "r", "preset": "full", "verdict": "supported"}],
        verdict_detail={"verdict": "supported", "because": "b", "since": "s", "run": "run-1"},
    )


@pytest.fixture
def library() -> Library:
    return Library()


@pytest.fixture
def cite() -> Callable[..., Row]:
    return citation


HOSTILE = (
    "<script>alert(1)</script> <img src=x onerror=alert(2)> --> <!-- theme: gaia --> </aside></section></style>"
    " # heading --- **bold** [link](javascript:alert(3)) ![i](http://evil.example/i.png) `code` $x^2$ :smile:"
    " {{7*7}} {% raw %} ${HOME} \\input{/etc/passwd} \\end{document} $$\\frac{1}{0}$$ \u202eright to left\u202c \u200b https://evil.example & &lt;b&gt; ]]> _class: lead"
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
    # Front matter, a rule and directives as a line of their own would be: text of a library may hold line breaks.
    library.add_claim(
        "lines", statement="---\nmarp: true\nclass: lead\n---\n\n# a\n\n- b\n\n```\nc", caveat="---"
    )
    library.add_talk(title=full(300), opening=full(400), closing=full(400), minutes=60, terms=["bold", "<b>"])
    return library


@pytest.fixture
def hostile_run(hostile: Library, tmp_path: Path) -> Library:
    """The same with a run whose titles, units and departures are hostile too, and charts of such figures."""
    add_run(hostile, "long-word", tmp_path, "plot.png", "second.png", metric=HOSTILE)
    run = hostile.runs["run-1"]
    run["metrics"][HOSTILE].update(title=HOSTILE * 2, unit=HOSTILE)
    run["departures"] = [HOSTILE * 3]
    for artifact in run["artifacts"]:
        artifact["title"] = HOSTILE + artifact["path"]
    hostile.cells["wide"] = [
        {
            "id": f"f.{place}", "source": "s1", "locator": HOSTILE, "quantity": HOSTILE, "value": 71.8,
            "spread": 3.1, "unit": "percent", "scale": HOSTILE, "method": f"{place} {HOSTILE}",
        }
        for place in range(6)
    ]  # fmt: skip
    return hostile


PROSE = (
    "On most of the small graphs a model that was trained on nothing but random walks finds, when it is asked for the"
    " best return that any recorded walk achieved, a shortest path from at least as many start nodes (0.9 of 40 graphs)"
    " as that walk itself; whether this holds for state-of-the-art systems nobody has measured, and a search that finds"
    " nothing would not show that there is nothing. "
)


@pytest.fixture
def every_length(library: Library, tmp_path: Path) -> Library:
    """Claims of every length that a library supports, with and without numbers, caveats, plots, charts and tables."""

    def prose(length: int) -> str:
        return (PROSE * 3)[:length].strip()

    for place, (head, body, caveat) in enumerate(
        (head, body, caveat)
        for head in (0, 25, 60, 90)
        for body in (60, 250, 600)
        for caveat in (0, 120, 400)
    ):
        name = f"claim-{place}" + "-with-a-long-name" * (place % 4)
        quoted = [
            citation("s", "asserts", locator=prose(20 + 8 * place), quote=f"0.9 40 {prose(10 + 5 * place)}")
        ]
        quoted += [citation("t", "disputes", quote=prose(200), note=prose(body))] if place % 5 == 0 else []
        library.add_claim(
            name,
            statement=prose(body),
            headline=prose(head) or None,
            caveat=prose(caveat) or None,
            number=prose(body // 4)[:160] if place % 2 else None,
            verdict=("supported", "stale", "inconclusive")[place % 3],
            status=("disputed", "supported")[place % 2],
            citations=quoted,
            answer=prose(300) if place % 7 == 0 else None,
        )
        library.cells[name] = [
            {
                "id": f"f.{number}", "source": "s", "locator": "Table 2, the column of averages", "value": 10.5 * number,
                "spread": 1.25 if number % 2 else None, "quantity": "normalised return", "unit": "score", "scale": "0-100",
                "method": f"method {number % 3}", "dataset": f"medium-{number // 3 % 3}", "environment": f"hopper {number // 9}",
            }
            for number in range((0, 3, 6, 9, 18)[place % 5])
        ]  # fmt: skip
    for name in ("claim-4", "claim-8", "claim-12", "claim-20"):
        add_run(library, name, tmp_path, "plot.png", metric="share")
    library.add_talk(
        title=prose(120), opening=prose(200), closing=prose(250), minutes=600, terms=["graphs", "model"]
    )
    return library
