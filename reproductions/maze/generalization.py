"""Where does a policy go that has only ever seen cheese in the top right, when the cheese is elsewhere?

Turner et al. 2023, "Understanding and controlling a maze-solving policy network", and five probabilities that Scott
Emmons put on what would be found in it. Here, on levels that nothing was trained or chosen on:

    1. for every size, put the cheese into the top-right corner; N is the mean number of steps
       of the episodes that reach it
    2. on the same mazes put it into the other corners, anywhere, nowhere: reached within N steps?    rollout.py
    3. the same without cheese and with an untrained network: how often is the corner reached anyway?
    4. the same at equal length of the shortest path
    5. does success fall with size in one step (a change point) or smoothly (logistic)?              transition.py

Levels are the independent units: this is about one network. Actions are sampled. No corner is looked at below
size 9.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from kb.reproduce.report import Report
from reproductions.maze import geometry, networks, sizes, transition
from reproductions.maze.environment import Environments
from reproductions.maze.imitation import HELD_OUT_SEEDS
from reproductions.maze.networks import Network
from reproductions.maze.rollout import Episode, rollouts
from reproductions.maze.state import Maze

FAR = ("top-left", "bottom-right")
LARGEST = 25
SMALL = (3, 5, 7)
"""Very small mazes, fixed in the claims; here the cheese is put on any cell."""
SWEPT = tuple(range(9, LARGEST + 1, 2))
"""Sizes at which corners are told apart."""
SLOTS = 64


@dataclass(frozen=True)
class Config:
    """Everything that a run can change; generalization.reproduction.toml gives the values for each preset."""

    network: str = "hard-0"
    mazes: int = 300
    """Of the largest size."""
    mazes_of_other_sizes: int = 100
    longest: int = 400
    """Steps after which a top-right episode counts as failed."""
    caliper: int = 4
    """Steps by which the shortest paths of a matched pair may differ."""


@dataclass(frozen=True)
class Outcome:
    """One episode, as it is kept."""

    level: int
    """The level's seed."""
    shortest: int
    """Steps of the shortest path to the target."""
    reached: bool
    steps: int
    top_right: bool
    """Whether the mouse came into the top-right 5 x 5."""

    def within(self, steps: float) -> bool:
        """Whether the target was reached in so many steps."""
        return self.reached and self.steps <= steps


Condition = dict[str, list[Outcome]]


def outcomes(mazes: list[Maze], episodes: list[Episode]) -> list[Outcome]:
    """What is kept of episodes whose target was the cheese."""
    kept = []
    for maze, episode in zip(mazes, episodes, strict=True):
        assert maze.cheese is not None
        kept.append(
            Outcome(
                level=maze.seed,
                shortest=int(geometry.maze_distances(maze, maze.cheese)[maze.mouse]),
                reached=episode.reached,
                steps=episode.steps,
                top_right=_came_to_top_right(maze, episode),
            )
        )
    return kept


def _came_to_top_right(maze: Maze, episode: Episode) -> bool:
    region = geometry.corner_region(maze, "top-right")
    return any(region[cell] for cell in episode.visited)


class Study:
    """One network in its environments; every condition has random numbers of its own."""

    def __init__(self, config: Config, subject: Network, seed: int) -> None:
        self.config, self.subject, self.seed = config, subject, seed
        self.environments = Environments("hard", SLOTS, backgrounds=subject.backgrounds)
        wanted = dict.fromkeys((*SMALL, *SWEPT), config.mazes_of_other_sizes)
        wanted[LARGEST] = config.mazes
        self.levels = sizes.levels_by_size(
            self.environments, wanted, HELD_OUT_SEEDS, np.random.default_rng([seed, 1])
        )

    def mazes(self, size: int, where: str) -> list[Maze]:
        """The mazes of a size with the cheese put `where`, the same at every call."""
        generator = np.random.default_rng([self.seed, 2, size, *where.encode()])
        return sizes.with_cheese_in(self.levels[size], where, generator)

    def episodes(
        self, size: int, where: str, budget: int | list[int], who: Network | None = None
    ) -> list[Episode]:
        """One episode in each of those mazes."""
        actions = int(np.random.default_rng([self.seed, 3, size, *where.encode()]).integers(2**31))
        policy = (who or self.subject).policy
        return rollouts(policy, self.mazes(size, where), self.environments, budget=budget, seed=actions)

    def condition(
        self, size: int, where: str, budget: int | list[int], who: Network | None = None
    ) -> list[Outcome]:
        """What came of those episodes."""
        return outcomes(self.mazes(size, where), self.episodes(size, where, budget, who))


def mean_steps(top_right: list[Outcome]) -> float:
    """N: the mean steps of the episodes that reached the top-right corner; not a number where none did."""
    steps = [outcome.steps for outcome in top_right if outcome.reached]
    return sum(steps) / len(steps) if steps else math.nan


def measure_size(study: Study, size: int) -> dict[str, Any]:
    """Every condition of one size, plain, as it is kept for a resumed run."""
    config = study.config
    if size in SMALL:
        anywhere = study.condition(size, "random", 20 * size)
        return {"size": size, "n": math.nan, "conditions": {"random": anywhere}, "no_cheese": []}
    top_right = study.condition(size, "top-right", config.longest)
    n = mean_steps(top_right)
    budget = 2 * math.floor(n) if math.isfinite(n) else config.longest
    conditions: Condition = {"top-right": top_right}
    for where in FAR:
        conditions[where] = study.condition(size, where, budget)
    without: list[dict[str, Any]] = []
    if size == LARGEST:
        conditions["bottom-left"] = bottom_left(study, size, budget)
        conditions["random"] = study.condition(size, "random", budget)
        null = networks.untrained(study.subject, study.seed)
        for where in FAR:
            conditions[f"untrained {where}"] = study.condition(size, where, math.floor(budget / 2), null)
        without = no_cheese(study, size, math.floor(budget / 2))
    return {"size": size, "n": n, "conditions": conditions, "no_cheese": without}


def bottom_left(study: Study, size: int, budget: int) -> list[Outcome]:
    """Cheese in the bottom-left 5 x 5: at least three times the shortest path is allowed."""
    shortest = [
        int(geometry.maze_distances(maze, maze.cheese)[maze.mouse])
        for maze in study.mazes(size, "bottom-left")
        if maze.cheese
    ]
    return study.condition(size, "bottom-left", [max(budget, 3 * steps) for steps in shortest])


def no_cheese(study: Study, size: int, budget: int) -> list[dict[str, Any]]:
    """Without cheese: which corners the mouse comes to within N steps."""
    mazes, episodes = study.mazes(size, "none"), study.episodes(size, "none", budget)
    return [
        {
            "level": maze.seed,
            **{corner: geometry.corner_cell(maze, corner) in episode.visited for corner in geometry.CORNERS},
            "top_right": _came_to_top_right(maze, episode),
        }
        for maze, episode in zip(mazes, episodes, strict=True)
    ]


def matched(far: list[Outcome], top_right: list[Outcome], caliper: int) -> list[tuple[Outcome, Outcome]]:
    """Pairs of a far-corner and a top-right episode whose shortest paths differ by at most `caliper` steps.

    Each episode is used once; the longest far ways choose first, since they have the fewest partners.
    """
    free = sorted(top_right, key=lambda outcome: outcome.shortest)
    pairs = []
    for outcome in sorted(far, key=lambda o: -o.shortest):
        nearest = min(free, key=lambda o: abs(o.shortest - outcome.shortest), default=None)
        if nearest is not None and abs(nearest.shortest - outcome.shortest) <= caliper:
            free.remove(nearest)
            pairs.append((outcome, nearest))
    return pairs


def report_largest(report: Report, kept: dict[str, Any], caliper: int) -> None:
    """The main table: one sample for each level of the largest size."""
    n, conditions = kept["n"], kept["conditions"]

    def each(metric: str, rows: list[Outcome], value: Any) -> None:
        for row in rows:
            report.sample(metric, unit=f"level {row.level}", value=float(value(row)), weight=1)

    each("top_right_reached", conditions["top-right"], lambda o: o.reached)
    for where, name in (
        ("top-right", "top_right"),
        ("top-left", "top_left"),
        ("bottom-right", "bottom_right"),
        ("bottom-left", "bottom_left"),
        ("random", "random_cell"),
    ):
        each(f"{name}_within_n", conditions[where], lambda o: o.within(n))
    each("bottom_left_within_thrice", conditions["bottom-left"], lambda o: o.within(3 * o.shortest))
    for row in kept["no_cheese"]:
        unit = f"level {row['level']}"
        report.sample("no_cheese_visits_top_right", unit=unit, value=float(row["top_right"]), weight=1)
        report.sample("no_cheese_far", unit=unit, value=(row["top-left"] + row["bottom-right"]) / 2)
    for left, right, null_left, null_right in zip(
        *(conditions[name] for name in (*FAR, *(f"untrained {where}" for where in FAR))), strict=True
    ):
        unit = f"level {left.level}"
        report.sample("far_within_n", unit=unit, value=(left.within(n) + right.within(n)) / 2)
        report.sample("far_within_twice_n", unit=unit, value=(left.reached + right.reached) / 2)
        report.sample("far_visits_top_right", unit=unit, value=(left.top_right + right.top_right) / 2)
        report.sample("untrained_far", unit=unit, value=(null_left.within(n) + null_right.within(n)) / 2)
    # One far corner of each level, in turn, so that a level counts once.
    sides = zip(*(conditions[where] for where in FAR), strict=True)
    far = [pair[index % 2] for index, pair in enumerate(sides)]
    for one, other in matched(far, conditions["top-right"], caliper):
        report.sample("matched_far", unit=f"level {one.level}", value=float(one.within(n)))
        report.sample("matched_top_right", unit=f"level {one.level}", value=float(other.within(n)))
    report.note(
        f"N = {n:.1f} steps, the mean of the top-right episodes that reached the cheese, size {LARGEST}"
    )


def report_small(report: Report, kept: dict[str, Any]) -> None:
    """Very small mazes: whether the way taken is as long as the shortest."""
    for row in kept["conditions"]["random"]:
        value = float(row.reached and row.steps == row.shortest)
        report.sample("small_shortest_path", unit=f"level {row.level}", value=value, weight=1)


def report_transition(report: Report, all_kept: list[dict[str, Any]]) -> None:
    """Change point against logistic, both fitted on one half of the levels, compared on the other."""
    points = [
        (kept["size"], row.within(kept["n"]), row.level)
        for kept in all_kept
        if kept["size"] in SWEPT and math.isfinite(kept["n"])
        for where in FAR
        for row in kept["conditions"][where]
    ]
    for level, gain in transition.gains(points, np.random.default_rng([report.seed, 9])).items():
        report.sample("change_point_gain", unit=f"level {level}", value=gain)


def keep(kept: dict[str, Any]) -> str:
    """A size's outcomes as text."""
    conditions = {name: [asdict(row) for row in rows] for name, rows in kept["conditions"].items()}
    return json.dumps({**kept, "conditions": conditions})


def kept_again(text: str) -> dict[str, Any]:
    """What `keep` kept."""
    kept: dict[str, Any] = json.loads(text)
    kept["conditions"] = {name: [Outcome(**row) for row in rows] for name, rows in kept["conditions"].items()}
    return kept


def run(report: Report) -> None:
    """Measure the sizes that are left, compare the models of all, draw."""
    from reproductions.maze import generalization_plots as plots

    config = Config(**report.parameters)
    study = Study(config, networks.network(config.network, report.original, report.cache), report.seed)
    order = (*SMALL, *SWEPT)
    for size in report.remaining("size", order):
        kept = measure_size(study, size)
        (report.checkpoints / f"size-{size}.json").write_text(keep(kept), "utf-8")
        if size in SMALL:
            report_small(report, kept)
        if size == LARGEST:
            report_largest(report, kept, config.caliper)
        report.finished("size", size)
        report.progress(order.index(size) + 1, len(order), "sizes")
    everything = [kept_again((report.checkpoints / f"size-{size}.json").read_text("utf-8")) for size in order]
    report_transition(report, everything)
    plots.corners_by_size(everything, report.folder / "corners.png")
    report.artifact("corners.png", "Cheese reached within N steps, by its corner and the size of the maze")
    plots.largest(everything[-1], report.folder / "largest.png")
    report.artifact("largest.png", f"Size {LARGEST}: cheese reached within N steps, and the controls")


def main() -> None:
    """Run in the current folder, as kb's runner starts it."""
    torch.set_num_threads(1)
    with Report.open() as report:
        run(report)


if __name__ == "__main__":
    main()
