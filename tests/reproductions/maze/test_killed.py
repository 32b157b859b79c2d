"""The real experiment, started as `kb reproduce` starts it and killed in the middle."""

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kb.reproduce import manifest, runner
from kb.store.places import Places
from reproductions.maze import generalization
from reproductions.maze.environment import Environments

pytestmark = pytest.mark.experiment

ROOT = Path(generalization.__file__).parents[2]
TINY = {"mazes": 1, "mazes_of_other_sizes": 1, "longest": 4, "decision_levels": 6}


def process_in(folder: Path) -> int:
    """The process that works in a folder."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cwd").resolve() == folder.resolve():
                return int(entry.name)
        except OSError:
            continue
    raise AssertionError(f"nothing works in {folder}")


@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="needs /proc to find the process")
def test_a_killed_run_resumes_to_the_samples_of_one_that_was_not(tmp_path: Path, easy: Environments) -> None:
    described = manifest.load(ROOT / "reproductions" / "maze" / "generalization.reproduction.toml")
    smoke = replace(described.presets["smoke"], parameters=TINY)
    tiny = replace(described, presets={**described.presets, "smoke": smoke})
    places = Places(
        workspace=tmp_path,
        library=ROOT / "citations",
        released=ROOT / "claims.db",
        working=tmp_path / ".kb" / "store.db",
        reproductions=(ROOT / "reproductions",),
        runs=tmp_path / ".kb" / "runs",
    )
    killed: list[int] = []

    def kill(event: dict[str, Any]) -> None:
        if not killed and event == {"event": "finished", "kind": "size", "step": "9"}:
            (folder,) = [path.parent for path in places.runs.glob("*/events.jsonl")]
            killed.append(process_in(folder))
            os.kill(killed[0], signal.SIGKILL)

    with pytest.raises(runner.RunFailed) as failed:
        runner.execute(tiny, "smoke", places, seed=1_000_000, on_event=kill)
    assert killed
    resumed = runner.execute(tiny, "smoke", places, resume=failed.value.run["id"])
    whole = runner.execute(tiny, "smoke", places, seed=1_000_000)
    assert resumed["id"] == failed.value.run["id"] != whole["id"]
    assert resumed["samples"] == whole["samples"]
    assert resumed["metrics"] == whole["metrics"]
    assert len(whole["artifacts"]) == 6
