"""Pictures with the mouse on many cells are those that procgen draws one by one."""

import numpy as np
import pytest

from reproductions.maze import geometry, mice
from reproductions.maze.environment import Environments
from reproductions.maze.state import MazeError

pytestmark = pytest.mark.experiment


@pytest.mark.parametrize("mode", ["easy", "hard"])
@pytest.mark.parametrize("backgrounds", [False, True])
def test_pictures_are_those_drawn_one_by_one_to_the_byte(
    easy: Environments, mode: str, backgrounds: bool
) -> None:
    environments = Environments(mode, 16, backgrounds=backgrounds)  # `easy` skips where there is no procgen
    levels = environments.levels(range(1000, 1030))
    largest = max(levels, key=lambda maze: maze.size)
    smallest = min(levels, key=lambda maze: maze.size)
    for maze in (
        largest,
        smallest.with_cheese(None),
        levels[0].with_mouse(levels[0].start, faces_right=True),
    ):
        cells = geometry.cells_of(maze.open_cells)
        one_by_one = environments.draw([maze.with_mouse(cell) for cell in cells])
        assert len(np.unique(one_by_one.reshape(len(cells), -1), axis=0)) == len(cells)
        assert np.array_equal(mice.pictures(maze, cells, environments), one_by_one)


def test_cells_may_come_in_any_order_and_twice(easy: Environments) -> None:
    (maze,) = easy.levels([1005])
    cells = [*geometry.cells_of(maze.open_cells)[::-2], maze.mouse, maze.mouse]
    wanted = easy.draw([maze.with_mouse(cell) for cell in cells])
    assert np.array_equal(mice.pictures(maze, cells, easy), wanted)


def test_a_cell_in_a_wall_is_one_line(easy: Environments) -> None:
    (maze,) = easy.levels([1005])
    with pytest.raises(MazeError, match=r"cell \(.*\) is a wall"):
        mice.pictures(maze, [maze.mouse, geometry.cells_of(~maze.open_cells)[0]], easy)
