"""The most memory that a command and all processes under it held at one time."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path


def peak(command: Sequence[str], environment: dict[str, str], every: float = 0.5) -> tuple[float, int]:
    """MB at the worst moment, and how many processes there were then.

    Summed is the proportional set size (Linux, /proc/PID/smaps_rollup): pages that several processes share count
    once, which the resident set size would count in each of them. A peak between two looks is missed.

    Raises:
        RuntimeError: when the command fails, with the last of what it said.
    """
    worst, processes = 0.0, 0
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as run:
        while run.poll() is None:
            family = _family(run.pid)
            held = sum(_proportional(pid) for pid in family)
            if held > worst:
                worst, processes = held, len(family)
            time.sleep(every)
        assert run.stderr is not None
        said = run.stderr.read().decode(errors="replace").strip().splitlines()
    if run.returncode:
        raise RuntimeError(f"{' '.join(command)} failed: {said[-1] if said else run.returncode}")
    return worst, processes


def _family(root: int) -> list[int]:
    """A process and all that descend from it."""
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError):  # it may end while we look
            parents[int(path.parent.name)] = int(path.read_text().rsplit(")", 1)[1].split()[1])
    family = [root]
    for member in family:
        family += [pid for pid, parent in parents.items() if parent == member]
    return family


def _proportional(pid: int) -> float:
    """The proportional set size of one process in MB; 0 once it has ended."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1000
    return 0.0
