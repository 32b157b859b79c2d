"""Vector fields: what a policy would do on every free cell of one maze.

Turner et al. 2023 ("Understanding and controlling a maze-solving policy network") draw in every free cell the net
direction of the policy's action probabilities. State editing puts the mouse there; nothing is stepped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from reproductions.maze import geometry, mice
from reproductions.maze.environment import STEPS, Environments
from reproductions.maze.policy import Edit, MazePolicy, action_probabilities
from reproductions.maze.state import Cell, Maze

BATCH = 32
"""Pictures that go through the network at once. More would leave the processor's cache: with 128 the network takes a
quarter longer. A picture's probabilities do not depend on it."""


@dataclass(frozen=True)
class VectorField:
    """Probabilities of the moves on the free cells of one maze."""

    cells: tuple[Cell, ...]
    """Row by row from the bottom."""
    probabilities: NDArray[np.float32]
    """Shape (len(cells), 5): left, down, up, right, staying."""

    @property
    def arrows(self) -> NDArray[np.float32]:
        """Net probability upwards and to the right, shape (len(cells), 2), in the order of a cell: row, column."""
        net: NDArray[np.float32] = self.probabilities[:, :4] @ np.array(STEPS, np.float32)
        return net


def free_cells(maze: Maze) -> tuple[Cell, ...]:
    """Every open cell but the cheese's, where an episode would be over."""
    return tuple(cell for cell in geometry.cells_of(maze.open_cells) if cell != maze.cheese)


@torch.inference_mode()
def vector_field(
    policy: MazePolicy, maze: Maze, environments: Environments, edits: Mapping[str, Edit] | None = None
) -> VectorField:
    """The policy's probabilities with the mouse on each free cell in turn.

    Args:
        policy: an `editing` of its own may be open around this call.
        maze: of the environments' world; where its mouse is plays no part.
        environments: what they hold is lost.
        edits: of activations, by layer, as `MazePolicy.editing` takes them.
    """
    cells = free_cells(maze)
    pictures = mice.pictures(maze, cells, environments)
    parts = []
    with policy.editing(edits or {}), torch.autocast("cpu", torch.bfloat16):
        for start in range(0, len(cells), BATCH):
            parts.append(action_probabilities(policy(torch.from_numpy(pictures[start : start + BATCH]))))
    return VectorField(cells, torch.cat(parts).numpy())
