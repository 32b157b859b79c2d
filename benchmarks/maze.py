"""Rollouts and vector fields of the maze policy beside procgen-tools, and training beside its bare floor.

    python -m benchmarks.maze [--peer FOLDER] [--rounds N] [--episodes N] [--fields N] [--json]

procgen-tools (https://github.com/UlisseMini/procgen-tools, the authors' code) is no dependency: --peer or the
environment variable KB_PROCGEN_TOOLS names a clone of it; without them one is made in .venv-peers at the first call,
together with two small packages that it imports.

Both sides get the same network (hard-0), the same mazes and one torch thread. What is measured is CPU seconds of this
process, in rounds that alternate between the sides. The peer's part:

- a vector field is its own `visualization.vector_field`, on a venv of its own `maze.create_venv`;
- it has no function that rolls out without making a video, so an episode is the loop of its script
  experiments/statistics/gather_data.py over its own venv and wrappers: a fresh venv for each maze, one maze at a
  time. Its bookkeeping (parsing the state at each step, a pickle for each episode) is left out and gradients are
  off, both in its favour.

Adapted, and nothing else: its `imports` module loads the published weights and notebook widgets at import, so an
empty stand-in with the names that annotations need takes its place; the network is wrapped to take its float
pictures. Of stock procgen 0.10.7 only what the authors' fork shares with it is used.

Exit code 1 when kb's episodes are fewer than 5 times, or its vector fields fewer than 10 times, the peer's a second.
"""

# ruff: noqa: E402
from __future__ import annotations

import os

for _variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")  # before torch

import argparse
import json
import math
import platform
import statistics
import subprocess
import sys
import time
import types
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.startup import PEERS
from reproductions.maze import imitation, sizes
from reproductions.maze.environment import Environments, package
from reproductions.maze.geometry import corner_cell
from reproductions.maze.networks import SHIPPED
from reproductions.maze.policy import MazePolicy
from reproductions.maze.rollout import rollouts
from reproductions.maze.state import Maze
from reproductions.maze.train import RECIPES, SHARD_LEVELS, Trainer
from reproductions.maze.vector_field import vector_field

ADDRESS = "https://github.com/UlisseMini/procgen-tools"
EPISODES = 5
"""Times the peer's rate that kb promises."""
FIELDS = 10
STEPS = 100
"""Most steps of an episode."""


class AsTheirs(nn.Module):
    """The network as procgen-tools calls one: float pictures (n, 3, 64, 64) to a distribution and a value."""

    def __init__(self, policy: MazePolicy) -> None:
        super().__init__()
        self.policy = policy

    def forward(self, pictures: Tensor) -> tuple[torch.distributions.Categorical, Tensor]:
        """Pictures of 0 to 1."""
        whole = (pictures * 255).round().to(torch.uint8).permute(0, 2, 3, 1)
        logits = self.policy(whole)
        return torch.distributions.Categorical(logits=logits), logits.new_zeros(len(logits))


def bring_peer(given: Path | None) -> str:
    """Make a clone of procgen-tools importable, cloned at the first call where none is named; its commit."""
    folder = given or Path(os.environ.get("KB_PROCGEN_TOOLS") or PEERS / "procgen-tools")
    if not (folder / "procgen_tools" / "maze.py").is_file():
        if given or "KB_PROCGEN_TOOLS" in os.environ:
            sys.exit(f"{folder} is no clone of procgen-tools; git clone {ADDRESS}")
        print(f"cloning procgen-tools into {folder} (once)", file=sys.stderr)
        if subprocess.run(
            ["git", "clone", "--quiet", "--depth", "1", ADDRESS, str(folder)], check=False
        ).returncode:
            sys.exit(f"procgen-tools cannot be had; clone {ADDRESS} elsewhere and name it with --peer")
    needs = PEERS / "procgen-tools-needs"
    if not (needs / "bidict").exists():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(needs)]
        if subprocess.run([*pip, "bidict", "tqdm"], check=False).returncode:
            sys.exit(f"bidict and tqdm, which procgen-tools imports, cannot be installed into {needs}")
    sys.path[:0] = [str(folder), str(needs)]
    if not (folder / ".git").exists():
        return "of an unknown commit"
    head = ["git", "-C", str(folder), "rev-parse", "--short=12", "HEAD"]
    return subprocess.run(head, capture_output=True, text=True, check=False).stdout.strip()


def load_peer() -> tuple[Any, Any]:
    """Its modules maze and visualization, without notebooks and without the published weights."""
    anything = MagicMock()
    for name, inside in (
        ("ipywidgets", ("GridspecLayout", "Button", "Layout", "HBox", "Output")),
        ("IPython", ()),
        ("IPython.display", ("display",)),
    ):
        module = types.ModuleType(name)
        module.__dict__.update(dict.fromkeys(inside, object))
        sys.modules.setdefault(name, module)
    import procgen_tools.maze as maze
    import procgen_tools.models as models

    imports = types.ModuleType("procgen_tools.imports")
    imports.__dict__.update(
        {name: getattr(typing, name) for name in ("List", "Tuple", "Dict", "Union", "Optional", "Callable")}
    )
    imports.__dict__.update(dict.fromkeys(("plt", "pd", "go", "cmh", "fn"), anything))
    imports.__dict__.update(
        np=np, t=torch, math=math, models=models, ProcgenGym3Env=maze.ProcgenGym3Env, default_layer=""
    )
    sys.modules["procgen_tools.imports"] = imports
    import procgen_tools.visualization as visualization

    return maze, visualization


def their_venv(peer: Any, maze: Maze) -> Any:
    """A venv of the peer's that holds a maze."""
    venv = peer.create_venv(num=1, start_level=0, num_levels=1)
    venv.env.callmethod("set_state", [maze.state])
    return venv


@torch.no_grad()
def their_episodes(peer: Any, policy: AsTheirs, mazes: list[Maze]) -> tuple[int, int]:
    """An episode in each maze: how many reached the cheese, steps of all."""
    reached = steps = 0
    for maze in mazes:
        venv = their_venv(peer, maze)
        pictures = venv.reset()
        for _ in range(STEPS):
            distribution, _ = policy(torch.FloatTensor(pictures))
            pictures, _, done, _ = venv.step(distribution.sample().numpy())
            steps += 1
            if done[0]:
                reached += 1
                break
    return reached, steps


def cpu(work: Callable[..., Any], *given: Any, **options: Any) -> tuple[float, Any]:
    """CPU seconds of a call, and what it gave."""
    start = time.process_time()
    result = work(*given, **options)
    return time.process_time() - start, result


def measure_peer(
    maze_module: Any, visualization: Any, rounds: int, episodes_each: int, fields_each: int
) -> dict[str, Any]:
    """Rates of episodes and of vector fields, both sides on the same mazes, alternating."""
    policy = MazePolicy.load(SHIPPED / "hard-0.safetensors")
    theirs = AsTheirs(policy)
    environments = Environments("hard", min(64, episodes_each))
    generator = np.random.default_rng(1_000_000)
    torch.manual_seed(1_000_000)
    taken: dict[str, list[float]] = {
        name: [] for name in ("ours", "theirs", "network", "our_fields", "their_fields")
    }
    counts = {"our_steps": 0, "their_steps": 0, "our_reached": 0, "their_reached": 0}
    apart = 0.0
    for number in range(rounds):
        levels = sizes.levels_by_size(
            environments, {25: episodes_each}, imitation.DEVELOPMENT_SEEDS, generator
        )[25]
        mazes = [maze.with_cheese(corner_cell(maze, "top-right")) for maze in levels]
        seconds, (reached, steps) = cpu(their_episodes, maze_module, theirs, mazes)
        taken["theirs"].append(seconds)
        counts["their_reached"] += reached
        counts["their_steps"] += steps
        seconds, episodes = cpu(rollouts, policy, mazes, environments, budget=STEPS, seed=number)
        taken["ours"].append(seconds)
        counts["our_reached"] += sum(episode.reached for episode in episodes)
        our_steps = sum(episode.steps for episode in episodes)
        counts["our_steps"] += our_steps
        taken["network"].append(cpu(network_alone, policy, environments.draw(mazes), our_steps)[0])
        for maze in mazes[:fields_each]:
            venv = their_venv(maze_module, maze)
            seconds, field = cpu(visualization.vector_field, venv, theirs)
            taken["their_fields"].append(seconds)
            seconds, ours = cpu(vector_field, policy, maze, environments)
            taken["our_fields"].append(seconds)
            apart = max(apart, difference(field, ours, maze))
    rates = {
        "episodes_a_second": {
            side: episodes_each / statistics.median(taken[side]) for side in ("ours", "theirs")
        },
        "steps_a_second": {
            "ours": counts["our_steps"] / sum(taken["ours"]),
            "theirs": counts["their_steps"] / sum(taken["theirs"]),
        },
        "network_share_of_ours": sum(taken["network"]) / sum(taken["ours"]),
        "fields_a_second": {
            "ours": 1 / statistics.median(taken["our_fields"]),
            "theirs": 1 / statistics.median(taken["their_fields"]),
        },
        "largest_difference_of_a_probability": apart,
    }
    return {**rates, **counts, "episodes": rounds * episodes_each, "fields": rounds * fields_each}


@torch.inference_mode()
def network_alone(policy: MazePolicy, pictures: np.ndarray[Any, Any], steps: int) -> None:
    """The network on as many pictures as there were steps, as fast as rollouts could ask it at best."""
    batch = torch.from_numpy(pictures)
    with torch.autocast("cpu", torch.bfloat16):
        for _ in range(math.ceil(steps / len(batch))):
            policy(batch)


def difference(theirs: dict[str, Any], ours: Any, maze: Maze) -> float:
    """The largest difference of a probability between both sides' vector fields; the cells must be the same."""
    cells = [(row + maze.margin, column + maze.margin) for row, column in theirs["legal_mouse_positions"]]
    by_cell = dict(zip(cells, theirs["probs"], strict=True))
    if set(by_cell) != set(ours.cells):
        raise RuntimeError("the two sides do not draw the same cells")
    there = np.array([by_cell[cell] for cell in ours.cells])
    return float(np.abs(there - ours.probabilities).max())


def measure_training(rounds: int) -> dict[str, float]:
    """Samples a second of a training on hard mazes, whole and of forward and backward alone."""
    trainer = Trainer(RECIPES["hard"], seed=1_000_000)
    batch = trainer.recipe.batch
    samples = SHARD_LEVELS * trainer.recipe.sampling.mice
    data = imitation.samples(
        trainer.environments, batch // trainer.recipe.sampling.mice, imitation.DEVELOPMENT_SEEDS,
        trainer.recipe.sampling, np.random.default_rng(0),
    )  # fmt: skip
    frames, moves = torch.from_numpy(data.frames), torch.from_numpy(data.moves)

    def floor() -> None:
        for _ in range(samples // batch):
            with torch.autocast("cpu", torch.bfloat16):
                logits = trainer.policy(frames)
            nn.functional.cross_entropy(logits, moves).backward()

    taken: dict[str, list[float]] = {"training": [], "forward_and_backward": []}
    for _ in range(rounds):
        taken["forward_and_backward"].append(cpu(floor)[0])
        taken["training"].append(cpu(trainer.train_shard)[0])
    return {name: samples / statistics.median(seconds) for name, seconds in taken.items()}


def main() -> int:
    """Measure, print, and say by the exit code whether kb keeps its promise."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.maze", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--peer", type=Path, help="a clone of procgen-tools")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each")
    parser.add_argument("--episodes", type=int, default=64, help="of a round")
    parser.add_argument("--fields", type=int, default=4, help="vector fields of a round")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    options = parser.parse_args()
    torch.set_num_threads(1)
    commit = bring_peer(options.peer)
    found = measure_peer(*load_peer(), options.rounds, options.episodes, options.fields)
    training = measure_training(options.rounds)
    times = {
        name: found[name]["ours"] / found[name]["theirs"] for name in ("episodes_a_second", "fields_a_second")
    }
    slow = times["episodes_a_second"] < EPISODES or times["fields_a_second"] < FIELDS
    machine = (
        f"{platform.machine()}, Python {platform.python_version()}, torch {torch.__version__}, {package()}"
    )
    if options.json:
        print(
            json.dumps(
                {**found, "training": training, "times": times, "peer": commit, "machine": machine}, indent=1
            )
        )
        return slow
    print(f"procgen-tools {commit}; {machine}; CPU seconds, one thread; network hard-0, mazes of size 25")
    for name in ("episodes_a_second", "steps_a_second", "fields_a_second"):
        ours, theirs = found[name]["ours"], found[name]["theirs"]
        words = name.replace("_a_second", "/s")
        print(f"{words:<12} kb {ours:9.2f}   procgen-tools {theirs:9.3f}   {ours / theirs:5.1f} times")
    print(
        f"cheese reached within {STEPS} steps: kb {found['our_reached']}, procgen-tools {found['their_reached']} of"
        f" {found['episodes']}; the network alone is {100 * found['network_share_of_ours']:.0f} % of kb's rollouts"
    )
    print(
        f"vector fields differ by at most {found['largest_difference_of_a_probability']:.3f} in a probability"
    )
    share = training["training"] / training["forward_and_backward"]
    print(
        f"training: {training['training']:.0f} samples/s, forward and backward alone"
        f" {training['forward_and_backward']:.0f} ({100 * share:.0f} %)"
    )
    print("peer's rollouts: the loop of its statistics script, no state parsing, no pickles, gradients off")
    return slow


if __name__ == "__main__":
    sys.exit(main())
