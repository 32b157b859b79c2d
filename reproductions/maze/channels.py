"""Channels that track the cheese: found on development levels, tested on others.

Turner et al. 2023 found theirs by looking at activation maps. Here a channel's rank is how far the cheese moves it at
the cheese's own location, over its spread within mazes; its test is whether it is most extreme exactly there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from reproductions.maze.environment import Environments
from reproductions.maze.policy import MazePolicy
from reproductions.maze.state import Cell, Maze
from reproductions.maze.vectors import activations

WINDOW = 3
"""Locations across a patch."""


@dataclass(frozen=True)
class Tracking:
    """What a layer's channels do where the cheese is, averaged over mazes."""

    background: Tensor
    """Shape (channels,): mean at the same locations without cheese."""
    spread: Tensor
    """Shape (channels,): standard deviation over the locations of mazes without cheese."""
    patch: Tensor
    """Shape (channels, 3, 3): mean of what the cheese adds round its location."""

    @property
    def gain(self) -> Tensor:
        """Shape (channels,): what the cheese adds at its own location."""
        return self.patch[:, 1, 1]

    def ranked(self) -> Tensor:
        """The channels, those that the cheese moves furthest over their spread first."""
        return (self.gain.abs() / self.spread.clamp(min=1e-6)).argsort(descending=True)


def location(cell: Cell, world: int, shape: Sequence[int]) -> tuple[int, int]:
    """Where a layer of `shape`, (height, width), has a cell: rows of pictures count from the top."""
    row, column = cell
    return (
        int((world - 1 - row + 0.5) / world * shape[0]),
        int((column + 0.5) / world * shape[1]),
    )


def locations(cells: Sequence[Cell], world: int, shape: Sequence[int]) -> Tensor:
    """`location` of each cell, shape (len(cells), 2)."""
    return torch.tensor([location(cell, world, shape) for cell in cells]).reshape(-1, 2)


def windows(values: Tensor, where: Tensor) -> Tensor:
    """Patches of `values`, (n, channels, height, width), round `where`, (n, 2): (n, channels, 3, 3), zeros outside."""
    padded = functional.pad(values, (1, 1, 1, 1))
    around = [
        padded[row, :, at[0] : at[0] + WINDOW, at[1] : at[1] + WINDOW]
        for row, at in enumerate(where.tolist())
    ]
    return torch.stack(around)


def tracking(
    policy: MazePolicy, mazes: Sequence[Maze], environments: Environments, layers: Sequence[str]
) -> dict[str, Tracking]:
    """What each layer's channels do at the cheese; `mazes` have cheese."""
    cells = [maze.cheese for maze in mazes if maze.cheese is not None]
    kept = activations(policy, mazes, environments, layers)
    without = activations(policy, [maze.with_cheese(None) for maze in mazes], environments, layers)
    found = {}
    for layer in layers:
        where = locations(cells, mazes[0].world, kept[layer].shape[2:])
        found[layer] = Tracking(
            background=without[layer][torch.arange(len(mazes)), :, where[:, 0], where[:, 1]].mean(dim=0),
            spread=without[layer].std(dim=(2, 3)).mean(dim=0),
            patch=windows(kept[layer] - without[layer], where).mean(dim=0),
        )
    return found


def hits(kept: Tensor, tracked: Tracking, cells: Sequence[Cell], world: int) -> Tensor:
    """Whether each channel is most extreme, in the direction of its gain, exactly at the cell.

    Args:
        kept: a layer's activations, shape (n, channels, height, width).
        tracked: from other mazes.
        cells: the cheese of each.
        world: cells across the world.

    Returns: truths of shape (n, channels).
    """
    count, channels, height, width = kept.shape
    signed = kept * tracked.gain.sign()[None, :, None, None]
    most = signed.reshape(count, channels, height * width).argmax(dim=2)
    where = locations(cells, world, (height, width))
    return most == (where[:, 0] * width + where[:, 1])[:, None]
