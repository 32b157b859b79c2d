"""The cheese vector and the top-right vector over layers and coefficients, with their controls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from reproductions.maze import geometry, vectors
from reproductions.maze.steering import Study, unit_of

NAMED = "block2.res1.resadd"
"""The layer of the published vectors; its figures are metrics, those of all layers are in the table."""
VARIANTS = ("own", "other maze", "random")
Row = tuple[str, str, str, float, float, float]


def _vectors(study: Study, name: str, layers: tuple[str, ...]) -> dict[str, dict[str, Tensor]]:
    """By variant and layer."""
    make = vectors.cheese_vectors if name == "cheese" else vectors.top_right_vectors
    own = make(study.policy, study.vector_mazes, study.environments, layers)
    noise = int(study.generator("noise", name).integers(2**31))
    return dict(
        zip(VARIANTS, (own, vectors.of_another_maze(own), vectors.at_random(own, noise)), strict=True)
    )


def curves(study: Study) -> dict[str, Any]:
    """Probabilities of the two moves at the decision square: no episodes, so every layer and coefficient."""
    config, mazes = study.config, study.vector_mazes
    plain = vectors.choices(study.policy, mazes, study.environments, "", None)
    samples = {
        "choice_cheese_no_edit": _rows(study, plain[:, 0].tolist()),
        "choice_corner_no_edit": _rows(study, plain[:, 1].tolist()),
    }
    table: list[Row] = [("", "none", "", 0.0, float(plain[:, 0].mean()), float(plain[:, 1].mean()))]
    for name in ("cheese", "top-right"):
        for variant, by_layer in _vectors(study, name, tuple(config.curve_layers)).items():
            for layer, made in by_layer.items():
                for coefficient in config.curve_coefficients:
                    chosen = vectors.choices(
                        study.policy, mazes, study.environments, layer, coefficient * made
                    )
                    means = float(chosen[:, 0].mean()), float(chosen[:, 1].mean())
                    table.append((name, variant, layer, coefficient, *means))
                    metric = _metric("choice", name, variant, layer, coefficient)
                    if metric:
                        column = 0 if name == "cheese" else 1
                        samples[metric] = _rows(study, chosen[:, column].tolist())
    return {"samples": samples, "notes": [], "table": table}


def episodes(study: Study) -> dict[str, Any]:
    """Whole episodes: cheese reached and top-right corner visited within the budget, for some layers."""
    config, mazes = study.config, study.vector_mazes
    corners = [geometry.corner_cell(maze, "top-right") for maze in mazes]

    def outcome(label: str, edits: Any = None) -> tuple[list[float], list[float]]:
        more = {} if edits is None else {"edits_for": edits}
        walks = study.walks(mazes, None, config.vector_steps, f"vectors {label}", **more)
        return (
            [float(walk.reached) for walk in walks],
            [float(corner in walk.visited) for corner, walk in zip(corners, walks, strict=True)],
        )

    plain = outcome("none")
    samples = {
        "cheese_reached_no_edit": _rows(study, plain[0], 1.0),
        "corner_visited_no_edit": _rows(study, plain[1], 1.0),
    }
    table: list[Row] = [("", "none", "", 0.0, _mean(plain[0]), _mean(plain[1]))]
    for name in ("cheese", "top-right"):
        for variant, by_layer in _vectors(study, name, tuple(config.episode_layers)).items():
            for layer, made in by_layer.items():
                for coefficient in config.episode_coefficients:
                    label = f"{name} {variant} {layer} {coefficient}"
                    found = outcome(label, vectors.adding(layer, made, coefficient))
                    table.append((name, variant, layer, coefficient, _mean(found[0]), _mean(found[1])))
                    metric = _metric("episode", name, variant, layer, coefficient)
                    if metric:
                        samples[metric] = _rows(study, found[0 if name == "cheese" else 1], 1.0)
    note = (
        f"episodes with vectors: {len(mazes)} held-out levels of sizes 9 to 23, {config.vector_steps} steps"
    )
    return {"samples": samples, "notes": [note], "table": table}


def _metric(what: str, name: str, variant: str, layer: str, coefficient: float) -> str | None:
    """The metric of a point of the curve, for the published layer, cheese minus once and top-right plus once."""
    if layer != NAMED or coefficient != (-1 if name == "cheese" else 1):
        return None
    short = {"own": "", "other maze": "_other", "random": "_random"}[variant]
    if name == "cheese":
        return f"{'choice_cheese' if what == 'choice' else 'cheese_reached'}_minus{short}"
    return f"{'choice_corner' if what == 'choice' else 'corner_visited'}_plus{short}"


def _rows(
    study: Study, values: list[float], weight: float | None = None
) -> list[tuple[str, float, float | None]]:
    return [(unit_of(maze), value, weight) for maze, value in zip(study.vector_mazes, values, strict=True)]


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def tables(kept: Callable[[str], Any]) -> dict[str, tuple[list[str], list[list[Any]]]]:
    """What is kept as CSV: file name to head and rows."""
    curve = [
        [measure, *row[:4], f"{row[4]:.4f}", f"{row[5]:.4f}"]
        for measure, step in (("decision square", "curves"), ("episodes", "vector episodes"))
        for row in kept(step)["table"]
    ]
    searched = [[search, *row] for search in ("search far", "search small") for row in kept(search)["table"]]
    return {
        "curves.csv": (
            [
                "measure",
                "vector",
                "variant",
                "layer",
                "coefficient",
                "to the cheese",
                "to the top-right corner",
            ],
            curve,
        ),
        "grid.csv": (
            [
                "search",
                "stage",
                "layer",
                "kind",
                "multiple",
                "clear",
                "reached",
                "of the way",
                "share of network",
            ],
            searched,
        ),
    }
