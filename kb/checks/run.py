"""Every claim through every check: what has been verified, how, when, and what has not.

Plain SQL in, plain results out; nothing is written here. `kb check` stores what this finds.
"""

from __future__ import annotations

import functools
import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from kb.checks.citations import Sources, known_from
from kb.checks.expressions import Cell
from kb.checks.figures import computations_of, load_cells
from kb.checks.numerals import numerals
from kb.checks.prediction import items
from kb.checks.quotes import find_in, nearest, normalise, words_in, words_needed
from kb.reproduce.verdicts import Today, changes_since, manifests
from kb.sources.registries import Known
from kb.verdict import Judgement, together


@dataclass(frozen=True)
class Result:
    """What one check says of one thing that hangs on a claim.

    outcome: pass, derived, fail, unknown, skipped or stale (`kb.words.CHECK_OUTCOMES`); unknown is never
    green.
    """

    check: str
    subject: str
    outcome: str
    detail: str


@dataclass(frozen=True)
class Rendering:
    """The text of a source as somebody got it: what a quote was looked for in."""

    source: str
    sha256: str
    kind: str
    at: str
    where: str
    text: str


@dataclass(frozen=True)
class Library:
    """What the checks of a claim look at beside the claim itself."""

    connection: sqlite3.Connection
    cells: Mapping[str, Cell]
    renderings: Mapping[str, Rendering]
    sources: Sources
    reproductions: Mapping[str, Today]

    @functools.cached_property
    def sources_with(self) -> Mapping[str, set[str]]:
        """Word -> the sources whose stored text has it: a quote is looked for in few other texts, not in all."""
        found: dict[str, set[str]] = {}
        for rendering in self.renderings.values():
            for word in words_in(rendering.text):
                found.setdefault(word, set()).add(rendering.source)
        return found


def load(connection: sqlite3.Connection, known: Known | None = None) -> Library:
    """The figures and renderings that the store holds, and what registries answered (or what is `known`)."""
    rows = connection.execute(
        "SELECT source_key, sha256, kind, at, location, text FROM rendering ORDER BY at"
    )
    renderings = {
        row[0]: Rendering(row[0], row[1], row[2], row[3], row[4], normalise(row[5])) for row in rows
    }
    sources = Sources(connection, known or known_from(connection))
    return Library(connection, load_cells(connection), renderings, sources, manifests(connection))


def check_claim(library: Library, claim_id: str) -> list[Result]:
    """All checks of one claim, in the order of the chain from citation to run."""
    return [result for check in CHECKS.values() for result in check(library, claim_id)]


def check_claims(library: Library, claim_ids: Iterable[str]) -> Iterator[tuple[str, list[Result]]]:
    """`check_claim` for many, as they come."""
    for claim_id in claim_ids:
        yield claim_id, check_claim(library, claim_id)


def count(results: Iterable[Result]) -> dict[str, int]:
    """How many passed, failed and are unknown; derived and stale ones are counted under their own names."""
    counted = Counter(result.outcome for result in results)
    return {
        "passed": counted["pass"],
        "failed": counted["fail"],
        "unknown": counted["unknown"],
        "derived": counted["derived"],
        "stale": counted["stale"],
        "skipped": counted["skipped"],
    }


def citation(library: Library, claim_id: str) -> Iterator[Result]:
    """A claim has at least one citation that says where in the source to look."""
    rows = library.connection.execute(
        "SELECT source_key, locator FROM citation WHERE claim_id = ? ORDER BY position", (claim_id,)
    ).fetchall()
    located = sum(1 for _, locator in rows if locator)
    if not rows:
        yield Result("citation", "", "fail", "cites nothing")
    elif not located:
        yield Result("citation", "", "fail", "no citation says where in its source to look")
    else:
        yield Result("citation", "", "pass", f"{located} of {len(rows)} citations have a locator")


def source(library: Library, claim_id: str) -> Iterator[Result]:
    """Each cited source is there, is the one of its entry, and nobody has retracted it since."""
    rows = library.connection.execute(
        "SELECT source_key FROM citation WHERE claim_id = ? GROUP BY source_key ORDER BY MIN(position)",
        (claim_id,),
    )
    for (key,) in rows:
        found = library.sources.summary(key)
        when = f" (looked up {found.at[:10]})" if found.at else ""
        yield Result("source", key, found.outcome, found.detail + when)


def quote(library: Library, claim_id: str) -> Iterator[Result]:
    """Each quote stands, word for word, in a rendering of its source. Never: the words support the claim."""
    rows = library.connection.execute(
        "SELECT position, source_key, quote, seen, absence FROM citation WHERE claim_id = ? ORDER BY position",
        (claim_id,),
    )
    for position, key, words, seen, absent in rows:
        subject = f"{position + 1} {key}"
        rendering = library.renderings.get(key)
        if words is None:
            if absent is None:
                yield Result("quote", subject, "unknown", f"no verbatim words are kept; {SEEN[seen]}")
        elif rendering is None:
            told = f"no rendering of {key} is stored; {SEEN[seen]}"
            elsewhere = _elsewhere(library, words, key)
            if elsewhere:
                told += f"; these words stand in the stored text of {elsewhere}"
            yield Result("quote", subject, "unknown", told)
        else:
            yield _quote_in(library, subject, words, rendering)


SEEN = {
    "primary": "whoever entered it had the published document open",
    "paper-copy": "whoever entered it read a public copy of the paper",
    "web-copy": "whoever entered it read a stored copy of the page",
    "repository": "whoever entered it read a repository that carries the text",
    "second-hand": "it was seen in another document only",
    "comment": "it is known from the comment that asserts the claim only",
    "not-read": "nobody has read the passage",
}
"""How a passage was seen (`kb.words.SEEN`), said of what kb itself has not verified."""


def _quote_in(library: Library, subject: str, words: str, rendering: Rendering) -> Result:
    of = f"the {rendering.kind} of {rendering.source} of {rendering.at[:10]} (sha256 {rendering.sha256[:12]})"
    found = find_in(words, rendering.text)
    if found and found.negation_left_out:
        detail = (
            f"these words stand in {of}, {found.share:.0%} into it, but what they leave out holds a negation:"
            f" {found.negation_left_out!r}; somebody has to read it"
        )
        return Result("quote", subject, "unknown", detail)
    if found:
        detail = f"these words stand in {of}, {found.share:.0%} into it"
        return Result("quote", subject, "pass", detail)
    elsewhere = _elsewhere(library, words, rendering.source)
    if elsewhere:
        detail = f"misattributed: these words are not in {of} but stand in {elsewhere}"
        return Result("quote", subject, "fail", detail)
    miss = nearest(words, rendering.text)
    close = f"; closest: {miss.difference}" if miss else ""
    return Result("quote", subject, "fail", f"these words do not stand in {of}{close}")


def _elsewhere(library: Library, words: str, key: str) -> str:
    """Another source of the library in whose stored text these words stand; "" where there is none."""
    holders = [library.sources_with.get(word, set()) for word in words_needed(words)]
    if not holders:
        return ""
    candidates = set.intersection(*sorted(holders, key=len)) - {key}
    return next((c for c in sorted(candidates) if find_in(words, library.renderings[c].text)), "")


def absence(library: Library, claim_id: str) -> Iterator[Result]:
    """Evidence of absence is somebody's reading; a machine cannot confirm it, so it stays unknown."""
    rows = library.connection.execute(
        "SELECT position, source_key, absence FROM citation WHERE claim_id = ? AND absence IS NOT NULL"
        " ORDER BY position",
        (claim_id,),
    )
    for position, key, text in rows:
        told = json.loads(text)
        detail = f"{told['by']} read {', '.join(told['sections'])} on {told['on']}: no {told['looked_for']}"
        yield Result("absence", f"{position + 1} {key}", "unknown", detail)


def figure(library: Library, claim_id: str) -> Iterator[Result]:
    """Each computation over published figures gives the value that the claim needs, as the claim words it."""
    for computed in computations_of(library.connection, claim_id, library.cells):
        yield Result("figure", computed.name, computed.outcome, computed.detail)


def number(library: Library, claim_id: str) -> Iterator[Result]:
    """Each numeral of the number on the claim's slide stands in one of its quotes, figures or computations."""
    row = library.connection.execute("SELECT number FROM claim WHERE id = ?", (claim_id,)).fetchone()
    if row is None or row[0] is None:
        return
    evidence: set[str] = set()
    for (words,) in library.connection.execute(
        "SELECT quote FROM citation WHERE claim_id = ? AND quote IS NOT NULL", (claim_id,)
    ):
        evidence.update(_values(words))
    for computed in computations_of(library.connection, claim_id, library.cells):
        used = [library.cells[id_].value for id_ in computed.cells]
        evidence.update(f"{value:g}" for value in used if value is not None)
        if computed.outcome in ("pass", "derived"):
            evidence.update(_values(computed.detail.partition(", assumes")[0]))
    without = [shown for shown in numerals(row[0]) if not _values(shown) & evidence]
    if without:
        detail = f"{', '.join(without)} of {row[0]!r} stands in no quote, figure or computation of the claim"
        yield Result("number", "", "fail", detail)
    else:
        yield Result("number", "", "pass", "every numeral stands in a quote, figure or computation")


def _values(text: str) -> set[str]:
    return {f"{float(numeral):g}" for numeral in numerals(text)}


def miscitation(library: Library, claim_id: str) -> Iterator[Result]:
    """A source that somebody cites in support is recorded, in its own words or figures, as disputing."""
    rows = library.connection.execute(
        "SELECT s.source_key, s.cited_by, COALESCE(d.locator, '') FROM citation s JOIN citation d"
        " ON d.claim_id = s.claim_id AND d.source_key = s.source_key AND d.stance = 'disputes'"
        " AND (d.quote IS NOT NULL OR d.absence IS NOT NULL)"
        " WHERE s.claim_id = ? AND s.cited_by IS NOT NULL AND s.stance IN ('asserts', 'supports')"
        " GROUP BY s.source_key, s.cited_by",
        (claim_id,),
    )
    for key, citer, locator in rows:
        where = f" at {locator}" if locator else ""
        detail = f"{citer} cites {key} in support, and {key} itself disputes it{where}"
        yield Result("source contradicts its citer", key, "fail", detail)


def reproduction(library: Library, claim_id: str) -> Iterator[Result]:
    """What our own runs say, with the rule and the tier; smoke runs say nothing."""
    rows = library.connection.execute(
        "SELECT c.reproduction, j.run_id, r.preset, j.verdict, j.because, j.analogue, j.post_hoc,"
        " r.version, r.code_digest, r.config, c.name FROM criterion c"
        " LEFT JOIN run r ON r.reproduction = c.reproduction AND r.state = 'finished' AND r.preset <> 'smoke'"
        " LEFT JOIN judgement j ON j.run_id = r.id AND j.criterion = c.name AND j.claim_id = c.claim_id"
        " WHERE c.claim_id = ? AND c.is_primary ORDER BY c.reproduction, r.started, r.id",
        (claim_id,),
    ).fetchall()
    judged = [row for row in rows if row["run_id"] is not None]
    for name in sorted({row["reproduction"] for row in rows} - {row["reproduction"] for row in judged}):
        yield Result("reproduction", name, "unknown", f"never run here: kb reproduce {name}")
    by_run: dict[tuple[str, str, bool], list[sqlite3.Row]] = {}
    for row in judged:
        by_run.setdefault((row["reproduction"], row["run_id"], bool(row["analogue"])), []).append(row)
    for (name, run_id, analogue), criteria in by_run.items():
        # Each meaning has its own region: a run that lies in one of them is not undecided by the other.
        verdict, because = together(
            [Judgement(r["name"], claim_id, r["verdict"], r["because"], primary=True) for r in criteria]
        )
        marks = [criteria[0]["preset"]]
        marks += ["analogue, not the named artifact"] * analogue
        marks += ["post hoc"] * any(r["post_hoc"] for r in criteria)
        outcome = "pass" if verdict in ("supported", "refuted") and not analogue else "unknown"
        changes = changes_since(criteria[0], library.reproductions.get(name))
        if changes:
            outcome = "stale"
            because = f"{changes} changed since; then: {because}"
        told = f"{verdict} ({', '.join(marks)}): {because}"
        yield Result("reproduction", f"{name} {run_id}", outcome, told)


def prediction(library: Library, claim_id: str) -> Iterator[Result]:
    """A prediction has a rule; whether it has resolved, by what, and what stand-ins of our own lean to."""
    for resolved in items(library.connection, claim=claim_id):
        given = (
            "no probability was given"
            if resolved.probability is None
            else f"probability {resolved.probability:g}"
        )
        outcome = "pass" if resolved.outcome in ("true", "false") else "unknown"
        told = f"resolved as {resolved.outcome}: " if resolved.outcome else ""
        yield Result("prediction", "", outcome, f"{given}; {told}{resolved.because}")
        for analogue in items(library.connection, claim=claim_id, analogue=True):
            if analogue.outcome:
                detail = f"analogue, not the named artifact: {analogue.outcome} {analogue.because}"
                yield Result("prediction", "analogue", "unknown", detail)


CHECKS: dict[str, Callable[[Library, str], Iterator[Result]]] = {
    "citation": citation,
    "source": source,
    "quote": quote,
    "absence": absence,
    "figure": figure,
    "number": number,
    "source contradicts its citer": miscitation,
    "reproduction": reproduction,
    "prediction": prediction,
}
"""Every check by name, in the order in which `kb check` prints them."""
