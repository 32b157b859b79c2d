"""Levels, pictures and rewards of the real environment against what editing says."""

import platform
import subprocess
import sys
from collections import namedtuple
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from reproductions.maze import environment, geometry
from reproductions.maze.environment import GROUPS, STEPS, Environments
from reproductions.maze.state import Cell, Maze, MazeError
from tests.reproductions.maze.conftest import kept_maze

pytestmark = pytest.mark.experiment
Version = namedtuple("Version", ("major", "minor"))


def test_an_unknown_mode_is_one_clear_line_and_the_process_lives() -> None:
    for mode in ("memory", "extreme", "coinrun", "", "maze"):
        with pytest.raises(MazeError, match="choose one of easy, hard") as caught:
            Environments(mode, 1)
        assert "\n" not in str(caught.value)


def test_a_level_is_decided_by_its_seed_alone(easy: Environments) -> None:
    there, back = easy.levels(range(40)), easy.levels(reversed(range(40)))
    for one, other in zip(there, reversed(back), strict=True):
        assert one.seed == other.seed
        np.testing.assert_array_equal(one.grid, other.grid)
    assert easy.levels([1005])[0].grid.tolist() == kept_maze("easy").grid.tolist()


def test_levels_are_those_that_procgen_makes_for_that_seed(hard: Environments) -> None:
    game = environment._opened(1, "hard", False, start_level=4321, num_levels=1)
    np.testing.assert_array_equal(hard.draw(hard.levels([4321]))[0], game.observe()[1][0])


def pixels_of(maze: Maze, cell: Cell) -> np.ndarray:
    """Which of the 64 x 64 pixels a cell covers, one more on each side."""
    scale = 64 / maze.world
    row, column = maze.world - 1 - cell[0], cell[1]
    box = np.zeros((64, 64), bool)
    box[
        max(int(row * scale) - 1, 0) : int(np.ceil((row + 1) * scale)) + 1,
        max(int(column * scale) - 1, 0) : int(np.ceil((column + 1) * scale)) + 1,
    ] = True
    return box


@pytest.mark.parametrize("mode", ["easy", "hard"])
def test_an_edit_changes_the_picture_at_its_cells_and_nowhere_else(
    mode: str, request: pytest.FixtureRequest
) -> None:
    environments: Environments = request.getfixturevalue(mode)
    generator = np.random.default_rng(0)
    for maze in environments.levels(range(50, 58)):
        cells = geometry.cells_of(maze.open_cells)
        here, there = (cells[i] for i in generator.choice(len(cells), 2, replace=False))
        walls = ~maze.open_cells
        wall = geometry.cells_of(walls)[generator.integers(walls.sum())]
        dug = walls.copy()
        dug[wall] = False
        for first, second, touched in (
            (maze.with_cheese(here), maze.with_cheese(there), (here, there)),
            (maze.with_mouse(here), maze.with_mouse(there), (here, there)),
            (maze, maze.with_walls(dug), (wall,)),
        ):
            one, other = environments.draw([first, second])
            changed = (one != other).any(axis=2)
            assert changed.any()
            assert not (changed & ~np.logical_or.reduce([pixels_of(maze, cell) for cell in touched])).any()


@pytest.mark.parametrize("mode", ["easy", "hard"])
def test_the_reward_comes_where_the_cheese_was_put(mode: str, request: pytest.FixtureRequest) -> None:
    environments: Environments = request.getfixturevalue(mode)
    generator = np.random.default_rng(1)
    edited: list[Maze] = []
    actions: list[int] = []
    for maze in environments.levels(range(200, 200 + environments.slots)):
        cheese = geometry.cells_of(maze.open_cells)[generator.integers(maze.open_cells.sum())]
        moves = geometry.moves_towards(geometry.maze_distances(maze, cheese)[None])[0]
        distance = geometry.maze_distances(maze, cheese)
        nexts = geometry.cells_of(distance == 1)
        mouse = nexts[generator.integers(len(nexts))]
        edited.append(maze.with_cheese(cheese).with_mouse(mouse))
        group = GROUPS[moves[mouse]]
        actions.append(group[generator.integers(len(group))])
    for slot, maze in enumerate(edited):
        environments.place(slot, maze)
    rewards, ended = environments.step(np.array(actions))
    assert (rewards == 10).all()
    assert ended.all()


def test_the_fifteen_actions_move_as_grouped(easy: Environments) -> None:
    maze = easy.levels([3])[0]
    walls = ~maze.open_cells
    middle = (7, 7)
    walls[6:9, 6:9] = False
    room = maze.with_walls(walls).with_mouse(middle).with_cheese(None)
    for slot in range(15):
        easy.place(slot, room)
    easy.step(np.arange(16) % 15)
    for action in range(15):
        move = next((m for m, group in enumerate(GROUPS) if action in group), None)
        down, right = (0, 0) if move is None else STEPS[move]
        assert easy.maze(action).mouse == (7 + down, 7 + right)


def test_a_maze_of_another_world_does_not_fit(easy: Environments) -> None:
    with pytest.raises(MazeError, match="does not fit mode easy"):
        easy.place(0, kept_maze("hard"))


def test_options_travel_with_the_state(easy: Environments) -> None:
    with_pictures = Environments("easy", 1, backgrounds=True)
    maze = with_pictures.levels([9])[0]
    np.testing.assert_array_equal(easy.draw([maze])[0], with_pictures.draw([maze])[0])
    assert (easy.draw([maze]) != easy.draw(easy.levels([9]))).any()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("cannot load library: libGL.so.1: cannot open shared object file", "apt-get install libgl1"),
        ("libgthread-2.0.so.0: cannot open shared object file", "libglib2.0-0"),
        ("invalid ELF header", "cannot be loaded"),
    ],
)
def test_a_missing_system_library_is_named(said: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> None:
        raise OSError(said)

    monkeypatch.setattr(environment, "_Gym3", lambda slots, options: fails())
    monkeypatch.setattr(environment, "_module", lambda: "procgen")
    with pytest.raises(MazeError, match=words) as caught:
        Environments("easy", 1)
    assert "\n" not in str(caught.value)


def test_a_platform_without_a_wheel_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    why = environment.missing()
    assert why is not None
    assert "no wheel" in why
    assert "aarch64" in why
    with pytest.raises(MazeError, match="recorded runs can still be"):
        Environments("easy", 1)


@pytest.mark.parametrize(
    ("installed", "version", "machine", "told"),
    [
        ({"procgen", "gym3"}, (3, 11), "x86_64", None),
        ({"procgen_gym"}, (3, 13), "x86_64", None),
        ({"procgen"}, (3, 12), "x86_64", "pip install 'interp-kb[maze]'"),
        (set(), (3, 13), "x86_64", "pip install 'interp-kb[maze]'"),
        (set(), (3, 14), "x86_64", "no wheel for Python 3.14"),
        (set(), (3, 12), "arm64", "on arm64"),
    ],
)
def test_what_is_missing_is_told_with_what_helps(
    installed: set[str],
    version: tuple[int, int],
    machine: str,
    told: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        environment.importlib.util, "find_spec", lambda name: object() if name in installed else None
    )
    monkeypatch.setattr(environment.platform, "machine", lambda: machine)
    monkeypatch.setattr(environment, "sys", SimpleNamespace(version_info=Version(*version)))
    why = environment.missing()
    assert (why is None) if told is None else (why is not None and told in why and "\n" not in why)


class Library:
    """Stands for procgen-gym's own layer: what a call came with, what it answers."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.states = {slot: b"state %d" % slot for slot in range(slots)}

    def call_c_func(self, name: str, slot: int, content: Any, length: int) -> int:
        if name == "set_state":
            self.states[slot] = bytes(content[:length])
            return 0
        content[: len(self.states[slot])] = self.states[slot]
        return len(self.states[slot])

    def act(self, actions: np.ndarray) -> None:
        self.acted = actions

    def observe(self) -> tuple[Any, ...]:
        return "first", {"rgb": "pictures"}, "rewards", {}


def test_procgen_gym_is_used_in_the_order_in_which_it_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    made: dict[str, Any] = {}

    def vector(num_envs: int, **options: Any) -> SimpleNamespace:
        made.update(options)
        return SimpleNamespace(_clib=Library(num_envs))

    monkeypatch.setitem(sys.modules, "procgen_gym", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "procgen_gym.env", SimpleNamespace(ProcgenVecEnv=vector))
    door = environment._Gymnasium(2, {"env_name": "maze"})
    door.set_state(1, b"another state")
    assert (door.get_state(0), door.get_state(1)) == (b"state 0", b"another state")
    assert door.observe() == ("rewards", "pictures", "first")
    assert made == {"env_name": "maze"}


def test_opening_an_environment_neither_loads_gym_nor_prints(easy: Environments) -> None:
    code = (
        "import sys; from reproductions.maze.environment import Environments; Environments('easy', 1); "
        "sys.exit('gym' in sys.modules or 'procgen' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
