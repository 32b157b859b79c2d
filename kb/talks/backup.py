"""The slides around a talk's items: its tables before the end, and after it references, plots and objections."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator

from kb.talks import notes, table
from kb.talks.column import GAP, Block, Want, column
from kb.talks.evidence import verb as verb_of
from kb.talks.marks import is_doubted, standing
from kb.talks.measure import Set, height_of
from kb.talks.outline import Objection, Outline, Picture, Section
from kb.talks.slide import (
    FOOTER_TOP,
    FULL,
    ROW_GAP,
    TOP,
    TOP_ALONE,
    Box,
    Footer,
    Mark,
    Slide,
    cited,
    foot,
    marks_of,
    number_of,
    picture_box,
    title_set,
)
from kb.talks.text import people, plain_quote, sentence, shorten
from kb.talks.theme import HEIGHT, MARGIN

LIST_SIZES = (28, 26, 24, 22)


def tables(outline: Outline) -> Iterator[Slide]:
    """One slide per table of the talk, or as many as its rows need."""
    for one in outline.tables:
        set_title = title_set(one.title)
        top = TOP_ALONE + set_title.height + GAP
        box = Box(MARGIN, top, FULL, HEIGHT - 40 - top)
        pages = table.pages(one.picture, box.width, box.height)
        for place, picture in enumerate(pages, start=1):
            of = f" ({place} of {len(pages)})" if len(pages) > 1 else ""
            said = notes.of_table(one) if place == 1 else ("The same, continued.",)
            yield Slide("table", title_set(one.title + of), picture=picture, box=box, notes=said)


def references(outline: Outline) -> Iterator[Slide]:
    """The sources, in the order of their first use."""
    rows = []
    for one in outline.references:
        who = f"{people(one.authors)} ({one.year})." if one.year else sentence(people(one.authors))
        rows.append((f"[{one.number}] ", shorten(f"{who} {sentence(one.title)} {one.url}".strip(), 400)))
    yield from _listed("References", rows, ("Sources, in the order of their first use.",))


def other_weights(outline: Outline) -> Iterator[Slide]:
    """What would be shown under each other weighting of the rubric."""
    if outline.ranking is None or not outline.ranking.alternatives:
        return
    rows = [
        (f"{one['name']}: ", shorten(f"{sentence(one['text'])} Then: {', '.join(one['top'])}.", 600))
        for one in outline.ranking.alternatives
    ]
    said = tuple(f"{s.claim}: {s.why}." for s in outline.sections if s.why)
    yield from _listed(f"Other weights give another {outline.ranking.size}", rows, said)


def _listed(title: str, rows: list[tuple[str, str]], said: tuple[str, ...]) -> Iterator[Slide]:
    """Slides with rows (lead, text): one if all fit at some size, else as many on each as fit at the smallest."""
    start = float(TOP_ALONE + title_set(title).height + GAP)
    pages: list[list[Block]] = []
    for size in LIST_SIZES:
        pages = _paged(rows, start, size)
        if len(pages) <= 1:
            break
    for place, page in enumerate(pages, start=1):
        of = f" ({place} of {len(pages)})" if len(pages) > 1 else ""
        yield Slide("list", title_set(title + of), tuple(page), notes=said)


def _paged(rows: list[tuple[str, str]], start: float, size: int) -> list[list[Block]]:
    pages: list[list[Block]] = []
    top = float(HEIGHT)
    for lead, text in rows:
        taken = height_of(lead + text, size, FULL)
        if top + taken > HEIGHT - MARGIN:
            pages.append([])
            top = start
        pages[-1].append(Block("row", Set(text, size, taken), top, lead))
        top += taken + ROW_GAP
    return pages


def figures(outline: Outline, shown: Collection[Picture | None]) -> Iterator[Slide]:
    """Backup: every plot of the items' runs at full size, and what no item's slide had room for, each once."""
    seen: set[Picture] = set()
    for section in outline.sections:
        for picture in (section.picture, *section.pictures):
            if picture and picture not in seen and (picture.file or picture not in shown):
                seen.add(picture)
                yield from _figure(picture, section, outline)


def _figure(picture: Picture, section: Section, outline: Outline) -> Iterator[Slide]:
    named = picture.title or picture.credit
    title = title_set(named[:1].upper() + named[1:], 90)
    top = TOP_ALONE + title.height + GAP
    box = picture_box(picture, top, FOOTER_TOP - 12, FULL)
    if picture.file:
        box = dataclasses.replace(box, left=MARGIN + (FULL - box.width) / 2)
    departures = [f"Departure of our own run: {sentence(text)}" for text in section.departures]
    said = (f"Shows: {sentence(picture.alt)}", f"From: {sentence(picture.credit)}", *departures)
    footer = Footer(cited(section, outline), section.claim)
    for page in table.pages(picture, box.width, box.height) if picture.table else (picture,):
        yield Slide("figure", title, picture=page, box=box, footer=footer, notes=said)


def objections(outline: Outline) -> Iterator[Slide]:
    """Backup: one slide per objection, those that speak against several items once."""
    seen: set[tuple[str | None, str | None, str]] = set()
    for section in outline.sections:
        for one in section.objections:
            key = (one.source, one.claim, one.quote or one.text)
            if key not in seen:
                seen.add(key)
                yield _objection(one, section, outline)


def _objection(one: Objection, section: Section, outline: Outline) -> Slide:
    title, wants = _against(one, section)
    wants += [
        Want("body", f"{sentence(answer.text)} ({notes.stands(answer)})", "Answer: ")
        for answer in one.answers
    ]
    if not one.answers:
        wants.append(Want("body", "No answer to this is recorded in the library."))
    marks = [Mark("objection", "plain")]
    if one.claim and one.verdict and one.status:
        marks += marks_of(one.verdict, one.status, one.flags)
    where = f", {one.locator}" if one.locator else ""
    source = f"claim {one.claim}" if one.claim else f"{one.label}{where}"
    return Slide(
        "backup",
        title,
        column(wants, TOP + title.height + GAP, FOOTER_TOP - GAP, FULL),
        tuple(marks),
        footer=Footer(foot(source, number_of(one.source, outline), section.claim), section.claim),
        notes=(
            f"They may ask - {notes.asked(one)}",
            notes.answered(one),
            f"About {section.claim}: {section.title}",
        ),
    )


def _against(one: Objection, section: Section) -> tuple[Set, list[Want]]:
    """An objection's headline, which is the objection itself wherever there are words for it, and what it is to."""
    doubt = standing(section.status, section.verdict)
    said = section.statement if is_doubted(section.status, section.verdict) else section.title
    target = f"{said}{f' ({doubt})' if doubt else ''}"
    verb = verb_of(one)
    if one.claim:
        wants = [Want("body", target, f"This {verb}: ")]
        if one.note:
            wants.append(Want("body", one.note, "How: "))
        return title_set(one.text), wants
    wants = [Want("body", target, f"{one.label} {verb}: ")]
    quote = f"“{plain_quote(one.quote)}”" if one.quote else ""
    note = sentence(one.text[:1].upper() + one.text[1:]) if one.text else ""
    for headline in (quote, note):
        title = title_set(headline) if headline else None
        if title and not title.cut:
            others = [Want("quote", quote)] if quote and headline != quote else []
            others += [Want("body", note)] if note and headline != note else []
            return title, wants + others
    where = [Want("body", one.locator, "See ")] if one.locator else []
    others = [Want("quote", quote)] if quote else []
    others += [Want("body", note)] if note else []
    return title_set(f"{one.label} {verb}: {said}"), [*others, *where]
