"""What the benchmark of `dt-random` measures with: memory summed over processes, a peer read without its imports."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from benchmarks import _memory

HOLDS_40_MB = "import time; kept = b'x' * 40_000_000; time.sleep(1.5)"
TWO = f"import subprocess, sys; c = subprocess.Popen([sys.executable, '-c', {HOLDS_40_MB!r}]); {HOLDS_40_MB}; c.wait()"


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="reads what Linux tells")
def test_the_peak_is_summed_over_a_command_and_its_children() -> None:
    held, processes = _memory.peak([sys.executable, "-c", TWO], dict(os.environ), every=0.1)
    assert processes == 2
    assert 80 < held < 160


def test_a_command_that_fails_gives_no_figure() -> None:
    with pytest.raises(RuntimeError, match=r"failed: no such thing"):
        _memory.peak([sys.executable, "-c", "raise SystemExit('no such thing')"], dict(os.environ))


@pytest.mark.experiment
def test_a_peer_is_read_without_what_it_imports_and_leaves_no_trace() -> None:
    from benchmarks import _corl

    text = """
import d4rl, gym, pyrallis, wandb
from dataclasses import dataclass
from tqdm.auto import tqdm, trange

@dataclass
class Config:
    size: int = 3

def play(env: gym.Env) -> list:
    return [n for n in trange(Config().size)]

@pyrallis.wrap()
def train(config: Config) -> int:
    return len(play(None))
"""
    before = set(sys.modules) | {"corl_dt"}
    assert _corl.load(text).train(None) == 3
    assert set(sys.modules) <= before


@pytest.mark.experiment
def test_a_peer_that_is_not_where_it_was_said_to_be_is_one_line(tmp_path: Path) -> None:
    from benchmarks import _corl

    (tmp_path / "dt.py").write_text("pass")
    assert _corl.source(str(tmp_path / "dt.py")) == ("pass", "dt.py")
    with pytest.raises(SystemExit, match=r"no algorithms/offline/dt.py in .*: git clone https://"):
        _corl.source(str(tmp_path))
