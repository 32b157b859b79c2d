"""`kb check`: what has been verified of each claim, how, when, and what has not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kb.cli import completion, state
from kb.cli.layout import Page
from kb.cli.options import Json
from kb.cli.output import emit, mark, say
from kb.errors import KbError

if TYPE_CHECKING:
    from kb.checks.run import Result

Checked = list[tuple[str, list["Result"]]]
IN_FULL = 3
"""Claims whose checks are printed one by one; of more, only what did not pass."""


def command(
    ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ID]...", autocompletion=completion.claims, help="Only these claims."),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="What is unknown or stale fails, too.")] = False,
    recompute: Annotated[
        bool,
        typer.Option("--recompute", help="Compute recorded metrics anew from their samples (needs scipy)."),
    ] = False,
    online: Annotated[
        bool,
        typer.Option("--online", help="First fetch texts of cited sources and look their entries up."),
    ] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Print every check of every claim, also of many.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check claims: quotes, figures, citations, runs. Exit code 1 when a check fails.

    Without --online nothing is asked of the network: checks read what was fetched before.
    """
    from kb.checks import run
    from kb.checks.citations import known_from
    from kb.store import queries
    from kb.store.edit import now

    at = now()
    with state.reading() as connection:
        wanted = [queries.resolve(connection, "claim", i) for i in ids or queries.names(connection, "claim")]
    came = None
    if online:
        from kb.cli import online as network

        came = network.gather(network.cited_by(wanted), texts=True)
    with state.reading() as connection:
        known = known_from(connection, came.problems, came.not_stored) if came else None
        library = run.load(connection, known)
        checked = list(run.check_claims(library, wanted))
        if recompute:
            from kb.checks.recompute import recomputed

            checked = [(id_, [*results, *recomputed(connection, id_)]) for id_, results in checked]
    _keep(checked)
    with state.reading() as connection:
        claims = {c["id"]: c for c in queries.claims_by_id(connection, [id_ for id_, _ in checked])}
    counts = run.count(result for _, results in checked for result in results)
    data = {
        "at": at,
        "claims": [
            {
                "id": id_,
                "statement": claims[id_]["statement"],
                "status": claims[id_]["status"],
                "verdict": claims[id_]["verdict"],
                "checks": [
                    {"check": r.check, "subject": r.subject, "outcome": r.outcome, "detail": r.detail}
                    for r in results
                ],
            }
            for id_, results in checked
        ],
        **counts,
        **({"online": came.summary.as_data()} if came else {}),
    }
    emit(data, as_json, page=lambda: _page(data, in_full=full or bool(ids) or len(checked) <= IN_FULL))
    gaps = counts["unknown"] + counts["stale"] if strict else 0
    if counts["failed"] or gaps:
        what = f"{counts['failed']} checks failed" + (f", {gaps} are unknown or stale" if strict else "")
        raise KbError(what, "the page above says which", code=1)


def _keep(checked: Sequence[tuple[str, list[Result]]]) -> None:
    """Results and verdicts into the working store; where it cannot be written, they are only printed."""
    from kb.checks.keep import keep
    from kb.store import connect

    try:
        with connect.for_writing(state.places()) as session:
            changed = keep(session, checked)
    except KbError as error:
        say(f"kb: the results are not kept: {error}")
        return
    for claim, before, now in changed:
        say(f"verdict changed: {claim} was {before}, is {now}")


def _page(data: dict[str, Any], *, in_full: bool) -> Page:
    page = Page()
    for claim in data["claims"]:
        told = [c for c in claim["checks"] if in_full or c["outcome"] in ("fail", "derived", "stale")]
        if not told:
            continue
        verdict = (mark(claim["verdict"]), claim["verdict"])
        page.line([(claim["id"], "bold"), f"  status: {claim['status']}  verdict: ", verdict])
        page.line(claim["statement"], "dim")
        for check in told:
            subject = f" {check['subject']}" if check["subject"] else ""
            page.item(
                [
                    (f"{check['outcome']:<8}", check["outcome"]),
                    (f"{check['check']}{subject}: ", ""),
                    (check["detail"], "dim"),
                ]
            )
        page.line()
    counts = [
        f"{data[name]} {name}" for name in ("passed", "derived", "failed", "stale", "unknown", "skipped")
    ]
    page.line([(f"{len(data['claims'])} claims, checked {data['at'][:16]} UTC: ", "bold"), ", ".join(counts)])
    if data["derived"]:
        page.line("derived: the number follows, under the assumption beside it; not a pass", "dim")
    if data["unknown"]:
        page.line(_what_is_unknown(data), "dim")
    return page


def _what_is_unknown(data: dict[str, Any]) -> str:
    from collections import Counter

    unknown = [
        (c["check"], c["detail"])
        for claim in data["claims"]
        for c in claim["checks"]
        if c["outcome"] == "unknown"
    ]
    told = ", ".join(f"{number} {name}" for name, number in Counter(c for c, _ in unknown).most_common())
    quotes = Counter(detail.partition(";")[2].split(";")[0].strip() for c, detail in unknown if c == "quote")
    how = ", ".join(f"{number}: {seen}" for seen, number in quotes.most_common() if seen)
    advice = (
        f"\nOf the quotes, {how}. One is unknown until its source's text is here (--online, or kb cite fetch KEY)."
        if quotes
        else ""
    )
    return f"unknown, and not to be read as passed: {told}{advice}"
