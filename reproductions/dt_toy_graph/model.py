"""The Decision Transformer on graph walks: model, training, generation.

A walk becomes tokens (R^_1, s_1, R^_2, s_2, ...): return-to-go and node, where the action is the next node. A
causal transformer reads them; at the token of s_t it predicts s_{t+1}, as the paper's model predicts a_t at
the token of s_t (arXiv 2106.01345, section 3 and Algorithm 1).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from reproductions.dt_toy_graph.graph import FAILED, GOAL, Integers, Truths, Walks, returns_to_go

NO_TARGET = -100
"""Marks steps after the end of a walk; the loss leaves them out."""


@dataclass(frozen=True)
class Sizes:
    """Size of the model and of its vocabulary."""

    nodes: int
    walk_steps: int
    embedding: int
    layers: int
    heads: int


class Block(nn.Module):
    """A GPT-2 block: pre-LayerNorm, causal attention, MLP of four widths."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        width = sizes.embedding
        self.heads = sizes.heads
        self.before_attention = nn.LayerNorm(width)
        self.queries_keys_values = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.before_mlp = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.ReLU(), nn.Linear(4 * width, width))

    def forward(self, tokens: Tensor, wanted: slice) -> Tensor:
        """(walks, tokens, embedding) to (walks, wanted tokens, embedding)."""
        walks, length, width = tokens.shape
        split = self.queries_keys_values(self.before_attention(tokens))
        query, key, value = split.view(walks, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        attended = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        attended = attended.transpose(1, 2).reshape(walks, length, width)[:, wanted]
        tokens = tokens[:, wanted] + self.out(attended)
        transformed: Tensor = self.mlp(self.before_mlp(tokens))
        return tokens + transformed


class DecisionTransformer(nn.Module):
    """Predicts the next node from returns-to-go and nodes so far."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.embed_return = nn.Embedding(sizes.walk_steps + 1, sizes.embedding)
        self.embed_node = nn.Embedding(sizes.nodes, sizes.embedding)
        self.embed_timestep = nn.Embedding(sizes.walk_steps, sizes.embedding)
        self.blocks = nn.ModuleList(Block(sizes) for _ in range(sizes.layers))
        self.last_norm = nn.LayerNorm(sizes.embedding)
        self.predict_next = nn.Linear(sizes.embedding, sizes.nodes)
        for embedding in (self.embed_return, self.embed_node, self.embed_timestep):
            nn.init.normal_(embedding.weight, std=0.1)

    def forward(self, returns: Tensor, nodes: Tensor) -> Tensor:
        """Scores of every node to be the next one.

        Args:
            returns: (walks, steps) return-to-go tokens.
            nodes: (walks, steps).

        Returns:
            (walks, steps, nodes) logits.
        """
        time = self.embed_timestep.weight[: nodes.shape[1]]
        pairs = torch.stack((self.embed_return(returns) + time, self.embed_node(nodes) + time), dim=2)
        tokens = pairs.flatten(1, 2)
        for number, block in enumerate(self.blocks, 1):
            # The last layer is evaluated at the node tokens alone: no other output is used.
            tokens = block(tokens, slice(1, None, 2) if number == len(self.blocks) else slice(None))
        logits: Tensor = self.predict_next(self.last_norm(tokens))
        return logits


@dataclass(frozen=True)
class Training:
    """Optimisation settings."""

    updates: int
    batch: int
    learning_rate: float
    warmup: int


def train(
    model: DecisionTransformer,
    walks: Walks,
    returns: Callable[[], Integers],
    training: Training,
    random: np.random.Generator,
) -> float:
    """Fit the model to the walks in place: cross-entropy of the next node, AdamW, cosine learning rate.

    Args:
        returns: called at every update, gives the (walks,) return tokens at the first nodes. The control
            gives them in another order each time.

    Returns:
        The loss, averaged over the last tenth of the updates, in nats per step.
    """
    steps = walks.nodes.shape[1] - 1
    after_the_end = np.arange(steps)[None, :] >= walks.lengths[:, None]
    targets = torch.from_numpy(np.where(after_the_end, NO_TARGET, walks.nodes[:, 1:]))
    nodes = torch.from_numpy(walks.nodes[:, :-1])
    optimizer = torch.optim.AdamW(model.parameters(), lr=training.learning_rate, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda update: _rate(update, training))
    model.train()
    losses: list[float] = []
    for _ in range(training.updates):
        rows = random.integers(len(walks.nodes), size=training.batch)
        to_go = torch.from_numpy(returns_to_go(returns()[rows], steps))
        logits = model(to_go, nodes[rows])
        loss = functional.cross_entropy(logits.flatten(0, 1), targets[rows].flatten(), ignore_index=NO_TARGET)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(float(loss.detach()))
    tail = losses[-max(1, len(losses) // 10) :]
    return sum(tail) / len(tail)


def _rate(update: int, training: Training) -> float:
    rising = min((update + 1) / max(training.warmup, 1), 1.0)
    return rising * 0.5 * (1.0 + float(np.cos(np.pi * update / training.updates)))


@dataclass(frozen=True)
class Rollouts:
    """What became of the paths that a model generated."""

    steps: Integers
    """(rollouts,): steps in which the goal was reached, 0 where it was not."""
    left_the_graph: Truths
    """(rollouts,): whether a node was named that is no neighbour; that ends the rollout as a failure."""


@torch.no_grad()
def generate(
    model: DecisionTransformer,
    adjacent: Truths,
    starts: Integers,
    asked: Integers,
    walk_steps: int,
    *,
    neighbours_only: bool = False,
) -> Rollouts:
    """Generate paths by the likeliest next node (Algorithm 1 of the paper, with the return counted down).

    The model is not told the edges: it may name any node, and naming one that is no neighbour is a failure,
    unless `neighbours_only` has it choose the likeliest among the neighbours.

    Args:
        adjacent: (nodes, nodes).
        starts: (rollouts,) first nodes.
        asked: (rollouts,) return tokens asked for there.
        walk_steps: after so many steps a rollout has failed.
    """
    model.eval()
    to_go = torch.from_numpy(returns_to_go(asked, walk_steps))
    path = torch.from_numpy(starts)[:, None]
    walking = np.ones(len(starts), dtype=bool)
    left = np.zeros(len(starts), dtype=bool)
    steps = np.zeros(len(starts), dtype=np.int64)
    for step in range(1, walk_steps + 1):
        here = path[:, -1].numpy()
        logits = model(to_go[:, :step], path)[:, -1]
        if neighbours_only:
            logits = logits.masked_fill(torch.from_numpy(~adjacent[here]), -torch.inf)
        following = logits.argmax(dim=-1)
        there = following.numpy()
        is_edge = adjacent[here, there]
        left |= walking & ~is_edge
        steps[walking & is_edge & (there == GOAL)] = step
        walking &= is_edge & (there != GOAL)
        path = torch.cat((path, following[:, None]), dim=1)
        if not walking.any():
            break
    return Rollouts(steps, left)


def every_target(walk_steps: int) -> Integers:
    """Return tokens that can be asked for: failure first, then one step to go and so on."""
    return np.arange(FAILED, walk_steps + 1)
