"""What can go wrong while `kb reproduce dt-random` runs, at the level of the whole command.

It runs in a workspace of its own on a copy of the experiment: tiny presets, a checkpoint after every fourth update, and
a place in the middle of a training where a test can hold it. Everything else is the shipped code.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import pytest

import kb
from kb.reproduce import recorded
from reproductions.dt_random import d4rl, data, experiment
from reproductions.dt_random.evaluate import normalised_score

pytestmark = [
    pytest.mark.experiment,
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="finds processes as Linux lists them"),
]

ROOT = Path(kb.__file__).parents[1]
SHIPPED = Path(experiment.__file__).parent
TRAINING = "hopper-medium-dt-0"
"""The one in whose middle a run is held."""
PATIENCE = 600.0
"""Seconds; a command takes about ten on a free core."""
SAVED = "            loop.save(weights)\n            saved = loop.update\n"
HELD = f"""{SAVED}            if os.environ.get("HELD") == training.name and loop.update >= 8:
                Path("held").touch()
                __import__("time").sleep(600)
"""
LIMITED = """def _play(task: tuple[Request, Path]) -> None:
    import os, resource
    if os.environ.get("LARGEST_FILE"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(os.environ["LARGEST_FILE"]),) * 2)
"""


def changed(path: Path, old: str, new: str) -> None:
    """Replace what must be there."""
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


class Workspace:
    """A folder with a store and the experiment's copy; `cache` may be shared with another one."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self.folder, self.cache = folder, cache
        folder.mkdir()
        shutil.copy(ROOT / "claims.db", folder / "claims.db")
        (folder / "citations").symlink_to(ROOT / "citations")
        self.experiment = folder / "reproductions" / "dt_random"
        shutil.copytree(SHIPPED, self.experiment, ignore=shutil.ignore_patterns("runs", "__pycache__"))
        manifest = self.experiment / "reproduction.toml"
        smoke = next(
            line for line in manifest.read_text("utf-8").splitlines() if "transitions = 3000" in line
        )
        tiny = smoke.replace("_seeds = 2", "_seeds = 1").replace("episodes = 5", "episodes = 1")
        changed(manifest, smoke, tiny)
        changed(self.experiment / "collect.py", "COPIES = 64", "COPIES = 8")
        changed(self.experiment / "one_training.py", "CHECKPOINT_EVERY = 500", "CHECKPOINT_EVERY = 4")
        changed(self.experiment / "one_training.py", SAVED, HELD)
        changed(
            self.experiment / "experiment.py", "def _play(task: tuple[Request, Path]) -> None:\n", LIMITED
        )

    def changed(self, old: str, new: str, file: str = "reproduction.toml") -> None:
        """Replace in a file of the experiment what must be there."""
        changed(self.experiment / file, old, new)

    def begin(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """`kb reproduce dt-random --preset smoke` and more arguments, begun."""
        command = [
            sys.executable,
            "-m",
            "kb.cli.main",
            "reproduce",
            "dt-random",
            "--preset",
            "smoke",
            "--trust",
        ]
        own = {
            "PYTHONPATH": str(ROOT),
            "KB_CACHE": str(self.cache),
            "XDG_DATA_HOME": str(self.folder / "data"),
            "OMP_NUM_THREADS": "1",
        }
        return subprocess.Popen(
            [*command, "--json", "--seed", "5", *arguments],
            cwd=self.folder,
            env={**os.environ, **own, **environment},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=lambda: os.sched_setaffinity(0, [min(os.sched_getaffinity(0))]),
        )

    @property
    def run(self) -> Path:
        """The folder of the only run."""
        (folder,) = (self.folder / ".kb" / "runs").iterdir()
        return folder

    def record(self) -> dict[str, Any]:
        """What the only run left on record."""
        return recorded.read(self.run)


def done(process: subprocess.Popen[str]) -> dict[str, Any]:
    """What a command that ends well prints."""
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    result: dict[str, Any] = json.loads(out)
    return result


def failed(process: subprocess.Popen[str], code: int = 1) -> str:
    """What a command that fails says: one line, whatever was wrong, and no traceback."""
    out, err = process.communicate(timeout=PATIENCE)
    (line,) = [line for line in err.splitlines() if line.startswith("kb:")]
    assert (process.returncode, out) == (code, "")
    assert "Traceback" not in err
    assert err.endswith(f"{line}\n")
    return line


def kill_all(process: subprocess.Popen[str]) -> None:
    """SIGKILL to the command and to everything below it, at once."""
    family = [process.pid]
    for member in family:
        family += map(int, Path(f"/proc/{member}/task/{member}/children").read_text().split())
    for group in {os.getpgid(member) for member in family}:
        os.killpg(group, signal.SIGKILL)
    process.communicate(timeout=60)


class Told(NamedTuple):
    """What became of two runs of one seed that shared a cache, one of which had all the bad luck."""

    lucky: Workspace
    troubled: Workspace
    of_the_full_disk: str
    cached_on_the_full_disk: set[str]
    left_by_the_kill: dict[str, Any]
    whole: dict[str, Any]
    resumed: dict[str, Any]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """One run meets a full disk, goes on beside the other, both making data, is killed, and goes on again."""
    folder = tmp_path_factory.mktemp("faults")
    troubled, lucky = (Workspace(folder / name, folder / "cache") for name in ("troubled", "lucky"))
    line = failed(troubled.begin(LARGEST_FILE="100000"))  # as a disk on which no more than that is left
    cached = {path.suffix for path in (folder / "cache" / "dt-random").iterdir()}

    held = troubled.begin("--resume", troubled.run.name, HELD=TRAINING)
    beside = lucky.begin()
    deadline = time.monotonic() + PATIENCE
    while not (troubled.run / "held").exists() and held.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    kill_all(held)
    left = {path.name for path in (troubled.run / "checkpoints").iterdir()}
    killed = {"state": troubled.record()["state"], "checkpoints": left}

    whole = done(beside)
    resumed = done(troubled.begin("--resume", troubled.run.name))
    return Told(lucky, troubled, line, cached, killed, whole, resumed)


def test_a_disk_that_fills_up_while_data_are_written_is_one_line_and_leaves_no_half_file(told: Told) -> None:
    assert "File too large" in told.of_the_full_disk
    assert f"kb reproduce dt-random --resume {told.troubled.run.name} goes on" in told.of_the_full_disk
    assert told.cached_on_the_full_disk == {".lock"}


def test_two_runs_at_once_share_the_cache_and_the_data(told: Told) -> None:
    digests = {workspace.record()["data_digest"] for workspace in (told.lucky, told.troubled)}
    assert len(digests - {""}) == 1
    kept = [path for path in (told.lucky.cache / "dt-random").iterdir() if path.suffix != ".lock"]
    assert sorted(path.name.rsplit("-", 1)[0] for path in kept) == [
        "hopper-expert", "hopper-medium", "hopper-medium", "hopper-random",
    ]  # fmt: skip
    for path in kept:
        arrays, attributes = data.read_hdf5(path, "hopper")
        assert data.digest_of_arrays(arrays) == attributes["digest_of_learning_arrays"]


def test_a_run_killed_in_the_middle_of_a_training_ends_as_one_that_was_not(told: Told) -> None:
    assert told.left_by_the_kill["state"] == "running"
    assert f"{TRAINING}.pt" in told.left_by_the_kill["checkpoints"]
    assert f"{TRAINING}.json" not in told.left_by_the_kill["checkpoints"]
    assert told.troubled.record()["samples"] == told.lucky.record()["samples"]
    for what in ("metrics", "verdicts", "departures", "artifacts", "seed"):
        assert told.resumed[what] == told.whole[what]


def test_an_environment_that_is_none_ends_the_experiment_with_one_line(tmp_path: Path) -> None:
    said = said_of(tmp_path, parameters={"environments": ["ant"]})
    assert said == "unknown environment 'ant'; choose one of hopper, halfcheetah, walker2d"


def test_a_missing_extra_is_one_line_that_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from kb.cli.main import main

    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "mujoco" else find(name))
    monkeypatch.setenv("KB_DB", str(tmp_path / "store.db"))
    assert main(["reproduce", "dt-random", "--preset", "smoke"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "kb: dt-random needs mujoco, not installed here; pip install 'interp-kb[mujoco]'\n"
    assert list(tmp_path.glob("runs/*")) == []


def test_a_disk_without_room_is_told_before_anything_begins(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "w", tmp_path / "cache")
    workspace.changed("disk_mb = 20\n", "disk_mb = 1e12\n")
    line = failed(workspace.begin(), code=2)
    assert "needs 1000000000000 MB in" in line
    assert not (workspace.folder / ".kb" / "runs").exists()


# D4RL's own files: the layout of its version 2, with what it keeps beside and we do not read.

EPISODES = {
    "random": [(3, "terminal"), (5, "timeout"), (4, "terminal"), (6, "cut off")],
    "medium": [(30, "terminal"), (25, "timeout")],
    "medium-expert": [(30, "terminal"), (40, "timeout"), (7, "cut off")],
}


def d4rl_arrays(level: str) -> dict[str, np.ndarray[Any, Any]]:
    """Steps of the episodes above, rewards 1, 2, 3 ... over the whole file."""
    draw = np.random.default_rng(len(level))
    lengths = [length for length, _ in EPISODES[level]]
    rows, last = sum(lengths), np.cumsum(lengths) - 1
    ended = {how: np.zeros(rows, dtype=np.bool_) for how in ("terminal", "timeout", "cut off")}
    for row, (_, how) in zip(last, EPISODES[level], strict=True):
        ended[how][row] = True
    return {
        "observations": draw.normal(size=(rows, 11)).astype(np.float32),
        "next_observations": draw.normal(size=(rows, 11)).astype(np.float32),
        "actions": draw.uniform(-1, 1, (rows, 3)).astype(np.float32),
        "rewards": np.arange(1, rows + 1, dtype=np.float32),
        "terminals": ended["terminal"],
        "timeouts": ended["timeout"],
        "infos/qpos": draw.normal(size=(rows, 6)),
        "infos/qvel": draw.normal(size=(rows, 6)),
        "infos/action_log_probs": draw.normal(size=rows).astype(np.float32),
        "metadata/iteration": np.array(3),
    }


def d4rl_folder(folder: Path, **changes: np.ndarray[Any, Any] | None) -> dict[str, dict[str, Any]]:
    """Files under D4RL's names, those of random data changed; what would be published of them, by level."""
    folder.mkdir()
    published = {}
    for level in EPISODES:
        path = folder / f"hopper_{level.replace('-', '_')}-v2.hdf5"
        arrays: dict[str, Any] = d4rl_arrays(level)
        with h5py.File(path, "w") as file:
            for name, array in {**arrays, **(changes if level == "random" else {})}.items():
                if array is not None:
                    file[name] = array
        published[level] = {
            "bytes": path.stat().st_size,
            "sha256": data.digest_of_file(path),
            "url": f"http://192.0.2.1/{path.name}",
        }
    return published


def publish(workspace: Workspace, published: dict[str, dict[str, Any]]) -> None:
    """Let the experiment's list of published files be of ours: every check of them stays in force."""
    path = workspace.experiment / "d4rl_files.json"
    content = json.loads(path.read_text("utf-8"))
    content["files"]["hopper"] |= published
    path.write_text(json.dumps(content), "utf-8")


def test_a_run_on_d4rls_files_takes_terminals_and_timeouts_as_d4rl_means_them(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "w", tmp_path / "cache")
    publish(workspace, d4rl_folder(tmp_path / "files"))
    run = done(workspace.begin("--data", str(tmp_path / "files")))
    # 1+2+3, then 4 to 8 up to the time limit, then 9 to 12; what the end of the file cut off counts nowhere
    returns = normalised_score(np.array([6.0, 30.0, 42.0]), "hopper")
    assert run["metrics"]["hopper_random_data_mean"]["value"] == pytest.approx(returns.mean())
    assert run["metrics"]["hopper_random_data_best"]["value"] == pytest.approx(returns.max())
    best = normalised_score(np.array([np.arange(1, 31).sum(), np.arange(31, 71).sum()]), "hopper")
    assert run["metrics"]["hopper_medium_expert_data_best"]["value"] == pytest.approx(best.max())
    record = workspace.record()
    assert record["config"]["original"] == "D4RL's v2 data sets"
    assert record["protocol"]["data"].startswith("D4RL v2")
    assert not any("Own data" in departure for departure in run["departures"])
    assert not any(judgement["analogue"] for judgement in run["verdicts"])
    assert not (tmp_path / "cache").exists()  # nothing was played


def test_d4rl_files_with_another_checksum_are_refused_in_one_line(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "w", tmp_path / "cache")
    d4rl_folder(tmp_path / "files")
    line = failed(workspace.begin("--data", str(tmp_path / "files")))
    assert "hopper_random-v2.hdf5 has" in line
    assert "bytes, the published file" in line
    assert workspace.record()["state"] == "failed"


def nan_in(name: str) -> dict[str, np.ndarray[Any, Any]]:
    """The array with one NaN, in its tenth row."""
    array = d4rl_arrays("random")[name]
    array[9] = np.nan
    return {name: array}


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        (nan_in("rewards"), "rewards has NaN or infinity at row 9"),
        (nan_in("observations"), "observations has NaN or infinity at row 9"),
        ({"actions": None}, "has no array 'actions'; it is not a D4RL v2 file"),
        ({"timeouts": None}, "has no array 'timeouts'; it is not a D4RL v2 file"),
        (
            {"observations": np.zeros((18, 17), np.float32)},
            r"observations has shape (18, 17), hopper needs (18, 11)",
        ),
        ({"rewards": np.zeros((18, 1), np.float32)}, "rewards has shape (18, 1), hopper needs (18,)"),
        ({"terminals": np.zeros(17, np.bool_)}, "terminals has shape (17,), hopper needs (18,)"),
        (
            {"terminals": np.zeros(18, np.bool_), "timeouts": np.zeros(18, np.bool_)},
            "hopper random: no complete episode in the data",
        ),
    ],
)
def test_data_that_cannot_be_learnt_from_end_the_experiment_with_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: Any, complaint: str
) -> None:
    """Their checksums are right, as if they had been published so."""
    as_published(monkeypatch, d4rl_folder(tmp_path / "files", **changes))
    assert complaint in said_of(tmp_path, tmp_path / "files")


def test_a_truncated_file_ends_the_experiment_with_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = d4rl_folder(tmp_path / "files")
    path = tmp_path / "files" / "hopper_random-v2.hdf5"
    path.write_bytes(path.read_bytes()[:-500])
    as_published(monkeypatch, published)
    assert "bytes, the published file" in said_of(tmp_path, tmp_path / "files")
    published["random"] |= {"bytes": path.stat().st_size, "sha256": data.digest_of_file(path)}
    assert "is truncated or not HDF5" in said_of(tmp_path, tmp_path / "files")


def said_of(folder: Path, original: Path | None = None, parameters: dict[str, Any] | None = None) -> str:
    """What the experiment says when it ends over something that the user can mend: one line."""
    config = {"preset": "smoke", "seed": 1, "parameters": parameters or {}, "cache": str(folder / "cache")}
    config |= {"original": str(original)} if original else {}
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    with pytest.raises(SystemExit) as ended:
        experiment.main()
    said = str(ended.value.code)
    assert "\n" not in said
    return said


def as_published(monkeypatch: pytest.MonkeyPatch, published: dict[str, dict[str, Any]]) -> None:
    """Hold files against these sizes and checksums instead of D4RL's."""

    def entry(environment: str, level: str) -> d4rl.PublishedFile:
        known = published[level]
        return d4rl.PublishedFile(Path(known["url"]).name, known["bytes"], known["sha256"], known["url"])

    monkeypatch.setattr(d4rl, "published_file", entry)
