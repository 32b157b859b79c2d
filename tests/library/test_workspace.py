"""A new workspace: nothing that is there is touched, followed or waited for."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from kb.errors import KbError
from kb.library import workspace, write

pytestmark = pytest.mark.usefixtures("ends")


def test_git_passes_over_what_is_local_and_what_a_killed_process_leaves(tmp_path: Path) -> None:
    made = workspace.make(tmp_path)
    assert made.advice == []
    assert {".gitignore", ".gitattributes"} <= set(made.files)
    for left in (
        ".kb/store.db", ".claims.db.12-ab.new", ".claims.db.12-ab.new-journal", "citations/.references.bib.x_1",
        "citations/claims/.own.yaml.x_1", "citations/talks/.own.yaml.x_1", "citations/figures/.own.csv.x_1",
    ):  # fmt: skip
        (tmp_path / left).parent.mkdir(exist_ok=True)
        (tmp_path / left).touch()
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    done = subprocess.run(
        ["git", "ls-files", "-o", "--exclude-standard"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    assert set(done.stdout.split()) == set(made.files)


def test_the_temporary_names_of_the_text_are_those_that_git_passes_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    replace = Path.replace
    monkeypatch.setattr(Path, "replace", lambda old, new: (seen.append(old.name), replace(old, new)))
    write.write_file(tmp_path / "own.yaml", b"a: 1\n")
    assert [name.startswith(".own.yaml.") for name in seen] == [True]


@pytest.mark.parametrize("planted", ["nowhere", "/dev/zero", "pipe", "other lines", "not UTF-8"])
def test_git_s_files_that_are_there_are_not_touched_and_what_they_lack_is_told(
    planted: str, tmp_path: Path
) -> None:
    path = tmp_path / "here" / ".gitignore"
    path.parent.mkdir()
    if planted == "pipe":
        os.mkfifo(path)
    elif planted in ("other lines", "not UTF-8"):
        path.write_bytes(b".kb/\n" if planted == "other lines" else b"\xff\n")
    else:
        path.symlink_to("/dev/zero" if planted == "/dev/zero" else tmp_path / "nowhere")
    made = workspace.make(path.parent)
    assert not (tmp_path / "nowhere").exists()
    (advice,) = made.advice
    assert advice.startswith(".gitignore exists and was not touched: add the lines `")
    assert ("`.kb/`" in advice) == (planted != "other lines")


def test_a_file_with_all_lines_needs_no_advice(tmp_path: Path) -> None:
    (tmp_path / ".gitattributes").write_text("\n".join(("*.png binary", *workspace.ATTRIBUTES)))
    (tmp_path / ".gitignore").write_text("\n".join(workspace.IGNORED[:-1]))
    made = workspace.make(tmp_path)
    assert made.advice == [".gitignore exists and was not touched: add the line `citations/**/.*.csv.*`"]


def test_a_link_that_leads_nowhere_counts_as_something_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "reproductions").symlink_to(tmp_path / "nowhere")
    with pytest.raises(KbError, match="has reproductions already; nothing was touched"):
        workspace.make(tmp_path)
    assert os.path.lexists(tmp_path / "reproductions")
