"""The whole experiment at toy size: controls, rules, determinism, and going on after an interruption."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("matplotlib")

import torch

from kb.reproduce import manifest
from kb.reproduce.report import Report
from reproductions.dt_toy_graph import experiment
from reproductions.dt_toy_graph import graph as graphs
from reproductions.dt_toy_graph import model as models
from reproductions.dt_toy_graph.graph import FAILED, Integers
from tests.reproductions.toy_runs import Interrupted, events, opened

pytestmark = pytest.mark.experiment

FOLDER = Path(experiment.__file__).parent
TINY: dict[str, Any] = {
    "graphs": 2, "nodes": 8, "edge_probability": 0.2, "walks": 120, "walk_steps": 5,
    "embedding": 16, "layers": 1, "updates": 12, "batch": 16, "warmup": 2,
}  # fmt: skip


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def open_run(folder: Path, parameters: dict[str, Any] = TINY) -> Report:
    return opened(folder, parameters)


def test_a_resumed_run_gives_the_samples_of_one_that_was_never_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_run(tmp_path / "whole") as report:
        experiment.run(report)

    measure = experiment.measure

    def first_graph_only(config: experiment.Config, seed: int) -> experiment.Outcome:
        if seed != experiment.graph_seed(3, 0):
            raise Interrupted
        return measure(config, seed)

    monkeypatch.setattr(experiment, "measure", first_graph_only)
    with pytest.raises(Interrupted), open_run(tmp_path / "resumed") as report:
        experiment.run(report)

    def second_graph_only(config: experiment.Config, seed: int) -> experiment.Outcome:
        assert seed == experiment.graph_seed(3, 1)
        return measure(config, seed)

    monkeypatch.setattr(experiment, "measure", second_graph_only)
    with open_run(tmp_path / "resumed") as report:
        experiment.run(report)

    assert events(tmp_path / "resumed", "sample") == events(tmp_path / "whole", "sample")
    for name in ("shares.png", "steps.png"):
        assert (tmp_path / "resumed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_every_metric_of_the_manifest_has_its_samples_and_every_preset_fits_the_configuration() -> None:
    described = manifest.load(FOLDER)
    reported = experiment.measure(experiment.Config(**TINY), 7).shares
    sampled = {name for metric in described.metrics for name in metric.samples}
    assert sampled == {*reported, "none_lost"}
    assert all(0 <= share <= 1 for share in reported.values())
    for name in ("quick", "full"):
        config = experiment.Config(**described.presets[name].parameters)
        assert config.graphs >= max(metric.min_units for metric in described.metrics)


def test_a_graph_depends_on_its_seed_alone() -> None:
    config = experiment.Config(**TINY)
    first = experiment.measure(config, 11)
    experiment.measure(config, 12)
    torch.rand(5)
    assert experiment.measure(replace(config, graphs=9), 11) == first


def test_graph_seeds_of_runs_do_not_meet() -> None:
    seeds = [experiment.graph_seed(run, index) for run in range(5) for index in range(1000)]
    assert len(set(seeds)) == len(seeds)


def chain(length: int = 4) -> graphs.Truths:
    """0 - 1 - 2 - ..., so that a node's number is its distance from the goal."""
    adjacent = np.zeros((length, length), dtype=bool)
    for node in range(length - 1):
        adjacent[node, node + 1] = adjacent[node + 1, node] = True
    return adjacent


class Recorder(models.DecisionTransformer):
    """Answers by a fixed rule and remembers which returns it was asked for."""

    def __init__(self, offset: int) -> None:
        super().__init__(models.Sizes(nodes=4, walk_steps=5, embedding=4, layers=1, heads=1))
        self.offset = offset
        self.asked: torch.Tensor | None = None

    def forward(self, returns: torch.Tensor, nodes: torch.Tensor) -> torch.Tensor:
        self.asked = returns
        following = (nodes + self.offset).clamp(0, 3)
        return torch.nn.functional.one_hot(following, 4).float()


def starts_and(asked: int) -> tuple[Integers, Integers]:
    return np.array([1, 2, 3]), np.full(3, asked)


def test_asked_for_one_step_to_go_the_model_hears_it_at_every_step() -> None:
    model = Recorder(offset=-1)
    rollouts = models.generate(model, chain(), *starts_and(experiment.ONE_STEP), walk_steps=5)
    assert rollouts.steps.tolist() == [1, 2, 3]
    assert model.asked is not None
    assert (model.asked == experiment.ONE_STEP).all()


def test_naming_a_node_that_is_no_neighbour_ends_the_path_as_a_failure() -> None:
    rollouts = models.generate(Recorder(offset=-2), chain(), *starts_and(2), walk_steps=5)
    assert rollouts.steps.tolist() == [1, 0, 0]
    assert rollouts.left_the_graph.tolist() == [False, True, True]


def test_held_to_edges_no_path_leaves_the_graph() -> None:
    adjacent = chain()
    rollouts = models.generate(
        Recorder(offset=-2), adjacent, *starts_and(2), walk_steps=5, neighbours_only=True
    )
    assert not rollouts.left_the_graph.any()


def test_the_goal_reached_after_the_length_of_a_walk_does_not_count() -> None:
    rollouts = models.generate(Recorder(offset=-1), chain(), *starts_and(5), walk_steps=2)
    assert rollouts.steps.tolist() == [1, 2, 0]


def test_predictions_do_not_look_ahead() -> None:
    model = models.DecisionTransformer(models.Sizes(nodes=6, walk_steps=4, embedding=8, layers=2, heads=1))
    returns, nodes = torch.tensor([[4, 3, 2, 1]]), torch.tensor([[1, 2, 3, 4]])
    changed_returns, changed_nodes = returns.clone(), nodes.clone()
    changed_returns[0, 3], changed_nodes[0, 3] = FAILED, 5
    before, after = model(returns, nodes), model(changed_returns, changed_nodes)
    torch.testing.assert_close(before[:, :3], after[:, :3])
    assert not torch.allclose(before[:, 3], after[:, 3])


def test_trained_on_a_chain_of_nodes_it_walks_straight_to_the_goal() -> None:
    adjacent = chain()
    walks = graphs.random_walks(adjacent, 300, 6, np.random.default_rng(0))
    torch.manual_seed(0)
    model = models.DecisionTransformer(models.Sizes(nodes=4, walk_steps=6, embedding=32, layers=1, heads=1))
    training = models.Training(updates=120, batch=32, learning_rate=5e-3, warmup=5)
    models.train(model, walks, lambda: walks.returns, training, np.random.default_rng(1))
    rollouts = models.generate(model, adjacent, np.array([1, 2, 3]), np.array([1, 2, 3]), walk_steps=6)
    assert rollouts.steps.tolist() == [1, 2, 3]
