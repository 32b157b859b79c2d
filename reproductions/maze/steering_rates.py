"""Channels tested, rules searched on development levels, and what the chosen ones do on held-out levels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from reproductions.maze import channels, geometry
from reproductions.maze.retarget import (
    KINDS,
    Changed,
    Rule,
    Setting,
    TargetVectors,
    counterfactual_patches,
    grid,
    retargeting,
)
from reproductions.maze.rollout import Episode
from reproductions.maze.state import Cell, Maze
from reproductions.maze.steering import BETWEEN, FAR, LARGEST, MAP_SIZE, SMALL, Study, unit_of
from reproductions.maze.vectors import activations

Samples = dict[str, list[tuple[str, float, float | None]]]


def tracking(study: Study) -> dict[str, Any]:
    """Each layer's channels on held-out levels: how often the most extreme location is the cheese's."""
    mazes = study.tracking_mazes(held_out=True)
    cells = [maze.cheese for maze in mazes if maze.cheese is not None]
    kept = activations(study.policy, mazes, study.environments, study.config.layers)
    found: dict[str, Any] = {}
    each = {}
    for layer in study.config.layers:
        tracked = study.tracked[layer]
        hit = channels.hits(kept[layer], tracked, cells, mazes[0].world).float()
        chosen = tracked.ranked()[: study.config.several]
        others = tracked.ranked()[study.config.several :]
        found[layer] = {
            "chosen": chosen.tolist(),
            "strength": (tracked.gain.abs() / tracked.spread.clamp(min=1e-6))[chosen].tolist(),
            "hits": hit[:, chosen].mean(dim=0).tolist(),
            "others": hit[:, others].mean(dim=0).tolist(),
        }
        each[layer] = hit, chosen, others
    # The layer is the one whose best channel stands out most on the development levels.
    layer = max(study.config.layers, key=lambda name: found[name]["strength"][0])
    hit, chosen, others = each[layer]
    units = [unit_of(maze) for maze in mazes]

    def rows(values: Iterable[float], weight: float | None = None) -> list[tuple[str, float, float | None]]:
        return [(unit, value, weight) for unit, value in zip(units, values, strict=True)]

    samples: Samples = {
        "cheese_channel_best": rows(hit[:, chosen[0]].tolist(), 1.0),
        "cheese_channels": rows(hit[:, chosen].mean(dim=1).tolist()),
        "other_channels": rows(hit[:, others].mean(dim=1).tolist()),
    }
    note = (
        f"cheese-tracking channels: {layer}, channels {', '.join(map(str, chosen.tolist()))}, "
        "in their order on development levels"
    )
    return {"samples": samples, "notes": [note], "layers": found, "layer": layer}


def way_covered(walk: Episode, maze: Maze, target: Cell) -> float:
    """How much of the shortest path from the start to the target was covered at best: 1 where it was reached."""
    distance = geometry.maze_distances(maze, target)
    return 1 - min(int(distance[cell]) for cell in walk.visited) / int(distance[maze.mouse])


def _score(
    study: Study,
    rule: Rule,
    mazes: Sequence[Maze],
    targets: Sequence[Cell],
    budgets: Sequence[int],
    label: str,
) -> tuple[float, float, float]:
    """Of a rule: targets reached within the budgets, way covered, scalars changed as a share of the network's."""
    changed = Changed()
    reached = covered = 0.0
    for budget in sorted(set(budgets)):
        rows = [row for row, own in enumerate(budgets) if own == budget]
        some, cells = [mazes[row] for row in rows], [targets[row] for row in rows]
        walks = study.walks(some, cells, budget, f"{label} {budget}", retargeting(rule, some, cells, changed))
        reached += sum(walk.reached for walk in walks)
        covered += sum(way_covered(*row) for row in zip(walks, some, cells, strict=True))
    return reached / len(mazes), covered / len(mazes), changed.mean() / study.activations


def _search(
    study: Study,
    name: str,
    vectors: TargetVectors,
    first: tuple[list[Maze], list[Cell], list[int]],
    second: tuple[list[Maze], list[Cell], list[int]],
) -> dict[str, Any]:
    """Every setting on the first mazes; the best of each kind on the second, which decide."""
    settings = grid(study.config.layers, study.config.multiples)
    table: list[list[Any]] = []

    def scored(
        some: Iterable[Setting], stage: str, on: tuple[list[Maze], list[Cell], list[int]]
    ) -> list[Setting]:
        rows = []
        for setting in some:
            score = _score(study, study.rule(setting, vectors), *on, f"{name} {stage}")
            table.append([stage, setting.layer, setting.kind, setting.multiple, setting.clear, *score])
            rows.append((setting, score))
        return [row[0] for row in sorted(rows, key=lambda row: (-row[1][0], -row[1][1]))]

    ranked = scored(settings, "all", first)
    best = [
        setting
        for kind in KINDS
        for setting in [one for one in ranked if one.kind == kind][: study.config.confirmed]
    ]
    final = scored(best, "best of each kind", second)
    by_kind = {kind: next(one for one in final if one.kind == kind) for kind in KINDS}
    note = (
        f"{name}: {len(settings)} settings ({len(study.config.layers)} layers {', '.join(study.config.layers)}; kinds "
        f"{', '.join(KINDS)}; multiples {', '.join(f'{m:g}' for m in study.config.multiples)}; with and without "
        f"clearing), "
        f"{len(first[0])} development episodes each, then {len(second[0])} for the best "
        f"{study.config.confirmed} of each kind; chosen: {final[0]}"
    )
    return {
        "samples": {},
        "notes": [note],
        "table": table,
        "chosen": vars(final[0]),
        "by_kind": {kind: vars(setting) for kind, setting in by_kind.items()},
    }


def far_targets(mazes: Sequence[Maze]) -> list[Cell]:
    """One far corner of each maze, in turn."""
    return [geometry.corner_cell(maze, FAR[index % 2]) for index, maze in enumerate(mazes)]


def search_far(study: Study) -> dict[str, Any]:
    """For the far corners of size 25."""
    config, mazes = study.config, study.large_development
    n, _ = study.n(mazes[: config.search_mazes + config.confirm_mazes], "search far")
    budget = steps_allowed(n, config.longest)
    parts = []
    for some in (
        mazes[: config.search_mazes],
        mazes[config.search_mazes : config.search_mazes + config.confirm_mazes],
    ):
        parts.append((list(some), far_targets(some), [budget] * len(some)))
    return _search(study, "search far", study.target_vectors(LARGEST), parts[0], parts[1])


def steps_allowed(n: float, otherwise: int) -> int:
    """Whole steps within N; `otherwise` where no top-right episode succeeded."""
    return math.floor(n) if math.isfinite(n) else otherwise


def small_budgets(
    study: Study, mazes: Sequence[Maze], label: str
) -> tuple[dict[int, int], dict[int, float], list[Episode]]:
    """Steps allowed and N by size, and the top-right episodes in the order of `mazes`."""
    budgets, ns, walks = {}, {}, {}
    for size in sorted({maze.size for maze in mazes}):
        some = [maze for maze in mazes if maze.size == size]
        ns[size], of_size = study.n(some, f"{label} {size}")
        budgets[size] = steps_allowed(ns[size], 10 * size)
        walks.update(zip((maze.seed for maze in some), of_size, strict=True))
    return budgets, ns, [walks[maze.seed] for maze in mazes]


def small_targets(study: Study, mazes: Sequence[Maze], label: str) -> tuple[list[Maze], list[Cell]]:
    """Pairs of maze and target: free cells but the start, drawn without repetition."""
    generator = study.generator("targets", label)
    pairs: list[tuple[Maze, Cell]] = []
    for maze in mazes:
        cells = [cell for cell in geometry.cells_of(maze.open_cells) if cell != maze.mouse]
        drawn = generator.permutation(len(cells))[: study.config.small_targets]
        pairs += [(maze, cells[place]) for place in drawn]
    return [maze for maze, _ in pairs], [cell for _, cell in pairs]


def search_small(study: Study) -> dict[str, Any]:
    """For any cell of sizes 3 to 7."""
    config, mazes = study.config, study.small_development
    end = config.search_mazes + config.confirm_mazes
    budgets, _, _ = small_budgets(study, mazes[:end], "search small")
    parts = []
    for some in (mazes[: config.search_mazes], mazes[config.search_mazes : end]):
        pairs, cells = small_targets(study, some, f"search small {len(parts)}")
        parts.append((pairs, cells, [budgets[maze.size] for maze in pairs]))
    return _search(study, "search small", study.target_vectors(SMALL[0]), parts[0], parts[1])


def _controls(study: Study, rule: Rule, label: str) -> dict[str, Rule]:
    seeds = study.generator("controls", label).integers(2**31, size=2)
    return {
        "random_channels": rule.with_random_channels(int(seeds[0])),
        "random_vector": rule.with_random_vector(int(seeds[1])),
    }


def far(study: Study) -> dict[str, Any]:
    """The main table: far corners of size 25 under the chosen rule, its controls and its ceilings."""
    mazes, setting = study.large, Setting(**study.kept("search far")["chosen"])
    rule = study.rule(setting, study.target_vectors(LARGEST))
    units = [unit_of(maze) for maze in mazes]
    n, top_right = study.n(mazes, "far")
    budget = steps_allowed(n, study.config.longest)
    corners = {corner: [geometry.corner_cell(maze, corner) for maze in mazes] for corner in FAR}
    regions = {
        corner: [geometry.corner_region(maze, corner) for maze in mazes] for corner in (*FAR, "top-right")
    }
    samples: Samples = {}

    def add(metric: str, values: Iterable[float], weight: float | None = 1.0) -> None:
        samples[metric] = [(unit, float(value), weight) for unit, value in zip(units, values, strict=True)]

    def halves(metric: str, left: Iterable[float], right: Iterable[float]) -> None:
        add(metric, [(one + other) / 2 for one, other in zip(left, right, strict=True)], None)

    add("far_top_right_reached", [walk.reached for walk in top_right])
    add("far_top_right_within_n", [walk.reached and walk.steps <= n for walk in top_right])
    shortest = {
        c: [int(geometry.maze_distances(m, t)[m.mouse]) <= n for m, t in zip(mazes, corners[c], strict=True)]
        for c in FAR
    }
    halves("far_shortest_within_n", *shortest.values())

    plain = study.walks(mazes, None, budget, "far no edit")
    halves("far_no_edit", *([c in w.visited for c, w in zip(corners[k], plain, strict=True)] for k in FAR))
    changed = Changed()
    walks = {
        c: study.walks(mazes, corners[c], budget, f"far {c}", retargeting(rule, mazes, corners[c], changed))
        for c in FAR
    }
    reached = {c: [walk.reached for walk in walks[c]] for c in FAR}
    halves("far_edit", *reached.values())
    add("far_edit_top_left", reached["top-left"])
    add("far_edit_bottom_right", reached["bottom-right"])
    halves("far_edit_region", *(_came_into(walks[c], regions[c]) for c in FAR))
    halves("far_edit_visits_top_right", *(_came_into(walks[c], regions["top-right"]) for c in FAR))
    scalars = changed.means()
    add("far_share_of_network", [scalars.get(i, 0.0) / study.activations for i in range(len(mazes))], None)
    layer = math.prod(study.policy.shapes()[setting.layer])
    add("far_share_of_layer", [scalars.get(i, 0.0) / layer for i in range(len(mazes))], None)

    turn = far_targets(mazes)
    there = [maze.with_cheese(target) for maze, target in zip(mazes, turn, strict=True)]
    for name, control in _controls(study, rule, "far").items():
        edits = retargeting(control, mazes, turn)
        add(f"far_{name}", [w.reached for w in study.walks(mazes, turn, budget, f"far {name}", edits)])
    edits = retargeting(rule, there, turn)
    add("far_edit_cheese_there", [w.reached for w in study.walks(there, turn, budget, "far there", edits)])
    add("far_cheese_moved", [w.reached for w in study.walks(there, turn, budget, "far moved")])
    edits = counterfactual_patches(study.policy, setting.layer, turn, study.aside)
    add("far_patched", [w.reached for w in study.walks(mazes, turn, budget, "far patched", edits)])
    note = f"N = {n:.1f} steps at size {LARGEST}; far corners edited with {setting}"
    return {"samples": samples, "notes": [note], "n": n, "setting": str(setting)}


def _came_into(walks: Sequence[Episode], regions: Sequence[Any]) -> list[bool]:
    return [any(region[cell] for cell in walk.visited) for walk, region in zip(walks, regions, strict=True)]


def small(study: Study) -> dict[str, Any]:
    """Sizes 3 to 7: every free cell may be the target."""
    mazes, kept = study.small, study.kept("search small")
    budgets, ns, top_right = small_budgets(study, mazes, "small")
    pairs, targets = small_targets(study, mazes, "small")
    vectors = study.target_vectors(SMALL[0])
    rule = study.rule(Setting(**kept["chosen"]), vectors)
    samples: Samples = {}

    def rates(metric: str, some: Sequence[Maze], rule: Rule | None) -> dict[str, list[bool]]:
        """Of each pair, whether the target was reached; kept by maze."""
        hits: dict[str, list[bool]] = {unit_of(maze): [] for maze in mazes}
        shares: dict[str, list[float]] = {unit_of(maze): [] for maze in mazes}
        for size, budget in budgets.items():
            rows = [row for row, maze in enumerate(pairs) if maze.size == size]
            part, cells = [some[row] for row in rows], [targets[row] for row in rows]
            counts = Changed()
            edits = {} if rule is None else {"edits_for": retargeting(rule, part, cells, counts)}
            walks = study.walks(part, cells, budget, f"small {metric} {size}", **edits)
            means = counts.means()
            for index, (maze, walk) in enumerate(zip(part, walks, strict=True)):
                hits[unit_of(maze)].append(walk.reached)
                if index in means:
                    shares[unit_of(maze)].append(means[index] / study.activations)
        samples[f"{metric}_reached"] = [(unit, float(sum(each)), None) for unit, each in hits.items()]
        if rule is not None:
            samples[f"{metric}_share"] = [
                (unit, sum(each) / len(each), None) for unit, each in shares.items() if each
            ]
        return hits

    edited = rates("small_edit", pairs, rule)
    plain = rates("small_no_edit", pairs, None)
    for name, hits in (("edit", edited), ("no_edit", plain)):
        samples[f"small_{name}_rate"] = [(unit, sum(e) / len(e), None) for unit, e in hits.items()]
    for size in SMALL:
        samples[f"small_edit_size_{size}"] = [
            (unit_of(m), sum(edited[unit_of(m)]) / len(edited[unit_of(m)]), None)
            for m in mazes
            if m.size == size
        ]
    for name, control in _controls(study, rule, "small").items():
        rates(f"small_{name}", pairs, control)
    there = [maze.with_cheese(target) for maze, target in zip(pairs, targets, strict=True)]
    rates("small_cheese_moved", there, None)
    for kind, setting in kept["by_kind"].items():
        rates(f"small_{kind}", pairs, study.rule(Setting(**setting), vectors))
    samples["small_targets"] = [(unit, float(len(each)), None) for unit, each in edited.items()]
    samples["small_top_right_within_n"] = [
        (unit_of(maze), float(walk.reached and walk.steps <= ns[maze.size]), 1.0)
        for maze, walk in zip(mazes, top_right, strict=True)
    ]
    counts = ", ".join(f"{sum(m.size == s for m in mazes)} of size {s} (N = {ns[s]:.1f})" for s in budgets)
    note = (
        f"small mazes: {len(pairs)} pairs of maze and target; layouts: {counts}; edited with {rule.setting}"
    )
    return {
        "samples": samples,
        "notes": [note],
        "settings": {k: str(Setting(**v)) for k, v in kept["by_kind"].items()},
    }


def between(study: Study) -> dict[str, Any]:
    """The far-corner rule at sizes between, its vectors made at each size."""
    setting = Setting(**study.kept("search far")["chosen"])
    found = study.levels(dict.fromkeys(BETWEEN, study.config.mazes_between), held_out=True, label="between")
    samples: Samples = {}
    ns = {}
    for size in BETWEEN:
        mazes = study.spawned(found[size], f"between {size}")
        targets = far_targets(mazes)
        ns[size], _ = study.n(mazes, f"between {size}")
        budget = steps_allowed(ns[size], study.config.longest)
        rule = study.rule(setting, study.target_vectors(size))
        for metric, edits in (("edit", {"edits_for": retargeting(rule, mazes, targets)}), ("no_edit", {})):
            walks = study.walks(mazes, targets, budget, f"between {size} {metric}", **edits)
            samples[f"far_{metric}_size_{size}"] = [
                (unit_of(maze), float(walk.reached), 1.0) for maze, walk in zip(mazes, walks, strict=True)
            ]
    note = "N by size: " + ", ".join(f"{size}: {n:.1f}" for size, n in ns.items())
    return {"samples": samples, "notes": [note], "n": ns}


def success_map(study: Study) -> dict[str, Any]:
    """The rule for small mazes in larger ones: every free cell a target."""
    setting = Setting(**study.kept("search small")["chosen"])
    found = study.levels({MAP_SIZE: study.config.map_mazes}, held_out=True, label="map")[MAP_SIZE]
    mazes = study.spawned(found, "map")
    n, _ = study.n(mazes, "map")
    budget = steps_allowed(n, study.config.longest)
    pairs = [
        (maze, cell) for maze in mazes for cell in geometry.cells_of(maze.open_cells) if cell != maze.mouse
    ]
    every, targets = [maze for maze, _ in pairs], [cell for _, cell in pairs]
    rule = study.rule(setting, study.target_vectors(MAP_SIZE))
    walks = study.walks(every, targets, budget, "map edit", retargeting(rule, every, targets))
    # One unedited episode of each maze says of every cell whether it is come to anyway.
    plain = {
        unit_of(maze): walk for maze, walk in zip(mazes, study.walks(mazes, None, budget, "map"), strict=True)
    }
    cells: list[list[Any]] = [
        [unit_of(maze), maze.margin, *cell, walk.reached, cell in plain[unit_of(maze)].visited]
        for maze, cell, walk in zip(every, targets, walks, strict=True)
    ]
    samples: Samples = {
        metric: [
            (unit_of(maze), float(sum(value(row) for row in cells if row[0] == unit_of(maze))), None)
            for maze in mazes
        ]
        for metric, value in (
            ("map_edit_reached", lambda row: row[4]),
            ("map_no_edit_reached", lambda row: row[5]),
            ("map_targets", lambda row: 1),
        )
    }
    note = f"success map: size {MAP_SIZE}, N = {n:.1f}, edited with {setting}"
    return {"samples": samples, "notes": [note], "cells": cells, "setting": str(setting), "n": n}
