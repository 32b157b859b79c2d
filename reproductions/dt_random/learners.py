"""Puts data, model and training loop together: one call for each learner that the reproduction compares."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from reproductions.dt_random.baselines import RVS, BehaviourCloning, MlpSizes, ReturnConditionedMlp
from reproductions.dt_random.batches import StepSampler
from reproductions.dt_random.decision_transformer import PAPER, DecisionTransformer, Sizes, action_error
from reproductions.dt_random.training import Schedule, Training, seeded

RVS_SCHEDULE = Schedule(
    updates=20_000, batch=16_384, learning_rate=1e-3, weight_decay=0.0, warmup=0, largest_gradient=None
)
"""RvS's batch and learning rate for Gym; its 2,000 epochs are cut to a number of updates (a departure)."""


def train_decision_transformer(
    sampler: StepSampler, schedule: Schedule, seed: int, sizes: Sizes = PAPER, bfloat16: bool = False
) -> tuple[DecisionTransformer, Training]:
    """A freshly initialised model and the loop that trains it (nothing has run yet)."""
    state_size, action_size = sampler.states.shape[1], sampler.actions.shape[1]
    model = seeded(lambda: DecisionTransformer(state_size, action_size, sizes), seed)

    def loss(generator: torch.Generator) -> Tensor:
        windows = sampler.windows(schedule.batch, sizes.context, generator)
        predicted = model(windows.returns_to_go, windows.states, windows.actions, windows.timesteps)
        return action_error(predicted, windows.actions, windows.valid)

    return model, Training(model, loss, schedule, seed, bfloat16)


def train_baseline(
    kind: type[BehaviourCloning] | type[ReturnConditionedMlp],
    sampler: StepSampler,
    schedule: Schedule,
    seed: int,
    sizes: MlpSizes = RVS,
    bfloat16: bool = False,
) -> tuple[BehaviourCloning | ReturnConditionedMlp, Training]:
    """A freshly initialised baseline and the loop that trains it (nothing has run yet)."""
    state_size, action_size = sampler.states.shape[1], sampler.actions.shape[1]
    model = seeded(lambda: kind(state_size, action_size, sizes), seed)

    def loss(generator: torch.Generator) -> Tensor:
        states, actions, returns, timesteps = sampler.steps(schedule.batch, generator)
        return functional.mse_loss(model(states, returns, timesteps).float(), actions)

    return model, Training(model, loss, schedule, seed, bfloat16)
