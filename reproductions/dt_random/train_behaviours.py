"""Trains the medium and expert behaviour policies and ships them with an account of how they came about.

    python -m reproductions.dt_random.train_behaviours --env hopper --seed 0 --ship

One process, one core; it saves its progress and continues where it stopped. The expert is the snapshot with
the highest mean return under its own action noise over development episodes; the medium policy is the
earlier snapshot of the same run that lies nearest to `MEDIUM_SHARE` of it. Both are then measured again on
fresh episodes.
"""

# ruff: noqa: E402
from __future__ import annotations

import os

for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")  # before numpy: its tiny products gain nothing from more threads

import argparse
import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from reproductions.dt_random.behaviour import SHIPPED, GaussianPolicy
from reproductions.dt_random.physics import EPISODE_STEPS, TASKS, Environments, Floats, seeds_from
from reproductions.dt_random.ppo import Recipe, Trainer

MEDIUM_SHARE = 0.4
"""The medium policy's share of the expert's return; D4RL's medium policies reach a third to a half."""
DEVELOPMENT, FRESH = 101, 102
"""Purposes of the seeds with which snapshots are compared and shipped policies measured."""


def episode_returns(policy: GaussianPolicy, environment: str, seeds: list[int], noise: bool) -> Floats:
    """The undiscounted return of one episode for each seed, shape (len(seeds),)."""
    environments = Environments(environment, seeds)
    generator = np.random.default_rng(seeds)
    observations = environments.reset()
    returns = np.zeros(len(seeds))
    running = np.arange(len(seeds))
    while len(running):
        actions = policy.sample(observations, generator) if noise else policy.mean(observations)
        step = environments.step(actions, running)
        returns[running] += step.rewards
        going_on = ~(step.terminated | step.truncated)
        running, observations = running[going_on], step.observations[going_on]
    return returns


def summary(returns: Floats) -> dict[str, float]:
    """Mean, standard deviation over episodes and number of episodes."""
    return {
        "mean": round(float(returns.mean()), 1),
        "standard_deviation": round(float(returns.std(ddof=1)), 1),
        "minimum": round(float(returns.min()), 1),
        "episodes": len(returns),
    }


def train(
    environment: str, seed: int, recipe: Recipe, folder: Path, snapshots: int, episodes: int
) -> dict[str, Any]:
    """Runs PPO to the end, with a snapshot and its evaluation at regular steps; returns the run's record."""
    folder.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(environment, recipe, seed)
    record: dict[str, Any] = {"curve": [], "cpu_seconds": 0.0, "wall_seconds": 0.0, "resumed": 0}
    if (folder / "record.json").exists():
        record = json.loads((folder / "record.json").read_text())
        with np.load(folder / "state.npz") as state:
            trainer.restore(dict(state), seed)
        record["resumed"] += trainer.iteration < recipe.iterations
    every = max(recipe.iterations // snapshots, 1)
    development = seeds_from(seed, episodes, purpose=DEVELOPMENT)
    cpu, wall = time.process_time(), time.monotonic()
    while trainer.iteration < recipe.iterations:
        trainer.iterate()
        if trainer.iteration % every and trainer.iteration < recipe.iterations:
            continue
        policy = trainer.policy()
        policy.save(folder / f"{trainer.iteration}.safetensors")
        noisy = episode_returns(policy, environment, development, noise=True)
        record["cpu_seconds"] += time.process_time() - cpu
        record["wall_seconds"] += time.monotonic() - wall
        cpu, wall = time.process_time(), time.monotonic()
        point = {
            "iteration": trainer.iteration,
            "steps": trainer.steps,
            "cpu_seconds": round(record["cpu_seconds"], 1),
            "return_under_noise": round(float(noisy.mean()), 1),
            "standard_deviation": round(float(noisy.std(ddof=1)), 1),
            "action_noise": round(float(policy.action_deviation.mean()), 3),
        }
        record["curve"].append(point)
        print(environment, seed, json.dumps(point), flush=True)
        np.savez(folder / "next.npz", **trainer.state())
        (folder / "next.json").write_text(json.dumps(record))
        (folder / "next.npz").replace(folder / "state.npz")
        (folder / "next.json").replace(folder / "record.json")
    return record


def chosen_snapshots(curve: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The points of the curve that become `expert` and `medium`, by the rule in this module's docstring."""
    expert = max(curve, key=lambda point: point["return_under_noise"])
    earlier = [point for point in curve if point["iteration"] < expert["iteration"]]
    if not earlier:
        raise ValueError("the first snapshot is the best one: the run learned nothing; try another seed")
    target = MEDIUM_SHARE * expert["return_under_noise"]
    return {
        "expert": expert,
        "medium": min(earlier, key=lambda point: abs(point["return_under_noise"] - target)),
    }


def ship(
    environment: str, seed: int, recipe: Recipe, record: dict[str, Any], folder: Path, other_seeds: str
) -> None:
    """Copies the chosen snapshots to `behaviours/`, each with its JSON account."""
    fresh = seeds_from(seed, 100, purpose=FRESH)
    SHIPPED.mkdir(exist_ok=True)
    for level, point in chosen_snapshots(record["curve"]).items():
        policy = GaussianPolicy.load(folder / f"{point['iteration']}.safetensors")
        account = {
            "environment": TASKS[environment].gymnasium_id,
            "level": level,
            "algorithm": "proximal policy optimisation (ppo.py)",
            "recipe": asdict(recipe),
            "seed": seed,
            "other_seeds_tried": other_seeds,
            "chosen": "highest mean return under noise over the development episodes"
            if level == "expert"
            else f"earlier snapshot of the same run nearest to {MEDIUM_SHARE} of the expert's return",
            "steps": point["steps"],
            "run_cpu_seconds": round(record["cpu_seconds"], 1),
            "run_wall_seconds": round(record["wall_seconds"], 1),
            "times_resumed": record["resumed"],
            "action_noise": [round(float(value), 4) for value in policy.action_deviation],
            "evaluation_under_noise": summary(episode_returns(policy, environment, fresh, noise=True)),
            "evaluation_of_mean_action": summary(episode_returns(policy, environment, fresh, noise=False)),
            "evaluation_note": f"fresh episodes of at most {EPISODE_STEPS} steps, not those that chose it",
            "learning_curve": record["curve"],
        }
        policy.save(SHIPPED / f"{environment}-{level}.safetensors")
        (SHIPPED / f"{environment}-{level}.json").write_text(json.dumps(account, indent=1) + "\n")
        print(
            environment,
            level,
            account["evaluation_under_noise"],
            account["evaluation_of_mean_action"],
            flush=True,
        )


def main() -> None:
    """Parses the command line, trains, and ships where asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--env", choices=list(TASKS), required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=Recipe.total_steps, help="environment steps in all")
    parser.add_argument("--snapshots", type=int, default=30)
    parser.add_argument("--episodes", type=int, default=20, help="development episodes a snapshot")
    parser.add_argument("--folder", type=Path, default=Path(".kb/dt"), help="where progress is kept")
    parser.add_argument("--ship", action="store_true", help="write the chosen weights to behaviours/")
    parser.add_argument(
        "--other-seeds", default="none", help="what to record about seeds tried beside this one"
    )
    arguments = parser.parse_args()
    recipe = Recipe(total_steps=arguments.steps)
    folder = arguments.folder / f"{arguments.env}-{arguments.seed}-{arguments.steps}"
    record = train(arguments.env, arguments.seed, recipe, folder, arguments.snapshots, arguments.episodes)
    if arguments.ship:
        ship(arguments.env, arguments.seed, recipe, record, folder, arguments.other_seeds)


if __name__ == "__main__":
    main()
