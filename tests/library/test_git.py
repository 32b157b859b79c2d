"""Two people, a real git repository, and citations/ merged by git: both sides' claims survive."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kb.cli.library import OPEN_CONFLICT
from kb.errors import KbError
from kb.library import build as builder
from kb.library import workspace, write
from kb.library.text import BrokenLibrary
from kb.library.write import write_file
from kb.store import places
from tests.library.conftest import Copy, claim, write_text

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
ROOT = Path(__file__).resolve().parent.parent.parent
PLAIN_GIT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_{what}": "a@b.c" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}
THEIR_FILE = "- {id: hers, kind: framing, statement: Hers., asserted_by: Ben, status: open}\n"


def git(folder: Path, *arguments: str, code: int = 0) -> str:
    """A git command that must end with `code`; nobody's own configuration takes part."""
    done = subprocess.run(["git", *arguments], cwd=folder, env=PLAIN_GIT, capture_output=True, text=True)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def two(tmp_path: Path) -> tuple[Copy, Copy]:
    """Two clones of one repository, each with a store in step with its text."""
    origin = tmp_path / "origin"
    write_text(origin)
    (origin / ".gitignore").write_text(".kb/\n")
    git(origin, "init", "-q", "-b", "main")
    git(origin, "add", ".")
    git(origin, "commit", "-qm", "The library")
    git(origin, "config", "receive.denyCurrentBranch", "updateInstead")
    people = []
    for name in ("ada", "ben"):
        git(tmp_path, "clone", "-q", str(origin), name)
        people.append(Copy(tmp_path / name))
        people[-1].sync()
    return people[0], people[1]


def push(copy: Copy) -> None:
    git(copy.folder, "add", "-A")
    git(copy.folder, "commit", "-qm", "Mine")
    git(copy.folder, "push", "-q", "origin", "main")


def commit_and_pull(copy: Copy, code: int = 0) -> None:
    git(copy.folder, "add", "-A")
    git(copy.folder, "commit", "-qm", "Mine")
    git(copy.folder, "pull", "-q", "--no-rebase", "origin", "main", code=code)


def statement(copy: Copy, name: str) -> str:
    return str(copy.records()["claim", name]["statement"])


def test_what_both_added_and_changed_apart_is_there_after_git_merged_it(two: tuple[Copy, Copy]) -> None:
    ada, ben = two
    ada.put(claim("his"))
    ada.change("first", statement="The first thing holds well.")
    ada.export()
    push(ada)
    (ben.library / "claims" / "hers.yaml").write_text(THEIR_FILE)
    ben.sync()
    ben.change("third", statement="Does it, really?")
    ben.export()
    commit_and_pull(ben)
    report = ben.sync().reports[0]
    assert sorted((t.name, t.action) for t in report.taken) == [("first", "changed"), ("his", "added")]
    git(ben.folder, "push", "-q", "origin", "main")
    git(ada.folder, "pull", "-q", "origin", "main")
    assert not ada.sync().standing
    assert ada.contents() == ben.contents()
    assert {("claim", "his"), ("claim", "hers")} <= ada.contents().keys()
    assert (statement(ada, "first"), statement(ada, "third")) == (
        "The first thing holds well.",
        "Does it, really?",
    )


def test_a_record_that_a_pull_brings_changed_and_that_changed_here_is_listed_and_both_are_kept(
    two: tuple[Copy, Copy],
) -> None:
    ada, ben = two
    ada.change("first", statement="Ada's.")
    ada.export()
    push(ada)
    ben.change("first", statement="Ben's.")
    ben.put(claim("hers"))
    git(ben.folder, "pull", "-q", "origin", "main")
    outcome = ben.sync()
    (waiting,) = outcome.standing
    assert (waiting["name"], waiting["theirs"]["statement"]) == ("first", "Ada's.")  # type: ignore[index]
    assert statement(ben, "first") == "Ben's."
    assert ("claim", "hers") in ben.records()
    ben.sync(take="theirs", names=["first"])
    ben.export()
    push(ben)
    git(ada.folder, "pull", "-q", "origin", "main")
    ada.sync()
    assert ada.contents() == ben.contents()


def recipe() -> list[str]:
    """The commands that docs/together.md gives for a merge that git left open."""
    text = (ROOT / "docs" / "together.md").read_text("utf-8").split("### When git leaves a conflict open")[1]
    block = re.search(r"(?:^    .*\n)+", text.split("###")[0], re.MULTILINE)
    assert block
    return [line.split("  #")[0].strip() for line in block.group().splitlines()]


def act(folder: Path, lines: list[str]) -> str:
    """Type the commands in one shell, as a person would who goes on whatever the exit codes are."""
    tools = folder.parent / "tools"
    tools.mkdir(exist_ok=True)
    (tools / "kb").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m kb.cli.main "$@"\n')
    (tools / "kb").chmod(0o755)
    path = f"{tools}{os.pathsep}{os.environ['PATH']}"
    environment = {**PLAIN_GIT, "PATH": path, "PYTHONPATH": str(ROOT), "GIT_EDITOR": "true"}
    environment.pop("KB_DB", None)
    done = subprocess.run(
        ["bash", "-c", "\n".join(lines)], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_lines_of_the_document_are_those_of_the_help() -> None:
    help_lines = [line.split("  (")[0].strip() for line in OPEN_CONFLICT.splitlines()]
    assert [line for line in help_lines if line in recipe()] == recipe()


@pytest.mark.parametrize("begun_as", ["merge", "rebase"])
def test_a_merge_that_git_leaves_open_is_told_by_file_and_line_and_settled_record_by_record(
    two: tuple[Copy, Copy], tmp_path: Path, begun_as: str
) -> None:
    """The way out that docs/together.md describes, to the letter."""
    ada, ben = two
    ada.change("first", statement="Ada's.")
    ada.put(claim("his"))
    ada.edit_text("title: A short talk", "title: Ada's talk", home="talks/short.yaml")
    ada.remove("third")
    ada.export()
    push(ada)
    ben.change("first", statement="Ben's.")
    ben.put(claim("hers"))
    ben.export()
    if begun_as == "merge":
        commit_and_pull(ben, code=1)
    else:
        git(ben.folder, "config", "pull.rebase", "true")
        git(ben.folder, "add", "-A")
        git(ben.folder, "commit", "-qm", "Mine")
        git(ben.folder, "pull", "-q", code=1)
    before = ben.contents()
    with pytest.raises(
        BrokenLibrary, match=r"claims/\w+\.yaml:\d+: .*git.*conflict.*kb library sync --help"
    ) as told:
        ben.sync()
    assert {problem.home for problem in told.value.problems} == {"claims/group.yaml", "claims/own.yaml"}
    assert ben.contents() == before
    if begun_as == "rebase":
        act(ben.folder, ["git rebase --abort && git pull --no-rebase || true"])

    lines = [line.replace("ours|theirs ID", "theirs first") for line in recipe()]
    last_look = next(place for place, line in enumerate(lines) if line.startswith("git diff"))
    told_by_kb = act(ben.folder, lines[: last_look + 1])
    assert "added\tclaim\this" in told_by_kb
    assert "conflict\tclaim\tfirst\tchanged on both sides" in told_by_kb
    assert re.findall(r"^\+- id: (.*)$", told_by_kb, re.MULTILINE) == ["third", "hers"]
    act(ben.folder, ["kb claim remove third", "kb library export", lines[0], *lines[last_look + 1 :]])
    assert not list(tmp_path.glob("theirs*"))
    assert git(ben.folder, "diff", "HEAD^2", "--stat", "--", "citations/talks") == ""
    git(ben.folder, "push", "-q", "origin", "main")
    git(ada.folder, "pull", "-q", "--no-rebase", "origin", "main")
    assert not ada.sync().standing
    assert ada.contents() == ben.contents()
    assert {("claim", "his"), ("claim", "hers")} <= ada.contents().keys()
    assert ("claim", "third") not in ada.contents()
    assert statement(ada, "first") == "Ada's."


@pytest.mark.parametrize("written", [0, 1, 2])
def test_an_export_that_was_killed_between_files_is_finished_as_the_document_says(
    two: tuple[Copy, Copy], monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    """First references.bib, then claims/group.yaml, then claims/own.yaml (new, with a claim of a new source)."""
    ada, _ = two
    new = {"key": "new2024", "type": "misc", "kind": "post", "fields": {"title": "New"}}
    ada.put(new, "source")
    ada.put(claim("his", citations=[{"source": "new2024", "stance": "asserts"}]))
    ada.remove("third")
    wanted = ada.contents()
    left = [None] * written

    def write_or_die(path: Path, content: bytes) -> None:
        if not left:
            raise KeyboardInterrupt
        left.pop()
        write_file(path, content)

    with monkeypatch.context() as patched:
        patched.setattr(write, "write_file", write_or_die)
        with pytest.raises(KeyboardInterrupt):
            ada.export()
    assert ada.contents() == wanted
    ada.export()
    assert ada.contents() == wanted
    assert ada.sync().reports[0].ahead == 0
    assert "new2024" in (ada.library / "references.bib").read_text("utf-8")


def test_a_record_that_both_renamed_goes_on_under_one_name_and_is_found_by_both(
    two: tuple[Copy, Copy],
) -> None:
    ada, ben = two
    ada.rename("third", "troisieme")
    ada.export()
    ben.rename("third", "dritte")
    report = ben.meet(ada)
    assert not report.conflicts
    assert [(t.name, t.action) for t in report.taken] == [("dritte", "changed")]
    ben.export()
    ada.meet(ben)
    assert ada.contents() == ben.contents()
    assert sorted(ada.records()["claim", "dritte"]["aliases"]) == ["third", "troisieme"]


def test_a_removal_holds_between_two_who_have_met_and_not_before(two: tuple[Copy, Copy]) -> None:
    """A first meeting is with a library that may be a part: nobody says what is missing in it on purpose."""
    ada, ben = two
    ada.remove("third")
    ada.export()
    assert [(t.name, t.action) for t in ada.meet(ben).taken] == [("third", "added")]
    ada.export()
    assert not ben.meet(ada).taken
    ada.remove("third")
    ada.export()
    assert not ada.meet(ben).taken
    assert [(t.name, t.action) for t in ben.meet(ada).taken] == [("third", "removed")]
    assert ada.contents() == ben.contents()


def test_a_newer_release_goes_through_the_same_door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = tmp_path / "shipped"
    write_text(shipped)
    builder.build(shipped / "citations", [], shipped / "claims.db")
    monkeypatch.setattr(places, "shipped", lambda: shipped)
    workspace.make(tmp_path / "mine")
    mine = Copy(tmp_path / "mine")
    assert not mine.sync().standing
    mine.put(claim("own"))
    mine.change("first", statement="Mine.")
    mine.export()

    def release(old: str, new: str) -> None:
        text = shipped / "citations" / "claims" / "group.yaml"
        assert old in text.read_text("utf-8")
        text.write_text(text.read_text("utf-8").replace(old, new), "utf-8")

    release("Does the third thing hold?", "Does the third thing hold today?")
    release("The first thing holds.", "The first thing holds, says 0.2.")
    release("# end of the file", THEIR_FILE.replace("hers", "new-in-release"))
    outcome = mine.sync()
    (report,) = [report for report in outcome.reports if report.origin == "release"]
    assert sorted((t.name, t.action) for t in report.taken) == [
        ("new-in-release", "added"),
        ("third", "changed"),
    ]
    assert [(c.name, c.why) for c in report.conflicts] == [("first", "changed on both sides")]
    assert statement(mine, "first") == "Mine."
    assert ("claim", "own") in mine.records()
    assert [one["name"] for one in mine.sync().standing] == ["first"], "listed until it is decided"
    mine.sync(take="theirs", names=["first"])
    mine.export()
    assert not mine.sync().standing
    assert statement(mine, "first") == "The first thing holds, says 0.2."
    with pytest.raises(KbError, match="is in no conflict"):
        mine.sync(take="ours", names=["first"])
