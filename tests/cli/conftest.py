"""Calling `kb` in this process, as a person would type it."""

from __future__ import annotations

import io
import json
import shutil
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Result:
    """What a call gave: exit code, stdout, stderr."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Kb = Callable[..., Result]


@pytest.fixture
def store_path(tmp_path: Path) -> Path:
    """Where this test's working store is (it does not exist until something writes)."""
    return tmp_path / "store.db"


@pytest.fixture
def kb(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, store_path: Path) -> Kb:
    """`kb("claim", "list", stdin=...)` -> Result. The working store is a fresh one of this test's own."""
    from kb.cli.main import main

    monkeypatch.setenv("KB_DB", str(store_path))
    monkeypatch.setenv("COLUMNS", "100")
    for name in ("NO_COLOR", "FORCE_COLOR", "VISUAL", "EDITOR", "KB_DEBUG"):
        monkeypatch.delenv(name, raising=False)

    def call(*arguments: str, stdin: str = "") -> Result:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return call


SOURCES = [
    {
        "key": "chen2021decision",
        "type": "article",
        "kind": "paper",
        "fields": {
            "title": "Decision Transformer: Reinforcement Learning via Sequence Modeling",
            "author": "Chen, Lili and Lu, Kevin and Abbeel, Pieter",
            "year": "2021",
            "eprint": "2106.01345",
            "url": "https://arxiv.org/abs/2106.01345",
        },
    },
    {
        "key": "comments",
        "type": "misc",
        "kind": "comment",
        "fields": {"title": "A comment", "author": "Emmons, Scott", "url": "javascript:alert(1)"},
    },
]
FIGURES = [
    {
        "id": f"dt.t2.{name}",
        "source": "chen2021decision",
        "locator": "Table 2",
        "quantity": "score",
        "value": value,
        "unit": "score",
        "scale": "d4rl-normalised",
        "seen": "primary",
    }
    for name, value in (("random", 2.0), ("expert", 50.0))
]
CLAIMS = [
    {
        "id": "random-suffices",
        "kind": "empirical",
        "statement": "Near-expert behaviour can be had from a Decision Transformer trained on random data.",
        "asserted_by": "janus",
        "date": "2022-09",
        "status": "disputed",
        "tags": ["decision-transformer"],
        "citations": [{"source": "comments", "stance": "asserts", "locator": "second paragraph"}],
    },
    {
        "id": "four-percent",
        "kind": "empirical",
        "statement": "On random data the Decision Transformer reaches 4% of its expert score.",
        "asserted_by": "Scott Emmons",
        "date": "2023-03-11",
        "status": "supported",
        "caveat": "A ratio of normalised scores.",
        "tags": ["decision-transformer", "d4rl"],
        "aliases": ["dt-four"],
        "citations": [
            {
                "source": "chen2021decision",
                "stance": "supports",
                "directness": "indirect",
                "role": "own-result",
                "locator": "Table 2, DT column",
                "quote": "we can generate optimal trajectories at test time",
                "seen": "primary",
                "seen_at": "https://arxiv.org/abs/2106.01345",
                "note": "one reading of the table",
            },
            {
                "source": "chen2021decision",
                "stance": "qualifies",
                "absence": {
                    "looked_for": "experiment on random D4RL data",
                    "sections": ["section 4", "appendix A"],
                    "by": "a reader",
                    "on": "2026-11-24",
                },
                "seen": "primary",
            },
        ],
        "relations": [{"type": "rebuts", "claim": "random-suffices", "note": "by its number"}],
        "computations": [
            {
                "name": "ratio",
                "expression": '100 * cell("dt.t2.random") / cell("dt.t2.expert")',
                "expected": 4.0,
                "unit": "percent",
            }
        ],
    },
    {
        "id": "small-mazes",
        "kind": "prediction",
        "statement": "Editing less than 10% of activations suffices in very small mazes, C++ and goal-directed.",
        "asserted_by": "Scott Emmons",
        "status": "open",
        "tags": ["maze"],
        "citations": [{"source": "comments", "stance": "asserts", "locator": "body"}],
        "prediction": {
            "probability": 0.8,
            "forecaster": "Scott Emmons",
            "resolution": "half the squares reached",
        },
    },
]


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small store: three claims, two sources, two figures, a talk, a reproduction with a recorded run."""
    from kb import records
    from kb.store import connect, edit

    path = tmp_path_factory.mktemp("library") / "store.db"
    connect.create(path)
    talk = {"name": "short-talk", "title": "A short talk", "select": {"claims": ["four-percent"]}}
    with connect.writing_to(path) as session, edit.bulk(session):
        for kind, found in (("source", SOURCES), ("figure", FIGURES), ("claim", CLAIMS), ("talk", [talk])):
            for data in found:
                edit.put(session, records.parse(kind, data), record_history=False)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(RUN)
    return path


RUN = """
INSERT INTO reproduction(name, title, version, code_digest, manifest) VALUES
    ('dt-toy', 'A toy', '1', 'abc', '{"needs": ["repro"], "presets": {"quick": {}}}');
INSERT INTO criterion(reproduction, name, claim_id, metric, meaning, low, is_primary, analogue, wording) VALUES
    ('dt-toy', 'enough', 'random-suffices', 'share', 'supports', 0.9, 1, 0, 'the share of starts is at least 0.9');
INSERT INTO run(id, reproduction, version, preset, state, recorded, started) VALUES
    ('dt-toy-1', 'dt-toy', '1', 'quick', 'finished', 1, '2026-11-20T10:00:00+00:00');
INSERT INTO metric(run_id, name, position, value, low, high, n, unit, method, title) VALUES
    ('dt-toy-1', 'share', 0, 0.95, 0.92, 0.98, 10, 'graphs', 'bootstrap', 'share of starts'),
    ('dt-toy-1', 'shuffled', 1, 0.31, 0.2, 0.4, 10, 'graphs', 'bootstrap', 'with shuffled returns');
INSERT INTO judgement(run_id, criterion, claim_id, verdict, is_primary, analogue, post_hoc, because) VALUES
    ('dt-toy-1', 'enough', 'random-suffices', 'supported', 1, 0, 0, 'share 0.95 [0.92, 0.98] is at least 0.9');
INSERT INTO claim_verdict(claim_id, verdict, because, since, run_id) VALUES
    ('random-suffices', 'supported', 'share 0.95 [0.92, 0.98] is at least 0.9', '2026-11-20T10:00:00+00:00', 'dt-toy-1');
"""


@pytest.fixture
def store(library: Path, store_path: Path) -> Path:
    """This test's working store, filled with the small library."""
    shutil.copy(library, store_path)
    return store_path
