"""The Decision Transformer on Key-to-Door: a small GPT over (return-to-go, state, action), and its training.

An episode becomes tokens (R^_1, s_1, a_1, R^_2, s_2, a_2, ...); at the token of s_t the model predicts a_t (arXiv
2106.01345, section 3 and Algorithm 1). The context is the whole episode. The only reward comes at the end, so
the return-to-go is the same at every step of an episode: 1 if the door is opened, else 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from reproductions.dt_key_to_door.rooms import ACTIONS, Episodes, Integers

FAILURE, SUCCESS, NOT_SAID = range(3)
"""Return-to-go tokens: 0, 1, and the one that clones read, which are told nothing of returns."""
NO_TARGET = -100
"""Marks steps after the end of an episode; the loss leaves them out."""


@dataclass(frozen=True)
class Sizes:
    """Size of the model and of its vocabulary."""

    states: int
    steps: int
    embedding: int
    layers: int
    heads: int
    dropout: float


Memory = list[tuple[Tensor, Tensor]]
"""Keys and values of the tokens read so far, by layer, each (episodes, heads, tokens, width of a head)."""


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
        self.dropout = nn.Dropout(sizes.dropout)

    def forward(
        self, tokens: Tensor, wanted: slice, past: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """(episodes, tokens, embedding) to (episodes, wanted tokens, embedding), and what to remember."""
        episodes, length, width = tokens.shape
        split = self.queries_keys_values(self.before_attention(tokens))
        query, key, value = split.view(episodes, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        if past is not None:
            key, value = torch.cat((past[0], key), dim=2), torch.cat((past[1], value), dim=2)
        read = key.shape[2] - length
        seen = torch.ones(length, read + length, dtype=torch.bool).tril(read)[wanted]
        attended = functional.scaled_dot_product_attention(query[:, :, wanted], key, value, attn_mask=seen)
        attended = attended.transpose(1, 2).reshape(episodes, -1, width)
        tokens = tokens[:, wanted] + self.dropout(self.out(attended))
        return tokens + self.dropout(self.mlp(self.before_mlp(tokens))), (key, value)


class DecisionTransformer(nn.Module):
    """Predicts actions from returns-to-go, states and actions so far."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.embed_return = nn.Embedding(NOT_SAID + 1, sizes.embedding)
        self.embed_state = nn.Embedding(sizes.states, sizes.embedding)
        self.embed_action = nn.Embedding(ACTIONS, sizes.embedding)
        self.embed_timestep = nn.Embedding(sizes.steps, sizes.embedding)
        self.dropout = nn.Dropout(sizes.dropout)
        self.blocks = nn.ModuleList(Block(sizes) for _ in range(sizes.layers))
        self.last_norm = nn.LayerNorm(sizes.embedding)
        self.predict_action = nn.Linear(sizes.embedding, ACTIONS)
        for embedding in (self.embed_state, self.embed_action, self.embed_timestep):
            nn.init.normal_(embedding.weight, std=0.1)
        nn.init.normal_(self.embed_return.weight, std=0.5)  # 3 % successes: hard to hear at first otherwise

    def forward(self, returns: Tensor, states: Tensor, actions: Tensor) -> Tensor:
        """Scores of every action at every step of episodes that are read whole.

        Args:
            returns: (episodes,) return-to-go tokens.
            states: (episodes, steps).
            actions: (episodes, steps).

        Returns:
            (episodes, steps, actions) logits; those of a step do not depend on its own action.
        """
        steps = states.shape[1]
        time = self.embed_timestep.weight[:steps]
        triples = (
            self.embed_return(returns)[:, None] + time,
            self.embed_state(states) + time,
            self.embed_action(actions) + time,
        )
        tokens = torch.stack(triples, dim=2).flatten(1, 2)
        return self._read(tokens, slice(1, None, 3), [])

    def step(
        self, time: int, returns: Tensor, states: Tensor, before: Tensor | None, memory: Memory
    ) -> Tensor:
        """Scores of every action at one step of episodes that are being played.

        Args:
            time: the step, from 0.
            returns: (episodes,) return-to-go tokens.
            states: (episodes,).
            before: (episodes,) actions of the step before; None at step 0.
            memory: what earlier steps left; empty at step 0; this step is added.

        Returns:
            (episodes, actions) logits.
        """
        now = self.embed_timestep.weight[time]
        tokens = [self.embed_return(returns) + now, self.embed_state(states) + now]
        if before is not None:
            tokens.insert(0, self.embed_action(before) + self.embed_timestep.weight[time - 1])
        return self._read(torch.stack(tokens, dim=1), slice(-1, None), memory)[:, 0]

    def _read(self, tokens: Tensor, asked: slice, memory: Memory) -> Tensor:
        """Logits at the tokens asked for; the last layer is evaluated at those alone."""
        tokens = self.dropout(tokens)
        for number, block in enumerate(self.blocks):
            last = number == len(self.blocks) - 1
            past = memory[number] if number < len(memory) else None
            tokens, kept = block(tokens, asked if last else slice(None), past)
            memory[number : number + 1] = [kept]
        logits: Tensor = self.predict_action(self.last_norm(tokens))
        return logits


def return_tokens(episodes: Episodes) -> Integers:
    """Return-to-go tokens: (episodes,), the same at every step of an episode."""
    return np.where(episodes.opened, SUCCESS, FAILURE)


@dataclass(frozen=True)
class Training:
    """Optimisation settings."""

    updates: int
    batch: int
    learning_rate: float
    warmup: int
    weight_decay: float


def train(
    model: DecisionTransformer,
    episodes: Episodes,
    returns: Callable[[], Integers],
    training: Training,
    random: np.random.Generator,
) -> float:
    """Fit the model to the episodes in place: cross-entropy of the action, AdamW, cosine learning rate.

    Args:
        returns: called at every update, gives the (episodes,) return tokens. The control gives them in another
            order each time.

    Returns:
        The loss, averaged over the last tenth of the updates, in nats per action.
    """
    after_the_end = np.arange(episodes.states.shape[1])[None, :] >= episodes.lengths[:, None]
    states, actions = torch.from_numpy(episodes.states), torch.from_numpy(episodes.actions)
    targets = torch.from_numpy(np.where(after_the_end, NO_TARGET, episodes.actions))
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=training.learning_rate, weight_decay=training.weight_decay, fused=True
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda update: _rate(update, training))
    model.train()
    losses: list[float] = []
    for _ in range(training.updates):
        rows = random.integers(len(episodes), size=training.batch)
        logits = model(torch.from_numpy(returns()[rows]), states[rows], actions[rows])
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
