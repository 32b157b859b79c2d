"""What one whole process costs: CPU and wall seconds, and the most memory that it held."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# A process is charged with the memory of whoever started it until it is another program, so a small one starts it.
_LAUNCHER = """
import json, os, sys, time
out, errors = (os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600) for name in sys.argv[1:3])
actions = [(os.POSIX_SPAWN_DUP2, out, 1), (os.POSIX_SPAWN_DUP2, errors, 2)]
start = time.perf_counter()
process = os.posix_spawn(sys.argv[3], sys.argv[3:], os.environ, file_actions=actions)
_, status, usage = os.wait4(process, 0)
wall = time.perf_counter() - start
print(json.dumps([os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024]))
"""


_NOT_OF_A_PERSON = ("KB_DB", "FORCE_COLOR", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")


def environment() -> dict[str, str]:
    """The environment as people have it, without colour.

    Workplaces for programs often forbid byte code: then every process compiles kb anew, but not what is
    installed, which has its byte code already, and the comparison would be one of compilers.
    """
    clean = {name: value for name, value in os.environ.items() if name not in _NOT_OF_A_PERSON}
    return {**clean, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}


@dataclass(frozen=True)
class Cost:
    """Of one process: user + system seconds, seconds on the clock, the most resident memory in MB."""

    cpu: float
    wall: float
    memory: float


def cost(
    command: Sequence[str], environment: Mapping[str, str], folder: Path, output: Path | None = None
) -> Cost:
    """Run a command in `folder` and say what it took.

    Args:
        output: where what it printed goes, None for nowhere; what it said on stderr goes to a file beside it.

    Raises:
        RuntimeError: when the command fails.
    """
    errors = output.with_name(f"{output.name}.errors") if output else None
    told = subprocess.run(
        [sys.executable, "-S", "-c", _LAUNCHER, str(output or "/dev/null"), str(errors or "/dev/null"), *command],
        env=dict(environment), cwd=folder, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    code, cpu, wall, memory = json.loads(told)
    if code:
        said = f": {errors.read_text('utf-8', 'replace')[-500:]}" if errors else ""
        raise RuntimeError(f"{' '.join(command)[:200]} ended with exit code {code}{said}")
    return Cost(cpu, wall, memory)
