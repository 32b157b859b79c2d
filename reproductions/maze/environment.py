"""The one door to procgen: makes levels, draws mazes, steps them. Everything else works on `Maze`.

Procgen's library ends the whole process when it is given a name or a mode that it does not know, so both are
checked here first. It is imported without its `gym` registration, which nobody here needs and which prints a
notice.
"""

from __future__ import annotations

import importlib
import importlib.util
import platform
import sys
import types
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reproductions.maze.state import WORLDS, Maze, MazeError, verify, with_level_range

Frames = NDArray[np.uint8]
ACTIONS = 15
LEFT, DOWN, UP, RIGHT = range(4)
"""The four moves, in the order in which `GROUPS` and all arrays of moves have them."""
GROUPS: tuple[tuple[int, ...], ...] = ((0, 1, 2), (3,), (5,), (6, 7, 8))
"""Procgen's 15 actions that move the mouse left, down, up, right in a maze; the others do nothing."""
STEPS: tuple[tuple[int, int], ...] = ((0, -1), (-1, 0), (1, 0), (0, 1))
"""What each move adds to (row, column)."""
NEXT_LEVEL = -1
"""The action that makes procgen start a new level."""
TIME_LIMIT = 500
"""Steps after which procgen ends an episode without reward."""
_NAME = "_procgen_without_gym"


def world_of(mode: str) -> int:
    """Cells across the world of a mode, easy (15) or hard (25).

    Raises:
        MazeError: naming the modes there are.
    """
    if mode not in WORLDS:
        raise MazeError(f"unknown maze mode {mode!r}; choose one of {', '.join(WORLDS)}")
    return WORLDS[mode]


def missing() -> str | None:
    """Why procgen cannot be used here, in one line; None where it can.

    What needs no environment (reading and editing saved states, the networks, judging recorded runs) still works.
    """
    if importlib.util.find_spec("procgen") is None or importlib.util.find_spec("gym3") is None:
        if sys.version_info >= (3, 13) or platform.machine() not in ("x86_64", "AMD64"):
            return (
                f"procgen has no wheel for Python {sys.version_info.major}.{sys.version_info.minor} on "
                f"{platform.machine()} (it has for Python 3.10 to 3.12 on x86_64); recorded runs can still be "
                "shown and judged"
            )
        return "procgen is not installed; pip install 'interp-kb[maze]'"
    return None


def _procgen() -> Any:
    """The class of procgen's environments, loaded without the package's own __init__."""
    why = missing()
    if why is not None:
        raise MazeError(why)
    if _NAME not in sys.modules:
        spec = importlib.util.find_spec("procgen")
        package = types.ModuleType(_NAME)
        package.__path__ = list(spec.submodule_search_locations or []) if spec else []
        sys.modules[_NAME] = package
    try:
        return importlib.import_module(f"{_NAME}.env").ProcgenGym3Env
    except ImportError as error:
        raise MazeError(f"procgen cannot be imported ({error}); pip install 'interp-kb[maze]'") from None


def _opened(mode: str, slots: int, backgrounds: bool) -> Any:
    make = _procgen()
    try:
        return make(
            num=slots,
            env_name="maze",
            distribution_mode=mode,
            use_backgrounds=backgrounds,
            num_threads=0,
            rand_seed=0,
        )
    except OSError as error:
        if "libGL" in str(error) or "libg" in str(error):
            raise MazeError(
                f"procgen's library needs a system library ({error}); on Debian: apt-get install libgl1 libglib2.0-0"
            ) from None
        raise MazeError(f"procgen's library cannot be loaded: {error}") from None


class Environments:
    """`slots` copies of procgen's maze game, of one mode."""

    def __init__(self, mode: str, slots: int, *, backgrounds: bool = False) -> None:
        """Open the environments.

        Args:
            mode: easy (a world of 15 x 15 cells) or hard (25 x 25).
            slots: how many mazes are drawn or stepped at once.
            backgrounds: random pictures in the corridors, as procgen does by default; else they are black.

        Raises:
            MazeError: for an unknown mode, or when procgen cannot be used here.
        """
        self.world = world_of(mode)
        self.mode = mode
        self.slots = slots
        self._games = _opened(mode, slots, backgrounds)
        self._buffer = self._games._ffi.new("char[65536]")
        self._fresh = [self._get(slot) for slot in range(slots)]
        verify(self._fresh[0])

    def _get(self, slot: int) -> bytes:
        length = self._games.call_c_func("get_state", slot, self._buffer, 65536)
        return bytes(self._games._ffi.buffer(self._buffer, length))

    def levels(self, seeds: Iterable[int]) -> list[Maze]:
        """The levels of those seeds, in their order, as procgen makes them.

        What the slots held is lost.
        """
        wanted = list(seeds)
        made: list[Maze] = []
        for start in range(0, len(wanted), self.slots):
            part = wanted[start : start + self.slots]
            for slot, seed in enumerate(part):
                state = with_level_range(self._fresh[slot], seed)
                self._games.call_c_func("set_state", slot, state, len(state))
            self._games.act(np.full(self.slots, NEXT_LEVEL, np.int32))
            self._games.observe()
            made += [Maze(self._get(slot)) for slot in range(len(part))]
        return made

    def place(self, slot: int, maze: Maze) -> None:
        """Put a maze into a slot.

        Raises:
            MazeError: when it is of another world than these environments.
        """
        if maze.world != self.world:
            raise MazeError(
                f"a maze of world {maze.world} does not fit mode {self.mode} (world {self.world})"
            )
        self._games.call_c_func("set_state", slot, maze.state, len(maze.state))

    def frames(self) -> Frames:
        """What the slots show: shape (slots, 64, 64, 3), row 0 at the top of the picture."""
        return np.asarray(self._games.observe()[1]["rgb"])

    def draw(self, mazes: Sequence[Maze]) -> Frames:
        """Pictures of any number of mazes, shape (len(mazes), 64, 64, 3). What the slots held is lost."""
        pictures = np.empty((len(mazes), 64, 64, 3), np.uint8)
        for start in range(0, len(mazes), self.slots):
            part = mazes[start : start + self.slots]
            for slot, maze in enumerate(part):
                self.place(slot, maze)
            pictures[start : start + len(part)] = self.frames()[: len(part)]
        return pictures

    def step(self, actions: NDArray[np.integer[Any]]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """One step of every slot.

        Args:
            actions: shape (slots,), procgen's actions 0 to 14.

        Returns: rewards, shape (slots,): 10 for the cheese, else 0; and whether the slot's episode ended, in which
            case it already shows another level.
        """
        self._games.act(np.asarray(actions, np.int32))
        rewards, _, first = self._games.observe()
        return np.asarray(rewards, np.float32), np.asarray(first, np.bool_)

    def maze(self, slot: int) -> Maze:
        """The maze that a slot holds now."""
        return Maze(self._get(slot))
