"""The distances of the published regressions, on real mazes."""

import math

import numpy as np
import pytest

from reproductions.maze import behaviour, geometry
from reproductions.maze.environment import Environments
from reproductions.maze.imitation import DEVELOPMENT_SEEDS
from reproductions.maze.state import Maze


def test_distances_are_those_between_decision_square_cheese_and_top_right(kept: Maze) -> None:
    corner = geometry.corner_cell(kept, "top-right")
    for cheese in geometry.cells_of(kept.open_cells)[5::40]:
        maze = kept.with_cheese(cheese)
        square = geometry.decision_square(maze)
        if square is None:
            continue
        to_corner, to_cheese, steps, to_region = behaviour.distances(maze, square)
        assert to_corner == pytest.approx(math.hypot(cheese[0] - corner[0], cheese[1] - corner[1]))
        assert to_cheese == pytest.approx(math.hypot(cheese[0] - square[0], cheese[1] - square[1]))
        assert steps == len(geometry.path(maze, square, cheese)) - 1 >= to_cheese
        assert to_region <= math.dist(square, corner)
        region = geometry.cells_of(geometry.corner_region(maze, "top-right"))
        assert to_region == min(math.dist(square, cell) for cell in region)


def test_mazes_of_the_same_walls_have_one_layout_wherever_mouse_and_cheese_are(kept: Maze) -> None:
    cells = geometry.cells_of(kept.open_cells)
    assert behaviour.layout(kept.with_mouse(cells[3]).with_cheese(cells[7])) == behaviour.layout(kept)
    walls = ~kept.open_cells
    walls[cells[11]] = True
    if cells[11] not in (kept.mouse, kept.cheese):
        assert behaviour.layout(kept.with_walls(walls)) != behaviour.layout(kept)


@pytest.mark.experiment
def test_levels_with_a_decision_have_one_and_come_once(hard: Environments) -> None:
    found = behaviour.levels_with_a_decision(hard, 20, DEVELOPMENT_SEEDS, np.random.default_rng(1))
    assert len({maze.seed for maze in found}) == 20
    assert all(geometry.decision_square(maze) is not None for maze in found)
    assert all(maze.mouse == maze.start for maze in found)


@pytest.mark.experiment
def test_the_smallest_mazes_have_four_layouts(hard: Environments) -> None:
    smallest = [maze for maze in hard.levels(range(600)) if maze.size == 3]
    assert len(smallest) > 20
    assert len({behaviour.layout(maze) for maze in smallest}) == 4
