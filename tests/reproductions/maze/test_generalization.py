"""The whole experiment at toy size, and its parts one by one."""

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from kb.reproduce import judging, manifest
from kb.reproduce.report import Report
from reproductions.maze import generalization, generalization_networks, geometry, networks, sizes, train
from reproductions.maze.environment import Environments
from reproductions.maze.generalization import Outcome
from reproductions.maze.imitation import HELD_OUT_SEEDS
from reproductions.maze.networks import Network
from reproductions.maze.policy import Architecture, MazePolicy
from reproductions.maze.rollout import Episode
from reproductions.maze.state import Maze, MazeError
from tests.reproductions.toy_runs import Interrupted, events, opened

pytestmark = pytest.mark.experiment

MANIFEST = Path(generalization.__file__).with_name("generalization.reproduction.toml")
TINY: dict[str, Any] = {"mazes": 2, "mazes_of_other_sizes": 1, "longest": 6, "decision_levels": 12}


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
    return opened(folder, TINY)


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
    assert sampled - reported <= {
        "matched_far", "matched_top_right", "change_point_gain", "size_5_shortest_path", "size_7_shortest_path",
    }  # fmt: skip
    shown = {event["path"] for event in events(tmp_path / "whole", "artifact")}
    assert shown == {
        "conditions.csv",
        "corners.png",
        "largest.png",
        "ends.png",
        "decisions.png",
        "networks.png",
    }
    table = list(csv.DictReader((tmp_path / "whole" / "conditions.csv").read_text("utf-8").splitlines()))
    assert [(row["size"], row["cheese"]) for row in table][:3] == [
        ("3", "random"), ("9", "top-right"), ("9", "top-left"),
    ]  # fmt: skip
    for row in table:
        ends = [row[f"after_n_{end.replace('-', '_')}"] for end in generalization.ENDS]
        # N is not known where nothing was reached, and below size 9 there are no corners.
        assert set(ends) == {""} if not row["n"] else sum(map(int, ends)) == int(row["episodes"])


def test_every_preset_fits_the_configuration_and_claims_rates_on_enough_mazes() -> None:
    described = manifest.load(MANIFEST)
    assert described.name == "maze-generalization"
    assert all(criterion.analogue for criterion in described.criteria)
    for name in ("quick", "full"):
        config = generalization.Config(**described.presets[name].parameters)
        assert config.mazes >= 300
        assert config.retrain == (name == "full")
    assert not {entry["metric"] for entry in described.published} - {m.name for m in described.metrics}


def test_a_network_that_is_trained_again_is_the_one_of_the_run_and_goes_on_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny = {
        mode: replace(recipe, shards=2, batch=64, channels=(2, 2), residuals=(3, 1))
        for mode, recipe in train.RECIPES.items()
    }
    monkeypatch.setattr(train, "RECIPES", tiny)
    monkeypatch.setattr(train, "SHARD_LEVELS", 16)
    with open_run(tmp_path) as report:
        config = generalization.Config(**TINY, retrain=True)
        first = generalization.subject(config, report)
        progress = report.checkpoints / "training" / "hard" / "progress.pt"
        written = progress.stat().st_mtime_ns
        second = generalization.subject(config, report)
    assert progress.stat().st_mtime_ns == written, "what is trained is not trained again"
    assert first.policy.architecture.channels == (2, 2)
    assert not first.backgrounds
    pairs = zip(first.policy.state_dict().values(), second.policy.state_dict().values(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)
    easy = MazePolicy.load(report.checkpoints / "training" / "easy.safetensors")
    assert easy.architecture.tiles == 15


def dawdling(
    policy: MazePolicy, mazes: list[Maze], environments: Environments, *, budget: int | list[int], seed: int
) -> list[Episode]:
    """In place of the rollouts: the shortest path after a wait that the seed decides."""
    chance = np.random.default_rng(seed)
    budgets = [budget] * len(mazes) if isinstance(budget, int) else budget
    episodes = []
    for maze, most in zip(mazes, budgets, strict=True):
        way = [maze.mouse] * int(chance.integers(1, 40))
        if maze.cheese is not None:
            way += geometry.path(maze, maze.mouse, maze.cheese)[1:]
        kept = tuple(way[: most + 1])
        reached = kept[-1] == maze.cheese
        episodes.append(Episode(reached, len(kept) - 1, kept[-1], frozenset(kept), kept))
    return episodes


def test_a_network_is_measured_on_the_same_mazes_with_the_same_random_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the run's own network, looked at as one of several, gives the figures of the main table."""
    monkeypatch.setattr(generalization, "rollouts", dawdling)
    config = generalization.Config(**{**TINY, "mazes": 8, "longest": 400})
    study = generalization.Study(config, Network(small(), False), 3)
    own = generalization.measure_size(study, 25)
    again = generalization_networks.measure(study, "the same", tmp_path)
    assert again["n"] == own["n"]
    hits = 0
    for where in generalization_networks.PLACES:
        one, other = (
            [(row.level, row.shortest, row.within(own["n"])) for row in kept["conditions"][where]]
            for kept in (own, again)
        )
        assert one == other
        hits += sum(within for _, _, within in one)
    assert 0 < hits < 4 * 8


def test_a_network_for_other_mazes_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = generalization.Study(generalization.Config(**TINY), Network(small(), False), 3)
    monkeypatch.setattr(networks, "network", lambda name, original, cache: Network(easy_one(), False))
    with pytest.raises(MazeError, match="easy-0 is no network for mazes of 25 cells"):
        generalization_networks.measure(study, "easy-0", tmp_path)


def easy_one() -> MazePolicy:
    return MazePolicy(Architecture(tiles=15, channels=(2,), residuals=(1,), hidden=4)).eval()


def test_three_networks_decide_nothing_about_the_recipe_however_clear_they_are(tmp_path: Path) -> None:
    rows = [replace(outcome(50, 60, reached=False), level=level) for level in range(200)]
    conditions = dict.fromkeys(generalization_networks.PLACES, rows)
    described = manifest.load(MANIFEST)
    with open_run(tmp_path) as report:
        for name in generalization.Config().networks:
            generalization_networks.report_network(report, name, {"n": 70.0, "conditions": conditions})
    metrics = judging.metrics_of(described, events(tmp_path, "sample"))
    assert metrics["hard_2_far_within_n"]["n"] == 200
    assert metrics["networks_far_within_n"]["n"] == 3
    judged = judging.judgements_of(described, metrics, "full", on_original=False)
    (recipe,) = [row for row in judged if row["criterion"] == "recipe-misses-the-far-corners"]
    assert recipe["verdict"] == "inconclusive"


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
    return Outcome(
        level=shortest,
        layout="layout 1",
        shortest=shortest,
        reached=reached,
        steps=steps,
        top_right=False,
        end="elsewhere",
        corners=("bottom-left",),
    )


def test_n_is_the_mean_over_the_episodes_that_reached() -> None:
    rows = [outcome(1, 10), outcome(1, 20), outcome(1, 400, reached=False)]
    episodes = [Episode(row.reached, row.steps, (0, 0), frozenset()) for row in rows]
    assert generalization.mean_steps(episodes) == 15
    assert np.isnan(generalization.mean_steps(episodes[2:]))
    assert [row.within(15) for row in rows] == [True, False, False]
    assert not rows[0].within(float("nan"))


def test_a_layout_counts_once_where_there_are_few(tmp_path: Path) -> None:
    rows = [replace(outcome(2, 2), level=level, layout=f"layout {level % 2}") for level in range(6)]
    with open_run(tmp_path) as report:
        for size in (3, 7):
            generalization.report_small(report, {"size": size, "conditions": {"random": rows}})
    units = {
        size: {e["unit"] for e in events(tmp_path, "sample") if e["metric"] == f"size_{size}_shortest_path"}
        for size in (3, 7)
    }
    assert units == {3: {"layout 0", "layout 1"}, 7: {f"level {level}" for level in range(6)}}


def test_where_the_mouse_is_is_told_after_n_steps(hard: Environments) -> None:
    level = sizes.levels_by_size(hard, {25: 1}, HELD_OUT_SEEDS, np.random.default_rng(0))[25][0]
    maze = level.with_cheese(geometry.corner_cell(level, "top-left"))
    corner = geometry.corner_cell(maze, "top-right")
    way = tuple(geometry.path(maze, maze.start, corner))
    episode = Episode(False, len(way) - 1, corner, frozenset(way), way)
    late, early = (generalization.outcomes([maze], [episode], n)[0] for n in (len(way) - 1.0, 1.5))
    assert (late.end, early.end) == ("top-right", "bottom-left")
    assert late.corners == ("top-right", "bottom-left")
    assert late.shortest == len(geometry.path(maze, maze.start, maze.cheese)) - 1  # type: ignore[arg-type]
    assert not late.within(1000)


def test_what_is_kept_comes_back() -> None:
    kept = {"size": 9, "n": 12.5, "conditions": {"top-left": [outcome(3, 4)]}}
    assert generalization.kept_again(generalization.keep(kept)) == kept


def test_the_null_control_has_the_sizes_of_the_network_it_stands_for() -> None:
    like = Network(small(), backgrounds=False)
    null = networks.untrained(like, seed=1)
    assert null.policy.architecture == like.policy.architecture
    assert not torch.equal(null.policy.fc_policy.weight, like.policy.fc_policy.weight)
