"""A maze experiment on another of kb's own hard networks: its figures, and what the criteria would say of it.

    python -m scripts.maze_network EXPERIMENT NETWORK [--preset smoke|quick|full] [--seed N] [--out FOLDER]

EXPERIMENT is generalization, steering or probe; NETWORK is one of those in reproductions/maze/weights, such as hard-1.
It costs what the preset costs. The run is kept with the network in its protocol, but without criteria: the claims'
analogues are judged on the network that the manifest names, so what is printed here of another one enters no claim.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from kb.cli import state
from kb.errors import KbError
from kb.reproduce import judging, manifest, runner
from kb.reproduce.manifest import Manifest

FOLDER = Path(__file__).resolve().parent.parent / "reproductions" / "maze"
EXPERIMENTS = ("generalization", "steering", "probe")


def shipped() -> list[str]:
    """The hard networks there are."""
    return sorted(path.stem for path in (FOLDER / "weights").glob("hard-*.safetensors"))


def on_network(found: Manifest, network: str, preset: str) -> Manifest:
    """The manifest with one preset, for a network and judging nothing."""
    chosen = found.presets[preset]
    parameters: dict[str, Any] = {**chosen.parameters, "network": network}
    if found.name == "maze-generalization":
        parameters |= {"retrain": False, "networks": []}
    protocol = {
        **found.protocol,
        "network": f"kb's {network}",
        "training_seeds": f"one ({network}, from {network.replace('hard', 'easy')})",
    }
    presets = {preset: replace(chosen, parameters=parameters)}
    return replace(found, presets=presets, protocol=protocol, criteria=())


def lines(found: Manifest, run: dict[str, Any]) -> list[str]:
    """Every metric with its interval, then what each criterion of the manifest would say."""
    told = [f"{found.name} on {run['protocol']['network']} ({run['preset']}, seed {run['seed']})"]
    for name, metric in run["metrics"].items():
        ends = [metric["low"], metric["high"]]
        interval = "" if None in ends else f" [{ends[0]:.4g}, {ends[1]:.4g}]"
        told.append(f"  {name:<36} {metric['value']:.4g}{interval}, {metric['n']} of {metric['unit']}")
    if run["preset"] == "smoke":
        return [*told, "a smoke run proves that the code runs, nothing else"]
    told.append("the manifest's criteria, of this network only and kept nowhere:")
    for row in judging.judgements_of(found, run["metrics"], run["preset"]):
        told.append(f"  {row['criterion']:<36} {row['verdict']}: {row['because']}")
    return told


def main(given: Sequence[str] | None = None) -> int:
    """Run, and print."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.maze_network", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("experiment", choices=EXPERIMENTS)
    parser.add_argument("network", choices=shipped())
    parser.add_argument("--preset", choices=("smoke", "quick", "full"), default="quick")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="where the run's folder is made")
    options = parser.parse_args(given)
    try:
        found = manifest.load(FOLDER / f"{options.experiment}.reproduction.toml")
        changed = on_network(found, options.network, options.preset)
        run = runner.execute(changed, options.preset, state.places(), seed=options.seed, out=options.out)
    except KbError as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join([*lines(found, run), f"kept in {run['folder']}"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
