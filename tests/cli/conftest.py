"""Calling `kb` in this process, as a person would type it."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import sqlite3
import sys
from collections.abc import Callable
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


def sql(store: Path, statement: str) -> list[Any]:
    """One statement on the store behind kb's back."""
    with contextlib.closing(sqlite3.connect(store, isolation_level=None)) as connection:
        return connection.execute(statement).fetchall()


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
    path = tmp_path_factory.mktemp("library") / "store.db"
    filled(path)
    return path


def filled(path: Path) -> None:
    """Make the small store."""
    from kb import records
    from kb.store import connect, edit

    connect.create(path)
    talk = {"name": "short-talk", "title": "A short talk", "select": {"claims": ["four-percent"]}}
    with connect.writing_to(path) as session, edit.bulk(session):
        for kind, found in (("source", SOURCES), ("figure", FIGURES), ("claim", CLAIMS), ("talk", [talk])):
            for data in found:
                edit.put(session, records.parse(kind, data), record_history=False)
    _save_run(path)


BECAUSE = "share 0.95 [0.92, 0.98] is at least 0.9"


def _save_run(path: Path) -> None:
    from kb.schema import ClaimVerdict
    from kb.store import connect, runs

    criterion = {"name": "enough", "claim": "random-suffices", "metric": "share", "meaning": "supports"}
    with connect.writing_to(path) as session:
        runs.save_reproduction(
            session,
            name="dt-toy",
            title="A toy",
            version="1",
            code_digest="abc",
            manifest={"needs": ["repro"], "presets": {"quick": {}}},
            criteria=[
                {**criterion, "low": 0.9, "primary": True, "wording": "the share of starts is at least 0.9"}
            ],
        )
        metric = {"n": 10, "unit": "graph", "method": "bootstrap"}
        run = {
            "id": "dt-toy-1",
            "reproduction": "dt-toy",
            "version": "1",
            "preset": "quick",
            "state": "finished",
            "started": "2026-11-20T10:00:00+00:00",
            "metrics": {
                "share": {"value": 0.95, "low": 0.92, "high": 0.98, "title": "share of starts", **metric},
                "shuffled": {
                    "value": 0.31,
                    "low": 0.2,
                    "high": 0.4,
                    "title": "with shuffled returns",
                    **metric,
                },
            },
            "judgements": [
                {
                    "criterion": "enough",
                    "claim": "random-suffices",
                    "verdict": "supported",
                    "primary": True,
                    "because": BECAUSE,
                }
            ],
        }
        runs.save_run(session, run, recorded=True)
        since = "2026-11-20T10:00:00+00:00"
        session.add(
            ClaimVerdict(
                claim_id="random-suffices",
                verdict="supported",
                because=BECAUSE,
                since=since,
                run_id="dt-toy-1",
            )
        )


@pytest.fixture
def store(library: Path, store_path: Path) -> Path:
    """This test's working store, filled with the small library."""
    shutil.copy(library, store_path)
    return store_path
