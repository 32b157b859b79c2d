"""The graph, its random walks and what the walks themselves show: everything that needs no learning.

Chen et al. 2021, "Decision Transformer", arXiv 2106.01345, introduction and Figure 2: finding the shortest
path to a goal node is reinforcement learning when the reward is 0 at the goal and -1 elsewhere. The data are
random walks. The return-to-go of a node in a walk is then minus the steps from it to the goal, and is kept
here as that number of steps, with FAILED for a walk that never arrives (the paper's minus infinity is one
more token).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

GOAL = 0
FAILED = 0
"""Return-to-go token of a walk that never reaches the goal; token k > 0 is a return of minus k steps."""

Integers = NDArray[np.int64]
Truths = NDArray[np.bool_]


@dataclass(frozen=True)
class Walks:
    """Random walks over one graph, the training data."""

    nodes: Integers
    """(walks, steps + 1): the nodes in order; the last one is repeated after the end."""
    lengths: Integers
    """(walks,): steps until the goal, or all steps where the goal was not reached."""
    arrived: Truths
    """(walks,): whether the walk ended at the goal."""

    @property
    def returns(self) -> Integers:
        """(walks,): return-to-go token at the first node."""
        return np.where(self.arrived, self.lengths, FAILED)


def random_graph(nodes: int, edge_probability: float, random: np.random.Generator) -> Truths:
    """A random graph: each ordered pair of nodes drawn with the probability, then made symmetric.

    Returns:
        (nodes, nodes) symmetric adjacency without loops.
    """
    drawn = random.random((nodes, nodes)) < edge_probability
    adjacent = drawn | drawn.T
    np.fill_diagonal(adjacent, False)
    return np.asarray(adjacent)


def shortest_paths(adjacent: Truths) -> Integers:
    """Steps of a shortest path from each node to the goal, breadth first.

    Returns:
        (nodes,): 0 at the goal, -1 where no path leads there.
    """
    distance = np.full(len(adjacent), -1, dtype=np.int64)
    distance[GOAL] = 0
    frontier = distance == 0
    steps = 0
    while frontier.any():
        steps += 1
        frontier = adjacent[frontier].any(axis=0) & (distance < 0)
        distance[frontier] = steps
    return distance


def start_nodes(distance: Integers, walk_steps: int) -> Integers:
    """Nodes other than the goal from which it can be reached within the length of a walk."""
    return np.flatnonzero((distance > 0) & (distance <= walk_steps))


def random_walks(adjacent: Truths, walks: int, steps: int, random: np.random.Generator) -> Walks:
    """Walks from uniform start nodes (the goal excepted) to uniform neighbours, ended by the goal.

    Args:
        adjacent: (nodes, nodes); at least one node besides the goal must have a neighbour.
    """
    neighbours = [np.flatnonzero(row) for row in adjacent]
    starts = [node for node, around in enumerate(neighbours) if node != GOAL and len(around)]
    nodes = np.empty((walks, steps + 1), dtype=np.int64)
    lengths = np.full(walks, steps, dtype=np.int64)
    for walk in range(walks):
        node = int(random.choice(starts))
        nodes[walk, 0] = node
        for step in range(1, steps + 1):
            node = int(random.choice(neighbours[node]))
            nodes[walk, step] = node
            if node == GOAL:
                nodes[walk, step:] = GOAL
                lengths[walk] = step
                break
    return Walks(nodes, lengths, arrived=nodes[:, -1] == GOAL)


def returns_to_go(first: Integers, steps: int) -> Integers:
    """Return-to-go tokens along walks: one step fewer to go at each step, failure stays failure.

    The count stops at one step to go: a walk that is not at the goal has at least that before it.

    Args:
        first: (walks,) token at the first node.
        steps: how many nodes of each walk get one.

    Returns:
        (walks, steps).
    """
    counted = np.maximum(first[:, None] - np.arange(steps)[None, :], 1)
    return np.where(first[:, None] == FAILED, FAILED, counted)


def shuffled_returns(walks: Walks, random: np.random.Generator) -> Integers:
    """The control's returns: each walk gets the return of a walk drawn without replacement.

    Returns:
        (walks,) tokens, the same ones in another order.
    """
    return random.permutation(walks.returns)


def best_walk(walks: Walks, nodes: int) -> Integers:
    """For each node, the fewest steps to the goal in a recorded walk that starts there (FAILED: none)."""
    arrived = walks.arrived
    return _fewest(walks.nodes[arrived, 0], walks.lengths[arrived], nodes)


def best_subwalk(walks: Walks, nodes: int) -> Integers:
    """For each node, the fewest steps to the goal in a recorded walk from its passage there (FAILED: none).

    This is rule R: the return that the model is asked for at each start node.
    """
    steps = walks.nodes.shape[1] - 1
    to_go = walks.lengths[:, None] - np.arange(steps)[None, :]
    counts = walks.arrived[:, None] & (to_go > 0)
    return _fewest(walks.nodes[:, :-1][counts], to_go[counts], nodes)


def shortest_walk_share(walks: Walks, distance: Integers, starts: Integers) -> float:
    """Share of the recorded walks from start nodes that are shortest paths."""
    first = walks.nodes[:, 0]
    counted = np.isin(first, starts)
    shortest = walks.arrived & (walks.lengths == distance[first])
    return float(shortest[counted].mean()) if counted.any() else 0.0


def _fewest(at: Integers, steps: Integers, nodes: int) -> Integers:
    fewest = np.full(nodes, np.iinfo(np.int64).max)
    np.minimum.at(fewest, at, steps)
    return np.where(fewest == np.iinfo(np.int64).max, FAILED, fewest)
