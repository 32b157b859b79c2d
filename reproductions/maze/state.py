"""One maze: procgen's own serialised state, what it says, and typed edits of it.

Procgen (Cobbe et al. 2020, arXiv 1912.01588) writes a game's state as a flat row of little-endian int32, float32
and strings (an int32 length, then its characters). `FIELDS` names them all, in their order. The states of mazes
end in a part whose length depends on the world alone, so reading and editing go by offsets from the end; `verify`
walks the whole state once and holds the two against each other.

A cell is (row, column) of the world, row 0 at the bottom of the picture. The maze proper is a square of
`size` x `size` cells (an odd number) in the middle of the world, which is walled off around it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Cell: TypeAlias = tuple[int, int]
"""Row, column; row 0 is at the bottom of the picture."""
Truths: TypeAlias = NDArray[np.bool_]
Grid: TypeAlias = NDArray[np.int32]

WALL, OPEN, CHEESE = 51, 100, 2
"""What a cell of procgen's grid holds. The mouse is an entity, not a cell."""
END_OF_STATE = -889271554
WORLDS = {"easy": 15, "hard": 25}
"""Cells across the world, by procgen's distribution mode. Its memory mode shows the mouse's surroundings only."""


class MazeError(ValueError):
    """A maze, a mode or a file is not usable; one line says what to do."""


_ENTITY = (
    "x:f y:f vx:f vy:f rx:f ry:f type image_type image_theme render_z will_erase collides_with_entities "
    "collision_margin:f rotation:f vrot:f is_reflected fire_time spawn_time life_time expire_time use_abs_coords "
    "friction:f smart_step avoids_collisions auto_erase alpha:f health:f theta:f grow_rate:f alpha_decay:f "
    "climber_spawn_x:f"
)
FIELDS = (
    "serialize_version game_name:s "
    # the options, which travel with the state
    "paint_vel_info use_generated_assets use_monochrome_assets restrict_themes use_backgrounds center_agent "
    "debug_mode distribution_mode use_sequential_levels use_easy_jump plain_assets physics_mode "
    # the game
    "grid_step level_seed_low level_seed_high game_type game_n level_seed_rand_gen.is_seeded "
    "level_seed_rand_gen.state:s rand_gen.is_seeded rand_gen.state:s reward:f done level_complete action timeout "
    "current_level_seed prev_level_seed episodes_remaining episode_done last_reward_timer last_reward:f "
    "default_action fixed_asset_seed cur_time is_waiting_for_step grid_size "
    # the entities: in a maze the mouse alone
    "entities:entities "
    # how it is drawn and moved
    "use_procgen_background background_index bg_tile_ratio:f bg_pct_x:f char_dim:f last_move_action move_action "
    "special_action mixrate:f maxspeed:f max_jump:f action_vx:f action_vy:f action_vrot:f center_x:f center_y:f "
    "random_agent_start has_useful_vel_info step_rand_int asset_rand_gen.is_seeded asset_rand_gen.state:s "
    "main_width main_height out_of_bounds_object unit:f view_dim:f x_off:f y_off:f visibility:f min_visibility:f "
    # the grid: row by row from the bottom
    "grid.width grid.height grid.cells:ints "
    # the maze
    "maze_dim world_dim end_of_state"
)
"""Every field of a maze's state in its order, as name:kind; the kind is int32 where none is given, else f
(float32), s (string), ints (a count, then so many int32) or entities (a count, then so many of `_ENTITY`)."""

Value: TypeAlias = int | float | bytes | Grid

# Offsets in bytes, from the front and (negative) from the end of the state.
_LEVEL_SEED_LOW = 64
_END, _WORLD, _SIZE = -4, -8, -12
_REFLECTED_AFTER_X = 60


def _grid_offset(world: int) -> int:
    return -(12 + 4 * world * world)


def _mouse_offset(world: int) -> int:
    """Of the mouse's x; its y comes 4 bytes later. Between the mouse and the grid lie 6,950 bytes, most of them
    a random number generator that mazes never seed.
    """
    return _grid_offset(world) - 6950


def walk(state: bytes) -> dict[str, tuple[int, Value]]:
    """Every field of a state: name -> (offset in bytes, value); entities are named entity0.x and so on.

    Raises:
        MazeError: when the fields do not fill the state to its last byte.
    """
    found: dict[str, tuple[int, Value]] = {}
    at = 0

    def read(kind: str) -> Value:
        nonlocal at
        if kind == "s":
            length = int(read("i"))
            if length < 0 or at + length > len(state):
                raise struct.error
            at += length
            return state[at - length : at]
        if kind == "ints":
            count = int(read("i"))
            if count < 0 or at + 4 * count > len(state):
                raise struct.error
            at += 4 * count
            return np.frombuffer(state, np.int32, count, at - 4 * count)
        value: Value = struct.unpack_from(f"<{kind}", state, at)[0]
        at += 4
        return value

    try:
        for field in FIELDS.split():
            name, _, kind = field.partition(":")
            found[name] = at, read("i" if kind == "entities" else kind or "i")
            if kind != "entities":
                continue
            for index in range(int(found[name][1])):
                for inner in _ENTITY.split():
                    part, _, kind = inner.partition(":")
                    found[f"entity{index}.{part}"] = at, read(kind or "i")
    except struct.error:
        raise MazeError(
            "this maze state ends early: it is of another version of procgen, or broken"
        ) from None
    if at != len(state) or found["end_of_state"][1] != END_OF_STATE:
        raise MazeError("this maze state is of another version of procgen than 0.10.7, or broken")
    return found


def verify(state: bytes) -> None:
    """Hold the offsets that reading and editing use against a walk through the whole state.

    Raises:
        MazeError: when they differ, as they would in another version of procgen.
    """
    fields = walk(state)
    world = fields["world_dim"][1]
    expected = {
        "level_seed_low": _LEVEL_SEED_LOW,
        "entity0.x": len(state) + _mouse_offset(int(world)),
        "entity0.is_reflected": len(state) + _mouse_offset(int(world)) + _REFLECTED_AFTER_X,
        "grid.cells": len(state) + _grid_offset(int(world)) - 4,
        "maze_dim": len(state) + _SIZE,
    }
    here = {name: fields[name][0] if name in fields else None for name in expected}
    if fields["game_name"][1] != b"maze" or fields["entities"][1] != 1 or here != expected:
        raise MazeError("this is no state of a maze of procgen 0.10.7: its fields lie elsewhere")


def with_level_range(state: bytes, seed: int) -> bytes:
    """The state such that the next level is that of `seed`, 0 to 2**31 - 2."""
    if not 0 <= seed < 2**31 - 1:
        raise MazeError(f"a level's seed is between 0 and 2147483646, not {seed}")
    return state[:_LEVEL_SEED_LOW] + struct.pack("<ii", seed, seed + 1) + state[_LEVEL_SEED_LOW + 8 :]


@dataclass(frozen=True)
class Maze:
    """A maze as procgen serialises it. Edits give a new maze; nothing here needs procgen."""

    state: bytes

    def __post_init__(self) -> None:
        if len(self.state) < 8000 or self._int(_END) != END_OF_STATE:
            raise MazeError("this is no maze state, or one of another version of procgen")
        if self.world not in WORLDS.values() or len(self.state) < -_mouse_offset(self.world):
            raise MazeError(
                f"this maze state has a world of {self.world} cells: of another version, or broken"
            )

    def _int(self, offset: int) -> int:
        return int(struct.unpack_from("<i", self.state, len(self.state) + offset)[0])

    @property
    def world(self) -> int:
        """Cells across the world, walls around the maze included."""
        return self._int(_WORLD)

    @property
    def size(self) -> int:
        """Cells across the maze: odd, 3 to `world`."""
        return self._int(_SIZE)

    @property
    def margin(self) -> int:
        """Walled cells on each side of the maze."""
        return (self.world - self.size) // 2

    @property
    def seed(self) -> int:
        """The seed of the level that this maze was made from."""
        return int(walk(self.state)["current_level_seed"][1])

    @cached_property
    def grid(self) -> Grid:
        """Shape (world, world): WALL, OPEN or CHEESE; read-only."""
        start = len(self.state) + _grid_offset(self.world)
        flat = np.frombuffer(self.state, np.int32, self.world * self.world, start)
        return flat.reshape(self.world, self.world)

    @cached_property
    def open_cells(self) -> Truths:
        """Shape (world, world): where the mouse can be."""
        return np.asarray(self.grid != WALL)

    @cached_property
    def mouse(self) -> Cell:
        """Where the mouse is."""
        x, y = struct.unpack_from("<ff", self.state, len(self.state) + _mouse_offset(self.world))
        return int(y), int(x)

    @property
    def faces_right(self) -> bool:
        """Whether the mouse's picture looks to the right."""
        return bool(self._int(_mouse_offset(self.world) + _REFLECTED_AFTER_X))

    @cached_property
    def cheese(self) -> Cell | None:
        """Where the cheese is; None where there is none."""
        found = np.argwhere(self.grid == CHEESE)
        return (int(found[0, 0]), int(found[0, 1])) if len(found) else None

    @property
    def start(self) -> Cell:
        """Where procgen puts the mouse: the bottom left of the maze."""
        return self.margin, self.margin

    def with_mouse(self, cell: Cell, faces_right: bool | None = None) -> Maze:
        """The maze with the mouse at `cell`.

        Raises:
            MazeError: when that is a wall or outside.
        """
        self.must_be_open(cell)
        at = len(self.state) + _mouse_offset(self.world)
        edited = bytearray(self.state)
        struct.pack_into("<ff", edited, at, cell[1] + 0.5, cell[0] + 0.5)
        if faces_right is not None:
            struct.pack_into("<i", edited, at + _REFLECTED_AFTER_X, int(faces_right))
        return Maze(bytes(edited))

    def with_cheese(self, cell: Cell | None) -> Maze:
        """The maze with its cheese at `cell` and nowhere else; with none for None.

        Raises:
            MazeError: when that is a wall or outside.
        """
        grid = np.where(self.grid == CHEESE, np.int32(OPEN), self.grid)
        if cell is not None:
            self.must_be_open(cell)
            grid[cell] = CHEESE
        return self._with_grid(grid)

    def with_walls(self, walls: Truths) -> Maze:
        """The maze with other walls, shape (world, world); the cheese stays.

        Raises:
            MazeError: when the shape is another, or the mouse or the cheese would be walled in.
        """
        if walls.shape != (self.world, self.world):
            raise MazeError(f"walls have shape {walls.shape}, this world {(self.world, self.world)}")
        for name, cell in (("mouse", self.mouse), ("cheese", self.cheese)):
            if cell is not None and walls[cell]:
                raise MazeError(f"the {name} is at {cell}, which these walls fill")
        grid = np.where(walls, np.int32(WALL), np.int32(OPEN))
        return self._with_grid(np.where(self.grid == CHEESE, np.int32(CHEESE), grid))

    def _with_grid(self, grid: Grid) -> Maze:
        start = len(self.state) + _grid_offset(self.world)
        cells = np.ascontiguousarray(grid, dtype="<i4").tobytes()
        return Maze(self.state[:start] + cells + self.state[start + len(cells) :])

    def must_be_open(self, cell: Cell) -> None:
        """Nothing for an open cell.

        Raises:
            MazeError: when the cell is a wall or outside.
        """
        row, column = cell
        if not (0 <= row < self.world and 0 <= column < self.world):
            raise MazeError(f"cell {cell} lies outside a world of {self.world} x {self.world} cells")
        if self.grid[row, column] == WALL:
            raise MazeError(f"cell {cell} is a wall; choose an open cell")
