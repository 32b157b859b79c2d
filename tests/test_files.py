"""Files of strangers are read within bounds, and files among theirs are written whole."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from kb import files
from kb.errors import KbError


def test_what_is_no_plain_file_or_too_long_is_refused_before_it_is_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "zeros").symlink_to("/dev/zero")
    (tmp_path / "long").write_bytes(b"123456")
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(str(tmp_path / "socket"))
    for name in ("pipe", "folder", "zeros", "socket"):
        with pytest.raises(KbError, match="is not a plain file"):
            files.read_bytes(tmp_path / name, 5)
    with pytest.raises(KbError, match="has more than"):
        files.read_bytes(tmp_path / "long", 5)
    assert files.read_bytes(tmp_path / "long", 6) == b"123456"
    with pytest.raises(FileNotFoundError):
        files.read_bytes(tmp_path / "none")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux has such files")
def test_a_file_that_says_it_is_empty_is_read_no_further() -> None:
    assert files.read_bytes(Path("/proc/self/status")) == b""


def test_a_file_is_written_whole_or_stays_as_it_was_and_a_link_is_not_followed(tmp_path: Path) -> None:
    link, precious = tmp_path / "link", tmp_path / "precious"
    precious.write_text("mine")
    link.symlink_to(precious)
    files.write_whole(link, b"new")
    assert (link.is_symlink(), link.read_text(), precious.read_text()) == (False, "new", "mine")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="directory"):
        files.write_whole(tmp_path / "folder", b"new")
    files.write_whole(tmp_path / ("ü" * 120), b"a long name")
    assert {path.name for path in tmp_path.iterdir()} == {"folder", "link", "precious", "ü" * 120}
