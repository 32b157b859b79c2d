"""Can editing its activations steer a maze policy: away from the cheese, to the top right, to any cell?

Turner et al. 2023, "Understanding and controlling a maze-solving policy network", and Scott Emmons' predictions about
it. On levels that nothing was trained or chosen on:

    1. channels that track the cheese, found on development levels                                  channels.py
    2. cheese vector and top-right vector, by layer and coefficient                                 vectors.py
    3. retargeting rules: the best of a grid on development levels, for the far corners of the
       largest mazes and for every cell of the smallest                                  retarget.py, steering_search.py
    4. those rules on held-out levels, within N steps, against the share of activations changed     steering_rates.py
    5. the same beside top-right cheese as many steps away, since far corners are also longer ways  matching.py
    6. every free cell of a middle-sized maze as the target                                         steering_map.py

N is the mean number of steps of the episodes that reach the top-right corner on the same mazes. Beside each figure:
no edit, random channels, a random vector of the same norm, another maze's vector; and as ceilings the cheese itself
moved to the target. Levels are the units, actions are sampled.
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch

from kb.reproduce.report import Report
from reproductions.maze import channels, geometry, networks, sizes, vectors
from reproductions.maze.environment import Environments
from reproductions.maze.imitation import DEVELOPMENT_SEEDS, HELD_OUT_SEEDS, with_training_cheese
from reproductions.maze.networks import Network
from reproductions.maze.retarget import Rule, Setting, TargetVectors
from reproductions.maze.rollout import EditsFor, Episode, rollouts, unedited
from reproductions.maze.state import Cell, Maze

FAR = ("top-left", "bottom-right")
LARGEST = 25
SMALL = (3, 5, 7)
BETWEEN = (9, 13, 17, 21)
MAP_SIZE = 13
PADDED = tuple(range(9, LARGEST, 2))
"""Sizes at which a path can be dug to the outer corner."""
SLOTS = 64
LEAST_POOL = 32
"""Levels of one size, so that every cell which can be open is open in some (a cell is in about half of them)."""


@dataclass(frozen=True)
class Config:
    """Everything that a run can change; steering.reproduction.toml gives the values for each preset."""

    network: str = "hard-0"
    mazes: int = 300
    """Held-out levels of size 25."""
    small_mazes: int = 240
    """Held-out levels drawn of each of the sizes 3, 5 and 7; a layout comes once."""
    small_targets: int = 6
    """Target cells drawn of each small maze."""
    mazes_between: int = 60
    """Held-out levels of each of the sizes 9, 13, 17 and 21."""
    map_mazes: int = 10
    """Of size 13, in which every free cell is a target."""
    tracking_mazes: int = 96
    """Development levels, and as many held-out ones, of all sizes from 9."""
    vector_mazes: int = 64
    """Held-out levels with a decision square, sizes 9 to 23."""
    vector_steps: int = 60
    """Step budget of the episodes with vectors."""
    longest: int = 400
    """Steps after which a top-right episode counts as failed."""
    search_mazes: int = 6
    """Development levels on which every setting of the grid is tried."""
    confirm_mazes: int = 32
    """Other development levels, for the best settings of each kind."""
    confirmed: int = 2
    """How many settings of each kind these are."""
    pool: int = 32
    """Development levels from which the vectors of targets are made."""
    caliper: int = 4
    """Steps by which the shortest paths of a matched pair may differ at size 25."""
    small_caliper: int = 1
    """The same at sizes 3 to 7, where ways are short."""
    several: int = 8
    layers: Sequence[str] = (
        "block1.maxpool",
        "block1.res1.resadd",
        "block1.res2.resadd",
        "block2.res1.resadd",
    )
    """Layers of the grid."""
    multiples: Sequence[float] = (2, 5, 10)
    curve_layers: Sequence[str] = (
        "block1.maxpool",
        "block1.res1.resadd",
        "block1.res2.resadd",
        "block2.maxpool",
        "block2.res1.resadd",
        "block2.res2.resadd",
        "block3.maxpool",
        "block3.res1.resadd",
        "block3.res2.resadd",
    )
    curve_coefficients: Sequence[float] = (-4, -2, -1, -0.5, 0.5, 1, 2, 4)
    episode_layers: Sequence[str] = ("block1.res2.resadd", "block2.res1.resadd")
    episode_coefficients: Sequence[float] = (-2, -1, 1, 2)


class Study:
    """One network, its levels, and what has been found so far."""

    def __init__(self, config: Config, subject: Network, seed: int, kept: Callable[[str], Any]) -> None:
        self.config, self.subject, self.seed, self.kept = config, subject, seed, kept
        self.policy = subject.policy
        self.environments = Environments("hard", SLOTS, backgrounds=subject.backgrounds)
        self.aside = Environments("hard", SLOTS, backgrounds=subject.backgrounds)
        """To draw in while an episode runs in the others."""
        self.few = Environments("hard", 8, backgrounds=subject.backgrounds)
        self.activations = sum(math.prod(shape) for shape in self.policy.shapes().values())
        """Scalars over all layers of the network, for one picture."""

    def generator(self, *labels: str) -> np.random.Generator:
        """Random numbers that depend on the run's seed and on what they are for."""
        return np.random.default_rng([self.seed, *"/".join(labels).encode()])

    def levels(self, wanted: dict[int, int], *, held_out: bool, label: str) -> dict[int, list[Maze]]:
        """Levels of each size; development levels where they are not held out."""
        seeds = HELD_OUT_SEEDS if held_out else DEVELOPMENT_SEEDS
        return sizes.levels_by_size(self.environments, wanted, seeds, self.generator("levels", label))

    def spawned(self, mazes: Sequence[Maze], label: str) -> list[Maze]:
        """The mazes with their cheese where it spawns in training: anywhere in the top-right 5 x 5."""
        generator = self.generator("cheese", label)
        return [with_training_cheese(maze, generator) for maze in mazes]

    @cached_property
    def large(self) -> list[Maze]:
        """Held-out levels of size 25, cheese as it spawns."""
        found = self.levels({LARGEST: self.config.mazes}, held_out=True, label="large")[LARGEST]
        return self.spawned(found, "large")

    @cached_property
    def small(self) -> list[Maze]:
        """Held-out layouts of sizes 3 to 7."""
        found = self.levels(dict.fromkeys(SMALL, self.config.small_mazes), held_out=True, label="small")
        return self.spawned(once_a_layout(found, held_out=True), "small")

    @cached_property
    def small_development(self) -> list[Maze]:
        """Layouts of sizes 3 to 7 that are not among the held-out ones, in a mixed order."""
        wanted = dict.fromkeys(SMALL, 3 * (self.config.confirm_mazes + self.config.search_mazes + 8))
        found = once_a_layout(self.levels(wanted, held_out=False, label="small search"), held_out=False)
        self.generator("order").shuffle(found)  # type: ignore[arg-type]
        return self.spawned(found, "small search")

    @cached_property
    def large_development(self) -> list[Maze]:
        """Development levels of size 25: to search on, to confirm on, and the pool."""
        count = self.config.search_mazes + self.config.confirm_mazes + self.config.pool
        found = self.levels({LARGEST: count}, held_out=False, label="large search")[LARGEST]
        return self.spawned(found, "large search")

    @cached_property
    def tracked(self) -> dict[str, channels.Tracking]:
        """What the channels of the grid's layers do at the cheese, on development levels."""
        return channels.tracking(
            self.policy, self.tracking_mazes(held_out=False), self.environments, self.config.layers
        )

    def tracking_mazes(self, *, held_out: bool) -> list[Maze]:
        """Levels of sizes from 9, cheese on any cell."""
        swept = range(9, LARGEST + 1, 2)
        label = f"tracking {held_out}"
        wanted = dict.fromkeys(swept, -(-self.config.tracking_mazes // len(swept)))
        found = self.levels(wanted, held_out=held_out, label=label)
        mazes = [maze for size in swept for maze in found[size]]
        return sizes.with_cheese_in(mazes, "random", self.generator("cheese", label))

    @cached_property
    def vector_mazes(self) -> list[Maze]:
        """Held-out levels with a decision square, sizes 9 to 23, in a mixed order."""
        wanted = dict.fromkeys(PADDED, -(-self.config.vector_mazes // len(PADDED)))
        found = self.levels(wanted, held_out=True, label="vectors")
        mazes = [maze for size in PADDED for maze in found[size]]
        self.generator("order of vectors").shuffle(mazes)  # type: ignore[arg-type]
        return vectors.with_decision_square(mazes, self.generator("cheese", "vectors"))

    def pool_of(self, size: int) -> list[Maze]:
        """Development levels from which the vectors of targets in mazes of a size are made."""
        if size == LARGEST:
            return self.large_development[-self.config.pool :]
        if size in SMALL:
            return self.small_development[self.config.search_mazes + self.config.confirm_mazes :]
        count = max(self.config.pool, LEAST_POOL)
        found = self.levels({size: count}, held_out=False, label=f"pool {size}")
        return self.spawned(found[size], f"pool {size}")

    def rule(self, setting: Setting, vectors_of: TargetVectors) -> Rule:
        """A setting with its numbers."""
        return Rule(setting, self.tracked[setting.layer], vectors_of, self.config.several)

    def target_vectors(self, size: int) -> TargetVectors:
        """Vectors of targets in mazes of a size; for the small sizes, of all of them together."""
        return TargetVectors(self.policy, self.pool_of(size), self.aside, self.config.layers)

    def walks(
        self,
        mazes: Sequence[Maze],
        targets: Sequence[Cell] | None,
        budget: int,
        label: str,
        edits_for: EditsFor = unedited,
    ) -> list[Episode]:
        """One episode in each maze; the random numbers follow from the label."""
        seed = int(self.generator("actions", label).integers(2**31))
        where = self.few if len(mazes) <= self.few.slots else self.environments
        return rollouts(self.policy, mazes, where, edits_for, budget=budget, seed=seed, targets=targets)

    def n(self, mazes: Sequence[Maze], label: str) -> tuple[float, list[Episode]]:
        """N: mean steps of the episodes that reach the cheese in the top-right corner; and all those episodes."""
        placed = [maze.with_cheese(geometry.corner_cell(maze, "top-right")) for maze in mazes]
        walks = self.walks(placed, None, self.config.longest, f"top-right {label}")
        steps = [walk.steps for walk in walks if walk.reached]
        return (sum(steps) / len(steps) if steps else math.nan), walks


def once_a_layout(found: dict[int, list[Maze]], *, held_out: bool) -> list[Maze]:
    """Each layout once; of sizes 3 and 5, with 4 and 192 layouts, one half is held out and the other not."""
    kept: dict[bytes, Maze] = {}
    for size, mazes in found.items():
        for maze in mazes:
            if size == SMALL[-1] or is_held_out(maze) == held_out:
                kept.setdefault(maze.open_cells.tobytes(), maze)
    return list(kept.values())


def is_held_out(maze: Maze) -> bool:
    """Which half a layout belongs to: by a digest of its open cells, so by nothing that the policy could use."""
    return hashlib.sha256(maze.open_cells.tobytes()).digest()[0] % 2 == 0


def unit_of(maze: Maze) -> str:
    """What is sampled independently: the level, each of another layout where the maze is small."""
    return f"level {maze.seed}"


def report_step(report: Report, kept: dict[str, Any]) -> None:
    """Samples and notes of a step."""
    for metric, rows in kept["samples"].items():
        for unit, value, weight in rows:
            report.sample(metric, unit=unit, value=value, weight=weight)
    for line in kept["notes"]:
        report.note(line)


def run(report: Report) -> None:
    """Take the steps that are left, then draw."""
    from reproductions.maze import (
        steering_map,
        steering_pictures,
        steering_rates,
        steering_search,
        steering_vectors,
    )

    steps: dict[str, Callable[[Study], dict[str, Any]]] = {
        "tracking": steering_rates.tracking,
        "curves": steering_vectors.curves,
        "vector episodes": steering_vectors.episodes,
        "search far": steering_search.search_far,
        "search small": steering_search.search_small,
        "far": steering_rates.far,
        "small": steering_rates.small,
        "between": steering_rates.between,
        "map": steering_map.success_map,
    }

    def kept(step: str) -> Any:
        return json.loads((report.checkpoints / f"{step}.json").read_text("utf-8"))

    config = Config(**report.parameters)
    study = Study(config, networks.network(config.network, report.original, report.cache), report.seed, kept)
    order = tuple(steps)
    for step in report.remaining("step", order):
        found = steps[step](study)
        (report.checkpoints / f"{step}.json").write_text(json.dumps(found), "utf-8")
        report_step(report, found)
        report.finished("step", step)
        report.progress(order.index(step) + 1, len(order), "steps")
    for name, (head, rows) in steering_vectors.tables(kept).items():
        with (report.folder / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([head, *rows])
    for name, title in steering_pictures.draw(study, report.folder).items():
        report.artifact(name, title)
    report.artifact("grid.csv", "Every setting that was searched, with its score on development levels")
    report.artifact("curves.csv", "Cheese and top-right vector: every layer, coefficient and control")


def main() -> None:
    """Run in the current folder, as kb's runner starts it."""
    torch.set_num_threads(1)
    with Report.open() as report:
        run(report)


if __name__ == "__main__":
    main()
