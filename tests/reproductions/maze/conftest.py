"""Real maze states kept as files, and the real environment where it can be had."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("numpy")
pytest.importorskip("torch")
pytest.importorskip("safetensors")

import torch

from reproductions.maze import environment
from reproductions.maze.environment import Environments
from reproductions.maze.state import Maze

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Small tensors are slower on many threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(params=["easy", "hard"])
def kept(request: pytest.FixtureRequest) -> Maze:
    """Level 1005 as procgen 0.10.7 serialised it; needs no procgen."""
    return kept_maze(request.param)


def kept_maze(mode: str) -> Maze:
    return Maze(gzip.decompress((FIXTURES / f"{mode}-1005.state.gz").read_bytes()))


@pytest.fixture(scope="session")
def easy() -> Environments:
    return opened("easy", 16)


@pytest.fixture(scope="session")
def hard() -> Environments:
    return opened("hard", 16)


def opened(mode: str, slots: int) -> Environments:
    """The environments, or a skip that says why there are none."""
    why = environment.missing()
    if why is not None:
        pytest.skip(why)
    return Environments(mode, slots)
