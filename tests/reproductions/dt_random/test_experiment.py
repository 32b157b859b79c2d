from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kb.reproduce import manifest
from kb.reproduce.report import Report
from reproductions.dt_random import collect, experiment, one_training
from reproductions.dt_random.collect import Request, own_data
from reproductions.dt_random.comparisons import Training, trainings
from reproductions.dt_random.data import DataError, DataSet
from reproductions.dt_random.experiment import better_half, configured, samples_of
from reproductions.dt_random.one_training import Outcome, Settings, kept, train_and_evaluate
from reproductions.dt_random.physics import UnknownEnvironment
from reproductions.dt_random.workers import side_by_side

pytestmark = pytest.mark.experiment

FOLDER = Path(experiment.__file__).parent


def settings(folder: Path, **changes: Any) -> Settings:
    """Tiny, on one thread, without bfloat16 so that every machine gives the same."""
    plain: dict[str, Any] = {
        "transitions": 1_500, "episodes": 2, "updates": 12, "updates_on": {}, "batch": 4, "learning_rate": 1e-3, "warmup": 2,
        "mlp_updates": 6, "mlp_batch": 16, "mlp_width": 8, "paper_size_updates": 2, "paper_size_batch": 4,
        "paper_size_learning_rate": 1e-3,
        "run_seed": 3, "bfloat16": False, "original": None, "cache": folder / "cache", "checkpoints": folder,
    }  # fmt: skip
    return Settings(**{**plain, **changes})


def test_every_sample_of_a_run_belongs_to_a_metric_of_the_manifest() -> None:
    made = manifest.load(FOLDER)
    known = {name for metric in made.metrics for name in metric.samples}
    for preset in made.presets.values():
        config = configured(dict(preset.parameters))
        planned = list(trainings(config.environments, 2, 3, config.paper_size_on, True))
        outcomes = {
            t.name: Outcome({asked: [1.0] for asked in one_training._asked(t, 1.0)}, [], 0.0) for t in planned
        }
        assert {name for name, _, _ in samples_of(outcomes, planned, 2)} <= known


def test_what_the_criteria_judge_gets_its_own_number_of_training_seeds() -> None:
    counts = Counter((t.learner, t.level) for t in trainings(("hopper",), 2, 3, ("hopper",), True))
    judged = {pair for pair, count in counts.items() if count == 3}
    assert judged == {("dt", "random"), ("dt", "medium-expert")}
    assert {count for pair, count in counts.items() if pair not in judged} == {2}


def test_metrics_that_compare_samples_find_them_on_the_same_training_seeds() -> None:
    made = manifest.load(FOLDER)
    config = configured(dict(made.presets["full"].parameters))
    planned = list(
        trainings(config.environments, config.training_seeds, config.judged_seeds, config.paper_size_on, True)
    )
    outcomes = {
        t.name: Outcome({asked: [1.0] for asked in one_training._asked(t, 1.0)}, [], 0.0) for t in planned
    }
    units: dict[str, set[str]] = {
        f"{name}_expert_half": {f"seed {i}" for i in range(config.judged_seeds)}
        for name in (*config.environments, "average")
    }
    for name, unit, _ in samples_of(outcomes, planned, config.training_seeds):
        units.setdefault(name, set()).add(unit)
    assert not [
        m.name for m in made.metrics if len({frozenset(units.get(s, {"none"})) for s in m.samples}) > 1
    ]


def test_an_environment_can_have_its_own_number_of_updates(tmp_path: Path) -> None:
    made = settings(tmp_path, updates_on={"walker2d": 20})
    assert made.updates_of(Training("dt", "walker2d", "random", 0)) == 20
    assert made.updates_of(Training("dt", "hopper", "random", 0)) == 12
    with pytest.raises(UnknownEnvironment):
        configured({"updates_on": {"ant": 5}})


def test_an_average_over_environments_is_taken_seed_by_seed() -> None:
    planned = [
        Training("dt", environment, "random", index)
        for environment in ("hopper", "walker2d")
        for index in (0, 1)
    ]
    outcomes = {t.name: Outcome({"target": [len(t.environment) + t.index]}, [], 0.0) for t in planned}
    found = {(name, unit): value for name, unit, value in samples_of(outcomes, planned, 2)}
    assert found["average_random_dt", "seed 0"] == 7
    assert found["average_random_dt", "seed 1"] == 8


def test_no_average_is_reported_where_an_environment_is_missing() -> None:
    planned = [Training("dt", "hopper", "random", 0), Training("bc", "walker2d", "random", 0)]
    outcomes = {t.name: Outcome({"target": [1.0]}, [], 0.0) for t in planned}
    assert not [name for name, _, _ in samples_of(outcomes, planned, 2) if name.startswith("average")]


def test_the_better_half_are_the_best_episodes_that_make_up_half_of_the_steps() -> None:
    lengths = np.array([2, 3, 5])
    data = DataSet(
        environment="hopper", level="medium-expert", origin="own", digest="",
        observations=np.zeros((10, 11), np.float32), actions=np.zeros((10, 3), np.float32),
        rewards=np.repeat(np.array([1, 4, 2], np.float32), lengths), terminals=np.zeros(10, np.bool_),
        starts=np.array([0, 2, 5]), lengths=lengths,
    )  # fmt: skip
    assert better_half(data) == 12  # 3 of 10 steps; the next best, of 5 steps, would be more than half


@pytest.mark.parametrize("learner", ["dt", "rvs"])
def test_a_training_taken_up_again_ends_in_the_same_scores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, learner: str
) -> None:
    monkeypatch.setattr(one_training, "CHECKPOINT_EVERY", 2)
    training = Training(learner, "hopper", "random", 1)
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    for folder in (whole, halves):
        folder.mkdir()
    train_and_evaluate(settings(whole, training=training))

    class Killed(Exception):
        pass

    run = one_training.Loop.run

    def dies(loop: one_training.Loop, updates: int) -> float:
        if loop.update >= 4:
            raise Killed
        return run(loop, updates)

    monkeypatch.setattr(one_training.Loop, "run", dies)
    with pytest.raises(Killed):
        train_and_evaluate(settings(halves, training=training))
    assert (halves / f"{training.name}.pt").is_file()
    monkeypatch.setattr(one_training.Loop, "run", run)
    train_and_evaluate(settings(halves, training=training))
    assert kept(halves, training).scores == kept(whole, training).scores
    assert kept(halves, training).curve == kept(whole, training).curve


def test_the_shuffled_control_trains_on_other_returns(tmp_path: Path) -> None:
    outcomes = {}
    for learner in ("dt", "dt_shuffled"):
        training = Training(learner, "hopper", "random", 0)
        train_and_evaluate(settings(tmp_path, training=training))
        outcomes[learner] = kept(tmp_path, training).curve
    assert outcomes["dt"] != outcomes["dt_shuffled"]


def test_an_unknown_environment_is_one_line() -> None:
    with pytest.raises(UnknownEnvironment, match="unknown environment 'ant'; choose one of hopper"):
        configured({"environments": ["ant"]})


def test_d4rl_data_are_looked_for_in_the_folder_that_was_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is no folder; give the one with D4RL's files"):
        one_training.load_data("hopper", "random", settings(tmp_path, original=str(tmp_path / "none")))
    with pytest.raises(DataError, match=r"no hopper_random-v2\.hdf5"):
        one_training.load_data("hopper", "random", settings(tmp_path, original=str(tmp_path)))


def test_two_processes_give_what_one_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect, "COPIES", 64)  # as the other processes have it
    own_data(Request("hopper", "random", 1_500, 3), tmp_path / "cache")
    planned = [Training("bc", "hopper", "random", index) for index in (0, 1)]
    tasks = [settings(tmp_path, training=training) for training in planned]
    assert set(side_by_side(train_and_evaluate, tasks, 2)) == set(planned)
    apart = tmp_path / "apart"
    apart.mkdir()
    train_and_evaluate(settings(apart, cache=tmp_path / "cache", training=planned[0]))
    assert kept(tmp_path, planned[0]).scores == kept(apart, planned[0]).scores


def test_a_run_reports_samples_data_and_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parameters = {
        **manifest.load(FOLDER).presets["smoke"].parameters,
        "transitions": 3_000,
        "updates": 4,
        "mlp_updates": 2,
    }
    parameters |= {"episodes": 2, "mlp_width": 8}
    published = [
        {"metric": "hopper_medium_expert_dt", "figure": "f", "value": 107.6, "source": "s", "locator": "t",
         "protocol": {}, "note": ""},
    ]  # fmt: skip
    (tmp_path / "config.json").write_text(
        json.dumps({"preset": "smoke", "seed": 1, "parameters": parameters, "cache": str(tmp_path / "cache"),
                    "published": published})
    )  # fmt: skip
    monkeypatch.setattr(experiment, "cores", lambda: 1)
    with Report.open() as report:
        experiment.run(report)
    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    known = {name for metric in manifest.load(FOLDER).metrics for name in metric.samples}
    reported = {event["metric"] for event in events if event["event"] == "sample"}
    assert (
        {"hopper_random_dt", "hopper_medium_expert_dt", "hopper_expert_half", "hopper_random_data_best"}
        <= reported
        <= known
    )
    assert [e["path"] for e in events if e["event"] == "artifact"] == [
        "scores.png",
        "published.png",
        "curves.png",
    ]
    assert events[-1]["event"] == "done"
