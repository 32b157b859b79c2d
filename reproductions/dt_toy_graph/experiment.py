"""Shortest paths from random walks: the Decision Transformer paper's illustrative example, with its controls.

Chen et al. 2021, "Decision Transformer: Reinforcement Learning via Sequence Modeling", arXiv 2106.01345,
introduction and Figure 2. On a small random graph, with random walks as the only data, a sequence model is
asked for a high return and is said to answer with a shortest path to the goal. Here, for every graph:

    1. draw the graph and its random walks                              graph.py
    2. read off what the walks themselves show (no learning)            graph.py
    3. train on (return-to-go, node) tokens; the control gets the same
       walks with their returns shuffled                                model.py
    4. from every start node, ask for every return and generate         model.py
    5. count the start nodes from which a path as short as the shortest was generated

Graphs are the independent units. README.md says how to read the result.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from kb.reproduce.report import Report
from reproductions.dt_toy_graph import graph as graphs
from reproductions.dt_toy_graph import model as models
from reproductions.dt_toy_graph.graph import FAILED, Integers, Truths, Walks

ONE_STEP = 1
"""The return asked for by the infeasible rule: the goal is the next node, whatever the start node."""


@dataclass(frozen=True)
class Config:
    """Everything that a run can change; reproduction.toml gives the values for each preset."""

    graphs: int = 12
    """Independent graphs."""
    nodes: int = 20
    edge_probability: float = 0.1
    """Of each ordered pair of nodes, before the graph is made symmetric."""
    walks: int = 1000
    walk_steps: int = 10
    embedding: int = 64
    layers: int = 2
    heads: int = 1
    updates: int = 400
    batch: int = 64
    learning_rate: float = 1e-3
    warmup: int = 40
    """Updates over which the learning rate rises; it then falls along a half cosine."""

    def sizes(self) -> models.Sizes:
        """Size of the model."""
        return models.Sizes(self.nodes, self.walk_steps, self.embedding, self.layers, self.heads)

    def training(self) -> models.Training:
        """Settings of the optimisation."""
        return models.Training(self.updates, self.batch, self.learning_rate, self.warmup)


@dataclass(frozen=True)
class Outcome:
    """What one graph gave."""

    shares: dict[str, float]
    """Sample name -> share of start nodes (of recorded walks for random_walk_share)."""
    steps: dict[str, list[int]]
    """Who -> steps to the goal of each path, 0 where it was not reached; for the histogram."""


def graph_seed(run_seed: int, index: int) -> int:
    """Seed of a graph. Pilot runs had run seeds from 50,000 on, so that no recorded graph was seen before."""
    return 1000 * run_seed + index + 100


def draw_graph(config: Config, random: np.random.Generator) -> tuple[Truths, Integers, Integers]:
    """A graph, its shortest paths and its start nodes; drawn again while the goal has no neighbour."""
    while True:
        adjacent = graphs.random_graph(config.nodes, config.edge_probability, random)
        distance = graphs.shortest_paths(adjacent)
        starts = graphs.start_nodes(distance, config.walk_steps)
        if len(starts):
            return adjacent, distance, starts


def trained(config: Config, walks: Walks, seed: int, *, shuffle: bool) -> models.DecisionTransformer:
    """A model trained on the walks.

    Args:
        shuffle: the control: returns change places among the walks, anew at every update, so that they say
            nothing about the path. First weights and batches are the same in both.
    """
    model = untrained(config, seed)
    batches, order = (np.random.default_rng((seed, stream)) for stream in (1, 2))

    def returns() -> Integers:
        return graphs.shuffled_returns(walks, order) if shuffle else walks.returns

    models.train(model, walks, returns, config.training(), batches)
    return model


def untrained(config: Config, seed: int) -> models.DecisionTransformer:
    """The model before its first update."""
    torch.manual_seed(seed)
    return models.DecisionTransformer(config.sizes())


@dataclass(frozen=True)
class Answers:
    """Generated paths by the return that was asked for."""

    steps: Integers
    """(returns asked for, start nodes): steps to the goal, 0 where it was not reached."""
    left_the_graph: Truths
    """(returns asked for, start nodes): whether a node was named that is no neighbour."""


def answers(
    config: Config,
    model: models.DecisionTransformer,
    adjacent: Truths,
    starts: Integers,
    *,
    neighbours_only: bool = False,
) -> Answers:
    """Ask the model at every start node for every return, failure included."""
    targets = models.every_target(config.walk_steps)
    rollouts = models.generate(
        model,
        adjacent,
        starts=np.tile(starts, len(targets)),
        asked=np.repeat(targets, len(starts)),
        walk_steps=config.walk_steps,
        neighbours_only=neighbours_only,
    )
    shape = (len(targets), len(starts))
    return Answers(rollouts.steps.reshape(shape), rollouts.left_the_graph.reshape(shape))


def measure(config: Config, seed: int) -> Outcome:
    """Everything that is measured on one graph; depends on the configuration and the seed alone."""
    random = np.random.default_rng((seed, 0))
    adjacent, distance, starts = draw_graph(config, random)
    walks = graphs.random_walks(adjacent, config.walks, config.walk_steps, random)
    shortest = distance[starts]
    best_walk = graphs.best_walk(walks, config.nodes)[starts]
    best_subwalk = graphs.best_subwalk(walks, config.nodes)[starts]

    model = trained(config, walks, seed, shuffle=False)
    transformer = answers(config, model, adjacent, starts)
    held_to_edges = answers(config, model, adjacent, starts, neighbours_only=True)
    shuffled = answers(config, trained(config, walks, seed, shuffle=True), adjacent, starts)
    before = answers(config, untrained(config, seed), adjacent, starts)

    rule_r = best_subwalk, np.arange(len(starts))
    """Which answer rule R picks for each start node: the return of the best recorded sub-walk."""
    solved = transformer.steps == shortest
    shares = {
        "random_walk_share": graphs.shortest_walk_share(walks, distance, starts),
        "data_best_walk": _share(best_walk == shortest),
        "data_best_subwalk": _share(best_subwalk == shortest),
        "dt_feasible": _share(solved[rule_r]),
        "dt_best_of_all_targets": _share(solved[FAILED + 1 :].any(axis=0)),
        "dt_infeasible": _share(solved[ONE_STEP]),
        "dt_shuffled": _share((shuffled.steps == shortest)[rule_r]),
        "dt_untrained": _share((before.steps == shortest)[rule_r]),
        "dt_non_neighbour": _share(transformer.left_the_graph[rule_r]),
        "dt_infeasible_non_neighbour": _share(transformer.left_the_graph[ONE_STEP]),
        "dt_feasible_on_edges": _share((held_to_edges.steps == shortest)[rule_r]),
        "dt_infeasible_on_edges": _share((held_to_edges.steps == shortest)[ONE_STEP]),
        "start_nodes_next_to_goal": _share(shortest == ONE_STEP),
    }
    from_starts = np.isin(walks.nodes[:, 0], starts)
    steps = {
        "random walks": walks.returns[from_starts].tolist(),
        "Decision Transformer": transformer.steps[rule_r].tolist(),
        "shortest paths": shortest.tolist(),
    }
    return Outcome(shares, steps)


def _share(true: Truths) -> float:
    return float(true.mean())


def keep(outcome: Outcome, path: Path) -> None:
    """Keep a graph's outcome for the plots of a run that is interrupted and resumed."""
    path.write_text(json.dumps(asdict(outcome)), "utf-8")


def kept(path: Path) -> Outcome:
    """What `keep` kept."""
    return Outcome(**json.loads(path.read_text("utf-8")))


def run(report: Report) -> None:
    """Measure the graphs that are left, then draw the plots from all of them."""
    from reproductions.dt_toy_graph import plots

    config = Config(**report.parameters)
    for index in report.remaining("graph", range(config.graphs)):
        outcome = measure(config, graph_seed(report.seed, index))
        for metric, share in outcome.shares.items():
            report.sample(metric, unit=f"graph {index}", value=share)
        none_lost = outcome.shares["dt_feasible"] >= outcome.shares["data_best_subwalk"]
        report.sample("none_lost", unit=f"graph {index}", value=float(none_lost), weight=1)
        keep(outcome, report.checkpoints / f"graph-{index}.json")
        report.finished("graph", index)
        report.progress(index + 1, config.graphs, "graphs")
    outcomes = [kept(report.checkpoints / f"graph-{index}.json") for index in range(config.graphs)]
    plots.shares([outcome.shares for outcome in outcomes], report.folder / "shares.png")
    report.artifact("shares.png", "Start nodes from which a shortest path was found, by condition")
    plots.steps([outcome.steps for outcome in outcomes], report.folder / "steps.png")
    report.artifact("steps.png", "Steps to the goal: random walks, Decision Transformer, shortest paths")


def main() -> None:
    """Run in the current folder, as kb's runner starts it."""
    torch.set_num_threads(1)
    with Report.open() as report:
        run(report)


if __name__ == "__main__":
    main()
