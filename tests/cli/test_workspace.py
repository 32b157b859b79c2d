"""A clone that has the library's text alone is a workspace, and says how to get its store."""

from __future__ import annotations

from pathlib import Path

import pytest

from kb.cli.main import main
from tests.library.conftest import write_text


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with citations/ and nothing else, as git brings one whose claims.db is ignored."""
    write_text(tmp_path / "clone")
    monkeypatch.chdir(tmp_path / "clone")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("KB_DB", raising=False)
    return tmp_path / "clone"


@pytest.mark.parametrize(
    "call",
    [
        ("claim", "list"),
        (
            "claim",
            "add",
            "--id",
            "new",
            "--kind",
            "advice",
            "--statement",
            "S.",
            "--by",
            "Ada",
            "--status",
            "open",
        ),
        ("cite", "remove", "two2021"),
        ("library", "export"),
        ("init", "."),
    ],
)
def test_what_needs_the_store_names_the_command_that_makes_it(
    clone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], call: tuple[str, ...]
) -> None:
    assert main(list(call)) in (1, 2)
    assert "kb library build" in capsys.readouterr().err
    assert [path.name for path in clone.iterdir()] == ["citations"]
    assert not (tmp_path / "data").exists(), "nothing is written into the user's own folder"


def test_after_the_build_it_is_like_any_other(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["library", "build"]) == 0
    assert main(["claim", "remove", "third"]) == 0
    assert main(["library", "export"]) == 0
    assert "third" not in (clone / "citations" / "claims" / "group.yaml").read_text("utf-8")
    assert (clone / ".kb" / "store.db").exists()


def test_sync_makes_the_store_from_the_text_itself(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["library", "sync"]) == 0
    assert "added\tclaim\tfirst" in capsys.readouterr().out
    assert main(["claim", "show", "first"]) == 0


def test_from_a_folder_below_it_the_workspace_is_found(
    clone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(clone / "citations" / "claims")
    assert main(["library", "sync"]) == 0
    assert (clone / ".kb" / "store.db").exists()


def test_a_folder_of_that_name_that_is_no_library_is_no_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A paper may keep its references.bib in citations/: there kb shows the shipped library."""
    (tmp_path / "citations").mkdir()
    (tmp_path / "citations" / "references.bib").write_text("@misc{a, title = {A}}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("KB_DB", raising=False)
    assert main(["claim", "list", "--limit", "1"]) == 0
    assert capsys.readouterr().out.count("\n") == 2


@pytest.mark.parametrize("content", [b"", b"no database at all, but long enough to be one" * 40])
def test_a_damaged_claims_db_is_built_anew_as_the_message_says(
    clone: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    (clone / "claims.db").write_bytes(content)
    assert main(["claim", "list"]) == 2
    assert "`kb library build` makes it anew" in capsys.readouterr().err
    assert main(["library", "build"]) == 0
    assert main(["claim", "show", "first"]) == 0


def test_a_damaged_working_store_starts_from_claims_db_as_the_message_says(
    clone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["library", "build"]) == 0
    (clone / ".kb").mkdir()
    (clone / ".kb" / "store.db").write_bytes(b"")
    assert main(["claim", "list"]) == 2
    assert "kb db restore FILE" in capsys.readouterr().err
    assert main(["db", "restore", "claims.db"]) == 0
    assert main(["claim", "remove", "third"]) == 0
