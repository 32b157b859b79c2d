"""The pictures of maze-steering: which they are, and what each needs from the network. `steering_plots` draws."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from reproductions.maze import geometry, vectors
from reproductions.maze import steering_plots as plots
from reproductions.maze.policy import Edit
from reproductions.maze.retarget import Setting, retargeting
from reproductions.maze.state import Cell, Maze
from reproductions.maze.steering import LARGEST, MAP_SIZE, Study
from reproductions.maze.steering_vectors import NAMED
from reproductions.maze.vector_field import vector_field


def draw(study: Study, folder: Path) -> dict[str, str]:
    """Draw all of them into a folder; file names with titles. The one for a slide comes first by name."""
    far, small = study.kept("far"), study.kept("small")
    plots.corners(far, folder / "corners.png")
    plots.curves(study.kept("curves"), study.kept("vector episodes"), folder / "curves.png")
    plots.share(small, study.kept("search small"), study.activations, folder / "share.png")
    plots.success_map(study.kept("map"), MAP_SIZE, folder / "success-map.png")
    tracking_maps(study, folder / "tracking.png")
    cheese_field(study, folder / "field-cheese.png")
    target_field(study, folder / "field-target.png")
    rollout(study, folder / "rollout.gif")
    return {
        "corners.png": f"Far corners of size {LARGEST}: reached within N steps under the edit, controls and ceilings",
        "curves.png": "Cheese and top-right vector by layer and coefficient, with controls",
        "field-cheese.png": "Vector field without and with the cheese vector subtracted, and the difference",
        "field-target.png": "Vector field without and with the retargeting edit, and the difference",
        "rollout.gif": "One episode, unedited and retargeted",
        "share.png": "Small mazes: targets reached against the share of activations changed",
        "success-map.png": f"Every free cell of size {MAP_SIZE} as a target",
        "tracking.png": "Channels that track the cheese, over a maze",
    }


def cheese_field(study: Study, path: Path) -> None:
    """On the first held-out level of size 15 or more with a decision square."""
    maze = next((m for m in study.vector_mazes if m.size >= 15), study.vector_mazes[0])
    vector = vectors.cheese_vectors(study.policy, [maze], study.environments, [NAMED])[NAMED]
    title = f"cheese vector subtracted at {NAMED}"
    _field(study, maze, {NAMED: lambda kept: kept - vector.to(kept.dtype)}, None, title, path)


def target_field(study: Study, path: Path) -> None:
    """On the first held-out level of size 25, sent to the top left by the rule chosen for the far corners."""
    maze = study.large[0]
    target = geometry.corner_cell(maze, "top-left")
    setting = Setting(**study.kept("search far")["chosen"])
    rule = study.rule(setting, study.target_vectors(LARGEST))
    rule.prepare([target])
    edits = {setting.layer: lambda kept: rule.edited(kept, [target] * len(kept), maze.world)}
    _field(study, maze, edits, target, f"retargeted to the top left: {setting}", path)


def _field(
    study: Study, maze: Maze, edits: Mapping[str, Edit], target: Cell | None, title: str, path: Path
) -> None:
    plain = vector_field(study.policy, maze, study.environments)
    edited = vector_field(study.policy, maze, study.environments, edits)
    plots.fields(maze, plain, edited, target, title, path)


def tracking_maps(study: Study, path: Path) -> None:
    """The chosen channels on the first held-out level of size 25, cheese as it spawns."""
    kept = study.kept("tracking")
    layer, maze = kept["layer"], study.large[0]
    chosen = kept["layers"][layer]["chosen"]
    maps = vectors.activations(study.policy, [maze], study.environments, [layer])[layer][0, chosen].numpy()
    plots.activation_maps(maze, layer, chosen, kept["layers"][layer]["hits"], np.asarray(maps), path)


def rollout(study: Study, path: Path) -> None:
    """The first held-out level of size 25: its episode unedited and sent to the top left."""
    maze = study.large[0]
    target = geometry.corner_cell(maze, "top-left")
    setting = Setting(**study.kept("search far")["chosen"])
    rule = study.rule(setting, study.target_vectors(LARGEST))
    budget = 100
    plain = study.walks([maze], [target], budget, "picture")[0]
    edited = study.walks([maze], [target], budget, "picture", retargeting(rule, [maze], [target]))[0]
    length = max(len(plain.path), len(edited.path))
    shown = []
    for name, walk in (("unedited", plain), ("retargeted", edited)):
        cells = [*walk.path, *[walk.path[-1]] * (length - len(walk.path))]
        shown.append((name, cells, study.aside.draw([maze.with_mouse(cell) for cell in cells])))
    plots.animation(shown, maze, target, path)
