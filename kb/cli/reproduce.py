"""`kb reproduce`: run a reproduction to its verdict, or list what can be run."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kb import words
from kb.cli import completion, state
from kb.cli.layout import Column, Page, Rows
from kb.cli.options import Json
from kb.cli.output import emit, mark, say, words_of
from kb.errors import KbError

if TYPE_CHECKING:
    from kb.reproduce.manifest import Manifest


def command(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME-or-CLAIM",
            autocompletion=completion.reproductions_and_claims,
            help="A reproduction, or a claim that one tests.",
        ),
    ] = None,
    preset: Annotated[
        str, typer.Option(metavar="TIER", help="smoke (does the code run?), quick or full.")
    ] = "quick",
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="The run's seed.")] = 0,
    resume: Annotated[str | None, typer.Option(metavar="RUN", help="Go on with a run that stopped.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Where to keep the run's files.")] = None,
    original: Annotated[
        str | None,
        typer.Option(
            "--data",
            "--weights",
            metavar="WHERE",
            help="Run on the original data set or network instead of our stand-in: its folder or file, or the "
            "word that has it downloaded (d4rl: D4RL's data; download: the maze network).",
        ),
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the reproductions and stop.")] = False,
    trust: Annotated[
        bool, typer.Option("--trust", help="Let an experiment run that did not come with kb.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Run a reproduction to its verdict, or list what can be run."""
    if list_:
        _list(as_json)
        return
    if name is None and resume is None:
        raise KbError("which reproduction?", "kb reproduce --list shows them")
    chosen = words_of([preset], words.PRESETS, "preset")
    if len(chosen) != 1:
        raise KbError("--preset takes one of smoke, quick, full")
    tier = chosen[0]
    if resume is not None:
        name, tier = _begun(resume, out)
    assert name is not None
    if original is not None and Path(original).exists():
        original = str(Path(original).absolute())  # the experiment runs in a folder of its own
    run = _run(_found(name), tier, seed=seed, resume=resume, out=out, trust=trust, original=original)
    emit(_result(run), as_json, page=lambda: _page(run))


def _list(as_json: bool) -> None:
    from kb.reproduce.manifest import load_all
    from kb.store import queries

    manifests = load_all(state.places().reproductions)
    with state.reading() as connection:
        runs = queries.list_runs(connection)
    last = {run["reproduction"]: run for run in runs}
    data = [
        {
            "name": m.name,
            "title": m.title,
            "claims": list(m.claims),
            "presets": {tier: {"seconds": p.seconds, "disk_mb": p.disk_mb} for tier, p in m.presets.items()},
            "needs": list(m.needs),
            "last_run": _last(last.get(m.name)),
        }
        for m in manifests
    ]
    columns = [
        Column("name"),
        Column("quick takes", right=True),
        Column("needs"),
        Column("last run"),
        Column("title", flexible=True),
        Column("claims", piped=True),
    ]
    rows = [
        [
            m.name,
            _time(m.presets["quick"].seconds),
            ", ".join(m.needs),
            (last[m.name]["verdict"] or last[m.name]["state"]) if m.name in last else "never",
            m.title,
            " ".join(m.claims),
        ]
        for m in manifests
    ]
    emit(data, as_json, rows=lambda: Rows(columns, rows, empty="no reproduction is here"))


def _last(run: dict[str, Any] | None) -> dict[str, Any] | None:
    return {key: run[key] for key in ("id", "preset", "state", "started", "verdict")} if run else None


def _begun(resume: str, out: Path | None) -> tuple[str, str]:
    """What a run that is to go on reproduces, and its tier."""
    from kb.reproduce.runner import begun

    runs = state.places().runs
    _, config = begun(resume, *([out.absolute()] if out else []), runs)
    return config["reproduction"], config["preset"]


def _found(name: str) -> Manifest:
    from kb.reproduce import layout, manifest
    from kb.store import queries

    roots = state.places().reproductions
    if name not in layout.files(roots):
        try:
            with state.reading() as connection:
                name = queries.resolve(connection, "claim", name)
        except KbError:
            return manifest.find(roots, name)
        if not any(name in m.claims for m in manifest.load_all(roots)):
            raise KbError(
                f"no reproduction tests {name}", "kb reproduce --list shows what can be run", code=1
            )
    return manifest.find(roots, name)


def _run(
    found: Manifest,
    preset: str,
    *,
    seed: int,
    resume: str | None,
    out: Path | None,
    trust: bool,
    original: str | None,
) -> dict[str, Any]:
    from kb.reproduce import runner

    places = state.places()
    base = (out or places.runs).absolute()
    _ask_for_trust(found, trust)  # before anything that its manifest names is looked up
    if resume is None:
        runner.check_ready(found, preset, base)
    _announce(found, preset, base)
    with _progress(found.name) as on_event:
        run = runner.execute(
            found,
            preset,
            places,
            seed=seed,
            out=base if out else None,
            resume=resume,
            original=original,
            on_event=on_event,
        )
    return run


def _ask_for_trust(found: Manifest, given: bool) -> None:
    from kb.reproduce import trust

    if trust.is_trusted(found.folder):
        return
    if not given:
        question = f"{found.name} in {found.folder} is a program that did not come with kb. Let it run?"
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise KbError(
                f"{found.name} in {found.folder} is a program that did not come with kb",
                "read it; --trust lets it run",
            )
        if not typer.confirm(question, err=True):
            raise KbError(f"{found.name} was not run", code=1)
    trust.trust(found.folder)


def _announce(found: Manifest, preset: str, base: Path) -> None:
    """What it will take, and what was found before, said on stderr before it starts."""
    import shutil

    from kb.reproduce.recorded import recorded_runs
    from kb.reproduce.runner import _existing, preset_of

    chosen = preset_of(found, preset)
    recorded = [run for _, run in recorded_runs(found.runs) if run["preset"] == preset]
    seconds = recorded[-1]["seconds"] if recorded else chosen.seconds
    measured = "as the recorded run did" if recorded else "expected"
    free = shutil.disk_usage(_existing(base)).free / 1e9
    say(f"{found.title} ({preset}): about {_time(seconds)}, {measured}")
    say(f"  disk: {chosen.disk_mb:.0f} MB in {base} ({free:.0f} GB free); memory: {chosen.memory_mb:.0f} MB")
    for run in recorded[-1:]:
        for judgement in run["judgements"]:
            if judgement["primary"] and judgement["verdict"] != "inconclusive":
                say(f"  recorded: {judgement['claim']} {judgement['verdict']}, {judgement['because']}")


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _progress(name: str) -> AbstractContextManager[Any]:
    """A live bar on a terminal; silence in a pipe."""
    if not sys.stderr.isatty():
        return nullcontext(lambda event: None)
    from kb.cli.progress import bar

    return bar(name)


def _result(run: dict[str, Any]) -> dict[str, Any]:
    kept = ("value", "low", "high", "n", "unit", "method", "title")
    return {
        "run": run["id"],
        "reproduction": run["reproduction"],
        "preset": run["preset"],
        "seconds": run["seconds"],
        "cpu_seconds": run["cpu_seconds"],
        "peak_memory_mb": run["peak_memory_mb"],
        "metrics": {name: {k: m[k] for k in kept} for name, m in run["metrics"].items()},
        "verdicts": run["judgements"],
        "departures": run["departures"],
        "artifacts": [artifact["path"] for artifact in run["artifacts"]],
        "folder": run["folder"],
        "seed": run["seed"],
    }


def _page(run: dict[str, Any]) -> Page:
    page = Page()
    page.line([(f"{run['reproduction']} ", "bold"), f"({run['preset']}, seed {run['seed']})"])
    page.heading("Verdicts")
    if run["preset"] == "smoke":
        page.item("none: a smoke run proves that the code runs, nothing else")
    for judgement in verdicts_to_tell(run["judgements"]):
        page.item(
            [
                (mark(judgement["verdict"]), judgement["verdict"]),
                ("  " + judgement["claim"], "bold"),
                "" if judgement["primary"] else "  (secondary)",
                f"\n{judgement['because']}",
            ]
        )
    metrics_on(page, run["metrics"])
    page.heading("Departures from the original")
    for departure in run["departures"]:
        page.item(departure)
    page.line()
    page.field(
        "took", f"{run['seconds']:.0f} s, {run['cpu_seconds']:.0f} s of CPU, {run['peak_memory_mb']:.0f} MB"
    )
    page.field("files", run["folder"])
    return page.field("again", f"kb run show {run['id']}")


def verdicts_to_tell(judgements: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One line per claim and rank: of the criteria of one metric, the one that holds, else the first."""
    told: dict[tuple[str, bool, str], dict[str, Any]] = {}
    for judgement in judgements:
        if judgement["verdict"] == "unchecked":
            continue
        key = (judgement["claim"], judgement["primary"], judgement["because"].split(" ", 1)[0])
        if key not in told or told[key]["verdict"] == "inconclusive":
            told[key] = judgement
    return sorted(told.values(), key=lambda j: not j["primary"])


def metrics_on(page: Page, metrics: dict[str, dict[str, Any]]) -> None:
    """The metrics of a run, each with its interval, its units and how the interval was made."""
    page.heading("Metrics")
    for name, metric in metrics.items():
        low, high = metric["low"], metric["high"]
        interval = "no interval" if low is None or high is None else f"[{low:.3g}, {high:.3g}]"
        value = "no value" if metric["value"] is None else f"{metric['value']:.3g}"
        page.item(
            [
                (f"{value} {interval}", "bold"),
                f"  {metric.get('title') or name}",
                (f"  n = {metric['n']} ({metric['unit']}), {metric['method']}", "dim"),
            ]
        )
