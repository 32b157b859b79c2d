"""One experiment as a process of its own: started, watched through its events, stopped, accounted for."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import Any

from kb.errors import KbError
from kb.reproduce.report import EVENTS
from kb.sources import credentials

LOCK = "lock"
_NO_LINK_NO_WAIT = os.O_NOFOLLOW | os.O_NONBLOCK
"""A run may be a stranger's: its lock may be a link, or a pipe that would be waited for."""
LOG = "log.txt"
LONGEST_LINE = 1_000_000
"""Bytes of one event; a longer line is not an event of ours."""
PATIENCE = 10.0
"""Seconds that a process gets to stop by itself after an interrupt."""


KEPT_KERNELS = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "64", "LRU_CACHE_CAPACITY": "64"}
"""How many compiled bfloat16 kernels an experiment keeps, unless the user's environment says otherwise.

oneDNN keeps 1,024 and torch's layer over it as many again, one for every shape: where episodes end one by one that is a
gigabyte a process. 64 hold all that training and evaluation need at a time.
"""


@dataclass(frozen=True)
class Ended:
    """How the process ended: `code` as the shell counts, negative for a signal, and what it cost."""

    code: int
    interrupted: bool
    cpu_seconds: float
    peak_memory_mb: float


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[int]:
    """Hold the run folder for this process and the one it starts.

    Raises:
        KbError: when the run is still going on, or its lock is none.
        OSError: when the lock cannot be made.
    """
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | _NO_LINK_NO_WAIT, 0o644)
    try:
        if not S_ISREG(os.fstat(descriptor).st_mode):
            raise KbError(f"{folder / LOCK} is not a plain file", "start a new run")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise KbError(
                f"the run in {folder} is still going on", "wait for it, or stop its process", code=1
            ) from None
        os.set_inheritable(descriptor, True)
        yield descriptor
    finally:
        os.close(descriptor)


def is_running(folder: Path) -> bool:
    """Whether somebody holds the run folder. Nothing is written."""
    try:
        descriptor = os.open(folder / LOCK, os.O_RDONLY | _NO_LINK_NO_WAIT)
    except OSError:
        return False
    try:
        if not S_ISREG(os.fstat(descriptor).st_mode):
            return False
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


@contextlib.contextmanager
def _ended_means_interrupted() -> Iterator[None]:
    """A polite request to end (SIGTERM, SIGHUP) stops the experiment as Ctrl-C does: no orphan is left."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run(
    module: str, folder: Path, roots: list[Path], lock: int, on_event: Callable[[dict[str, Any]], None]
) -> Ended:
    """Run `python -m module` in `folder` until it ends, handing over each event as it comes.

    Args:
        module: the experiment.
        folder: the run folder: working directory, events, log.
        roots: put before everything else on the module path: where `reproductions` and `kb` lie.
        lock: the descriptor of `locked`, inherited so that an orphan still holds the folder.
        on_event: called with each whole event.
    """
    environment = {
        **KEPT_KERNELS,
        **credentials.without(dict(os.environ)),
        "PYTHONPATH": os.pathsep.join(map(str, roots)),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONSAFEPATH": "1",  # the run's folder is no place to import from
        "MPLBACKEND": "Agg",
    }
    with _ended_means_interrupted():
        return _watched(module, folder, environment, lock, on_event)


def _watched(
    module: str,
    folder: Path,
    environment: dict[str, str],
    lock: int,
    on_event: Callable[[dict[str, Any]], None],
) -> Ended:
    with (folder / LOG).open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches us alone; we pass it on and wait
            pass_fds=[lock],
        )
    tail = Tail(folder / EVENTS)
    interrupted = False
    asked_at = 0.0
    while True:
        try:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            for event in tail.events():
                on_event(event)
            if pid:
                break
            if interrupted and time.monotonic() - asked_at > PATIENCE:
                _signal(process.pid, signal.SIGKILL)
            time.sleep(0.1)
        except KeyboardInterrupt:
            _signal(process.pid, signal.SIGKILL if interrupted else signal.SIGINT)
            interrupted, asked_at = True, time.monotonic()
    process.returncode = os.waitstatus_to_exitcode(status)
    return Ended(
        code=process.returncode,
        interrupted=interrupted,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        peak_memory_mb=usage.ru_maxrss / (1024 if sys.platform != "darwin" else 1024 * 1024),
    )


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)


class Tail:
    """The whole lines of a growing file of events; what is no event of ours is passed over."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = path.stat().st_size if path.exists() else 0
        self._rest = b""

    def events(self) -> Iterator[dict[str, Any]]:
        """The events that came since the last call."""
        if not self._path.exists():
            return
        if self._path.stat().st_size < self._at:  # a resumed run drops what was not final
            self._at, self._rest = 0, b""
        with self._path.open("rb") as file:
            file.seek(self._at)
            block = file.read()
        self._at += len(block)
        *lines, self._rest = (self._rest + block).split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            self._rest = b""
        for line in lines:
            event = parse(line)
            if event is not None:
                yield event


def broken_lines(folder: Path) -> int:
    """How many lines of a run's events are no events: such a run has lost something."""
    path = folder / EVENTS
    lines = path.read_bytes().split(b"\n") if path.exists() else []
    return sum(parse(line) is None for line in lines if line)


def parse(line: bytes) -> dict[str, Any] | None:
    """An event, or None for what is none."""
    if len(line) > LONGEST_LINE:
        return None
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) and isinstance(event.get("event"), str) else None


def all_events(folder: Path) -> list[dict[str, Any]]:
    """Every whole event of a run, in order."""
    path = folder / EVENTS
    if not path.exists():
        return []
    return [event for event in map(parse, path.read_bytes().split(b"\n")) if event is not None]
