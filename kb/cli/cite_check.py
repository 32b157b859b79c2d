"""`kb cite check`: are the sources those that their entries name, and what has become of them since?"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kb.cli import completion, state
from kb.cli.options import Json
from kb.cli.output import emit
from kb.errors import KbError

if TYPE_CHECKING:
    from kb.cli.layout import Page

IN_FULL = 3
"""Sources whose checks are printed one by one; of more, only what asks for a look."""


def check(
    keys: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY]...", autocompletion=completion.sources, help="Sources; all if none."),
    ] = None,
    online: Annotated[
        bool,
        typer.Option("--online/--offline", help="First ask Crossref, arXiv, or the source's own page."),
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="What is unknown or stale fails, too.")] = False,
    as_json: Json = False,
) -> None:
    """Check sources: identifier, title and authors, retractions, published versions, duplicates.

    Without --online nothing is asked of the network: it says what was answered, when, and what never was.
    Exit code 1 when a check fails.
    """
    from kb.checks.citations import Sources, known_from
    from kb.store import queries

    with state.reading() as connection:
        wanted = [
            queries.resolve(connection, "source", k) for k in keys or queries.names(connection, "source")
        ]
    wanted = list(dict.fromkeys(wanted))
    came = None
    if online:
        from kb.cli import online as network

        came = network.gather(wanted, texts=False)
    with state.reading() as connection:
        known = known_from(connection, came.problems, came.not_stored) if came else known_from(connection)
        sources = Sources(connection, known)
        data: dict[str, Any] = {
            "sources": [
                {
                    "key": key,
                    "title": sources.entries[key].title,
                    "checks": [
                        {
                            "check": f.check,
                            "outcome": f.outcome,
                            "detail": f.detail,
                            "looked_up": f.at or None,
                        }
                        for f in sources.findings(key)
                    ],
                }
                for key in wanted
            ],
        }
    counted = Counter(check["outcome"] for source in data["sources"] for check in source["checks"])
    data |= {
        name: counted[outcome]
        for name, outcome in (
            ("passed", "pass"), ("failed", "fail"), ("unknown", "unknown"), ("stale", "stale"), ("skipped", "skipped"),
        )
    }  # fmt: skip
    asked = {"online": came.summary.as_data()} if came else {}
    emit({**data, **asked}, as_json, page=lambda: _page(data, in_full=len(wanted) <= IN_FULL))
    gaps = data["unknown"] + data["stale"] if strict else 0
    if data["failed"] or gaps:
        what = f"{data['failed']} checks failed" + (f", {gaps} are unknown or stale" if strict else "")
        raise KbError(what, "the page above says which", code=1)


def _page(data: dict[str, Any], *, in_full: bool) -> Page:
    from kb.cli.layout import Page

    page = Page()
    for source in data["sources"]:
        told = [c for c in source["checks"] if in_full or _asks_for_a_look(c)]
        if not told:
            continue
        page.line([(source["key"], "bold"), "  ", (source["title"], "dim")])
        for check in told:
            when = f" (looked up {check['looked_up'][:10]})" if check["looked_up"] else ""
            page.item(
                [
                    (f"{check['outcome']:<8}", check["outcome"]),
                    (f"{check['check']}: ", ""),
                    (check["detail"] + when, "dim"),
                ]
            )
        page.line()
    counts = ", ".join(f"{data[name]} {name}" for name in ("passed", "failed", "stale", "unknown", "skipped"))
    number = len(data["sources"])
    page.line([(f"{number} source{'' if number == 1 else 's'}: ", "bold"), counts])
    times = [[c["looked_up"] for c in source["checks"] if c["looked_up"]] for source in data["sources"]]
    never = sum(not one for one in times)
    if never:
        page.line(f"never looked up with an answer, so unknown: {never} (kb cite check --online asks)", "dim")
    known = [min(one) for one in times if one]
    if known:
        page.line(f"looked up: {len(known)}, the longest ago on {min(known)[:10]}", "dim")
    return page


def _asks_for_a_look(check: dict[str, Any]) -> bool:
    unsettled = check["outcome"] == "unknown" and (check["looked_up"] or check["check"] == "duplicate")
    return bool(check["outcome"] in ("fail", "stale") or unsettled)
