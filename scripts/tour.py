"""Real output for the documents: cog calls these, so that README and docs cannot drift from the code."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def output(command: str, columns: int = 100) -> str:
    """What `kb ...` prints on stdout, run on the released store at the root of the repository."""
    with tempfile.TemporaryDirectory() as scratch:
        done = subprocess.run(
            [str(Path(sys.executable).parent / "kb"), *shlex.split(command)[1:]],
            cwd=ROOT,
            env={**os.environ, "KB_DB": f"{scratch}/none.db", "COLUMNS": str(columns), "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            timeout=120,
        )
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{command}: {done.stderr}")
    return done.stdout


def console(command: str, *, most: int | None = None) -> str:
    """A fenced block with the command and its output, cut after `most` lines."""
    lines = output(command).rstrip().splitlines()
    if most is not None and len(lines) > most:
        lines = [*lines[:most], "..."]
    return "\n".join(["```console", f"$ {command}", *lines, "```", ""])


def help_pages() -> str:
    """The help of every command, for docs/cli.md."""
    from kb.cli.main import NOUNS, load

    pages = []
    for noun in NOUNS:
        command = load(noun)
        names = [noun, *(f"{noun} {name}" for name in getattr(command, "commands", {}))]
        for name in names:
            text = output(f"kb {name} --help").strip()
            level = "##" if name == noun else "###"
            pages.append(f"{level} kb {name}\n\n```text\n{text}\n```\n")
    return "\n".join(pages)
