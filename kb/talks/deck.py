"""A talk as slides: what stands where and at which size, before any format writes it.

Every box is measured (`kb.talks.measure`), so that no text runs out of it at any length; what does not fit at the
smallest size is cut with a pointer to the notes, which hold it whole. Positions are pixels of a 1280 x 720 canvas.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from kb.talks import backup, chart, notes
from kb.talks.column import GAP, SIZES, Block, Want, column, is_whole
from kb.talks.marks import MARKS, is_doubted, standing
from kb.talks.measure import Set, fitted, height_of
from kb.talks.outline import Outline, Picture, Section
from kb.talks.sections import chance, on_a_stand_in
from kb.talks.slide import (
    BAND,
    CLOSING_GAP,
    FOOTER_TOP,
    FULL,
    TOP,
    TOP_ALONE,
    TOP_OPENING,
    Footer,
    Slide,
    cited,
    marks_of,
    picture_box,
    title_set,
)
from kb.talks.text import counted, joined, numerals, plain_quote, shorten, typeset
from kb.talks.theme import HEIGHT, MARGIN

CAVEAT_SIZES = (30, 28, 26, 24, 22)
TITLE_BESIDE_PICTURE = 132
BESIDE = 24
"""The comfortable size of texts beside a picture."""


def slides(outline: Outline) -> tuple[Slide, ...]:
    """The slides of a talk: opening, items, tables, closing, references, and after them the backup."""
    items = [_item(section, outline) for section in outline.sections]
    return (
        _opening(outline),
        *items,
        *backup.tables(outline),
        _closing(outline),
        *backup.references(outline),
        *backup.other_weights(outline),
        *backup.figures(outline, {item.picture for item in items}),
        *backup.objections(outline),
    )


def _opening(outline: Outline) -> Slide:
    title = fitted(typeset(outline.title), FULL, 250, (64, 58, 52, 46, 40), bold=True)
    count = counted(len(outline.sections), "claim")
    minutes = f"{outline.minutes:g} minute{'' if outline.minutes == 1 else 's'}"
    wants = [Want("body", f"{count}, each with its evidence and the best objection to it · {minutes}")]
    if outline.sections:
        wants.append(Want("body", _tally(outline)))
    wants += [Want("body", line, optional=True) for line in outline.summary]
    top = TOP_OPENING + title.height + 2 * GAP
    blocks = column(wants, top, HEIGHT - MARGIN, FULL)
    return Slide("opening", title, blocks, notes=notes.of_opening(outline))


def _tally(outline: Outline) -> str:
    """How the talk's claims stand, so that nobody takes all of them for settled."""
    verdicts = Counter(section.verdict for section in outline.sections)
    statuses = Counter(section.status for section in outline.sections)
    ours = [f"{verdicts[word]} {word}" for word in MARKS if verdicts[word]]
    theirs = [f"{count} {word}" for word, count in sorted(statuses.items(), key=lambda pair: -pair[1])]
    return f"Our own checks: {joined(ours)}. The literature: {joined(theirs)}."


def _item(section: Section, outline: Outline) -> Slide:
    caveat = _caveat(section)
    bottom = (caveat.top - BAND if caveat else FOOTER_TOP) - GAP
    footer = Footer(cited(section, outline), section.claim)
    marks = marks_of(section.verdict, section.status, section.flags)
    told = notes.of_section(section)
    for picture, width in _pictures(section):
        title = title_set(section.title, TITLE_BESIDE_PICTURE)
        top = TOP + title.height + GAP
        box = picture_box(picture, top, bottom, width)
        wants = _wants(section, title.cut, beside=True)
        blocks = column(wants, top, bottom, box.left - 2 * GAP - MARGIN, BESIDE)
        if title.cut or not chart.fits(picture, box.width, box.height) or not is_whole(blocks, wants):
            continue
        blocks = (*blocks, *([caveat] if caveat else []))
        return Slide("item", title, blocks, marks, picture, box, footer, told)
    title = title_set(section.title)
    blocks = column(_wants(section, title.cut), TOP + title.height + GAP, bottom, FULL)
    return Slide("item", title, (*blocks, *([caveat] if caveat else [])), marks, footer=footer, notes=told)


def _pictures(section: Section) -> Iterator[tuple[Picture, int]]:
    """The item's picture with the widths to try: a picture that leaves the words no room goes to the backup."""
    picture = section.picture
    if picture is not None:
        widths = (660, 580, 500) if picture.file else (560, 500) if picture.bars else (640, 560)
        yield from ((picture, width) for width in widths)


def _wants(section: Section, title_cut: bool, *, beside: bool = False) -> list[Want]:
    """The texts of an item, what may go at the end: number, our run, forecast, answer, statement, quote.

    Beside a plot of our own run the claim's full sentence may go: the headline says it, the plot shows it.
    """
    wants = []
    if section.number:
        wants.append(Want("number", section.number))
    if section.forecast:
        told = f"{chance(section.forecast)} → {section.forecast.outcome or 'not resolved'}"
        wants.append(Want("body" if section.forecast.probability is None else "number", told))
        wants += [Want("body", line) for line in on_a_stand_in(section.forecast)]
    for one in section.measured[:1]:
        if not wants:
            wants.append(Want("number", one.shown))
        told = one.about if wants[0].text == one.shown else one.text
        wants.append(Want("body", told, lead="Our run: "))
    if section.answer:
        wants.append(Want("body", section.answer, lead="Answer: "))
    plot = beside and bool(section.picture and section.picture.file)
    departs = Want("body", _departs(section), lead="Not the original: ", optional=True)
    if section.departures and plot:
        wants.append(departs)
    if section.statement in section.points or title_cut:
        lead = "The claim: " if is_doubted(section.status, section.verdict) else ""
        # Beside its answer a question may go, too.
        optional = (plot or section.answer is not None) and not title_cut
        wants.append(Want("body", section.statement, lead, optional=optional))
    if section.departures and not plot:
        wants.append(departs)
    first = next((one for one in section.evidence if one.quote and len(numerals(one.quote)) <= 4), None)
    if first and first.quote:
        wants.append(Want("quote", f"“{plain_quote(first.quote)}” – {first.label}", optional=True))
    return wants


def _departs(section: Section) -> str:
    """What of our own run is not as in the original, as much as a slide can say."""
    first, more = next(iter(section.departures), ""), len(section.departures) - 1
    return shorten(first, 90) + (f" ({counted(more, 'more departure')} in the notes)" if more > 0 else "")


def _caveat(section: Section) -> Block | None:
    if not section.caveat:
        return None
    lead = "But: "
    text = fitted(lead + typeset(section.caveat), FULL - 2 * GAP, 150, CAVEAT_SIZES)
    top = FOOTER_TOP - 12 - BAND - text.height
    return Block("caveat", Set(text.text[len(lead) :], text.size, text.height, text.cut), top, lead)


def _closing(outline: Outline) -> Slide:
    title = title_set("What to take home")
    rows = []
    for place, section in enumerate(outline.sections, start=1):
        doubt = standing(section.status, section.verdict)
        rows.append((f"{place}. ", typeset(shorten(section.title, 120)) + (f" ({doubt})" if doubt else "")))
    top = TOP_ALONE + title.height + GAP
    closing = typeset(outline.closing) if outline.closing else None
    blocks = _rows(closing, rows, top, HEIGHT - MARGIN // 2)
    return Slide("closing", title, blocks, notes=notes.of_closing(outline))


def _rows(first: str | None, rows: list[tuple[str, str]], top: float, bottom: float) -> tuple[Block, ...]:
    """A text and rows under it, at the largest size at which they fit; at the smallest as many as fit."""
    blocks: list[Block] = []
    for size in SIZES[3:]:
        blocks, y = [], top
        if first:
            blocks.append(Block("body", fitted(first, FULL, bottom - top, (size + 4, size)), y))
            y += blocks[-1].text.height + GAP
        for lead, text in rows:
            height = height_of(lead + text, size, FULL)
            blocks.append(Block("row", Set(text, size, height), y, lead))
            y += height + CLOSING_GAP
        if y - CLOSING_GAP <= bottom:
            return tuple(blocks)
    line = height_of("more", SIZES[-1], FULL)
    kept = [block for block in blocks if block.top + block.text.height + CLOSING_GAP + line <= bottom]
    end = kept[-1].top + kept[-1].text.height + CLOSING_GAP if kept else top
    more = Set(f"… and {len(blocks) - len(kept)} more", SIZES[-1], line)
    return (*kept, Block("row", more, end))
