"""Calling `kb` in this process, as a person would type it."""

from __future__ import annotations

import io
import json
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
