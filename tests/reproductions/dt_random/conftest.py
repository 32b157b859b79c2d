"""Everything here needs the extras for experiments, runs on one thread, and leaves no file of MuJoCo's behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from reproductions.dt_random import collect


@pytest.fixture(autouse=True)
def one_thread_in_a_scratch_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """MuJoCo writes its warnings to the current folder; small tensors are slower on many threads."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(collect, "COPIES", 8)  # 64 whole episodes would take most of the time
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
