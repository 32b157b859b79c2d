"""`kb talk`: the talks that the library can give, and talks of your own.

What reads is here and light; what writes is in `talk_write`, imported when it is called.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from kb.cli import completion, state, talk_write
from kb.cli.layout import Column, Page, Rows, Span, Word
from kb.cli.options import Json
from kb.cli.output import emit

app = typer.Typer(help="The talks that the library can give, and talks of your own.", no_args_is_help=True)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List the talks."""
    from kb.store import queries

    with state.reading() as connection:
        found = [_listed(data) for _, _, _, data in queries.records(connection, "talk")]
    columns = [
        Column("name", style="bold", most=44),
        Column("minutes", right=True),
        Column("order"),
        Column("claims"),
        Column("title", flexible=True),
    ]
    rows = [(t["name"], f"{t['minutes']:g}", t["order"], t["claims"], t["title"]) for t in found]
    emit(found, as_json, rows=lambda: Rows(columns, rows, "no talk here; `kb talk new NAME` makes one"))


def _listed(talk: dict[str, Any]) -> dict[str, Any]:
    select = talk["select"]
    chosen = [f"{len(select['claims'])} by hand"] if select.get("claims") else []
    chosen += [f"{name} {', '.join(select[name])}" for name in ("kind", "tag", "status") if select.get(name)]
    return {
        "name": talk["name"],
        "title": talk["title"],
        "minutes": talk.get("minutes", 5),
        "order": talk.get("order", "hand"),
        "top": talk.get("top"),
        "claims": "; ".join(chosen),
    }


@app.command()
def show(
    name: Annotated[
        str, typer.Argument(metavar="NAME", autocompletion=completion.talks, help="A talk's name.")
    ],
    as_json: Json = False,
) -> None:
    """Show a talk: its time, what it chooses and in which order. `kb talk-outline NAME` writes it."""
    from kb.talks.reading import StoreReading
    from kb.talks.select import choose

    with state.reading() as connection:
        reading = StoreReading(connection)
        talk = reading.talk(name)
        chosen = choose(talk, reading)
    keys = ("id", "kind", "statement", "status", "verdict")
    data = {
        **talk,
        "claims": [{key: row[key] for key in keys} for row in chosen.rows],
        "cut": [{"claim": cut.claim, "title": cut.title, "why": cut.why} for cut in chosen.cut],
    }
    emit(data, as_json, page=lambda: _page(talk, data))


def _page(talk: dict[str, Any], data: dict[str, Any]) -> Page:
    from kb.talks import rubric

    page = Page().line(talk["title"], "bold")
    listed = _listed(talk)
    page.field("name", talk["name"])
    page.field("time", f"{listed['minutes']:g} minutes, {talk.get('words_per_minute', 130)} words a minute")
    page.field("chooses", listed["claims"] + (f"; the first {talk['top']}" if talk.get("top") else ""))
    page.field("order", "by its rubric" if listed["order"] == "rubric" else "by hand")
    page.field("pictures", ", ".join(f"{name}: {file}" for name, file in talk.get("pictures", {}).items()))
    page.field("terms", ", ".join(talk.get("terms", [])))
    page.field("opening", talk.get("opening"))
    page.field("closing", talk.get("closing"))
    page.heading("Claims, in order")
    for place, row in enumerate(data["claims"], start=1):
        word = Word(row["verdict"], marked=True)
        line: list[Span | str] = [
            (f"{row['id']}  ", "bold"),
            (word.shown(), word.word),
            f"  {row['statement']}",
        ]
        page.item(line, bullet=(f"{place:>2}", "dim"))
        if listed["order"] == "rubric":
            page.line(rubric.explained(talk["rubric"], row["id"]), "dim", indent=5)
    if data["cut"]:
        page.heading("Left out")
        for cut in data["cut"]:
            page.item([(f"{cut['claim']}  ", "bold"), cut["why"]])
    return page.line().line(f"kb talk-outline {talk['name']}    writes it", "dim")


app.command("new")(talk_write.new)
app.command("edit")(talk_write.edit_)
