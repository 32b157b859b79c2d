"""Our side of a merge: what the store holds, by fingerprint, with its names, and what points at what."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field

from kb.library import references
from kb.library.side import Fingerprint, Former, Name, fingerprint, of_store, text_of, under_name


@dataclass
class Ours:
    """Our side: fingerprints, former names, who points at what, and places."""

    prints: dict[Name, Fingerprint] = field(default_factory=dict)
    aliases: dict[Name, str] = field(default_factory=dict)
    former: Former = field(default_factory=dict)
    points: dict[Name, set[Name]] = field(default_factory=dict)
    places: dict[Name, tuple[str, int]] = field(default_factory=dict)


def ours_of(connection: sqlite3.Connection) -> Ours:
    """All that the store holds, as a merge looks at it."""
    ours = Ours()
    for one in of_store(connection):
        key = (one.kind, one.name)
        ours.prints[key] = fingerprint(text_of(one.data))
        ours.places[key] = (one.home, one.position)
        if one.data.get("aliases"):
            ours.former[key] = one.data["aliases"]
        for alias in one.data.get("aliases", ()):
            ours.aliases[one.kind, alias] = one.name
        for target in references.points(one.kind, one.data):
            ours.points.setdefault(target, set()).add(key)
    return ours


def under_todays_name(
    kind: str, name: str, content: str, names: references.Names, former: Former
) -> tuple[Name, str]:
    """A content that was kept under an older name, with what it names, by the names of today.

    Args:
        names: {(kind, older name): today's}.
        former: the names that records had before.
    """
    new = names.get((kind, name))
    if not names or not (new or any(f'"{old}"' in content for _, old in names)):
        return (kind, name), content
    data = references.renamed(kind, json.loads(content), names)
    if new:
        data = under_name(kind, data, new, former.get((kind, new), ()))
    return (kind, new or name), text_of(data)
