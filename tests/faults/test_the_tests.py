"""The checks of this folder can fail: what they look for is found where it was put."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from pathlib import Path

import pytest

from kb.store import connect, edit
from tests.faults.killing import WRITING, Killer, Tally, linux
from tests.faults.stores import faults_of
from tests.making import claim


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE claim SET note = 'Nobody said so.'", "the history ends with another content"),
        ("DELETE FROM claim", "the history ends with another content"),
        (
            "UPDATE change SET before = after WHERE action = 'edit'",
            "does not begin where the one before it ended",
        ),
        ("INSERT INTO meta VALUES ('bulk', '1')", "mark was left behind"),
        ("UPDATE claim_text SET statement = 'stale'", "search text of a-claim"),
        ("UPDATE citation SET source_key = 'nobody'", "dangling"),
    ],
)
def test_a_store_that_somebody_damaged_is_found_out(path: Path, statement: str, found: str) -> None:
    with connect.writing_to(path) as session:
        edit.put(session, claim(note="Edited."))
    assert faults_of(path) == []
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(statement)
    assert any(found in line for line in faults_of(path))


@linux
def test_a_command_that_writes_in_two_halves_is_caught_between_them(path: Path, tmp_path: Path) -> None:
    class Halves:
        @staticmethod
        def write() -> None:
            (tmp_path / "first").touch()
            time.sleep(0.5)
            (tmp_path / "second").touch()

    def call() -> int:
        Halves.write()
        return 0

    killer = Killer(tmp_path, "halves", call, [(Halves, "write")])
    killer.measure(times=1)
    for name in ("first", "second"):
        (tmp_path / name).unlink()
    killer.writes = [0.2]
    end = killer.kill(1)
    assert (end.code, end.phase) == (None, WRITING)
    assert (tmp_path / "first").exists()
    assert not (tmp_path / "second").exists()
    tally = Tally("halves")
    tally.count(end)
    tally.lost.append("the second half")
    with pytest.raises(AssertionError):
        tally.conclude(1, writing=1)


def test_a_tally_holds_that_enough_was_tried_and_enough_fell_into_a_write() -> None:
    with pytest.raises(AssertionError):
        Tally("few", tried=1, writing=1).conclude(2, writing=0)
    with pytest.raises(AssertionError, match="too few kills"):
        Tally("before", tried=2, before=2).conclude(2, writing=1)
