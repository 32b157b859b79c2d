"""Episodes under an edit of activations that depends on the maze, such as one that is given a target cell.

The same episodes as in `rollout`, with the same random numbers; there an edit sees the pictures of all slots alike,
here it is told which maze each picture is of. A picture that comes again in its episode is not computed again: the
policy and the edit of a maze are functions of the picture.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from reproductions.maze.environment import ACTIONS, Environments
from reproductions.maze.policy import Edit, MazePolicy
from reproductions.maze.rollout import Episode, moved
from reproductions.maze.state import Cell, Maze


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


EditsFor = Callable[[Rows], Mapping[str, Edit]]
"""The edits, by layer, for the pictures of a batch."""


def unedited(rows: Rows) -> Mapping[str, Edit]:
    """No edit."""
    return {}


class _Slot:
    """One running episode."""

    def __init__(self, index: int, maze: Maze, goal: Cell | None, budget: int, seed: int) -> None:
        self.index, self.maze, self.goal, self.budget = index, maze, goal, budget
        self.path = [maze.mouse]
        self.chance = np.random.default_rng([seed, index])
        self.known: dict[bytes, NDArray[Any]] = {}

    def over(self) -> bool:
        """Whether it is decided without another step."""
        taken = len(self.path) - 1
        return self.path[-1] in (self.goal, self.maze.cheese) or taken >= self.budget

    def episode(self) -> Episode:
        """What happened."""
        end = self.path[-1]
        return Episode(end == self.goal, len(self.path) - 1, end, frozenset(self.path), tuple(self.path))


@torch.inference_mode()
def steered(
    policy: MazePolicy,
    mazes: Sequence[Maze],
    environments: Environments,
    edits_for: EditsFor = unedited,
    *,
    budget: int,
    seed: int,
    targets: Sequence[Cell] | None = None,
) -> list[Episode]:
    """One episode in each maze, under the edits of that maze.

    Args:
        policy: acts on the pictures.
        mazes: of the environments' world.
        environments: what they hold is lost.
        edits_for: gives the edits of a batch of pictures; it must depend on each picture and its maze alone.
        budget: most steps of an episode.
        seed: decides the actions sampled, as in `rollout.rollouts`.
        targets: a cell for each maze; None: the cheese is the target. Taking the cheese ends an episode too.

    Returns: an episode for each maze, in their order.

    Raises:
        RuntimeError: when the environment's reward and the positions followed here disagree.
    """
    goals = [maze.cheese for maze in mazes] if targets is None else list(targets)
    done: dict[int, Episode] = {}
    running: dict[int, _Slot] = {}
    waiting = iter(range(len(mazes)))

    def refill(slot: int) -> None:
        running.pop(slot, None)
        for index in waiting:
            fresh = _Slot(index, mazes[index], goals[index], budget, seed)
            if fresh.over():
                done[index] = fresh.episode()
                continue
            environments.place(slot, mazes[index])
            running[slot] = fresh
            return

    for slot in range(min(environments.slots, len(mazes))):
        refill(slot)
    while running:
        actions = _actions(policy, running, environments, edits_for)
        rewards, _ = environments.step(actions)
        for slot, at in list(running.items()):
            at.path.append(moved(at.maze, at.path[-1], int(actions[slot])))
            if (rewards[slot] > 0) != (at.path[-1] == at.maze.cheese):
                raise RuntimeError(f"the environment's reward disagrees with the mouse at {at.path[-1]}")
            if at.over():
                done[at.index] = at.episode()
                refill(slot)
    return [done[index] for index in range(len(mazes))]


def _actions(
    policy: MazePolicy, running: dict[int, _Slot], environments: Environments, edits_for: EditsFor
) -> NDArray[np.int64]:
    """An action for each slot; those without an episode do nothing."""
    frames = environments.frames()
    keys = {slot: frames[slot].tobytes() for slot in running}
    new = [slot for slot, at in running.items() if keys[slot] not in at.known]
    if new:
        rows = Rows(tuple(running[slot].index for slot in new), tuple(new), environments)
        with policy.editing(edits_for(rows)), torch.autocast("cpu", torch.bfloat16):
            logits = policy(torch.from_numpy(frames[new]))
        below = torch.softmax(logits.double(), dim=1).cumsum(dim=1).numpy()
        for slot, row in zip(new, below, strict=True):
            running[slot].known[keys[slot]] = row
    actions = np.full(environments.slots, 4)
    for slot, at in running.items():
        draw = at.chance.random()
        actions[slot] = min(int((at.known[keys[slot]] < draw).sum()), ACTIONS - 1)
    return actions
