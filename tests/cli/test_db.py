"""`kb db`: back-ups that are examined, and going back to one."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Kb
from tests.making import spoil


def test_a_backup_says_how_to_go_back_and_restore_does(kb: Kb, store: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    told = kb("db", "backup", str(copy))
    assert "kb db restore" in told.err
    assert kb("claim", "remove", "small-mazes").code == 0
    done = kb("db", "restore", str(copy), "--json")
    assert done.code == 0
    assert kb("claim", "show", "small-mazes").code == 0
    assert kb("--db", done.json["kept"], "claim", "show", "small-mazes").code == 1


def test_a_damaged_store_is_told_and_no_backup_is_made_of_it(kb: Kb, store: Path, tmp_path: Path) -> None:
    spoil(store)
    done = kb("db", "backup", str(tmp_path / "copy.db"))
    assert done.code == 1
    assert "damaged" in done.err
    assert "kb db restore FILE" in done.err
    assert not (tmp_path / "copy.db").exists()
