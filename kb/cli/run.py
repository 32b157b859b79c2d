"""`kb run`: the runs of reproductions, one's own and those that ship."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kb.cli import completion, state
from kb.cli.layout import Column, Page, Rows
from kb.cli.options import Json
from kb.cli.output import emit, mark
from kb.cli.reproduce import metrics_on, verdicts_to_tell
from kb.errors import KbError, shown

if TYPE_CHECKING:
    from sqlite3 import Connection

app = typer.Typer(help="Runs: list, show, compare.", no_args_is_help=True)
NO_RUN = "no run yet; kb reproduce --list shows what can be run"
RunId = Annotated[str, typer.Argument(metavar="RUN", autocompletion=completion.runs, help="A run's id.")]


@app.command("list")
def list_(
    reproduction: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Only of this reproduction.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List runs, the oldest first."""
    from kb.store import queries

    with state.reading() as connection:
        found = queries.list_runs(connection, reproduction)
    for run in found:
        run["state"] = _state(run)
    columns = [
        Column("run", most=60),
        Column("preset"),
        Column("state"),
        Column("kept"),
        Column("seconds", right=True),
        Column("says", flexible=True),
    ]
    rows = [
        [
            run["id"],
            run["preset"],
            run["state"],
            "ships" if run["recorded"] else "own",
            f"{run['seconds']:.0f}" if run["seconds"] is not None else None,
            run["verdict"],
        ]
        for run in found
    ]
    emit(
        found,
        as_json,
        rows=lambda: Rows(columns, rows, empty="no run yet; kb reproduce --list shows what can be run"),
    )


def _state(run: dict[str, Any]) -> str:
    """A run that the store has as running but that nobody holds any more was killed."""
    if run["state"] != "running":
        return str(run["state"])
    from kb.reproduce.process import is_running

    return "running" if is_running(Path(run["folder"])) else "interrupted"


def _run(connection: Connection, run_id: str) -> dict[str, Any]:
    """A run as the store has it, its fields checked as those of a file are: the store may be a stranger's."""
    from kb.reproduce.record_shape import wrong_in
    from kb.store import queries

    run = queries.show_run(connection, run_id)
    wrong = wrong_in(run)
    if wrong:
        raise KbError(f"the store's run {shown(run_id)} is damaged: {wrong}", "restore a backup")
    return run


@app.command()
def show(run_id: RunId, as_json: Json = False) -> None:
    """Show a run: verdicts, metrics with intervals, what it was run with, its files."""
    with state.reading() as connection:
        run = _run(connection, run_id)
    run["state"] = _state(run)
    emit(run, as_json, page=lambda: _page(run))


def _page(run: dict[str, Any]) -> Page:
    page = Page().line([(run["id"], "bold"), f"  {run['state']}"])
    page.heading("Verdicts")
    for judgement in verdicts_to_tell(run["verdicts"]):
        marks = [*(["secondary"] * (not judgement["primary"])), *(["analogue"] * judgement["analogue"])]
        marks += ["post hoc"] * judgement["post_hoc"]
        page.item(
            [
                (mark(judgement["verdict"]), judgement["verdict"]),
                ("  " + judgement["claim"], "bold"),
                f"  ({', '.join(marks)})" if marks else "",
                f"\n{judgement['because']}",
            ]
        )
    metrics_on(page, run["metrics"])
    page.heading("Protocol")
    for name, value in run["protocol"].items():
        page.field(name.replace("_", " "), str(value), width=20, indent=2)
    page.heading("Departures from the original")
    for departure in run["departures"]:
        page.item(departure)
    page.heading("Run")
    cost = f"{run['seconds'] or 0:.0f} s, {run['cpu_seconds'] or 0:.0f} s of CPU, {run['peak_memory_mb'] or 0:.0f} MB"
    environment = run["environment"]
    packages = ", ".join(f"{k} {v}" for k, v in environment.get("packages", {}).items())
    page.field("started", run["started"], indent=2)
    page.field("took", cost, indent=2)
    page.field("seed", str(run["seed"]), indent=2)
    page.field("config", ", ".join(f"{k} = {v}" for k, v in run["config"].items()), indent=2)
    machine = f"Python {environment.get('python')}, {environment.get('system')} {environment.get('machine')}"
    page.field("on", f"{machine}, {environment.get('cpus')} CPUs; {packages}", indent=2)
    page.field("samples", f"{run['samples']} values, one per independent unit and metric", indent=2)
    page.field("files", f"{run['folder']}: {', '.join(a['path'] for a in run['artifacts'])}", indent=2)
    return page.field("error", run["error"], indent=2)


@app.command()
def diff(
    run_a: RunId,
    run_b: Annotated[
        str, typer.Argument(metavar="RUN|published", help="Another run, or the word published.")
    ],
    as_json: Json = False,
) -> None:
    """Compare two runs, or a run with what was published: configuration, protocol, metrics."""
    from kb.reproduce.compare import differences, published

    with state.reading() as connection:
        one = _run(connection, run_a)
        other = published(connection, one) if run_b == "published" else _run(connection, run_b)
    found = differences(one, other)
    columns = [
        Column("part"),
        Column("what", most=50),
        Column(run_a[-24:], flexible=True),
        Column(run_b[-24:], flexible=True),
    ]
    rows = [[d["part"], d["name"], d["a"], d["b"]] for d in found]
    emit(found, as_json, rows=lambda: Rows(columns, rows, empty="the two do not differ"))


@app.command()
def record(run_id: RunId) -> None:
    """Copy a finished run of one's own into its reproduction's runs/, to ship with the library."""
    import shutil

    from kb.cli.output import say
    from kb.reproduce import manifest, recorded

    with state.reading() as connection:
        run = _run(connection, run_id)
    found = manifest.find(state.places().reproductions, run["reproduction"])
    source = Path(run["folder"])
    kept = recorded.read(source)
    if kept["state"] != "finished" or kept["preset"] == "smoke":
        raise KbError(
            f"{run_id} is {kept['state']} ({kept['preset']})",
            "only finished quick and full runs are recorded",
        )
    target = found.runs / run_id
    if target.exists():
        raise KbError(f"{target} is already there", code=1)
    names = (recorded.RECORD, recorded.SAMPLES, *(artifact["path"] for artifact in kept["artifacts"]))
    for name in names:
        if not (source / name).resolve().is_relative_to(source.resolve()) or not (source / name).is_file():
            raise KbError(f"{shown(str(name))} is no file of the run in {source}", "nothing was recorded")
    target.mkdir(parents=True)
    for name in names:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, target / name)
    say(f"recorded in {target}; kb library build brings it into claims.db")
