"""Does the mouse get the cheese? Regressed on distances at the decision square, as in the published statistics.

Turner et al. 2023 ("Understanding and controlling a maze-solving policy network", behavioural statistics) and
Grietzer and Turner 2023 ("Behavioural statistics for a maze-solving agent"): levels as procgen makes them, cheese
where procgen puts it; those that have a decision square, where the ways to the cheese and to the top-right corner
part; one episode of at most 256 steps, actions sampled; a logistic regression of "did it reach the cheese" on
standardised distances.

Levels that are the same maze (the smallest have few layouts) are one unit.
"""

from __future__ import annotations

import hashlib
import math
from typing import Any

import numpy as np

from kb.reproduce.report import Report
from reproductions.maze import geometry, regression
from reproductions.maze.environment import Environments
from reproductions.maze.rollout import Episode
from reproductions.maze.state import Cell, Maze

STEPS = 256
"""Most steps of an episode, as in the authors' script."""
FEATURES = ("cheese_to_corner", "square_to_cheese", "steps_to_cheese", "square_to_region")
"""Euclidean distance from the cheese to the top-right cell, from the decision square to the cheese, steps between
these two, and Euclidean distance from the decision square to the nearest open cell of the top-right 5 x 5."""
MODELS = {"four": FEATURES, "three": FEATURES[:3]}
"""The first post's regression and the three features that the second one keeps."""


def layout(maze: Maze) -> str:
    """A name that mazes with the same walls share."""
    return f"layout {hashlib.sha256(maze.open_cells.tobytes()).hexdigest()[:12]}"


def distances(maze: Maze, square: Cell) -> list[float]:
    """`FEATURES` of a maze with a cheese and that decision square, in cells."""
    assert maze.cheese is not None
    corner = geometry.corner_cell(maze, "top-right")
    region = geometry.cells_of(geometry.corner_region(maze, "top-right"))
    return [
        math.dist(maze.cheese, corner),
        math.dist(square, maze.cheese),
        float(geometry.maze_distances(maze, maze.cheese)[square]),
        min(math.dist(square, cell) for cell in region),
    ]


def levels_with_a_decision(
    environments: Environments, count: int, seeds: range, generator: np.random.Generator
) -> list[Maze]:
    """`count` levels as procgen makes them, of every size, that have a decision square; none twice."""
    kept: dict[int, Maze] = {}
    while len(kept) < count:
        drawn = generator.integers(seeds.start, seeds.stop, environments.slots).tolist()
        fresh = [seed for seed in dict.fromkeys(drawn) if seed not in kept]
        made = zip(fresh, environments.levels(fresh), strict=True)
        kept.update((seed, maze) for seed, maze in made if geometry.decision_square(maze) is not None)
    return list(kept.values())[:count]


def rows(mazes: list[Maze], episodes: list[Episode]) -> list[dict[str, Any]]:
    """What the regressions need of each episode, plain: layout, distances, reached."""
    found = []
    for maze, episode in zip(mazes, episodes, strict=True):
        square = geometry.decision_square(maze)
        assert square is not None
        found.append(
            {"layout": layout(maze), "distances": distances(maze, square), "reached": episode.reached}
        )
    return found


def report_regressions(report: Report, kept: list[dict[str, Any]]) -> dict[str, list[float]]:
    """One sample for each layout: pseudo-values of the coefficients, accuracies on levels not fitted on.

    Returns: metric -> its samples, for the picture.
    """
    features = np.array([row["distances"] for row in kept])
    successes = np.array([float(row["reached"]) for row in kept])
    groups = [row["layout"] for row in kept]
    samples: dict[str, list[float]] = {}

    def sample(metric: str, unit: str, value: float) -> None:
        report.sample(metric, unit=unit, value=value)
        samples.setdefault(metric, []).append(value)

    for model, names in MODELS.items():
        columns = [FEATURES.index(name) for name in names]
        of_model = features[:, columns]
        for unit, values in regression.pseudo_values(of_model, successes, groups).items():
            for name, value in zip(names, values.tolist(), strict=True):
                sample(f"{model}_{name}", unit, value)
        generator = np.random.default_rng([report.seed, 12])
        right, majority = regression.held_out(of_model, successes, groups, generator)
        for unit, hit, guessed in zip(groups, right.tolist(), majority.tolist(), strict=True):
            sample(f"{model}_accuracy", unit, 100.0 * hit)
            if model == "four":
                sample("majority_accuracy", unit, 100.0 * guessed)
    report.note(
        f"decision squares: the cheese was reached in {int(successes.sum())} of {len(kept)} levels of"
        f" {len(set(groups))} layouts"
    )
    return samples
