"""The network, its training and the whole experiment at toy size."""

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
from reproductions.dt_key_to_door import experiment, rooms
from reproductions.dt_key_to_door import model as models
from reproductions.dt_key_to_door.acting import acting
from reproductions.dt_key_to_door.model import FAILURE, NOT_SAID, SUCCESS
from tests.reproductions.toy_runs import Interrupted, events, opened

pytestmark = pytest.mark.experiment

FOLDER = Path(experiment.__file__).parent
TINY: dict[str, Any] = {
    "seeds": 2, "size": 2, "room_steps": 3, "trajectories": [80], "updates": [12], "percent_bc_updates": [6],
    "episodes": 20, "embedding": 16, "batch": 16, "warmup": 2,
}  # fmt: skip
LAYOUT = rooms.Layout(size=3, room_steps=4)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def network(layers: int = 2, dropout: float = 0.0) -> models.DecisionTransformer:
    torch.manual_seed(0)
    return models.DecisionTransformer(
        models.Sizes(LAYOUT.states, LAYOUT.steps, embedding=16, layers=layers, heads=2, dropout=dropout)
    )


def random_episodes(count: int, seed: int = 0) -> rooms.Episodes:
    random = np.random.default_rng(seed)
    return rooms.play(LAYOUT, rooms.random_policy(random), rooms.starts(LAYOUT, count, random))


def test_predictions_do_not_look_ahead_nor_at_their_own_action() -> None:
    model, played = network(), random_episodes(4)
    returns = torch.tensor([SUCCESS, FAILURE, NOT_SAID, SUCCESS])
    states, actions = torch.from_numpy(played.states), torch.from_numpy(played.actions)
    before = model(returns, states, actions)
    changed_states, changed_actions = states.clone(), actions.clone()
    changed_states[:, 6:] = (states[:, 6:] + 1) % LAYOUT.states
    changed_actions[:, 5:] = (actions[:, 5:] + 1) % rooms.ACTIONS
    after = model(returns, changed_states, changed_actions)
    torch.testing.assert_close(before[:, :6], after[:, :6])
    assert not torch.allclose(before[:, 6], after[:, 6])


def test_predictions_depend_on_the_return_asked_for() -> None:
    model, played = network(), random_episodes(4)
    states, actions = torch.from_numpy(played.states), torch.from_numpy(played.actions)
    one, other = (model(torch.full((4,), asked), states, actions) for asked in (SUCCESS, FAILURE))
    assert not torch.allclose(one, other)


@pytest.mark.parametrize("layers", [1, 2])
def test_read_step_by_step_an_episode_gives_what_it_gives_read_whole(layers: int) -> None:
    model, played = network(layers), random_episodes(5)
    returns = torch.tensor([SUCCESS, FAILURE, NOT_SAID, SUCCESS, FAILURE])
    states, actions = torch.from_numpy(played.states), torch.from_numpy(played.actions)
    memory: models.Memory = []
    steps = [
        model.step(time, returns, states[:, time], actions[:, time - 1] if time else None, memory)
        for time in range(LAYOUT.steps)
    ]
    torch.testing.assert_close(torch.stack(steps, dim=1), model(returns, states, actions))


def test_a_policy_forgets_the_episodes_before() -> None:
    policy, starts = acting(network(), SUCCESS), rooms.starts(LAYOUT, 30, np.random.default_rng(1))
    first, second = rooms.play(LAYOUT, policy, starts), rooms.play(LAYOUT, policy, starts)
    assert (first.actions == second.actions).all()


def test_drawn_actions_are_as_frequent_as_predicted() -> None:
    model, states = network().eval(), np.zeros(20_000, dtype=np.int64)
    drawn = acting(model, SUCCESS, np.random.default_rng(0))(0, states)
    with torch.no_grad():
        logits = model.step(0, torch.tensor([SUCCESS]), torch.tensor([0]), None, [])
    frequent = np.bincount(drawn, minlength=rooms.ACTIONS) / len(drawn)
    assert frequent == pytest.approx(logits.softmax(-1)[0].numpy(), abs=0.02)


def test_steps_after_the_door_was_opened_are_not_learnt() -> None:
    played = random_episodes(300)
    won = played.chosen(played.opened)
    after = np.arange(LAYOUT.steps)[None, :] >= won.lengths[:, None]
    assert after.any()
    other = replace(won, actions=np.where(after, (won.actions + 1) % rooms.ACTIONS, won.actions))
    weights = []
    for episodes in (won, other):
        model = network()
        training = models.Training(updates=3, batch=8, learning_rate=1e-3, warmup=1, weight_decay=0.0)
        models.train(model, episodes, lambda: np.full(len(won), SUCCESS), training, np.random.default_rng(0))
        weights.append(model.predict_action.weight.detach().clone())
    torch.testing.assert_close(*weights)


def test_shuffled_returns_are_the_same_ones_at_other_trajectories(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[rooms.Integers] = []
    monkeypatch.setattr(
        models, "train", lambda model, data, returns, *_: drawn.extend((returns(), returns()))
    )
    config, data = experiment.Config(**TINY), random_episodes(2000)
    experiment.shuffled(config, data, 1, seed=3)
    told = models.return_tokens(data)
    assert [sorted(order.tolist()) for order in drawn] == [sorted(told.tolist())] * 2
    assert (drawn[0] != drawn[1]).any()
    assert abs(np.corrcoef(drawn[0], told)[0, 1]) < 0.1


def test_asked_for_1_a_trained_network_opens_the_door_and_asked_for_0_it_does_not() -> None:
    config = experiment.Config(size=3, room_steps=4, embedding=32, learning_rate=3e-3, warmup=5, batch=128)
    data = random_episodes(4000)
    model = experiment.decision_transformer(config, data, updates=300, seed=0)
    evaluation = experiment.Evaluation(config, seed=0)
    assert experiment.opened(evaluation.likeliest(model, SUCCESS)) > 60
    assert experiment.opened(evaluation.likeliest(model, FAILURE)) < 10


def open_run(folder: Path) -> Report:
    return opened(folder, TINY)


def test_a_resumed_run_gives_the_samples_of_one_that_was_never_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_run(tmp_path / "whole") as report:
        experiment.run(report)
    measure = experiment.measure

    def only(index: int) -> Any:
        def measured(config: experiment.Config, seed: int) -> experiment.Outcome:
            if seed != experiment.training_seed(3, index):
                raise Interrupted
            return measure(config, seed)

        return measured

    monkeypatch.setattr(experiment, "measure", only(0))
    with pytest.raises(Interrupted), open_run(tmp_path / "resumed") as report:
        experiment.run(report)
    monkeypatch.setattr(experiment, "measure", only(1))
    with open_run(tmp_path / "resumed") as report:
        experiment.run(report)
    assert events(tmp_path / "resumed", "sample") == events(tmp_path / "whole", "sample")
    for name in ("success.png", "rooms.png"):
        assert (tmp_path / "resumed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_every_metric_of_the_manifest_has_its_samples_and_every_preset_fits_the_configuration() -> None:
    described = manifest.load(FOLDER)
    both = {**TINY, "trajectories": [80, 90], "updates": [2, 2], "percent_bc_updates": [2, 2]}
    reported = experiment.measure(experiment.Config(**both), 7).percents
    assert {name for metric in described.metrics for name in metric.samples} == set(reported)
    assert all(0 <= value <= 100 for value in reported.values())
    for name in ("quick", "full"):
        config = experiment.Config(**described.presets[name].parameters)
        assert config.seeds >= max(metric.min_units for metric in described.metrics)
        assert len(config.trajectories) == len(config.updates) == len(config.percent_bc_updates)


def test_criteria_on_what_quick_does_not_measure_are_for_full_alone() -> None:
    for criterion in manifest.load(FOLDER).criteria:
        assert criterion.presets == (("full",) if criterion.metric.endswith("10k") else ("quick", "full"))


def test_claims_about_the_papers_own_environment_get_analogue_outcomes_alone() -> None:
    ours = {"dt-key-to-door-random-data", "dt-key-to-door-clones"}
    for criterion in manifest.load(FOLDER).criteria:
        assert criterion.analogue == (criterion.claim not in ours)


def test_a_seed_depends_on_its_number_alone() -> None:
    config = experiment.Config(**TINY)
    first = experiment.measure(config, 11)
    experiment.measure(config, 12)
    torch.rand(5)
    assert experiment.measure(replace(config, seeds=9), 11) == first


def test_seeds_of_runs_do_not_meet() -> None:
    seeds = [experiment.training_seed(run, index) for run in range(5) for index in range(1000)]
    assert len(set(seeds)) == len(seeds)


def test_without_a_successful_trajectory_the_clone_is_the_untrained_network() -> None:
    none = {**TINY, "trajectories": [1], "size": 4, "room_steps": 2}
    reported = experiment.measure(experiment.Config(**none), 5).percents
    assert reported["successes_1k"] == 0
    assert 0 <= reported["percent_bc_1k"] <= 100
