"""Whether the library's text moved on since the store was made, at next to no cost.

The digest of the text that a store was made from, or last merged with, is kept in its `meta` table. Read
commands compare: first file sizes and times with those of the last look, kept beside the working store,
and only where these differ the contents. Standard library only; zlib is the cheapest to import.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import zlib
from collections.abc import Iterable
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING

from kb import files as plain
from kb.errors import KbError

if TYPE_CHECKING:
    from kb.store.places import Places

KEY = "library_digest"
OLDER_NAMES = "text_has_older_names"
"""A fact about the store: the names, with their kinds, that its text has of records that were renamed since."""
CACHE = "library-seen.json"
LARGE = 16 * 1024 * 1024
"""Bytes above which contents are not read in passing."""
LARGEST_CACHE = 4 * 1024 * 1024
"""Bytes of the cache; one of more is none."""
_WHERE = (("claims", ".yaml"), ("figures", ".csv"), ("talks", ".yaml"))


def files(folder: Path) -> list[tuple[str, Path]]:
    """The library's files as (path under its folder, path), sorted; files of other names are not its own."""
    found = []
    references = folder / "references.bib"
    if os.path.lexists(references):
        found.append(("references.bib", references))
    for name, suffix in _WHERE:
        try:
            entries = os.listdir(folder / name)  # noqa: PTH208 - pathlib's iterdir makes an object for each
        except OSError:
            continue
        found += [(f"{name}/{e}", folder / name / e) for e in entries if e.endswith(suffix) and e[0] != "."]
    return sorted(found)


class Digest:
    """A digest of files taken in one by one, in the order of `files`: their number, their bytes, two checksums.

    It tells honest texts apart; it is no defence against somebody who wants two texts to look alike.
    """

    def __init__(self) -> None:
        self.number = self.size = self.crc = 0
        self.adler = 1

    def add(self, home: str, content: bytes) -> None:
        """Take in a file by its path under the folder."""
        self.number += 1
        self.size += len(content)
        for part in (home.encode("utf-8", "surrogateescape"), b"\0", content, b"\0"):
            self.crc = zlib.crc32(part, self.crc)
            self.adler = zlib.adler32(part, self.adler)

    def __str__(self) -> str:
        return f"{self.number}-{self.size}-{self.crc:08x}{self.adler:08x}"


def digest_of(contents: Iterable[tuple[str, bytes]]) -> str:
    """The digest of files given as (path, bytes) in the order of `files`."""
    digest = Digest()
    for home, content in contents:
        digest.add(home, content)
    return str(digest)


def moved_on(places: Places, connection: sqlite3.Connection) -> str | None:
    """The one line to print when the text differs from what the store was made from; None when it does not.

    Also None where that cannot be told: no text, a store without a digest, a large library that no
    command has looked at since it changed.
    """
    try:
        row = connection.execute("SELECT value FROM meta WHERE name = ?", (KEY,)).fetchone()
    except sqlite3.Error:
        return None
    if row is None:
        return None
    found = current(places.library, places.working.parent)
    if found is None or found == row[0]:
        return None
    return f"{places.library.name}/ changed since this store last met it: `kb library sync` brings it in"


def current(folder: Path, cache_folder: Path) -> str | None:
    """The digest of the text as it is now; None where it is not worth the time, or cannot be read."""
    try:
        listed = files(folder)
        stats = [(home, path.stat()) for home, path in listed]
    except OSError:
        return None
    if not listed or not all(S_ISREG(stat.st_mode) for _, stat in stats):
        return None  # a link to a device would never end
    signature = [str(folder), *([home, stat.st_size, stat.st_mtime_ns] for home, stat in stats)]
    cache = cache_folder / CACHE
    kept = _kept(cache)
    if kept.get("signature") == signature:
        return str(kept.get("digest"))
    if sum(stat.st_size for _, stat in stats) > LARGE:
        return None
    try:
        digest = digest_of((home, path.read_bytes()) for home, path in listed)
    except OSError:
        return None
    _keep(cache, {"signature": signature, "digest": digest})
    return digest


def remember(folder: Path, cache_folder: Path, digest: str, seen: float) -> None:
    """Keep what a whole reading of the text found, unless a file changed after `seen` (seconds, epoch)."""
    try:
        stats = [(home, path.stat()) for home, path in files(folder)]
    except OSError:
        return
    if any(stat.st_mtime >= seen for _, stat in stats):
        return
    signature = [str(folder), *([home, stat.st_size, stat.st_mtime_ns] for home, stat in stats)]
    _keep(cache_folder / CACHE, {"signature": signature, "digest": digest})


def _kept(cache: Path) -> dict[str, object]:
    """What the cache holds; a clone may have brought anything in its place."""
    try:
        found = json.loads(plain.read_bytes(cache, LARGEST_CACHE))
    except (OSError, KbError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _keep(cache: Path, content: dict[str, object]) -> None:
    """Write the cache where its folder exists; a cache that cannot be written is none."""
    if cache.parent.is_dir():
        with contextlib.suppress(OSError):
            plain.write_whole(cache, json.dumps(content).encode("utf-8"))
