"""Choosing a talk's claims, by a list or by a query, and putting them in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kb.talks import rubric as rubrics
from kb.talks.outline import Cut
from kb.talks.reading import Reading, Row
from kb.talks.text import clean, shorten

Title = Callable[[Row], str]
MISSING = "the talk names it, but this store has no such claim"


@dataclass
class Chosen:
    """The claims of a talk in its order, and those that it would have held.

    rows: as lists show claims; cut: with reasons; missing: ids that the talk names and nobody knows.
    """

    rows: list[Row]
    title: Title
    cut: list[Cut] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def leave(self, row: Row, why: str) -> Cut:
        """A claim that is left out, and why."""
        return Cut(row["id"], brief(self.title(row)), why)


def choose(
    talk: Mapping[str, Any], reading: Reading, title: Title | None = None, *, only_verified: bool = False
) -> Chosen:
    """All claims that the talk selects, in its order; no limit of number or time is applied yet.

    Args:
        title: how a claim that is cut is named; its headline, else its statement, where nothing else is said.
    """
    chosen = Chosen([], title=title or _title)
    _by_hand(talk, reading, chosen)
    _by_query(talk, reading, chosen)
    if only_verified:
        chosen.cut += [
            chosen.leave(row, f"not verified: {doubt(row)}") for row in chosen.rows if not is_verified(row)
        ]
        chosen.rows = [row for row in chosen.rows if is_verified(row)]
    if talk.get("order", "hand") == "rubric":
        rubric = talk["rubric"]
        rows = {row["id"]: row for row in chosen.rows}
        order = rubrics.ranked(rubric, rows)
        chosen.cut += [
            chosen.leave(row, "has no scores in the talk's rubric")
            for name, row in sorted(rows.items())
            if not rubric["scores"].get(name)
        ]
        chosen.rows = [rows[name] for name in order]
    return chosen


def is_verified(row: Mapping[str, Any]) -> bool:
    """Our own check supports the claim and the literature does not refute it."""
    return row["verdict"] == "supported" and row["status"] not in ("refuted", "superseded")


def doubt(row: Mapping[str, Any]) -> str:
    """Why a claim is not verified, in a few words."""
    if row["verdict"] != "supported":
        return f"our own verdict is {row['verdict']}"
    return f"the literature's status is {row['status']}"


def _by_hand(talk: Mapping[str, Any], reading: Reading, chosen: Chosen) -> None:
    for name in talk["select"].get("claims", []):
        row = reading.claim(name)
        if row is None:
            chosen.cut.append(Cut(name, name, MISSING))
            chosen.missing.append(name)
        elif all(row["id"] != other["id"] for other in chosen.rows):
            chosen.rows.append(row)


def _by_query(talk: Mapping[str, Any], reading: Reading, chosen: Chosen) -> None:
    query = {name: talk["select"].get(name, []) for name in ("kind", "tag", "status")}
    if not any(query.values()):
        return
    there = {row["id"] for row in chosen.rows}
    for row in reading.matching(query["kind"], query["tag"], query["status"]):
        if row["id"] in there:
            continue
        if row["status"] == "superseded" and "superseded" not in query["status"]:
            chosen.cut.append(chosen.leave(row, "superseded by a later claim"))
        else:
            chosen.rows.append(row)


def brief(title: str) -> str:
    """A claim's title in one line, for lists of what was cut."""
    return shorten(title, 120)


def _title(row: Mapping[str, Any]) -> str:
    return clean(row.get("headline") or row["statement"])
