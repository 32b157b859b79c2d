"""Where does a policy go that has only ever seen cheese in the top right, when the cheese is elsewhere?

Turner et al. 2023, "Understanding and controlling a maze-solving policy network", and five probabilities that Scott
Emmons put on what would be found in it. Here, on levels that nothing was trained or chosen on:

    1. for every size, put the cheese into the top-right corner; N is the mean number of steps
       of the episodes that reach it
    2. on the same mazes put it into the other corners, anywhere, nowhere: reached within N steps?    rollout.py
    3. the same without cheese and with an untrained network: how often is the corner reached anyway?
    4. where is the mouse after N steps: at the cheese, in which corner's 5 x 5?
    5. the same at equal length of the shortest path
    6. does success fall with size in one step (a change point) or smoothly (logistic)?              transition.py
    7. at decision squares: do distances foretell whether the mouse gets the cheese?                 behaviour.py
    8. other networks of the same recipe, one by one, in the largest mazes               generalization_networks.py

Levels are the independent units: this is about one network. Where many levels are the same maze (sizes 3 and 5 have
4 and 192) the layout is the unit. Actions are sampled. No corner is looked at below size 9.
"""

from __future__ import annotations

import csv
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from kb.reproduce.report import Report
from reproductions.maze import behaviour, geometry, networks, sizes, transition
from reproductions.maze.environment import Environments, package
from reproductions.maze.imitation import HELD_OUT_SEEDS
from reproductions.maze.matching import matched
from reproductions.maze.networks import Network
from reproductions.maze.rollout import Episode, rollouts
from reproductions.maze.state import Maze, MazeError

FAR = ("top-left", "bottom-right")
LARGEST = 25
SMALL = (3, 5, 7)
"""Very small mazes, fixed in the claims; here the cheese is put on any cell."""
SWEPT = tuple(range(9, LARGEST + 1, 2))
"""Sizes at which corners are told apart."""
FEW_LAYOUTS = (3, 5)
"""Sizes at which levels of different seeds are often the same maze."""
SLOTS = 64
ENDS = ("cheese", *geometry.CORNERS, "elsewhere")
"""Where the mouse can be after N steps."""


@dataclass(frozen=True)
class Config:
    """Everything that a run can change; generalization.reproduction.toml gives the values for each preset."""

    network: str = "hard-0"
    mazes: int = 300
    """Of the largest size, and of each very small one."""
    mazes_of_other_sizes: int = 100
    longest: int = 400
    """Steps after which a top-right episode counts as failed."""
    caliper: int = 4
    """Steps by which the shortest paths of a matched pair may differ."""
    decision_levels: int = 400
    """With a decision square, for the regressions."""
    retrain: bool = False
    """Train the network again, from nothing and with the run's seed, instead of taking the shipped one."""
    networks: Sequence[str] = ("hard-0", "hard-1", "hard-2")
    """Shipped networks that are looked at one by one in the largest mazes, beside the run's own."""


@dataclass(frozen=True)
class Outcome:
    """One episode, as it is kept."""

    level: int
    """The level's seed."""
    layout: str
    """Mazes with the same walls share it."""
    shortest: int | None
    """Steps of the shortest path to the cheese; None where there is none."""
    reached: bool
    steps: int
    top_right: bool
    """Whether the mouse came into the top-right 5 x 5."""
    end: str
    """Where it was after N steps, one of `ENDS`; where the episode ended if that was earlier."""
    corners: tuple[str, ...]
    """Whose cell it was on in the episode."""

    def within(self, steps: float) -> bool:
        """Whether the cheese was reached in so many steps."""
        return self.reached and self.steps <= steps


Condition = dict[str, list[Outcome]]


def outcomes(mazes: list[Maze], episodes: list[Episode], n: float) -> list[Outcome]:
    """What is kept of episodes; `n` is N, not a number where there is none."""
    return [_outcome(maze, episode, n) for maze, episode in zip(mazes, episodes, strict=True)]


def _outcome(maze: Maze, episode: Episode, n: float) -> Outcome:
    cell = episode.after(math.floor(n)) if math.isfinite(n) else episode.end
    shortest = None if maze.cheese is None else int(geometry.maze_distances(maze, maze.cheese)[maze.mouse])
    region = geometry.corner_region(maze, "top-right")
    return Outcome(
        level=maze.seed,
        layout=behaviour.layout(maze),
        shortest=shortest,
        reached=episode.reached,
        steps=episode.steps,
        top_right=any(region[visited] for visited in episode.visited),
        end="cheese" if cell == maze.cheese else geometry.region_of(maze, cell),
        corners=tuple(c for c in geometry.CORNERS if geometry.corner_cell(maze, c) in episode.visited),
    )


class Study:
    """One network in its environments; every condition has random numbers of its own."""

    def __init__(self, config: Config, subject: Network, seed: int) -> None:
        self.config, self.subject, self.seed = config, subject, seed
        self.environments = Environments("hard", SLOTS, backgrounds=subject.backgrounds)
        wanted = dict.fromkeys((*SMALL, *SWEPT), config.mazes_of_other_sizes)
        wanted.update(dict.fromkeys((*SMALL, LARGEST), config.mazes))
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
        self, size: int, where: str, budget: int | list[int], n: float, who: Network | None = None
    ) -> list[Outcome]:
        """What came of those episodes."""
        return outcomes(self.mazes(size, where), self.episodes(size, where, budget, who), n)


def mean_steps(top_right: list[Episode]) -> float:
    """N: the mean steps of the episodes that reached the top-right corner; not a number where none did."""
    steps = [episode.steps for episode in top_right if episode.reached]
    return sum(steps) / len(steps) if steps else math.nan


def measure_size(study: Study, size: int) -> dict[str, Any]:
    """Every condition of one size, plain, as it is kept for a resumed run."""
    config = study.config
    if size in SMALL:
        anywhere = study.condition(size, "random", 20 * size, math.nan)
        return {"size": size, "n": math.nan, "conditions": {"random": anywhere}}
    top_right = study.episodes(size, "top-right", config.longest)
    n = mean_steps(top_right)
    budget = 2 * math.floor(n) if math.isfinite(n) else config.longest
    conditions: Condition = {"top-right": outcomes(study.mazes(size, "top-right"), top_right, n)}
    for where in FAR:
        conditions[where] = study.condition(size, where, budget, n)
    conditions["bottom-left"] = bottom_left(study, size, budget, n)
    conditions["random"] = study.condition(size, "random", budget, n)
    conditions["none"] = study.condition(size, "none", math.floor(budget / 2), n)
    if size == LARGEST:
        null = networks.untrained(study.subject, study.seed)
        for where in FAR:
            conditions[f"untrained {where}"] = study.condition(size, where, math.floor(budget / 2), n, null)
    return {"size": size, "n": n, "conditions": conditions}


def bottom_left(study: Study, size: int, budget: int, n: float) -> list[Outcome]:
    """Cheese in the bottom-left 5 x 5: at least three times the shortest path is allowed."""
    shortest = [
        int(geometry.maze_distances(maze, maze.cheese)[maze.mouse])
        for maze in study.mazes(size, "bottom-left")
        if maze.cheese
    ]
    return study.condition(size, "bottom-left", [max(budget, 3 * steps) for steps in shortest], n)


def _length(outcome: Outcome) -> int:
    assert outcome.shortest is not None
    return outcome.shortest


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
    each("bottom_left_within_thrice", conditions["bottom-left"], lambda o: o.within(3 * _length(o)))
    each("no_cheese_visits_top_right", conditions["none"], lambda o: o.top_right)
    each("no_cheese_ends_top_right", conditions["none"], lambda o: o.end == "top-right")
    for row in conditions["none"]:
        value = sum(where in row.corners for where in FAR) / 2
        report.sample("no_cheese_far", unit=f"level {row.level}", value=value)
    for left, right, null_left, null_right in zip(
        *(conditions[name] for name in (*FAR, *(f"untrained {where}" for where in FAR))), strict=True
    ):
        unit = f"level {left.level}"
        report.sample("far_within_n", unit=unit, value=(left.within(n) + right.within(n)) / 2)
        report.sample("far_within_twice_n", unit=unit, value=(left.reached + right.reached) / 2)
        report.sample("far_visits_top_right", unit=unit, value=(left.top_right + right.top_right) / 2)
        at_end = (left.end == "top-right") + (right.end == "top-right")
        report.sample("far_ends_top_right", unit=unit, value=at_end / 2)
        report.sample("untrained_far", unit=unit, value=(null_left.within(n) + null_right.within(n)) / 2)
    # One far corner of each level, in turn, so that a level counts once.
    sides = zip(*(conditions[where] for where in FAR), strict=True)
    far = [pair[index % 2] for index, pair in enumerate(sides)]
    near = conditions["top-right"]
    for one, other in matched([_length(o) for o in far], [_length(o) for o in near], caliper):
        unit = f"level {far[one].level}"
        report.sample("matched_far", unit=unit, value=float(far[one].within(n)))
        report.sample("matched_top_right", unit=unit, value=float(near[other].within(n)))
    report.note(
        f"N = {n:.1f} steps, the mean of the top-right episodes that reached the cheese, size {LARGEST}"
    )


def report_small(report: Report, kept: dict[str, Any]) -> None:
    """Very small mazes: whether the way taken is as long as the shortest.

    Every layout counts once at the sizes that have few.
    """
    size = kept["size"]
    for row in kept["conditions"]["random"]:
        value = float(row.reached and row.steps == row.shortest)
        unit = row.layout if size in FEW_LAYOUTS else f"level {row.level}"
        report.sample("small_shortest_path", unit=unit, value=value)
        report.sample(f"size_{size}_shortest_path", unit=unit, value=value)


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
    kept["conditions"] = {
        name: [Outcome(**{**row, "corners": tuple(row["corners"])}) for row in rows]
        for name, rows in kept["conditions"].items()
    }
    return kept


def write_table(everything: list[dict[str, Any]], path: Path) -> None:
    """Every condition of every size: success, steps, where the mouse was after N steps (from size 9 on)."""
    names = ("size", "cheese", "episodes", "n", "within_n", "reached", "mean_steps_of_reached")
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow([*names, *(f"after_n_{end.replace('-', '_')}" for end in ENDS)])
        for kept in everything:
            for where, rows in kept["conditions"].items():
                steps = [row.steps for row in rows if row.reached]
                corners = kept["size"] not in SMALL and math.isfinite(kept["n"])
                table.writerow(
                    [
                        kept["size"],
                        where,
                        len(rows),
                        round(kept["n"], 2) if corners else "",
                        sum(row.within(kept["n"]) for row in rows) if corners else "",
                        len(steps),
                        round(sum(steps) / len(steps), 2) if steps else "",
                        *(sum(row.end == end for row in rows) if corners else "" for end in ENDS),
                    ]
                )


def subject(config: Config, report: Report) -> Network:
    """The network that the run looks at; one that is trained again keeps its progress in the run's folder."""
    if config.retrain and report.original is None:
        from reproductions.maze import train

        report.progress(0, len(SMALL) + len(SWEPT) + 1, "training the network again")
        return Network(train.retrained(report.checkpoints / "training", report.seed), backgrounds=False)
    return networks.network(config.network, report.original, report.cache)


def behaviour_rows(study: Study) -> list[dict[str, Any]]:
    """One episode in each level that has a decision square."""
    mazes = behaviour.levels_with_a_decision(
        study.environments,
        study.config.decision_levels,
        HELD_OUT_SEEDS,
        np.random.default_rng([study.seed, 10]),
    )
    actions = int(np.random.default_rng([study.seed, 11]).integers(2**31))
    episodes = rollouts(study.subject.policy, mazes, study.environments, budget=behaviour.STEPS, seed=actions)
    return behaviour.rows(mazes, episodes)


def run(report: Report) -> None:
    """Measure the sizes that are left, compare the models of all, draw."""
    from reproductions.maze import generalization_networks as by_network
    from reproductions.maze import generalization_plots as plots

    config = Config(**report.parameters)
    study = Study(config, subject(config, report), report.seed)
    order = (*SMALL, *SWEPT)
    for size in report.remaining("size", order):
        kept = measure_size(study, size)
        (report.checkpoints / f"size-{size}.json").write_text(keep(kept), "utf-8")
        if size in SMALL:
            report_small(report, kept)
        if size == LARGEST:
            report_largest(report, kept, config.caliper)
        report.finished("size", size)
        report.progress(order.index(size) + 1, len(order) + 1, "sizes")
    # Ours have not learned the published network's look of a maze, so they are not measured beside it.
    shipped = [] if report.original is not None else list(config.networks)
    own = None if config.retrain else config.network
    for name in report.remaining("network", shipped):
        if name == own:  # already measured, with the same random numbers
            kept = kept_again((report.checkpoints / f"size-{LARGEST}.json").read_text("utf-8"))
        else:
            kept = by_network.measure(study, name, report.cache)
        (report.checkpoints / f"network-{name}.json").write_text(keep(kept), "utf-8")
        by_network.report_network(report, name, kept)
        report.finished("network", name)
    rows_file = report.checkpoints / "decisions.json"
    for step in report.remaining("behaviour", ["episodes"]):
        rows_file.write_text(json.dumps(behaviour_rows(study)), "utf-8")
        report.finished("behaviour", step)
    everything = [kept_again((report.checkpoints / f"size-{size}.json").read_text("utf-8")) for size in order]
    report_transition(report, everything)
    coefficients = behaviour.report_regressions(report, json.loads(rows_file.read_text("utf-8")))
    report.note(f"mazes by {package()}")
    write_table(everything, report.folder / "conditions.csv")
    report.artifact("conditions.csv", "Every condition of every size: success, steps, where the mouse was")
    plots.corners_by_size(everything, report.folder / "corners.png")
    report.artifact("corners.png", "Cheese reached within N steps, by its corner and the size of the maze")
    plots.largest(everything[-1], report.folder / "largest.png")
    report.artifact("largest.png", f"Size {LARGEST}: cheese reached within N steps, and the controls")
    if shipped:
        each = {
            name: kept_again((report.checkpoints / f"network-{name}.json").read_text("utf-8"))
            for name in shipped
        }
        plots.networks(each, report.folder / "networks.png")
        report.artifact("networks.png", f"Size {LARGEST}, network by network: cheese reached within N steps")
    plots.ends(everything, report.folder / "ends.png")
    report.artifact("ends.png", "Where the mouse is after N steps, by the place of the cheese")
    plots.coefficients(coefficients, report.published, report.folder / "decisions.png")
    report.artifact(
        "decisions.png", "Decision squares: what foretells the cheese, beside the published figures"
    )


def main() -> None:
    """Run in the current folder, as kb's runner starts it."""
    torch.set_num_threads(1)
    try:
        with Report.open() as report:
            run(report)
    except MazeError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
