"""Held-out levels sorted by the size of their maze, and where their cheese is put."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reproductions.maze import geometry
from reproductions.maze.environment import Environments
from reproductions.maze.state import Maze


def levels_by_size(
    environments: Environments, wanted: dict[int, int], seeds: range, generator: np.random.Generator
) -> dict[int, list[Maze]]:
    """As many levels of each size as wanted, seeds drawn from `seeds`, none twice.

    Procgen draws sizes evenly, so of the levels made most are passed over.
    """
    found: dict[int, list[Maze]] = {size: [] for size in wanted}
    used: set[int] = set()
    while any(len(found[size]) < count for size, count in wanted.items()):
        drawn = [int(s) for s in generator.integers(seeds.start, seeds.stop, 4 * environments.slots)]
        fresh = [seed for seed in dict.fromkeys(drawn) if seed not in used]
        used.update(fresh)
        for maze in environments.levels(fresh):
            if len(found.get(maze.size, ())) < wanted.get(maze.size, 0):
                found[maze.size].append(maze)
    return found


def with_cheese_in(mazes: Sequence[Maze], where: str, generator: np.random.Generator) -> list[Maze]:
    """The mazes with their cheese moved.

    Args:
        mazes: stay as they are.
        where: a corner (its exact cell; for bottom-left, where the mouse starts, a cell of its 5 x 5), random (any
            open cell but the mouse's) or none.
        generator: draws cells.
    """
    moved = []
    for maze in mazes:
        if where == "none":
            moved.append(maze.with_cheese(None))
            continue
        if where in geometry.CORNERS and where != "bottom-left":
            moved.append(maze.with_cheese(geometry.corner_cell(maze, where)))
            continue
        free = maze.open_cells.copy() if where == "random" else geometry.corner_region(maze, where)
        free[maze.mouse] = False
        cells = geometry.cells_of(free)
        moved.append(maze.with_cheese(cells[generator.integers(len(cells))]))
    return moved
