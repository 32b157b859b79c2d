"""The cheese vector and the top-right vector, what they are compared with, and the choice at a decision square.

Turner et al. 2023. Cheese vector ("Understanding and controlling a maze-solving policy network"): activations at the
start with cheese minus without. Top-right vector ("Maze-solving agents: add a top-right vector, make the agent go to
the top-right"): activations with a path dug to the outer top-right corner of the world minus the original's. Each is
made for its own maze at the mouse's start and then added, times a coefficient, at every step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from reproductions.maze import geometry
from reproductions.maze.environment import STEPS, Environments
from reproductions.maze.policy import Edit, MazePolicy, action_probabilities
from reproductions.maze.rollout import EditsFor, Rows
from reproductions.maze.state import Maze, MazeError

BATCH = 64
Vectors = Mapping[str, Tensor]
"""By layer: shape (mazes, channels, height, width)."""


def activations(
    policy: MazePolicy, mazes: Sequence[Maze], environments: Environments, layers: Sequence[str]
) -> dict[str, Tensor]:
    """Activations of the named layers, shape (len(mazes), channels, height, width) each, float32."""
    pictures = environments.draw(mazes)
    parts = [policy.activations(pictures[at : at + BATCH], layers) for at in range(0, len(mazes), BATCH)]
    return {layer: torch.cat([part[layer] for part in parts]) for layer in layers}


def cheese_vectors(
    policy: MazePolicy, mazes: Sequence[Maze], environments: Environments, layers: Sequence[str]
) -> dict[str, Tensor]:
    """With cheese minus without, for each maze."""
    kept = activations(policy, mazes, environments, layers)
    without = activations(policy, [maze.with_cheese(None) for maze in mazes], environments, layers)
    return {layer: kept[layer] - without[layer] for layer in layers}


def dug(maze: Maze) -> Maze:
    """The maze with a path from its top-right corner up and then right to the world's.

    Raises:
        MazeError: when the maze fills its world, so that there is nothing to dig.
    """
    if maze.margin == 0:
        raise MazeError(f"a maze of size {maze.size} fills its world: no path can be dug to the outer corner")
    walls = ~maze.open_cells
    row, column = geometry.corner_cell(maze, "top-right")
    walls[row:, column] = False
    walls[-1, column:] = False
    return maze.with_walls(walls)


def top_right_vectors(
    policy: MazePolicy, mazes: Sequence[Maze], environments: Environments, layers: Sequence[str]
) -> dict[str, Tensor]:
    """With the path dug minus the original, for each maze."""
    kept = activations(policy, [dug(maze) for maze in mazes], environments, layers)
    original = activations(policy, mazes, environments, layers)
    return {layer: kept[layer] - original[layer] for layer in layers}


def of_another_maze(vectors: Vectors) -> dict[str, Tensor]:
    """Control: each maze gets its predecessor's vector, scaled to the norm of its own."""
    return {layer: _with_norms_of(own.roll(1, dims=0), own) for layer, own in vectors.items()}


def at_random(vectors: Vectors, seed: int) -> dict[str, Tensor]:
    """Control: each maze gets a normally distributed vector of the norm of its own."""
    generator = torch.Generator().manual_seed(seed)
    return {
        layer: _with_norms_of(torch.randn(own.shape, generator=generator), own)
        for layer, own in vectors.items()
    }


def _with_norms_of(vectors: Tensor, own: Tensor) -> Tensor:
    norms = own.flatten(1).norm(dim=1) / vectors.flatten(1).norm(dim=1).clamp(min=1e-12)
    return vectors * norms[:, None, None, None]


def adding(layer: str, vectors: Tensor, coefficient: float) -> EditsFor:
    """The edit that adds `coefficient` times each maze's vector, shape (mazes, channels, height, width)."""

    def edits_for(rows: Rows) -> Mapping[str, Edit]:
        added = coefficient * vectors[list(rows.indices)]
        return {layer: lambda kept: kept + added.to(kept.dtype)}

    return edits_for


@torch.inference_mode()
def choices(
    policy: MazePolicy, mazes: Sequence[Maze], environments: Environments, layer: str, added: Tensor | None
) -> Tensor:
    """What the policy chooses at each maze's decision square, where the two ways part.

    Args:
        mazes: with a decision square each.
        layer: where `added`, shape (mazes, channels, height, width), is added; None: no edit.

    Returns: shape (mazes, 2): the probability of the move to the cheese, and of the one to the top-right corner.
    """
    moves = [moves_at_decision_square(maze) for maze in mazes]
    pictures = environments.draw(
        [maze.with_mouse(square) for maze, (square, _, _) in zip(mazes, moves, strict=True)]
    )
    parts = []
    for at in range(0, len(mazes), BATCH):
        edits: dict[str, Edit] = {}
        if added is not None:
            part = added[at : at + BATCH]
            edits[layer] = lambda kept, part=part: kept + part.to(kept.dtype)  # type: ignore[misc]
        with policy.editing(edits), torch.autocast("cpu", torch.bfloat16):
            parts.append(action_probabilities(policy(torch.from_numpy(pictures[at : at + BATCH]))))
    wanted = torch.tensor([[cheese, corner] for _, cheese, corner in moves])
    return torch.cat(parts).gather(1, wanted)


def moves_at_decision_square(maze: Maze) -> tuple[tuple[int, int], int, int]:
    """The decision square, the move from it to the cheese and the one to the top-right corner.

    Raises:
        MazeError: when the maze has none.
    """
    square = geometry.decision_square(maze)
    if square is None or maze.cheese is None:
        raise MazeError("this maze has no decision square: one way contains the other")
    moves = []
    for goal in (maze.cheese, geometry.corner_cell(maze, "top-right")):
        after = geometry.path(maze, square, goal)[1]
        moves.append(STEPS.index((after[0] - square[0], after[1] - square[1])))
    return square, moves[0], moves[1]


def with_decision_square(mazes: Sequence[Maze], generator: np.random.Generator) -> list[Maze]:
    """The mazes with cheese drawn from the cells outside the top-right 5 x 5 that give a decision square.

    Mazes without such a cell are left out.
    """
    kept = []
    for maze in mazes:
        free = maze.open_cells & ~geometry.corner_region(maze, "top-right")
        free[maze.mouse] = False
        cells = geometry.cells_of(free)
        for place in generator.permutation(len(cells)):
            moved = maze.with_cheese(cells[place])
            if geometry.decision_square(moved) is not None:
                kept.append(moved)
                break
    return kept
