"""Inputs of one target in a child process: stopped where one takes too long, and started again after it."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

SECONDS = 2.0
"""CPU time of one input at most."""
MEMORY = 500 * 1024 * 1024
"""Bytes that a process may grow by."""
ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Result:
    """How a target's inputs ended; `failed` maps the number of an input to what became of it."""

    accepted: int = 0
    refused: int = 0
    failed: dict[int, str] = field(default_factory=dict)
    grown: int = 0
    """Bytes that the process grew by, at most."""
    cpu_seconds: float = 0.0

    @property
    def inputs(self) -> int:
        return self.accepted + self.refused + len(self.failed)


def target(name: str, count: int, seed: int, keep: Path | None = None, most_failures: int = 50) -> Result:
    """Hand `count` inputs to a target, after those that once were a crash.

    Args:
        keep: where inputs that failed are written.
        most_failures: after so many, the rest is left.
    """
    from tests.fuzz.targets import ALL

    result = Result()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    at = -len(ALL[name].crashes)
    while at < count and len(result.failed) < most_failures:
        call = [sys.executable, "-m", "tests.fuzz.run", name, str(seed), str(at), str(count)]
        child = subprocess.run(
            call, cwd=ROOT, capture_output=True, text=True, errors="replace",
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1"}, check=False,
        )  # fmt: skip
        number = at - 1
        for line in child.stdout.splitlines():
            word, _, rest = line.partition(" ")
            if word == "start":
                number = int(rest)
            elif word == "counts":
                accepted, refused, grown = map(int, rest.split())
                result.accepted, result.refused = result.accepted + accepted, result.refused + refused
                result.grown = max(result.grown, grown)
            elif word == "failed":
                one, _, what = rest.partition(" ")
                result.failed[int(one)] = what
        if child.returncode == 0:
            break
        if number < at:
            raise RuntimeError(f"{name} could not be started: {child.stderr[-2000:]}")
        why = "took too long" if child.returncode == -signal.SIGPROF else f"ended with {child.returncode}"
        result.failed[number] = f"{why}: {child.stderr.strip()[-300:]}"
        at = number + 1
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    result.cpu_seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if keep and result.failed:
        keep.mkdir(parents=True, exist_ok=True)
        for number in result.failed:
            (keep / f"{name}-{number}").write_bytes(ALL[name].input(number, seed))
    return result


def _child(name: str, seed: int, start: int, end: int) -> None:
    """Inputs start to end; every line on stdout is `start N`, `failed N WHAT` or `counts ACCEPTED REFUSED GROWN`."""
    from tests.fuzz.targets import ALL, work

    fuzzed = ALL[name]
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    with work(fuzzed) as ask:
        good = [ask(one) for one in fuzzed.corpus]  # and everything is imported before memory counts
        assert sum(good) > len(good) / 2, f"{name} refuses what is good: {good}"
        first = _size()
        resource.setrlimit(resource.RLIMIT_AS, (first + MEMORY, resource.RLIM_INFINITY))
        counts = Counter[bool]()
        for number in range(start, end):
            out.write(f"start {number}\n")
            data = fuzzed.input(number, seed)
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            try:
                taken = ask(data)
            except BaseException as error:
                signal.setitimer(signal.ITIMER_PROF, 0)
                told = traceback.extract_tb(error.__traceback__)[-1]
                what = f"{type(error).__name__}: {error}"[:200].encode("unicode_escape").decode()
                out.write(f"failed {number} {what} ({Path(told.filename).name}:{told.lineno})\n")
            else:
                counts[taken] += 1
            signal.setitimer(signal.ITIMER_PROF, 0)
            if number % 50 == 49 or number + 1 == end:
                out.write(f"counts {counts[True]} {counts[False]} {max(0, _peak() - first)}\n")
                counts.clear()


def _size() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def _peak() -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmPeak:")[2].split()[0]) * 1024


if __name__ == "__main__":
    _child(sys.argv[1], *map(int, sys.argv[2:5]))
