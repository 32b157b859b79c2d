"""The maze experiments on another of kb's networks."""

from typing import Any

import pytest
import torch

from kb.reproduce import manifest
from reproductions.maze import generalization, networks, probe, steering
from scripts import maze_network

CONFIGS: dict[str, Any] = {
    "generalization": generalization.Config,
    "steering": steering.Config,
    "probe": probe.Config,
}


def test_the_three_hard_networks_are_there_and_differ(tmp_path: Any) -> None:
    assert maze_network.shipped() == ["hard-0", "hard-1", "hard-2"]
    first = [
        networks.network(name, None, tmp_path).policy.fc_policy.weight for name in maze_network.shipped()
    ]
    assert not torch.equal(first[0], first[1])
    assert not torch.equal(first[1], first[2])


@pytest.mark.parametrize("experiment", maze_network.EXPERIMENTS)
@pytest.mark.parametrize("preset", ["smoke", "quick", "full"])
def test_a_run_on_another_network_says_so_and_judges_nothing(experiment: str, preset: str) -> None:
    found = manifest.load(maze_network.FOLDER / f"{experiment}.reproduction.toml")
    changed = maze_network.on_network(found, "hard-2", preset)
    config = CONFIGS[experiment](**changed.presets[preset].parameters)
    assert config.network == "hard-2"
    assert not getattr(config, "retrain", False)
    assert changed.criteria == ()
    assert "hard-2" in changed.protocol["network"]
    assert "hard-0" not in str(changed.protocol)
    assert changed.code == found.code
    same = {**changed.presets[preset].parameters, **found.presets[preset].parameters}
    own = {**found.presets[preset].parameters, "network": "hard-2"}
    assert same.keys() - own.keys() <= {"networks", "retrain"}


def test_another_networks_figures_are_printed_with_what_the_criteria_would_say() -> None:
    found = manifest.load(maze_network.FOLDER / "generalization.reproduction.toml")
    metric = {
        "low": 0.0,
        "high": 0.05,
        "n": 300,
        "unit": "level",
        "method": "bootstrap over units",
        "title": "",
    }
    run = {
        "preset": "quick",
        "seed": 5,
        "protocol": {"network": "kb's hard-1"},
        "metrics": {
            "far_within_n": {**metric, "value": 0.01},
            "top_right_reached": {**metric, "value": 0.9, "low": 0.86, "high": 0.93},
        },
    }
    told = maze_network.lines(found, run)
    assert "hard-1" in told[0]
    assert any("far_within_n" in line and "0.01 [0, 0.05], 300 of level" in line for line in told)
    assert any(line.split()[:2] == ["misses-the-far-corners", "supported:"] for line in told)
    assert "nothing else" in maze_network.lines(found, {**run, "preset": "smoke"})[-1]


def test_an_unknown_network_is_refused_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        maze_network.main(["probe", "hard-9"])
    assert refused.value.code == 2
    assert "hard-0" in capsys.readouterr().err
