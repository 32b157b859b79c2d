"""A talk as a Markdown outline to read: what to show, what to say, and why each thing may be said."""

from __future__ import annotations

from collections.abc import Iterator

from kb.talks.escape import address, markdown, markdown_code
from kb.talks.marks import standing
from kb.talks.notes import stands
from kb.talks.outline import Evidence, Objection, Outline, Ranking, Reference, Section, Table
from kb.talks.text import clock, counted, people, sentence, weight

_SEEN = {
    "primary": "read in the document itself",
    "paper-copy": "read in a public copy of its text",
    "web-copy": "read in a stored copy of the page",
    "repository": "read in a public repository",
    "second-hand": "second-hand: the source itself was not opened",
    "comment": "known only from the comment",
    "not-read": "a pointer: nobody has read the passage for this library",
}


def render(outline: Outline) -> str:
    """The outline as CommonMark text, ending in a line break."""
    numbers = {reference.key: reference.number for reference in outline.references}
    blocks = [*_head(outline)]
    for place, section in enumerate(outline.sections, start=1):
        blocks += _section(section, place, numbers)
    for table in outline.tables:
        blocks += _table(table)
    if outline.closing:
        blocks += ["## Closing", markdown(outline.closing)]
    if outline.ranking:
        blocks += _ranking(outline.ranking, numbers)
    if outline.cut:
        blocks += ["## What was cut, and why"]
        blocks += [
            "\n".join(
                f"- {markdown_code(c.claim)}: {markdown(c.title)} — {markdown(c.why)}" for c in outline.cut
            )
        ]
    if outline.references:
        blocks += ["## References", "\n".join(_reference(reference) for reference in outline.references)]
    return "\n\n".join(blocks) + "\n"


def seen_in_words(seen: str) -> str:
    """How a passage was read, as a reader would say it."""
    return _SEEN.get(seen, seen)


def _head(outline: Outline) -> Iterator[str]:
    yield f"# {markdown(outline.title)}"
    left = outline.minutes * 60 - outline.seconds
    yield (
        f"{clock(outline.seconds)} of {clock(outline.minutes * 60)} planned, {clock(left)} left;"
        f" {outline.words_per_minute} words a minute, {outline.pause_seconds:g} s pause after each item."
        f" {counted(len(outline.sections), 'item')}, {counted(len(outline.cut), 'claim')} cut."
    )
    if outline.notices:
        yield "\n".join(f"> - {markdown(notice)}" for notice in outline.notices)
    if outline.summary:
        yield "\n".join(f"- {markdown(line)}" for line in outline.summary)
    if outline.opening:
        yield "## Opening"
        yield markdown(outline.opening)


def _section(section: Section, place: int, numbers: dict[str, int]) -> Iterator[str]:
    yield f"## {place}. {markdown(section.title)} ({clock(section.seconds)})"
    if section.warnings:
        yield "\n".join(f"> **!** {markdown(warning)}  " for warning in section.warnings).rstrip()
    lines = [f"- **{markdown(section.number)}**"] if section.number else []
    for point in section.points:
        if point != section.number:
            lines.append(
                f"- Claim: {markdown(point)}" if point == section.statement else f"- {markdown(point)}"
            )
    if section.picture:
        lines.append(
            f"- Picture: {markdown(sentence(section.picture.alt))} {markdown(section.picture.credit)}"
        )
    lines += [f"- Recomputed: {markdown(line)}" for line in section.computations]
    if section.caveat:
        origin = f" ({_origin(section, numbers)})" if section.caveat_from else ""
        lines.append(f"- **Caveat:** {markdown(section.caveat)}{origin}")
    else:
        lines.append("- **Caveat:** none in this library, which is not the same as none.")
    lines += [f"- Departure of our run: {markdown(sentence(departure))}" for departure in section.departures]
    lines.append(f"- **Our check:** {markdown(section.verdict_text)}. **Literature:** {section.status}.")
    lines += [f"- **Says so:** {_evidence(one, numbers)}" for one in section.evidence]
    others = [one for one in section.objections if not _is_the_caveat(one, section)]
    lines += [f"- **Against:** {_objection(one, numbers)}" for one in others]
    when = f", {markdown(section.date)}" if section.date else ""
    lines.append(
        f"- In kb: {markdown_code(section.claim)} ({section.kind}; {markdown(section.asserted_by)}{when})"
    )
    lines += [f"- Check it yourself: {markdown_code(command)}" for command in section.commands]
    if section.why:
        lines.append(f"- Why here, as number {section.rank}: {markdown(section.why)}")
    yield "\n".join(lines)
    yield f"Say: {markdown(' '.join(section.say))}"


def _table(table: Table) -> Iterator[str]:
    head, *rows = ("| " + " | ".join(map(markdown, row)) + " |" for row in table.picture.table)
    yield f"## {markdown(table.title)}"
    yield "\n".join([head, "|" + " --- |" * len(table.picture.table[0]), *rows])
    if table.picture.credit:
        yield markdown(sentence(table.picture.credit))
    if table.say:
        yield f"Say: {markdown(' '.join(map(sentence, table.say)))}"


def _origin(section: Section, numbers: dict[str, int]) -> str:
    origin = section.caveat_from or ""
    return f"[{numbers[origin]}]" if origin in numbers else f"claim {markdown_code(origin)}"


def _is_the_caveat(objection: Objection, section: Section) -> bool:
    return bool(section.caveat_from) and section.objections[0] is objection


def _evidence(one: Evidence, numbers: dict[str, int]) -> str:
    told = _cited(one.label, one.source, one.locator, one.quote, numbers)
    indirect = ", indirectly" if one.directness == "indirect" else ""
    return f"{told} ({one.stance}{indirect}; {seen_in_words(one.seen)})"


def _objection(one: Objection, numbers: dict[str, int]) -> str:
    if one.claim:
        note = f" ({markdown(one.note)})" if one.note else ""
        answers = "".join(
            f" To be answered: {markdown(sentence(answer.text))} ({markdown(stands(answer))})"
            for answer in one.answers
        )
        doubt = standing(one.status or "open", one.verdict or "unchecked")
        itself = f" (itself {markdown(doubt)})" if doubt else ""
        return f"{markdown_code(one.claim)}{itself} {one.kind} it{note}: {markdown(one.text)}{answers}"
    told = _cited(one.label, one.source or "", one.locator, one.quote, numbers)
    note = f" — {markdown(one.text)}" if one.text else ""
    return f"{told} ({one.kind}){note}"


def _cited(label: str, key: str, locator: str | None, quote: str | None, numbers: dict[str, int]) -> str:
    number = f" [{numbers[key]}]" if key in numbers else ""
    where = f", {markdown(locator)}" if locator else ", no locator"
    return f"{markdown(label)}{number}{where}" + (f": “{markdown(quote)}”" if quote else "")


def _ranking(ranking: Ranking, numbers: dict[str, int]) -> Iterator[str]:
    yield "## Why this order"
    yield "The order is a weighted sum of scores from 0 to 3, ties broken by claim id. Weights:"
    yield "\n".join(
        f"- {markdown(one['name'])}, weight {weight(one['weight'])}: {markdown(one['question'])}"
        for one in ranking.criteria
    )
    names = [one["name"] for one in ranking.criteria]
    rows = [
        "| " + " | ".join(["place", "claim", *map(markdown, names), "points"]) + " |",
        "| " + " | ".join(["---:", "---", *["---:"] * len(names), "---:"]) + " |",
    ]
    for row in ranking.claims:
        cells = [weight(row["scores"][name]["score"]) if name in row["scores"] else "–" for name in names]
        shown = f"**{row['claim']}**" if row["shown"] else row["claim"]
        rows.append("| " + " | ".join([str(row["rank"]), shown, *cells, weight(row["total"])]) + " |")
    yield "\n".join(rows)
    for row in ranking.claims:
        if row["shown"]:
            yield f"Scores of {markdown_code(row['claim'])}:\n\n" + "\n".join(
                f"- {markdown(name)} {weight(given['score'])}: {markdown(sentence(given['reason']))}"
                + (f" [{numbers[given['source']]}]" if given["source"] in numbers else "")
                for name, given in row["scores"].items()
            )
    if ranking.alternatives:
        yield f"How the top {ranking.size} change under other weights:"
        yield "\n".join(
            f"- {markdown(one['name'])} ({_weights(one['weights'])}): {markdown(one['text'])}."
            f" Then: {', '.join(one['top'])}."
            for one in ranking.alternatives
        )


def _weights(weights: dict[str, float]) -> str:
    return ", ".join(f"{markdown(name)} {weight(value)}" for name, value in weights.items()) or "no change"


def _reference(reference: Reference) -> str:
    parts = [people(reference.authors), f"({reference.year})" if reference.year else ""]
    who = " ".join(markdown(part) for part in parts if part)
    title = markdown(sentence(reference.title)) if reference.title else ""
    url = f"<{address(reference.url)}>" if reference.url else ""
    told = " ".join(part for part in (sentence(who), title, url) if part)
    return f"{reference.number}. {told} {markdown_code(reference.key)}"
