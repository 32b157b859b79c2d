"""The one door to procgen: makes levels, draws mazes, steps them. Everything else works on `Maze`.

Procgen's library ends the whole process when it is given a name or a mode that it does not know, so both are
checked here first. It is imported without its `gym` registration, which nobody here needs and which prints a
notice. Which package brings the library depends on the Python (see `PACKAGES`); the library is the same.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import importlib.metadata
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
_STATE_BYTES = 65536
"""More than any maze's state."""
PACKAGES = {"procgen": ("procgen", "procgen-mirror"), "procgen_gym": ("procgen-gym",)}
"""Modules that hold procgen's library, with the distributions that they come from: procgen up to Python 3.10,
procgen-mirror for 3.11 and 3.12, procgen-gym (the same library behind Gymnasium) for 3.13."""


def world_of(mode: str) -> int:
    """Cells across the world of a mode, easy (15) or hard (25).

    Raises:
        MazeError: naming the modes there are.
    """
    if mode not in WORLDS:
        raise MazeError(f"unknown maze mode {mode!r}; choose one of {', '.join(WORLDS)}")
    return WORLDS[mode]


def _module() -> str | None:
    """The module to take procgen's library from; None where there is none."""
    if importlib.util.find_spec("procgen") is not None and importlib.util.find_spec("gym3") is not None:
        return "procgen"
    return "procgen_gym" if importlib.util.find_spec("procgen_gym") is not None else None


def missing() -> str | None:
    """Why procgen cannot be used here, in one line; None where it can.

    What needs no environment (reading and editing saved states, the networks, judging recorded runs) still works.
    """
    if _module() is not None:
        return None
    if sys.version_info >= (3, 14) or platform.machine() not in ("x86_64", "AMD64"):
        return (
            f"procgen has no wheel for Python {sys.version_info.major}.{sys.version_info.minor} on "
            f"{platform.machine()} (it has for Python 3.10 to 3.13 on x86_64); recorded runs can still be "
            "shown and judged"
        )
    return "procgen is not installed; pip install 'interp-kb[maze]'"


def package() -> str:
    """The installed distribution that procgen's library comes from, with its version."""
    for name in PACKAGES[_module() or "procgen"]:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            return f"{name} {importlib.metadata.version(name)}"
    return "procgen of an unknown version"


class _Gym3:
    """Procgen's library behind gym3, as procgen and procgen-mirror bring it."""

    def __init__(self, slots: int, options: dict[str, Any]) -> None:
        if _NAME not in sys.modules:
            # Without the package's own __init__, which registers its games with gym.
            spec = importlib.util.find_spec("procgen")
            package = types.ModuleType(_NAME)
            package.__path__ = list(spec.submodule_search_locations or []) if spec else []
            sys.modules[_NAME] = package
        self._games = importlib.import_module(f"{_NAME}.env").ProcgenGym3Env(num=slots, **options)
        self._buffer = self._games._ffi.new(f"char[{_STATE_BYTES}]")

    def get_state(self, slot: int) -> bytes:
        length = self._games.call_c_func("get_state", slot, self._buffer, _STATE_BYTES)
        return bytes(self._games._ffi.buffer(self._buffer, length))

    def set_state(self, slot: int, state: bytes) -> None:
        self._games.call_c_func("set_state", slot, state, len(state))

    def act(self, actions: NDArray[np.int32]) -> None:
        self._games.act(actions)

    def observe(self) -> tuple[Any, Any, Any]:
        """Rewards, pictures, whether an episode has just begun."""
        rewards, seen, first = self._games.observe()
        return rewards, seen["rgb"], first


class _Gymnasium:
    """The same library behind Gymnasium, as procgen-gym brings it."""

    def __init__(self, slots: int, options: dict[str, Any]) -> None:
        module = importlib.import_module("procgen_gym.env")
        self._games = module.ProcgenVecEnv(num_envs=slots, **options)._clib
        self._buffer = ctypes.create_string_buffer(_STATE_BYTES)

    def get_state(self, slot: int) -> bytes:
        length = self._games.call_c_func("get_state", slot, self._buffer, _STATE_BYTES)
        return self._buffer.raw[:length]

    def set_state(self, slot: int, state: bytes) -> None:
        self._games.call_c_func("set_state", slot, state, len(state))

    def act(self, actions: NDArray[np.int32]) -> None:
        self._games.act(actions)

    def observe(self) -> tuple[Any, Any, Any]:
        """Rewards, pictures, whether an episode has just begun."""
        first, seen, rewards, _ = self._games.observe()
        return rewards, seen["rgb"], first


def _opened(slots: int, mode: str, backgrounds: bool, **more: int) -> _Gym3 | _Gymnasium:
    why = missing()
    if why is not None:
        raise MazeError(why)
    door = _Gym3 if _module() == "procgen" else _Gymnasium
    options = {
        "env_name": "maze",
        "distribution_mode": mode,
        "use_backgrounds": backgrounds,
        "num_threads": 0,
        "rand_seed": 0,
        **more,
    }
    try:
        return door(slots, options)
    except ImportError as error:
        raise MazeError(f"procgen cannot be imported ({error}); pip install 'interp-kb[maze]'") from None
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
        self._games = _opened(slots, mode, backgrounds)
        self._fresh = [self._games.get_state(slot) for slot in range(slots)]
        verify(self._fresh[0])

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
                self._games.set_state(slot, state)
            self._games.act(np.full(self.slots, NEXT_LEVEL, np.int32))
            self._games.observe()
            made += [Maze(self._games.get_state(slot)) for slot in range(len(part))]
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
        self._games.set_state(slot, maze.state)

    def frames(self) -> Frames:
        """What the slots show: shape (slots, 64, 64, 3), row 0 at the top of the picture."""
        return np.asarray(self._games.observe()[1])

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
        return Maze(self._games.get_state(slot))
