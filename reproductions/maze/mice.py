"""Pictures of one maze with the mouse on each of many cells, made from few drawings.

Procgen draws whatever entities a state has, so a state with many mice, far enough apart, gives many pictures at once:
round each cell they show what the picture with a mouse there alone shows, and elsewhere a picture has no mouse. Nine
drawings and one without a mouse are enough for all cells of a maze; they take a tenth of the time of a drawing for
each cell, and the pictures are the same to the byte.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence

import numpy as np

from reproductions.maze.environment import Environments, Frames
from reproductions.maze.state import Cell, Maze, walk

APART = 3
"""Cells between mice that are drawn together: each has the half of its neighbours for itself."""
PIXELS = 64
_OUTSIDE: Cell = (-10, -10)


def pictures(maze: Maze, cells: Sequence[Cell], environments: Environments) -> Frames:
    """What the environments show with the mouse on each of the cells, shape (len(cells), 64, 64, 3).

    Args:
        maze: where its own mouse is plays no part, but for the side it faces.
        cells: open ones, in any order.
        environments: of the maze's world; what they hold is lost.

    Raises:
        MazeError: when a cell is a wall or outside, or the maze of another world.
    """
    for cell in cells:
        maze.must_be_open(cell)
    groups: dict[tuple[int, int], list[Cell]] = {}
    for row, column in cells:
        groups.setdefault((row % APART, column % APART), []).append((row, column))
    drawn = environments.draw(_with_mice(maze, [[_OUTSIDE], *groups.values()]))
    drawing_of = dict(zip(groups, drawn[1:], strict=True))
    found = np.repeat(drawn[:1], len(cells), axis=0)
    for picture, (row, column) in zip(found, cells, strict=True):
        there = _pixels_round(maze.world - 1 - row, maze.world), _pixels_round(column, maze.world)
        picture[there] = drawing_of[row % APART, column % APART][there]
    return found


def _pixels_round(place: int, world: int) -> slice:
    """The pixels of a row (from the top) or column of cells and of half a cell on each side."""
    cell = PIXELS / world
    return slice(max(math.floor((place - 0.5) * cell), 0), math.ceil((place + 1.5) * cell))


def _with_mice(maze: Maze, groups: Sequence[Sequence[Cell]]) -> list[Maze]:
    """For each group a state with copies of the maze's mouse on its cells: to be drawn, never to be stepped."""
    fields = walk(maze.state)
    count, first, end = (fields[name][0] for name in ("entities", "entity0.x", "use_procgen_background"))
    # An entity starts with its x and y; the field after the only one tells where it ends.
    before, same, after = maze.state[:count], maze.state[first + 8 : end], maze.state[end:]
    return [
        Maze(
            before
            + struct.pack("<i", len(cells))
            + b"".join(struct.pack("<ff", column + 0.5, row + 0.5) + same for row, column in cells)
            + after
        )
        for cells in groups
    ]
