"""Names for the shell's completion: read with plain SQL, and silent whatever goes wrong.

Shells evaluate parts of what they are offered, and Typer reads help as rich markup. A store may be a stranger's, so
nothing gets through that means something to either.
"""

from __future__ import annotations

import os
import re
import sqlite3
from contextlib import closing

import typer

LIMIT = 400
"""More names than this help nobody, and shells grow slow."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_:.+-]*")
"""Every id, key and name that kb itself lets into a store; any other is not offered."""
_NOT_IN_HELP = re.compile(r"[^\w .,;-]|_")
"""What is no letter, digit, space or plain mark of a sentence."""

_NAMES = {
    "claim": ("id", "statement", "claim"),
    "source": ("key", "title", "source"),
    "talk": ("name", "title", "talk"),
    "reproduction": ("name", "title", "reproduction"),
    "run": ("id", "reproduction || ' ' || preset", "run"),
}


def _complete(kind: str, ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    try:
        from kb.store.connect import must_be_ours
        from kb.store.places import find

        places = find(ctx.find_root().params.get("db") or os.environ.get("KB_DB") or None)
        path = places.working if places.working.exists() else places.released
        pattern = "".join("\\" + c if c in "%_\\" else c for c in incomplete) + "%"
        name, title, table = _NAMES[kind]
        query = f"SELECT {name}, {title} FROM {table} WHERE {name} LIKE ? ESCAPE '\\' ORDER BY {name} LIMIT ?"
        address = f"{path.resolve().as_uri()}?mode=ro"
        if not path.is_file():
            return []
        with closing(sqlite3.connect(address, uri=True, timeout=0.2)) as connection:
            must_be_ours(connection, path)
            found = connection.execute(query, (pattern, LIMIT)).fetchall()
    except Exception:  # a shell that completes must never see an error
        return []
    return [(name, _help(text)) for name, text in found if isinstance(name, str) and _NAME.fullmatch(name)]


def _help(text: object) -> str:
    return " ".join(_NOT_IN_HELP.sub(" ", str(text or "")).split())[:70]


def claims(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Claim ids that begin like this, with their statements."""
    return _complete("claim", ctx, incomplete)


def sources(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Source keys that begin like this, with their titles."""
    return _complete("source", ctx, incomplete)


def talks(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Names of talks that begin like this."""
    return _complete("talk", ctx, incomplete)


def reproductions(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Names of reproductions that begin like this."""
    return _complete("reproduction", ctx, incomplete)


def reproductions_and_claims(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """What `kb reproduce` takes."""
    return reproductions(ctx, incomplete) + claims(ctx, incomplete)


def runs(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Run ids that begin like this."""
    return _complete("run", ctx, incomplete)
