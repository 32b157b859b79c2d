"""Which network an experiment looks at: kb's own by name, or the published one where the user has it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from reproductions.maze import published
from reproductions.maze.policy import MazePolicy

SHIPPED = Path(__file__).parent / "weights"
"""Trained weights, each with a JSON account beside it; see `train`."""


@dataclass(frozen=True)
class Network:
    """A policy and the look of the mazes that it was trained on."""

    policy: MazePolicy
    backgrounds: bool
    """Whether the corridors have random pictures."""


def network(name: str, original: str | None, cache: Path) -> Network:
    """The network of that name, such as hard-0; the published one where `original` says where it is.

    Raises:
        MazeError: when its file cannot be used.
    """
    if original is not None:
        return Network(published.load(original, cache), backgrounds=True)
    return Network(MazePolicy.load(SHIPPED / f"{name}.safetensors"), backgrounds=False)


def untrained(like: Network, seed: int) -> Network:
    """A network of the same sizes that has learned nothing: the null control."""
    torch.manual_seed(seed)
    return Network(MazePolicy(like.policy.architecture).eval(), like.backgrounds)
