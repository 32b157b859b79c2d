"""Speaker notes: what to say in the seconds given, the words of the sources, and what may be asked.

The notes hold whole what a slide has no room for.
"""

from __future__ import annotations

from kb.talks.evidence import verb
from kb.talks.marks import standing
from kb.talks.outline import Answer, Objection, Outline, Section, Table
from kb.talks.text import clock, sentence

NO_ANSWER = "No answer is recorded: grant it, or say that you do not know."


def of_section(section: Section) -> tuple[str, ...]:
    """The notes of an item, a paragraph each."""
    notes = [f"Say, in {clock(section.seconds)}: {' '.join(section.say)}"]
    notes += [f"Careful - {sentence(warning)}" for warning in section.warnings]
    if section.statement not in section.say:
        notes.append(f"The claim in full: {section.statement}")
    if section.caveat and not any(section.caveat in said for said in section.say):
        notes.append(f"Caveat: {section.caveat}")
    notes += [f"Our own run ({one.run}): {one.text}." for one in section.measured]
    notes += [f"Departure of our own run: {sentence(text)}" for text in section.departures]
    notes += [f"Recomputed from published figures: {line}." for line in section.computations]
    for one in section.evidence:
        words = f": “{one.quote}”" if one.quote else " (no quote was taken)"
        notes.append(f"Source - {one.label}, {one.locator or 'no locator'}{words}")
    if section.picture:
        large = " At full size in the backup." if section.picture.file else ""
        notes.append(f"Picture: {sentence(section.picture.alt)} {sentence(section.picture.credit)}{large}")
    notes += [f"They may ask - {asked(one)} {answered(one)}" for one in section.objections]
    if section.why:
        notes.append(f"Why it is number {section.rank}: {section.why}.")
    notes += [f"Run it: {command}" for command in section.commands]
    return tuple(notes)


def asked(objection: Objection) -> str:
    """An objection as somebody in the audience would put it."""
    if objection.claim:
        note = f": {objection.note}" if objection.note else ""
        doubt = standing(objection.status or "open", objection.verdict or "unchecked")
        stands = f"; it is itself {doubt}" if doubt else ""
        return f"“{objection.text}” ({objection.claim} {objection.kind} this{note}{stands}.)"
    where = f", {objection.locator}" if objection.locator else ""
    words = f" “{objection.quote}”" if objection.quote else f" {objection.text}" if objection.text else ""
    return f"{objection.label}{where} {verb(objection)} this:{words or ' see there.'}"


def answered(objection: Objection) -> str:
    """What to answer: what the library's rebutting claims or notes say, or that it says nothing."""
    return " ".join(f"Answer: {sentence(one.text)} ({stands(one)})" for one in objection.answers) or NO_ANSWER


def stands(answer: Answer) -> str:
    """Which claim answers, and how it stands itself."""
    doubt = standing(answer.status, answer.verdict)
    return f"{answer.claim}: {doubt}" if doubt else answer.claim


def of_opening(outline: Outline) -> tuple[str, ...]:
    """The notes of the title slide: the opening words, the time, what the speaker should know."""
    notes = [f"Say: {outline.opening}"] if outline.opening else []
    notes.append(
        f"{clock(outline.seconds)} of {clock(outline.minutes * 60)} minutes are planned, at"
        f" {outline.words_per_minute} words a minute with pauses of {outline.pause_seconds:g} seconds."
    )
    return (*notes, *(f"Note - {sentence(notice)}" for notice in outline.notices))


def of_table(table: Table) -> tuple[str, ...]:
    """The notes of a table's slide: what to say over it, and what is in it."""
    said = (
        [f"Say: {' '.join(map(sentence, table.say))}"] if table.say else ["No time is left to speak to this."]
    )
    read = [f"How to read it: {sentence(table.picture.credit)}"] if table.picture.credit else []
    return (*said, table.picture.alt, *read, f"Its rows are of: {', '.join(table.claims)}.")


def of_closing(outline: Outline) -> tuple[str, ...]:
    """The notes of the closing slide: the closing words, and what was cut and why."""
    notes = [f"Say: {outline.closing}"] if outline.closing else []
    notes += [f"Cut - {cut.claim}: {cut.why}." for cut in outline.cut]
    return tuple(notes) or ("The end.",)
