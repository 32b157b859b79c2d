"""The history as a table: each change with the fields that it touched."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from kb.cli.layout import Column, Rows


def table(changes: Sequence[dict[str, Any]]) -> Rows:
    """Changes, one in each row."""
    columns = [
        Column("at", style="dim"),
        Column("by"),
        Column("action"),
        Column("kind", piped=True),
        Column("name", style="bold", most=40),
        Column("what", flexible=True, lines=6),
        Column("why", piped=True),
    ]
    rows = [
        (c["at"], c["by"], c["action"], c["kind"], c["name"], what_changed(c), c.get("why") or "")
        for c in changes
    ]
    return Rows(columns, rows, empty="nothing was changed here: these are the records as released")


def what_changed(change: dict[str, Any]) -> str:
    """The fields that differ, from what to what, and the reason."""
    before, after = _record(change.get("before")), _record(change.get("after"))
    told = []
    if before and after:
        for name in dict.fromkeys([*before, *after]):
            if before.get(name) != after.get(name):
                told.append(_difference(name, before.get(name), after.get(name)))
    why = change.get("why") or ""
    return "; ".join([*told, *([f"because {why}"] if why else [])])


def _record(data: Any) -> dict[str, Any]:
    found = json.loads(data) if isinstance(data, str) else data
    found = found.get("record", found) if isinstance(found, dict) else {}
    return found if isinstance(found, dict) else {}


def _difference(name: str, old: Any, new: Any) -> str:
    if isinstance(old or new, list) and not isinstance(old or new, str):
        gone = [_brief(item) for item in old or [] if item not in (new or [])]
        come = [_brief(item) for item in new or [] if item not in (old or [])]
        parts = [*(f"+ {text}" for text in come), *(f"- {text}" for text in gone)]
        return f"{name} {', '.join(parts) or 'in another order'}"
    return f"{name} {_brief(old)} → {_brief(new)}"


def _brief(value: Any) -> str:
    if value is None:
        return "(empty)"
    if isinstance(value, dict):
        value = " ".join(str(part) for part in value.values() if isinstance(part, str))
    text = str(value)
    return text if len(text) <= 60 else text[:59] + "…"
