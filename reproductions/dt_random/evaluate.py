"""Return-conditioned evaluation, many episodes at once, and D4RL's normalised score.

Section 3 of the paper ("Evaluation"): the model is given a target return and the first state; after each
step the reward is taken off the target and the new state appended; the last K steps are kept. All episodes
of a batch are at the same time step, so nothing is padded, and those that ended leave the batch.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reproductions.dt_random.baselines import BehaviourCloning, ReturnConditionedMlp
from reproductions.dt_random.batches import StepSampler
from reproductions.dt_random.decision_transformer import RETURN_SCALE, DecisionTransformer
from reproductions.dt_random.physics import EPISODE_STEPS, Environments, UnknownEnvironment, seeds_from

REFERENCE_RETURNS: dict[str, tuple[float, float]] = {
    "hopper": (-20.272305, 3234.3),
    "halfcheetah": (-280.178953, 12135.0),
    "walker2d": (1.629008, 4592.3),
}
"""Returns that score 0 (random) and 100 (expert): d4rl/infos.py, REF_MIN_SCORE and REF_MAX_SCORE."""

Actor = Callable[[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64], int], Tensor]
"""Actions (running, action size) from the observations (running, size) and returns still wanted (running,)
of the episodes that are running, their indices, and the time step that all of them are at.
"""


def normalised_score(returns: NDArray[np.float64], environment: str) -> NDArray[np.float64]:
    """D4RL's score, 100 (return - random) / (expert - random), elementwise."""
    if environment not in REFERENCE_RETURNS:
        raise UnknownEnvironment(
            f"no reference returns of {environment!r}; choose one of {', '.join(REFERENCE_RETURNS)}"
        )
    low, high = REFERENCE_RETURNS[environment]
    return 100.0 * (np.asarray(returns, dtype=np.float64) - low) / (high - low)


def play_episodes(
    act: Actor, environment: str, target: float, seeds: Sequence[int], threads: int = 1
) -> NDArray[np.float64]:
    """The undiscounted return of one episode for each seed, shape (len(seeds),), `target` being asked for."""
    environments = Environments(environment, seeds, threads)
    returns = np.zeros(len(seeds))
    running = np.arange(len(seeds))
    observations = environments.reset()
    with torch.inference_mode():
        for time in range(EPISODE_STEPS):
            actions = act(observations, target - returns[running], running, time).float().numpy()
            step = environments.step(actions, running)
            returns[running] += step.rewards
            going_on = ~(step.terminated | step.truncated)
            running, observations = running[going_on], step.observations[going_on]
            if not len(running):
                break
    environments.close()
    return returns


def decision_transformer_actor(
    model: DecisionTransformer, sampler: StepSampler, episodes: int, bfloat16: bool = False
) -> Actor:
    """Lets the model act on the last K steps of each of `episodes` episodes (for one call of play)."""
    context = model.sizes.context
    state_size, action_size = sampler.states.shape[1], sampler.actions.shape[1]
    states = torch.zeros(episodes, EPISODE_STEPS, state_size)
    actions = torch.zeros(episodes, EPISODE_STEPS, action_size)
    returns = torch.zeros(episodes, EPISODE_STEPS)
    model.eval()

    def act(
        observations: NDArray[np.float64], wanted: NDArray[np.float64], running: NDArray[np.int64], time: int
    ) -> Tensor:
        rows = torch.from_numpy(running)
        states[rows, time] = (
            torch.from_numpy(observations).float() - sampler.state_mean
        ) / sampler.state_deviation
        returns[rows, time] = torch.from_numpy(wanted / RETURN_SCALE).float()
        # The action of this step is not known yet: it is zero, and by causality not looked at.
        last = slice(max(time + 1 - context, 0), time + 1)
        timesteps = torch.arange(last.start, last.stop).expand(len(rows), -1)
        with _precision(bfloat16):
            predicted = model(
                returns[rows, last], states[rows, last], actions[rows, last], timesteps, last_only=True
            )
        actions[rows, time] = predicted[:, 0].float()
        return actions[rows, time]

    return act


def baseline_actor(
    model: BehaviourCloning | ReturnConditionedMlp, sampler: StepSampler, bfloat16: bool = False
) -> Actor:
    """Lets a baseline act on the present state (and, for RvS-R, the return still wanted)."""
    model.eval()

    def act(
        observations: NDArray[np.float64], wanted: NDArray[np.float64], running: NDArray[np.int64], time: int
    ) -> Tensor:
        states = (torch.from_numpy(observations).float() - sampler.state_mean) / sampler.state_deviation
        timesteps = torch.full((len(running),), time)
        with _precision(bfloat16):
            actions: Tensor = model(states, torch.from_numpy(wanted).float(), timesteps)
        return actions

    return act


def evaluate(
    model: DecisionTransformer | BehaviourCloning | ReturnConditionedMlp,
    sampler: StepSampler,
    environment: str,
    target: float,
    episodes: int,
    seed: int,
    threads: int = 1,
    bfloat16: bool = False,
) -> NDArray[np.float64]:
    """Returns of `episodes` episodes in which `model` was asked for `target`, shape (episodes,)."""
    seeds = seeds_from(seed, episodes, purpose=21)
    act = (
        decision_transformer_actor(model, sampler, episodes, bfloat16)
        if isinstance(model, DecisionTransformer)
        else baseline_actor(model, sampler, bfloat16)
    )
    return play_episodes(act, environment, target, seeds, threads)


def _precision(bfloat16: bool) -> Any:
    return torch.autocast("cpu", dtype=torch.bfloat16) if bfloat16 else contextlib.nullcontext()
