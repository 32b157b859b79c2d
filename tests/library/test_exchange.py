"""Export files: into what is no file the lines are written, from what is none nothing is read."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import threading
from pathlib import Path

import pytest

from kb.errors import KbError
from kb.library import build, difference, door, exchange
from tests.library.conftest import Copy

pytestmark = pytest.mark.usefixtures("ends")


def device(path: Path) -> Path:
    """A device of our own that swallows everything."""
    try:
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        path.write_bytes(b"")
    except OSError:
        pytest.skip("only root may make a device, and not everywhere")
    return path


def test_an_export_into_a_device_leaves_it_a_device(copy: Copy, tmp_path: Path) -> None:
    node = device(tmp_path / "node")
    with copy.reading() as connection:
        assert exchange.write_lines(connection, node) > 0
    assert stat.S_ISCHR(node.stat().st_mode)


def test_an_export_into_a_pipe_is_read_at_its_other_end(copy: Copy, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    with copy.reading() as connection:
        count = exchange.write_lines(connection, pipe)
    reader.join()
    assert read[0].count(b"\n") == count + 1
    assert pipe.is_fifo()


def test_an_export_into_a_socket_or_a_folder_is_refused(copy: Copy, tmp_path: Path) -> None:
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as end, copy.reading() as connection:
        end.bind(str(tmp_path / "socket"))
        (tmp_path / "folder").mkdir()
        for name in ("socket", "folder"):
            with pytest.raises(KbError, match="cannot be written"):
                exchange.write_lines(connection, tmp_path / name)
        assert (tmp_path / "socket").is_socket()


@pytest.mark.parametrize("kind", ["device", "pipe", "folder"])
def test_a_store_is_built_in_the_place_of_a_plain_file_alone(kind: str, copy: Copy, tmp_path: Path) -> None:
    target = tmp_path / kind
    {"device": device, "pipe": os.mkfifo, "folder": Path.mkdir}[kind](target)
    before = target.stat()
    with pytest.raises(KbError, match="is not a plain file; name a file with -o FILE"):
        build.build(copy.library, (), target)
    assert (target.stat().st_ino, target.stat().st_mode) == (before.st_ino, before.st_mode)


def test_nothing_is_imported_from_a_pipe_and_it_is_not_waited_for(copy: Copy, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for reading in (door.side_at, lambda path: contextlib.nullcontext(next(iter(difference.of_lines(path))))):
        with pytest.raises(KbError, match="is not a plain file"), reading(pipe):
            pass
