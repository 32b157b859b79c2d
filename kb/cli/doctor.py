"""`kb doctor`: the health of the library itself, by named checks."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kb.cli import state
from kb.cli.layout import Page
from kb.cli.options import Json
from kb.cli.output import emit, say, words_of
from kb.errors import KbError

if TYPE_CHECKING:
    from kb.checks.doctor import Finding


def command(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[CHECK]...", help="Only these checks.")
    ] = None,
    explain: Annotated[str | None, typer.Option(metavar="CHECK", help="Say what a check means.")] = None,
    fix: Annotated[bool, typer.Option("--fix", help="Mend what can be mended safely.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings fail, too.")] = False,
    sarif: Annotated[bool, typer.Option("--sarif", help="SARIF 2.1.0 on stdout, for pull requests.")] = False,
    as_json: Json = False,
) -> None:
    """Check the health of the library itself. Exit code 1 when an error is found."""
    from kb.checks.doctor import CHECKS, examine

    if explain is not None:
        chosen = words_of([explain], tuple(CHECKS), "check")
        if len(chosen) != 1:
            raise KbError("--explain takes the name of one check", "kb doctor lists them")
        check = CHECKS[chosen[0]]
        plain = {"name": check.name, "severity": check.severity, "explanation": check.explanation}
        page = Page().line([(check.name, "bold"), f"  {check.severity}"]).line(check.explanation)
        emit(plain, as_json, page=page)
        return
    wanted = list(words_of(names, tuple(CHECKS), "check")) or None
    if fix:
        _fix(wanted)
    with state.reading() as connection:
        found = list(examine(connection, date.today().isoformat(), wanted))
        if sarif:
            from kb.checks.sarif import document

            emit(document(connection, found, state.places().library), as_json=True)
        else:
            seen = _seen(connection)
            emit(_data(found, seen), as_json, page=lambda: _page(found, seen, wanted or list(CHECKS)))
    errors = sum(f.severity == "error" or (strict and f.severity == "warning") for f in found)
    if errors:
        raise KbError(
            f"{errors} of {len(found)} findings must be mended", "kb doctor --explain CHECK", code=1
        )


def _seen(connection: Any) -> dict[str, int]:
    from kb.store.queries import facts

    told = facts(connection)
    return {**told["quotes_by_seen"], "no quote": told["citations_without_quote"]}


def _data(found: list[Finding], seen: dict[str, int]) -> dict[str, Any]:
    from collections import Counter
    from dataclasses import asdict

    return {
        "findings": [asdict(f) for f in found],
        "counts": dict(Counter(f.severity for f in found)),
        "quotes_by_seen": seen,
    }


def _page(found: list[Finding], seen: dict[str, int], wanted: list[str]) -> Page:
    """The checks that ran, each with what it found: `none` is said of no other."""
    from kb.checks.doctor import CHECKS

    page = Page()
    for check in (check for check in CHECKS.values() if check.name in wanted):
        own = [f for f in found if f.check == check.name]
        style = {"error": "red", "warning": "yellow", "note": "dim"}[check.severity] if own else "green"
        page.line(
            [(f"{check.name:<16}", "bold"), (f"{len(own) or 'none':>5}", style), f"  {check.explanation}"]
        )
        for finding in own[:8]:
            page.item([(finding.name, "cyan"), f" {finding.message}"], indent=4)
        if len(own) > 8:
            page.item(f"and {len(own) - 8} more: kb doctor {check.name} --json", indent=4)
    page.heading("How the words behind citations were seen")
    for name, number in seen.items():
        page.field(name, str(number), indent=2)
    return page


def _fix(wanted: list[str] | None) -> None:
    from kb.checks.doctor import FIXES, examine
    from kb.store import connect, edit

    with connect.for_writing(state.places()) as session:
        mended = [
            finding
            for finding in list(examine(connect.raw(session), date.today().isoformat(), list(FIXES)))
            if wanted is None or finding.check in wanted
        ]
        for finding in mended:
            edit.remove(session, finding.kind, finding.name, why=f"kb doctor --fix: {finding.message}")
    if wanted is not None and not set(wanted) & set(FIXES):
        say(f"kb mends only {', '.join(FIXES)} by itself; the others need somebody who has read the source")
    elif mended:
        say(f"removed {len(mended)} sources that nothing rests on; kb claim undo brings them back one by one")
    else:
        say("nothing to mend")
