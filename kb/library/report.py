"""What a merge did and left open, as commands tell it."""

from __future__ import annotations

from dataclasses import dataclass, field

from kb.library.agreement import Conflicting


@dataclass(frozen=True)
class Taken:
    """What the merge did to a record of ours: added, changed, removed, renamed, or brought back."""

    kind: str
    name: str
    action: str
    detail: str = ""


@dataclass
class Report:
    """What a merge with one origin did and left open."""

    origin: str
    taken: list[Taken] = field(default_factory=list)
    conflicts: list[Conflicting] = field(default_factory=list)
    same: int = 0
    ahead: int = 0
    """Records that only our side changed."""
    gone: int = 0
    """Of these, records that our side removed."""
