"""`kb library`: the text that people review, and the store: build, sync, export, import, diff."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kb.cli import state
from kb.cli.options import Json
from kb.cli.output import as_json_text, clean, emit, say
from kb.errors import KbError

if TYPE_CHECKING:
    from kb.library.door import Outcome

app = typer.Typer(help="The text people review: build, sync, export, import.", no_args_is_help=True)

SHOWN = 20
"""How many records a summary names before it only counts."""

With = Annotated[
    Path | None,
    typer.Option("--with", metavar="PATH", help="Somebody else's citations folder, or an export file."),
]

OPEN_CONFLICT = """\b
Where git left a conflict open in citations/, merge it record by record
(in a rebase first: git rebase --abort && git pull --no-rebase):

\b
theirs=../theirs-$(git rev-parse --short MERGE_HEAD)
git worktree add $theirs MERGE_HEAD
git restore --source=HEAD --staged --worktree -- citations
kb library sync --with $theirs
kb library sync --take ours|theirs ID        (for each that is listed)
kb library export
git diff MERGE_HEAD -- citations             (they removed it? remove it too)
git worktree remove $theirs && git add -A && git commit
"""
"""docs/together.md says more; a workspace has no docs. A test acts these lines out."""


@app.command()
def build(
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Instead of claims.db.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only compare: exit 1 where claims.db differs from a build.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Build claims.db from citations/ and the recorded runs; --check compares it with what is committed."""
    from kb.library import build as builder

    here = state.places()
    target = output or here.released
    with _problems_told():
        if check:
            found = builder.check(here.library, here.reproductions, target)
            emit({"same": not found, "differences": found}, True) if as_json else None
            for line in found if not as_json else ():
                say(line)
            if found:
                raise KbError(f"{target} is not what the library gives", "run `kb library build`", code=1)
            say(f"{target} is what the library gives")
            return
        _must_be_ours(target, output)
        counts = builder.build(here.library, here.reproductions, target)
    if as_json:
        emit({"file": str(target), "records": counts}, True)
    told = ", ".join(f"{number} {name}{'' if number == 1 else 's'}" for name, number in counts.items())
    say(f"built {target}: {told}")


def _must_be_ours(target: Path, output: Path | None) -> None:
    if output is None and state.places().workspace is None:
        raise KbError(f"{target} is the released store", "call from a workspace, or use -o FILE")


@app.command(epilog=OPEN_CONFLICT)
def sync(
    with_: With = None,
    take: Annotated[
        str | None,
        typer.Option(
            "--take",
            metavar="ours|theirs",
            help="Settle the conflicts of the records named, of --with PATH only where it is given.",
        ),
    ] = None,
    names: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="With --take.")] = None,
    as_json: Json = False,
) -> None:
    """Merge the store with its text, its release, or --with somebody else's library; three-way, by record.

    What only one side changed is taken. What both changed stays as it is here and is listed until
    `kb library sync --take ours|theirs ID`. Nothing is overwritten in silence. Exit 1 while conflicts stand.
    """
    from kb.library import door

    if take not in (None, "ours", "theirs"):
        raise KbError("--take needs ours or theirs")
    if bool(take) != bool(names):
        raise KbError("--take ours|theirs and the ids go together", "kb library sync --take theirs ID")
    with _problems_told():
        here = state.places()
        outcome = (
            door.bring_in(here, with_)
            if with_ and not take
            else door.synchronise(here, take=take or "", names=names or [], origin=with_)
        )
    _tell(outcome, as_json)


@app.command("import")
def import_(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="An export file, or a citations folder.")],
    as_json: Json = False,
) -> None:
    """Merge an export file or a citations folder into the store: the same as `kb library sync --with PATH`."""
    from kb.library import door

    with _problems_told():
        outcome = door.bring_in(state.places(), path)
    _tell(outcome, as_json)


@app.command()
def export(
    to: Annotated[
        Path | None, typer.Option("--to", metavar="DIR", help="Into a new folder instead of citations/.")
    ] = None,
    format_: Annotated[
        str, typer.Option("--format", metavar="text|jsonl", help="jsonl: one record a line, with -o.")
    ] = "text",
    output: Annotated[
        str | None, typer.Option("-o", "--output", metavar="FILE", help="For jsonl; - is stdout.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write your additions and edits into citations/, for a commit; records that nobody changed keep their bytes."""
    from kb.library import door

    if format_ not in ("text", "jsonl"):
        raise KbError(f"no format named {format_!r}", "text or jsonl")
    if (format_ == "jsonl") != (output is not None) or (format_ == "jsonl" and to):
        raise KbError("--format jsonl and -o FILE go together", "kb library export --format jsonl -o FILE")
    if output is not None:
        _export_lines(output, as_json)
        return
    with _problems_told():
        outcome = door.export(state.places(), to)
    if outcome.standing:
        _tell(outcome, as_json)
        return
    if as_json:
        emit({"written": outcome.written, **_plain(outcome)}, True)
        return
    for home in outcome.written:
        print(clean(home))
    say(f"{len(outcome.written)} files changed" if outcome.written else "the text has everything already")


def _export_lines(output: str, as_json: bool) -> None:
    from kb.library import exchange, identity

    store = identity.of(state.places().working.parent)
    with state.reading() as connection:
        if output == "-":
            count = exchange.stream(connection, sys.stdout, store)
        else:
            count = exchange.write_lines(connection, Path(output), store)
    if as_json and output != "-":
        emit({"file": output, "records": count}, True)
    say(f"{count} records in {'stdout' if output == '-' else output}")


@app.command()
def diff(with_: With = None, as_json: Json = False) -> None:
    """Show, record by record, what the store has that the text (or --with another library) has not.

    Exit 0 where they are the same, 1 where they differ.
    """
    from kb.library import difference

    here = state.places()
    with _problems_told(), state.reading() as connection:
        if with_ is None:
            theirs = difference.of_text(connection, here.library, here.working.parent)
        elif with_.is_dir():
            inner = with_ / "citations"
            theirs = difference.of_folder(inner if inner.is_dir() else with_)
        else:
            theirs = difference.of_lines(with_)
        found = list(difference.differences(connection, theirs))
    if as_json:
        print(as_json_text([vars(one) for one in found]))
    for one in found if not as_json else ():
        for line in one.lines:
            print(clean(line))
    say(f"{len(found)} records differ" if found else "no difference")
    if found:
        raise typer.Exit(1)


class _problems_told:  # noqa: N801 - reads as a function
    """Every problem of a broken library on a line of its own, with file and line."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if error is None or not hasattr(error, "problems") or not isinstance(error, KbError):
            return
        problems = getattr(error, "problems", [])
        if len(problems) < 2:
            return
        for problem in problems[:-1]:
            say(f"kb: {problem}")
        raise KbError(str(problems[-1]), f"{len(problems)} problems; nothing was changed") from None


def _plain(outcome: Outcome) -> dict[str, Any]:
    return {
        "origins": [
            {
                "origin": report.origin,
                "taken": [vars(one) for one in report.taken],
                "conflicts": [vars(one) for one in report.conflicts],
                "same": report.same,
                "ahead": report.ahead,
            }
            for report in outcome.reports
        ],
        "decided": [vars(one) for one in outcome.decided],
        "verdicts": [{"claim": c, "before": b, "now": n} for c, b, n in outcome.verdicts],
        "conflicts": outcome.standing,
    }


def _tell(outcome: Outcome, as_json: bool) -> None:
    """Print what happened; exit 1 while conflicts stand."""
    if as_json:
        emit(_plain(outcome), True)
    else:
        _in_words(outcome)
    if outcome.standing:
        raise typer.Exit(1)


def _in_words(outcome: Outcome) -> None:
    for one in outcome.decided:
        print(clean(f"decided\t{one.kind}\t{one.name}\t{one.why}"))
    whys = {}
    for report in outcome.reports:
        for taken in report.taken[:SHOWN]:
            detail = f"\t{taken.detail}" if taken.detail else ""
            print(clean(f"{taken.action}\t{taken.kind}\t{taken.name}{detail}"))
        if len(report.taken) > SHOWN:
            print(f"and {len(report.taken) - SHOWN} more")
        whys.update({(c.origin, c.kind, c.name): c.why for c in report.conflicts})
    for claim, before, now in outcome.verdicts:
        print(clean(f"verdict\tclaim\t{claim}\t{before} -> {now}"))
    for waiting in outcome.standing:
        key = (str(waiting["origin"]), str(waiting["kind"]), str(waiting["name"]))
        why = whys.get(key, "waiting for a decision")
        print(clean(f"conflict\t{key[1]}\t{key[2]}\t{why}\t({key[0]})"))
    ahead = sum(report.ahead for report in outcome.reports if report.origin == "library")
    gone = sum(report.gone for report in outcome.reports if report.origin == "library")
    if outcome.standing:
        say(
            f"{len(outcome.standing)} conflicts: `kb library diff` shows yours; `kb library sync --take ours|theirs"
            " ID` settles one"
        )
    elif ahead:
        removed = f", {gone} of them removed" if gone else ""
        say(
            f"in step; {ahead} changes of yours{removed}, are not in the text yet (`kb library export` writes them)"
        )
    elif not any(report.taken for report in outcome.reports):
        say("in step; nothing to do")
    else:
        say("in step")
