"""Graphs, walks and what the walks show, held against brute force."""

import itertools

import numpy as np
import pytest

from reproductions.dt_toy_graph import graph as graphs
from reproductions.dt_toy_graph.graph import FAILED, GOAL, Walks

SEEDS = range(12)


def drawn(seed: int, nodes: int = 7, probability: float = 0.15) -> graphs.Truths:
    return graphs.random_graph(nodes, probability, np.random.default_rng(seed))


def walked(seed: int, walks: int = 60, steps: int = 5) -> tuple[graphs.Truths, Walks]:
    adjacent = drawn(seed, nodes=8, probability=0.2)
    adjacent[0, 1] = adjacent[1, 0] = True
    return adjacent, graphs.random_walks(adjacent, walks, steps, np.random.default_rng(seed + 1))


def shortest_by_trying_all_paths(adjacent: graphs.Truths, start: int) -> int:
    others = [node for node in range(len(adjacent)) if node not in (start, GOAL)]
    for between in range(len(others) + 1):
        for path in itertools.permutations(others, between):
            full = (start, *path, GOAL)
            if all(adjacent[a, b] for a, b in itertools.pairwise(full)):
                return len(full) - 1
    return -1


@pytest.mark.parametrize("seed", SEEDS)
def test_shortest_paths_are_those_found_by_trying_all_paths(seed: int) -> None:
    adjacent = drawn(seed)
    expected = [0, *(shortest_by_trying_all_paths(adjacent, node) for node in range(1, len(adjacent)))]
    assert graphs.shortest_paths(adjacent).tolist() == expected


def test_a_graph_is_symmetric_without_loops_and_as_dense_as_two_draws_make_it() -> None:
    adjacent = drawn(3, nodes=200, probability=0.1)
    assert (adjacent == adjacent.T).all()
    assert not adjacent.diagonal().any()
    assert adjacent.mean() == pytest.approx(1 - 0.9**2, abs=0.01)


def test_start_nodes_leave_out_the_goal_the_cut_off_and_the_too_far() -> None:
    assert graphs.start_nodes(np.array([0, 1, -1, 3, 4]), walk_steps=3).tolist() == [1, 3]


@pytest.mark.parametrize("seed", SEEDS)
def test_walks_follow_edges_and_end_at_the_goal(seed: int) -> None:
    adjacent, walks = walked(seed)
    for nodes, length, arrived in zip(walks.nodes, walks.lengths, walks.arrived, strict=True):
        path = nodes[: length + 1]
        assert all(adjacent[a, b] for a, b in itertools.pairwise(path))
        assert GOAL not in path[:-1]
        assert arrived == (path[-1] == GOAL)
        assert arrived or length == 5


@pytest.mark.parametrize("seed", SEEDS)
def test_best_walks_and_sub_walks_are_those_found_by_reading_every_walk(seed: int) -> None:
    adjacent, walks = walked(seed)
    best_walk: dict[int, int] = {}
    best_subwalk: dict[int, int] = {}
    for nodes, length in zip(walks.nodes[walks.arrived], walks.lengths[walks.arrived], strict=True):
        first = int(nodes[0])
        best_walk[first] = min(best_walk.get(first, 99), int(length))
        for at in range(length):
            node = int(nodes[at])
            best_subwalk[node] = min(best_subwalk.get(node, 99), int(length) - at)
    count = len(adjacent)
    assert graphs.best_walk(walks, count).tolist() == [best_walk.get(n, FAILED) for n in range(count)]
    assert graphs.best_subwalk(walks, count).tolist() == [best_subwalk.get(n, FAILED) for n in range(count)]


def test_a_sub_walk_counts_from_its_last_passage_through_a_node() -> None:
    walks = Walks(np.array([[2, 1, 2, 3, 0, 0]]), np.array([4]), np.array([True]))
    assert graphs.best_subwalk(walks, 5).tolist() == [FAILED, 3, 2, 1, FAILED]
    assert graphs.best_walk(walks, 5).tolist() == [FAILED, FAILED, 4, FAILED, FAILED]


def test_no_recorded_sub_walk_is_shorter_than_a_shortest_path() -> None:
    adjacent, walks = walked(5, walks=400)
    distance, best = graphs.shortest_paths(adjacent), graphs.best_subwalk(walks, len(adjacent))
    assert (best[best != FAILED] >= distance[best != FAILED]).all()


def test_returns_count_down_to_one_step_and_failure_stays_failure() -> None:
    counted = graphs.returns_to_go(np.array([4, 1, FAILED]), 5)
    assert counted.tolist() == [[4, 3, 2, 1, 1], [1, 1, 1, 1, 1], [FAILED] * 5]


def test_shuffled_returns_are_the_same_ones_at_other_walks() -> None:
    _, walks = walked(2, walks=500)
    random = np.random.default_rng(0)
    first, second = graphs.shuffled_returns(walks, random), graphs.shuffled_returns(walks, random)
    assert sorted(first.tolist()) == sorted(walks.returns.tolist())
    assert (first != walks.returns).any()
    assert (first != second).any()


def test_shuffled_returns_say_nothing_about_the_walk() -> None:
    _, walks = walked(2, walks=4000)
    shuffled = graphs.shuffled_returns(walks, np.random.default_rng(1))
    assert abs(np.corrcoef(shuffled, walks.returns)[0, 1]) < 0.05


def test_the_share_of_shortest_walks_counts_walks_from_start_nodes_alone() -> None:
    nodes = np.array([[1, 0, 0], [1, 2, 1], [2, 1, 0], [3, 4, 3]])
    walks = Walks(nodes, np.array([1, 2, 2, 2]), np.array([True, False, True, False]))
    distance = np.array([0, 1, 2, -1, -1])
    assert graphs.shortest_walk_share(walks, distance, np.array([1, 2])) == pytest.approx(2 / 3)
