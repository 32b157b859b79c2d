"""A trained network as a policy: ask for a return, read the episode so far, choose an action."""

from __future__ import annotations

import numpy as np
import torch

from reproductions.dt_key_to_door.model import DecisionTransformer, Memory
from reproductions.dt_key_to_door.rooms import Integers, Policy


def acting(network: DecisionTransformer, asked: int, random: np.random.Generator | None = None) -> Policy:
    """A policy for episodes that are played side by side from time 0 on (Algorithm 1 of the paper).

    The return asked for stays the same in an episode, since there is no reward before its end.

    Args:
        asked: the return-to-go token.
        random: draws actions as the network predicts them; without it, the likeliest action is taken.
    """
    memory: Memory = []
    before: torch.Tensor | None = None

    @torch.no_grad()
    def choose(time: int, states: Integers) -> Integers:
        nonlocal before
        if time == 0:
            memory.clear()
            before = None
            network.eval()
        returns = torch.full((len(states),), asked)
        logits = network.step(time, returns, torch.from_numpy(states.copy()), before, memory)
        if random is not None:  # the largest of logits with Gumbel noise is a draw from their softmax
            logits = logits + torch.from_numpy(random.gumbel(size=tuple(logits.shape)))
        before = logits.argmax(dim=-1)
        return np.asarray(before.numpy())

    return choose
