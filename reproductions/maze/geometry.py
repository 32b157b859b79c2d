"""Shortest paths, decision squares and corners of mazes, for one maze or for a whole batch at once.

Procgen's mazes are trees: between two open cells there is one path, so the shortest path is the path. Edited
mazes need not be; among equally short ways the first in the order left, down, up, right is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from reproductions.maze.environment import STEPS
from reproductions.maze.state import Cell, Maze, MazeError, Truths

Distances: TypeAlias = NDArray[np.int16]
Moves: TypeAlias = NDArray[np.int8]

CORNERS = ("top-left", "top-right", "bottom-left", "bottom-right")
REGION = 5
"""Cells across a corner's region, as in the training of the published network."""
UNREACHABLE = -1
NO_MOVE = -1


def distances(open_cells: Truths, goals: NDArray[np.integer]) -> Distances:  # type: ignore[type-arg]
    """Steps from every open cell to the goal of its maze.

    Args:
        open_cells: shape (n, world, world).
        goals: shape (n, 2), a cell of each maze.

    Returns: shape (n, world, world); UNREACHABLE for walls and for cells with no way to the goal.
    """
    count, world = len(open_cells), open_cells.shape[-1]
    # One cell of wall around, so that no neighbour lies outside.
    free = np.zeros((count, world + 2, world + 2), np.bool_)
    free[:, 1:-1, 1:-1] = open_cells
    found = np.full(free.shape, UNREACHABLE, np.int16)
    rows = np.arange(count)
    wave = np.zeros_like(free)
    wave[rows, goals[:, 0] + 1, goals[:, 1] + 1] = True
    wave &= free
    step = 0
    while wave.any():
        found[wave] = step
        free &= ~wave
        grown = np.zeros_like(wave)
        grown[:, 1:] |= wave[:, :-1]
        grown[:, :-1] |= wave[:, 1:]
        grown[:, :, 1:] |= wave[:, :, :-1]
        grown[:, :, :-1] |= wave[:, :, 1:]
        wave = grown & free
        step += 1
    return found[:, 1:-1, 1:-1]


def moves_towards(distance: Distances) -> Moves:
    """The move that shortens the way from every cell: 0 to 3 as in `environment.STEPS`.

    Args:
        distance: shape (n, world, world), from `distances`.

    Returns: the same shape; NO_MOVE at the goal, on walls and where no way leads to the goal.
    """
    padded = np.full((len(distance), distance.shape[1] + 2, distance.shape[2] + 2), UNREACHABLE, np.int16)
    padded[:, 1:-1, 1:-1] = distance
    chosen = np.full(distance.shape, NO_MOVE, np.int8)
    size = distance.shape[1]
    for move in reversed(range(len(STEPS))):
        down, right = STEPS[move]
        neighbour = padded[:, 1 + down : 1 + down + size, 1 + right : 1 + right + size]
        chosen[(distance > 0) & (neighbour == distance - 1)] = move
    return chosen


def maze_distances(maze: Maze, goal: Cell) -> Distances:
    """Steps from every cell of one maze to a goal, shape (world, world)."""
    one: Distances = distances(maze.open_cells[None], np.array([goal]))[0]
    return one


def path(maze: Maze, start: Cell, goal: Cell) -> list[Cell]:
    """The shortest path, both ends included.

    Raises:
        MazeError: when there is none.
    """
    distance = maze_distances(maze, goal)
    if distance[start] == UNREACHABLE:
        raise MazeError(f"no way leads from {start} to {goal}")
    return follow(moves_towards(distance[None])[0], start)


def follow(moves: Moves, start: Cell) -> list[Cell]:
    """The cells on the way from `start` to the goal that `moves`, shape (world, world), lead to; both included."""
    cells = [start]
    while (move := moves[cells[-1]]) != NO_MOVE:
        row, column = cells[-1]
        down, right = STEPS[move]
        cells.append((row + down, column + right))
    return cells


def decision_square(maze: Maze) -> Cell | None:
    """Where the ways from the mouse to the cheese and to the top-right corner part: the last cell they share.

    None where one way contains the other, so that nothing has to be decided, or where there is no cheese. (Turner
    et al. 2023, "Understanding and controlling a maze-solving policy network".)
    """
    if maze.cheese is None:
        return None
    to_cheese = path(maze, maze.mouse, maze.cheese)
    to_corner = path(maze, maze.mouse, corner_cell(maze, "top-right"))
    shared = 0
    while shared < min(len(to_cheese), len(to_corner)) and to_cheese[shared] == to_corner[shared]:
        shared += 1
    return None if shared in (len(to_cheese), len(to_corner)) else to_cheese[shared - 1]


def corner_cell(maze: Maze, corner: str) -> Cell:
    """The corner cell of the maze itself; always open in procgen's mazes.

    Raises:
        MazeError: naming the corners there are.
    """
    if corner not in CORNERS:
        raise MazeError(f"unknown corner {corner!r}; choose one of {', '.join(CORNERS)}")
    low, high = maze.margin, maze.margin + maze.size - 1
    vertical, horizontal = corner.split("-")
    return high if vertical == "top" else low, high if horizontal == "right" else low


def corner_region(maze: Maze, corner: str) -> Truths:
    """The open cells of a corner's 5 x 5, shape (world, world), as far as the maze reaches.

    Of the bottom left the mouse's start, which is the corner itself, is left out.
    """
    row, column = corner_cell(maze, corner)
    region = np.zeros((maze.world, maze.world), np.bool_)
    first_row = row - REGION + 1 if row > maze.margin else row
    first_column = column - REGION + 1 if column > maze.margin else column
    region[max(first_row, 0) : first_row + REGION, max(first_column, 0) : first_column + REGION] = True
    low, high = maze.margin, maze.margin + maze.size
    inside = np.zeros_like(region)
    inside[low:high, low:high] = True
    region &= inside & maze.open_cells
    if corner == "bottom-left":
        region[maze.start] = False
    return region


def region_of(maze: Maze, cell: Cell) -> str:
    """The corner whose 5 x 5 the cell is in; elsewhere where that is none, or more than one as in small mazes."""
    if cell == maze.start:
        return "bottom-left"
    corners = [corner for corner in CORNERS if corner_region(maze, corner)[cell]]
    return corners[0] if len(corners) == 1 else "elsewhere"


def cells_of(truths: Truths) -> list[Cell]:
    """The cells that are true, row by row from the bottom."""
    return [(int(row), int(column)) for row, column in np.argwhere(truths)]


def stacked(mazes: Sequence[Maze]) -> Truths:
    """The open cells of mazes of one world, shape (n, world, world)."""
    return np.stack([maze.open_cells for maze in mazes])
