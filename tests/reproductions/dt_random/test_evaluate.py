from __future__ import annotations

import gymnasium
import numpy as np
import pytest
import torch

from reproductions.dt_random.baselines import (
    BehaviourCloning,
    MlpSizes,
    ReturnConditionedMlp,
    average_reward_to_go,
)
from reproductions.dt_random.batches import StepSampler
from reproductions.dt_random.collect import Request, play
from reproductions.dt_random.data import as_data_set
from reproductions.dt_random.decision_transformer import RETURN_SCALE, DecisionTransformer, Sizes
from reproductions.dt_random.evaluate import evaluate, normalised_score
from reproductions.dt_random.learners import RVS_SCHEDULE, train_baseline
from reproductions.dt_random.physics import UnknownEnvironment, seeds_from
from reproductions.dt_random.training import Schedule, seeded

pytestmark = pytest.mark.experiment


@pytest.fixture(scope="module")
def sampler() -> StepSampler:
    return StepSampler(as_data_set(play(Request("hopper", "random", 2000, 0)), "hopper", "random", "own", ""))


def one_at_a_time(model: DecisionTransformer, sampler: StepSampler, target: float, seed: int) -> float:
    """Section 3's evaluation as the paper tells it: one episode, all history kept, the last K steps shown."""
    env = gymnasium.make("Hopper-v5")
    observation, _ = env.reset(seed=seed)
    states, actions, returns = [], [], [target]
    total, ended = 0.0, False
    while not ended:
        states.append(
            (torch.tensor(observation, dtype=torch.float32) - sampler.state_mean) / sampler.state_deviation
        )
        actions.append(torch.zeros(3))
        first = max(len(states) - model.sizes.context, 0)
        with torch.no_grad():
            predicted = model(
                torch.tensor(returns[first:])[None] / RETURN_SCALE,
                torch.stack(states[first:])[None],
                torch.stack(actions[first:])[None],
                torch.arange(first, len(states))[None],
            )
        actions[-1] = predicted[0, -1]
        observation, reward, terminated, truncated, _ = env.step(actions[-1].double().numpy())
        total += float(reward)
        returns.append(returns[-1] - float(reward))
        ended = terminated or truncated
    return total


def test_many_episodes_at_once_return_what_single_ones_do(sampler: StepSampler) -> None:
    model = seeded(lambda: DecisionTransformer(11, 3, Sizes(context=6, width=16, layers=2)), 0)
    together = evaluate(model, sampler, "hopper", 300.0, episodes=4, seed=3)
    alone = [one_at_a_time(model, sampler, 300.0, seed) for seed in seeds_from(3, 4, purpose=21)]
    np.testing.assert_allclose(together, alone, rtol=1e-4)


def test_evaluation_is_the_same_again_and_not_with_another_seed(sampler: StepSampler) -> None:
    model = seeded(lambda: DecisionTransformer(11, 3, Sizes(context=6, width=16, layers=2)), 0)
    first, again, other = (evaluate(model, sampler, "hopper", 300.0, 5, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("kind", [BehaviourCloning, ReturnConditionedMlp])
def test_a_baseline_trains_and_acts(
    kind: type[BehaviourCloning] | type[ReturnConditionedMlp], sampler: StepSampler
) -> None:
    schedule = Schedule(
        updates=60, batch=256, learning_rate=1e-3, weight_decay=0.0, warmup=0, largest_gradient=None
    )
    model, training = train_baseline(kind, sampler, schedule, 0, MlpSizes(width=32))
    first = training.run(5)
    assert training.run(55) < first
    returns = evaluate(model, sampler, "hopper", 300.0, episodes=3, seed=0)
    assert returns.shape == (3,)
    assert np.isfinite(returns).all()


def test_behaviour_cloning_ignores_the_return_and_rvs_does_not(sampler: StepSampler) -> None:
    states, _, returns, times = sampler.steps(8, torch.Generator().manual_seed(0))
    cloning = seeded(lambda: BehaviourCloning(11, 3, MlpSizes(width=32)), 0)
    rvs = seeded(lambda: ReturnConditionedMlp(11, 3, MlpSizes(width=32)), 0)
    assert torch.equal(cloning(states, returns, times), cloning(states, returns + 500, times))
    assert not torch.equal(rvs(states, returns, times), rvs(states, returns + 500, times))
    assert average_reward_to_go(torch.tensor([500.0]), torch.tensor([900])).item() == 5.0
    assert RVS_SCHEDULE.factor(0) == 1.0


def test_normalised_scores_are_d4rls() -> None:
    assert normalised_score(np.array([-20.272305, 3234.3]), "hopper").tolist() == [0.0, 100.0]
    assert normalised_score(np.array([12135.0]), "halfcheetah")[0] == pytest.approx(100.0)
    assert normalised_score(np.array([1.629008]), "walker2d")[0] == pytest.approx(0.0)
    with pytest.raises(UnknownEnvironment, match="choose one of"):
        normalised_score(np.array([0.0]), "ant")
