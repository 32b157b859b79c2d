"""A talk as slides: what stands where and at which size, before any format writes it.

Every box is measured (`kb.talks.measure`), so that no text runs out of it at any length; what does not fit at the
smallest size is cut with a pointer to the notes, which hold it whole. Positions are pixels of a 1280 x 720 canvas.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from kb.talks import notes
from kb.talks.evidence import verb as verb_of
from kb.talks.marks import MARKS
from kb.talks.measure import Set, fitted, height_of, width_of
from kb.talks.outline import Objection, Outline, Picture, Reference, Section
from kb.talks.text import clock, counted, numerals, people, sentence, shorten
from kb.talks.theme import HEIGHT, MARGIN, WIDTH

TITLE_SIZES = (52, 48, 44, 40, 36, 34)
NUMBER_SIZES = (44, 40, 36, 32, 28)
BODY_SIZES = (30, 28, 26, 24, 22)
QUOTE_SIZES = (26, 24, 22)
CAVEAT_SIZES = (28, 26, 24, 22)
LIST_SIZE = 22

FULL = WIDTH - 2 * MARGIN
TOP = 40
TITLE_HEIGHT = 186
FOOTER_TOP = 634
PICTURE_WIDTH = 500
GAP = 16
BAND = 14
"""Space inside the caveat's ground, above and below its text."""


@dataclass(frozen=True)
class Block:
    """A box of text: role (number, body, caveat, quote or row), the text as set, and its box's top."""

    role: str
    text: Set
    top: float
    lead: str = ""


@dataclass(frozen=True)
class Footer:
    """What stands at the foot of an item: our verdict, the literature's status, the citation, the claim's id."""

    verdict: str
    status: str
    source: str
    claim: str

    @property
    def check(self) -> str:
        """The verdict with its mark, as words."""
        return f"our check: {MARKS[self.verdict]} {self.verdict}"

    @property
    def literature(self) -> str:
        """The literature's status, kept apart from our verdict."""
        return f"literature: {self.status}"


@dataclass(frozen=True)
class Slide:
    """One slide: its title, boxes under it, an optional picture in its box, a footer, and the speaker's notes.

    kind: opening, item, closing, list or backup. picture_top and picture_height are 0 without a picture.
    """

    kind: str
    title: Set
    blocks: tuple[Block, ...] = ()
    picture: Picture | None = None
    picture_top: float = 0
    picture_height: float = 0
    footer: Footer | None = None
    notes: tuple[str, ...] = ()


@dataclass
class _Column:
    """Boxes from the top down, in what height is left."""

    top: float
    bottom: float
    width: float
    blocks: list[Block] = field(default_factory=list)

    def add(self, role: str, text: str, sizes: tuple[int, ...], share: float = 1.0, lead: str = "") -> bool:
        """Set a text in at most `share` of the height that is left; False where nothing of it fits."""
        room = (self.bottom - self.top) * share
        set_ = fitted(lead + text, self.width, room, sizes, bold=role == "number")
        if not set_.text:
            return False
        self.blocks.append(Block(role, Set(set_.text[len(lead) :], *_rest(set_)), self.top, lead))
        self.top += set_.height + GAP
        return True


def _rest(set_: Set) -> tuple[int, float, bool]:
    return set_.size, set_.height, set_.cut


def slides(outline: Outline) -> tuple[Slide, ...]:
    """The slides of a talk: opening, items, closing, references, and after them the backup, one per objection."""
    return (
        _opening(outline),
        *(_item(section, outline) for section in outline.sections),
        _closing(outline),
        *_references(outline.references),
        *_other_weights(outline),
        *_objections(outline),
    )


def title_set(text: str, height: float = TITLE_HEIGHT) -> Set:
    """A title as large as its length lets it be."""
    return fitted(text, FULL, height, TITLE_SIZES, bold=True)


def _opening(outline: Outline) -> Slide:
    title = fitted(outline.title, FULL, 330, (64, 58, 52, 46, 40), bold=True)
    column = _Column(TOP + 120 + title.height + 2 * GAP, HEIGHT - MARGIN, FULL)
    count = counted(len(outline.sections), "finding")
    minutes = f"{outline.minutes:g} minute{'' if outline.minutes == 1 else 's'}"
    column.add("body", f"{count}, each with its evidence and the best objection to it · {minutes}", (28, 24))
    for line in outline.summary:
        column.add("body", line, (26, 24, 22))
    return Slide("opening", title, tuple(column.blocks), notes=notes.of_opening(outline))


def _item(section: Section, outline: Outline) -> Slide:
    title = title_set(section.title)
    caveat = _caveat(section)
    bottom = (caveat.top - BAND if caveat else FOOTER_TOP) - GAP
    top = TOP + title.height + GAP + 6
    picture = section.picture if bottom - top >= 190 else None
    column = _Column(top, bottom, FULL - (PICTURE_WIDTH + 2 * GAP if picture else 0))
    leads = [point for point in section.points if point != section.statement]
    number = section.number if section.number is not None and section.number in leads else None
    if number:
        column.add("number", number, NUMBER_SIZES, 0.55)
    for point in leads:
        if point != number:
            column.add("body", point, BODY_SIZES, 0.7)
    if section.statement in section.points or title.cut:
        lead = "The claim: " if section.status in ("refuted", "disputed") else ""
        column.add("body", section.statement, BODY_SIZES, lead=lead)
    _quoted(section, column)
    blocks = (*column.blocks, *([caveat] if caveat else []))
    return Slide(
        "item",
        title,
        blocks,
        picture,
        top if picture else 0,
        bottom - top if picture else 0,
        Footer(section.verdict, section.status, cited(section, outline), section.claim),
        notes.of_section(section),
    )


def _quoted(section: Section, column: _Column) -> None:
    """The first quote in what room is left, if it can stand there whole."""
    first = next((one for one in section.evidence if one.quote and len(numerals(one.quote)) <= 4), None)
    if first is None:
        return
    text = f"“{first.quote}” – {first.label}"
    height = column.bottom - column.top - GAP
    for size in QUOTE_SIZES:
        if height_of(text, size, column.width) <= height:
            column.top += GAP
            column.add("quote", text, (size,))
            return


def _caveat(section: Section) -> Block | None:
    if not section.caveat:
        return None
    lead = "But: "
    text = fitted(lead + section.caveat, FULL - 2 * GAP, 150, CAVEAT_SIZES)
    top = FOOTER_TOP - GAP - BAND - text.height
    return Block("caveat", Set(text.text[len(lead) :], *_rest(text)), top, lead)


def cited(section: Section, outline: Outline) -> str:
    """The citation for the foot of a slide, short enough to share its line with the claim's id."""
    if not section.evidence:
        return f"{section.asserted_by}{', ' + section.date if section.date else ''}"
    numbers = {reference.key: reference.number for reference in outline.references}
    first = section.evidence[0]
    where = f", {first.locator}" if first.locator else ""
    number = f" [{numbers[first.source]}]" if first.source in numbers else ""
    room = int((FULL - 30 - width_of(section.claim, 19)) / (19 * 0.62))
    return shorten(f"{first.label}{where}", max(20, room - len(number))) + number


def _closing(outline: Outline) -> Slide:
    title = title_set("What to take home")
    column = _Column(TOP + title.height + 2 * GAP, HEIGHT - MARGIN - 40, FULL)
    if outline.closing:
        column.add("body", outline.closing, (34, 30, 28, 26), 0.6)
    for place, section in enumerate(outline.sections, start=1):
        room = int(FULL / (24 * 0.58))
        more = len(outline.sections) - place
        column.bottom = HEIGHT - MARGIN - (40 if more else 0)  # room for "and so many more"
        if not column.add("row", shorten(section.title, room - 6), (24, 22), lead=f"{place}. "):
            column.bottom = HEIGHT - MARGIN
            column.add("row", f"… and {more + 1} more", (24, 22))
            break
        column.top -= GAP - 10
    return Slide("closing", title, tuple(column.blocks), notes=notes.of_closing(outline))


def _references(references: tuple[Reference, ...]) -> Iterator[Slide]:
    rows = []
    for one in references:
        who = f"{people(one.authors)} ({one.year})." if one.year else sentence(people(one.authors))
        rows.append((f"[{one.number}] ", shorten(f"{who} {sentence(one.title)} {one.url}".strip(), 400)))
    yield from listed("References", rows, ("Sources, in the order of their first use.",))


def listed(title: str, rows: list[tuple[str, str]], said: tuple[str, ...]) -> Iterator[Slide]:
    """Slides with rows (lead, text), as many on each as fit."""
    pages: list[list[Block]] = []
    set_title = title_set(title)
    start = float(TOP + set_title.height + GAP)
    top = float(HEIGHT)
    for lead, text in rows:
        taken = height_of(lead + text, LIST_SIZE, FULL)
        if top + taken > HEIGHT - MARGIN:
            pages.append([])
            top = start
        pages[-1].append(Block("row", Set(text, LIST_SIZE, taken), top, lead))
        top += taken + 10
    for place, page in enumerate(pages, start=1):
        of = f" ({place} of {len(pages)})" if len(pages) > 1 else ""
        yield Slide("list", title_set(title + of), tuple(page), notes=said)


def _other_weights(outline: Outline) -> Iterator[Slide]:
    if outline.ranking is None or not outline.ranking.alternatives:
        return
    rows = [
        (f"{one['name']}: ", shorten(f"{sentence(one['text'])} Then: {', '.join(one['top'])}.", 600))
        for one in outline.ranking.alternatives
    ]
    said = tuple(f"{s.claim}: {s.why}." for s in outline.sections if s.why)
    yield from listed(f"Other weights give another {outline.ranking.size}", rows, said)


def _objections(outline: Outline) -> Iterator[Slide]:
    """Backup: one slide per objection, those that speak against several items once."""
    seen: set[tuple[str | None, str | None, str]] = set()
    for section in outline.sections:
        for one in section.objections:
            key = (one.source, one.claim, one.quote or one.text)
            if key not in seen:
                seen.add(key)
                yield _objection(one, section, outline)


def _objection(one: Objection, section: Section, outline: Outline) -> Slide:
    verb = verb_of(one)
    title = title_set(one.text if one.claim else f"{one.label} {verb}: {section.title}")
    column = _Column(TOP + title.height + GAP + 6, FOOTER_TOP - GAP, FULL)
    if one.claim:
        column.add("body", section.title, BODY_SIZES, 0.4, lead=f"This {verb}: ")
    if one.quote:
        column.add("quote", f"“{one.quote}”", (34, 32, 30, 28, 26), 0.6)
    if not one.quote and not one.text and one.locator:
        column.add("body", one.locator, BODY_SIZES, lead="See ")
    if one.text and not one.claim:
        column.add("body", one.text, BODY_SIZES[1:], 0.6)
    if one.note:
        column.add("body", one.note, BODY_SIZES, 0.4, lead="How: ")
    for answer in one.answers:
        column.add("body", answer, BODY_SIZES, 0.6, lead="Answer: ")
    numbers = {reference.key: reference.number for reference in outline.references}
    where = f", {one.locator}" if one.locator else ""
    number = f" [{numbers[one.source]}]" if one.source in numbers else ""
    room = int((FULL - 30 - width_of(section.claim, 19)) / (19 * 0.62))
    source = shorten(f"claim {one.claim}" if one.claim else f"{one.label}{where}", max(20, room - 5)) + number
    return Slide(
        "backup",
        title,
        tuple(column.blocks),
        footer=Footer(section.verdict, section.status, source, section.claim),
        notes=(
            f"They may ask - {notes.asked(one)}",
            notes.answered(one),
            f"About {section.claim}: {section.title}",
        ),
    )


def spoken(slide: Slide) -> str:
    """The notes as one text, a line each."""
    return "\n".join(slide.notes)


def summary(outline: Outline) -> str:
    """What a footer may say of the whole talk."""
    return f"{outline.title} · {clock(outline.seconds)}"
