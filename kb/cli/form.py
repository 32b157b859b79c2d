"""Filling in a record with an editor: a YAML form that is never lost.

The form is a file beside the store. A form that does not validate is shown again with a comment at the
faulty line; given back unchanged, it is left where it is and its path is named.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, TypeVar

from kb.cli import output, reading_records
from kb.errors import KbError, shown

Result = TypeVar("Result")

FAULT = "# >>> "
"""Begins the comments that name faults; kb takes them out again."""


class Kept(KbError):
    """A form that did not come to an end: it is kept, and the message says where."""


def editor() -> list[str]:
    """The command that edits a file: $VISUAL, $EDITOR, else what the machine has.

    Raises:
        KbError: when there is none, or nobody is there to use it.
    """
    chosen = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not chosen:
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise KbError(
                "no editor: EDITOR is not set and this is no terminal",
                "use options, or --from FILE (- is stdin)",
            )
        chosen = next((name for name in ("sensible-editor", "nano", "vi") if shutil.which(name)), "")
    try:
        command = shlex.split(chosen)
    except ValueError as error:
        raise KbError(f"EDITOR is {shown(chosen)}, which cannot be read: {error}") from None
    if not command or not shutil.which(command[0]):
        raise KbError(f"no editor: {shown(chosen)} is not there", "set EDITOR, use options, or --from FILE")
    return command


def fill_in(
    text: str, *, name: str, folder: Path, accept: Callable[[dict[str, Any]], Result], resume: str
) -> Result:
    """Let the user edit `text` until `accept` takes the record that it holds.

    Args:
        text: the form, YAML with comments.
        name: what the file is called after, such as a claim's id.
        folder: where the form is kept while it is open and when it fails.
        accept: validates and writes; raises `KbError` (an `InvalidRecord` names the field).
        resume: the command that takes up a kept form, with FILE in its place.

    Raises:
        Kept: when the user gave up on a form that does not validate; the file stays.
        KbError: when nothing was changed (the file is removed), or there is no editor.
    """
    command = editor()
    path = _new_file(folder, name, text)
    offered = text
    while True:
        _edit(command, path, offered, resume)
        given = path.read_text(encoding="utf-8", errors="surrogateescape")
        if given == offered and FAULT in offered:
            fault = next(line for line in offered.splitlines() if line.startswith(FAULT))
            raise Kept(
                f"the form was left as it was and does not validate: {fault.removeprefix(FAULT)}",
                f"it is kept: {resume.replace('FILE', shlex.quote(str(path)))}",
                code=1,
            )
        bare = _without_faults(given)
        if bare == _without_faults(text) or not _has_content(bare):
            path.unlink()
            raise KbError("the form was left as it was or empty: nothing was changed", code=1)
        entry = None
        try:
            entry = reading_records.one(bare, where=str(path))
            result = accept(entry.data)
        except KbError as error:
            offered = mark_fault(bare, error, entry)
            path.write_text(offered, encoding="utf-8", errors="surrogateescape")
            output.say(f"kb: {error}")
            continue
        except BaseException:
            output.say(f"kb: the form is kept at {path}")
            raise
        path.unlink()
        return result


def _new_file(folder: Path, name: str, text: str) -> Path:
    stamp = datetime.now(timezone.utc).strftime("%Y%m%d-%H%M%S")
    safe = re.sub(r"[^a-z0-9-]", "", name)[:80] or "new"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{safe}-{stamp}-{os.getpid()}.yaml"
        with os.fdopen(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
        ) as file:
            file.write(text)
    except OSError as error:
        raise KbError(f"no form can be written in {shown(str(folder))}: {error.strerror}") from None
    return path


def _edit(command: list[str], path: Path, offered: str, resume: str) -> None:
    try:
        process = subprocess.Popen([*command, str(path)])
    except OSError as error:
        raise KbError(f"the editor {shown(command[0])} did not start: {error.strerror}") from None
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the editor
    try:
        code = process.wait()
    finally:
        signal.signal(signal.SIGINT, before)
    if not path.exists():
        raise KbError("the form was removed: nothing was changed", code=1)
    if code:
        if path.read_text(encoding="utf-8", errors="surrogateescape") == offered and FAULT not in offered:
            path.unlink()
            raise KbError(f"the editor ended with exit code {code}: nothing was changed", code=1)
        kept = resume.replace("FILE", shlex.quote(str(path)))
        raise Kept(
            f"the editor ended with exit code {code}: nothing was changed", f"the form is kept: {kept}"
        )


def _without_faults(text: str) -> str:
    return "".join(
        line for line in text.splitlines(keepends=True) if not line.lstrip().startswith(FAULT.strip())
    )


def _has_content(text: str) -> bool:
    return any(line.strip() and not line.lstrip().startswith("#") for line in text.splitlines())


def mark_fault(text: str, error: KbError, entry: reading_records.Entry | None) -> str:
    """The form with each fault as a comment above its line.

    Args:
        text: the form.
        error: what is wrong; one with `problems` names fields, one with `line` a line.
        entry: the record that was read from it; None where it could not be read.
    """
    lines = text.split("\n")
    faults = [(getattr(error, "line", 1), str(error))]
    if entry is not None:
        problems = getattr(error, "problems", [])
        faults = [
            (entry.line_at(path), f"{'.'.join(map(str, path))}: {what}" if path else what)
            for path, what in problems
        ] or [(entry.line_of(error), str(error))]
    for line, what in sorted(faults, reverse=True):
        at = min(max(line, 1), len(lines)) - 1
        lines.insert(at, FAULT + " ".join(output.clean(what).split()))
    return "\n".join(lines)
