"""Retargeting rules, searched on development levels: what is tried, on which mazes, and how it is scored."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from reproductions.maze import geometry
from reproductions.maze.retarget import KINDS, Changed, Rule, Setting, TargetVectors, grid, retargeting
from reproductions.maze.rollout import Episode
from reproductions.maze.state import Cell, Maze
from reproductions.maze.steering import FAR, LARGEST, SMALL, Study


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
