"""What probes learn from: pictures with cheese and mouse on any free cells, split so that no level is on both sides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reproductions.maze import geometry, imitation, sizes
from reproductions.maze.environment import Environments, Frames
from reproductions.maze.linear_probe import FOLDS
from reproductions.maze.networks import Network
from reproductions.maze.policy import PIXELS, area_weights
from reproductions.maze.state import Cell, Maze

BATCH = 64
"""Pictures that go through the network at once."""
FEWEST_LAYOUTS = 3
"""The size with four layouts; of all other sizes a layout is taken once at most."""


@dataclass(frozen=True)
class Pictures:
    """Pictures, one of each level."""

    frames: Frames
    """Shape (n, 64, 64, 3)."""
    cheese: NDArray[np.int64]
    """Shape (n,): the number of the cheese's cell, row by row from the top of the picture."""
    sizes: NDArray[np.int64]
    """Shape (n,)."""
    levels: NDArray[np.int64]
    """Shape (n,): seeds."""
    folds: NDArray[np.int64]
    """Shape (n,): 0 to FOLDS - 1."""
    seen: NDArray[np.bool_]
    """Shape (n,): whether the cheese is where the policy saw it in its training, the top-right 5 x 5."""
    from_corner: NDArray[np.int64]
    """Shape (n, 2): rows below and columns left of the maze's top-right corner cell."""
    world: int

    def __len__(self) -> int:
        return len(self.levels)


def layout(maze: Maze) -> bytes:
    """What two mazes share that differ at most in their mouse and cheese."""
    return maze.open_cells.tobytes()


def one_level_a_layout(mazes: Sequence[Maze]) -> list[Maze]:
    """The first level of each layout."""
    first: dict[bytes, Maze] = {}
    for maze in mazes:
        first.setdefault(layout(maze), maze)
    return list(first.values())


def folds_of(mazes: Sequence[Maze], generator: np.random.Generator) -> NDArray[np.int64]:
    """A fold for each maze of one size, as even as can be, the levels of one layout in one fold."""
    layouts = list(dict.fromkeys(layout(maze) for maze in mazes))
    order = generator.permutation(len(layouts))
    fold = {layouts[place]: number % FOLDS for number, place in enumerate(order)}
    return np.array([fold[layout(maze)] for maze in mazes])


def with_any_cheese_and_mouse(maze: Maze, generator: np.random.Generator) -> Maze:
    """Cheese and mouse on two open cells, each pair equally likely; the mouse faces either side."""
    cells = geometry.cells_of(maze.open_cells)
    cheese, mouse = generator.choice(len(cells), 2, replace=False)
    return maze.with_cheese(cells[cheese]).with_mouse(cells[mouse], bool(generator.integers(2)))


def cell_number(cell: Cell, world: int) -> int:
    """Row by row from the top of the picture; the row 0 of a cell is at the bottom."""
    return (world - 1 - cell[0]) * world + cell[1]


def pictures(
    environments: Environments, wanted: dict[int, int], seeds: range, generator: np.random.Generator
) -> Pictures:
    """One picture each of as many levels of each size as wanted (fewer where layouts come twice)."""
    found = sizes.levels_by_size(environments, wanted, seeds, generator)
    mazes: list[Maze] = []
    folds: list[NDArray[np.int64]] = []
    for size, levels in found.items():
        kept = levels if size == FEWEST_LAYOUTS else one_level_a_layout(levels)
        folds.append(folds_of(kept, generator))
        mazes += [with_any_cheese_and_mouse(maze, generator) for maze in kept]
    cheese = [maze.cheese for maze in mazes if maze.cheese is not None]
    corners = [geometry.corner_cell(maze, "top-right") for maze in mazes]
    return Pictures(
        frames=environments.draw(mazes),
        cheese=np.array([cell_number(cell, environments.world) for cell in cheese]),
        sizes=np.array([maze.size for maze in mazes]),
        levels=np.array([maze.seed for maze in mazes]),
        folds=np.concatenate(folds),
        seen=np.array(
            [imitation.top_right_cells(m)[cell] for m, cell in zip(mazes, cheese, strict=True)], np.bool_
        ),
        from_corner=np.abs(np.array(corners) - np.array(cheese)),
        world=environments.world,
    )


def shuffled(labels: NDArray[np.int64], groups: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """The labels dealt out anew among the pictures of each size."""
    generator = np.random.default_rng(seed)
    out = labels.copy()
    for group in np.unique(groups):
        inside = np.flatnonzero(groups == group)
        out[inside] = labels[generator.permutation(inside)]
    return out


def stages(network: Network, everything: bool) -> tuple[str, ...]:
    """The layers to probe: every one, or without those inside of residual blocks.

    What a residual block works out inside is added to what came in; the sum, resadd, is what it hands on. flatten
    holds the same numbers as relu3.
    """
    named = network.policy.layers()
    if everything:
        return tuple(name for name in named if name != "flatten")
    inside = ("relu1", "conv1", "relu2", "conv2", "flatten")
    return tuple(name for name in named if name.rpartition(".")[2] not in inside)


@torch.inference_mode()
def activations(network: Network, frames: Frames, names: Sequence[str]) -> Iterator[dict[str, Tensor]]:
    """The named layers' activations, float32, batch by batch."""
    for start in range(0, len(frames), BATCH):
        yield network.policy.activations(frames[start : start + BATCH], names)


def pixels(frames: Frames, side: int) -> Tensor:
    """Pictures as (n, 3, side, side), 0 to 1, resampled by area; not at all where side is the picture's."""
    x = torch.from_numpy(frames).permute(0, 3, 1, 2).float() / 255
    if side == PIXELS:
        return x
    areas = area_weights(PIXELS, side)
    resampled: Tensor = areas @ x @ areas.T
    return resampled


def standard(values: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and spread of each channel of (n, channels, ...), to be taken on pictures that no probe sees."""
    along = [axis for axis in range(values.dim()) if axis != 1]
    return values.mean(dim=along, keepdim=True), values.std(dim=along, keepdim=True).clamp(min=1e-6)


def standardised(values: Tensor, by: tuple[Tensor, Tensor]) -> Tensor:
    """Values in units of the spread around the mean, float16: half the memory, three digits."""
    whole: Tensor = ((values - by[0]) / by[1]).clamp(-6e4, 6e4).half()
    return whole
