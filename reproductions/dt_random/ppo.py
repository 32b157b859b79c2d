"""Proximal policy optimisation (Schulman et al. 2017, arXiv 1707.06347) on many environments and one CPU
core.

It only makes the medium and expert behaviour policies; nothing of the claim under test depends on it. The
networks are two small tanh MLPs, so small that a framework's overhead per operation would be most of the
time: forward, backward and Adam are written out in numpy on one flat parameter vector (a test holds the
gradient against torch). The set-up follows Tianshou's published MuJoCo recipe (Weng et al. 2022, JMLR
23(267)): 64 environments, 2,048 steps an iteration, 10 epochs of minibatches of 64, learning rate 3e-4
falling linearly to 0, standardised observations, returns scaled by their running deviation, advantages
recomputed in each epoch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from reproductions.dt_random.behaviour import OBSERVATION_CLIP, GaussianPolicy, Single
from reproductions.dt_random.physics import Environments, Flags, Floats, seeds_from


@dataclass(frozen=True)
class Recipe:
    """The settings of one run; the defaults are the recipe above."""

    total_steps: int = 3_000_000
    copies: int = 64
    steps_per_copy: int = 32
    epochs: int = 10
    minibatch: int = 64
    hidden: int = 64
    learning_rate: float = 3e-4
    discount: float = 0.99
    trace_decay: float = 0.95
    """The lambda of generalised advantage estimation (arXiv 1506.02438)."""
    clip: float = 0.2
    value_weight: float = 0.25
    largest_gradient: float = 0.5
    first_log_deviation: float = -0.5

    @property
    def iterations(self) -> int:
        """Rounds of collecting and learning."""
        return self.total_steps // (self.copies * self.steps_per_copy)


class RunningMoments:
    """Mean and variance of a stream of rows (Chan's parallel update)."""

    def __init__(self, size: int) -> None:
        self.mean: Floats = np.zeros(size)
        self.variance: Floats = np.ones(size)
        self.count = 1e-4

    def update(self, rows: Floats) -> None:
        """Takes in `rows`, shape (n, size)."""
        count, mean, variance = len(rows), rows.mean(axis=0), rows.var(axis=0)
        total = self.count + count
        difference = mean - self.mean
        self.mean = self.mean + difference * count / total
        squares = self.variance * self.count + variance * count + difference**2 * self.count * count / total
        self.variance, self.count = squares / total, total

    @property
    def deviation(self) -> Floats:
        """Standard deviation, shape (size,)."""
        return np.asarray(np.sqrt(self.variance + 1e-8))


class ActorCritic:
    """Mean action and value, each a tanh MLP with two hidden layers; parameters and gradients are flat
    vectors.
    """

    def __init__(
        self, observation_size: int, action_size: int, recipe: Recipe, generator: np.random.Generator
    ) -> None:
        hidden = recipe.hidden
        shapes = [(observation_size, hidden), (hidden, hidden), (hidden, action_size)]
        value_shapes = [*shapes[:2], (hidden, 1)]
        sizes = [rows * columns + columns for rows, columns in shapes + value_shapes]
        self.parameters: Single = np.zeros(sum(sizes) + action_size, dtype=np.float32)
        self.gradient: Single = np.zeros_like(self.parameters)
        self.actor, self.critic, self.log_deviation = self._views(self.parameters, shapes, value_shapes)
        self.actor_slope, self.critic_slope, self.log_deviation_slope = self._views(
            self.gradient, shapes, value_shapes
        )
        for layers in (self.actor, self.critic):
            for weight, _ in layers:
                weight[:] = np.sqrt(2) * _orthogonal(weight.shape, generator)
        self.actor[-1][0][:] *= 0.01
        self.log_deviation[:] = recipe.first_log_deviation

    @staticmethod
    def _views(
        flat: Single, actor: list[tuple[int, int]], critic: list[tuple[int, int]]
    ) -> tuple[list[tuple[Single, Single]], list[tuple[Single, Single]], Single]:
        networks: list[list[tuple[Single, Single]]] = []
        start = 0
        for shapes in (actor, critic):
            layers = []
            for rows, columns in shapes:
                weight = flat[start : start + rows * columns].reshape(rows, columns)
                start += rows * columns
                layers.append((weight, flat[start : start + columns]))
                start += columns
            networks.append(layers)
        return networks[0], networks[1], flat[start:]

    def values(self, observations: Single) -> Single:
        """Predicted scaled returns, shape (n,)."""
        return _forward(self.critic, observations)[-1][:, 0]

    def log_probabilities(self, observations: Single, actions: Single) -> Single:
        """Log density of the (unclipped) actions up to a constant, shape (n,)."""
        score = (actions - _forward(self.actor, observations)[-1]) * np.exp(-self.log_deviation)
        return np.asarray(-0.5 * np.square(score).sum(axis=1) - self.log_deviation.sum(), dtype=np.float32)

    def differentiate(
        self,
        observations: Single,
        actions: Single,
        old: Single,
        advantages: Single,
        returns: Single,
        recipe: Recipe,
    ) -> None:
        """Leaves in `gradient` the slope of the clipped surrogate (equation 7) plus the weighted value
        error.
        """
        n = np.float32(len(observations))
        activations = _forward(self.actor, observations)
        inverse = np.exp(-self.log_deviation)
        score = (actions - activations[-1]) * inverse
        now = -0.5 * np.square(score).sum(axis=1) - self.log_deviation.sum()
        ratio = np.exp(now - old)
        outside = np.where(advantages > 0, ratio > 1 + recipe.clip, ratio < 1 - recipe.clip)
        slope = np.where(outside, 0, -advantages * ratio / n)[:, None]
        self.log_deviation_slope[:] = (slope * (np.square(score) - 1)).sum(axis=0)
        _backward(self.actor, activations, slope * score * inverse, self.actor_slope)
        activations = _forward(self.critic, observations)
        error = (2 * recipe.value_weight / n) * (activations[-1] - returns[:, None])
        _backward(self.critic, activations, error, self.critic_slope)


def _orthogonal(shape: tuple[int, ...], generator: np.random.Generator) -> Single:
    rows, columns = shape
    matrix, _ = np.linalg.qr(generator.standard_normal((max(shape), min(shape))))
    return np.asarray(matrix if rows >= columns else matrix.T, dtype=np.float32)


def _forward(layers: list[tuple[Single, Single]], inputs: Single) -> list[Single]:
    """Inputs, hidden activations and output, in order."""
    activations = [inputs]
    for weight, bias in layers[:-1]:
        hidden = activations[-1] @ weight
        hidden += bias
        activations.append(np.tanh(hidden, out=hidden))
    weight, bias = layers[-1]
    activations.append(activations[-1] @ weight + bias)
    return activations


def _backward(
    layers: list[tuple[Single, Single]],
    activations: list[Single],
    slope: Single,
    gradients: list[tuple[Single, Single]],
) -> None:
    """Writes the gradients of the layers, given the loss's slope at the output."""
    for index in reversed(range(len(layers))):
        weight_gradient, bias_gradient = gradients[index]
        np.matmul(activations[index].T, slope, out=weight_gradient)
        np.sum(slope, axis=0, out=bias_gradient)
        if index:
            slope = (slope @ layers[index][0].T) * (1 - np.square(activations[index]))


class Trainer:
    """One run of PPO; `state` and `restore` make it resumable (environments then start new episodes)."""

    def __init__(self, environment: str, recipe: Recipe, seed: int) -> None:
        self.recipe = recipe
        self.environments = Environments(environment, seeds_from(seed, recipe.copies, purpose=1))
        self.generator = np.random.default_rng([seed, 2])
        sizes = self.environments.observation_size, self.environments.action_size
        self.network = ActorCritic(*sizes, recipe, self.generator)
        self.first_moment: Single = np.zeros_like(self.network.parameters)
        self.second_moment: Single = np.zeros_like(self.network.parameters)
        self.updates = 0
        self.iteration = 0
        self.observation_moments = RunningMoments(self.environments.observation_size)
        self.return_moments = RunningMoments(1)
        self._raw = self.environments.reset()

    @property
    def steps(self) -> int:
        """Environment steps taken so far."""
        return self.iteration * self.recipe.copies * self.recipe.steps_per_copy

    def policy(self) -> GaussianPolicy:
        """A copy of the policy as it is now, noise included."""
        return GaussianPolicy(
            observation_mean=self.observation_moments.mean.astype(np.float32),
            observation_deviation=self.observation_moments.deviation.astype(np.float32),
            layers=tuple((weight.copy(), bias.copy()) for weight, bias in self.network.actor),
            action_deviation=np.exp(self.network.log_deviation),
        )

    def iterate(self) -> None:
        """Collects one batch and learns from it."""
        recipe = self.recipe
        rate = recipe.learning_rate * (1 - self.iteration / recipe.iterations)
        observations, followers, actions, rewards, terminated, ended = self._collect()
        flat = observations.reshape(-1, observations.shape[-1])
        flat_actions = actions.reshape(len(flat), -1)
        old = self.network.log_probabilities(flat, flat_actions)
        for _ in range(recipe.epochs):
            advantages, returns = self._advantages(observations, followers, rewards, terminated, ended)
            order = self.generator.permutation(len(flat))
            for start in range(0, len(flat), recipe.minibatch):
                rows = order[start : start + recipe.minibatch]
                self.network.differentiate(
                    flat[rows], flat_actions[rows], old[rows], advantages[rows], returns[rows], recipe
                )
                self._descend(rate)
        self.iteration += 1

    def _collect(self) -> tuple[Single, Single, Single, Floats, Flags, Flags]:
        """Arrays of shape (steps, copies, ...): observations, next ones, actions, rewards, terminated,
        ended.
        """
        recipe, environments = self.recipe, self.environments
        shape = (recipe.steps_per_copy, recipe.copies)
        raw = np.empty((*shape, environments.observation_size))
        raw_next = np.empty_like(raw)
        actions = np.empty((*shape, environments.action_size), dtype=np.float32)
        rewards = np.empty(shape)
        terminated, ended = np.empty(shape, dtype=np.bool_), np.empty(shape, dtype=np.bool_)
        deviation = np.exp(self.network.log_deviation)
        for step in range(recipe.steps_per_copy):
            raw[step] = self._raw
            self.observation_moments.update(self._raw)
            mean = _forward(self.network.actor, self._standardise(self._raw))[-1]
            noise = self.generator.standard_normal(mean.shape, dtype=np.float32)
            actions[step] = mean + deviation * noise
            result = environments.step(np.clip(actions[step], -1, 1))
            raw_next[step], rewards[step] = result.observations, result.rewards
            terminated[step], ended[step] = result.terminated, result.terminated | result.truncated
            self._raw = result.observations.copy()
            finished = np.flatnonzero(ended[step])
            if len(finished):
                self._raw[finished] = environments.reset(finished)
        return self._standardise(raw), self._standardise(raw_next), actions, rewards, terminated, ended

    def _standardise(self, observations: Floats) -> Single:
        standardised = (observations - self.observation_moments.mean) / self.observation_moments.deviation
        return np.clip(standardised, -OBSERVATION_CLIP, OBSERVATION_CLIP).astype(np.float32)

    def _advantages(
        self, observations: Single, followers: Single, rewards: Floats, terminated: Flags, ended: Flags
    ) -> tuple[Single, Single]:
        """Generalised advantages (standardised) and scaled returns, both flat, (steps x copies,)."""
        recipe, scale = self.recipe, self.return_moments.deviation[0]
        width = observations.shape[-1]
        values = scale * self.network.values(observations.reshape(-1, width)).reshape(rewards.shape)
        following = scale * self.network.values(followers.reshape(-1, width)).reshape(rewards.shape)
        surprises = rewards + recipe.discount * following * ~terminated - values
        advantages = np.empty_like(surprises)
        running = np.zeros(rewards.shape[1])
        for step in reversed(range(len(rewards))):
            running = surprises[step] + recipe.discount * recipe.trace_decay * ~ended[step] * running
            advantages[step] = running
        returns = (advantages + values).reshape(-1)
        scaled = (returns / scale).astype(np.float32)
        self.return_moments.update(returns[:, None])
        flat = advantages.reshape(-1)
        return ((flat - flat.mean()) / (flat.std() + 1e-8)).astype(np.float32), scaled

    def _descend(self, rate: float) -> None:
        """One step of Adam (arXiv 1412.6980) on the gradient, its norm cut to `largest_gradient`."""
        gradient = self.network.gradient
        norm = float(np.sqrt(gradient @ gradient))
        if norm > self.recipe.largest_gradient:
            gradient *= np.float32(self.recipe.largest_gradient / norm)
        self.updates += 1
        self.first_moment *= np.float32(0.9)
        self.first_moment += np.float32(0.1) * gradient
        self.second_moment *= np.float32(0.999)
        self.second_moment += np.float32(0.001) * np.square(gradient)
        size = np.float32(rate / (1 - 0.9**self.updates))
        correction = np.float32(1 / np.sqrt(1 - 0.999**self.updates))
        self.network.parameters -= (
            size * self.first_moment / (np.sqrt(self.second_moment) * correction + np.float32(1e-5))
        )

    def state(self) -> dict[str, Any]:
        """Everything but the environments, as arrays and plain values."""
        return {
            "parameters": self.network.parameters.copy(),
            "first_moment": self.first_moment.copy(),
            "second_moment": self.second_moment.copy(),
            "counters": np.array([self.updates, self.iteration]),
            "observation_moments": np.stack(
                [self.observation_moments.mean, self.observation_moments.variance]
            ),
            "return_moments": np.stack([self.return_moments.mean, self.return_moments.variance]),
            "counts": np.array([self.observation_moments.count, self.return_moments.count]),
        }

    def restore(self, state: dict[str, Any], seed: int) -> None:
        """Continues from `state`; random numbers start anew from the seed and the iteration."""
        self.network.parameters[:] = state["parameters"]
        self.first_moment[:] = state["first_moment"]
        self.second_moment[:] = state["second_moment"]
        self.updates, self.iteration = (int(value) for value in state["counters"])
        self.observation_moments.mean, self.observation_moments.variance = state["observation_moments"]
        self.return_moments.mean, self.return_moments.variance = state["return_moments"]
        self.observation_moments.count, self.return_moments.count = (
            float(value) for value in state["counts"]
        )
        self.generator = np.random.default_rng([seed, 2, self.iteration])
