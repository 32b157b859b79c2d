"""The `kb` command: runs a call, and turns every failure into one line.

The commands stand in `kb.cli.tree`, which is imported for all but the few calls that `kb.cli.quick` takes.
"""

from __future__ import annotations

import os
import sys

from kb.cli import output, quick
from kb.errors import KbError, one_line, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

BROKEN_PIPE = 141


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one call of `kb` and give its exit code: 0 done, 1 a check failed or nothing found, 2 a wrong call.

    Whatever goes wrong is told in one line on stderr; with KB_DEBUG set, after its traceback.
    """
    output.prepare()
    try:
        given = list(sys.argv[1:] if arguments is None else arguments)
        code: object = quick.call(given)
        if code is None:
            from kb.cli import tree

            code = tree.call(given)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except (output.ReaderLeft, BrokenPipeError):
        _stop_writing()
        return BROKEN_PIPE
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else 0
    except BaseException as error:
        if os.environ.get("KB_DEBUG"):
            import traceback

            traceback.print_exc()
        line, code = explain(error)
        output.say(line)
        return code


def run() -> None:
    """The console script."""
    sys.exit(main())


def explain(error: BaseException) -> tuple[str, int]:
    """One line that says what went wrong and what to do, and the exit code."""
    if isinstance(error, KbError):
        return f"kb: {error}", error.code
    if hasattr(error, "format_message"):  # Typer's own errors have no public name in all its versions
        return _explain_call(error)
    if isinstance(error, KeyboardInterrupt):
        return "kb: stopped by Ctrl-C", output.INTERRUPTED
    if type(error).__name__ == "Abort":
        return "kb: stopped; nothing was changed", 1
    if isinstance(error, UnicodeEncodeError):
        return f"kb: {shown(error.object)} is no UTF-8 text", 2
    if isinstance(error, MemoryError):
        return "kb: not enough memory", 2
    if isinstance(error, OSError):
        where = f" {shown(str(error.filename))}" if error.filename else ""
        return f"kb: {error.strerror or error}{where}", 2
    if type(error).__module__ == "sqlite3":  # its messages quote names from the store
        told = one_line(str(error), 300)
        return f"kb: the store could not be used: {told}; `kb --db PATH db info` looks at another", 2
    damage = _damage()
    if damage:
        return f"kb: {damage}", 2
    told = one_line(f"{type(error).__name__}: {error}")
    return f"kb: internal error: {told} (KB_DEBUG=1 shows where; please report it)", 2


def _damage() -> str | None:
    """What is wrong with the store, where that may be why a command failed."""
    try:
        from contextlib import closing

        from kb.cli import state
        from kb.store import connect, damage

        places = state.places()
        with closing(connect.for_reading(places)) as connection:
            found = damage.found(connection)
        path = places.working if places.working.exists() else places.released
    except Exception:  # then the first error is told
        return None
    return one_line(f"{path} is damaged: {found}; restore a backup, or name another store") if found else None


def _explain_call(error: Any) -> tuple[str, int]:
    message = error.format_message()
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        return message, 2
    path = context.command_path if context else "kb"
    if getattr(error, "option_name", None) == "--db":
        return "kb: --db goes before the noun, as in `kb --db PATH claim list`", 2
    return f"kb: {one_line(message.rstrip('.'), 300)}; see `{path} --help`", 2


def _stop_writing() -> None:
    """Point stdout at nothing, so that the interpreter's last flush does not complain."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, sys.stdout.fileno())
    except (OSError, ValueError):  # stdout is no file: there is nothing left to flush
        pass
    finally:
        os.close(nothing)


if __name__ == "__main__":
    run()
