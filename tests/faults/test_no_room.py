"""A full disk, a folder that cannot be written, a store of a newer kb: one clear line, and nothing is touched."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kb import records
from kb.library import build as builder
from kb.library.exchange import write_lines
from kb.store import edit, migrations, places
from kb.store.connect import for_writing
from tests.faults.full_disk import COMMANDS, FREE, call, faults_in, kept
from tests.faults.killing import linux, load_everything
from tests.library.conftest import Copy, claim, write_text
from tests.store.test_migrations import store_of

pytestmark = [linux, pytest.mark.slow]
load_everything()
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Copy:
    """A workspace whose store has a claim that the text has not, and a file of 100 more to import."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("KB_DB", raising=False)
    folder = tmp_path / "workspace"
    monkeypatch.setattr(places, "shipped", lambda: folder)
    write_text(folder)
    builder.build(folder / "citations", [], folder / "claims.db")
    copy = Copy(folder)
    copy.sync()
    other = Copy(tmp_path / "other")
    write_text(other.folder)
    other.sync()
    with for_writing(other.places) as session:
        for number in range(100):
            edit.put(session, records.Claim(**claim(f"b{number}", note="x" * 400)))
    with other.reading() as connection:
        write_lines(connection, folder / "big.jsonl")
    copy.put(claim("mine"))
    return copy


def test_a_full_disk(workspace: Copy, tmp_path: Path) -> None:
    """A tmpfs of 12 MB in a name space of its own, filled up to the last kilobytes before each command."""
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    if subprocess.run(
        ["unshare", "-Urm", "mount", "-t", "tmpfs", "none", mounted], capture_output=True
    ).returncode:
        pytest.skip("no name space of its own can be had here")
    script = (
        f"mount -t tmpfs -o size=12m none '{mounted}' && cp -r '{workspace.folder}' '{mounted}/workspace'"
        f" && exec '{sys.executable}' -m tests.faults.full_disk '{mounted}'"
    )
    done = subprocess.run(["unshare", "-Urm", "sh", "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    refused = [one for one in found if one["code"]]
    lost = [f"{one['command']} with {one['free']} kB: {line}" for one in found for line in one["lost"]]
    print(f"\n| full disk | {len(found)} commands | {len(refused)} refused | {len(lost)} lost")
    assert lost == []
    assert len(found) == (len(FREE) + 1) * len(COMMANDS)
    assert {one["command"] for one in refused} >= {
        "add",
        "edit",
        "import",
        "build",
        "back-up",
        "export to a file",
    }


def limited(kilobytes: int) -> Callable[[], None]:
    """No file of the process may grow beyond this."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes * 1024, kilobytes * 1024))


@pytest.mark.parametrize("name", ["add", "import", "build", "export to a file", "back-up"])
def test_files_that_may_not_grow(workspace: Copy, name: str) -> None:
    before = kept(workspace.folder)
    code, said = call(workspace.folder, COMMANDS[name], limited(16))
    assert code in (1, 2)
    assert faults_in(workspace.folder, before, code, said) == []
    code, said = call(workspace.folder, COMMANDS[name])
    assert code == 0, said


def test_a_migration_without_room_for_its_backup_leaves_the_store(workspace: Copy) -> None:
    store = workspace.places.working
    shutil.rmtree(store.parent)
    store.parent.mkdir()
    before = store_of(1, store.parent).read_bytes()
    for arguments in (("claim", "list"), ("db", "migrate")):
        code, said = call(workspace.folder, arguments, limited(64))
        assert (code, said.count("\n")) == (2, 1), said
        assert store.read_bytes() == before
        assert not [
            path.name for path in store.parent.iterdir() if "backup" in path.name or ".new" in path.name
        ]
    assert call(workspace.folder, ("claim", "list"))[0] == 0


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[tuple[str, ...]]:
    """Nothing in the folder can be written; what to put before a command, since root may write anywhere else."""
    prefix: tuple[str, ...] = ()
    if os.geteuid() == 0:
        if not shutil.which("setpriv"):
            pytest.skip("root may write anywhere")
        prefix = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search,-fowner", "--")
    everything = [folder, *folder.rglob("*")]
    modes = {path: path.stat().st_mode for path in everything}
    for path in everything:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        yield prefix
    finally:
        for path, mode in modes.items():
            path.chmod(mode)


def every_byte(folder: Path) -> dict[str, bytes]:
    """Every file's content, but for what reading leaves: SQLite's shared memory, an empty journal, a cache."""
    found = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    return {
        name: content
        for name, content in found.items()
        if not name.endswith(("-shm", "library-seen.json")) and not (name.endswith("-wal") and not content)
    }


def test_a_folder_that_cannot_be_written_can_be_read_and_nothing_else(workspace: Copy) -> None:
    reads = [("claim", "list"), ("claim", "show", "mine"), ("claim", "search", "thing"), ("db", "info")]
    writes = [COMMANDS[name] for name in COMMANDS if name != "read"]
    before = every_byte(workspace.folder)
    with read_only(workspace.folder) as prefix:
        for arguments in (*reads, *writes):
            done = subprocess.run(
                [*prefix, sys.executable, "-m", "kb.cli.main", *arguments],
                cwd=workspace.folder, capture_output=True, text=True,
            )  # fmt: skip
            if arguments in reads:
                assert done.returncode == 0, done.stderr
            else:
                assert done.returncode in (1, 2), arguments
                assert done.stderr.count("\n") == 1, done.stderr
                assert done.stderr.startswith("kb: ")
    assert every_byte(workspace.folder) == before
    assert call(workspace.folder, COMMANDS["add"])[0] == 0


def test_a_store_that_a_killed_writer_left_can_be_read_where_nothing_can_be_written(workspace: Copy) -> None:
    store = workspace.places.working
    with contextlib.closing(sqlite3.connect(store)) as connection:
        connection.execute("UPDATE claim SET statement = 'In the journal.' WHERE id = 'mine'")
        connection.commit()
        left = {path.name: path.read_bytes() for path in store.parent.iterdir()}
    for name, content in left.items():
        (store.parent / name).write_bytes(content)
    assert {"store.db-wal", "store.db-shm"} <= left.keys()
    with read_only(workspace.folder) as prefix:
        done = subprocess.run(
            [*prefix, sys.executable, "-m", "kb.cli.main", "claim", "show", "mine"],
            cwd=workspace.folder, capture_output=True, text=True,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "In the journal." in done.stdout


NEWER = [
    ("claim", "list"),
    ("claim", "show", "first"),
    ("claim", "search", "thing"),
    ("claim", "trace", "first"),
    ("claim", "history"),
    ("claim", "undo"),
    ("claim", "remove", "mine"),
    ("cite", "list"),
    ("check", "first"),
    ("doctor",),
    ("run", "list"),
    ("prediction", "list"),
    ("talk", "list"),
    ("library", "diff"),
    ("db", "info"),
    ("db", "migrate"),
    *(COMMANDS[name] for name in COMMANDS if name != "build"),
]


def test_an_older_kb_leaves_a_newer_store_byte_for_byte(workspace: Copy) -> None:
    store = workspace.places.working
    with contextlib.closing(sqlite3.connect(store, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE of_the_future (x)")
        connection.execute(f"PRAGMA user_version = {migrations.LATEST + 1}")
    before = every_byte(workspace.folder)
    for arguments in NEWER:
        code, said = call(workspace.folder, arguments)
        assert code in (1, 2), arguments
        assert said.count("\n") == 1, said
        assert "newer kb" in said, said
        assert "upgrade kb" in said
    assert every_byte(workspace.folder) == before
