"""Stores and streams that are not as they should be: one clear line, never an internal error."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from kb.cli import output
from tests.cli.conftest import Kb

KB = f"{sys.executable} -c 'from kb.cli.main import run; run()'"


def spoil(store: Path, statement: str, *values: object) -> None:
    """Change a store as nobody but a stranger would."""
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        assert connection.execute(statement, values).rowcount


@pytest.mark.parametrize(
    ("statement", "value", "call"),
    [
        ("UPDATE tag SET name = ? WHERE position = 0", b"a", ("claim", "list", "--json")),
        ("UPDATE tag SET name = ? WHERE position = 0", b"\xff", ("claim", "list")),
        ("UPDATE claim SET statement = ?", b"\xff", ("claim", "show", "four-percent")),
        ("UPDATE claim SET asserted_by = ?", b"a", ("claim", "show", "four-percent", "-f", "markdown")),
        ("UPDATE source SET fields = ?", "{", ("cite", "show", "comments")),
        ("UPDATE source SET fields = ?", '{"title": ["a"]}', ("cite", "export")),
        ("UPDATE source SET fields = ?", '{"a":' * 100_000, ("cite", "list")),
        ("UPDATE source SET fields = ?", "[" * 100_000, ("cite", "show", "comments")),
        ("UPDATE talk SET content = ?", "[]", ("talk", "show", "short-talk")),
        ("UPDATE talk SET content = ?", "[]", ("talk-outline", "short-talk")),
        ("UPDATE talk SET content = ?", '{"name": 1}', ("talk-outline", "short-talk")),
        ("UPDATE computation SET expected = ?", "nothing", ("claim", "show", "four-percent")),
        ("UPDATE run SET environment = ?", "[]", ("run", "show", "dt-toy-1")),
        ("UPDATE run SET environment = ?", '{"packages": []}', ("run", "show", "dt-toy-1")),
        ("UPDATE run SET departures = ?", "[1]", ("run", "show", "dt-toy-1")),
        ("UPDATE run SET config = ?", "[" * 100_000, ("run", "show", "dt-toy-1")),
        ("UPDATE run SET seconds = ?", b"a", ("run", "list")),
        ("UPDATE run SET started = ?", b"a", ("reproduce", "--list")),
        ("UPDATE metric SET value = ?", "a", ("run", "show", "dt-toy-1")),
        ("UPDATE claim_verdict SET verdict = ?", b"a", ("claim", "list")),
        ("UPDATE source SET key = ? WHERE key LIKE 'chen%'", "a", ("check", "four-percent")),
        ("UPDATE reproduction SET manifest = ?", "[]", ("claim", "show", "random-suffices")),
    ],
)
def test_a_damaged_store_is_called_that(
    statement: str, value: str | bytes, call: tuple[str, ...], kb: Kb, store: Path
) -> None:
    spoil(store, statement, value)
    result = kb(*call)
    assert "internal error" not in result.err
    if result.code:
        assert result.code in (1, 2)
        assert result.err.count("\n") == 1
        assert "damaged" in result.err or "could not be used" in result.err


def test_what_is_wrong_is_told_with_the_table_and_the_column(kb: Kb, store: Path) -> None:
    spoil(store, "UPDATE talk SET content = ?", "[]")
    assert "store.db is damaged: talk.content holds JSON that is none of kb's; restore a backup" in (
        kb("talk", "show", "short-talk").err
    )
    spoil(store, "UPDATE claim SET statement = ?", b"a")
    assert "claim.statement holds what is no text" in kb("claim", "show", "four-percent").err
    spoil(store, "UPDATE run SET environment = ?", '{"packages": []}')
    shown = kb("run", "show", "dt-toy-1").err
    assert "the store's run 'dt-toy-1' is damaged: environment is not what it must be" in shown


def test_a_whole_store_is_not_blamed_for_an_error_of_ours(
    kb: Kb, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kb.store.queries.list_sources", lambda *_: 1 / 0)
    assert "internal error: ZeroDivisionError" in kb("cite", "list").err


def test_a_metric_without_a_value_is_shown_as_that(kb: Kb, store: Path) -> None:
    spoil(store, "UPDATE metric SET value = NULL, high = NULL")
    assert "no value no interval" in kb("run", "show", "dt-toy-1").out


def test_numbers_too_long_for_python_are_one_line(kb: Kb, store: Path) -> None:
    result = kb("claim", "add", "--from", "-", stdin='{"date": ' + "1" * 5000 + "}")
    assert (result.code, result.err) == (2, "kb: stdin:1: holds a number of too many digits\n")


def test_a_store_in_the_home_of_nobody_is_one_line(kb: Kb, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KB_DB", "~nosuchuser/x")
    result = kb("claim", "list")
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert "'~nosuchuser/x' is in the home of nobody here" in result.err


@pytest.mark.parametrize("call", [("library", "build", "-o", ""), ("doctor", "--explain", "")])
def test_an_empty_word_is_one_line(call: tuple[str, ...], kb: Kb, store: Path) -> None:
    result = kb(*call)
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert "internal error" not in result.err


@pytest.mark.parametrize(
    ("call", "code", "out", "err"),
    [
        ("claim list >&-", 0, "", ""),
        ("claim show nothing 2>&-", 1, "", ""),
        ("claim show nothing >&- 2>&-", 1, "", ""),
        ("claim add --from - <&-", 2, "", "holds no record"),
        ("claim show four-percent <&- 2>&-", 0, "four-percent", ""),
    ],
)
def test_a_closed_stream_is_none_and_messages_go_nowhere_else(
    call: str, code: int, out: str, err: str, store: Path
) -> None:
    done = subprocess.run(
        ["sh", "-c", f"KB_DB={store} {KB} {call}"], capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done
    assert (out in done.stdout, err in done.stderr) == (True, True)
    assert bool(done.stdout) == bool(out)
    assert "internal error" not in done.stderr


def test_a_closed_stream_is_opened_on_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    output.prepare()
    with sys.stdin, sys.stdout, sys.stderr:
        assert sys.stdin.read() == ""
        assert (sys.stdout.isatty(), sys.stderr.isatty()) == (False, False)
