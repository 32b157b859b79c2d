"""One network from data to scores, in a process of its own: trained with checkpoints, evaluated, kept as JSON."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from reproductions.dt_random import d4rl
from reproductions.dt_random.baselines import BehaviourCloning, MlpSizes, ReturnConditionedMlp
from reproductions.dt_random.batches import StepSampler
from reproductions.dt_random.collect import Request, own_data
from reproductions.dt_random.comparisons import Training
from reproductions.dt_random.data import DataError, DataSet
from reproductions.dt_random.decision_transformer import PAPER, SMALL, TARGET_RETURNS, DecisionTransformer
from reproductions.dt_random.evaluate import evaluate, normalised_score
from reproductions.dt_random.learners import train_baseline, train_decision_transformer
from reproductions.dt_random.training import Schedule
from reproductions.dt_random.training import Training as Loop

CHECKPOINT_EVERY = 500
"""Updates between two checkpoints: what a killed run does again at most."""
CURVE_POINTS = 20
"""Points of a learning curve."""

Network = DecisionTransformer | BehaviourCloning | ReturnConditionedMlp


@dataclass(frozen=True)
class Settings:
    """What a training needs to know; `experiment.Config` says what each number means."""

    transitions: int
    episodes: int
    updates: int
    updates_on: Mapping[str, int]
    batch: int
    learning_rate: float
    warmup: int
    mlp_updates: int
    mlp_batch: int
    mlp_width: int
    paper_size_updates: int
    paper_size_batch: int
    paper_size_learning_rate: float
    run_seed: int
    bfloat16: bool
    original: str | None
    """D4RL's own files: their folder, or the word d4rl to download them. None: own data."""
    cache: Path
    checkpoints: Path
    training: Training | None = None
    """Which one to do."""

    def seed(self, training: Training) -> int:
        """Seed of a training; pilots had run seeds from 1,000,000 on."""
        return 1_000 * self.run_seed + 10 * training.index + 100

    def cost(self, training: Training) -> float:
        """Roughly, in small updates of a Decision Transformer: to order trainings and to show progress."""
        if training.learner == "dt_untrained":
            return 50
        if training.learner in ("bc", "rvs"):
            return self.mlp_updates / 4
        plays_on = (
            0 if training.level in ("random", "uniform") and training.environment != "halfcheetah" else 700
        )
        if training.learner == "dt_paper_size":
            return 4 * (self.paper_size_updates * self.paper_size_batch / 64 + plays_on)
        return self.updates_of(training) * self.batch / 64 + plays_on

    def updates_of(self, training: Training) -> int:
        """Updates of a small Decision Transformer."""
        return self.updates_on.get(training.environment, self.updates)


@dataclass(frozen=True)
class Outcome:
    """What one network gave."""

    scores: dict[str, list[float]]
    """Normalised score of each episode, by what was asked for: target (the paper's), and for some second_target and
    best_in_data (the return of the best recorded episode)."""
    curve: list[tuple[int, float]]
    """(updates, mean action error since the point before)."""
    cpu_seconds: float
    """Of this process, since it last took the training up."""


def load_data(environment: str, level: str, settings: Settings) -> DataSet:
    """A data set of the run: D4RL's where the user has it (uniform actions are always our own), else ours."""
    if settings.original is None or level == "uniform":
        return own_data(Request(environment, level, settings.transitions, settings.run_seed), settings.cache)
    if settings.original == "d4rl":
        folder = settings.cache / "d4rl"
        d4rl.download(environment, level, folder)
    else:
        folder = Path(settings.original)
        if not folder.is_dir():
            raise DataError(
                f"{folder} is no folder; give the one with D4RL's files, or d4rl to download them"
            )
    return d4rl.d4rl_data(environment, level, folder)


def kept(checkpoints: Path, training: Training) -> Outcome:
    """The outcome that `train_and_evaluate` kept."""
    content = json.loads(_place(checkpoints, training).read_text("utf-8"))
    return Outcome(
        content["scores"], [(int(n), float(e)) for n, e in content["curve"]], content["cpu_seconds"]
    )


def train_and_evaluate(settings: Settings) -> Training:
    """Does one training to its outcome, or finds it done; which one it was."""
    training = settings.training
    assert training is not None
    place = _place(settings.checkpoints, training)
    if not place.is_file():
        outcome = _outcome(training, settings)
        part = place.with_name(f"{place.name}.{os.getpid()}.part")
        part.write_text(json.dumps(asdict(outcome)), "utf-8")
        part.replace(place)
    return training


def _place(checkpoints: Path, training: Training) -> Path:
    return checkpoints / f"{training.name}.json"


def _outcome(training: Training, settings: Settings) -> Outcome:
    began = time.process_time()
    data = load_data(training.environment, training.level, settings)
    seed = settings.seed(training)
    sampler = StepSampler(data, shuffled_returns_seed=seed if training.learner == "dt_shuffled" else None)
    network, loop = _begun(training, sampler, settings, seed)
    curve = [] if training.learner == "dt_untrained" else _train(training, loop, settings.checkpoints)
    best = float(data.episode_returns.max())
    scores = {
        asked: normalised_score(
            evaluate(
                network,
                sampler,
                training.environment,
                target,
                settings.episodes,
                seed,
                bfloat16=settings.bfloat16,
            ),
            training.environment,
        ).tolist()
        for asked, target in _asked(training, best).items()
    }
    return Outcome(scores, curve, round(time.process_time() - began, 1))


def _begun(training: Training, sampler: StepSampler, settings: Settings, seed: int) -> tuple[Network, Loop]:
    if training.learner in ("bc", "rvs"):
        schedule = Schedule(
            updates=settings.mlp_updates, batch=settings.mlp_batch, learning_rate=1e-3, weight_decay=0.0, warmup=0,
            largest_gradient=None,
        )  # fmt: skip
        kind = BehaviourCloning if training.learner == "bc" else ReturnConditionedMlp
        return train_baseline(kind, sampler, schedule, seed, MlpSizes(width=settings.mlp_width))
    if training.learner == "dt_paper_size":
        schedule = Schedule(
            updates=settings.paper_size_updates,
            batch=settings.paper_size_batch,
            learning_rate=settings.paper_size_learning_rate,
            warmup=settings.warmup,
            cosine=True,
        )
        return train_decision_transformer(sampler, schedule, seed, PAPER, settings.bfloat16)
    schedule = Schedule(
        updates=settings.updates_of(training),
        batch=settings.batch,
        learning_rate=settings.learning_rate,
        warmup=settings.warmup,
        cosine=True,
    )
    return train_decision_transformer(sampler, schedule, seed, SMALL, settings.bfloat16)


def _train(training: Training, loop: Loop, checkpoints: Path) -> list[tuple[int, float]]:
    """All updates of the schedule, from the last checkpoint if there is one; the learning curve."""
    weights = checkpoints / f"{training.name}.pt"
    points = checkpoints / f"{training.name}.curve.json"
    curve: list[tuple[int, float]] = []
    if weights.is_file():
        loop.restore(weights)
        curve = [(n, e) for n, e in json.loads(points.read_text("utf-8")) if n <= loop.update]
    stride = max(loop.schedule.updates // CURVE_POINTS, 1)
    saved = loop.update
    while loop.update < loop.schedule.updates:
        error = loop.run(stride - loop.update % stride)
        curve.append((loop.update, error))
        if loop.update - saved >= CHECKPOINT_EVERY:
            points.write_text(json.dumps(curve), "utf-8")
            loop.save(weights)
            saved = loop.update
    weights.unlink(missing_ok=True)
    return curve


def _asked(training: Training, best_in_data: float) -> dict[str, float]:
    """The returns that a network is asked for, the paper's first one always."""
    target, second = TARGET_RETURNS[training.environment]
    asked = {"target": target}
    if training.level == "random" and training.learner == "dt":
        asked |= {"second_target": second, "best_in_data": best_in_data}
    if training.learner == "rvs":
        asked |= {"best_in_data": best_in_data}
    return asked
