"""A claim as Markdown, to paste into a review, an issue or a post."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from kb.cli.claim_page import (
    RELATIONS,
    computation_line,
    criterion_line,
    date_in_words,
    percent,
    recorded_line,
    seen_line,
)
from kb.cli.layout import Text
from kb.cli.output import mark, one_line
from kb.talks.escape import address
from kb.talks.escape import markdown as inert


def escape(text: object) -> str:
    """Text from outside as Markdown shows it: inert, on one line."""
    return inert(one_line(text))


def markdown(claim: dict[str, Any]) -> str:
    """The claim with its evidence."""
    return "\n".join(_lines(claim)).rstrip() + "\n"


def _lines(claim: dict[str, Any]) -> Iterator[str]:
    when = date_in_words(claim.get("date"))
    detail = claim.get("verdict_detail") or {}
    because = f": {escape(detail['because'])}" if detail.get("because") else ""
    yield f"**{escape(claim['statement'])}**"
    yield ""
    who = escape(claim["asserted_by"]) + (f", {when}" if when else "")
    yield f"- {claim['kind']} claim by {who} (`{claim['id']}`)"
    yield f"- in the cited literature: **{claim['status']}**"
    yield f"- in our own checks: **{mark(claim['verdict'])}**{because}"
    for name in ("number", "caveat", "answer", "note"):
        if claim.get(name):
            yield f"- {name}: {escape(claim[name])}"
    yield from _prediction(claim.get("prediction"))
    for citation in claim.get("citations") or []:
        yield from _citation(citation)
    yield from _list("Published figures, recomputed", [_computed(c) for c in claim.get("computations") or []])
    yield from _list("Related claims", [_relation(r) for r in claim.get("relations") or []])
    yield from _list("Test it", list(_tests(claim)))


def _list(title: str, items: list[str]) -> Iterator[str]:
    if items:
        yield ""
        yield f"{title}:"
        yield ""
        yield from (f"- {item}" for item in items)


def _prediction(prediction: dict[str, Any] | None) -> Iterator[str]:
    if prediction:
        given = prediction.get("probability")
        told = "without a probability" if given is None else percent(given)
        who, rule = escape(prediction["forecaster"]), escape(prediction["resolution"])
        yield f"- predicted by {who}: {told}; true if {rule}"
        outcome = prediction.get("outcome")
        if outcome:
            yield f"- resolved: **{outcome['value']}**, {escape(outcome['because'])}"


def _citation(citation: dict[str, Any]) -> Iterator[str]:
    yield ""
    if citation.get("quote"):
        yield f"> “{escape(citation['quote'])}”"
        yield ">"
    elif citation.get("absence"):
        absence = citation["absence"]
        where = escape(", ".join(absence["sections"]))
        yield f"> {escape(absence['by'])} read {where} ({absence['on']}): no {escape(absence['looked_for'])}"
        yield ">"
    told = [citation["stance"], *(["indirectly"] if citation.get("directness") == "indirect" else [])]
    where = f", {escape(citation['locator'])}" if citation.get("locator") else ""
    yield f"> — {reference(citation['source'], citation)}{where}"
    yield f"> ({', '.join(told)}; {escape(seen_line(citation))})"
    if citation.get("note"):
        yield ">"
        yield f"> {escape(citation['note'])}"


def reference(key: str, source: Mapping[str, Any]) -> str:
    """A source in one line: authors, year, title with a link where there is one, key."""
    names = [name.strip() for name in str(source.get("authors") or "").split(";") if name.strip()]
    who = f"{names[0]} et al." if len(names) > 3 else ", ".join(names)
    title = escape(source.get("title") or key)
    where = address(address_of(source))
    linked = f"[{title}](<{where}>)" if where else title
    year = f" ({escape(source['year'])})" if source.get("year") else ""
    return f"{escape(who)}{year}{': ' if who or year else ''}{linked} [`{one_line(key)}`]"


def address_of(source: Mapping[str, Any]) -> str:
    """Where a source can be opened: its DOI, its arXiv page or its address; empty where none is known."""
    if source.get("doi"):
        found = f"https://doi.org/{source['doi']}"
    elif source.get("eprint") and re.fullmatch(
        r"(\d{4}\.\d{4,5}|[a-z-]+/\d{7})(v\d+)?", str(source["eprint"])
    ):
        found = f"https://arxiv.org/abs/{source['eprint']}"
    else:
        found = str(source.get("url") or "")
    return found if re.fullmatch(r"https?://[^\s<>\x00-\x1f]+", found) else ""


def _plain(text: Text) -> str:
    return text if isinstance(text, str) else "".join(s if isinstance(s, str) else s[0] for s in text)


def _computed(computation: dict[str, Any]) -> str:
    assumes = f", assumes {escape(computation['assumes'])}" if computation.get("assumes") else ""
    outcome = computation.get("outcome") or "unknown"
    expression = one_line(computation["expression"]).replace("`", "'")
    return f"{outcome}: {escape(_plain(computation_line(computation)))}{assumes} (`{expression}`)"


def _relation(relation: dict[str, Any]) -> str:
    how = RELATIONS.get((relation["type"], relation.get("direction", "out")), relation["type"])
    statement = f": {escape(relation['statement'])}" if relation.get("statement") else ""
    return f"{how} `{relation['claim']}`{statement}"


def _tests(claim: dict[str, Any]) -> Iterator[str]:
    for reproduction in claim.get("reproductions") or []:
        yield f"`{one_line(reproduction['command'])}` — {escape(_plain(recorded_line(claim, reproduction)))}"
    for criterion in claim.get("criteria") or []:
        yield f"criterion: {escape(criterion_line(criterion))}"
