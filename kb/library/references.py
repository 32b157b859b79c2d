"""Which records a record names, and the same record after one of these was renamed."""

from __future__ import annotations

import copy
import difflib
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from kb.errors import shown

if TYPE_CHECKING:
    from kb.library.text import LibraryText, Listed, Problem

_CELL = re.compile(r"""\bcell\(\s*["']([^"']+)["']""")
_SOURCES = ("source", "cited_by")
"""The fields of a citation that name a source."""
Names = dict[tuple[str, str], str]


def named(kind: str, data: dict[str, Any]) -> set[tuple[str, str]]:
    """The (kind, name) of every record that `data` cannot do without.

    A talk's choice of claims is not among them: a talk may name a claim that is not there yet.
    """
    found: set[tuple[str, str]] = set()
    if kind == "claim":
        for citation in data.get("citations", ()):
            found |= {("source", citation[field]) for field in _SOURCES if field in citation}
        found |= {("claim", relation["claim"]) for relation in data.get("relations", ())}
    elif kind == "figure":
        found.add(("source", data["source"]))
    return found


def points(kind: str, data: dict[str, Any]) -> set[tuple[str, str]]:
    """As `named`, with what a talk chooses and the cells that a computation reads: all that a removal hurts."""
    found = named(kind, data)
    if kind == "talk":
        found |= {("claim", name) for name in data.get("select", {}).get("claims", ())}
        found |= {("claim", name) for name in (data.get("rubric") or {}).get("scores", {})}
    elif kind == "claim":
        expressions = " ".join(computation["expression"] for computation in data.get("computations", ()))
        found |= {("figure", name) for name in _CELL.findall(expressions)}
    return found


def renamed(kind: str, data: dict[str, Any], names: Names) -> dict[str, Any]:
    """`data` with every name in `names`, {(kind, old): new}, replaced; the record's own name is not touched."""

    def new(of: str) -> Callable[[str], str]:
        return lambda name: names.get((of, name), name)

    source, claim = new("source"), new("claim")
    data = copy.deepcopy(data)
    if kind == "claim":
        for citation in data.get("citations", ()):
            citation.update({field: source(citation[field]) for field in _SOURCES if field in citation})
        for relation in data.get("relations", ()):
            relation["claim"] = claim(relation["claim"])
    elif kind == "figure":
        data["source"] = source(data["source"])
    elif kind == "talk":
        chosen = data.get("select", {})
        if "claims" in chosen:
            chosen["claims"] = [claim(name) for name in chosen["claims"]]
        if data.get("pictures"):
            data["pictures"] = {claim(name): picture for name, picture in data["pictures"].items()}
        rubric = data.get("rubric")
        if rubric:
            rubric["scores"] = {claim(name): scores for name, scores in rubric["scores"].items()}
            for scores in rubric["scores"].values():
                for score in scores.values():
                    if "source" in score:
                        score["source"] = source(score["source"])
    return data


def dangling(library: LibraryText) -> list[Problem]:
    """Every reference within a library's text to a record that is not in it."""
    there = {(one.kind, one.name) for one in library.listed}
    out: list[Problem] = []
    for one in library.listed:
        absent = named(one.kind, library.content_of(one).data) - there
        if absent:
            out += _missing(one, library.block_of(one), sorted(absent), there)
    return out


def _missing(
    one: Listed, block: str, absent: list[tuple[str, str]], there: set[tuple[str, str]]
) -> Iterator[Problem]:
    """The references of one record to records that are not `there`, with their lines."""
    from kb.library.text import Problem

    for kind, name in absent:
        known = [other for of, other in there if of == kind]
        near = difflib.get_close_matches(name, known, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        offset = block.find(name)
        line = one.line + (block.count("\n", 0, offset) if offset > 0 else 0)
        what = f"{one.kind} {one.name}: no {kind} named {shown(name)}{hint}"
        yield Problem(one.home, line, what)
