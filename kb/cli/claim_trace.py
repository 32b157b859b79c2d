"""`kb claim trace`: the chain behind a claim, link by link, each missing link named."""

from __future__ import annotations

import re
import sqlite3
from typing import Any

from kb.cli import claim_data
from kb.cli.claim_page import (
    absence_line,
    citation_line,
    computation_line,
    criterion_line,
    quantity,
    seen_line,
    verdict_line,
)
from kb.cli.layout import Page, Span

MARKS = {"there": "●", "partly": "◐", "missing": "○"}
STYLES = {"there": "supported", "partly": "disputed", "missing": "refuted"}
CONTROL = re.compile(
    r"control|null|shuffl|random|untrained|no learning|baseline|ceiling|oracle", re.IGNORECASE
)
"""Names and titles of metrics that stand beside an effect: its null control or its ceiling."""


def chain(connection: sqlite3.Connection, claim_id: str) -> dict[str, Any]:
    """The chain as data: {id, statement, links: [{link, state, items, missing}], missing}.

    A link's state is "there", "partly" (something is there, something is not) or "missing".

    Raises:
        NotFound: with the nearest ids.
    """
    claim = claim_data.load(connection, claim_id)
    links = [
        _link("citation", *_citations(claim)),
        _link("rendering", *_renderings(connection, claim)),
        _link("figure", *_figures(connection, claim)),
        _link("run", *_runs(connection, claim)),
        _link("verdict", *_verdict(claim)),
        _link("slide", *_slides(connection, claim)),
    ]
    missing = [f"{link['link']}: {what}" for link in links for what in link["missing"]]
    return {"id": claim["id"], "statement": claim["statement"], "links": links, "missing": missing}


def _link(name: str, items: list[dict[str, Any]], missing: list[str]) -> dict[str, Any]:
    state = "missing" if not items else "partly" if missing else "there"
    return {"link": name, "state": state, "items": items, "missing": missing}


def _citations(claim: dict[str, Any]) -> tuple[list[dict[str, Any]], list[str]]:
    names = (
        "source",
        "stance",
        "cited_by",
        "directness",
        "role",
        "locator",
        "quote",
        "absence",
        "seen",
        "seen_at",
    )
    items = [{name: citation.get(name) for name in names} for citation in claim["citations"]]
    missing = [] if items else ["no source is cited"]
    for n, item in enumerate(items, 1):
        if not item["locator"]:
            missing.append(f"{n}. {item['source']} has no locator")
        if not (item["quote"] or item["absence"]):
            missing.append(
                f"{n}. {item['source']} has no verbatim words ({seen_line({'seen': item['seen']})})"
            )
    return items, missing


def _renderings(
    connection: sqlite3.Connection, claim: dict[str, Any]
) -> tuple[list[dict[str, Any]], list[str]]:
    checks = {c["subject"]: c for c in claim["checks"] if c["check"] == "quote"}
    items, missing, absent = [], [], list[str]()
    for n, citation in enumerate(claim["citations"], 1):
        if not citation["quote"]:
            continue
        key = citation["source"]
        row = connection.execute(
            "SELECT sha256, kind, at, location FROM rendering WHERE source_key = ? ORDER BY at DESC LIMIT 1",
            (key,),
        ).fetchone()
        if row is None:
            absent.append(key)
            continue
        check = checks.get(f"{n} {key}") or {
            "outcome": "unknown",
            "detail": f"not looked up: `kb check {claim['id']}`",
        }
        found = {"outcome": check["outcome"], "detail": check["detail"]}
        if check.get("at", row["at"]) < row["at"]:
            found = {"outcome": "stale", "detail": f"another text came since; then: {check['detail']}"}
        if found["outcome"] != "pass":
            missing.append(f"{n}. {key}: the words are not confirmed ({found['outcome']})")
        items.append({"citation": n, "source": key, **dict(row), **found})
    if absent:
        keys = ", ".join(dict.fromkeys(absent))
        missing.append(f"no text is stored of {keys}: `kb cite fetch KEY` gets it")
    if not items and not missing:
        missing.append("there are no verbatim words to look up")
    return items, missing


def _figures(connection: sqlite3.Connection, claim: dict[str, Any]) -> tuple[list[dict[str, Any]], list[str]]:
    items, missing = [], []
    for computation in claim["computations"]:
        cells = [_cell(connection, name) for name in computation["cells"]]
        wanted = ("name", "expression", "value", "expected", "unit", "outcome", "detail", "assumes")
        items.append({**{name: computation.get(name) for name in wanted}, "cells": cells})
        if computation["outcome"] in ("unknown", "fail"):
            missing.append(f"{computation['name']}: {computation['detail']}")
    return items, missing if items else ["it rests on no computation over published figures"]


def _cell(connection: sqlite3.Connection, name: str) -> dict[str, Any]:
    row = connection.execute(
        "SELECT id, value, source_key AS source, locator, seen FROM figure WHERE id = ?", (name,)
    ).fetchone()
    return dict(row) if row else {"id": name, "value": None}


def _runs(connection: sqlite3.Connection, claim: dict[str, Any]) -> tuple[list[dict[str, Any]], list[str]]:
    from kb.store import queries

    if not claim["reproductions"]:
        return [], ["no reproduction judges it"]
    items, missing = [], []
    for run in {run["id"]: run for run in claim["runs"]}.values():
        metrics = queries.show_run(connection, run["id"])["metrics"]
        criteria = [c for c in claim["criteria"] if c["reproduction"] == run["reproduction"]]
        judged = list(dict.fromkeys(c["metric"] for c in criteria))
        effects = {name: metrics[name] for name in judged if name in metrics}
        controls = {n: m for n, m in metrics.items() if n not in effects and _is_control(n, m)}
        wanted = ("id", "reproduction", "preset", "recorded", "verdict", "because", "analogue")
        items.append({**{name: run.get(name) for name in wanted}, "effects": effects, "controls": controls})
        missing += [f"{run['id']} has no interval for {n}" for n, m in effects.items() if m["low"] is None]
        missing += [] if controls else [f"{run['id']} has no null control"]
    run_names = {run["reproduction"] for run in claim["runs"]}
    for reproduction in claim["reproductions"]:
        if reproduction["name"] not in run_names:
            missing.append(f"{reproduction['name']} was never run here: `{reproduction['command']}`")
    return items, missing


def _is_control(name: str, metric: dict[str, Any]) -> bool:
    return bool(CONTROL.search(f"{name} {metric.get('title') or ''}"))


def _verdict(claim: dict[str, Any]) -> tuple[list[dict[str, Any]], list[str]]:
    detail = claim.get("verdict_detail")
    rules = [criterion_line(criterion) for criterion in claim["criteria"] if criterion["primary"]]
    if not detail or claim["verdict"] == "unchecked":
        return [], [
            f"no check of ours decides it yet{': the rule would be: ' + '; '.join(rules) if rules else ''}"
        ]
    return [{**detail, "rules": rules}], []


def _slides(connection: sqlite3.Connection, claim: dict[str, Any]) -> tuple[list[dict[str, Any]], list[str]]:
    from kb.store import queries
    from kb.talks.reading import StoreReading
    from kb.talks.select import choose

    items = []
    reading = StoreReading(connection)
    for name, _, _, talk in queries.records(connection, "talk"):
        if any(row["id"] == claim["id"] for row in choose(talk, reading).rows):
            items.append({"talk": name, "title": talk["title"], "command": f"kb talk-outline {name}"})
    return items, [] if items else ["no talk selects it"]


def page(traced: dict[str, Any]) -> Page:
    """The chain as a page: each link with a mark, what it holds, and what is missing from it."""
    sheet = Page().line(traced["statement"], "bold").line([(traced["id"], "dim")])
    for link in traced["links"]:
        state = link["state"]
        sheet.line()
        sheet.item(
            [(TITLES[link["link"]], "bold"), (" · " + state, STYLES[state])], (MARKS[state], STYLES[state]), 0
        )
        told = ""
        for item in link["items"]:
            _ITEMS[link["link"]](sheet, item)
            assumes = item.get("assumes") or ""
            if assumes and assumes != told:
                _say(sheet, [("assumes: ", "dim"), assumes], deep=True)
            told = assumes or told
        for what in link["missing"]:
            sheet.item([("missing: ", STYLES["missing"]), what], ("│", "dim"), 0, bar=True)
    count = len(traced["missing"])
    told = (
        "nothing is missing" if not count else f"{count} {'thing is' if count == 1 else 'things are'} missing"
    )
    return sheet.line().line([(told, "supported" if not count else "disputed")])


TITLES = {
    "citation": "cited, with words and place",
    "rendering": "the words found in a text of the source",
    "figure": "published figures, recomputed",
    "run": "our own run, with interval and null control",
    "verdict": "verdict, with the rule that gave it",
    "slide": "on a slide",
}


def _say(sheet: Page, text: list[Span | str], deep: bool = False) -> None:
    sheet.item(text, ("│  " if deep else "│", "dim"), 0, bar=True)


def _show_citation(sheet: Page, item: dict[str, Any]) -> None:
    _say(sheet, citation_line(item))
    if item["quote"]:
        _say(sheet, [("“", "dim"), (item["quote"], "italic"), ("”", "dim")], deep=True)
    if item["absence"]:
        _say(sheet, absence_line(item["absence"]), deep=True)


def _show_rendering(sheet: Page, item: dict[str, Any]) -> None:
    what = f" {item['kind']} of {item['at'][:10]}, sha256 {item['sha256'][:12]} · "
    _say(sheet, [(item["source"], "bold"), what, (item["outcome"], item["outcome"]), f": {item['detail']}"])


def _show_figure(sheet: Page, item: dict[str, Any]) -> None:
    _say(sheet, [(item["outcome"], item["outcome"]), " ", *computation_line(item)])
    _say(sheet, [(f"{item['expression']} over {len(item['cells'])} published cells", "dim")], deep=True)


def _show_run(sheet: Page, item: dict[str, Any]) -> None:
    told = f" · {item['reproduction']} · {item['preset']}{' · analogue' if item['analogue'] else ''}"
    _say(sheet, [(item["id"], "bold"), told])
    for kind, metrics in (("", item["effects"]), ("beside it: ", item["controls"])):
        for name, metric in metrics.items():
            _say(sheet, [(kind, "dim"), *metric_line(name, metric)], deep=True)


def metric_line(name: str, metric: dict[str, Any]) -> list[Span | str]:
    """A metric as 'title: 0.91 [0.86, 0.94], n = 200 levels'."""
    value, low, high = metric["value"], metric["low"], metric["high"]
    bounds = f"[{quantity(low)}, {quantity(high)}]" if None not in (low, high) else "(no interval)"
    unit = metric.get("unit") or ""
    many = "s" if unit and metric["n"] != 1 and not unit.endswith("s") else ""
    size = f", n = {metric['n']} {unit}{many}".rstrip() if metric.get("n") else ""
    shown = "–" if value is None else quantity(value)
    return [metric.get("title") or name, ": ", (shown, "bold"), f" {bounds}{size}"]


def _show_verdict(sheet: Page, item: dict[str, Any]) -> None:
    _say(sheet, verdict_line({"verdict": item["verdict"], "verdict_detail": item}))
    for rule in item["rules"]:
        _say(sheet, [("rule: ", "dim"), rule], deep=True)


def _show_slide(sheet: Page, item: dict[str, Any]) -> None:
    _say(sheet, [(item["title"], "bold"), (f"  $ {item['command']}", "dim")])


_ITEMS = {
    "citation": _show_citation,
    "rendering": _show_rendering,
    "figure": _show_figure,
    "run": _show_run,
    "verdict": _show_verdict,
    "slide": _show_slide,
}
