"""Real output for the documents: cog calls these, so that README and docs cannot drift from the code."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import shlex
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def output(command: str, columns: int = 100) -> str:
    """What `kb ...` prints on a terminal of so many columns, run on the released store of the repository."""
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    with tempfile.TemporaryDirectory() as scratch:
        environment = {
            **os.environ,
            "KB_DB": f"{scratch}/none.db",
            "COLUMNS": str(columns),
            "NO_COLOR": "1",
            "TERM": "dumb",
        }
        process = subprocess.Popen(
            [str(Path(sys.executable).parent / "kb"), *shlex.split(command)[1:]],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=terminal,
            stderr=subprocess.DEVNULL,
        )
        os.close(terminal)
        printed = b""
        with contextlib.suppress(OSError):  # the terminal ends with the program
            while block := os.read(controller, 65_536):
                printed += block
        os.close(controller)
        code = process.wait(120)
    if code not in (0, 1):
        raise RuntimeError(f"{command} ended with {code}")
    text = printed.decode().replace("\r\n", "\n")
    # The time of a check would make the documents differ each time that they are made.
    return re.sub(r"checked \d{4}-\d\d-\d\dT\d\d:\d\d UTC", "checked 2026-11-24T09:00 UTC", text)


def console(command: str, *, most: int | None = None) -> str:
    """A fenced block with the command and its output, cut after `most` lines."""
    lines = output(command).rstrip().splitlines()
    if most is not None and len(lines) > most:
        lines = [*lines[:most], "..."]
    return "\n".join(["```console", f"$ {command}", *lines, "```", ""])


def help_pages() -> str:
    """The help of every command, for docs/cli.md."""
    from kb.cli.tree import NOUNS, load

    pages = []
    for noun in NOUNS:
        command = load(noun)
        names = [noun, *(f"{noun} {name}" for name in getattr(command, "commands", {}))]
        for name in names:
            text = output(f"kb {name} --help").strip()
            level = "##" if name == noun else "###"
            pages.append(f"{level} kb {name}\n\n```text\n{text}\n```\n")
    return "\n".join(pages)
