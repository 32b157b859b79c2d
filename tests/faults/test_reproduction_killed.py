"""kill -9 of kb while a reproduction runs, with the experiment or leaving it behind: it resumes to the samples and metrics of one that nobody killed."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kb.errors import KbError
from kb.reproduce import manifest, process, recorded, runner
from kb.reproduce.report import Report
from kb.store import connect, queries
from kb.store.places import Places, shipped
from tests.faults.killing import TRIES, Killer, Tally, linux, load_everything
from tests.faults.stores import faults_of
from tests.reproduce.conftest import EXPERIMENT, places, tiny

__all__ = ["places", "tiny"]
pytestmark = [linux, pytest.mark.slow]
load_everything()
SLOWLY = "import os, time\nopen('pid', 'w').write(str(os.getpid()))\n" + EXPERIMENT.replace(
    "        report.finished", "        time.sleep(0.02)\n        report.finished"
)
VICTIMS = ("kb", "kb and the experiment")


def _running(places: Places) -> Iterator[tuple[Path, int]]:
    """The run folders with the process of their experiment, where it said so."""
    for folder in places.runs.glob("*"):
        with contextlib.suppress(OSError, ValueError):
            yield folder, int((folder / "pid").read_text())


def _kill_experiments(places: Places, old: set[str], victim: str) -> None:
    for folder, pid in _running(places):
        if folder.name not in old and victim != "kb":
            _kill(pid)


def _kill(pid: int) -> None:
    """Kill an experiment of ours; it leads a session of its own."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if os.getpgid(pid) == pid and "experiment" in Path(f"/proc/{pid}/cmdline").read_text():
            os.killpg(pid, signal.SIGKILL)


def _resumed(
    made: manifest.Manifest, places: Places, name: str, seed: int, preset: str = "quick"
) -> dict[str, Any]:
    """Go on with the run until it is done, waiting for what is still going on."""
    limit = time.monotonic() + 120
    while process.is_running(places.runs / name) and time.monotonic() < limit:
        time.sleep(0.02)
    return runner.execute(made, preset, places, seed=seed, resume=name)


def _stored(places: Places, name: str) -> dict[str, Any] | None:
    with contextlib.closing(connect.for_reading(places)) as connection:
        return next((run for run in queries.list_runs(connection) if run["id"] == name), None)


def test_a_killed_reproduction_goes_on_to_the_same_result(
    tiny: Callable[..., manifest.Manifest], places: Places, tmp_path: Path
) -> None:
    tally = Tally("reproduce")
    made = tiny(SLOWLY)
    whole = runner.execute(made, "quick", places, seed=5)

    def call() -> int:
        print("finished", runner.execute(made, "quick", places, seed=5)["id"])
        return 0

    killer = Killer(tmp_path, tally.kind, call, [(connect, "writing_to")])
    killer.measure()
    seen = {folder.name for folder in places.runs.iterdir()}
    for number in range(TRIES):
        victim = killer.random.choice(VICTIMS)

        end = killer.kill(number, lambda v=victim, old=set(seen): _kill_experiments(places, old, v))
        tally.count(end)
        tally.lost += faults_of(places.working)
        acknowledged = end.code == 0 or "finished" in end.said
        tally.acknowledged += acknowledged
        begun = [f for f in places.runs.iterdir() if f.name not in seen and (f / "config.json").exists()]
        seen |= {folder.name for folder in places.runs.iterdir()}
        for folder in begun:
            stored = _stored(places, folder.name)
            if acknowledged and (stored is None or stored["state"] != "finished"):
                tally.lost.append(f"{folder.name} was said to be finished and is not")
            if stored is None or stored["state"] != "finished":
                _resumed(made, places, folder.name, 5)
            run = recorded.read(folder)
            for part in ("samples", "metrics", "judgements", "seed"):
                if run[part] != whole[part]:
                    tally.lost.append(f"{folder.name} ({victim} killed): other {part}")
            kept = _stored(places, folder.name)
            if kept is None or kept["state"] != "finished":
                tally.lost.append(f"{folder.name}: the store never got it")
        with contextlib.closing(connect.for_reading(places)) as connection:
            if queries.show_claim(connection, "a-claim")["verdict"] != "supported":
                tally.lost.append("the verdict")
    tally.conclude()


def test_a_run_that_died_before_the_store_had_its_end_is_taken_in_by_resume(
    tiny: Callable[..., manifest.Manifest], places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = tiny()
    write, calls = recorded.write, []

    def dies(folder: Path, run: dict[str, Any]) -> None:
        write(folder, run)
        calls.append(run["state"])
        if run["state"] == "finished":
            raise KbError("died right after the record was written")

    monkeypatch.setattr(recorded, "write", dies)
    with pytest.raises(KbError, match="died right after"):
        runner.execute(made, "quick", places)
    monkeypatch.undo()
    assert calls == ["running", "finished"]
    (folder,) = places.runs.iterdir()
    stored = _stored(places, folder.name)
    assert stored is not None
    assert stored["state"] == "running"
    again = runner.execute(made, "quick", places, resume=folder.name)
    assert again["samples"] == recorded.read(folder)["samples"]
    stored = _stored(places, folder.name)
    assert stored is not None
    assert (stored["state"], stored["verdict"]) == ("finished", "a-claim: supported")
    with pytest.raises(KbError, match="finished already"):
        runner.execute(made, "quick", places, resume=folder.name)


def test_a_line_separator_in_a_note_does_not_cost_the_steps_after_it(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"preset": "quick", "seed": 0, "parameters": {}, "cache": "."}')
    with contextlib.suppress(KeyboardInterrupt), Report(tmp_path) as report:
        report.note("one\u2028line")
        report.sample("score", unit="seed 0", value=1.0)
        report.finished("unit", 0)
        report.sample("score", unit="seed 1", value=1.0)
        raise KeyboardInterrupt
    with Report(tmp_path) as report:
        assert list(report.remaining("unit", range(3))) == [1, 2]
    assert [event["event"] for event in process.all_events(tmp_path)] == [
        "note",
        "sample",
        "finished",
        "done",
    ]


@pytest.mark.experiment
def test_a_killed_run_of_a_shipped_reproduction_resumes_to_the_same_metrics(
    places: Places, tmp_path: Path
) -> None:
    pytest.importorskip("torch")
    tally = Tally("dt-toy-graph, smoke")
    made = manifest.find((shipped() / "reproductions",), "dt-toy-graph")
    from kb.store import edit
    from tests.making import claim

    with connect.for_writing(places) as session:
        for id_ in {criterion.claim for criterion in made.criteria}:
            edit.put(session, claim(id_))
    moments = max(1, TRIES // 25)
    started = time.monotonic()
    whole = runner.execute(made, "smoke", places, seed=1)
    seconds = time.monotonic() - started
    killer = Killer(tmp_path, tally.kind, lambda: 0, [(connect, "writing_to")])
    for number in range(moments):
        killer.seconds = seconds

        def call() -> int:
            runner.execute(made, "smoke", places, seed=1)
            return 0

        killer.call = call
        before = set(places.runs.iterdir())
        end = killer.kill(2 * number, lambda before=before: _kill_children_of(places, before))
        tally.count(end)
        tally.lost += faults_of(places.working)
        for folder in set(places.runs.iterdir()) - before:
            if (folder / "config.json").exists() and end.code is None:
                run = _resumed(made, places, folder.name, 1, "smoke")
                if (run["samples"], run["metrics"]) != (whole["samples"], whole["metrics"]):
                    tally.lost.append(f"{folder.name} resumed to other metrics")
    tally.conclude(moments, writing=0)


def _kill_children_of(places: Places, before: set[Path]) -> None:
    """Kill the experiments whose working directory is a run folder that was not there before."""
    new = {folder.resolve() for folder in set(places.runs.iterdir()) - before}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if (entry / "cwd").resolve() in new:
                    os.kill(int(entry.name), signal.SIGKILL)
