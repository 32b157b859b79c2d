"""The published network of Turner et al. 2023, for those who have its file or a way to its address.

A checkpoint of PyTorch: a pickle, so it is read with weights_only (tensors and plain containers, never code). No
checksum of it was published as far as we found; the first file that is used is pinned, and another one under the same
name is refused until the pin is removed. It learned on mazes with random pictures in the corridors, procgen's
default; its pictures are not resampled.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import shutil
import warnings
from pathlib import Path

import torch

from reproductions.maze.policy import PUBLISHED, MazePolicy, fit
from reproductions.maze.state import MazeError

ADDRESS = "https://nerdsniper.net/mats/model_rand_region_5.pth"
"""As given in the authors' code (procgen-tools)."""
NAME = "model_rand_region_5.pth"
SIZE = 43_900_000
"""Bytes, as published to three digits."""
DOWNLOAD = "download"
"""What --weights takes in place of a path to have the file fetched."""
PINS = "maze-published.json"


def load(original: str, cache: Path) -> MazePolicy:
    """The published network.

    Args:
        original: the checkpoint's path, or `DOWNLOAD`.
        cache: where a download and the pinned checksum are kept.

    Raises:
        MazeError: when the file is missing, another than the one pinned, no checkpoint of this network, or holds more
            than tensors; one line says which.
    """
    path = download(cache) if original == DOWNLOAD else Path(original)
    if not path.is_file():
        raise MazeError(f"no file {path}; get it from {ADDRESS}, or use --weights {DOWNLOAD}")
    digest = _checked(path, cache)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of old pickles, which are refused below
            checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise MazeError(f"{path.name} is refused: it holds more than tensors, or is no checkpoint") from None
    except (RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise MazeError(f"{path.name} is no checkpoint of PyTorch ({reason})") from None
    tensors = checkpoint.get("model_state_dict") if isinstance(checkpoint, dict) else None
    if not isinstance(tensors, dict) or not all(isinstance(t, torch.Tensor) for t in tensors.values()):
        raise MazeError(f"{path.name} has no model_state_dict of tensors: it is another kind of checkpoint")
    policy = MazePolicy(PUBLISHED)
    fit(policy, tensors, path.name)
    _pin(path, digest, cache)
    return policy.eval()


def _checked(path: Path, cache: Path) -> str:
    """The file's SHA-256, refused where another one is pinned."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    _refuse_another(path, digest, cache)
    return digest


def _refuse_another(path: Path, digest: str, cache: Path) -> None:
    if _pinned(cache).get(NAME, digest) != digest:
        raise MazeError(
            f"{path} is another file than the one first used; remove {cache / PINS} if it is the right one"
        )


def _pinned(cache: Path) -> dict[str, str]:
    try:
        known = json.loads((cache / PINS).read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError:
        raise MazeError(f"{cache / PINS} is broken; remove it") from None
    return known if isinstance(known, dict) else {}


def _pin(path: Path, digest: str, cache: Path) -> None:
    """Remember the checksum of the first file that turned out to be the network.

    Of two runs that share a cache and pin at once the first one counts; the other is refused if its file differs.
    """
    cache.mkdir(parents=True, exist_ok=True)
    half = cache / f"{PINS}.{os.getpid()}.half"
    half.write_text(json.dumps({NAME: digest}, indent=1) + "\n", "utf-8")
    try:
        os.link(half, cache / PINS)  # fails where it exists, unlike a replacement
    except FileExistsError:
        _refuse_another(path, digest, cache)
    finally:
        half.unlink()


def download(cache: Path) -> Path:
    """Fetch the checkpoint into `cache` unless it is there; it gets its name only once it is whole.

    Raises:
        MazeError: when there is no room or no network.
    """
    path = cache / NAME
    if path.is_file():
        return path
    import httpx

    cache.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(cache).free < 2 * SIZE:
        raise MazeError(f"{cache} has no room for {SIZE / 1e6:.0f} MB; set KB_CACHE to another folder")
    part = cache / f"{NAME}.{os.getpid()}.part"
    try:
        with (
            httpx.stream("GET", ADDRESS, follow_redirects=True, timeout=30) as response,
            part.open("wb") as file,
        ):
            response.raise_for_status()
            for block in response.iter_bytes(1 << 20):
                file.write(block)
        part.replace(path)
    except (httpx.HTTPError, OSError) as error:
        raise MazeError(
            f"could not fetch {ADDRESS} ({type(error).__name__}); fetch it otherwise and give its path to --weights"
        ) from None
    finally:
        part.unlink(missing_ok=True)
    return path
