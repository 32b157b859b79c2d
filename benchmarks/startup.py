"""How much CPU a whole `kb` process takes, beside `papis list`, bare Python and bare sqlite3.

    python -m benchmarks.startup [--runs N] [--json]

papis is no dependency: it is installed into .venv-peers at the first call. Each command runs as a process of
its own, alternating with the others so that a busy machine slows all alike; what is compared is the
median of user + system time of the whole process (`os.wait4`), output to /dev/null.
papis gets as many documents as kb has claims, its cache is warm, and it prints what kb prints: of each its
name, who and what. (Without --all and a format it opens a picker, or prints the folders' paths only.)

Exit code 1 when a kb command takes more than half the CPU time of `papis list`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from pathlib import Path

from benchmarks._process import ROOT, environment

PEERS = Path(os.environ.get("KB_PEERS") or ROOT / ".venv-peers")
SHARE = 0.5
"""What a kb command may take of `papis list`'s CPU time."""

BARE_SQLITE = """
import sqlite3, sys
connection = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
for row in connection.execute("SELECT id, kind, status, statement FROM claim ORDER BY home, position"):
    print(*row, sep="\\t")
"""


def cpu_seconds(command: Sequence[str], environment: dict[str, str]) -> float:
    """User + system seconds of one whole process, with its children.

    Raises:
        RuntimeError: when the command fails.
    """
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with exit code {process.returncode}")
    return usage.ru_utime + usage.ru_stime


def install_papis() -> Path:
    """Papis in a virtual environment of its own; installed at the first call only."""
    papis = PEERS / "bin" / "papis"
    if not papis.exists():
        print(f"installing papis into {PEERS.name} (once)", file=sys.stderr)
        venv.create(PEERS, with_pip=True)
        subprocess.run([PEERS / "bin" / "python", "-m", "pip", "install", "--quiet", "papis"], check=True)
    return papis


def papis_library(folder: Path, documents: int) -> dict[str, str]:
    """A papis library of that many documents, its cache not yet made; the environment that uses it."""
    library = folder / "papers"
    for n in range(documents):
        document = library / f"paper-{n:04d}"
        document.mkdir(parents=True)
        (document / "info.yaml").write_text(
            f"author: Author {n}\ntitle: A statement of about the length of a claim, number {n}, and some more\n"
            f"year: {1990 + n % 30}\nref: author{n}\ntype: article\nfiles: []\npapis_id: {n:032x}\n"
        )
    config = folder / "config" / "papis"
    config.mkdir(parents=True)
    (config / "config").write_text(f"[settings]\ndefault-library = papers\n[papers]\ndir = {library}\n")
    return {
        "HOME": str(folder),
        "PATH": os.environ["PATH"],
        "XDG_CONFIG_HOME": str(folder / "config"),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "NO_COLOR": "1",
    }


def measure(runs: int) -> dict[str, float]:
    """Median CPU seconds of each command."""
    python, kb = sys.executable, str(Path(sys.executable).with_name("kb"))
    store = os.environ.get("KB_DB") or str(ROOT / "claims.db")
    own = {**environment(), "KB_DB": store}
    listed = subprocess.run(
        [kb, "claim", "list", "--json"], env=own, check=True, capture_output=True, text=True
    )
    claims = [claim["id"] for claim in json.loads(listed.stdout)]
    with tempfile.TemporaryDirectory() as folder:
        theirs = papis_library(Path(folder), len(claims))
        papis = str(install_papis())
        commands: dict[str, tuple[list[str], dict[str, str]]] = {
            "kb claim list": ([kb, "claim", "list"], own),
            "kb claim show": ([kb, "claim", "show", claims[0]], own),
            "kb claim search": ([kb, "claim", "search", "random", "trajectories"], own),
            "papis list": (
                [papis, "list", "--all", "--format", "{doc[ref]} {doc[author]} {doc[title]}"],
                theirs,
            ),
            "papis list, paths only": ([papis, "list", "--all"], theirs),
            "python -c pass": ([python, "-c", "pass"], own),
            "bare sqlite3 list": ([python, "-c", BARE_SQLITE, store], own),
        }
        for command, variables in commands.values():  # once unmeasured: byte code, caches, papis's database
            cpu_seconds(command, variables)
        taken: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(runs):
            for name, (command, variables) in commands.items():
                taken[name].append(cpu_seconds(command, variables))
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def main() -> int:
    """Measure, print, and say by the exit code whether kb keeps its promise."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.startup", description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=15, help="measured runs of each command")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    options = parser.parse_args()
    medians = measure(options.runs)
    limit = SHARE * medians["papis list"]
    slow = [name for name, seconds in medians.items() if name.startswith("kb claim") and seconds > limit]
    if options.json:
        print(json.dumps({"cpu_seconds": medians, "limit": limit, "slow": slow}, indent=2))
    else:
        for name, seconds in medians.items():
            print(
                f"{name:<24} {seconds * 1000:6.0f} ms  {seconds / medians['papis list']:5.0%} of papis list"
            )
        print(f"{'too slow: ' + ', '.join(slow) if slow else 'within half of papis list'}")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
