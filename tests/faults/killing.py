"""Commands killed at random moments, cheaply: each is a fork of this process, with kb loaded already.

The fork says in shared memory where it is: before its first write, in a write, or behind one. Half of the
moments are spread over the whole command; the other half over the write alone, which else few would hit.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import random
import signal
import struct
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

TRIES = int(os.environ.get("KB_FAULTS", "6"))
"""Kills of each kind: few in CI, 200 with `make faults`."""
SEED = int(os.environ.get("KB_FAULTS_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
BEFORE, WRITING, BEHIND = 0, 1, 2


class Where:
    """Shared memory: the phase that the fork is in, and when each of its writes began and ended."""

    MOST = 16

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, 2 + 16 * self.MOST)
        self._depth = 0

    def clear(self) -> None:
        self._memory[:] = bytes(len(self._memory))

    def enter(self) -> None:
        self._depth += 1
        if self._depth == 1:
            number = self._memory[1]
            self._memory[2 + 16 * number : 10 + 16 * number] = struct.pack("d", time.monotonic())
            self._memory[1] = number + 1
            self._memory[0] = WRITING

    def leave(self) -> None:
        self._depth -= 1
        if self._depth == 0:
            number = self._memory[1] - 1
            self._memory[10 + 16 * number : 18 + 16 * number] = struct.pack("d", time.monotonic())
            self._memory[0] = BEHIND

    @property
    def phase(self) -> int:
        return self._memory[0]

    @property
    def writes(self) -> list[tuple[float, float]]:
        """Beginning and end of each write on the monotonic clock; an end of 0 has not come."""
        return [struct.unpack_from("dd", self._memory, 2 + 16 * n) for n in range(self._memory[1])]

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        self.enter()
        yield
        self.leave()


def mark(where: Where, module: Any, name: str) -> None:
    """Have a function or context manager of kb say when it is entered and left. Only ever called in a fork."""
    original = getattr(module, name)

    @contextlib.contextmanager
    def manager(*given: Any, **more: Any) -> Iterator[Any]:
        with where.writing(), original(*given, **more) as value:
            yield value

    def function(*given: Any, **more: Any) -> Any:
        with where.writing():
            return original(*given, **more)

    setattr(module, name, manager if hasattr(original, "__wrapped__") else function)


@dataclass
class Ended:
    """How a fork ended: `code` is None where it was killed, `said` is what it printed."""

    code: int | None
    said: str
    phase: int
    seconds: float
    writes: list[float]
    """Seconds that each write took."""


@dataclass
class Tally:
    """What was tried and what was lost, of one kind."""

    kind: str
    tried: int = 0
    before: int = 0
    writing: int = 0
    behind: int = 0
    ended: int = 0
    acknowledged: int = 0
    lost: list[str] = field(default_factory=list)

    def count(self, end: Ended) -> None:
        self.tried += 1
        if end.code is not None:
            self.ended += 1
        elif end.phase == BEFORE:
            self.before += 1
        elif end.phase == WRITING:
            self.writing += 1
        else:
            self.behind += 1

    def conclude(self, tried: int = TRIES, writing: int = TRIES // 6) -> None:
        """Print the counts, then hold them: everything was tried and nothing lost, and writes were hit."""
        print(
            f"\n| {self.kind} | {self.tried} | {self.before} | {self.writing} | {self.behind} | {self.ended} "
            f"| {self.acknowledged} | {len(self.lost)} | (seed {SEED})"
        )
        assert self.lost == []
        assert self.tried == tried
        assert self.writing >= writing, "too few kills fell into a write: the moments need to be chosen anew"


class Killer:
    """Runs calls in forks and kills them; what they print goes to a file in `folder`."""

    def __init__(
        self, folder: Path, kind: str, call: Callable[[], int], marks: list[tuple[Any, str]]
    ) -> None:
        self.kind = kind
        self.call = call
        self.marks = marks
        self.random = random.Random(f"{SEED} {kind}")
        self.where = Where()
        self.said = folder / "said.txt"
        self.seconds = 0.0
        self.writes: list[float] = []

    def measure(self, prepare: Callable[[], None] = lambda: None, times: int = 3) -> None:
        """How long the command takes when nobody kills it, and each of its writes."""
        ends = []
        for _ in range(times):
            prepare()
            ends.append(self.whole())
        self.seconds = min(end.seconds for end in ends)
        self.writes = [min(lengths) for lengths in zip(*(end.writes for end in ends), strict=True)]
        assert self.writes, f"{self.kind} writes nothing"

    def whole(self, call: Callable[[], int] | None = None) -> Ended:
        """Run a call to its end, which must be a good one."""
        end = self._run(call or self.call, None, None)
        assert end.code == 0, f"{self.kind}: exit code {end.code}: {end.said}"
        return end

    def kill(self, number: int, after: Callable[[], None] = lambda: None) -> Ended:
        """Run the call and kill it: for even numbers at any moment, for odd ones in one of its writes.

        Args:
            after: called right after the kill, to kill what the call had started.
        """
        share = self.random.random() * 1.05
        if number % 2 == 0:
            return self._run(self.call, None, share * self.seconds, after)
        write = self.random.randrange(len(self.writes))
        return self._run(self.call, write, share * self.writes[write], after)

    def _run(
        self,
        call: Callable[[], int],
        write: int | None,
        wait: float | None,
        after: Callable[[], None] = lambda: None,
    ) -> Ended:
        self.where.clear()
        self.said.unlink(missing_ok=True)
        started = time.monotonic()
        child = os.fork()
        if child == 0:
            self._be_the_child(call)
        if wait is None:
            _, status = os.waitpid(child, 0)
        else:
            status = self._wait(child, write, wait)
            after()
        over = time.monotonic()
        code = os.waitstatus_to_exitcode(status)
        killed = code == -signal.SIGKILL
        assert killed or code >= 0, f"{self.kind} died of signal {-code}"
        return Ended(
            None if killed else code,
            self.said.read_text("utf-8", errors="replace") if self.said.exists() else "",
            self.where.phase,
            over - started,
            [ended - began for began, ended in self.where.writes if ended],
        )

    def _wait(self, child: int, write: int | None, wait: float) -> int:
        """Wait for the moment, `wait` seconds after the start or after that write began, and kill."""
        limit = time.monotonic() + 60
        deadline = time.monotonic() + wait if write is None else None
        while time.monotonic() < limit:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                return status
            if deadline is None and write is not None and len(self.where.writes) > write:
                deadline = self.where.writes[write][0] + wait
            if deadline is not None and time.monotonic() >= deadline:
                break
            time.sleep(0.0005)
        with contextlib.suppress(ProcessLookupError):  # its group is there once it has made it
            os.kill(child, signal.SIGKILL)
            os.killpg(child, signal.SIGKILL)
        return os.waitpid(child, 0)[1]

    def _be_the_child(self, call: Callable[[], int]) -> None:
        code = 70
        try:
            os.setsid()
            file = os.open(self.said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
            nothing = os.open(os.devnull, os.O_RDONLY)
            os.dup2(nothing, 0)
            os.dup2(file, 1)
            os.dup2(file, 2)
            sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
            sys.stderr = open(2, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115
            for module, name in self.marks:
                mark(self.where, module, name)
            code = call()
            sys.stdout.flush()
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)


def kb(folder: Path, *arguments: str) -> Callable[[], int]:
    """A call of `kb` in `folder`, as a person types it. To be run in a fork: it changes the folder."""

    def call() -> int:
        from kb.cli.main import main

        os.chdir(folder)
        for name in ("KB_DB", "KB_DEBUG"):
            os.environ.pop(name, None)
        os.environ["XDG_DATA_HOME"] = str(folder / "data")
        return main(list(arguments))

    return call


def load_everything() -> None:
    """Import what the commands import, so that forks need not."""
    import rich.progress  # noqa: F401
    import sqlmodel  # noqa: F401

    import kb.checks.run
    import kb.library.build
    import kb.library.door
    import kb.reproduce.runner
    from kb.cli import claim, claim_write, db, library, main, reproduce, run  # noqa: F401
    from kb.sources import bibtex  # noqa: F401

    assert {kb.library.build, kb.reproduce.runner, kb.checks.run}


linux = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="forks a process with libraries loaded"
)
