"""Minibatches out of a data set: windows for the Decision Transformer, single steps for the baselines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from reproductions.dt_random.data import DataSet
from reproductions.dt_random.decision_transformer import RETURN_SCALE


@dataclass(frozen=True)
class Windows:
    """Up to K consecutive steps of `batch` episodes, padded with zeros on the right."""

    returns_to_go: Tensor
    """Divided by RETURN_SCALE, shape (batch, K)."""
    states: Tensor
    """Standardised, shape (batch, K, state size)."""
    actions: Tensor
    """Shape (batch, K, action size)."""
    timesteps: Tensor
    """Steps into the episode, shape (batch, K), int64."""
    valid: Tensor
    """1 for steps, 0 for padding, shape (batch, K), float32."""


class StepSampler:
    """Draws from the steps of a data set, each with the same chance.

    The authors draw an episode in proportion to its length and then a start within it uniformly
    (gym/experiment.py, `get_batch`), which is the same as drawing a start among all steps.
    """

    def __init__(self, data: DataSet, shuffled_returns_seed: int | None = None) -> None:
        """With `shuffled_returns_seed` every step gets the return-to-go of a random other one (null
        control).
        """
        mean, deviation = data.observation_moments()
        self.state_mean, self.state_deviation = torch.from_numpy(mean), torch.from_numpy(deviation)
        returns = data.returns_to_go
        if shuffled_returns_seed is not None:
            returns = np.random.default_rng(shuffled_returns_seed).permutation(returns)
        self.states = torch.from_numpy((data.observations - mean) / deviation)
        self.actions = torch.from_numpy(data.actions)
        self.returns = torch.from_numpy(returns)
        self.timesteps = torch.from_numpy(data.steps_into_episode)
        self.remaining = torch.from_numpy(np.repeat(data.lengths, data.lengths)) - self.timesteps

    def steps(self, batch: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """States (batch, state size), actions (batch, action size), returns-to-go (batch,), timesteps
        (batch,).
        """
        rows = torch.randint(len(self.actions), (batch,), generator=generator)
        return self.states[rows], self.actions[rows], self.returns[rows], self.timesteps[rows]

    def windows(self, batch: int, context: int, generator: torch.Generator) -> Windows:
        """`batch` windows of `context` steps from random starts; those that pass an episode's end are
        padded.
        """
        starts = torch.randint(len(self.actions), (batch,), generator=generator)
        offsets = torch.arange(context)
        inside = offsets < self.remaining[starts][:, None]
        rows = torch.where(inside, starts[:, None] + offsets, starts[:, None])
        valid = inside.float()
        return Windows(
            returns_to_go=self.returns[rows] * valid / RETURN_SCALE,
            states=self.states[rows] * valid[..., None],
            actions=self.actions[rows] * valid[..., None],
            timesteps=self.timesteps[rows] * inside,
            valid=valid,
        )
