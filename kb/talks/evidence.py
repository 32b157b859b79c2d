"""What an item rests on, and what speaks against it: citations and related claims as evidence and objections."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kb.talks.marks import flags_of
from kb.talks.outline import Answer, Evidence, Objection
from kb.talks.reading import Reading, Row
from kb.talks.refusals import Refusals
from kb.talks.text import clean, maybe, numerals, sentence, withhold

FOR = ("asserts", "supports")
AGAINST = ("disputes", "qualifies")
ATTACKS = {"rebuts": "rebuts", "undercuts": "undercuts", "qualifies": "qualifies"}
_STRENGTH = ("disputes", "rebuts", "undercuts", "qualifies", "limitation")


def evidence_of(claim: Row, label: Callable[[str], str], withheld: set[str]) -> tuple[Evidence, ...]:
    """The citations that assert or support the claim, in their order; background where there are no others."""
    citations = claim.get("citations", [])
    chosen = [citation for citation in citations if citation["stance"] in FOR]
    chosen = chosen or [citation for citation in citations if citation["stance"] == "background"]
    return tuple(_evidence(citation, label, withheld) for citation in chosen)


def objections_to(
    claim: Row, reading: Reading, label: Callable[[str], str], refusals: Refusals
) -> tuple[Objection, ...]:
    """What speaks against the claim, strongest first: citations that dispute or qualify it, claims that rebut it.

    The answers to a claim that rebuts it are the claims that rebut, undercut or qualify that one.
    """
    found: list[Objection] = []
    withheld = set(refusals.of(claim["id"]).numerals)
    for citation in claim.get("citations", []):
        kind = citation["stance"] if citation["stance"] in AGAINST else citation.get("role")
        if kind in (*AGAINST, "limitation"):
            found.append(_from_citation(kind, citation, label, withheld))
    for relation in claim.get("relations", []):
        if _attacks(relation):
            found.append(_from_claim(relation, claim["id"], reading, refusals, withheld))
    return tuple(sorted(found, key=lambda objection: _STRENGTH.index(objection.kind)))


def _attacks(relation: Mapping[str, Any]) -> bool:
    return relation["direction"] == "in" and relation["type"] in ATTACKS and bool(relation.get("statement"))


def _from_claim(
    relation: Mapping[str, Any], about: str, reading: Reading, refusals: Refusals, withheld: set[str]
) -> Objection:
    """A claim that speaks against another, and what stands in the library against it; that other is no answer."""
    name = relation["claim"]
    other = reading.claim(name) or {}
    refused = refusals.of(name, other)
    return Objection(
        kind=ATTACKS[relation["type"]],
        text=withhold(clean(relation["statement"]), withheld | refused.numerals),
        label=name,
        claim=name,
        note=_unless_withheld(maybe(relation.get("note")), withheld),
        status=other.get("status"),
        verdict=other.get("verdict"),
        flags=flags_of(other, refused.failing),
        answers=tuple(
            _answer(one, reading, refusals, withheld)
            for one in other.get("relations", [])
            if _attacks(one) and one["claim"] != about
        ),
    )


def _answer(relation: Mapping[str, Any], reading: Reading, refusals: Refusals, withheld: set[str]) -> Answer:
    row = reading.claim(relation["claim"]) or {}
    return Answer(
        relation["claim"],
        withhold(clean(relation["statement"]), withheld | refusals.of(relation["claim"], row).numerals),
        row.get("status") or "open",
        row.get("verdict") or "unchecked",
    )


def caveat_of(
    claim: Row, objections: tuple[Objection, ...], withheld: set[str]
) -> tuple[str | None, str | None]:
    """The caveat and where it comes from: the claim's own, else the strongest objection to it, else none."""
    if claim.get("caveat"):
        return withhold(clean(claim["caveat"]), withheld), None
    if not objections:
        return None, None
    first = objections[0]
    if first.claim:
        return f"{sentence(first.text)} This {first.kind} it.", first.claim
    where = f", {first.locator}" if first.locator else ""
    said = f": “{first.quote}”" if first.quote else f": {first.text}" if first.text else "."
    return f"{first.label} {verb(first)} this{where}{said}", first.source


def verb(objection: Objection) -> str:
    """What an objection does, as a verb that agrees with who makes it."""
    many = objection.claim is None and (" and " in objection.label or " et al." in objection.label)
    if objection.kind == "limitation":
        return "name a limitation of" if many else "names a limitation of"
    return {"disputes": "dispute", "qualifies": "qualify"}[objection.kind] if many else objection.kind


def _evidence(citation: Mapping[str, Any], label: Callable[[str], str], withheld: set[str]) -> Evidence:
    return Evidence(
        source=citation["source"],
        label=label(citation["source"]),
        stance=citation["stance"],
        directness=citation.get("directness") or "direct",
        role=citation.get("role"),
        locator=maybe(citation.get("locator")),
        quote=_quote(citation, withheld),
        seen=citation.get("seen") or "not-read",
        note=_unless_withheld(maybe(citation.get("note")), withheld),
    )


def _from_citation(
    kind: str, citation: Mapping[str, Any], label: Callable[[str], str], withheld: set[str]
) -> Objection:
    return Objection(
        kind=kind,
        text=_unless_withheld(maybe(citation.get("note")), withheld) or "",
        label=label(citation["source"]),
        source=citation["source"],
        locator=maybe(citation.get("locator")),
        quote=_quote(citation, withheld),
    )


def _quote(citation: Mapping[str, Any], withheld: set[str]) -> str | None:
    """The quote as it stands in the source, or none: a quote is left out, never altered."""
    return _unless_withheld(maybe(citation.get("quote")), withheld)


def _unless_withheld(text: str | None, withheld: set[str]) -> str | None:
    return None if text and numerals(text) & withheld else text
