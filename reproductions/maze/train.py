"""Train a maze policy by imitation of shortest paths, and ship its weights with the account of how they were made.

    python -m reproductions.maze.train --mode easy --seed 0 --ship
    python -m reproductions.maze.train --mode hard --seed 0 --start-from easy-0 --ship

One process, one thread. It saves its progress and goes on exactly where it stopped: every shard of data depends on
the seed and its number alone. --start-from takes over every tensor of shipped weights that fits.

A departure from the published network, which learned by reinforcement: imitation with plain cross-entropy, and an
auxiliary loss that asks block1's last layer for the expert's move on every open cell at once (a 1 x 1 convolution
that is thrown away afterwards). Without it the policy stays on a plateau for far longer.
"""

# ruff: noqa: E402
from __future__ import annotations

import os

for _variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")  # before torch

import argparse
import json
import math
import sys
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from reproductions.maze import imitation
from reproductions.maze.environment import Environments, world_of
from reproductions.maze.geometry import NO_MOVE
from reproductions.maze.imitation import Samples, Sampling
from reproductions.maze.networks import SHIPPED
from reproductions.maze.policy import Architecture, MazePolicy, move_logits
from reproductions.maze.rollout import rollouts
from reproductions.maze.state import WORLDS, MazeError

FOLDER = Path(".kb") / "maze-training"
"""Progress of trainings; not committed."""
SHARD_LEVELS = 128
"""Levels of a shard: the data between two chances to save."""
_DENSE_LAYER = "block1.res3.resadd"


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training."""

    mode: str
    shards: int
    """Of SHARD_LEVELS * sampling.mice samples."""
    batch: int = 128
    learning_rate: float = 1e-3
    """At its highest: it rises over `warmup` updates and falls along a half cosine."""
    warmup: int = 100
    weight_decay: float = 1e-4
    dense_weight: float = 0.5
    """Of the auxiliary loss."""
    largest_gradient: float = 1.0
    channels: tuple[int, ...] = (32, 32, 32)
    residuals: tuple[int, ...] = (3, 2, 2)
    sampling: Sampling = field(default_factory=Sampling)

    def architecture(self) -> Architecture:
        """The network's sizes."""
        return Architecture(tiles=world_of(self.mode), channels=self.channels, residuals=self.residuals)

    @property
    def samples(self) -> int:
        """Pictures seen in the whole training."""
        return self.shards * SHARD_LEVELS * self.sampling.mice


RECIPES = {"easy": Recipe("easy", shards=640), "hard": Recipe("hard", shards=384)}


class Trainer:
    """A network, its optimiser and how far they are."""

    def __init__(self, recipe: Recipe, seed: int, start_from: Path | None = None) -> None:
        """A fresh network; with `start_from`, every tensor of those weights that has the right shape.

        Raises:
            MazeError: when the weights cannot be read.
        """
        torch.manual_seed(seed)
        self.recipe, self.seed = recipe, seed
        self.policy = MazePolicy(recipe.architecture())
        self.dense = nn.Conv2d(recipe.channels[0], 4, 1)
        self.taken_over = self._take_over(start_from) if start_from else 0
        self.optimizer = torch.optim.AdamW(
            self._parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
        )
        self.shard = 0
        self.environments = Environments(recipe.mode, imitation.SLOTS)

    def _parameters(self) -> list[nn.Parameter]:
        return [*self.policy.parameters(), *self.dense.parameters()]

    def _take_over(self, path: Path) -> int:
        mine, theirs = self.policy.state_dict(), MazePolicy.load(path).state_dict()
        fitting = {
            name: tensor
            for name, tensor in theirs.items()
            if name in mine and tensor.shape == mine[name].shape
        }
        self.policy.load_state_dict({**mine, **fitting})
        return len(fitting)

    def train_shard(self) -> dict[str, float]:
        """Draw the next shard and learn from it once; returns mean losses and accuracy on the way."""
        generator = np.random.default_rng([self.seed, 1, self.shard])
        data = imitation.samples(
            self.environments, SHARD_LEVELS, imitation.TRAINING_SEEDS, self.recipe.sampling, generator
        )
        totals = np.zeros(3)
        batches = len(data.moves) // self.recipe.batch
        for number in range(batches):
            self._set_learning_rate(self.shard * batches + number, self.recipe.shards * batches)
            rows = slice(number * self.recipe.batch, (number + 1) * self.recipe.batch)
            totals += self._update(data, rows)
        self.shard += 1
        loss, dense, right = totals / batches
        return {"loss": float(loss), "dense_loss": float(dense), "accuracy": float(right)}

    def _set_learning_rate(self, update: int, updates: int) -> None:
        rise = min(1.0, (update + 1) / self.recipe.warmup)
        rate = self.recipe.learning_rate * rise * 0.5 * (1 + math.cos(math.pi * update / updates))
        for group in self.optimizer.param_groups:
            group["lr"] = rate

    def _update(self, data: Samples, rows: slice) -> tuple[float, float, float]:
        frames, moves = torch.from_numpy(data.frames[rows]), torch.from_numpy(data.moves[rows])
        # The grid's row 0 is at the bottom, the picture's at the top.
        fields = torch.from_numpy(data.fields[data.level[rows], ::-1].astype(np.int64))
        with (
            self.policy.reading([_DENSE_LAYER]) as kept,
            torch.autocast("cpu", torch.bfloat16),
        ):
            logits = self.policy(frames)
            field_logits: Tensor = self.dense(kept[_DENSE_LAYER])
        loss = _imitation_loss(logits, moves)
        dense = functional.cross_entropy(field_logits.float(), fields, ignore_index=NO_MOVE)
        self.optimizer.zero_grad()
        total: Tensor = loss + self.recipe.dense_weight * dense
        total.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self._parameters(), self.recipe.largest_gradient)
        self.optimizer.step()
        right = (move_logits(logits.detach()).argmax(dim=1) == moves).float().mean()
        return loss.item(), dense.item(), right.item()

    def state(self) -> dict[str, Any]:
        """All that a restart needs."""
        return {
            "policy": self.policy.state_dict(),
            "dense": self.dense.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "shard": self.shard,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave."""
        self.policy.load_state_dict(state["policy"])
        self.dense.load_state_dict(state["dense"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.shard = int(state["shard"])


def _imitation_loss(logits: Tensor, moves: Tensor) -> Tensor:
    """Cross-entropy of the summed probability of the actions that make the expert's move."""
    chosen = move_logits(logits).gather(1, moves[:, None])[:, 0]
    return (logits.logsumexp(dim=1) - chosen).mean()


@torch.inference_mode()
def held_out_accuracy(
    policy: MazePolicy, recipe: Recipe, environments: Environments, levels: int = 64
) -> float:
    """Share of pictures of development levels on which the likeliest move is the expert's."""
    data = imitation.samples(
        environments, levels, imitation.DEVELOPMENT_SEEDS, recipe.sampling, np.random.default_rng(7)
    )
    with torch.autocast("cpu", torch.bfloat16):
        likeliest = move_logits(policy(torch.from_numpy(data.frames))).argmax(dim=1)
    return float((likeliest.numpy() == data.moves).mean())


def success(
    policy: MazePolicy, environments: Environments, seeds: range, count: int, seed: int
) -> dict[str, Any]:
    """Episodes on levels of all sizes, equally often as procgen makes them, with the cheese in the top right.

    Returns: how many were reached within 200 (easy) or 400 (hard) steps, out of how many, and the same by size.
    """
    generator = np.random.default_rng([seed, 2])
    mazes = [
        imitation.with_training_cheese(maze, generator)
        for maze in environments.levels(int(s) for s in generator.integers(seeds.start, seeds.stop, count))
    ]
    budget = 200 if environments.world == WORLDS["easy"] else 400
    episodes = rollouts(policy, mazes, environments, budget=budget, seed=seed)
    by_size: dict[int, list[int]] = {}
    for maze, episode in zip(mazes, episodes, strict=True):
        counts = by_size.setdefault(maze.size, [0, 0])
        counts[0] += episode.reached
        counts[1] += 1
    return {
        "reached": sum(episode.reached for episode in episodes),
        "episodes": len(episodes),
        "budget": budget,
        "by_size": {str(size): counts for size, counts in sorted(by_size.items())},
    }


def train(
    recipe: Recipe,
    seed: int,
    folder: Path,
    start_from: Path | None = None,
    *,
    save_every: int = 4,
    measure_every: int = 40,
) -> tuple[Trainer, dict[str, Any]]:
    """Train to the end, going on from what `folder` holds; returns the trainer and the record of the training.

    Raises:
        MazeError: when the folder holds the progress of another recipe.
    """
    folder.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(recipe, seed, start_from)
    described = {
        "recipe": json.loads(json.dumps(asdict(recipe))),
        "seed": seed,
        "start_from": start_from.stem if start_from else None,
    }
    record: dict[str, Any] = {**described, "curve": [], "cpu_seconds": 0.0, "wall_seconds": 0.0, "resumed": 0}
    progress = folder / "progress.pt"
    if progress.exists():
        saved = torch.load(progress, weights_only=True)
        record = json.loads(saved["record"])
        if {name: record[name] for name in described} != described:
            raise MazeError(f"{folder} holds the progress of another training; name another --folder")
        trainer.restore(saved["trainer"])
        record["resumed"] += trainer.shard < recipe.shards
    cpu, wall = time.process_time(), time.monotonic()
    while trainer.shard < recipe.shards:
        on_the_way = trainer.train_shard()
        last = trainer.shard == recipe.shards
        if trainer.shard % measure_every == 0 or last:
            point = {
                "samples": trainer.shard * SHARD_LEVELS * recipe.sampling.mice,
                **{name: round(value, 4) for name, value in on_the_way.items()},
                "development_accuracy": round(
                    held_out_accuracy(trainer.policy, recipe, trainer.environments), 4
                ),
                "cpu_seconds": round(record["cpu_seconds"] + time.process_time() - cpu, 1),
            }
            record["curve"].append(point)
            print(recipe.mode, seed, json.dumps(point), flush=True)
        if trainer.shard % save_every == 0 or last:
            record["cpu_seconds"] += time.process_time() - cpu
            record["wall_seconds"] += time.monotonic() - wall
            cpu, wall = time.process_time(), time.monotonic()
            half = folder / "progress.half"
            torch.save({"trainer": trainer.state(), "record": json.dumps(record)}, half)
            half.replace(progress)
    return trainer, record


def retrained(folder: Path, seed: int) -> MazePolicy:
    """The network of the hard recipe, trained from nothing: easy first, its weights carried over, as hard-0 was.

    `folder` keeps the progress: a call that was killed goes on exactly where it stopped.
    """
    easy, _ = train(RECIPES["easy"], seed, folder / "easy")
    carried = folder / "easy.safetensors"
    easy.policy.save(carried)
    hard, _ = train(RECIPES["hard"], seed, folder / "hard", carried)
    hard.policy.save(folder / "hard.safetensors")
    return hard.policy.eval()


def ship(trainer: Trainer, record: dict[str, Any], episodes: int = 400) -> Path:
    """Write the weights and their account to `weights/`; returns the weights' path."""
    recipe = trainer.recipe
    trainer.policy.eval()
    evaluation = success(
        trainer.policy, trainer.environments, imitation.HELD_OUT_SEEDS, episodes, seed=trainer.seed
    )
    account = {
        "mode": recipe.mode,
        "algorithm": "imitation of shortest paths, cheese in the top-right 5x5 (train.py)",
        **{name: record[name] for name in ("recipe", "seed", "start_from")},
        "tensors_taken_over": trainer.taken_over,
        "samples": recipe.samples,
        "parameters": sum(parameter.numel() for parameter in trainer.policy.parameters()),
        "cpu_seconds": round(record["cpu_seconds"], 1),
        "wall_seconds": round(record["wall_seconds"], 1),
        "times_resumed": record["resumed"],
        "top_right_success": evaluation,
        "evaluation_note": "actions sampled, held-out levels of all sizes, drawn once for this account",
        "learning_curve": record["curve"],
    }
    SHIPPED.mkdir(exist_ok=True)
    path = SHIPPED / f"{recipe.mode}-{trainer.seed}.safetensors"
    trainer.policy.save(path, {"mode": recipe.mode, "seed": str(trainer.seed)})
    path.with_suffix(".json").write_text(json.dumps(account, indent=1) + "\n", "utf-8")
    return path


def main() -> None:
    """Parse the command line, train, and ship where asked."""
    parser = argparse.ArgumentParser(
        prog="python -m reproductions.maze.train", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--mode", choices=list(RECIPES), required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start-from", help="shipped weights to take fitting tensors from, such as easy-0")
    parser.add_argument("--shards", type=int, help=f"of {SHARD_LEVELS} levels each; default: the recipe's")
    parser.add_argument(
        "--folder", type=Path, help=f"where progress is kept (default {FOLDER}/<mode>-<seed>)"
    )
    parser.add_argument("--ship", action="store_true", help="write the weights beside this module")
    given = parser.parse_args()
    torch.set_num_threads(1)
    recipe = RECIPES[given.mode]
    if given.shards:
        recipe = replace(recipe, shards=given.shards)
    start_from = SHIPPED / f"{given.start_from}.safetensors" if given.start_from else None
    folder = given.folder or FOLDER / f"{given.mode}-{given.seed}"
    try:
        trainer, record = train(recipe, given.seed, folder, start_from)
        if given.ship:
            path = ship(trainer, record)
            print(path, json.loads(path.with_suffix(".json").read_text())["top_right_success"], flush=True)
    except MazeError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
