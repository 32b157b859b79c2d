"""The frame around every command: help, unknown names, errors in one line, pipes, Ctrl-C."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import typer

from kb.cli import main as kb_main
from kb.cli import tree
from kb.cli.main import explain
from kb.cli.tree import NOUNS
from kb.errors import KbError, NotFound

KB = [sys.executable, "-m", "kb.cli.main"]


@pytest.mark.parametrize("noun", NOUNS)
def test_every_noun_has_its_module(noun: str) -> None:
    module, attribute, _ = NOUNS[noun]
    assert getattr(import_module(module), attribute)
    assert tree.load(noun).name == noun


@pytest.mark.parametrize("noun", NOUNS)
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_every_noun_has_help(noun: str, flag: str, kb) -> None:
    result = kb(noun, flag)
    assert result.code == 0
    assert result.out.startswith(f"Usage: kb {noun}")
    assert result.err == ""


@pytest.mark.parametrize("noun", [noun for noun, (_, kind, _) in NOUNS.items() if kind == "app"])
def test_every_command_of_a_noun_has_help_with_a_first_line(noun: str, kb) -> None:
    group = tree.load(noun)
    for name, command in group.commands.items():
        result = kb(noun, name, "--help")
        assert result.code == 0
        assert result.out.startswith(f"Usage: kb {noun} {name}")
        assert command.help, f"kb {noun} {name} says nothing of itself"


def test_help_lists_all_nouns_and_imports_none_of_them() -> None:
    code = (
        "import sys; from kb.cli.tree import NOUNS; from kb.cli.main import main; main(['--help']);"
        "loaded = [m for m, _, _ in NOUNS.values() if m in sys.modules]; assert not loaded, loaded"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert all(f"\n  {noun} " in done.stdout for noun in NOUNS)


def test_without_a_command_help_is_shown_and_the_call_was_wrong(kb) -> None:
    result = kb()
    assert result.code == 2
    assert "claim" in result.err
    assert kb("claim").code == 2


def test_the_version_is_told(kb) -> None:
    assert kb("--version").out.startswith("kb 0.")


def test_an_unknown_noun_offers_the_nearest(kb) -> None:
    result = kb("clam", "list")
    assert (result.code, result.out) == (2, "")
    assert "Did you mean 'claim'" in result.err
    assert result.err.count("\n") == 1


def test_an_unknown_command_offers_the_nearest(kb) -> None:
    result = kb("claim", "serach", "x")
    assert result.code == 2
    assert "Did you mean 'search'" in result.err
    assert result.err.count("\n") == 1


def test_an_unknown_option_names_the_help(kb) -> None:
    result = kb("claim", "list", "--stats", "open")
    assert result.code == 2
    assert "--status" in result.err
    assert "`kb claim list --help`" in result.err


def test_db_behind_the_noun_is_told_where_it_goes(kb) -> None:
    result = kb("claim", "list", "--db", "x")
    assert result.code == 2
    assert "kb --db PATH" in result.err


@pytest.mark.parametrize(
    ("error", "line", "code"),
    [
        (KbError("wrong", "do this"), "kb: wrong; do this", 2),
        (NotFound("claim", "dt", ["dt-random"]), "kb: no claim named 'dt'; did you mean dt-random?", 1),
        (
            FileNotFoundError(2, "No such file or directory", "a\x1bb"),
            r"kb: No such file or directory 'a\x1bb'",
            2,
        ),
        (PermissionError(13, "Permission denied", "/x"), "kb: Permission denied '/x'", 2),
        (OSError(28, "No space left on device"), "kb: No space left on device", 2),
        (KeyboardInterrupt(), "kb: stopped by Ctrl-C", 130),
        (typer.Abort(), "kb: stopped; nothing was changed", 1),
        (MemoryError(), "kb: not enough memory", 2),
    ],
)
def test_every_failure_is_one_line_and_a_code(error: BaseException, line: str, code: int) -> None:
    assert explain(error) == (line, code)


def test_an_error_of_sqlite_names_the_store() -> None:
    line, code = explain(sqlite3.OperationalError("disk I/O error"))
    assert "the store could not be used: disk I/O error" in line
    assert code == 2


def test_a_bug_is_one_line_too_and_its_traceback_is_there_for_who_asks(
    kb, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        secret = "sentinel-" + "local"
        raise RuntimeError(f"broken {len(secret)}")

    monkeypatch.setattr("kb.cli.state.choose_store", fail)
    result = kb("claim", "list")
    assert result.code == 2
    assert result.err.count("\n") == 1
    assert "internal error: RuntimeError: broken 14" in result.err
    monkeypatch.setenv("KB_DEBUG", "1")
    assert "Traceback" in kb("claim", "list").err
    assert "sentinel-local" not in kb("claim", "list").err


def test_a_reader_that_leaves_early_is_no_error(tmp_path: Path) -> None:
    code = (
        "import sys; from kb.cli import main\n"
        "import kb.cli.claim as claim\n"
        "@claim.app.command('flood')\n"
        "def flood() -> None:\n"
        "    'Much.'\n"
        "    for _ in range(100_000): print('x' * 80)\n"
        "sys.exit(main.main(['claim', 'flood']))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(20) == kb_main.BROKEN_PIPE


def test_ctrl_c_is_one_line_and_exit_code_130() -> None:
    code = (
        "import sys, time; from kb.cli import main; import kb.cli.claim as claim\n"
        "@claim.app.command('wait')\n"
        "def wait() -> None:\n"
        "    'Long.'\n"
        "    print('ready', flush=True); time.sleep(30)\n"
        "sys.exit(main.main(['claim', 'wait']))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(20) == 130
        assert process.stderr.read() == b"kb: stopped by Ctrl-C\n"


@pytest.mark.parametrize(
    "error",
    [sqlite3.OperationalError("no such table: evil\nkb: all is well"), ValueError("evil\nkb: all is well")],
)
def test_what_an_error_quotes_cannot_forge_a_second_line(error: Exception) -> None:
    line, code = explain(error)
    assert ("\n" in line, code) == (False, 2)


def test_a_store_whose_schema_forges_a_line_is_told_in_one(kb, store: Path) -> None:
    with sqlite3.connect(store) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            "UPDATE sqlite_master SET name = ?, sql = 'CREATE' WHERE name = 'tag'", ("evil\nkb: fine",)
        )
    connection.close()
    result = kb("claim", "list")
    assert (result.code, result.err.count("\n")) == (2, 1)
