"""A column of texts on a slide, set as large as all of them together can be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from kb.talks.measure import BOLD, Set, fitted, height_of
from kb.talks.text import typeset

SIZES = (36, 34, 32, 30, 28, 26, 24, 22)
"""Sizes of running text on the canvas, in pixels: the smallest still reads from the last row."""
COMFORTABLE = 28
"""Below this size, what may be left out is left out before the rest gets smaller."""
GAP = 20


@dataclass(frozen=True)
class Block:
    """A box of text: role (number, body, caveat, quote or row), the text as set, and its box's top."""

    role: str
    text: Set
    top: float
    lead: str = ""


@dataclass(frozen=True)
class Want:
    """A text that should stand in a column; `optional` ones are left out, the last first, before type gets small."""

    role: str
    text: str
    lead: str = ""
    optional: bool = False


def size_of(role: str, size: int) -> int:
    """The size of a role's text where running text has this size."""
    if role == "number":
        return min(54, round(size * 1.5))
    return max(SIZES[-1], size - 4) if role == "quote" else size


def column(
    wants: Sequence[Want], top: float, bottom: float, width: float, comfortable: int = COMFORTABLE
) -> tuple[Block, ...]:
    """The texts one under another between top and bottom.

    All at the largest size at which they fit; optional ones go before type gets smaller than comfortable; if the rest
    does not fit at the smallest size either, each is cut with a pointer to the notes.
    """
    keep = [want if want.role == "quote" else replace(want, text=typeset(want.text)) for want in wants]
    while True:
        optional = any(want.optional for want in keep)
        for size in SIZES:
            if size < comfortable and optional:
                break
            blocks = _placed(keep, size, top, width)
            if not blocks or _end(blocks[-1]) <= bottom:
                return blocks
        if not optional:
            return _cut(keep, top, bottom, width)
        last = max(place for place, want in enumerate(keep) if want.optional)
        del keep[last]


def is_whole(blocks: Sequence[Block], wants: Sequence[Want]) -> bool:
    """Whether everything that may not be left out stands there uncut."""
    needed = sum(not want.optional for want in wants)
    return len(blocks) >= needed and not any(block.text.cut for block in blocks)


def _placed(wants: Sequence[Want], size: int, top: float, width: float) -> tuple[Block, ...]:
    blocks = []
    for want in wants:
        own = size_of(want.role, size)
        height = height_of(want.lead + want.text, own, width / BOLD if want.role == "number" else width)
        blocks.append(Block(want.role, Set(want.text, own, height), top, want.lead))
        top += height + GAP
    return tuple(blocks)


def _end(block: Block) -> float:
    return block.top + block.text.height


def _cut(wants: Sequence[Want], top: float, bottom: float, width: float) -> tuple[Block, ...]:
    """At the smallest size each takes what it needs of its share of the height that is left."""
    blocks = []
    for place, want in enumerate(wants):
        share = 1.0 if place == len(wants) - 1 else 0.6
        sizes = (size_of(want.role, SIZES[-1]),)
        set_ = fitted(want.lead + want.text, width, (bottom - top) * share, sizes, bold=want.role == "number")
        if not set_.text:
            continue
        text = Set(set_.text[len(want.lead) :], set_.size, set_.height, set_.cut)
        blocks.append(Block(want.role, text, top, want.lead))
        top += set_.height + GAP
    return tuple(blocks)
