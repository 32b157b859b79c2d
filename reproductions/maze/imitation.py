"""What the policy learns from: shortest paths to a cheese that is always in the top-right 5 x 5.

State editing puts the mouse on any cell, so the expert is asked everywhere the policy can go, and plain
cross-entropy suffices. Every level gives `mice` pictures and, for the auxiliary loss, the expert's move on each of
its open cells.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reproductions.maze import geometry
from reproductions.maze.environment import Environments, Frames
from reproductions.maze.geometry import NO_MOVE, Moves
from reproductions.maze.state import Cell, Maze, Truths

SLOTS = 64
TRAINING_SEEDS = range(0, 10_000_000)
DEVELOPMENT_SEEDS = range(1_000_000_000, 1_010_000_000)
"""Levels that curves are measured on and settings are chosen on."""
HELD_OUT_SEEDS = range(1_100_000_000, 1_200_000_000)
"""Levels of shipped evaluations and recorded runs: nothing was ever chosen on them."""


@dataclass(frozen=True)
class Samples:
    """Pictures with the expert's moves."""

    frames: Frames
    """Shape (n, 64, 64, 3)."""
    moves: NDArray[np.int64]
    """Shape (n,): the expert's move, 0 to 3."""
    level: NDArray[np.int64]
    """Shape (n,): which row of `fields` belongs to the picture."""
    fields: Moves
    """Shape (levels, world, world): the expert's move on every cell, row 0 at the bottom; NO_MOVE where none."""
    sizes: NDArray[np.int64]
    """Shape (n,): size of the maze."""


@dataclass(frozen=True)
class Sampling:
    """How levels and mice are drawn."""

    mice: int = 8
    """Pictures of each level."""
    on_path: float = 0.6
    """Share of the mice that stand on the path from the start to the cheese; the others anywhere."""
    size_power: float = 1.5
    size_floor: float = 0.05
    """Larger mazes, with more to learn, are kept with probability (size / world) ** size_power + size_floor."""


def top_right_cells(maze: Maze) -> Truths:
    """Where the cheese may be in training: the open cells of the top-right 5 x 5, the start left out."""
    cells = geometry.corner_region(maze, "top-right")
    cells[maze.start] = False
    return cells


def with_training_cheese(maze: Maze, generator: np.random.Generator) -> Maze:
    """The maze with its cheese on a uniformly drawn cell of the top-right 5 x 5."""
    cells = geometry.cells_of(top_right_cells(maze))
    return maze.with_cheese(cells[generator.integers(len(cells))])


def training_levels(
    environments: Environments,
    count: int,
    seeds: range,
    sampling: Sampling,
    generator: np.random.Generator,
) -> list[Maze]:
    """`count` levels with the cheese in the top right, seeds drawn from `seeds`, larger mazes favoured."""
    kept: list[Maze] = []
    while len(kept) < count:
        drawn = generator.integers(seeds.start, seeds.stop, environments.slots)
        for maze in environments.levels(int(seed) for seed in drawn):
            favour = (maze.size / maze.world) ** sampling.size_power + sampling.size_floor
            if generator.random() < favour:
                kept.append(with_training_cheese(maze, generator))
    return kept[:count]


def mouse_cells(maze: Maze, moves: Moves, sampling: Sampling, generator: np.random.Generator) -> list[Cell]:
    """Cells for the mouse, where the expert has a move; `moves`, shape (world, world), are its moves."""
    on_path = geometry.follow(moves, maze.start)[:-1]
    anywhere = geometry.cells_of(moves != NO_MOVE)
    chosen = []
    for _ in range(sampling.mice):
        cells = on_path if generator.random() < sampling.on_path else anywhere
        chosen.append(cells[generator.integers(len(cells))])
    return chosen


def samples(
    environments: Environments,
    levels: int,
    seeds: range,
    sampling: Sampling,
    generator: np.random.Generator,
) -> Samples:
    """Pictures of `levels` levels, `sampling.mice` each, in a shuffled order."""
    mazes = training_levels(environments, levels, seeds, sampling, generator)
    goals = np.array([maze.cheese for maze in mazes])
    fields = geometry.moves_towards(geometry.distances(geometry.stacked(mazes), goals))
    edited: list[Maze] = []
    moves: list[int] = []
    for maze, field in zip(mazes, fields, strict=True):
        for cell in mouse_cells(maze, field, sampling, generator):
            edited.append(maze.with_mouse(cell, bool(generator.integers(2))))
            moves.append(int(field[cell]))
    order = generator.permutation(len(edited))
    return Samples(
        frames=environments.draw(edited)[order],
        moves=np.array(moves)[order],
        level=np.repeat(np.arange(levels), sampling.mice)[order],
        fields=fields,
        sizes=np.repeat([maze.size for maze in mazes], sampling.mice)[order],
    )
