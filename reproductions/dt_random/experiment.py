"""Does the Decision Transformer learn from random data? On real MuJoCo physics, from data to scores.

Chen et al. 2021, "Decision Transformer: Reinforcement Learning via Sequence Modeling", arXiv 2106.01345, section 4.2
(OpenAI Gym) and appendix A.2, on data that the paper left out: the trajectories of an untrained policy. For every
environment:

    1. make the data sets: random, medium, medium-expert        collect.py, or D4RL's own files: d4rl.py
    2. read off what the data themselves reach (no learning)    data.py
    3. train the Decision Transformer on each, and beside it
       behaviour cloning, RvS-R and the controls                comparisons.py, learners.py, decision_transformer.py
    4. ask each for the paper's target return, 100 episodes     evaluate.py
    5. compare the D4RL-normalised scores

Training seeds are the independent units: episodes of one network differ by far less than networks do. README.md says
how to read the result.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from kb.reproduce.report import Report
from reproductions.dt_random.behaviour import BehaviourError
from reproductions.dt_random.collect import Request, ensure_cached
from reproductions.dt_random.comparisons import Training, trainings
from reproductions.dt_random.data import DataError, DataSet
from reproductions.dt_random.evaluate import normalised_score
from reproductions.dt_random.one_training import Outcome, Settings, kept, load_data, train_and_evaluate
from reproductions.dt_random.physics import UnknownEnvironment, task_named
from reproductions.dt_random.training import CheckpointError, processor_has_bfloat16
from reproductions.dt_random.workers import cores, side_by_side


@dataclass(frozen=True)
class Config:
    """Everything that a run can change; reproduction.toml gives the values for each preset."""

    environments: tuple[str, ...] = ("hopper",)
    transitions: int = 200_000
    """Steps in each data set (D4RL's have a million; medium-expert two)."""
    training_seeds: int = 5
    judged_seeds: int = 10
    """Of what the criteria judge: the Decision Transformer on random data, and its positive control."""
    episodes: int = 100
    """Evaluation episodes for each network and return asked for."""
    updates: int = 3_000
    """Of the small Decision Transformer."""
    updates_on: Mapping[str, int] = field(default_factory=dict)
    """Environments on which it gets another number of them."""
    batch: int = 16
    """Windows for each of its updates."""
    learning_rate: float = 2e-3
    warmup: int = 300
    mlp_updates: int = 3_000
    mlp_batch: int = 1_024
    mlp_width: int = 256
    further_controls: bool = False
    """Also shuffled returns on medium-expert data, and uniform actions, on the first environment."""
    paper_size_on: tuple[str, ...] = ()
    """Environments on which the paper's model is trained, too."""
    paper_size_updates: int = 2_000
    paper_size_batch: int = 16
    paper_size_learning_rate: float = 1e-3

    def settings(self, report: Report) -> Settings:
        """What each training needs to know."""
        return Settings(
            transitions=self.transitions,
            episodes=self.episodes,
            updates=self.updates,
            updates_on=self.updates_on,
            batch=self.batch,
            learning_rate=self.learning_rate,
            warmup=self.warmup,
            mlp_updates=self.mlp_updates,
            mlp_batch=self.mlp_batch,
            mlp_width=self.mlp_width,
            paper_size_updates=self.paper_size_updates,
            paper_size_batch=self.paper_size_batch,
            paper_size_learning_rate=self.paper_size_learning_rate,
            run_seed=report.seed,
            bfloat16=processor_has_bfloat16(),
            original=report.original,
            cache=report.cache / "dt-random",
            checkpoints=report.checkpoints,
        )


def configured(parameters: dict[str, Any]) -> Config:
    """The configuration from a preset's parameters; an unknown environment is a one-line error."""
    lists = {name: tuple(value) for name, value in parameters.items() if isinstance(value, list)}
    config = Config(**{**parameters, **lists})
    for environment in (*config.environments, *config.paper_size_on, *config.updates_on):
        task_named(environment)
    return config


def make_data(config: Config, settings: Settings) -> Iterator[tuple[str, str, DataSet]]:
    """Every data set of the run as (environment, level, data); what is not in the cache yet is played in parallel."""
    if settings.original is None:
        wanted = [
            Request(environment, level, transitions, settings.run_seed)
            for environment in config.environments
            for level, transitions in (
                ("random", config.transitions),
                ("medium", config.transitions),
                ("medium", config.transitions // 2),
                ("expert", config.transitions // 2),
            )
        ]
        if config.further_controls:
            wanted.append(Request(config.environments[0], "uniform", config.transitions, settings.run_seed))
        for _ in side_by_side(_play, [(request, settings.cache) for request in wanted], cores()):
            pass
    for number, environment in enumerate(config.environments):
        uniform = ["uniform"] if config.further_controls and number == 0 else []
        for level in ("random", "medium", "medium-expert", *uniform):
            yield environment, level, load_data(environment, level, settings)


def _play(task: tuple[Request, Path]) -> None:
    ensure_cached(*task)


def better_half(data: DataSet) -> float:
    """Mean return of the best episodes that make up half of the steps: of medium-expert data the expert's."""
    returns, order = data.episode_returns, np.argsort(-data.episode_returns, kind="stable")
    inside = np.cumsum(data.lengths[order]) <= (len(data.rewards) + 1) // 2
    inside[0] = True
    return float(returns[order][inside].mean())


def data_scores(data: DataSet) -> dict[str, float]:
    """What a data set reaches without any learning, as normalised scores."""
    raw = {
        "data_mean": float(data.episode_returns.mean()),
        "data_best": float(data.episode_returns.max()),
        "data_better_half": better_half(data),
    }
    return {
        name: float(normalised_score(np.array([value]), data.environment)[0]) for name, value in raw.items()
    }


def samples_of(
    outcomes: dict[str, Outcome], planned: list[Training], compared: int
) -> Iterator[tuple[str, str, float]]:
    """(sample, unit, value) of every training's mean score, and of the averages over environments.

    What is judged has more training seeds than what it is compared with: differences are taken on the first `compared`
    of them, which are reported once more by themselves.

    An average over environments is taken seed by seed, as the papers' tables average their rows: environments are
    fixed, seeds are what is sampled.
    """
    by_environment: dict[tuple[str, str], list[float]] = {}
    for training in planned:
        outcome = outcomes[training.name]
        means = {
            training.sample + ("" if asked == "target" else f"_{asked}"): float(np.mean(scores))
            for asked, scores in outcome.scores.items()
        }
        if (training.learner, training.level) == ("dt", "random") and training.index < compared:
            means[f"{training.sample}_compared"] = means[training.sample]
        for name, mean in means.items():
            yield name, training.unit, mean
            everywhere = name.replace(training.environment, "average", 1)
            by_environment.setdefault((everywhere, training.unit), []).append(mean)
    count = len({training.environment for training in planned})
    for (name, unit), means in by_environment.items():
        if count > 1 and len(means) == count:
            yield name, unit, float(np.mean(means))


def run(report: Report) -> None:
    """Data, trainings side by side, samples in a fixed order, plots."""
    config = configured(report.parameters)
    settings = config.settings(report)
    report.note(
        f"trained and evaluated in {'bfloat16' if settings.bfloat16 else 'float32'}, {cores()} processes"
    )
    report.progress(0, 1, "making the data")
    reached: dict[str, dict[str, float]] = {}
    digests = hashlib.sha256()
    for environment, level, data in make_data(config, settings):
        reached[f"{environment}_{level}".replace("-", "_")] = data_scores(data)
        digests.update(data.digest.encode())
    report.data(digests.hexdigest())

    planned = list(
        trainings(
            config.environments,
            config.training_seeds,
            config.judged_seeds,
            config.paper_size_on,
            config.further_controls,
        )
    )
    costs = {training: settings.cost(training) for training in planned}
    longest_first = sorted(planned, key=lambda training: -costs[training])
    done, total = 0.0, sum(costs.values())
    for training in side_by_side(
        train_and_evaluate, [replace(settings, training=t) for t in longest_first], cores()
    ):
        done += costs[training]
        report.progress(done, total, "trainings")

    outcomes = {training.name: kept(settings.checkpoints, training) for training in planned}
    for sample, unit, value in samples_of(outcomes, planned, config.training_seeds):
        report.sample(sample, unit=unit, value=value)
    for data_set, scores in reached.items():
        for name, score in scores.items():
            report.sample(f"{data_set}_{name}", unit="data set", value=score)
    halves = {e: reached[f"{e}_medium_expert"]["data_better_half"] for e in config.environments}
    if len(halves) > 1:
        halves["average"] = float(np.mean(list(halves.values())))
    for name, half in halves.items():  # the same for every seed, to be divided by seed
        for index in range(config.judged_seeds):
            report.sample(f"{name}_expert_half", unit=f"seed {index}", value=half)

    from reproductions.dt_random import plots

    for file, title in plots.draw(config.environments, outcomes, planned, reached, report):
        report.artifact(file, title)


def main() -> None:
    """Run in the current folder, as kb's runner starts it; what a user can mend is one line."""
    with Report.open() as report:
        try:
            run(report)
        except (DataError, BehaviourError, CheckpointError, UnknownEnvironment) as error:
            sys.exit(str(error))


if __name__ == "__main__":
    main()
