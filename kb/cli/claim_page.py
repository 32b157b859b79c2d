"""A claim as a table row and as a page that one reads from the top down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kb.cli.layout import Column, Page, Rows, Span, Text, Word
from kb.cli.output import mark

MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]

SEEN = {
    "primary": "read in the published document",
    "paper-copy": "read in a public copy of the paper",
    "web-copy": "read in a stored copy of the page",
    "repository": "read in a public repository",
    "second-hand": "second-hand: the source itself was not opened",
    "comment": "known only from the comment that says so",
    "not-read": "not read: a pointer",
}
"""How a passage was seen, in words that a reader needs no table for."""

STANCES = {
    "asserts": "asserts it",
    "supports": "supports it",
    "disputes": "disputes it",
    "qualifies": "qualifies it",
    "background": "background",
}

RELATIONS = {
    ("supports", "out"): "supports", ("supports", "in"): "supported by",
    ("rebuts", "out"): "rebuts", ("rebuts", "in"): "rebutted by",
    ("undercuts", "out"): "undercuts", ("undercuts", "in"): "undercut by",
    ("qualifies", "out"): "qualifies", ("qualifies", "in"): "qualified by",
    ("answers", "out"): "answers", ("answers", "in"): "answered by",
    ("supersedes", "out"): "supersedes", ("supersedes", "in"): "superseded by",
    ("same-as", "out"): "same as", ("same-as", "in"): "same as",
}  # fmt: skip
"""A relation as read from the claim on the page."""

ROLES = {
    "own-result": "its own result",
    "restated": "restating others",
    "hypothesis": "a hypothesis",
    "limitation": "a limitation",
}


def table(claims: Iterable[dict[str, Any]], empty: str) -> Rows:
    """Claims as a table: what they are called, where they stand, what they say."""
    columns = [
        Column("id", style="bold", most=44),
        Column("kind", style="dim"),
        Column("status"),
        Column("verdict"),
        Column("asserted_by", piped=True),
        Column("date", piped=True),
        Column("tags", piped=True),
        Column("citations", piped=True),
        Column("runs", piped=True),
        Column("statement", flexible=True),
    ]
    rows = (
        (
            c["id"],
            c["kind"],
            Word(c["status"]),
            Word(c["verdict"], marked=True),
            c["asserted_by"],
            c["date"],
            ",".join(c["tags"]),
            c["citations"],
            c["runs"],
            c["statement"],
        )
        for c in claims
    )
    return Rows(columns, rows, empty=empty)


def date_in_words(date: str | None) -> str:
    """'2023-03-11' -> '11 March 2023', '2023-03' -> 'March 2023'; whatever is no date stays."""
    parts = (date or "").split("-")
    try:
        year, *rest = [int(part) for part in parts]
        month = f"{MONTHS[rest[0] - 1]} " if rest else ""
        day = f"{rest[1]} " if len(rest) > 1 else ""
    except (ValueError, IndexError):
        return date or ""
    return f"{day}{month}{year}"


def percent(probability: float) -> str:
    """0.8 -> '80 %', 0.755 -> '75.5 %'."""
    return f"{probability * 100:.10g} %"


def page(claim: dict[str, Any]) -> Page:
    """The whole claim: statement, who and when, status beside verdict, evidence, relations, runs."""
    sheet = Page().line(claim["statement"], "bold").line()
    _head(sheet, claim)
    _prediction(sheet, claim.get("prediction"))
    _citations(sheet, claim.get("citations") or [])
    _computations(sheet, claim.get("computations") or [])
    _relations(sheet, claim.get("relations") or [])
    _reproductions(sheet, claim)
    _runs(sheet, claim.get("runs") or [])
    return sheet


def _head(sheet: Page, claim: dict[str, Any]) -> None:
    when = date_in_words(claim.get("date"))
    who = [claim["asserted_by"], f", {when}" if when else ""]
    if claim.get("date_note"):
        who.append(f" ({claim['date_note']})")
    sheet.field("claim", [(claim["id"], "bold"), f" · {claim['kind']}"])
    sheet.field("asserted by", who)
    sheet.field("status", [(claim["status"], claim["status"]), (" (the cited literature)", "dim")])
    sheet.field("verdict", verdict_line(claim))
    for name in ("headline", "number", "caveat", "answer", "note"):
        sheet.field(name, claim.get(name))
    sheet.field("tags", ", ".join(claim.get("tags") or []))
    sheet.field("once called", ", ".join(claim.get("aliases") or []))
    if claim.get("conflict"):
        text = f"changed here and in {_origins(claim['conflict'])}: `kb library diff` shows both"
        sheet.field("conflict", [(text, "red")])


def _origins(conflict: Any) -> str:
    many = conflict if isinstance(conflict, list) else [conflict]
    return ", ".join(str(one.get("origin", one)) if isinstance(one, dict) else str(one) for one in many)


def verdict_line(claim: dict[str, Any]) -> list[Span | str]:
    """The verdict with its mark, since when, and because of what."""
    verdict = claim["verdict"]
    detail = claim.get("verdict_detail") or {}
    since = f", since {detail['since'][:10]}" if detail.get("since") else ""
    because = f": {detail['because']}" if detail.get("because") else ""
    return [(mark(verdict), verdict), (f" (our own checks{since})", "dim"), because]


def _prediction(sheet: Page, prediction: dict[str, Any] | None) -> None:
    if not prediction:
        return
    sheet.heading("Prediction")
    given = prediction.get("probability")
    probability = "no probability was given" if given is None else percent(given)
    made = f", {date_in_words(prediction['made'])}" if prediction.get("made") else ""
    sheet.field("probability", [(probability, "bold"), f" ({prediction['forecaster']}{made})"], indent=2)
    sheet.field("about", prediction.get("about"), indent=2)
    sheet.field("by", date_in_words(prediction.get("horizon")), indent=2)
    sheet.field("true if", prediction["resolution"], indent=2)
    outcome = prediction.get("outcome")
    if outcome:
        told = f": {outcome['because']} ({outcome['by']}, {date_in_words(outcome['on'])})"
        sheet.field("outcome", [(outcome["value"], "bold"), told], indent=2)
    else:
        sheet.field("outcome", [("not resolved", "unknown")], indent=2)


def _citations(sheet: Page, citations: list[dict[str, Any]]) -> None:
    sheet.heading("Sources" if citations else "Sources: none is cited")
    for n, citation in enumerate(citations):
        if n:
            sheet.line()
        sheet.item(citation_line(citation), bullet=(f"{n + 1}.", "dim"))
        label = source_label(citation)
        if label:
            sheet.line([(label, "dim")], indent=5)
        if citation.get("quote"):
            sheet.line([("“", "dim"), (citation["quote"], "italic"), ("”", "dim")], indent=5)
        absence = citation.get("absence")
        if absence:
            sheet.line(absence_line(absence), indent=5)
        sheet.line([(SEEN.get(citation["seen"], citation["seen"]), "dim"), *_address(citation)], indent=5)
        if citation.get("note"):
            sheet.line([("note: ", "dim"), citation["note"]], indent=5)


def citation_line(citation: dict[str, Any]) -> list[Span | str]:
    """Source, its stance towards the claim and where in it, on one line."""
    stance = citation["stance"]
    spans: list[Span | str] = [(citation["source"], "bold"), " "]
    if citation.get("cited_by"):
        spans.append(f"(as cited by {citation['cited_by']}) ")
    spans.append((STANCES.get(stance, stance), stance))
    if citation.get("directness") == "indirect":
        spans.append(", indirectly")
    if citation.get("locator"):
        spans.append(f" · {citation['locator']}")
    if citation.get("role"):
        spans.append((f" · {ROLES.get(citation['role'], citation['role'])}", "dim"))
    return spans


def source_label(source: Mapping[str, Any]) -> str:
    """Authors, year and title in one line: 'Chen et al. 2021, Decision Transformer'."""
    names = [
        name.strip().split(" ")[-1] for name in str(source.get("authors") or "").split(";") if name.strip()
    ]
    who = f"{names[0]} et al." if len(names) > 2 else " and ".join(names)
    head = " ".join(part for part in (who, str(source.get("year") or "")) if part)
    return ", ".join(part for part in (head, str(source.get("title") or "")) if part)


def absence_line(absence: dict[str, Any]) -> list[Span | str]:
    """What was looked for and not found, where, by whom and when."""
    where = ", ".join(absence["sections"])
    when = date_in_words(absence["on"])
    return [
        ("absent: ", "yellow"),
        f"{absence['by']} read {where} on {when} and found no {absence['looked_for']}",
    ]


def _address(citation: dict[str, Any]) -> list[Span | str]:
    """Where it was seen, as a word of its own: a terminal opens an address that is not broken."""
    return [" ", (citation["seen_at"], "dim")] if citation.get("seen_at") else []


def seen_line(citation: dict[str, Any]) -> str:
    """How the passage was read, and where."""
    seen = citation.get("seen") or "not-read"
    where = f" ({citation['seen_at']})" if citation.get("seen_at") else ""
    return f"{SEEN.get(seen, seen)}{where}"


def _computations(sheet: Page, computations: list[dict[str, Any]]) -> None:
    if not computations:
        return
    sheet.heading("Published figures, recomputed")
    assumed = ""
    for computation in computations:
        outcome = computation.get("outcome") or "unknown"
        sheet.item(computation_line(computation), bullet=(f"{outcome:<7}", outcome))
        sheet.line([(computation["expression"], "dim")], indent=10)
        if outcome in ("fail", "unknown") and computation.get("detail"):
            sheet.line([(computation["detail"], outcome)], indent=10)
        assumes = computation.get("assumes") or ""
        if assumes and assumes != assumed:
            sheet.line([("assumes: ", "dim"), assumes], indent=10)
        assumed = assumes or assumed
        if computation.get("note"):
            sheet.line([("note: ", "dim"), computation["note"]], indent=10)


def computation_line(computation: dict[str, Any]) -> list[Span | str]:
    """A computation's name, the value it gives and the one that the claim needs."""
    value, unit = computation.get("value"), computation.get("unit")
    gives = " cannot be computed" if value is None else f" gives {quantity(value, unit)}"
    needs = f"; the claim says {quantity(computation['expected'], unit)}"
    return [(computation["name"], "bold"), gives, needs]


def quantity(value: float | bool, unit: str | None = None) -> str:
    """A number with its unit, four digits at most: '3.77 %', 'true', '11.4 score'."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.4g}" + (f" {'%' if unit == 'percent' else unit}" if unit else "")


def _relations(sheet: Page, relations: list[dict[str, Any]]) -> None:
    if not relations:
        return
    sheet.heading("Related claims")
    for relation in relations:
        arrow = "→" if relation.get("direction", "out") == "out" else "←"
        how = RELATIONS.get((relation["type"], relation.get("direction", "out")), relation["type"])
        sheet.item([(how, "cyan"), " ", (relation["claim"], "bold")], bullet=(arrow, "dim"))
        if relation.get("statement"):
            sheet.line(relation["statement"], indent=4)
        if relation.get("note"):
            sheet.line([("note: ", "dim"), relation["note"]], indent=4)


def _reproductions(sheet: Page, claim: dict[str, Any]) -> None:
    reproductions = claim.get("reproductions") or []
    if not reproductions:
        return
    sheet.heading("Test it yourself")
    for reproduction in reproductions:
        sheet.line([("$ ", "dim"), (reproduction["command"], "bold")], indent=2)
        sheet.field("recorded", recorded_line(claim, reproduction), indent=4, width=9)
        sheet.field("needs", _joined(reproduction.get("needs")), indent=4, width=9)
        for criterion in claim.get("criteria") or []:
            if criterion.get("reproduction", reproduction["name"]) == reproduction["name"]:
                sheet.field(_rank(criterion), criterion_line(criterion), indent=4, width=9)


def _rank(criterion: dict[str, Any]) -> str:
    return "criterion" if criterion.get("primary") else "also"


def recorded_line(claim: Mapping[str, Any], reproduction: Mapping[str, Any]) -> Text:
    """What the last recorded run of a reproduction found for this claim."""
    runs = [
        r for r in claim.get("runs") or [] if r["reproduction"] == reproduction["name"] and r.get("recorded")
    ]
    if not runs:
        return [("no run is recorded", "dim")]
    run = runs[-1]
    where = f" ({run['preset']} run {run['id']}{', analogue' if run.get('analogue') else ''})"
    return [(mark(run["verdict"]), run["verdict"]), (where, "dim")]


def criterion_line(criterion: dict[str, Any]) -> str:
    """What a criterion says: in its own words, or metric, region and meaning."""
    if criterion.get("wording"):
        return str(criterion["wording"])
    low, high = criterion.get("low"), criterion.get("high")
    if low is not None and high is not None:
        region = f"from {low:g} to {high:g}"
    else:
        region = f"at least {low:g}" if low is not None else f"at most {high:g}"
    return f"{criterion['metric']} {region} {criterion['meaning']} it"


def _joined(value: Any) -> str:
    return ", ".join(str(one) for one in value) if isinstance(value, list | tuple) else str(value or "")


def _runs(sheet: Page, runs: list[dict[str, Any]]) -> None:
    if runs:
        sheet.heading("Runs")
    for n, run in enumerate(runs):
        if n == 0 or run["id"] != runs[n - 1]["id"]:
            told = [run["reproduction"], run["preset"], str(run.get("started") or "")[:10]]
            sheet.item([(run["id"], "bold"), (f" {' · '.join(part for part in told if part)}", "dim")])
        verdict = run.get("verdict") or "unchecked"
        marks = [word for word in ("analogue", "post_hoc") if run.get(word)]
        spans: list[Span | str] = [
            (mark(verdict), verdict),
            (" ".join(["", *marks]).replace("_", " "), "dim"),
        ]
        sheet.line([*spans, f": {run['because']}" if run.get("because") else ""], indent=4)
