"""Eight processes write while four read: nothing is lost, nobody is locked out, no reader sees half a change."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from kb.errors import KbError
from kb.store import connect, edit, queries
from kb.store.places import Places
from tests.faults.killing import linux, load_everything
from tests.faults.stores import faults_of
from tests.making import claim

pytestmark = [linux, pytest.mark.slow]
load_everything()
WRITERS, READERS = 8, 4
CHANGES = int(os.environ.get("KB_FAULTS_CHANGES", "15"))
"""Changes of each writer: few in CI, 500 with `make faults`."""
COUNTER = "counter"


def numbered(id_: str, number: int) -> Any:
    """A claim that says its number five times: in its statement, a tag, and three citations."""
    cited = [{"source": "paper2020", "stance": "asserts", "locator": f"Number {number}"} for _ in range(3)]
    return claim(id_, statement=f"Number {number}.", tags=[f"n{number}"], citations=cited)


def number_of(record: dict[str, Any]) -> int:
    return int(record["statement"].split()[1][:-1])


def write(places: Places, me: int, pipe: Connection) -> None:
    """Every other change is to this writer's own claims, every other adds one to the claim that all share."""
    failed, slowest = [], 0.0
    for number in range(CHANGES):
        started = time.monotonic()
        try:
            with connect.for_writing(places) as session:
                if number % 2:
                    edit.put(session, numbered(f"w{me}-{number % 10}", number), why=f"{me}/{number}")
                else:
                    now = queries.record(connect.raw(session), "claim", COUNTER)
                    assert now is not None
                    edit.put(session, numbered(COUNTER, number_of(now) + 1), why=f"{me}/{number}")
        except KbError as error:
            failed.append(str(error))
        slowest = max(slowest, time.monotonic() - started)
    pipe.send((failed, slowest))


def read(places: Places, me: int, pipe: Connection) -> None:
    """Until told to stop: in one read, each claim says one number, and the history has as many changes as it says."""
    looks, halves, failed = 0, [], []
    newest = 0
    while not pipe.poll():
        try:
            with contextlib.closing(connect.for_reading(places)) as connection:
                connection.execute("BEGIN")
                for name, _, _, record in queries.records(connection, "claim"):
                    says = {number_of(record)} if name != "a-claim" else {0}
                    says |= {int(tag[1:]) for tag in record.get("tags", [])}
                    says |= {int(c["locator"].split()[1]) for c in record["citations"] if name != "a-claim"}
                    if len(says) != 1:
                        halves.append(f"{name} says {says}")
                    if name == COUNTER:
                        count = "SELECT COUNT(*) FROM change WHERE name = ? AND action = 'edit'"
                        if connection.execute(count, (COUNTER,)).fetchone()[0] != number_of(record):
                            halves.append("the history and the counter differ")
                        if number_of(record) < newest:
                            halves.append("a look went back in time")
                        newest = number_of(record)
                looks += 1
        except KbError as error:
            failed.append(str(error))
        time.sleep(0.02)
    pipe.send((looks, halves, failed))


def test_eight_writers_and_four_readers(path: Path, tmp_path: Path) -> None:
    places = Places(
        tmp_path, tmp_path / "citations", path, tmp_path / ".kb" / "store.db", (), tmp_path / "runs"
    )
    with connect.for_writing(places) as session:
        edit.put(session, numbered(COUNTER, 0))
    context = multiprocessing.get_context("fork")
    started = time.monotonic()
    people = []
    for function, how_many in ((write, WRITERS), (read, READERS)):
        for me in range(how_many):
            ours, theirs = context.Pipe()
            process = context.Process(target=function, args=(places, me, theirs))
            process.start()
            people.append((process, ours))
    written = [pipe.recv() for _, pipe in people[:WRITERS]]
    seconds = time.monotonic() - started
    for _, pipe in people[WRITERS:]:
        pipe.send("stop")
    looked = [pipe.recv() for _, pipe in people[WRITERS:]]
    for process, _ in people:
        process.join(30)
    assert [process.exitcode for process, _ in people] == [0] * (WRITERS + READERS)

    locked_out = [line for failed, _ in written for line in failed]
    halves = [line for _, found, _ in looked for line in found]
    unread = [line for _, _, failed in looked for line in failed]
    with contextlib.closing(connect.for_reading(places)) as connection:
        whys = {row[0] for row in connection.execute("SELECT why FROM change WHERE why <> ''")}
        records = {name: record for name, _, _, record in queries.records(connection, "claim")}
        last = {row[0]: row[1] for row in connection.execute("SELECT name, after FROM change ORDER BY seq")}
    tried = {f"{me}/{number}" for me in range(WRITERS) for number in range(CHANGES)}
    lost = tried - whys
    print(
        f"\n| {WRITERS} writers, {READERS} readers | {len(tried)} changes | {sum(n for n, _, _ in looked)} looks "
        f"| {len(lost)} lost | {len(locked_out) + len(unread)} locked out | {len(halves)} halves "
        f"| {seconds:.0f} s | slowest change {max(s for _, s in written):.2f} s"
    )
    assert (lost, locked_out, unread, halves) == (set(), [], [], [])
    assert len(whys) == len(tried) == WRITERS * CHANGES
    assert number_of(records[COUNTER]) == WRITERS * ((CHANGES + 1) // 2), (
        "an addition to the counter was lost"
    )
    assert all(
        json.loads(after)["record"] == records[name] for name, after in last.items() if name in records
    )
    assert all(looks >= 1 for looks, _, _ in looked)
    assert faults_of(places.working) == []
