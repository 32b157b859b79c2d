"""What the Decision Transformer is compared with: behaviour cloning, and the same network told the return.

Emmons et al. 2022, "RvS: What is Essential for Offline RL via Supervised Learning?", arXiv 2112.10751. RvS-R
is a plain MLP on (state, reward outcome), the outcome being the average reward over the rest of the horizon
(section 3.2 and appendix): the return-to-go divided by the number of steps left until the time limit.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from reproductions.dt_random.physics import EPISODE_STEPS


@dataclass(frozen=True)
class MlpSizes:
    """Size of the network; the defaults are RvS's for Gym."""

    width: int = 1024
    hidden_layers: int = 2
    dropout: float = 0.0


RVS = MlpSizes()
SMALL_MLP = MlpSizes(width=256)
"""For quick runs on a CPU; a departure from RvS."""


def average_reward_to_go(returns_to_go: Tensor, timesteps: Tensor) -> Tensor:
    """Reward a step that would give the return over the steps left of the 1,000; same shape as its
    arguments.
    """
    return returns_to_go / (EPISODE_STEPS - timesteps)


class Mlp(nn.Module):
    """relu MLP from standardised states, and an outcome where there is one, to actions in [-1, 1]."""

    def __init__(self, inputs: int, action_size: int, sizes: MlpSizes) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(sizes.hidden_layers):
            layers += [nn.Linear(inputs, sizes.width), nn.ReLU(), nn.Dropout(sizes.dropout)]
            inputs = sizes.width
        self.layers = nn.Sequential(*layers, nn.Linear(inputs, action_size), nn.Tanh())

    def forward(self, inputs: Tensor) -> Tensor:
        """Actions of shape (batch, action size) for inputs of shape (batch, inputs)."""
        actions: Tensor = self.layers(inputs)
        return actions


class BehaviourCloning(nn.Module):
    """Imitates the data's actions from the state alone: the return plays no part."""

    def __init__(self, state_size: int, action_size: int, sizes: MlpSizes = RVS) -> None:
        super().__init__()
        self.network = Mlp(state_size, action_size, sizes)

    def forward(self, states: Tensor, returns_to_go: Tensor, timesteps: Tensor) -> Tensor:
        """Actions (batch, action size) for standardised states (batch, state size); the rest is ignored."""
        actions: Tensor = self.network(states)
        return actions


class ReturnConditionedMlp(nn.Module):
    """RvS-R: imitates the data's actions from the state and the average reward to come."""

    def __init__(self, state_size: int, action_size: int, sizes: MlpSizes = RVS) -> None:
        super().__init__()
        self.network = Mlp(state_size + 1, action_size, sizes)

    def forward(self, states: Tensor, returns_to_go: Tensor, timesteps: Tensor) -> Tensor:
        """Actions (batch, action size); states (batch, state size), returns-to-go and timesteps (batch,)."""
        outcome = average_reward_to_go(returns_to_go, timesteps)
        actions: Tensor = self.network(torch.cat([states, outcome[:, None]], dim=1))
        return actions
