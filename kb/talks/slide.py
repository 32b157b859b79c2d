"""One slide and its places: what every kind of slide is made of. Positions are pixels of a 1280 x 720 canvas."""

from __future__ import annotations

from dataclasses import dataclass

from kb.talks.column import GAP, Block
from kb.talks.marks import MARKS
from kb.talks.measure import Set, fitted, width_of
from kb.talks.outline import Outline, Picture, Section
from kb.talks.text import shorten, typeset
from kb.talks.theme import MARGIN, WIDTH

TITLE_SIZES = (52, 48, 44, 40, 36, 34)
MARK_SIZES = (22, 20, 18)

FULL = WIDTH - 2 * MARGIN
MARKS_TOP = 24
MARKS_HEIGHT = 36
TOP = 72
"""Of a title under marks."""
TOP_ALONE = 44
TOP_OPENING = 130
TITLE_HEIGHT = 186
FOOTER_TOP = 664
FOOTER_SIZE = 20
BAND = 14
"""Space inside the caveat's ground, above and below its text."""
CREDIT = 22
"""Height of the line under a plot that says where it is from."""
ROW_GAP = 10
CLOSING_GAP = 6
"""Between the rows of a list, and of the list at the end."""


@dataclass(frozen=True)
class Mark:
    """A label over a title: its words, and the name of its colours in the theme."""

    text: str
    style: str


@dataclass(frozen=True)
class Footer:
    """What stands at the foot: the citation, and the claim's id."""

    source: str
    claim: str


@dataclass(frozen=True)
class Box:
    """A place on the canvas."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class Slide:
    """One slide: marks over its title, texts under it, perhaps a picture in its box, a footer, and notes.

    kind: opening, item, table, closing, list, backup or figure.
    """

    kind: str
    title: Set
    blocks: tuple[Block, ...] = ()
    marks: tuple[Mark, ...] = ()
    picture: Picture | None = None
    box: Box = Box(0, 0, 0, 0)
    footer: Footer | None = None
    notes: tuple[str, ...] = ()

    @property
    def top(self) -> int:
        """Where the title begins."""
        return TOP_OPENING if self.kind == "opening" else TOP if self.marks else TOP_ALONE

    @property
    def text_width(self) -> float:
        """How wide the texts beside or under the title are."""
        beside = self.kind == "item" and self.picture is not None
        return self.box.left - 2 * GAP - MARGIN if beside else FULL

    @property
    def mark_size(self) -> int:
        """The largest size at which the marks stand on one line."""
        for size in MARK_SIZES:
            if sum(mark_width(mark, size) + 12 for mark in self.marks) <= FULL:
                return size
        return MARK_SIZES[-1]


def mark_width(mark: Mark, size: int) -> float:
    """Pixels that a label takes with its ground."""
    return width_of(mark.text, size) * 1.08 + 24


def title_set(text: str, height: float = TITLE_HEIGHT) -> Set:
    """A title as large as its length lets it be."""
    return fitted(typeset(text), FULL, height, TITLE_SIZES, bold=True)


def marks_of(verdict: str, status: str, flags: tuple[str, ...] = ()) -> tuple[Mark, ...]:
    """Our verdict with its mark in words, the literature's status, and what else must be said at once."""
    return (
        Mark(f"our check: {MARKS[verdict]} {verdict}", f"v-{verdict}"),
        Mark(f"literature: {status}", f"s-{status}"),
        *(Mark(flag, "flag") for flag in flags),
    )


def picture_box(picture: Picture, top: float, bottom: float, width: float) -> Box:
    """The place of a picture at the right edge; a plot keeps its proportions, over a line for its credit."""
    height = bottom - top
    if picture.file:
        wide, high = picture.size
        width = min(width, max(1.0, height - CREDIT) * wide / high)
        height = min(height, width * high / wide + CREDIT)
    return Box(MARGIN + FULL - width, top, width, height)


def cited(section: Section, outline: Outline) -> str:
    """The citation for the foot of a slide, short enough to share its line with the claim's id."""
    if not section.evidence:
        return foot(f"{section.asserted_by}{', ' + section.date if section.date else ''}", "", section.claim)
    first = section.evidence[0]
    where = f", {first.locator}" if first.locator else ""
    return foot(f"{first.label}{where}", number_of(first.source, outline), section.claim)


def number_of(source: str | None, outline: Outline) -> str:
    """The number of a source in the list at the end, in brackets."""
    return next((f" [{one.number}]" for one in outline.references if one.key == source), "")


def foot(source: str, number: str, claim: str) -> str:
    """A source cut so that it shares the foot's line with a claim's id."""
    room = FULL - 40 - max(width_of(claim, FOOTER_SIZE), len(claim) * FOOTER_SIZE * 0.61)
    limit = len(source)
    while limit > 12 and width_of(shorten(source, limit) + number, FOOTER_SIZE) > room:
        limit -= 1
    return shorten(source, limit) + number
