"""`kb cite`: sources. What reads is here and light; what writes or asks the network is imported when called."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kb import words
from kb.cli import completion, output, state
from kb.cli.options import Json, Limit, SourceKey
from kb.cli.output import emit, words_of
from kb.errors import KbError

if TYPE_CHECKING:
    import sqlite3

app = typer.Typer(help="Sources: list, read, add, export, look up.", no_args_is_help=True)

LATER = {
    "add": "kb.cli.cite_write:add",
    "rename": "kb.cli.cite_write:rename",
    "remove": "kb.cli.cite_write:remove",
    "fetch": "kb.cli.cite_fetch:fetch",
    "check": "kb.cli.cite_check:check",
}
"""The commands that write or ask the network: their modules are imported when they are called."""
STYLES = ("bibtex", "csl-json", "ris")


@app.command("list")
def list_(
    kind: Annotated[
        list[str] | None,
        typer.Option("--kind", metavar="KIND", help=f"One of {', '.join(words.SOURCE_KINDS)}."),
    ] = None,
    unused: Annotated[bool, typer.Option("--unused", help="Only those that no claim cites.")] = False,
    by: Annotated[
        str | None, typer.Option("--by", metavar="NAME", help="By somebody whose name holds this.")
    ] = None,
    limit: Limit = None,
    as_json: Json = False,
) -> None:
    """List sources, with the number of claims that cite each."""
    from kb.store import queries

    kinds = words_of(kind, words.SOURCE_KINDS, "kind of source")
    with state.reading() as connection:
        found = queries.list_sources(connection)
    wanted = by.casefold() if by else ""
    found = [
        source
        for source in found
        if (not kinds or source["kind"] in kinds)
        and (not unused or not source["claims"])
        and wanted in source["authors"].casefold()
    ][:limit]
    emit(found, as_json, rows=lambda: _table(found))


def _table(found: list[dict[str, Any]]) -> Any:
    from kb.cli.layout import Column, Rows

    return Rows(
        [
            Column("key", style="bold"), Column("kind"), Column("authors", most=28), Column("year"),
            Column("title", flexible=True, lines=2), Column("claims", right=True),
        ],
        [
            (s["key"], s["kind"], _people(s["authors"]), s["year"], s["title"], s["claims"]) for s in found
        ],
        empty="no source is like that; `kb cite list` without options lists all",
    )  # fmt: skip


def _people(authors: str) -> str:
    """All of them for a program; for a person the first, and that there are more."""
    if not output.on_terminal():
        return authors
    first, *others = authors.split("; ")
    return f"{first} et al." if len(others) > 1 else authors.replace("; ", " & ")


@app.command()
def show(key: SourceKey, as_json: Json = False) -> None:
    """Show a source: its entry, former keys, the claims that cite it, the figures read from it."""
    from kb.store import queries

    with state.reading() as connection:
        source = queries.show_source(connection, key)
    emit(source, as_json, page=lambda: _page(source))


def _page(source: dict[str, Any]) -> Any:
    from kb.cli.layout import Page

    page = Page().line(source["title"] or source["key"], "bold")
    page.line(", ".join(filter(None, (source["authors"].replace("; ", ", "), source["year"]))), "dim").line()
    page.field("key", [(source["key"], "bold")])
    page.field("kind", f"{source['kind']} (@{source['type']})")
    page.field("formerly", ", ".join(source["aliases"]))
    # What the lines above say already is not said twice; values stand as they are written.
    shown = {"title", "author", "year"}
    for name, value in source["fields"].items():
        if name not in shown:
            page.field(name, value)
    claims = source["claims"]
    page.heading(
        f"Cited by {len(claims)} claim{'' if len(claims) == 1 else 's'}" if claims else "Cited by no claim"
    )
    for claim in claims:
        where = f", {claim['locator']}" if claim["locator"] else ""
        page.item([(claim["stance"], claim["stance"]), " ", (claim["claim"], "bold"), (where, "dim")])
        page.line(claim["statement"], indent=4)
    if source["figures"]:
        page.heading(f"{len(source['figures'])} figures read from it")
        for figure in source["figures"]:
            page.item(figure)
    return page


@app.command()
def export(
    keys: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY]...", autocompletion=completion.sources, help="Sources; all if none."),
    ] = None,
    claim: Annotated[
        str | None,
        typer.Option("--claim", metavar="ID", autocompletion=completion.claims, help="Those that it cites."),
    ] = None,
    style: Annotated[str, typer.Option("--style", "-s", help=f"{', '.join(STYLES)}.")] = "bibtex",
    out: Annotated[str | None, typer.Option("--out", "-o", metavar="FILE", help="Write to a file.")] = None,
    as_json: Json = False,
) -> None:
    """Export sources as BibTeX, CSL-JSON or RIS."""
    style = words_of([style], STYLES, "style")[0]
    with state.reading() as connection:
        found = _chosen(connection, keys or [], claim)
        if as_json and out is None:
            emit(list(found), True)
        elif out is None and output.on_terminal():
            emit(None, text="".join(_in_style(found, style)))
        elif out is None:
            # A document on its way to a file or a program stays as it is; on a terminal it is made harmless.
            sys.stdout.writelines(_in_style(found, style))
        else:
            written = _write(found, style, Path(out))
            output.say(f"{len(written)} source{'' if len(written) == 1 else 's'} written to {out}")
            if as_json:
                emit({"file": out, "style": style, "sources": written}, True)


def _chosen(connection: sqlite3.Connection, keys: list[str], claim: str | None) -> Iterator[dict[str, Any]]:
    """The sources asked for, read one by one; that all are there is known before the first is."""
    from kb.store import queries

    if not claim and not keys:
        return (data for _, _, _, data in queries.records(connection, "source"))
    cited = [c["source"] for c in queries.show_claim(connection, claim)["citations"]] if claim else []
    wanted = dict.fromkeys([*cited, *(queries.resolve(connection, "source", key) for key in keys)])
    return (queries.record(connection, "source", key) or {} for key in wanted)


def _write(sources: Iterator[dict[str, Any]], style: str, path: Path) -> list[str]:
    written: list[str] = []

    def noted() -> Iterator[dict[str, Any]]:
        for source in sources:
            written.append(source["key"])
            yield source

    try:
        with path.open("w", encoding="utf-8") as file:
            file.writelines(_in_style(noted(), style))
    except OSError as error:
        raise KbError(f"cannot write {path}: {error.strerror or error}") from None
    return written


def _in_style(sources: Iterator[dict[str, Any]], style: str) -> Iterator[str]:
    """The document in pieces: a source each, but for CSL-JSON, which is one value."""
    from kb.sources import bibtex, styles

    if style == "csl-json":
        yield json.dumps(styles.csl_json(sources), ensure_ascii=False, indent=2) + "\n"
        return
    write = bibtex.write if style == "bibtex" else styles.ris
    for number, source in enumerate(sources):
        yield ("\n" if number else "") + write([source])
