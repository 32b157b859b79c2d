from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from reproductions.dt_random import train_behaviours
from reproductions.dt_random.behaviour import (
    SHIPPED,
    BehaviourError,
    GaussianPolicy,
    RandomTanhGaussianPolicy,
    shipped_path,
)
from reproductions.dt_random.physics import TASKS
from reproductions.dt_random.ppo import ActorCritic, Recipe, Trainer

pytestmark = pytest.mark.experiment


def test_the_gradient_written_by_hand_is_the_one_torch_derives() -> None:
    generator, recipe, rows = np.random.default_rng(0), Recipe(hidden=8), 32
    network = ActorCritic(5, 2, recipe, generator)
    network.parameters += generator.normal(0, 0.1, network.parameters.shape).astype(np.float32)
    observations = generator.normal(size=(rows, 5)).astype(np.float32)
    actions = generator.normal(size=(rows, 2)).astype(np.float32)
    advantages, returns = generator.normal(size=(2, rows)).astype(np.float32)
    old = network.log_probabilities(observations, actions) + generator.normal(0, 0.3, rows).astype(np.float32)
    network.differentiate(observations, actions, old, advantages, returns, recipe)

    def tensors(layers: list[tuple[np.ndarray, np.ndarray]]) -> list[torch.Tensor]:
        return [
            torch.tensor(array, dtype=torch.float64, requires_grad=True)
            for layer in layers
            for array in layer
        ]

    def through(parts: list[torch.Tensor]) -> torch.Tensor:
        hidden = torch.tensor(observations, dtype=torch.float64)
        for weight, bias in zip(parts[0:4:2], parts[1:4:2], strict=True):
            hidden = torch.tanh(hidden @ weight + bias)
        return hidden @ parts[4] + parts[5]

    actor, critic = tensors(network.actor), tensors(network.critic)
    log_deviation = torch.tensor(network.log_deviation, dtype=torch.float64, requires_grad=True)
    score = (torch.tensor(actions) - through(actor)) / log_deviation.exp()
    ratio = (-0.5 * score.square().sum(1) - log_deviation.sum() - torch.tensor(old)).exp()
    gain = torch.minimum(ratio * torch.tensor(advantages), ratio.clamp(0.8, 1.2) * torch.tensor(advantages))
    error = (through(critic)[:, 0] - torch.tensor(returns)).square()
    (-gain.mean() + recipe.value_weight * error.mean()).backward()
    expected = torch.cat([tensor.grad.flatten() for tensor in (*actor, *critic, log_deviation)])  # type: ignore[union-attr]
    np.testing.assert_allclose(network.gradient, expected.numpy(), atol=2e-6)


def test_training_is_decided_by_its_seed_and_continues_from_its_state() -> None:
    recipe = Recipe(total_steps=10 * 64, copies=8, steps_per_copy=8, epochs=2)
    first, second = Trainer("hopper", recipe, 0), Trainer("hopper", recipe, 0)
    for _ in range(3):
        first.iterate()
        second.iterate()
    np.testing.assert_array_equal(first.network.parameters, second.network.parameters)
    continued = Trainer("hopper", recipe, 0)
    continued.restore(first.state(), 0)
    np.testing.assert_array_equal(continued.network.parameters, first.network.parameters)
    assert continued.steps == first.steps == 3 * 64
    continued.iterate()
    assert continued.updates > first.updates


def test_the_command_trains_ships_and_says_how(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train_behaviours, "SHIPPED", tmp_path / "shipped")
    recipe, folder = Recipe(total_steps=8 * 64, copies=8, steps_per_copy=8, epochs=1), tmp_path / "run"
    record = train_behaviours.train("hopper", 0, recipe, folder, snapshots=4, episodes=2)
    again = train_behaviours.train("hopper", 0, recipe, folder, snapshots=4, episodes=2)
    assert record["curve"] == again["curve"]
    assert [point["steps"] for point in record["curve"]] == [128, 256, 384, 512]
    record["curve"][-1]["return_under_noise"] = 1e4  # so that the last snapshot is the expert
    train_behaviours.ship("hopper", 0, recipe, record, folder, "none")
    account = json.loads((tmp_path / "shipped" / "hopper-expert.json").read_text())
    assert account["steps"] == 512
    assert account["evaluation_under_noise"]["episodes"] == 100
    assert GaussianPolicy.load(tmp_path / "shipped" / "hopper-medium.safetensors").action_deviation.shape == (
        3,
    )


def test_medium_is_an_earlier_snapshot_near_its_share_of_the_expert() -> None:
    returns = [100.0, 450.0, 380.0, 1000.0, 400.0]
    curve = [{"iteration": index, "return_under_noise": value} for index, value in enumerate(returns)]
    chosen = train_behaviours.chosen_snapshots(curve)
    assert (chosen["expert"]["iteration"], chosen["medium"]["iteration"]) == (3, 2)


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.safetensors")), ids=lambda path: path.stem)
def test_every_shipped_policy_acts_and_has_its_account(path: Path) -> None:
    account = json.loads(path.with_suffix(".json").read_text())
    environment, level = path.stem.split("-")
    assert account["environment"] == TASKS[environment].gymnasium_id
    assert account["evaluation_under_noise"]["episodes"] >= 100
    assert {"seed", "other_seeds_tried", "learning_curve", "run_cpu_seconds", "steps"} <= account.keys()
    policy = GaussianPolicy.load(shipped_path(environment, level))
    returns = train_behaviours.episode_returns(policy, environment, [7], noise=False)
    assert returns[0] > 0.3 * account["evaluation_of_mean_action"]["mean"]


def test_a_random_policy_stays_in_range_and_differs_by_seed() -> None:
    observations = np.random.default_rng(1).normal(size=(500, 11))
    policies = [RandomTanhGaussianPolicy.initialise(11, 3, np.random.default_rng(seed)) for seed in (0, 1)]
    first, second = (policy.sample(observations, np.random.default_rng(2)) for policy in policies)
    assert first.shape == (500, 3)
    assert np.abs(first).max() <= 1
    assert not np.array_equal(first, second)
    assert 0.5 < first.std() < 0.75  # tanh of a normal of about unit deviation, as rlkit's starts


@pytest.mark.parametrize("content", [None, b"", b"not weights"])
def test_missing_or_broken_weights_are_one_line(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "hopper-expert.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BehaviourError) as caught:
        GaussianPolicy.load(path)
    assert "\n" not in str(caught.value)
    assert "hopper-expert.safetensors" in str(caught.value)
