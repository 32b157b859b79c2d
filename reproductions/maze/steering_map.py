"""The success map: every free cell of a maze as the target, under the edits and without, and what the edit adds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reproductions.maze import geometry
from reproductions.maze.retarget import Rule, Setting, retargeting
from reproductions.maze.steering import MAP_SIZE, Study, unit_of
from reproductions.maze.steering_rates import Samples, controls
from reproductions.maze.steering_search import steps_allowed


def success_map(study: Study) -> dict[str, Any]:
    """The rule for small mazes and the best of its whole-layer rules, in larger mazes, each beside its controls."""
    searched = study.kept("search small")
    found = study.levels({MAP_SIZE: study.config.map_mazes}, held_out=True, label="map")[MAP_SIZE]
    mazes = study.spawned(found, "map")
    n, _ = study.n(mazes, "map")
    budget = steps_allowed(n, study.config.longest)
    pairs = [
        (maze, cell) for maze in mazes for cell in geometry.cells_of(maze.open_cells) if cell != maze.mouse
    ]
    every, targets = [maze for maze, _ in pairs], [cell for _, cell in pairs]
    vectors = study.target_vectors(MAP_SIZE)
    chosen = study.rule(Setting(**searched["chosen"]), vectors)
    layer = study.rule(Setting(**searched["by_kind"]["layer"]), vectors)
    rules: dict[str, Rule] = {
        "edit": chosen,
        **controls(study, chosen, "map"),
        "layer": layer,
        "layer_random_vector": controls(study, layer, "map layer")["random_vector"],
    }
    # One unedited episode of each maze says of every cell whether it is come to anyway.
    plain = dict(zip(map(unit_of, mazes), study.walks(mazes, None, budget, "map"), strict=True))
    reached = {"no_edit": [cell in plain[unit_of(maze)].visited for maze, cell in pairs]}
    for name, rule in rules.items():
        walks = study.walks(every, targets, budget, f"map {name}", retargeting(rule, every, targets))
        reached[name] = [walk.reached for walk in walks]
    units = [unit_of(maze) for maze in every]
    samples: Samples = {f"map_{name}_reached": _sums(units, hits) for name, hits in reached.items()}
    samples["map_targets"] = _sums(units, [True] * len(units))
    settings = {"edit": str(chosen.setting), "layer": str(layer.setting)}
    note = (
        f"success map: size {MAP_SIZE}, N = {n:.1f}, {len(pairs)} targets in {len(mazes)} mazes, edited with "
        f"{settings['edit']}; whole layer: {settings['layer']}"
    )
    cells = [[maze.margin, *cell] for maze, cell in pairs]
    return {
        "samples": samples,
        "notes": [note],
        "cells": cells,
        "reached": reached,
        "settings": settings,
        "n": n,
    }


def _sums(units: Sequence[str], hits: Sequence[bool]) -> list[tuple[str, float, float | None]]:
    sums: dict[str, float] = dict.fromkeys(units, 0.0)
    for unit, hit in zip(units, hits, strict=True):
        sums[unit] += hit
    return [(unit, value, None) for unit, value in sums.items()]
