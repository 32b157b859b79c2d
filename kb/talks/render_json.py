"""A talk as one JSON document: the outline model with the keys that scripts rely on."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from kb.talks.outline import Outline, Section, Table


def data(outline: Outline) -> dict[str, Any]:
    """The outline as plain data.

    Fixed keys: title, minutes, sections:[{claim, title, seconds, points, evidence, caveat, sources}], cut,
    references. More may be added.
    """
    return {
        "name": outline.name,
        "title": outline.title,
        "minutes": outline.minutes,
        "seconds": outline.seconds,
        "words_per_minute": outline.words_per_minute,
        "pause_seconds": outline.pause_seconds,
        "opening": outline.opening,
        "closing": outline.closing,
        "notices": list(outline.notices),
        "summary": list(outline.summary),
        "sections": [_section(section) for section in outline.sections],
        "tables": [_table(table) for table in outline.tables],
        "cut": [dataclasses.asdict(cut) for cut in outline.cut],
        "rubric": dataclasses.asdict(outline.ranking) if outline.ranking else None,
        "references": [dataclasses.asdict(reference) for reference in outline.references],
    }


def render(outline: Outline) -> str:
    """The document as text, ending in a line break."""
    return json.dumps(data(outline), ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def _table(table: Table) -> dict[str, Any]:
    head, *rows = table.picture.table
    return {
        "name": table.name,
        "title": table.title,
        "columns": list(head),
        "rows": [list(row) for row in rows],
        "say": list(table.say),
        "how_to_read": table.picture.credit,
        "claims": list(table.claims),
        "sources": list(table.sources),
    }


def _section(section: Section) -> dict[str, Any]:
    first = ("claim", "title", "seconds", "points", "evidence", "caveat", "sources")
    plain = dataclasses.asdict(section)
    for picture in (plain["picture"], *plain["pictures"]):
        if picture:
            del picture["file"]  # where the picture is on this machine is nobody else's business
    return {**{name: plain[name] for name in first}, **plain}
