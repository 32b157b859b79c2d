"""`kb db`: the store: where it is and what is in it, back-ups, migrations."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated, Any

import typer

from kb.cli import state
from kb.cli.layout import Page
from kb.cli.options import Json
from kb.cli.output import emit, say

app = typer.Typer(help="The store: where it is, back-ups, migrations.", no_args_is_help=True)


@app.command()
def info(as_json: Json = False) -> None:
    """Show where the store is, what is in it, and how many quotes were seen how."""
    from kb.store import queries

    here = state.places()
    with state.reading() as connection:
        facts = queries.facts(connection)
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        conflicts = connection.execute("SELECT COUNT(*) FROM conflict").fetchone()[0]
    path = here.working if here.working.exists() else here.released
    data = {
        "path": str(path),
        "kind": "working" if path == here.working else "released",
        "schema": version,
        "bytes": _size(path),
        "workspace": str(here.workspace) if here.workspace else None,
        "library": str(here.library),
        "released": str(here.released),
        "working": str(here.working),
        "conflicts": conflicts,
        **facts,
    }
    emit(data, as_json, page=lambda: _page(data))


def _size(path: Path) -> int:
    """Bytes of a store with its write-ahead log."""
    files = (path, path.with_name(f"{path.name}-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


def _page(data: dict[str, Any]) -> Page:
    released = " (released, only read; the first change makes a working store)"
    page = Page().field("store", data["path"] + (released if data["kind"] == "released" else ""))
    page.field("schema", str(data["schema"]))
    page.field("size", f"{data['bytes'] / 1_000_000:.1f} MB")
    page.field("library", data["library"])
    page.field("records", _counts(data["records"]))
    page.field("citations", str(data["citations"]))
    page.field("relations", str(data["relations"]))
    page.field("runs", str(data["runs"]))
    page.field("last change", _last(data["last_change"]))
    if data["conflicts"]:
        page.field("conflicts", f"{data['conflicts']}: `kb library sync` lists them")
    for title, name in (
        ("Claims by kind", "claims_by_kind"),
        ("Claims by status, in the literature", "claims_by_status"),
        ("Claims by verdict, ours", "claims_by_verdict"),
        ("Quotes by how they were seen", "quotes_by_seen"),
    ):
        page.heading(title)
        for word, number in data[name].items():
            page.field(word, str(number), indent=2)
    page.line().line(f"{data['citations_without_quote']} citations have no quote.")
    return page


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {name}{'' if number == 1 else 's'}" for name, number in counts.items())


def _last(change: dict[str, Any] | None) -> str:
    return (
        f"{change['at']}: {change['action']} {change['kind']} {change['name']}"
        if change
        else "none since the release"
    )


@app.command()
def backup(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Beside the store by default.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Copy the store to a new file, whole even while others write, and examine the copy."""
    from kb.store.backup import copy_database
    from kb.store.connect import errors_told

    here = state.places()
    path = here.working if here.working.exists() else here.released
    now = datetime.now(timezone.utc)
    folder = here.working.parent if here.working.parent.is_dir() else Path.cwd()
    target = file or folder / f"{path.stem}-{now:%Y%m%dT%H%M%SZ}.db"
    with state.reading() as connection, errors_told(target):
        copy_database(connection, target, examined=path)
    emit({"file": str(target), "bytes": _size(target)}, as_json, text=str(target))
    say(f"a copy of {path}; `kb db restore FILE` goes back to it")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A back-up, or claims.db to start from that.")],
    as_json: Json = False,
) -> None:
    """Put a back-up in the place of the working store; what the store holds now is kept beside it.

    The back-up is examined first. Others may be at work meanwhile: they have the old content or the new one.
    """
    from kb.store.restore import put_back

    here = state.places()
    kept = put_back(file, here.working)
    emit({"store": str(here.working), "kept": str(kept) if kept else None}, as_json, text=str(kept or ""))
    say(f"{here.working} holds now what {file} holds" + (f"; before: {kept}" if kept else ""))


@app.command()
def migrate(as_json: Json = False) -> None:
    """Bring the working store to this kb's schema, after a back-up beside it."""
    from kb.store import connect, migrations

    here = state.places()
    if not here.working.exists():
        say(f"no working store at {here.working} yet: nothing to migrate")
        version = migrations.LATEST
        emit({"before": version, "after": version}, as_json, text="")
        return
    before, after = connect.migrate(here)
    emit({"before": before, "after": after}, as_json, text=f"{before} -> {after}")
    say(
        "already the latest schema"
        if before == after
        else f"migrated; the store before it is kept beside {here.working}"
    )
