"""Running an experiment: to its verdict, or to a run that says how it ended."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from kb.errors import KbError, NotFound
from kb.reproduce import process, recorded, runner
from kb.reproduce.manifest import Manifest
from kb.store import connect, queries
from kb.store.places import Places
from tests.reproduce.conftest import EXPERIMENT, MANIFEST

Make = Callable[..., Manifest]


STOPS = EXPERIMENT.replace(
    "        report.finished",
    """        import os, time
        if unit == 5 and not os.path.exists("stopped"):
            open("stopped", "w").close()
            report.sample("score", unit="half done", value=9.0)
            HOW
        report.finished""",
)


def _stored(places: Places, run_id: str) -> dict[str, Any]:
    with contextlib.closing(connect.for_reading(places)) as connection:
        return queries.show_run(connection, run_id)


def _verdict(places: Places) -> str:
    with contextlib.closing(connect.for_reading(places)) as connection:
        return str(queries.show_claim(connection, "a-claim")["verdict"])


def test_a_run_ends_in_a_verdict_that_is_kept_with_all_it_rests_on(tiny: Make, places: Places) -> None:
    events: list[dict[str, Any]] = []
    run = runner.execute(tiny(), "quick", places, on_event=events.append)
    assert _verdict(places) == "supported"
    kept = _stored(places, run["id"])
    assert kept["state"] == "finished"
    assert kept["metrics"]["score"]["n"] == 12
    assert kept["samples"] == 12
    assert kept["artifacts"][0]["path"] == "plot.txt"
    assert kept["peak_memory_mb"] > 1
    assert kept["environment"]["python"]
    assert {e["event"] for e in events} >= {"sample", "progress", "artifact", "done"}
    assert recorded.read(Path(run["folder"]))["samples"] == run["samples"]


def test_a_smoke_run_never_gives_a_verdict(tiny: Make, places: Places) -> None:
    run = runner.execute(tiny(), "smoke", places)
    assert {j["verdict"] for j in run["judgements"]} == {"unchecked"}
    assert _verdict(places) == "unchecked"


def test_the_same_seed_gives_the_same_metrics_and_another_seed_others(tiny: Make, places: Places) -> None:
    made = tiny()
    first, again, other = (runner.execute(made, "quick", places, seed=s)["metrics"] for s in (1, 1, 2))
    assert first == again != other


@pytest.mark.parametrize(
    ("experiment", "complaint"),
    [
        ("raise SystemExit('the cause of it')", "exit code 1: the cause of it"),
        ("import os; os.kill(os.getpid(), 9)", "killed by signal 9"),
        ("print('nothing to say')", "ended without a result"),
        (EXPERIMENT.replace('"plot.txt"', '"../../../claims.db"', 2), "not a file of the run folder"),
        (
            EXPERIMENT.replace(
                "report.artifact(", 'import os; os.symlink("/etc/hostname", "l.txt")\n    report.artifact('
            ).replace('artifact("plot.txt"', 'artifact("l.txt"'),
            "not a file of the run folder",
        ),
        ("from kb.reproduce.report import Report\nwith Report.open(): pass", "reported no samples"),
        (EXPERIMENT.replace("0.5 + 0.1", "float('nan')"), "no finite number"),
    ],
)
def test_an_experiment_that_goes_wrong_leaves_a_run_marked_failed(
    tiny: Make, places: Places, experiment: str, complaint: str
) -> None:
    with pytest.raises(runner.RunFailed, match="failed") as failed:
        runner.execute(tiny(experiment), "quick", places)
    assert complaint in str(failed.value.run["error"])
    kept = _stored(places, failed.value.run["id"])
    assert (kept["state"], kept["verdicts"]) == ("failed", [])
    assert _verdict(places) == "unchecked"


@pytest.mark.parametrize("line", [b"no json", b"[1]", b"\xff", b"x" * 2_000_000])
def test_lines_that_are_no_events_fail_the_run_since_samples_may_be_lost(
    tiny: Make, places: Places, line: bytes
) -> None:
    strange = EXPERIMENT.replace(
        "    units =", f'    open("events.jsonl", "ab").write({line!r} + b"\\n")\n    units =', 1
    )
    with pytest.raises(runner.RunFailed, match="1 lines of its events cannot be read"):
        runner.execute(tiny(strange), "quick", places)


@pytest.mark.parametrize(
    ("event", "complaint"),
    [
        ('{"event": "sample", "metric": "score", "unit": "u", "value": NaN}', "a sample that is none"),
        ('{"event": "sample", "metric": "score", "unit": "u", "value": true}', "a sample that is none"),
        ('{"event": "sample", "metric": "score", "value": 1}', "a sample that is none"),
        ('{"event": "sample", "metric": "score", "unit": "u", "value": 1, "weight": "x"}', "that is none"),
        ('{"event": "sample", "metric": "scoer", "unit": "u", "value": 1}', "no metric of the manifest"),
        ('{"event": "sample", "metric": "score", "unit": "u", "value": 1' + "0" * 400 + "}", "that is none"),
        ('{"event": "artifact", "path": "plot\\u0000.txt"}', "not a file of the run folder"),
    ],
)
def test_a_broken_report_fails_the_run(tiny: Make, places: Places, event: str, complaint: str) -> None:
    strange = EXPERIMENT.replace(
        "    units =", f'    open("events.jsonl", "a").write({event!r} + "\\n")\n    units =', 1
    )
    with pytest.raises(runner.RunFailed) as failed:
        runner.execute(tiny(strange), "quick", places)
    assert complaint in failed.value.run["error"]
    assert _stored(places, failed.value.run["id"])["state"] == "failed"


def test_text_that_no_store_could_hold_is_made_harmless(tiny: Make, places: Places) -> None:
    strange = EXPERIMENT.replace("    units =", '    report.note("\\udc80 \\0")\n    units =', 1)
    try:
        run = runner.execute(tiny(strange), "quick", places)
    except runner.RunFailed as failed:
        run = failed.run
    assert _stored(places, run["id"])["state"] in ("finished", "failed")


def test_nothing_beside_the_experiments_folder_can_be_imported(
    tiny: Make, places: Places, tmp_path: Path
) -> None:
    (tmp_path / "torch.py").write_text("raise SystemExit('not trusted')")
    made = tiny("try:\n    import torch\n    torch.no_grad\nexcept ImportError:\n    pass\n" + EXPERIMENT)
    assert runner.execute(made, "smoke", places)["state"] == "finished"


def test_a_resumed_run_costs_all_its_parts(tiny: Make, places: Places) -> None:
    made = tiny(STOPS.replace("HOW", "time.sleep(0.5); os.kill(os.getpid(), 9)"))
    with pytest.raises(runner.RunFailed) as failed:
        runner.execute(made, "quick", places)
    resumed = runner.execute(made, "quick", places, resume=failed.value.run["id"])
    assert resumed["seconds"] > failed.value.run["seconds"] > 0.5


@pytest.mark.parametrize("name", process.KEPT_KERNELS)
@pytest.mark.parametrize(("said", "bound"), [(None, "64"), ("7", "7")])
def test_an_experiment_keeps_few_compiled_kernels_unless_the_user_says_how_many(
    tiny: Make, places: Places, monkeypatch: pytest.MonkeyPatch, name: str, said: str | None, bound: str
) -> None:
    monkeypatch.delenv(name, raising=False)
    if said:
        monkeypatch.setenv(name, said)
    telling = f"import os\nprint('kernels', os.environ[{name!r}])\n"
    run = runner.execute(tiny(telling + EXPERIMENT), "quick", places)
    assert f"kernels {bound}\n" in (places.runs / run["id"] / "log.txt").read_text()


def test_a_missing_module_names_the_extra_to_install(tiny: Make, places: Places) -> None:
    made = tiny(text=MANIFEST.replace('["json"]', '["no_such_module"]'))
    with pytest.raises(KbError, match=r"needs no_such_module.*pip install 'interp-kb\[repro\]'"):
        runner.execute(made, "quick", places)


def test_a_disk_without_room_is_told_before_the_start(tiny: Make, places: Places) -> None:
    made = tiny(text=MANIFEST.replace("disk_mb = 1", "disk_mb = 1e12"))
    with pytest.raises(KbError, match="MB are free"):
        runner.execute(made, "quick", places)
    assert not places.runs.exists()


def test_a_disk_without_room_for_shared_data_is_told_before_the_start(
    tiny: Make, places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cache may be on another disk than the run: full, with no such folder on it yet."""
    full, usage = tmp_path / "full", shutil.disk_usage
    full.mkdir()
    monkeypatch.setenv("KB_CACHE", str(full / "cache"))
    monkeypatch.setattr(
        shutil, "disk_usage", lambda path: usage(path)._replace(free=0 if path == full else 10**9)
    )
    with pytest.raises(KbError, match=r"full/cache, 0 MB are free; name another folder with KB_CACHE"):
        runner.execute(tiny(), "quick", places)
    assert not places.runs.exists()


def test_a_record_that_finds_no_room_is_told_and_the_run_goes_on_once_there_is(
    tiny: Make, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = recorded.write

    def full(folder: Path, run: Mapping[str, Any]) -> None:
        if run["state"] != "running":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(folder, run)

    monkeypatch.setattr(recorded, "write", full)
    with pytest.raises(KbError, match=r"No space left on device; make room; kb reproduce tiny --resume"):
        runner.execute(tiny(), "quick", places)
    monkeypatch.setattr(recorded, "write", write)
    (folder,) = places.runs.iterdir()
    assert runner.execute(tiny(), "quick", places, resume=folder.name)["state"] == "finished"
    assert _verdict(places) == "supported"


def test_a_killed_run_resumes_to_the_metrics_of_one_that_was_not(tiny: Make, places: Places) -> None:
    made = tiny(STOPS.replace("HOW", "os.kill(os.getpid(), 9)"))
    with pytest.raises(runner.RunFailed) as failed:
        runner.execute(made, "quick", places, seed=3)
    resumed = runner.execute(made, "quick", places, resume=failed.value.run["id"])
    whole = runner.execute(tiny(), "quick", places, seed=3)
    assert resumed["samples"] == whole["samples"]
    assert resumed["metrics"] == whole["metrics"]
    assert resumed["id"] == failed.value.run["id"]


def test_a_run_is_not_resumed_with_other_code(tiny: Make, places: Places) -> None:
    with pytest.raises(runner.RunFailed) as failed:
        runner.execute(tiny(STOPS.replace("HOW", "os.kill(os.getpid(), 9)")), "quick", places)
    with pytest.raises(KbError, match="the code of tiny has changed"):
        runner.execute(tiny(EXPERIMENT), "quick", places, resume=failed.value.run["id"])


def test_a_finished_run_is_not_resumed(tiny: Make, places: Places) -> None:
    run = runner.execute(tiny(), "quick", places)
    with pytest.raises(KbError, match="finished already"):
        runner.execute(tiny(), "quick", places, resume=run["id"])


@pytest.mark.parametrize("name", ["no-such-run", "../../etc"])
def test_an_unknown_run_is_not_resumed(tiny: Make, places: Places, name: str) -> None:
    with pytest.raises((NotFound, KbError), match=r"no run|is no run"):
        runner.execute(tiny(), "quick", places, resume=name)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_or_a_request_to_end_stops_the_experiment_and_marks_the_run(
    tiny: Make, places: Places, tmp_path: Path, number: signal.Signals
) -> None:
    tiny(STOPS.replace("HOW", "time.sleep(60)"))
    script = textwrap.dedent(
        f"""
        from pathlib import Path
        from kb.reproduce import manifest, runner
        from kb.store.places import Places
        base = Path({str(tmp_path)!r})
        places = Places(base, base / "citations", base / "claims.db", base / ".kb/store.db",
                        (base / "reproductions",), base / ".kb/runs")
        try:
            runner.execute(manifest.load(base / "reproductions/tiny"), "quick", places)
        except runner.RunFailed as failed:
            print(failed.run["state"], failed.code)
        """
    )
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 30
    while not list(tmp_path.glob(".kb/runs/*/stopped")) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(child.pid, number)
    out, _ = child.communicate(timeout=30)
    assert out.split() == ["interrupted", "130"]
    (folder,) = (tmp_path / ".kb" / "runs").iterdir()
    assert json.loads((folder / "run.json").read_text())["state"] == "interrupted"


def test_two_processes_do_not_run_in_one_folder(tiny: Make, places: Places) -> None:
    from kb.reproduce import process

    stops = STOPS.replace("HOW", "os.kill(os.getpid(), 9)")
    with pytest.raises(runner.RunFailed) as failed:
        runner.execute(tiny(stops), "quick", places)
    folder = places.runs / failed.value.run["id"]
    with process.locked(folder), pytest.raises(KbError, match="still going on"):
        runner.execute(
            tiny(STOPS.replace("HOW", "os.kill(os.getpid(), 9)")), "quick", places, resume=folder.name
        )


def test_criteria_that_changed_after_the_run_judge_it_post_hoc(tiny: Make, places: Places) -> None:
    from kb.reproduce.register import register_all
    from kb.reproduce.verdicts import refresh

    runner.execute(tiny(), "quick", places)
    tiny(text=MANIFEST.replace("low = 0.4", "low = 0.52"))
    with connect.for_writing(places) as session:
        register_all(session, places.reproductions)
        refresh(session)
    with contextlib.closing(connect.for_reading(places)) as connection:
        (run,) = {
            r["id"]: r for r in queries.show_claim(connection, "a-claim")["runs"] if r["criterion"] == "high"
        }.values()
        assert run["post_hoc"] is True


def test_changed_code_makes_the_verdict_stale_and_says_what_changed(tiny: Make, places: Places) -> None:
    from kb.reproduce.register import register_all
    from kb.reproduce.verdicts import refresh

    runner.execute(tiny(), "quick", places)
    tiny(EXPERIMENT + "\n# a comment changes nothing\n")
    with connect.for_writing(places) as session:
        register_all(session, places.reproductions)
        refresh(session)
    assert _verdict(places) == "supported"
    tiny(EXPERIMENT.replace("0.1 *", "0.2 *"))
    with connect.for_writing(places) as session:
        register_all(session, places.reproductions)
        refresh(session)
    with contextlib.closing(connect.for_reading(places)) as connection:
        shown = queries.show_claim(connection, "a-claim")
        assert shown["verdict"] == "stale"
        assert "its code changed since" in shown["verdict_detail"]["because"]
        assert [c["action"] for c in queries.history(connection, "a-claim")][:2] == ["verdict", "verdict"]
