"""Key-to-Door: three rooms, a key in the first, nothing in the second, a door in the third.

Chen et al. 2021, "Decision Transformer", arXiv 2106.01345, section 5.4, names the task's parts and cites Mesnard
et al. 2020 (arXiv 2011.09464), who follow Hung et al. 2019. The reward is 1 for reaching the door, and only for
who took the key two rooms before; nothing after the first room tells whether that was done. The authors' code
for it is not public, so this is an environment of kb's own; reproduction.toml lists what had to be chosen.

    first room     the key lies in the top left corner; stepping on it takes it
    second room    empty: what is done here does not matter
    third room     the door is in the bottom right corner; stepping on it with the key opens it and ends the episode

The player is put on a random cell of each room, stays a fixed number of steps, and moves by one cell (into a
wall: not at all). Rooms are squares of cells, numbered row by row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Truths = NDArray[np.bool_]

ROOMS = 3
FIRST, SECOND, THIRD = range(ROOMS)
MOVES = np.array([(-1, 0), (1, 0), (0, -1), (0, 1)])
"""Change of (row, column) by action: north, south, west, east."""
ACTIONS = len(MOVES)
KEY = 0
"""The key's cell in the first room."""

Policy = Callable[[int, Integers], Integers]
"""(time step, (episodes,) states) -> (episodes,) actions."""


@dataclass(frozen=True)
class Layout:
    """Size of the rooms and time in them."""

    size: int
    """Cells along a side."""
    room_steps: int
    """Steps that the player stays in each room."""

    @property
    def cells(self) -> int:
        """Cells of a room."""
        return self.size**2

    @property
    def door(self) -> int:
        """The door's cell in the third room."""
        return self.cells - 1

    @property
    def steps(self) -> int:
        """Longest episode."""
        return ROOMS * self.room_steps

    @property
    def states(self) -> int:
        """Number of different observations: what is seen of the room, times the player's cell."""
        return (ROOMS + 1) * self.cells


@dataclass(frozen=True)
class Episodes:
    """Played episodes."""

    states: Integers
    """(episodes, steps): what the player saw before each action."""
    actions: Integers
    """(episodes, steps)."""
    lengths: Integers
    """(episodes,): steps until the door was opened, or all steps; what comes after has no meaning."""
    took_key: Truths
    """(episodes,)."""
    opened: Truths
    """(episodes,): whether the door was opened, which is the episode's return."""

    def __len__(self) -> int:
        return len(self.lengths)

    def chosen(self, which: Truths) -> Episodes:
        """The episodes for which `which` (episodes,) is true."""
        return Episodes(
            self.states[which],
            self.actions[which],
            self.lengths[which],
            self.took_key[which],
            self.opened[which],
        )


def observed(layout: Layout, room: int, cells: Integers, has_key: Truths) -> Integers:
    """State tokens: the cell, and which of four pictures the room shows.

    The pictures are the first room with the key lying there, the first room without it, the second room and
    the third. Whether the player holds the key is not seen in the second and third.
    """
    picture = has_key.astype(np.int64) if room == FIRST else np.full(len(cells), room + 1)
    return np.asarray(picture * layout.cells + cells)


def moved(layout: Layout, cells: Integers, actions: Integers) -> Integers:
    """Cells after one action; walls hold the player back."""
    places = np.stack(np.divmod(cells, layout.size), axis=-1) + MOVES[actions]
    rows, columns = np.clip(places, 0, layout.size - 1).T
    return np.asarray(rows * layout.size + columns)


def starts(layout: Layout, episodes: int, random: np.random.Generator) -> Integers:
    """Where players appear, uniformly among a room's cells, those of the key and the door left out.

    Returns:
        (episodes, rooms) cells.
    """
    first = random.integers(1, layout.cells, size=episodes)
    second = random.integers(layout.cells, size=episodes)
    third = random.integers(layout.door, size=episodes)
    return np.stack((first, second, third), axis=1)


def play(layout: Layout, policy: Policy, first_cells: Integers) -> Episodes:
    """Play episodes side by side.

    Args:
        first_cells: (episodes, rooms), from `starts`.
    """
    episodes = len(first_cells)
    states = np.zeros((episodes, layout.steps), dtype=np.int64)
    actions = np.zeros_like(states)
    lengths = np.full(episodes, layout.steps)
    has_key = np.zeros(episodes, dtype=bool)
    opened = np.zeros(episodes, dtype=bool)
    cells = first_cells[:, FIRST]
    for time in range(layout.steps):
        room, since = divmod(time, layout.room_steps)
        if since == 0:
            cells = first_cells[:, room]
        states[:, time] = observed(layout, room, cells, has_key)
        actions[:, time] = policy(time, states[:, time])
        cells = moved(layout, cells, actions[:, time])
        if room == FIRST:
            has_key |= cells == KEY
        if room == THIRD:
            opening = (cells == layout.door) & has_key & ~opened
            lengths[opening] = time + 1
            opened |= opening
    return Episodes(states, actions, lengths, has_key, opened)


def random_policy(random: np.random.Generator) -> Policy:
    """Every action as likely as the others: the policy that made the paper's data, and makes these."""
    return lambda time, states: random.integers(ACTIONS, size=len(states))


def scripted_policy(layout: Layout) -> Policy:
    """The ceiling: straight to the key's corner, then to the door's; it need not remember anything."""

    def walk(time: int, states: Integers) -> Integers:
        rows = states % layout.cells // layout.size
        if time < layout.room_steps:
            return np.where(rows > 0, 0, 2)
        return np.where(rows < layout.size - 1, 1, 3)

    return walk
