"""Where things are: nothing that a clone brings along leads out of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from kb.errors import KbError
from kb.store import places


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("KB_DB", raising=False)
    (tmp_path / "here" / "citations").mkdir(parents=True)
    (tmp_path / "here" / ".kb").mkdir()
    return tmp_path / "here"


@pytest.mark.parametrize(
    "name", ["", "store.db", "store.db-wal", "store.db-shm", "store.db-journal", "runs", "forms"]
)
@pytest.mark.parametrize("leads", ["somewhere", "nowhere"])
def test_what_kb_writes_in_a_workspace_is_no_link(
    name: str, leads: str, workspace: Path, tmp_path: Path
) -> None:
    (tmp_path / "somewhere").mkdir()
    link = workspace / ".kb" / name
    if not name:
        (workspace / "claims.db").touch()
        link.rmdir()
    link.symlink_to(tmp_path / leads)
    with pytest.raises(KbError) as error:
        places.find(start=workspace)
    assert str(error.value).startswith(f"{str(link).rstrip('/')} is a symbolic link: not followed; remove it")
    assert places.find(str(tmp_path / "own.db"), start=workspace).working == tmp_path / "own.db"


def test_a_workspace_of_plain_files_is_taken(workspace: Path) -> None:
    assert places.find(start=workspace).runs == workspace / ".kb" / "runs"
