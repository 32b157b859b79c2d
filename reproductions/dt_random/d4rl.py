"""The original D4RL v2 files: found in a folder or downloaded, always held against their published
checksums.

`d4rl_files.json` lists bytes, SHA-256 and address of each file as TensorFlow Datasets publishes them. The
data are D4RL's (Fu et al. 2020, arXiv 2004.07219; CC BY 4.0) and are never part of this repository.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import NamedTuple

from reproductions.dt_random.data import (
    LEVELS,
    OBSERVATION_AND_ACTION_SIZES,
    DataError,
    DataSet,
    as_data_set,
    digest_of_file,
    read_hdf5,
    require_room,
)


class PublishedFile(NamedTuple):
    """One D4RL file as published."""

    name: str
    size: int
    """Bytes."""
    sha256: str
    url: str


def published_file(environment: str, level: str) -> PublishedFile:
    """The published entry of `environment` and `level`."""
    if environment not in OBSERVATION_AND_ACTION_SIZES:
        raise DataError(
            f"unknown environment {environment!r}; choose one of {', '.join(OBSERVATION_AND_ACTION_SIZES)}"
        )
    if level not in LEVELS:
        raise DataError(f"D4RL has no {level!r} data here; choose one of {', '.join(LEVELS)}")
    files = json.loads(Path(__file__).with_name("d4rl_files.json").read_text(encoding="utf-8"))["files"]
    entry = files[environment][level]
    return PublishedFile(Path(entry["url"]).name, entry["bytes"], entry["sha256"], entry["url"])


def d4rl_data(environment: str, level: str, folder: Path) -> DataSet:
    """The D4RL data set in `folder`; a file that is missing, truncated or altered is a one-line DataError."""
    published = published_file(environment, level)
    path = folder / published.name
    if not path.is_file():
        raise DataError(
            f"no {published.name} in {folder}; download it from {published.url} or give another folder"
        )
    _verify(path, published)
    arrays, _ = read_hdf5(path, environment)
    return as_data_set(arrays, environment, level, "d4rl", published.sha256)


def download(environment: str, level: str, folder: Path) -> Path:
    """Fetches the file into `folder` unless it is there; it gets its name only once the checksum is right."""
    published = published_file(environment, level)
    path = folder / published.name
    if path.is_file():
        _verify(path, published)
        return path
    import httpx

    folder.mkdir(parents=True, exist_ok=True)
    require_room(folder, published.size)
    part = folder / f"{published.name}.{os.getpid()}.part"
    try:
        with (
            httpx.stream("GET", published.url, follow_redirects=True, timeout=30) as response,
            part.open("wb") as file,
        ):
            response.raise_for_status()
            for block in response.iter_bytes(1 << 20):
                file.write(block)
        _verify(part, published)
        part.replace(path)
    except httpx.HTTPError as error:
        raise DataError(
            f"could not download {published.url} ({type(error).__name__}); "
            f"fetch it by other means into {folder}"
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return path


def _verify(path: Path, published: PublishedFile) -> None:
    size = path.stat().st_size
    if size != published.size:
        raise DataError(
            f"{path} has {size} bytes, the published file {published.size}; delete it and download it again"
        )
    if digest_of_file(path) != published.sha256:
        raise DataError(f"{path} does not match its published SHA-256; delete it and download it again")
