"""The calls that people make most, read without Typer: its import costs more than all else that they do.

A call is taken only where it is plainly right: options by their whole names, each once unless it may be repeated,
values that stand apart and start with no dash. Help, completion, and whatever is wrong or unusual is left to Typer,
which says so as it says everything. A test holds this table against Typer's own commands, another both
readings of arbitrary calls against each other.
"""

from __future__ import annotations

import os

from kb.cli import state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

FLAG, ONE, MANY, NUMBER = "flag", "one", "many", "number"
LARGEST = 10**9

_JSON = {"--json": ("as_json", FLAG)}
_LIMIT = {"--limit": ("limit", NUMBER), "-n": ("limit", NUMBER)}
OPTIONS: dict[str, dict[str, tuple[str, str]]] = {
    "list": {
        **{f"--{name}": (name, MANY) for name in ("kind", "status", "verdict", "tag")},
        "--by": ("by", ONE),
        "--source": ("source", ONE),
        "--reproducible": ("reproducible", FLAG),
        **_LIMIT,
        **_JSON,
    },
    "show": {"--format": ("form", ONE), "-f": ("form", ONE), **_JSON},
    "search": {**_LIMIT, **_JSON},
}
"""Command of `kb claim` -> option -> (parameter of its function in `claim_read`, what it takes)."""
WORDS = {"show": ("claim_id", ONE), "search": ("terms", MANY)}
"""Command -> the parameter that takes the words that are no options, and whether there may be many."""


def call(arguments: Sequence[str]) -> int | None:
    """Run a call of `kb claim list`, `show` or `search`; its exit code, None when it must be Typer's."""
    if "_KB_COMPLETE" in os.environ:
        return None
    given = list(arguments)
    db = None
    if given[:1] == ["--db"] and _is_value(given[1:2]):
        db, given = given[1], given[2:]
    if given[:1] != ["claim"] or given[1:2] == [] or given[1] not in OPTIONS:
        return None
    parameters = read(given[1], given[2:])
    if parameters is None:
        return None
    from kb.cli import claim_read

    state.choose_store(db)
    if given[1] == "list":
        return claim_read.list_(**parameters)
    return claim_read.show(**parameters) if given[1] == "show" else claim_read.search(**parameters)


def read(command: str, given: Sequence[str]) -> dict[str, Any] | None:
    """The parameters that a command's words give; None when they are not plainly right."""
    found: dict[str, Any] = {}
    others: list[str] = []
    rest = list(given)
    while rest:
        word = rest.pop(0)
        if word == "-" or word[:1] != "-":
            others.append(word)
            continue
        parameter, takes = OPTIONS[command].get(word, ("", ""))
        if not takes or (parameter in found and takes != MANY):
            return None
        if takes == FLAG:
            found[parameter] = True
            continue
        if not _is_value(rest):
            return None
        value = rest.pop(0)
        if takes == MANY:
            found.setdefault(parameter, []).append(value)
        elif takes == ONE:
            found[parameter] = value
        elif value.isascii() and value.isdigit() and 1 <= int(value[:12]) <= LARGEST:
            found[parameter] = int(value)
        else:
            return None
    return _with_words(command, found, others)


def _with_words(command: str, found: dict[str, Any], others: list[str]) -> dict[str, Any] | None:
    parameter, takes = WORDS.get(command, ("", ""))
    if not takes:
        return None if others else found
    if not others or (takes == ONE and len(others) > 1):
        return None
    found[parameter] = others if takes == MANY else others[0]
    return found


def _is_value(rest: Sequence[str]) -> bool:
    return bool(rest) and rest[0][:1] != "-"
