"""The notice that the text moved on: whatever lies where its cache is kept, nothing else is written and nothing hangs."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from kb.library import freshness


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A small library; its cache goes into `.kb` beside it."""
    folder = tmp_path / "citations"
    (folder / "claims").mkdir(parents=True)
    (folder / "claims" / "one.yaml").write_text("- id: one\n")
    (tmp_path / ".kb").mkdir()
    return folder


@pytest.fixture(autouse=True)
def _ends() -> Iterator[None]:
    """A read that never ends fails the test."""
    signal.alarm(20)
    yield
    signal.alarm(0)


def test_the_digest_is_kept_and_found_again(library: Path, tmp_path: Path) -> None:
    digest = freshness.current(library, tmp_path / ".kb")
    cache = tmp_path / ".kb" / freshness.CACHE
    cache.write_text(cache.read_text().replace(str(digest), "as it was kept"))
    assert freshness.current(library, tmp_path / ".kb") == "as it was kept"
    assert [path.name for path in (tmp_path / ".kb").iterdir()] == [freshness.CACHE]


def test_links_in_a_clone_are_not_written_through(library: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    for name in (freshness.CACHE, f"{freshness.CACHE}.{os.getpid()}"):
        (tmp_path / ".kb" / name).symlink_to(precious)
    assert freshness.current(library, tmp_path / ".kb")
    assert precious.read_text() == "mine"
    assert not (tmp_path / ".kb" / freshness.CACHE).is_symlink()


@pytest.mark.parametrize(
    "content", ["[" * 100_000, "null", "{", "\xff", " " * (freshness.LARGEST_CACHE + 1), '{"signature": 1}']
)
def test_a_cache_that_is_none_is_made_anew(content: str, library: Path, tmp_path: Path) -> None:
    digest = freshness.current(library, tmp_path / ".kb")
    cache = tmp_path / ".kb" / freshness.CACHE
    kept = cache.read_text()
    cache.write_text(content, "latin-1")
    assert freshness.current(library, tmp_path / ".kb") == digest
    assert cache.read_text() == kept


@pytest.mark.parametrize("planted", ["/dev/zero", "pipe", "folder"])
def test_a_cache_that_is_no_plain_file_is_none(planted: str, library: Path, tmp_path: Path) -> None:
    cache = tmp_path / ".kb" / freshness.CACHE
    if planted == "pipe":
        os.mkfifo(cache)
    elif planted == "folder":
        cache.mkdir()
    else:
        cache.symlink_to(planted)
    assert freshness.current(library, tmp_path / ".kb")
    assert not list((tmp_path / ".kb").glob(".*.part"))
