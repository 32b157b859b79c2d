"""The whole experiment at toy size, and the manifest."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from kb.reproduce import manifest
from kb.reproduce.report import Report
from reproductions.maze import networks, probe
from reproductions.maze.environment import Environments
from reproductions.maze.imitation import HELD_OUT_SEEDS
from reproductions.maze.linear_probe import FOLDS
from reproductions.maze.networks import Network
from reproductions.maze.policy import PUBLISHED, Architecture, MazePolicy
from reproductions.maze.probe_choice import Fitted
from tests.reproductions.toy_runs import Interrupted, events, opened

pytestmark = pytest.mark.experiment

MANIFEST = Path(probe.__file__).with_name("probe.reproduction.toml")
TINY: dict[str, Any] = {"levels": 8, "epochs": 1}


def small() -> MazePolicy:
    torch.manual_seed(0)
    return MazePolicy(Architecture(tiles=25, channels=(2, 2), residuals=(1, 1), hidden=4)).eval()


@pytest.fixture
def _quick(easy: Environments, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three sizes and a network that costs nothing; `easy` skips where there is no procgen."""
    monkeypatch.setattr(probe, "SIZES", (3, 5, 25))
    monkeypatch.setattr(probe, "SLOTS", 8)
    monkeypatch.setattr(probe, "MEASURE", 2)
    monkeypatch.setattr(
        networks, "network", lambda name, original, cache: Network(small(), original is not None)
    )


def open_run(folder: Path, **parameters: Any) -> Report:
    return opened(folder, TINY | parameters)


@pytest.mark.usefixtures("_quick")
def test_a_resumed_run_gives_the_samples_of_one_that_was_never_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_run(tmp_path / "whole") as report:
        probe.run(report)
    fit = probe.Study.fit

    def not_the_second_block(study: probe.Study, read: probe.Read) -> dict[str, Fitted]:
        if read == ("network", "block2.maxpool"):
            raise Interrupted
        return fit(study, read)

    monkeypatch.setattr(probe.Study, "fit", not_the_second_block)
    with pytest.raises(Interrupted), open_run(tmp_path / "resumed") as report:
        probe.run(report)
    monkeypatch.setattr(probe.Study, "fit", fit)
    with open_run(tmp_path / "resumed") as report:
        probe.run(report)
    assert events(tmp_path / "resumed", "sample") == events(tmp_path / "whole", "sample")
    reported = {event["metric"] for event in events(tmp_path / "whole", "sample")}
    sampled = {name for metric in manifest.load(MANIFEST).metrics for name in metric.samples}
    assert reported <= sampled
    assert sampled - reported == {f"size_{size}" for size in range(7, 24, 2)} | {"worst_size_best_layer"}
    assert len(events(tmp_path / "whole", "artifact")) == 3


@pytest.mark.usefixtures("_quick")
def test_the_best_layer_speaks_for_all_only_where_every_layer_was_read(tmp_path: Path) -> None:
    with open_run(tmp_path / "every", every_layer=True) as report:
        probe.run(report)
    assert any(event["metric"] == "worst_size_best_layer" for event in events(tmp_path / "every", "sample"))
    with open_run(tmp_path / "fewer", every_layer=True, largest_mb=0.1) as report:
        probe.run(report)
    assert not any(
        event["metric"] == "worst_size_best_layer" for event in events(tmp_path / "fewer", "sample")
    )


@pytest.mark.usefixtures("_quick")
def test_layers_that_take_too_much_memory_are_left_out_by_name() -> None:
    network = Network(small(), False)
    study = probe.Study(probe.Config(levels=8), network, 3, HELD_OUT_SEEDS)
    assert study.left_out == []
    largest = study.megabytes("block1.conv")
    less = probe.Study(probe.Config(levels=8, largest_mb=largest / 2), network, 3, HELD_OUT_SEEDS)
    assert less.left_out == ["block1.conv"]
    assert less.layers == study.layers[1:]
    assert largest > study.megabytes("block1.maxpool") > study.megabytes("fc")


def test_the_manifest_asks_for_every_size_and_for_shuffled_labels_to_fail() -> None:
    described = manifest.load(MANIFEST)
    assert described.name == "maze-probe"
    assert all(criterion.analogue for criterion in described.criteria)
    criteria = {criterion.name: criterion for criterion in described.criteria}
    every = {f"exact-at-size-{size}" for size in probe.SIZES}
    assert set(criteria["exact-at-every-size"].requires) == every | {"shuffled-labels-fail"}
    assert {criteria[name].low for name in every} == {0.9}
    assert {criteria[name].metric for name in every} == {f"size_{size}" for size in probe.SIZES}
    assert criteria["inexact-at-one-size"].requires == ("every-layer-below",)


def test_every_preset_fits_the_configuration_and_claims_rates_on_enough_mazes() -> None:
    described = manifest.load(MANIFEST)
    for name in ("smoke", "quick", "full"):
        config = probe.Config(**described.presets[name].parameters)
        assert name == "smoke" or config.levels >= 300


@pytest.mark.usefixtures("_quick")
def test_the_published_networks_layers_can_be_probed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "SIZES", (3,))
    study = probe.Study(
        probe.Config(levels=8, epochs=1), Network(MazePolicy(PUBLISHED).eval(), True), 3, HELD_OUT_SEEDS
    )
    assert study.layers[0] == "block1.conv"
    for layer in ("block1.conv", "block1.maxpool", "block2.maxpool", "block3.res2.resadd", "fc"):
        outcomes = study.fit(("network", layer))
        assert all(fitted.outer.shape == (8,) for fitted in outcomes.values())


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    given = {
        form: Fitted(generator.random(9) < 0.5, generator.random((FOLDS, 9)) < 0.5, generator.random(9) < 0.5)
        for form in ("tied", "flat")
    }
    probe.keep(given, tmp_path / "layer.npz")
    again = probe.kept_again(tmp_path / "layer.npz")
    assert list(again) == ["tied", "flat"]
    for form, one in given.items():
        assert all(np.array_equal(getattr(again[form], name), getattr(one, name)) for name in vars(one))
