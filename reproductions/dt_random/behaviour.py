"""The policies whose behaviour the data sets record: random, uniform, and trained Gaussian ones.

D4RL (Fu et al. 2020, arXiv 2004.07219, section 5 "Gym-MuJoCo") calls the data of a randomly initialised SAC
policy `random`, of a policy stopped early `medium`, of a trained one `expert`. Its policies are
tanh-Gaussian networks with two hidden layers; its collection script with --random draws uniform actions
instead, which is offered here as a control. Medium and expert are Gaussian networks trained by
`train_behaviours`.

All policies map observations, shape (copies, observation size), to actions, shape (copies, action size),
inside the range [-1, 1] that the three tasks share.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save_file

Single = NDArray[np.float32]
OBSERVATION_CLIP = 10.0
"""Standardised observations are clipped to plus or minus this."""


class BehaviourError(ValueError):
    """A file of behaviour weights is missing or not usable."""


class Policy(Protocol):
    """Whatever turns observations into actions."""

    def sample(self, observations: NDArray[np.float64], generator: np.random.Generator) -> Single:
        """Actions with the policy's own noise, shape (copies, action size), float32."""
        ...


@dataclass(frozen=True)
class UniformPolicy:
    """Every action uniform in [-1, 1], as D4RL's script does with --random."""

    action_size: int

    def sample(self, observations: NDArray[np.float64], generator: np.random.Generator) -> Single:
        """Actions of shape (copies, action size); the observations are not looked at."""
        return generator.uniform(-1, 1, (len(observations), self.action_size)).astype(np.float32)


@dataclass(frozen=True)
class RandomTanhGaussianPolicy:
    """A randomly initialised SAC policy: relu 256-256, heads for mean and log standard deviation, tanh.

    Sizes and initialisation follow rlkit's TanhGaussianPolicy, which D4RL used: hidden weights uniform within
    1/sqrt(fan-in), hidden biases 0.1, heads uniform within 1e-3, log standard deviation clipped to [-20, 2].
    """

    layers: tuple[tuple[Single, Single], ...]
    """(weight (inputs, outputs), bias (outputs,)): two hidden layers, mean head, log-deviation head."""

    @classmethod
    def initialise(
        cls, observation_size: int, action_size: int, generator: np.random.Generator
    ) -> RandomTanhGaussianPolicy:
        """A fresh network drawn from `generator`."""
        sizes = (observation_size, 256, 256)
        layers = []
        for inputs, outputs in pairwise(sizes):
            bound = 1 / np.sqrt(inputs)
            weight = generator.uniform(-bound, bound, (inputs, outputs)).astype(np.float32)
            layers.append((weight, np.full(outputs, 0.1, dtype=np.float32)))
        for _ in range(2):
            weight = generator.uniform(-1e-3, 1e-3, (256, action_size)).astype(np.float32)
            layers.append((weight, generator.uniform(-1e-3, 1e-3, action_size).astype(np.float32)))
        return cls(tuple(layers))

    def sample(self, observations: NDArray[np.float64], generator: np.random.Generator) -> Single:
        """tanh(mean + deviation x normal noise), shape (copies, action size)."""
        hidden = observations.astype(np.float32)
        for weight, bias in self.layers[:2]:
            hidden = np.maximum(hidden @ weight + bias, 0)
        (mean_weight, mean_bias), (log_weight, log_bias) = self.layers[2:]
        mean = hidden @ mean_weight + mean_bias
        deviation = np.exp(np.clip(hidden @ log_weight + log_bias, -20, 2))
        noise = generator.standard_normal(mean.shape, dtype=np.float32)
        return np.asarray(np.tanh(mean + deviation * noise), dtype=np.float32)


@dataclass(frozen=True)
class GaussianPolicy:
    """A trained policy: standardised observations, tanh layers, Gaussian noise of fixed size, clipped to
    [-1, 1].
    """

    observation_mean: Single
    observation_deviation: Single
    layers: tuple[tuple[Single, Single], ...]
    """(weight (inputs, outputs), bias (outputs,)) from observation to mean action; tanh between, none at the
    end.
    """
    action_deviation: Single
    """Standard deviation of the action noise, shape (action size,)."""

    def mean(self, observations: NDArray[np.float64]) -> Single:
        """The actions without noise, clipped to [-1, 1]."""
        return np.asarray(np.clip(self._unclipped(observations), -1, 1), dtype=np.float32)

    def sample(self, observations: NDArray[np.float64], generator: np.random.Generator) -> Single:
        """The actions under the policy's own noise, clipped to [-1, 1]."""
        mean = self._unclipped(observations)
        noise = generator.standard_normal(mean.shape, dtype=np.float32)
        return np.clip(mean + self.action_deviation * noise, -1, 1).astype(np.float32)

    def _unclipped(self, observations: NDArray[np.float64]) -> Single:
        standardised = (observations - self.observation_mean) / self.observation_deviation
        hidden = np.clip(standardised, -OBSERVATION_CLIP, OBSERVATION_CLIP).astype(np.float32)
        for weight, bias in self.layers[:-1]:
            hidden = np.tanh(hidden @ weight + bias)
        weight, bias = self.layers[-1]
        return np.asarray(hidden @ weight + bias, dtype=np.float32)

    def save(self, path: Path) -> None:
        """Writes the weights as safetensors."""
        tensors = {
            "observation_mean": self.observation_mean,
            "observation_deviation": self.observation_deviation,
            "action_deviation": self.action_deviation,
        }
        for index, (weight, bias) in enumerate(self.layers):
            tensors[f"layer{index}.weight"] = weight
            tensors[f"layer{index}.bias"] = bias
        save_file(
            {name: np.ascontiguousarray(tensor, dtype=np.float32) for name, tensor in tensors.items()}, path
        )

    @classmethod
    def load(cls, path: Path) -> GaussianPolicy:
        """Reads what `save` wrote; a missing or broken file raises a one-line BehaviourError."""
        if not path.is_file():
            raise BehaviourError(
                f"no weights {path.name}; train them with python -m reproductions.dt_random.train_behaviours"
            )
        try:
            with safe_open(path, framework="numpy") as file:
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no iterator
            count = sum(name.endswith(".weight") for name in tensors)
            return cls(
                observation_mean=tensors["observation_mean"],
                observation_deviation=tensors["observation_deviation"],
                layers=tuple((tensors[f"layer{i}.weight"], tensors[f"layer{i}.bias"]) for i in range(count)),
                action_deviation=tensors["action_deviation"],
            )
        except Exception as error:
            raise BehaviourError(
                f"{path.name} is not a file of behaviour weights ({error}); restore it"
            ) from error


SHIPPED = Path(__file__).parent / "behaviours"
"""Where the trained weights lie, with a JSON file beside each that says how they were made."""


def shipped_path(environment: str, level: str) -> Path:
    """The file of the shipped weights of `level` (medium or expert)."""
    return SHIPPED / f"{environment}-{level}.safetensors"
