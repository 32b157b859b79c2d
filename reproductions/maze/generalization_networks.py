"""The largest mazes once more, network by network: success by the cheese's corner, and what networks of a recipe do.

Each network has its own N, on the same mazes and with the same random numbers. Over the levels of one network a figure
is about this network; over networks it is about the recipe that trained them, and then networks are the units.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from kb.reproduce.report import Report
from reproductions.maze import networks
from reproductions.maze.generalization import FAR, LARGEST, Study, mean_steps, outcomes
from reproductions.maze.state import MazeError

PLACES = ("top-right", *FAR, "bottom-left")


def measure(study: Study, name: str, cache: Path) -> dict[str, Any]:
    """Outcomes of a shipped network in mazes of the largest size, for the cheese in each corner.

    Raises:
        MazeError: when there is no such network.
    """
    network = networks.network(name, None, cache)
    if network.policy.architecture.tiles != study.environments.world:
        raise MazeError(f"{name} is no network for mazes of {study.environments.world} cells")
    top_right = study.episodes(LARGEST, "top-right", study.config.longest, network)
    n = mean_steps(top_right)
    budget = math.floor(n) if math.isfinite(n) else study.config.longest
    conditions = {"top-right": outcomes(study.mazes(LARGEST, "top-right"), top_right, n)}
    for where in PLACES[1:]:
        conditions[where] = study.condition(LARGEST, where, budget, n, network)
    return {"size": LARGEST, "n": n, "conditions": conditions}


def report_network(report: Report, name: str, kept: dict[str, Any]) -> None:
    """Samples of one network, levels as units; and its shares as one sample each of those over networks."""
    n, conditions = kept["n"], kept["conditions"]
    near = conditions["top-right"]
    columns = {
        "top_right_reached": [float(row.reached) for row in near],
        "top_right_within_n": [float(row.within(n)) for row in near],
        "far_within_n": [
            (one.within(n) + other.within(n)) / 2
            for one, other in zip(*(conditions[where] for where in FAR), strict=True)
        ],
        "bottom_left_within_n": [float(row.within(n)) for row in conditions["bottom-left"]],
    }
    for metric, values in columns.items():
        weight = None if metric == "far_within_n" else 1.0
        for row, value in zip(near, values, strict=True):
            sampled = f"{name.replace('-', '_')}_{metric}"
            report.sample(sampled, unit=f"level {row.level}", value=value, weight=weight)
        report.sample(f"networks_{metric}", unit=f"network {name}", value=sum(values) / len(values))
    report.note(f"{name}: N = {n:.1f} steps at size {LARGEST}")
