"""Episodes in the real environment, many at once, with its own rewards, under edits of activations or none.

The mouse's cell is followed in Python (a move succeeds where the next cell is open) and held against the reward at
every step: a disagreement ends the run. Actions are sampled. Each episode has random numbers of its own, decided by
`seed` and its place in the list, so that it does not depend on which others run beside it.

An edit may depend on the maze, such as one that is given a target cell: it is told which maze each picture is of. A
picture that comes again in its episode is not computed again, since the policy and the edit of a maze are functions
of the picture.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from reproductions.maze.environment import ACTIONS, GROUPS, STEPS, Environments, Frames
from reproductions.maze.policy import Edit, MazePolicy
from reproductions.maze.state import Cell, Maze

_MOVE_OF_ACTION = np.full(ACTIONS, -1)
for _move, _group in enumerate(GROUPS):
    _MOVE_OF_ACTION[list(_group)] = _move
_NOTHING = 4
"""An action that moves no mouse."""


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


@dataclass(frozen=True)
class Rows:
    """Which mazes the pictures of a batch are of."""

    indices: tuple[int, ...]
    """Their places in the list of mazes."""
    slots: tuple[int, ...]
    environments: Environments

    def mazes(self) -> list[Maze]:
        """The mazes as they are at this moment, the mouse where it has come to."""
        return [self.environments.maze(slot) for slot in self.slots]


EditsFor: TypeAlias = Callable[[Rows], Mapping[str, Edit]]
"""The edits, by layer, for the pictures of a batch."""


def unedited(rows: Rows) -> Mapping[str, Edit]:
    """No edit."""
    return {}


class Running:
    """One episode that is not over, or was over before its first step."""

    def __init__(self, index: int, maze: Maze, goal: Cell | None, budget: int, seed: int) -> None:
        self.index, self.maze, self.goal, self.budget = index, maze, goal, budget
        self.path = [maze.mouse]
        self.chance = np.random.default_rng([seed, index])
        self.known: dict[bytes, NDArray[np.float64]] = {}
        """By a picture's digest: the policy's cumulative distribution."""

    def over(self) -> bool:
        """Whether it is decided without another step."""
        return self.path[-1] in (self.goal, self.maze.cheese) or len(self.path) > self.budget

    def episode(self) -> Episode:
        """What happened."""
        end = self.path[-1]
        return Episode(end == self.goal, len(self.path) - 1, end, frozenset(self.path), tuple(self.path))


@torch.inference_mode()
def rollouts(
    policy: MazePolicy,
    mazes: Sequence[Maze],
    environments: Environments,
    edits_for: EditsFor = unedited,
    *,
    budget: int | Sequence[int],
    seed: int,
    targets: Sequence[Cell] | None = None,
) -> list[Episode]:
    """One episode in each maze, under the edits of that maze.

    Args:
        policy: acts on the pictures; its `editing` may be open around this call.
        mazes: of the environments' world.
        environments: what they hold is lost.
        edits_for: gives the edits of a batch of pictures; they must depend on each picture and its maze alone.
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
    running: dict[int, Running] = {}
    waiting = iter(range(len(mazes)))

    def refill(slot: int) -> None:
        running.pop(slot, None)
        for index in waiting:
            fresh = Running(index, mazes[index], goals[index], allowed[index], seed)
            if fresh.over():
                done[index] = fresh.episode()
                continue
            environments.place(slot, mazes[index])
            running[slot] = fresh
            return

    for slot in range(min(environments.slots, len(mazes))):
        refill(slot)
    while running:
        actions = choose(policy, running, environments, edits_for)
        rewards, ended = environments.step(actions)
        for slot, at in list(running.items()):
            at.path.append(moved(at.maze, at.path[-1], int(actions[slot])))
            if (rewards[slot] > 0) != (at.path[-1] == at.maze.cheese):
                raise RuntimeError(f"the environment's reward disagrees with the mouse at {at.path[-1]}")
            if at.over() or ended[slot]:
                done[at.index] = at.episode()
                refill(slot)
    return [done[index] for index in range(len(mazes))]


def choose(
    policy: MazePolicy, running: Mapping[int, Running], environments: Environments, edits_for: EditsFor
) -> NDArray[np.int64]:
    """An action for each slot, shape (slots,); those without an episode do nothing."""
    frames = environments.frames()
    keys = {slot: hashlib.sha1(frames[slot], usedforsecurity=False).digest() for slot in running}
    new = [slot for slot, at in running.items() if keys[slot] not in at.known]
    if new:
        rows = Rows(tuple(running[slot].index for slot in new), tuple(new), environments)
        with policy.editing(edits_for(rows)):
            for slot, below in zip(new, cumulative(policy, frames[new]), strict=True):
                running[slot].known[keys[slot]] = below
    actions = np.full(environments.slots, _NOTHING)
    for slot, at in running.items():
        actions[slot] = sampled(at.known[keys[slot]], at.chance.random())
    return actions


def cumulative(policy: MazePolicy, frames: Frames) -> NDArray[np.float64]:
    """For each picture the probability of each action and of those before it, shape (n, 15)."""
    with torch.autocast("cpu", torch.bfloat16):
        logits = policy(torch.from_numpy(frames))
    below: NDArray[np.float64] = torch.softmax(logits.double(), dim=1).cumsum(dim=1).numpy()
    return below


def sampled(below: NDArray[np.float64], draw: float) -> int:
    """An action, by inverting its cumulative distribution, shape (15,), at `draw`, uniform in [0, 1)."""
    return min(int((below < draw).sum()), ACTIONS - 1)


def moved(maze: Maze, cell: Cell, action: int) -> Cell:
    """Where an action takes the mouse: it stays where the next cell is a wall."""
    move = int(_MOVE_OF_ACTION[action])
    if move < 0:
        return cell
    row, column = cell[0] + STEPS[move][0], cell[1] + STEPS[move][1]
    inside = 0 <= row < maze.world and 0 <= column < maze.world
    return (row, column) if inside and maze.open_cells[row, column] else cell
