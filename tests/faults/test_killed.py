"""kill -9 at random moments: whatever was acknowledged is there, whatever was not is there whole or not at all."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from kb.library import build as builder
from kb.library import door
from kb.library.text import read_library
from kb.store import connect, halves, migrations, places
from tests.faults.killing import TRIES, Killer, Tally, kb, linux, load_everything
from tests.faults.stores import contents, faults_of
from tests.library.conftest import Copy, claim, write_text
from tests.store.test_migrations import everything, store_of

pytestmark = [linux, pytest.mark.slow]
load_everything()
UNDO = "`kb claim undo` takes it back"


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Copy:
    """A small workspace with a released store and a working one; judging the shipped runs would take longest."""
    folder = tmp_path / "workspace"
    monkeypatch.setattr(places, "shipped", lambda: folder)
    write_text(folder)
    builder.build(folder / "citations", [], folder / "claims.db")
    copy = Copy(folder)
    copy.sync()
    return copy


def statement_of(records: dict[tuple[str, str], str], name: str) -> str | None:
    found = records.get(("claim", name))
    return json.loads(found)["statement"] if found else None


def test_changes_of_claims(workspace: Copy, tmp_path: Path) -> None:
    """Adding, editing and removing, one after the other in one store that is never made anew."""
    tally, store = Tally("add, edit, remove"), workspace.places.working
    said: dict[str, int | None] = {}
    next_command = kb(workspace.folder, "claim", "list", "--limit", "3")

    def command(number: int) -> tuple[str, int | None, tuple[str, ...]]:
        name = f"c{number % 7}"
        fields = ("--statement", f"Number {number}.", "--note", f"Number {number}.")
        if said.get(name) is None:
            cited = ("--source", "one2020", "--locator", f"Number {number}.")
            return name, number, ("add", "--id", name, "--kind", "empirical", "--by", "A", *fields, *cited)
        if number % 5 == 4:
            return name, None, ("remove", name)
        return name, number, ("edit", name, *fields, "--caveat", f"Number {number}.")

    killer = Killer(tmp_path, tally.kind, lambda: 0, [(connect, "writing_to")])
    first = kb(
        workspace.folder,
        "claim",
        "add",
        "--id",
        "whole",
        "--kind",
        "empirical",
        "--by",
        "A",
        "--statement",
        "W.",
    )
    killer.call = first
    killer.measure(times=1)
    for number in range(TRIES):
        name, becomes, arguments = command(number)
        killer.call = kb(workspace.folder, "claim", *arguments)
        end = killer.kill(number)
        tally.count(end)
        tally.lost += faults_of(store)
        acknowledged = end.code == 0 or UNDO in end.said
        assert end.code in (0, None), end.said
        tally.acknowledged += acknowledged
        records = contents(store)
        expected = {becomes} if acknowledged else {becomes, said.get(name)}
        for other in {*said, name}:
            allowed = expected if other == name else {said[other]}
            record = json.loads(records.get(("claim", other), "null"))
            found = int(record["statement"].split()[1][:-1]) if record else None
            if found not in allowed:
                tally.lost.append(f"{other} is at {found}, not at {allowed}")
            elif record and record["note"] != record["statement"]:
                tally.lost.append(f"{other} has half of a change: {record}")
            said[other] = found
        killer.whole(next_command)
    killer.whole(kb(workspace.folder, "claim", "edit", "whole", "--note", "The next command is well."))
    tally.conclude()


def test_the_first_change_that_makes_the_working_store(workspace: Copy, tmp_path: Path) -> None:
    tally, store = Tally("first change"), workspace.places.working
    shutil.rmtree(store.parent)
    own = ("--kind", "empirical", "--by", "A", "--statement", "Own.")
    add, another = (kb(workspace.folder, "claim", "add", "--id", name, *own) for name in ("own", "another"))
    killer = Killer(
        tmp_path,
        tally.kind,
        add,
        [(connect, "_make_working_store"), (connect, "writing_to")],
    )
    start = lambda: shutil.rmtree(store.parent, ignore_errors=True)  # noqa: E731
    killer.measure(start)
    for number in range(TRIES):
        start()
        end = killer.kill(number)
        tally.count(end)
        acknowledged = end.code == 0 or UNDO in end.said
        tally.acknowledged += acknowledged
        if store.exists():
            tally.lost += faults_of(store)
            records = contents(store)
            if len(records) not in (8, 9):
                tally.lost.append(f"{len(records)} records of 8 or 9")
            if acknowledged and ("claim", "own") not in records:
                tally.lost.append("an acknowledged claim")
        elif acknowledged:
            tally.lost.append("the store of an acknowledged claim")
        killer.whole(another)
    tally.conclude()


def write_lines(path: Path) -> tuple[str, ...]:
    """150 claims in an export file; the command that takes them in."""
    with path.open("w", encoding="utf-8") as file:
        print(json.dumps({"format": "kb-library", "version": 1}), file=file)
        for number in range(150):
            record = claim(
                f"i{number}", citations=[{"source": "one2020", "stance": "asserts", "locator": str(number)}]
            )
            print(
                json.dumps({"kind": "claim", "home": "claims/i.yaml", "position": number, "record": record}),
                file=file,
            )
    return "library", "import", str(path)


def write_entries(path: Path) -> tuple[str, ...]:
    """150 entries of BibTeX; the command that takes them in."""
    entry = "@misc{{i{0},\n  title = {{Entry {0}}},\n  doi = {{10.1000/{0}}},\n}}\n\n"
    path.write_text("".join(entry.format(number) for number in range(150)), "utf-8")
    return "cite", "add", str(path)


@pytest.mark.parametrize(
    ("name", "write"), [("import", write_lines), ("import of BibTeX", write_entries)], ids=["lines", "bibtex"]
)
def test_an_import(
    name: str, write: Callable[[Path], tuple[str, ...]], workspace: Copy, tmp_path: Path
) -> None:
    tally, store = Tally(name), workspace.places.working
    template = tmp_path / "template.db"
    checkpointed(store).replace(template)

    def start() -> None:
        for path in store.parent.glob("store.db*"):
            path.unlink()
        shutil.copy(template, store)

    command = kb(workspace.folder, *write(tmp_path / "import.bib"))
    killer = Killer(tmp_path, tally.kind, command, [(connect, "writing_to")])
    killer.measure(start)
    for number in range(TRIES):
        start()
        end = killer.kill(number)
        tally.count(end)
        tally.lost += faults_of(store)
        acknowledged = end.code == 0
        tally.acknowledged += acknowledged
        there = len(contents(store))
        if there not in ((158,) if acknowledged else (8, 158)):
            tally.lost.append(f"{there} records")
        killer.whole()
        tally.lost += faults_of(store)
        if len(contents(store)) != 158:
            tally.lost.append("the import that followed is not whole")
    tally.conclude()


def checkpointed(store: Path) -> Path:
    """The store as one file."""
    with contextlib.closing(sqlite3.connect(store)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return store


def test_a_build(workspace: Copy, tmp_path: Path) -> None:
    """The text says a number in 60 claims; a store that has two of them would be half a build."""
    tally, target = Tally("build"), workspace.places.released
    text = workspace.library / "claims" / "many.yaml"

    def write(number: int) -> None:
        text.write_text(
            "".join(
                f"- {{id: m{n}, kind: framing, statement: Number {number}., asserted_by: A, status: open}}\n"
                for n in range(60)
            ),
            "utf-8",
        )

    killer = Killer(tmp_path, tally.kind, kb(workspace.folder, "library", "build"), [(halves, "beside")])
    write(0)
    killer.measure()
    built = 0
    for number in range(1, TRIES + 1):
        write(number)
        end = killer.kill(number)
        tally.count(end)
        tally.lost += faults_of(target)
        acknowledged = end.code == 0
        tally.acknowledged += acknowledged
        found = {s for n in range(60) if (s := statement_of(contents(target), f"m{n}"))}
        allowed = [{f"Number {number}."}] if acknowledged else [{f"Number {number}."}, {f"Number {built}."}]
        if found not in allowed:
            tally.lost.append(f"claims.db says {found}, not one of {allowed}")
        built = number if found == {f"Number {number}."} else built
        if number % 3 == 0:
            killer.whole()
            built = number
            killer.whole(kb(workspace.folder, "library", "build", "--check"))
    for left in workspace.folder.glob(".claims.db.*"):
        os.utime(left, (0, 0))
    killer.whole()
    assert not list(workspace.folder.glob(".claims.db.*"))
    tally.conclude()


def test_an_export(workspace: Copy, tmp_path: Path) -> None:
    """Text is written file by file: each is whole, and the store and the text agree after the next command."""
    tally, store = Tally("export"), workspace.places.working
    export = kb(workspace.folder, "library", "export")
    killer = Killer(tmp_path, tally.kind, export, [(door, "write_library"), (connect, "writing_to")])
    numbers = iter(range(10**6))

    def change() -> None:
        number = next(numbers)
        workspace.change("first", statement=f"Number {number}.")
        workspace.change("short", "talk", title=f"Number {number}")
        workspace.put(claim("mine", statement=f"Number {number}."))

    killer.measure(change)
    for number in range(TRIES):
        change()
        before = contents(store)
        end = killer.kill(number)
        tally.count(end)
        tally.lost += faults_of(store)
        tally.acknowledged += end.code == 0
        if contents(store) != before:
            tally.lost.append("an export changed records of the store")
        read_library(workspace.library)
        if end.code == 0 and workspace.sync().reports[0].ahead:
            tally.lost.append("an acknowledged export is not in the text")
        killer.whole()
        if contents(store) != before or workspace.sync().reports[0].ahead:
            tally.lost.append("the export that followed is not whole")
    tally.conclude()


def test_a_migration(workspace: Copy, tmp_path: Path) -> None:
    tally, store = Tally("migration"), workspace.places.working
    shutil.rmtree(store.parent)

    def start() -> None:
        shutil.rmtree(store.parent, ignore_errors=True)
        store.parent.mkdir()
        store_of(1, store.parent)

    start()
    old = everything(store)
    killer = Killer(tmp_path, tally.kind, kb(workspace.folder, "db", "migrate"), [(connect, "_migrate_file")])
    killer.measure(start)
    for number in range(TRIES):
        start()
        end = killer.kill(number)
        tally.count(end)
        tally.lost += faults_of(store)
        tally.acknowledged += end.code == 0
        # Each step is one transaction, so a killed migration may end after any of them; the next command goes on.
        whole = {migrations.LATEST} if end.code == 0 else set(range(1, migrations.LATEST + 1))
        tally.lost += _migrated(store, old, whole)
        for backup in store.parent.glob("store.db.backup-*"):
            tally.lost += [f"{backup.name} is not whole"] * (everything(backup) != old)
        killer.whole(kb(workspace.folder, "claim", "edit", "first", "--note", "The next command."))
        tally.lost += _migrated(store, {}, {migrations.LATEST})
        if statement_of(contents(store), "first") != "Cheese is found.":
            tally.lost.append("a claim of the older store")
    tally.conclude()


def _migrated(store: Path, old: dict[str, list[tuple[object, ...]]], versions: set[int]) -> list[str]:
    with contextlib.closing(sqlite3.connect(store)) as connection:
        found = migrations.version(connection)
    now = everything(store)
    lost = [f"rows of {name}" for name, rows in old.items() if now.get(name) != rows]
    return lost + ([] if found in versions else [f"schema {found}, not one of {versions}"])
