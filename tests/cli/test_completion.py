"""Shell completion: nouns, commands, options, and names from the store."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from kb.cli import completion

KB = [sys.executable, "-c", "from kb.cli.main import run; run()"]


def complete(line: str, store_path: Path, shell: str = "bash") -> list[str]:
    """What the shell would offer at the end of `line`."""
    words = line.split(" ")
    environment = {
        **os.environ,
        "KB_DB": str(store_path),
        "_KB_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
        "_TYPER_COMPLETE_ARGS": line,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    done = subprocess.run(KB, env=environment, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return [line for line in done.stdout.splitlines() if line]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("kb cl", ["claim"]),
        ("kb claim sh", ["show"]),
        ("kb claim show f", ["four-percent"]),
        ("kb claim show ", ["four-percent", "random-suffices", "small-mazes"]),
        ("kb claim cite four-percent c", ["chen2021decision", "comments"]),
        ("kb claim list --source ch", ["chen2021decision"]),
        ("kb claim list --repro", ["--reproducible"]),
        ("kb claim relate four-percent supports s", ["small-mazes"]),
    ],
)
def test_bash_is_offered_what_fits(line: str, offered: list[str], store: Path) -> None:
    assert complete(line, store) == offered


def test_zsh_and_fish_are_offered_names_with_their_statements(store: Path) -> None:
    assert "four-percent" in "".join(complete("kb claim show f", store, "zsh"))
    assert "On random data" in "".join(complete("kb claim show f", store, "zsh"))


def test_a_store_that_is_none_offers_nothing_and_says_nothing(store_path: Path) -> None:
    store_path.write_text("this is no database")
    assert complete("kb claim show f", store_path) == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_that_installs_completion_is_printed(shell: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [*KB, "--show-completion", shell],
        env={**os.environ, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "_KB_COMPLETE" in done.stdout


def test_completion_can_be_installed(tmp_path: Path) -> None:
    done = subprocess.run(
        [*KB, "--install-completion", "bash"],
        env={**os.environ, "HOME": str(tmp_path), "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "completion installed" in done.stdout
    assert "_KB_COMPLETE" in "".join(p.read_text() for p in tmp_path.rglob("*.sh"))


class _Root:
    params: dict[str, str] = {}

    def find_root(self) -> _Root:
        return self


@pytest.mark.parametrize(
    ("complete_", "begin", "offered"),
    [
        (completion.talks, "sh", ["short-talk"]),
        (completion.reproductions, "dt", ["dt-toy"]),
        (completion.runs, "dt-toy", ["dt-toy-1"]),
        (
            completion.reproductions_and_claims,
            "",
            ["dt-toy", "four-percent", "random-suffices", "small-mazes"],
        ),
        (completion.claims, "%", []),
        (completion.claims, "four_", []),
    ],
)
def test_every_kind_of_name_completes(
    complete_, begin: str, offered: list[str], store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KB_DB", str(store))
    assert [name for name, _ in complete_(_Root(), begin)] == offered


HOSTILE = "[/nope] \\\\$(touch ran) `touch ran` ${x} 'a' \"b\" ; it's 4%, see fig. 2 - Müller\x1b[31m"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_help_holds_nothing_that_a_shell_or_a_reader_of_markup_would_obey(shell: str, store: Path) -> None:
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("UPDATE claim SET statement = ? WHERE id = 'four-percent'", (HOSTILE,))
    text = "".join(complete("kb claim show f", store, shell))
    assert "four-percent" in text
    if shell != "bash":
        assert "nope touch ran touch ran x a b ; it s 4 , see fig. 2 - Müller" in text
    assert not set(text) & set("$`\\[]{}%\x1b/")


def test_a_name_that_kb_would_not_have_let_into_a_store_is_not_offered(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("four-$(touch ran)", "four;reboot", "-rf", "four five", "four\nfive", b"four", "four_:.+-x")
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("CREATE TEMP TABLE copy AS SELECT * FROM source WHERE key = 'comments'")
        for name in names:
            connection.execute("UPDATE copy SET key = ?", (name,))
            connection.execute("INSERT INTO source SELECT * FROM copy")
    monkeypatch.setenv("KB_DB", str(store))
    assert [name for name, _ in completion.sources(_Root(), "")] == [
        "chen2021decision",
        "comments",
        "four_:.+-x",
    ]


def test_completion_waits_for_no_pipe_and_computes_nothing_of_a_strangers(
    store: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x AS id, x AS statement FROM n"
    with closing(sqlite3.connect(store)) as connection:
        connection.execute("DROP TABLE claim")
        connection.execute(f"CREATE VIEW claim AS {endless}")
    os.mkfifo(tmp_path / "pipe")
    for path in (store, tmp_path / "pipe"):
        monkeypatch.setenv("KB_DB", str(path))
        assert completion.claims(_Root(), "x") == []
