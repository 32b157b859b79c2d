"""Episodes in the real environment, many at once, with its own rewards.

The mouse's cell is followed in Python (a move succeeds where the next cell is open) and held against the reward at
every step: a disagreement ends the run. Actions are sampled. Each episode has random numbers of its own, decided by
`seed` and its place in the list, so that it does not depend on which others run beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from reproductions.maze.environment import ACTIONS, GROUPS, STEPS, Environments
from reproductions.maze.policy import MazePolicy
from reproductions.maze.state import Cell, Maze

_MOVE_OF_ACTION = np.full(ACTIONS, -1)
for _move, _group in enumerate(GROUPS):
    _MOVE_OF_ACTION[list(_group)] = _move


@dataclass(frozen=True)
class Episode:
    """What happened in one maze."""

    reached: bool
    """Whether the target was reached within the steps allowed."""
    steps: int
    """Steps taken, those to the target where it was reached."""
    end: Cell
    """Where the mouse was last."""
    visited: frozenset[Cell]
    """Every cell that it was on, the start included."""
    path: tuple[Cell, ...] = ()
    """Where it was after each step, the start first: `steps` + 1 cells."""

    def after(self, steps: int) -> Cell:
        """Where the mouse was after so many steps; where the episode ended if that was earlier."""
        return self.path[min(steps, self.steps)]


@torch.inference_mode()
def rollouts(
    policy: MazePolicy,
    mazes: Sequence[Maze],
    environments: Environments,
    *,
    budget: int | Sequence[int],
    seed: int,
    targets: Sequence[Cell] | None = None,
) -> list[Episode]:
    """One episode in each maze.

    Args:
        policy: acts on the pictures; its `editing` may be open around this call.
        mazes: of the environments' world.
        environments: what they hold is lost.
        budget: most steps of an episode; one number, or one for each maze.
        seed: decides the actions sampled.
        targets: a cell for each maze; its episode ends as reached when the mouse is there. Taking the cheese ends
            an episode too, as not reached unless the target is there. None: the cheese is the target.

    Returns: an episode for each maze, in their order.

    Raises:
        MazeError: when a target is a wall or outside.
        RuntimeError: when the environment and the positions followed here disagree.
    """
    allowed = [budget] * len(mazes) if isinstance(budget, int) else list(budget)
    goals = [maze.cheese for maze in mazes] if targets is None else list(targets)
    for maze, goal in zip(mazes, goals, strict=True):
        if goal is not None:
            maze.must_be_open(goal)
    done: dict[int, Episode] = {}
    slots = min(environments.slots, len(mazes))
    holds = np.full(environments.slots, -1)
    paths: list[list[Cell]] = [[] for _ in range(environments.slots)]
    chance: dict[int, np.random.Generator] = {}
    waiting = iter(range(len(mazes)))

    def refill(slot: int) -> None:
        for index in waiting:
            maze = mazes[index]
            if maze.mouse == goals[index] or allowed[index] <= 0:
                done[index] = _episode(maze.mouse == goals[index], [maze.mouse])
                continue
            environments.place(slot, maze)
            holds[slot], paths[slot] = index, [maze.mouse]
            chance[slot] = np.random.default_rng([seed, index])
            return
        holds[slot] = -1

    for slot in range(slots):
        refill(slot)
    while (holds >= 0).any():
        busy = np.flatnonzero(holds >= 0)
        chosen = np.full(environments.slots, 4)
        draws = np.array([chance[slot].random() for slot in busy])
        chosen[busy] = sampled(policy, environments.frames()[busy], draws)
        rewards, ended = environments.step(chosen)
        for slot in busy:
            index = int(holds[slot])
            maze, cell = mazes[index], moved(mazes[index], paths[slot][-1], int(chosen[slot]))
            paths[slot].append(cell)
            if (rewards[slot] > 0) != (cell == maze.cheese):
                raise RuntimeError(f"the environment's reward disagrees with the mouse at {cell}")
            reached = cell == goals[index]
            if reached or ended[slot] or len(paths[slot]) > allowed[index]:
                done[index] = _episode(reached, paths[slot])
                refill(slot)
    return [done[index] for index in range(len(mazes))]


def _episode(reached: bool, path: list[Cell]) -> Episode:
    return Episode(reached, len(path) - 1, path[-1], frozenset(path), tuple(path))


def sampled(policy: MazePolicy, frames: NDArray[np.uint8], draws: NDArray[np.float64]) -> NDArray[np.int64]:
    """An action for each picture, shape (n,), by inverting the distribution at `draws`, uniform in [0, 1)."""
    with torch.autocast("cpu", torch.bfloat16):
        logits = policy(torch.from_numpy(frames))
    below = torch.softmax(logits.double(), dim=1).cumsum(dim=1).numpy()
    actions: NDArray[np.int64] = np.minimum((below < draws[:, None]).sum(axis=1), ACTIONS - 1)
    return actions


def moved(maze: Maze, cell: Cell, action: int) -> Cell:
    """Where an action takes the mouse: it stays where the next cell is a wall."""
    move = int(_MOVE_OF_ACTION[action])
    if move < 0:
        return cell
    row, column = cell[0] + STEPS[move][0], cell[1] + STEPS[move][1]
    inside = 0 <= row < maze.world and 0 <= column < maze.world
    return (row, column) if inside and maze.open_cells[row, column] else cell
