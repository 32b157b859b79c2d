"""What the channels and rules chosen on development levels do on held-out levels, beside controls and ceilings."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reproductions.maze import channels, geometry
from reproductions.maze.matching import matched
from reproductions.maze.retarget import Changed, Rule, Setting, counterfactual_patches, retargeting
from reproductions.maze.rollout import Episode
from reproductions.maze.state import Cell, Maze
from reproductions.maze.steering import BETWEEN, FAR, LARGEST, SMALL, Study, unit_of
from reproductions.maze.steering_search import far_targets, small_budgets, small_targets, steps_allowed
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


def controls(study: Study, rule: Rule, label: str) -> dict[str, Rule]:
    """The rule's null controls, by name: the same edits in other channels, and random ones of the same norm."""
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
    within = [walk.reached and walk.steps <= n for walk in top_right]
    add("far_top_right_within_n", within)
    shortest = {corner: lengths(mazes, corners[corner]) for corner in FAR}
    halves("far_shortest_within_n", *([length <= n for length in shortest[corner]] for corner in FAR))

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
    # One far corner of each level, in turn, beside a top-right episode whose shortest path is about as long.
    ways = [shortest[FAR[index % 2]][index] for index in range(len(mazes))]
    near = lengths(mazes, [geometry.corner_cell(maze, "top-right") for maze in mazes])
    pairs = matched(ways, near, study.config.caliper)
    edited = [reached[FAR[one % 2]][one] for one, _ in pairs]
    samples |= at_equal_length("far", [units[one] for one, _ in pairs], edited, [within[o] for _, o in pairs])
    scalars = changed.means()
    add("far_share_of_network", [scalars.get(i, 0.0) / study.activations for i in range(len(mazes))], None)
    layer = math.prod(study.policy.shapes()[setting.layer])
    add("far_share_of_layer", [scalars.get(i, 0.0) / layer for i in range(len(mazes))], None)

    turn = far_targets(mazes)
    there = [maze.with_cheese(target) for maze, target in zip(mazes, turn, strict=True)]
    for name, control in controls(study, rule, "far").items():
        edits = retargeting(control, mazes, turn)
        add(f"far_{name}", [w.reached for w in study.walks(mazes, turn, budget, f"far {name}", edits)])
    edits = retargeting(rule, there, turn)
    add("far_edit_cheese_there", [w.reached for w in study.walks(there, turn, budget, "far there", edits)])
    add("far_cheese_moved", [w.reached for w in study.walks(there, turn, budget, "far moved")])
    edits = counterfactual_patches(study.policy, setting.layer, turn, study.aside)
    add("far_patched", [w.reached for w in study.walks(mazes, turn, budget, "far patched", edits)])
    notes = [
        f"N = {n:.1f} steps at size {LARGEST}; far corners edited with {setting}",
        matched_note(f"size {LARGEST}", [ways[one] - near[other] for one, other in pairs]),
    ]
    return {"samples": samples, "notes": notes, "n": n, "setting": str(setting)}


def lengths(mazes: Sequence[Maze], targets: Sequence[Cell]) -> list[int]:
    """Steps of the shortest path from each maze's mouse to its target."""
    return [
        int(geometry.maze_distances(m, target)[m.mouse]) for m, target in zip(mazes, targets, strict=True)
    ]


def at_equal_length(
    name: str, units: Sequence[str], edited: Sequence[bool], top_right: Sequence[bool]
) -> Samples:
    """Samples of matched pairs: the edited episode's target reached, and its partner's top-right cheese.

    A pair counts as the edited episode's unit. Its partner may be the edited episode of another pair's unit; both are
    then likelier to succeed in an easy maze, which makes the pairs' differences vary less together, not more.
    """
    columns = {f"{name}_matched_edit": edited, f"{name}_matched_top_right": top_right}
    return {
        metric: [(unit, float(value), 1.0) for unit, value in zip(units, values, strict=True)]
        for metric, values in columns.items()
    }


def matched_note(where: str, apart: Sequence[int]) -> str:
    """How many pairs there are, and how well they match."""
    mean = f", the edited ones' paths {sum(apart) / len(apart):+.1f} steps longer on average" if apart else ""
    return f"{where}: {len(apart)} pairs of equal path length{mean}"


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
    for name, control in controls(study, rule, "small").items():
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
    same_length, apart = _small_at_equal_length(study, (pairs, targets, edited), ns, top_right)
    samples |= same_length
    counts = ", ".join(f"{sum(m.size == s for m in mazes)} of size {s} (N = {ns[s]:.1f})" for s in budgets)
    note = (
        f"small mazes: {len(pairs)} pairs of maze and target; layouts: {counts}; edited with {rule.setting}"
    )
    return {
        "samples": samples,
        "notes": [note, matched_note("small mazes", apart)],
        "settings": {k: str(Setting(**v)) for k, v in kept["by_kind"].items()},
    }


def _small_at_equal_length(
    study: Study,
    edited: tuple[Sequence[Maze], Sequence[Cell], Mapping[str, Sequence[bool]]],
    ns: Mapping[int, float],
    top_right: Sequence[Episode],
) -> tuple[Samples, list[int]]:
    """Of each layout the drawn target that is farthest, beside a top-right episode as long in a maze of its size.

    The farthest, because most targets are nearer than the top-right corner is, and have no partner. Beside the
    samples of the pairs, how much longer the edited one's path is in each.
    """
    ways: dict[str, list[int]] = {}
    for maze, way in zip(edited[0], lengths(edited[0], edited[1]), strict=True):
        ways.setdefault(unit_of(maze), []).append(way)
    farthest = {unit: max(range(len(each)), key=each.__getitem__) for unit, each in ways.items()}
    units: list[str] = []
    ours: list[bool] = []
    theirs: list[bool] = []
    apart: list[int] = []
    for size, n in ns.items():
        rows = [row for row, maze in enumerate(study.small) if maze.size == size]
        some = [study.small[row] for row in rows]
        names = [unit_of(maze) for maze in some]
        near = lengths(some, [geometry.corner_cell(maze, "top-right") for maze in some])
        far_ways = [ways[unit][farthest[unit]] for unit in names]
        for one, other in matched(far_ways, near, study.config.small_caliper):
            walk = top_right[rows[other]]
            units.append(names[one])
            ours.append(edited[2][names[one]][farthest[names[one]]])
            theirs.append(walk.reached and walk.steps <= n)
            apart.append(far_ways[one] - near[other])
    return at_equal_length("small", units, ours, theirs), apart


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
