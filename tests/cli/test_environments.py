"""Real processes in poor surroundings: no home, no UTF-8, a dumb terminal, a closed pipe."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

KB = [sys.executable, "-c", "from kb.cli.main import run; run()"]


def run(store: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    surroundings = {"PATH": os.environ["PATH"], "KB_DB": str(store), **environment}
    return subprocess.run([*KB, *arguments], env=surroundings, capture_output=True, check=False)


@pytest.mark.parametrize(
    "environment",
    [
        {"LANG": "C", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1"},
        {"TERM": "dumb"},
        {"COLUMNS": "0"},
        {"COLUMNS": "not a number"},
        {"NO_COLOR": "1"},
        {},
    ],
    ids=str,
)
@pytest.mark.parametrize("command", [["list"], ["show", "four-percent"], ["show", "four-percent", "--json"]])
def test_reading_works_in_poor_surroundings(
    command: list[str], environment: dict[str, str], store: Path
) -> None:
    done = run(store, "claim", *command, **environment)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\x1b" not in done.stdout


def test_json_loses_no_character_where_the_terminal_lacks_it(store: Path) -> None:
    run(
        store,
        "claim",
        "edit",
        "four-percent",
        "--note",
        "naïve ✓ 日本 \N{PILE OF POO}",
        PYTHONIOENCODING="utf-8",
    )
    done = run(store, "claim", "show", "four-percent", "--json", PYTHONIOENCODING="ascii")
    assert json.loads(done.stdout)["note"] == "naïve ✓ 日本 \N{PILE OF POO}"


def test_reading_needs_no_home_and_no_writable_folder(store: Path) -> None:
    store.chmod(0o444)
    done = run(store, "claim", "list", HOME="/nonexistent")
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_first_line_alone_is_no_error(store: Path) -> None:
    done = subprocess.run(
        f"{sys.executable} -c 'from kb.cli.main import run; run()' claim list | head -1",
        shell=True,
        env={**os.environ, "KB_DB": str(store)},
        capture_output=True,
        check=True,
    )
    assert done.stdout.startswith(b"id\t")
    assert done.stderr == b""


def test_a_full_disk_is_one_line(store: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*KB, "claim", "list"],
            env={**os.environ, "KB_DB": str(store)},
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr == b"kb: No space left on device\n"


def test_an_argument_that_is_no_text_is_told_in_one_line(store: Path) -> None:
    done = subprocess.run(
        [*KB, "claim", "show", b"\xff\xfe"],
        env={**os.environ, "KB_DB": str(store)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2
    assert b"is no UTF-8 text" in done.stderr
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"this is no database" * 100, b"not a database"), (b"", b"is empty"), (None, b"folder")],
)
def test_a_store_that_is_none_is_told_in_one_line(content: bytes | None, told: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bad.db"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    done = run(path, "claim", "list")
    assert done.returncode == 2
    assert told in done.stderr
    assert done.stderr.count(b"\n") == 1
    assert b"Traceback" not in done.stderr


def test_the_option_db_comes_before_the_variable(store: Path, tmp_path: Path) -> None:
    done = run(tmp_path / "other.db", "--db", str(store), "claim", "list")
    assert done.stdout.count(b"\n") == 4
