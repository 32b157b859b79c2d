"""Retargeting: one fixed rule, given only a target cell, edits a convolutional layer so that the mouse goes there.

Turner et al. 2023 set one activation, or eleven channels at one position, to a fixed value. The rules here, built from
what cheese does to a layer's channels on development levels (`channels.Tracking`):

    one       the best channel at the target's location, set to background + multiple x gain
    several   the same for the best few channels
    patch     all channels in the 3 x 3 round the target, plus multiple x what cheese adds there
    layer     the whole layer, plus multiple x the mean difference that cheese at the target makes to it
    clear     with the first three: where the best channels are elsewhere beyond half their gain they are set to
              their background, so that the real cheese fades; it is not told where that is

No rule plans a path, and none sees the maze but through the activations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from reproductions.maze.channels import Tracking, locations
from reproductions.maze.environment import Environments
from reproductions.maze.policy import Edit, MazePolicy
from reproductions.maze.rollout import EditsFor, Rows
from reproductions.maze.state import Cell, Maze, MazeError
from reproductions.maze.vectors import activations

KINDS = ("one", "several", "patch", "layer")


@dataclass(frozen=True)
class Setting:
    """A point of the grid that is searched."""

    layer: str
    kind: str
    multiple: float
    clear: bool

    def __str__(self) -> str:
        return f"{self.layer} {self.kind} x{self.multiple:g}{' clear' if self.clear else ''}"


class TargetVectors:
    """For `layer`: what cheese at a cell does to a layer on average, against cheese where it spawned."""

    def __init__(
        self, policy: MazePolicy, pool: Sequence[Maze], environments: Environments, layers: Sequence[str]
    ) -> None:
        """Keep the activations of `pool`, development levels with their cheese as it spawned."""
        self._policy, self._pool, self._environments, self._layers = policy, pool, environments, layers
        self._spawned = activations(policy, pool, environments, layers)
        self._known: dict[Cell, dict[str, Tensor]] = {}

    def of(self, layer: str, target: Cell) -> Tensor:
        """Shape (channels, height, width): the mean over the mazes of the pool in which the cell is open.

        Raises:
            MazeError: when it is open in none.
        """
        if target not in self._known:
            rows = [row for row, maze in enumerate(self._pool) if maze.open_cells[target]]
            if not rows:
                raise MazeError(f"cell {target} is open in no development level; take more of them")
            moved = [self._pool[row].with_cheese(target) for row in rows]
            there = activations(self._policy, moved, self._environments, self._layers)
            self._known[target] = {
                name: (there[name] - self._spawned[name][rows]).mean(dim=0) for name in self._layers
            }
        return self._known[target][layer]


class Changed:
    """Counts the scalars that an edit changed, maze by maze."""

    def __init__(self) -> None:
        self._counts: dict[int, list[int]] = {}

    def count(self, indices: Sequence[int], before: Tensor, after: Tensor) -> None:
        """Add pictures of the mazes `indices`; activations of shape (n, channels, height, width)."""
        each = (before != after).flatten(1).sum(dim=1).tolist()
        for index, number in zip(indices, each, strict=True):
            self._counts.setdefault(index, []).append(number)

    def means(self) -> dict[int, float]:
        """Scalars changed in a picture of each maze, on average."""
        return {index: sum(numbers) / len(numbers) for index, numbers in self._counts.items()}

    def mean(self) -> float:
        """The same over all mazes, 0 where nothing was edited."""
        means = self.means()
        return sum(means.values()) / len(means) if means else 0.0


@dataclass(frozen=True)
class Rule:
    """A setting with the numbers that it writes: everything but the target."""

    setting: Setting
    tracked: Tracking
    vectors: TargetVectors
    several: int
    """How many channels `several` and `clear` take."""
    places: Tensor | None = None
    """Control: shape (channels,), the channel that each channel's edit is written into."""
    noise: int | None = None
    """Control: the seed of random vectors that are written in place of the real ones, of the same norm."""

    def with_random_channels(self, seed: int) -> Rule:
        """The control that writes the same shifts into other channels: the best ones change places with others."""
        generator = torch.Generator().manual_seed(seed)
        ranked = self.tracked.ranked()
        places = torch.arange(len(ranked))
        if self.setting.kind in ("patch", "layer"):
            by = 1 + int(torch.randint(len(ranked) - 1, (1,), generator=generator))
            places[ranked] = ranked.roll(by)
        else:
            chosen, others = ranked[: self.several], ranked[self.several :]
            drawn = others[torch.randperm(len(others), generator=generator)[: len(chosen)]]
            places[chosen[: len(drawn)]], places[drawn] = drawn, chosen[: len(drawn)]
        return replace(self, places=places)

    def with_random_vector(self, seed: int) -> Rule:
        """The control that writes random vectors of the same norm in the same places, over all channels there."""
        return replace(self, noise=seed)

    def prepare(self, targets: Sequence[Cell]) -> None:
        """Make what `edited` will look up: inside a forward pass the policy cannot be asked."""
        if self.setting.kind == "layer":
            for target in targets:
                self.vectors.of(self.setting.layer, target)

    def edited(self, before: Tensor, targets: Sequence[Cell], world: int) -> Tensor:
        """The layer's activations, shape (n, channels, height, width), edited for a target cell each."""
        after = before.clone()
        if self.setting.clear:
            self._clear(after)
        where = locations(targets, world, before.shape[2:])
        if self.setting.kind == "patch":
            for row, at in enumerate(where.tolist()):
                self._add_patch(after[row], at)
        elif self.setting.kind == "layer":
            for row, target in enumerate(targets):
                vector = self.setting.multiple * self.vectors.of(self.setting.layer, target)
                after[row] += self._control(vector).to(after.dtype)
        else:
            self._set(after, where)
        return after

    def _channels(self) -> Tensor:
        return self.tracked.ranked()[: 1 if self.setting.kind == "one" else self.several]

    def _into(self, channels: Tensor) -> Tensor:
        return channels if self.places is None else self.places[channels]

    def _control(self, content: Tensor) -> Tensor:
        """What is added, shape (channels, ...), with a control's channels or direction in place of its own."""
        if self.places is not None:
            content = torch.empty_like(content).index_copy_(0, self.places, content)
        return content if self.noise is None else content.norm() * self._direction(content.shape)

    def _direction(self, shape: Sequence[int]) -> Tensor:
        """A random direction, the same at every call: normally distributed, of norm 1."""
        assert self.noise is not None
        drawn = torch.randn(tuple(shape), generator=torch.Generator().manual_seed(self.noise))
        return drawn / drawn.norm()

    def _clear(self, after: Tensor) -> None:
        taken = self._channels()
        into = self._into(taken)
        gain = self.tracked.gain[taken].to(after.dtype)[None, :, None, None]
        background = self.tracked.background[into].to(after.dtype)[None, :, None, None]
        values = after[:, into]
        beyond = (values - background) * gain.sign() > gain.abs() / 2
        after[:, into] = torch.where(beyond, background.expand_as(values), values)

    def _set(self, after: Tensor, where: Tensor) -> None:
        rows, (down, right) = torch.arange(len(after)), where.T
        chosen = self._channels()
        into = self._into(chosen)
        values = self.tracked.background[into] + self.setting.multiple * self.tracked.gain[chosen]
        if self.noise is None:
            after[rows[:, None], into[None], down[:, None], right[:, None]] = values.to(after.dtype)
            return
        here = after[rows, :, down, right]
        norms = (values - here[:, into].float()).norm(dim=1, keepdim=True)
        after[rows, :, down, right] = here + (norms * self._direction(here.shape[1:])).to(after.dtype)

    def _add_patch(self, after: Tensor, at: Sequence[int]) -> None:
        (down, right), (height, width) = at, after.shape[1:]
        top, left = max(down - 1, 0), max(right - 1, 0)
        bottom, end = min(down + 2, height), min(right + 2, width)
        part = self.tracked.patch[:, top - down + 1 : bottom - down + 1, left - right + 1 : end - right + 1]
        content = self._control(self.setting.multiple * part)
        after[:, top:bottom, left:end] += content.to(after.dtype)


def retargeting(
    rule: Rule, mazes: Sequence[Maze], targets: Sequence[Cell], changed: Changed | None = None
) -> EditsFor:
    """The rule's edits for episodes in these mazes; of a maze it is given the target and nothing else.

    Args:
        rule: writes.
        mazes: only their walls are looked at, to refuse a target inside one.
        targets: a cell for each maze.
        changed: counts what was changed in each.

    Raises:
        MazeError: when a target is a wall or outside its maze.
    """
    for maze, target in zip(mazes, targets, strict=True):
        checked_target(maze, target)
    world = mazes[0].world

    def edits_for(rows: Rows) -> Mapping[str, Edit]:
        cells = [targets[index] for index in rows.indices]
        rule.prepare(cells)

        def edit(before: Tensor) -> Tensor:
            after = rule.edited(before, cells, world)
            if changed is not None:
                changed.count(rows.indices, before, after)
            return after

        return {rule.setting.layer: edit}

    return edits_for


def checked_target(maze: Maze, target: Cell) -> Cell:
    """The target, if the mouse can be there.

    Raises:
        MazeError: when it is a wall or outside.
    """
    row, column = target
    if not (0 <= row < maze.world and 0 <= column < maze.world):
        raise MazeError(f"target {target} lies outside a world of {maze.world} x {maze.world} cells")
    if not maze.open_cells[row, column]:
        raise MazeError(f"target {target} is inside a wall; choose an open cell")
    return target


def counterfactual_patches(
    policy: MazePolicy, layer: str, targets: Sequence[Cell], aside: Environments
) -> EditsFor:
    """Ceiling: the 3 x 3 round the target and round the real cheese come from the maze with its cheese at the target.

    Args:
        policy: the one that is edited.
        layer: where.
        targets: for each maze.
        aside: environments of their own, to draw the counterfactual mazes in.
    """

    def edits_for(rows: Rows) -> Mapping[str, Edit]:
        mazes = rows.mazes()
        cells = [targets[index] for index in rows.indices]
        moved = [maze.with_cheese(cell) for maze, cell in zip(mazes, cells, strict=True)]
        with torch.autocast("cpu", torch.bfloat16):
            other = policy.activations(aside.draw(moved), [layer])[layer]

        def edit(before: Tensor) -> Tensor:
            after = before.clone()
            for spots in (cells, [maze.cheese or cell for maze, cell in zip(mazes, cells, strict=True)]):
                where = locations(spots, mazes[0].world, before.shape[2:])
                for row, (down, right) in enumerate(where.tolist()):
                    part = (
                        row,
                        slice(None),
                        slice(max(down - 1, 0), down + 2),
                        slice(max(right - 1, 0), right + 2),
                    )
                    after[part] = other[part].to(after.dtype)
            return after

        return {layer: edit}

    return edits_for


def grid(layers: Sequence[str], multiples: Sequence[float]) -> list[Setting]:
    """Every combination, in a fixed order; `layer` leaves nothing over to clear."""
    return [
        Setting(layer, kind, float(multiple), clear)
        for layer in layers
        for kind in KINDS
        for clear in ((False,) if kind == "layer" else (False, True))
        for multiple in multiples
    ]
