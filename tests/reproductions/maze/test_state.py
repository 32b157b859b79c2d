"""Reading and editing serialised mazes, without the environment."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reproductions.maze import geometry
from reproductions.maze.state import CHEESE, OPEN, WALL, Maze, MazeError, verify, walk, with_level_range
from tests.reproductions.maze.conftest import kept_maze

pytestmark = pytest.mark.experiment

MAZES = {mode: kept_maze(mode) for mode in ("easy", "hard")}


def test_a_walk_through_every_field_ends_at_the_last_byte_and_agrees_with_the_offsets(kept: Maze) -> None:
    fields = walk(kept.state)
    verify(kept.state)
    assert fields["game_name"][1] == b"maze"
    assert fields["maze_dim"][1] == kept.size
    assert fields["current_level_seed"][1] == kept.seed == 1005
    assert (fields["entity0.y"][1], fields["entity0.x"][1]) == (kept.mouse[0] + 0.5, kept.mouse[1] + 0.5)
    assert fields["entity0.is_reflected"][1] == int(kept.faces_right)
    np.testing.assert_array_equal(np.asarray(fields["grid.cells"][1]), kept.grid.ravel())


def test_a_fresh_level_has_its_mouse_bottom_left_one_cheese_and_walls_around(kept: Maze) -> None:
    assert kept.mouse == kept.start == (kept.margin, kept.margin)
    assert kept.size + 2 * kept.margin == kept.world
    assert (kept.grid == CHEESE).sum() == 1
    outside = np.ones_like(kept.open_cells)
    outside[kept.margin : kept.margin + kept.size, kept.margin : kept.margin + kept.size] = False
    assert not kept.open_cells[outside].any()


@st.composite
def edits(draw: st.DrawFn) -> tuple[Maze, geometry.Cell, geometry.Cell, bool]:
    maze = MAZES[draw(st.sampled_from(sorted(MAZES)))]
    cells = st.sampled_from(geometry.cells_of(maze.open_cells))
    return maze, draw(cells), draw(cells), draw(st.booleans())


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits())
def test_what_is_written_is_read_and_undone_to_the_byte(
    edit: tuple[Maze, geometry.Cell, geometry.Cell, bool],
) -> None:
    maze, mouse, cheese, right = edit
    edited = maze.with_mouse(mouse, right).with_cheese(cheese)
    assert (edited.mouse, edited.cheese, edited.faces_right) == (mouse, cheese, right)
    assert (edited.grid == CHEESE).sum() == 1
    verify(edited.state)
    undone = edited.with_cheese(maze.cheese).with_mouse(maze.mouse, maze.faces_right)
    assert undone.state == maze.state


def test_walls_are_edited_and_the_cheese_stays(kept: Maze) -> None:
    walls = ~kept.open_cells
    wall = geometry.cells_of(walls)[0]
    walls[wall] = False
    dug = kept.with_walls(walls)
    assert dug.grid[wall] == OPEN
    assert dug.cheese == kept.cheese
    assert kept.with_walls(~kept.open_cells).state == kept.state
    assert (kept.grid[~kept.open_cells] == WALL).all()


def test_the_cheese_can_be_taken_away(kept: Maze) -> None:
    bare = kept.with_cheese(None)
    assert bare.cheese is None
    assert (bare.open_cells == kept.open_cells).all()


def test_a_target_in_a_wall_or_outside_is_one_clear_line(kept: Maze) -> None:
    wall = geometry.cells_of(~kept.open_cells)[0]
    for cell, words in ((wall, "is a wall"), ((99, 0), "lies outside"), ((-1, 0), "lies outside")):
        for edit in (kept.with_mouse, kept.with_cheese):
            with pytest.raises(MazeError, match=words) as caught:
                edit(cell)
            assert "\n" not in str(caught.value)


def test_walls_over_the_mouse_or_of_another_shape_are_refused(kept: Maze) -> None:
    walls = ~kept.open_cells
    walls[kept.mouse] = True
    with pytest.raises(MazeError, match="mouse"):
        kept.with_walls(walls)
    with pytest.raises(MazeError, match="shape"):
        kept.with_walls(walls[1:])


def test_a_state_of_another_version_or_a_broken_one_is_one_clear_line(kept: Maze) -> None:
    for broken in (b"", kept.state[:-4], kept.state[:5000], b"x" * 30000):
        with pytest.raises(MazeError) as caught:
            Maze(broken)
        assert "\n" not in str(caught.value)
    one_field_more = kept.state[:12] + b"\0\0\0\0" + kept.state[12:]
    for changed in (one_field_more, kept.state[:100], kept.state + b"\0\0\0\0", b""):
        with pytest.raises(MazeError, match=r"another version|ends early"):
            verify(changed)


def test_a_level_seed_out_of_range_is_refused(kept: Maze) -> None:
    assert walk(with_level_range(kept.state, 7))["level_seed_low"][1] == 7
    with pytest.raises(MazeError, match="between 0"):
        with_level_range(kept.state, 2**31 - 1)
