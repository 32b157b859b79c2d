"""Shortest paths, decision squares and corners, on kept states and on small grids drawn by hand."""

from collections import deque
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reproductions.maze import geometry
from reproductions.maze.environment import STEPS
from reproductions.maze.geometry import NO_MOVE, UNREACHABLE
from reproductions.maze.state import Maze, MazeError
from tests.reproductions.maze.conftest import kept_maze

pytestmark = pytest.mark.experiment


def breadth_first(open_cells: np.ndarray, goal: tuple[int, int]) -> np.ndarray:
    """The textbook search, cell by cell."""
    found = np.full(open_cells.shape, UNREACHABLE)
    if not open_cells[goal]:
        return found
    found[goal] = 0
    queue = deque([goal])
    while queue:
        row, column = queue.popleft()
        for down, right in STEPS:
            at = row + down, column + right
            if min(at) >= 0 and max(at) < len(open_cells) and open_cells[at] and found[at] == UNREACHABLE:
                found[at] = found[row, column] + 1
                queue.append(at)
    return found


grids = st.lists(st.booleans(), min_size=49, max_size=49).map(lambda cells: np.array(cells).reshape(7, 7))


@settings(deadline=None, max_examples=60)
@given(grids, grids, st.tuples(st.integers(0, 6), st.integers(0, 6)))
def test_distances_of_a_batch_are_those_of_the_textbook_search(
    first: np.ndarray, second: np.ndarray, goal: tuple[int, int]
) -> None:
    both = np.stack([first, second])
    found = geometry.distances(both, np.array([goal, goal]))
    np.testing.assert_array_equal(found[0], breadth_first(first, goal))
    np.testing.assert_array_equal(found[1], breadth_first(second, goal))


@settings(deadline=None, max_examples=60)
@given(grids, st.tuples(st.integers(0, 6), st.integers(0, 6)))
def test_every_move_shortens_the_way_by_one(grid: np.ndarray, goal: tuple[int, int]) -> None:
    distance = geometry.distances(grid[None], np.array([goal]))
    moves = geometry.moves_towards(distance)
    for cell in geometry.cells_of(grid):
        if distance[0][cell] <= 0:
            assert moves[0][cell] == NO_MOVE
            continue
        down, right = STEPS[moves[0][cell]]
        assert distance[0][cell[0] + down, cell[1] + right] == distance[0][cell] - 1
    assert (moves[0][~grid] == NO_MOVE).all()


def test_a_path_goes_from_neighbour_to_neighbour_over_open_cells(kept: Maze) -> None:
    assert kept.cheese is not None
    way = geometry.path(kept, kept.mouse, kept.cheese)
    assert (way[0], way[-1]) == (kept.mouse, kept.cheese)
    assert all(kept.open_cells[cell] for cell in way)
    assert all(abs(a - c) + abs(b - d) == 1 for (a, b), (c, d) in pairwise(way))
    assert len(way) - 1 == geometry.maze_distances(kept, kept.cheese)[kept.mouse]


def test_no_way_is_one_clear_line(kept: Maze) -> None:
    wall = geometry.cells_of(~kept.open_cells)[0]
    with pytest.raises(MazeError, match="no way leads"):
        geometry.path(kept, kept.mouse, wall)


def test_the_decision_square_is_where_the_ways_part(kept: Maze) -> None:
    corner = geometry.corner_cell(kept, "top-right")
    to_corner = geometry.path(kept, kept.mouse, corner)
    off = next(
        cell for cell in geometry.cells_of(kept.open_cells)
        if cell not in to_corner and len(set(geometry.path(kept, kept.mouse, cell)) & set(to_corner)) > 2
        and corner not in geometry.path(kept, kept.mouse, cell)
    )  # fmt: skip
    square = geometry.decision_square(kept.with_cheese(off))
    assert square is not None
    at = to_corner.index(square)
    to_cheese = geometry.path(kept, kept.mouse, off)
    assert to_cheese[: at + 1] == to_corner[: at + 1]
    assert to_cheese[at + 1] != to_corner[at + 1]
    assert geometry.decision_square(kept.with_cheese(to_corner[1])) is None
    assert geometry.decision_square(kept.with_cheese(corner)) is None
    assert geometry.decision_square(kept.with_cheese(None)) is None


@pytest.mark.parametrize("corner", geometry.CORNERS)
def test_corner_cells_are_open_and_their_regions_lie_around_them(corner: str, kept: Maze) -> None:
    cell = geometry.corner_cell(kept, corner)
    region = geometry.corner_region(kept, corner)
    assert kept.open_cells[cell]
    rows, columns = np.nonzero(region)
    assert max(abs(rows - cell[0])) <= 4
    assert max(abs(columns - cell[1])) <= 4
    assert (region & ~kept.open_cells).sum() == 0
    assert region[cell] == (corner != "bottom-left")


def test_top_right_is_up_and_right_of_the_start() -> None:
    maze = kept_maze("hard")
    high = maze.margin + maze.size - 1
    assert geometry.corner_cell(maze, "top-right") == (high, high)
    assert geometry.corner_cell(maze, "top-left") == (high, maze.margin)
    assert geometry.corner_cell(maze, "bottom-left") == maze.start


def test_an_unknown_corner_is_one_clear_line(kept: Maze) -> None:
    with pytest.raises(MazeError, match="choose one of top-left"):
        geometry.corner_cell(kept, "north")


def test_a_cell_belongs_to_the_one_corner_whose_region_it_is_in(kept: Maze) -> None:
    assert geometry.region_of(kept, kept.start) == "bottom-left"
    for cell in geometry.cells_of(kept.open_cells):
        holding = [c for c in geometry.CORNERS if geometry.corner_region(kept, c)[cell]]
        told = geometry.region_of(kept, cell)
        if cell != kept.start:
            assert told == (holding[0] if len(holding) == 1 else "elsewhere")
