"""The whole steering experiment at toy size, and what keeps its figures honest."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from kb.reproduce import manifest
from kb.reproduce.report import Report
from reproductions.maze import (
    geometry,
    networks,
    sizes,
    steering,
    steering_map,
    steering_pictures,
    steering_plots,
    steering_rates,
    steering_search,
    steering_vectors,
)
from reproductions.maze.environment import Environments
from reproductions.maze.imitation import DEVELOPMENT_SEEDS, HELD_OUT_SEEDS
from reproductions.maze.networks import Network
from reproductions.maze.policy import Architecture, MazePolicy
from reproductions.maze.rollout import Episode
from reproductions.maze.state import Maze
from tests.reproductions.toy_runs import Interrupted, events, opened

pytestmark = pytest.mark.experiment

MANIFEST = Path(steering.__file__).with_name("steering.reproduction.toml")
LAYER = "block1.res1.resadd"
TINY: dict[str, Any] = {
    "mazes": 2,
    "small_mazes": 4,
    "small_targets": 1,
    "mazes_between": 1,
    "map_mazes": 1,
    "tracking_mazes": 2,
    "vector_mazes": 4,
    "vector_steps": 3,
    "longest": 4,
    "search_mazes": 1,
    "confirm_mazes": 1,
    "confirmed": 1,
    "pool": 2,
    "several": 2,
    "layers": [LAYER],
    "multiples": [5.0],
    "curve_layers": [LAYER],
    "curve_coefficients": [-1.0, 1.0],
    "episode_layers": [LAYER],
    "episode_coefficients": [-1.0, 1.0],
}


def small() -> MazePolicy:
    torch.manual_seed(0)
    return MazePolicy(Architecture(tiles=25, channels=(4,), residuals=(1,), hidden=4)).eval()


@pytest.fixture(autouse=True)
def _quick(easy: Environments, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few sizes and a network that costs nothing; `easy` skips where there is no procgen."""
    monkeypatch.setattr(steering, "SLOTS", 8)
    monkeypatch.setattr(steering_vectors, "NAMED", LAYER)
    monkeypatch.setattr(steering_pictures, "NAMED", LAYER)
    monkeypatch.setattr(
        networks, "network", lambda name, original, cache: Network(small(), original is not None)
    )


def open_run(folder: Path) -> Report:
    return opened(folder, TINY)


def test_a_resumed_run_gives_the_samples_of_one_that_was_never_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_run(tmp_path / "whole") as report:
        steering.run(report)
    measure = steering_rates.small

    def killed(study: steering.Study) -> dict[str, Any]:
        raise Interrupted

    monkeypatch.setattr(steering_rates, "small", killed)
    with pytest.raises(Interrupted), open_run(tmp_path / "resumed") as report:
        steering.run(report)
    monkeypatch.setattr(steering_rates, "small", measure)
    with open_run(tmp_path / "resumed") as report:
        steering.run(report)
    assert events(tmp_path / "resumed", "sample") == events(tmp_path / "whole", "sample")
    assert events(tmp_path / "resumed", "note") == events(tmp_path / "whole", "note")
    reported = {event["metric"] for event in events(tmp_path / "whole", "sample")}
    sampled = {name for metric in manifest.load(MANIFEST).metrics for name in metric.samples}
    assert reported <= sampled
    # Few layouts of sizes 3 and 5 are drawn here, and they need not fall into the half that is held out.
    assert sampled - reported <= {
        "small_edit_size_3", "small_edit_size_5",
        "far_matched_edit", "far_matched_top_right", "small_matched_edit", "small_matched_top_right",
    }  # fmt: skip
    pictures = {event["path"] for event in events(tmp_path / "whole", "artifact")}
    assert {"corners.png", "curves.csv", "field-target.png", "grid.csv", "rollout.gif"} <= pictures
    assert (tmp_path / "whole" / "rollout.gif").stat().st_size < 1_000_000


def test_every_preset_fits_the_configuration_and_claims_rates_on_enough_mazes() -> None:
    described = manifest.load(MANIFEST)
    assert described.name == "maze-steering"
    assert all(criterion.analogue for criterion in described.criteria)
    for name in ("quick", "full"):
        assert steering.Config(**described.presets[name].parameters).mazes >= 300


def study(tmp_path: Path) -> steering.Study:
    return steering.Study(
        steering.Config(**TINY), networks.network("any", None, tmp_path), 3, lambda step: None
    )


def test_rules_and_channels_are_chosen_without_a_held_out_level(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[range] = []
    made: list[int] = []
    levels_by_size = sizes.levels_by_size

    def watched(environments: Environments, wanted: dict[int, int], seeds: range, generator: Any) -> Any:
        asked.append(seeds)
        found = levels_by_size(environments, wanted, seeds, generator)
        made.extend(maze.seed for mazes in found.values() for maze in mazes)
        return found

    monkeypatch.setattr(sizes, "levels_by_size", watched)
    one = study(tmp_path)
    for search in (steering_search.search_far, steering_search.search_small):
        found = search(one)
        assert found["samples"] == {}
        assert len(found["table"]) == 7 + 4  # every setting, then the best of each kind
    assert set(asked) == {DEVELOPMENT_SEEDS}
    assert made
    assert not any(seed in HELD_OUT_SEEDS for seed in made)


ONE = {"layer": LAYER, "kind": "one", "multiple": 5.0, "clear": False}
WHOLE = {**ONE, "kind": "layer"}
FOUND = {
    "search far": {"chosen": WHOLE},
    "search small": {"chosen": ONE, "by_kind": {"one": ONE, "layer": WHOLE}},
}


def found_study(tmp_path: Path, **changed: Any) -> steering.Study:
    """A study in which the rules are already chosen."""
    config = steering.Config(**{**TINY, **changed})
    return steering.Study(config, networks.network("any", None, tmp_path), 3, FOUND.__getitem__)


@pytest.fixture
def everybody_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every episode walks the shortest path to its target, or to the cheese where it has none."""

    def walks(
        self: steering.Study, mazes: list[Maze], targets: Any, budget: int, label: str, edits_for: Any = None
    ) -> list[Episode]:
        goals = targets or [maze.cheese for maze in mazes]
        ways = [tuple(geometry.path(maze, maze.mouse, goal)) for maze, goal in zip(mazes, goals, strict=True)]
        kept = [way[: budget + 1] for way in ways]
        return [
            Episode(way == whole, len(way) - 1, way[-1], frozenset(way), way)
            for way, whole in zip(kept, ways, strict=True)
        ]

    monkeypatch.setattr(steering.Study, "walks", walks)


def test_at_equal_path_length_a_perfect_edit_does_exactly_as_well_as_top_right_cheese(
    tmp_path: Path, everybody_arrives: None
) -> None:
    one = found_study(
        tmp_path, mazes=40, longest=400, small_mazes=40, small_targets=3, caliper=0, small_caliper=0
    )
    far, small = steering_rates.far(one)["samples"], steering_rates.small(one)["samples"]
    for name, samples, mazes in (("far", far, one.large), ("small", small, one.small)):
        edited, top_right = (samples[f"{name}_matched_{which}"] for which in ("edit", "top_right"))
        units = [unit for unit, _, _ in edited]
        assert len(set(units)) == len(units) >= 5
        assert set(units) < {steering.unit_of(maze) for maze in mazes}
        assert edited == top_right
        assert 0 < sum(value for _, value, _ in edited) < len(units)
    # The raw rates are apart: the far corners are longer ways.
    raw = {
        metric: np.mean([value for _, value, _ in far[metric]])
        for metric in ("far_edit", "far_top_right_within_n")
    }
    assert abs(raw["far_edit"] - raw["far_top_right_within_n"]) > 0.02


def test_the_success_map_shows_what_the_edit_adds(tmp_path: Path, everybody_arrives: None) -> None:
    found = steering_map.success_map(found_study(tmp_path, map_mazes=2, longest=400))
    assert set(found["reached"]) == {name for name, _ in steering_plots.MAP_PANELS}
    mazes = {unit for unit, _, _ in found["samples"]["map_targets"]}
    assert len(mazes) == 2
    assert {len(hits) for hits in found["reached"].values()} == {len(found["cells"])}
    counts = {name: sum(value for _, value, _ in rows) for name, rows in found["samples"].items()}
    assert counts["map_targets"] == len(found["cells"])
    for name, hits in found["reached"].items():
        assert counts[f"map_{name}_reached"] == sum(hits)
    # Unedited, the mouse comes to the cells on its way to the cheese only.
    assert counts["map_no_edit_reached"] < counts["map_edit_reached"]


def test_small_layouts_that_are_held_out_are_not_searched_on(hard: Environments) -> None:
    found = sizes.levels_by_size(hard, {3: 12, 5: 12}, HELD_OUT_SEEDS, np.random.default_rng(0))
    held_out = steering.once_a_layout(found, held_out=True)
    searched = steering.once_a_layout(found, held_out=False)
    layouts = [{maze.open_cells.tobytes() for maze in mazes} for mazes in (held_out, searched)]
    assert len(layouts[0]) == len(held_out)
    assert not layouts[0] & layouts[1]
    assert layouts[0] | layouts[1] == {m.open_cells.tobytes() for mazes in found.values() for m in mazes}
    for part in (held_out, searched):
        assert {maze.size for maze in part} == {3, 5}
