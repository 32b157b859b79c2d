"""Commands on a disk without room: run inside a small file system of its own, by test_no_room.

python -m tests.faults.full_disk FOLDER: FOLDER is a mounted tmpfs that holds a workspace. Prints a JSON list of
{command, free, code, said, lost} for each command and each amount of room left.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

from kb.store import places
from tests.faults.killing import kb, load_everything
from tests.faults.stores import contents, faults_of

FREE = (0, 12, 70)
"""Kilobytes that are left."""
COMMANDS = {
    "add": (
        "claim",
        "add",
        "--id",
        "big",
        "--kind",
        "framing",
        "--by",
        "A",
        "--statement",
        "B.",
        "--note",
        "x" * 1_900,
    ),
    "edit": ("claim", "edit", "first", "--note", "x" * 1_900),
    "import": ("library", "import", "big.jsonl"),
    "sync": ("library", "sync"),
    "build": ("library", "build"),
    "export": ("library", "export"),
    "export to a file": ("library", "export", "--format", "jsonl", "-o", "out.jsonl"),
    "back-up": ("db", "backup", "copy.db"),
    "read": ("claim", "show", "first"),
}


def call(
    folder: Path, arguments: tuple[str, ...], before: Callable[[], None] = lambda: None
) -> tuple[int, str]:
    """A call of kb in a fork of this process: exit code, and what it said on stderr."""
    with tempfile.TemporaryFile() as said:
        child = os.fork()
        if child == 0:
            code = 70
            try:
                nothing = os.open(os.devnull, os.O_RDWR)
                os.dup2(nothing, 0)
                os.dup2(nothing, 1)
                os.dup2(said.fileno(), 2)
                sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
                sys.stderr = open(2, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115
                before()
                code = kb(folder, *arguments)()
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        said.seek(0)
        return os.waitstatus_to_exitcode(status), said.read().decode("utf-8")


def kept(folder: Path) -> dict[str, object]:
    """What must not change: the text byte by byte, the released store, the records of the working one."""
    files = {
        p.relative_to(folder).as_posix(): p.read_bytes()
        for p in (folder / "citations").rglob("*")
        if p.is_file()
    }
    return {
        **files,
        "claims.db": (folder / "claims.db").read_bytes(),
        "records": contents(folder / ".kb" / "store.db"),
    }


def faults_in(folder: Path, before: dict[str, object], code: int, said: str) -> list[str]:
    """What went wrong besides the command itself."""
    found = faults_of(folder / ".kb" / "store.db")
    if code not in (0, 1, 2):
        found.append(f"exit code {code}")
    if code and (said.count("\n") != 1 or not said.startswith("kb: ") or "Traceback" in said):
        found.append(f"not one clear line: {said}")
    if code:
        after = kept(folder)
        found += [f"{name} changed" for name in {*before, *after} if before.get(name) != after.get(name)]
        left = [p.name for p in folder.rglob("*") if p.name in ("out.jsonl", "copy.db") or ".new" in p.name]
        found += [f"{name} was left behind" for name in left]
    return found


def main(mounted: Path) -> None:
    """Try every command with no room, with little, and with room again."""
    load_everything()
    places.shipped = lambda: mounted / "workspace"
    workspace, ballast, found = mounted / "workspace", mounted / "ballast", []
    fresh = mounted / "fresh"
    shutil.copytree(workspace, fresh)
    for name, arguments in COMMANDS.items():
        for free in FREE:
            before = kept(workspace)
            room = shutil.disk_usage(mounted).free
            with ballast.open("wb") as file:
                file.truncate(0)
                file.write(bytes(max(0, room - free * 1024) // 4096 * 4096))
            code, said = call(workspace, arguments)
            ballast.unlink()
            lost = faults_in(workspace, before, code, said)
            if code == 0:
                shutil.rmtree(workspace)
                shutil.copytree(fresh, workspace)
            found.append({"command": name, "free": free, "code": code, "said": said, "lost": lost})
        code, said = call(workspace, arguments)
        again = [] if code == 0 else [f"with room again: {said}"]
        found.append({"command": name, "free": None, "code": code, "said": said, "lost": again})
        shutil.rmtree(workspace)
        shutil.copytree(fresh, workspace)
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
