"""The whole experiment at toy size, and its parts one by one."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from kb.reproduce import manifest
from kb.reproduce.report import Report
from reproductions.maze import generalization, geometry, networks, sizes
from reproductions.maze.environment import Environments
from reproductions.maze.generalization import Outcome
from reproductions.maze.imitation import HELD_OUT_SEEDS
from reproductions.maze.networks import Network
from reproductions.maze.policy import Architecture, MazePolicy

pytestmark = pytest.mark.experiment

MANIFEST = Path(generalization.__file__).with_name("generalization.reproduction.toml")
TINY: dict[str, Any] = {"mazes": 2, "mazes_of_other_sizes": 1, "longest": 6}


def small() -> MazePolicy:
    torch.manual_seed(0)
    return MazePolicy(Architecture(tiles=25, channels=(2,), residuals=(1,), hidden=4)).eval()


@pytest.fixture(autouse=True)
def _quick(easy: Environments, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two sizes and a network that costs nothing; `easy` skips where there is no procgen."""
    monkeypatch.setattr(generalization, "SWEPT", (9, 25))
    monkeypatch.setattr(generalization, "SMALL", (3,))
    monkeypatch.setattr(generalization, "SLOTS", 8)
    monkeypatch.setattr(
        networks, "network", lambda name, original, cache: Network(small(), original is not None)
    )


def open_run(folder: Path) -> Report:
    folder.mkdir(exist_ok=True)
    config = {"preset": "smoke", "seed": 3, "parameters": TINY, "cache": str(folder)}
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    return Report(folder)


def events(folder: Path, kind: str) -> list[dict[str, Any]]:
    lines = (folder / "events.jsonl").read_text("utf-8").splitlines()
    return [event for event in map(json.loads, lines) if event["event"] == kind]


class Interrupted(Exception):
    """Stands for the process being killed."""


def test_a_resumed_run_gives_the_samples_of_one_that_was_never_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_run(tmp_path / "whole") as report:
        generalization.run(report)
    measure = generalization.measure_size

    def not_the_largest(study: generalization.Study, size: int) -> dict[str, Any]:
        if size == 25:
            raise Interrupted
        return measure(study, size)

    monkeypatch.setattr(generalization, "measure_size", not_the_largest)
    with pytest.raises(Interrupted), open_run(tmp_path / "resumed") as report:
        generalization.run(report)
    monkeypatch.setattr(generalization, "measure_size", measure)
    with open_run(tmp_path / "resumed") as report:
        generalization.run(report)
    assert events(tmp_path / "resumed", "sample") == events(tmp_path / "whole", "sample")
    described = manifest.load(MANIFEST)
    reported = {event["metric"] for event in events(tmp_path / "whole", "sample")}
    sampled = {name for metric in described.metrics for name in metric.samples}
    assert reported <= sampled
    # The network that knows nothing reaches no corner within 6 steps, but everything else is reported.
    assert sampled - reported <= {"matched_far", "matched_top_right", "change_point_gain"}
    assert len(events(tmp_path / "whole", "artifact")) == 2


def test_every_preset_fits_the_configuration_and_claims_rates_on_enough_mazes() -> None:
    described = manifest.load(MANIFEST)
    assert described.name == "maze-generalization"
    assert all(criterion.analogue for criterion in described.criteria)
    for name in ("quick", "full"):
        config = generalization.Config(**described.presets[name].parameters)
        assert config.mazes >= 300
        assert config.mazes_of_other_sizes * 3 >= 100  # sizes 3, 5 and 7 together


def test_levels_have_the_size_asked_for_and_come_once(hard: Environments) -> None:
    found = sizes.levels_by_size(hard, {3: 4, 25: 3}, HELD_OUT_SEEDS, np.random.default_rng(0))
    assert {size: len(mazes) for size, mazes in found.items()} == {3: 4, 25: 3}
    assert all(maze.size == size for size, mazes in found.items() for maze in mazes)
    seeds = [maze.seed for mazes in found.values() for maze in mazes]
    assert len(set(seeds)) == len(seeds)
    assert all(seed in HELD_OUT_SEEDS for seed in seeds)


def test_the_cheese_goes_where_it_is_said(hard: Environments) -> None:
    found = sizes.levels_by_size(hard, {11: 6}, HELD_OUT_SEEDS, np.random.default_rng(0))[11]
    for where in ("top-left", "top-right", "bottom-right"):
        for maze in sizes.with_cheese_in(found, where, np.random.default_rng(1)):
            assert maze.cheese == geometry.corner_cell(maze, where)
    for maze in sizes.with_cheese_in(found, "bottom-left", np.random.default_rng(1)):
        assert maze.cheese is not None
        assert geometry.corner_region(maze, "bottom-left")[maze.cheese]
        assert maze.cheese != maze.mouse
    assert all(m.cheese != m.mouse for m in sizes.with_cheese_in(found, "random", np.random.default_rng(1)))
    assert all(m.cheese is None for m in sizes.with_cheese_in(found, "none", np.random.default_rng(1)))


def outcome(shortest: int, steps: int = 0, reached: bool = True) -> Outcome:
    return Outcome(level=shortest, shortest=shortest, reached=reached, steps=steps, top_right=False)


def test_n_is_the_mean_over_the_episodes_that_reached() -> None:
    rows = [outcome(1, 10), outcome(1, 20), outcome(1, 400, reached=False)]
    assert generalization.mean_steps(rows) == 15
    assert np.isnan(generalization.mean_steps(rows[2:]))
    assert [row.within(15) for row in rows] == [True, False, False]
    assert not rows[0].within(float("nan"))


def test_pairs_are_close_in_length_and_nobody_is_paired_twice() -> None:
    far = [outcome(shortest) for shortest in (10, 12, 30, 90)]
    near = [outcome(shortest) for shortest in (13, 14, 27, 60)]
    pairs = generalization.matched(far, near, caliper=4)
    assert sorted((one.shortest, other.shortest) for one, other in pairs) == [(10, 14), (12, 13), (30, 27)]
    assert generalization.matched(far, [], caliper=4) == []


def test_what_is_kept_comes_back() -> None:
    kept = {"size": 9, "n": 12.5, "conditions": {"top-left": [outcome(3, 4)]}, "no_cheese": []}
    assert generalization.kept_again(generalization.keep(kept)) == kept


def test_the_null_control_has_the_sizes_of_the_network_it_stands_for() -> None:
    like = Network(small(), backgrounds=False)
    null = networks.untrained(like, seed=1)
    assert null.policy.architecture == like.policy.architecture
    assert not torch.equal(null.policy.fc_policy.weight, like.policy.fc_policy.weight)
