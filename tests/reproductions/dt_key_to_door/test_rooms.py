"""The rooms' rules, and the random policy's success held against an exact calculation."""

import numpy as np
import pytest

from reproductions.dt_key_to_door import rooms
from reproductions.dt_key_to_door.rooms import FIRST, KEY, SECOND, THIRD, Episodes, Layout

LAYOUT = Layout(size=4, room_steps=8)
NORTH, SOUTH, WEST, EAST = range(4)


def played(actions: list[int], first_cells: tuple[int, int, int], layout: Layout = LAYOUT) -> Episodes:
    """One episode of given actions; the last is repeated."""

    def policy(time: int, states: rooms.Integers) -> rooms.Integers:
        return np.array([actions[min(time, len(actions) - 1)]])

    return rooms.play(layout, policy, np.array([first_cells]))


def test_walls_hold_the_player_back() -> None:
    corners = np.array([0, 3, 12, 15])
    moved = [rooms.moved(LAYOUT, corners, np.full(4, action)).tolist() for action in range(4)]
    assert moved == [[0, 3, 8, 11], [4, 7, 12, 15], [0, 2, 12, 14], [1, 3, 13, 15]]


def test_the_door_opens_for_who_took_the_key_and_that_ends_the_episode() -> None:
    episode = played([NORTH] * 8 + [EAST] * 8 + [SOUTH, EAST], first_cells=(8, 0, 10))
    assert episode.took_key.tolist() == [True]
    assert episode.opened.tolist() == [True]
    assert episode.lengths.tolist() == [18]


def test_the_door_stays_shut_for_who_did_not() -> None:
    episode = played([EAST] * 16 + [SOUTH, EAST], first_cells=(8, 0, 10))
    assert episode.took_key.tolist() == [False]
    assert episode.opened.tolist() == [False]
    assert episode.lengths.tolist() == [LAYOUT.steps]


def test_the_key_is_taken_in_the_first_room_alone() -> None:
    episode = played([EAST] * 8 + [NORTH] * 8 + [SOUTH], first_cells=(9, 8, 11))
    assert not episode.took_key[0]


def test_a_key_reached_by_the_last_step_in_the_room_counts() -> None:
    taken = played([NORTH] * 7 + [WEST] + [SOUTH], first_cells=(1, 0, 11))
    assert taken.took_key.tolist() == [True]
    assert taken.opened.tolist() == [True]


def test_nothing_seen_after_the_first_room_tells_whether_the_key_is_held() -> None:
    cells = np.arange(LAYOUT.cells)
    for room in (SECOND, THIRD):
        held, not_held = (
            rooms.observed(LAYOUT, room, cells, np.full(len(cells), has_key)) for has_key in (True, False)
        )
        assert (held == not_held).all()


def test_pictures_of_rooms_are_told_apart_and_the_key_is_seen_lying_there() -> None:
    cells, nothing = np.arange(LAYOUT.cells), np.zeros(LAYOUT.cells, dtype=bool)
    seen = [rooms.observed(LAYOUT, room, cells, nothing) for room in (FIRST, SECOND, THIRD)]
    seen.append(rooms.observed(LAYOUT, FIRST, cells, ~nothing))
    assert sorted(np.concatenate(seen).tolist()) == list(range(LAYOUT.states))


def test_players_appear_anywhere_but_on_the_key_and_the_door() -> None:
    cells = rooms.starts(LAYOUT, 5000, np.random.default_rng(0))
    everywhere = set(range(LAYOUT.cells))
    assert set(cells[:, FIRST].tolist()) == everywhere - {KEY}
    assert set(cells[:, SECOND].tolist()) == everywhere
    assert set(cells[:, THIRD].tolist()) == everywhere - {LAYOUT.door}


def chance_of_reaching(layout: Layout, target: int) -> float:
    """Exact probability that random moves from a random other cell reach the target within the room's steps."""
    step = np.zeros((layout.cells, layout.cells))
    cells = np.arange(layout.cells)
    for action in range(rooms.ACTIONS):
        step[cells, rooms.moved(layout, cells, np.full(layout.cells, action))] += 1 / rooms.ACTIONS
    step[target] = cells == target
    start = (cells != target) / (layout.cells - 1)
    return float((start @ np.linalg.matrix_power(step, layout.room_steps))[target])


def test_the_random_policy_opens_the_door_as_often_as_calculated_and_as_the_manifest_says() -> None:
    exact = chance_of_reaching(LAYOUT, KEY) * chance_of_reaching(LAYOUT, LAYOUT.door)
    assert round(100 * exact, 2) == 3.10
    random = np.random.default_rng(1)
    episodes = rooms.play(LAYOUT, rooms.random_policy(random), rooms.starts(LAYOUT, 40_000, random))
    assert episodes.opened.mean() == pytest.approx(exact, abs=4 * (exact / 40_000) ** 0.5)


def test_the_scripted_policy_always_opens_the_door() -> None:
    starts = rooms.starts(LAYOUT, 1000, np.random.default_rng(2))
    assert rooms.play(LAYOUT, rooms.scripted_policy(LAYOUT), starts).opened.all()


def test_chosen_episodes_are_whole() -> None:
    random = np.random.default_rng(3)
    episodes = rooms.play(LAYOUT, rooms.random_policy(random), rooms.starts(LAYOUT, 500, random))
    successes = episodes.chosen(episodes.opened)
    assert len(successes) == episodes.opened.sum() > 0
    assert successes.took_key.all()
    assert (successes.lengths > 2 * LAYOUT.room_steps).all()
