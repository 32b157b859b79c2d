"""Key-to-Door from random trajectories: the Decision Transformer paper's credit-assignment experiment.

Chen et al. 2021, "Decision Transformer: Reinforcement Learning via Sequence Modeling", arXiv 2106.01345, section
5.4 and Table 6. A key has to be taken in the first of three rooms for the door in the third to open; the data
are the trajectories of a policy that acts at random. Here, for every training seed:

    1. draw random trajectories                                               rooms.py
    2. train a Decision Transformer on all of them (1,000; in full also 10,000)   model.py
    3. clone the successful ones (percentile behaviour cloning, %BC) and all of them (BC): the same network, told
       nothing of returns
    4. controls: returns shuffled among the trajectories, an untrained network, the trained one asked for 0
    5. let each play new episodes; count in how many of them the door was opened

Training seeds are the independent units: each has data and networks of its own. README.md says how to read it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch

from kb.reproduce.report import Report
from reproductions.dt_key_to_door import model as models
from reproductions.dt_key_to_door import rooms
from reproductions.dt_key_to_door.acting import acting
from reproductions.dt_key_to_door.model import FAILURE, NOT_SAID, SUCCESS, DecisionTransformer
from reproductions.dt_key_to_door.rooms import Episodes, Integers

LABELS = ("1k", "10k")
"""What the data sets are called in the samples' names, the smaller first."""


@dataclass(frozen=True)
class Config:
    """Everything that a run can change; reproduction.toml gives the values for each preset."""

    seeds: int = 7
    """Training seeds."""
    size: int = 4
    """Cells along a room's side."""
    room_steps: int = 8
    trajectories: Sequence[int] = (1_000, 10_000)
    """Random trajectories in each data set, by label."""
    updates: Sequence[int] = (600, 1_000)
    """Of networks that are trained on a whole data set, by label."""
    percent_bc_updates: Sequence[int] = (100, 300)
    """Of the clone of the successful trajectories, which are few, by label."""
    episodes: int = 500
    """Evaluation episodes of each condition."""
    embedding: int = 64
    layers: int = 1
    heads: int = 4
    dropout: float = 0.1
    batch: int = 64
    learning_rate: float = 1e-3
    warmup: int = 50
    """Updates over which the learning rate rises; it then falls along a half cosine."""
    weight_decay: float = 0.1

    def layout(self) -> rooms.Layout:
        """The rooms."""
        return rooms.Layout(self.size, self.room_steps)

    def network(self, seed: int) -> DecisionTransformer:
        """An untrained network; the same one for every condition of a seed."""
        torch.manual_seed(seed)
        return DecisionTransformer(
            models.Sizes(
                self.layout().states,
                self.layout().steps,
                self.embedding,
                self.layers,
                self.heads,
                self.dropout,
            )
        )

    def training(self, updates: int) -> models.Training:
        """Settings of the optimisation."""
        return models.Training(updates, self.batch, self.learning_rate, self.warmup, self.weight_decay)


@dataclass
class Outcome:
    """What one training seed gave."""

    percents: dict[str, float] = field(default_factory=dict)
    """Sample name -> percent of episodes (of recorded trajectories for random_*; a count for successes_*)."""
    paths: dict[str, list[list[int]]] = field(default_factory=dict)
    """Who -> room -> cells in the first evaluation episode, for the picture of the rooms."""


def training_seed(run_seed: int, index: int) -> int:
    """Seed of a unit. Pilot runs had run seeds from 1,000,000 on, so that no recorded unit was seen before."""
    return 1000 * run_seed + index


def random_trajectories(config: Config, label: int, seed: int) -> Episodes:
    """The training data: what the random policy did, and whether it opened the door."""
    random = np.random.default_rng((seed, 0, label))
    layout = config.layout()
    first_cells = rooms.starts(layout, config.trajectories[label], random)
    return rooms.play(layout, rooms.random_policy(random), first_cells)


def trained(
    config: Config, episodes: Episodes, returns: Callable[[], Integers], updates: int, seed: int
) -> DecisionTransformer:
    """A network trained on the episodes with the return tokens that `returns` gives at every update."""
    network = config.network(seed)
    models.train(network, episodes, returns, config.training(updates), np.random.default_rng((seed, 1)))
    return network


def decision_transformer(config: Config, data: Episodes, updates: int, seed: int) -> DecisionTransformer:
    """Trained on every trajectory, told the return of each."""
    returns = models.return_tokens(data)
    return trained(config, data, lambda: returns, updates, seed)


def shuffled(config: Config, data: Episodes, updates: int, seed: int) -> DecisionTransformer:
    """The null control: returns change places among the trajectories, anew at every update."""
    returns, order = models.return_tokens(data), np.random.default_rng((seed, 2))
    return trained(config, data, lambda: order.permutation(returns), updates, seed)


def clone(config: Config, data: Episodes, updates: int, seed: int) -> DecisionTransformer:
    """Behaviour cloning: the same network, told nothing of returns."""
    said = np.full(len(data), NOT_SAID)
    return trained(config, data, lambda: said, updates, seed)


class Evaluation:
    """New episodes of one seed; every condition starts them on the same cells."""

    def __init__(self, config: Config, seed: int) -> None:
        self._layout = config.layout()
        self._seed = seed
        self._first_cells = rooms.starts(self._layout, config.episodes, np.random.default_rng((seed, 3)))

    def likeliest(self, network: DecisionTransformer, asked: int) -> Episodes:
        """Played by the likeliest action."""
        return self.of(acting(network, asked))

    def sampled(self, network: DecisionTransformer, asked: int) -> Episodes:
        """Played by actions drawn as the network predicts them."""
        return self.of(acting(network, asked, np.random.default_rng((self._seed, 4))))

    def of(self, policy: rooms.Policy) -> Episodes:
        """Played by any policy."""
        return rooms.play(self._layout, policy, self._first_cells)

    def at_random(self) -> Episodes:
        """Played by the policy that made the data."""
        return self.of(rooms.random_policy(np.random.default_rng((self._seed, 5))))

    def scripted(self) -> Episodes:
        """The ceiling."""
        return self.of(rooms.scripted_policy(self._layout))


def measure(config: Config, seed: int) -> Outcome:
    """Everything that is measured for one training seed; depends on the configuration and the seed alone."""
    outcome = Outcome()
    percents, evaluation = outcome.percents, Evaluation(config, seed)
    for label in range(len(config.trajectories)):
        data = random_trajectories(config, label, seed)
        by_label = measure_data_set(config, label, data, evaluation, seed, outcome)
        percents.update({f"{name}_{LABELS[label]}": value for name, value in by_label.items()})
    percents["untrained"] = opened(evaluation.likeliest(config.network(seed), SUCCESS))
    percents["scripted"] = opened(evaluation.scripted())
    at_random = evaluation.at_random()
    percents["random_new_episodes"] = opened(at_random)
    percents["random_key"] = _percent(at_random.took_key)
    outcome.paths["random policy"] = path(config.layout(), at_random)
    return outcome


def measure_data_set(
    config: Config, label: int, data: Episodes, evaluation: Evaluation, seed: int, outcome: Outcome
) -> dict[str, float]:
    """The conditions of one data set; BC and shuffled returns are measured on the smallest alone."""
    updates = config.updates[label]
    transformer = decision_transformer(config, data, updates, seed)
    by_transformer = evaluation.likeliest(transformer, SUCCESS)
    values = {
        "random": _percent(data.opened),
        "successes": float(data.opened.sum()),
        "dt": opened(by_transformer),
        "dt_key": _percent(by_transformer.took_key),
        "dt_sampled": opened(evaluation.sampled(transformer, SUCCESS)),
        "dt_asked_for_0": opened(evaluation.likeliest(transformer, FAILURE)),
    }
    successful = data.chosen(data.opened)
    if len(successful):
        percent_bc = clone(config, successful, config.percent_bc_updates[label], seed)
    else:  # nothing to clone: the untrained network stands for it
        percent_bc = config.network(seed)
    values["percent_bc"] = opened(evaluation.likeliest(percent_bc, NOT_SAID))
    values["percent_bc_sampled"] = opened(evaluation.sampled(percent_bc, NOT_SAID))
    if label == 0:
        bc = clone(config, data, updates, seed)
        values["bc"] = opened(evaluation.likeliest(bc, NOT_SAID))
        values["bc_sampled"] = opened(evaluation.sampled(bc, NOT_SAID))
        control = shuffled(config, data, updates, seed)
        values["shuffled"] = opened(evaluation.likeliest(control, SUCCESS))
        values["shuffled_sampled"] = opened(evaluation.sampled(control, SUCCESS))
        outcome.paths["Decision Transformer"] = path(config.layout(), by_transformer)
    return values


def opened(episodes: Episodes) -> float:
    """Percent of episodes in which the door was opened: the success rate of Table 6."""
    return _percent(episodes.opened)


def _percent(true: rooms.Truths) -> float:
    return 100 * float(true.mean())


def path(layout: rooms.Layout, episodes: Episodes) -> list[list[int]]:
    """Cells of the first episode by room, whatever came of it; the last one is where the last step there led."""
    cells = episodes.states[0, : episodes.lengths[0]] % layout.cells
    after = rooms.moved(layout, cells, episodes.actions[0, : episodes.lengths[0]])
    rows = []
    for start in range(0, len(cells), layout.room_steps):
        in_room = slice(start, start + layout.room_steps)
        rows.append([*cells[in_room].tolist(), int(after[in_room][-1])])
    return rows


def keep(outcome: Outcome, file: Path) -> None:
    """Keep a seed's outcome for the plots of a run that is interrupted and resumed."""
    file.write_text(json.dumps(asdict(outcome)), "utf-8")


def kept(file: Path) -> Outcome:
    """What `keep` kept."""
    return Outcome(**json.loads(file.read_text("utf-8")))


def run(report: Report) -> None:
    """Measure the seeds that are left, then draw the plots from all of them."""
    from reproductions.dt_key_to_door import plots

    config = Config(**report.parameters)
    for index in report.remaining("seed", range(config.seeds)):
        outcome = measure(config, training_seed(report.seed, index))
        for metric, value in outcome.percents.items():
            report.sample(metric, unit=f"seed {index}", value=value)
        keep(outcome, report.checkpoints / f"seed-{index}.json")
        report.finished("seed", index)
        report.progress(index + 1, config.seeds, "training seeds")
    outcomes = [kept(report.checkpoints / f"seed-{index}.json") for index in range(config.seeds)]
    percents = [outcome.percents for outcome in outcomes]
    plots.success(percents, config.trajectories, report.folder / "success.png")
    report.artifact("success.png", "Episodes in which the door was opened, by condition")
    plots.three_rooms(config.layout(), outcomes[0].paths, report.folder / "rooms.png")
    report.artifact("rooms.png", "The three rooms, with one episode of the random policy and one of DT's")


def main() -> None:
    """Run in the current folder, as kb's runner starts it."""
    torch.set_num_threads(1)
    with Report.open() as report:
        run(report)


if __name__ == "__main__":
    main()
