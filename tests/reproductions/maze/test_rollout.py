"""Episodes: what counts as reached, what they cost, and that they depend on nothing but seed and place."""

from collections.abc import Mapping

import numpy as np
import pytest
import torch

from reproductions.maze import geometry, rollout
from reproductions.maze.environment import GROUPS, Environments
from reproductions.maze.policy import Architecture, Edit, MazePolicy
from reproductions.maze.rollout import Rows, Running
from reproductions.maze.state import Cell, Maze, MazeError

pytestmark = pytest.mark.experiment

LAYER = "block1.res1.resadd"


def lost() -> MazePolicy:
    """A small network that knows nothing."""
    torch.manual_seed(0)
    return MazePolicy(Architecture(tiles=15, channels=(4, 4, 4), residuals=(1, 1, 1), hidden=16)).eval()


@pytest.fixture
def guided(monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of the policy: every mouse walks the shortest path to its cheese."""

    def act(
        policy: object, running: Mapping[int, Running], environments: Environments, edits_for: object
    ) -> np.ndarray:
        actions = np.full(environments.slots, 4)
        for slot, at in running.items():
            assert at.maze.cheese is not None
            moves = geometry.moves_towards(geometry.maze_distances(at.maze, at.maze.cheese)[None])[0]
            actions[slot] = GROUPS[moves[at.path[-1]]][0]
        return actions

    monkeypatch.setattr(rollout, "choose", act)


def test_walking_the_shortest_path_takes_its_length_and_gives_the_environments_reward(
    easy: Environments, guided: None
) -> None:
    mazes = [maze for maze in easy.levels(range(20)) if maze.mouse != maze.cheese][: easy.slots]
    episodes = rollout.rollouts(lost(), mazes, easy, budget=100, seed=0)
    for maze, episode in zip(mazes, episodes, strict=True):
        assert maze.cheese is not None
        way = geometry.path(maze, maze.mouse, maze.cheese)
        assert (episode.reached, episode.steps, episode.end) == (True, len(way) - 1, maze.cheese)
        assert episode.visited == frozenset(way)


def test_the_budget_ends_an_episode(easy: Environments, guided: None) -> None:
    far = [
        maze for maze in easy.levels(range(60))
        if maze.cheese and geometry.maze_distances(maze, maze.cheese)[maze.mouse] > 5
    ][:8]  # fmt: skip
    for episode in rollout.rollouts(lost(), far, easy, budget=5, seed=0):
        assert (episode.reached, episode.steps) == (False, 5)


def test_an_episode_depends_on_its_seed_and_place_not_on_what_runs_beside_it(easy: Environments) -> None:
    mazes, policy = easy.levels(range(30)), lost()
    together = rollout.rollouts(policy, mazes, easy, budget=25, seed=3)
    few = Environments("easy", 4)
    assert rollout.rollouts(policy, mazes, few, budget=25, seed=3) == together
    assert rollout.rollouts(policy, mazes, easy, budget=25, seed=4) != together


def one_by_one(
    mazes: list[Maze], budget: int, seed: int, edits: Mapping[int, Edit]
) -> list[tuple[Cell, ...]]:
    """The plainest loop there is: one environment, one maze at a time, every picture computed, nothing kept."""
    policy, environment = lost(), Environments("easy", 1)
    paths = []
    for index, maze in enumerate(mazes):
        chance = np.random.default_rng([seed, index])
        environment.place(0, maze)
        path = [maze.mouse]
        while path[-1] != maze.cheese and len(path) <= budget:
            edit = {LAYER: edits[index]} if index in edits else {}
            with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16), policy.editing(edit):
                logits = policy(torch.from_numpy(environment.frames()))
            below = torch.softmax(logits.double(), dim=1).cumsum(dim=1)[0].numpy()
            action = min(int((below < chance.random()).sum()), 14)
            environment.step(np.array([action]))
            path.append(rollout.moved(maze, path[-1], action))
        paths.append(tuple(path))
    return paths


def test_episodes_are_those_of_the_plainest_loop(easy: Environments) -> None:
    mazes = easy.levels(range(24))
    episodes = rollout.rollouts(lost(), mazes, easy, budget=30, seed=5)
    assert [episode.path for episode in episodes] == one_by_one(mazes, 30, 5, {})


def test_edited_episodes_are_those_of_the_plainest_loop_and_each_maze_has_its_own_edit(
    easy: Environments,
) -> None:
    mazes = easy.levels(range(24))
    edits: dict[int, Edit] = {
        index: lambda kept, by=index: kept * (1 - 0.5 * by) for index in range(0, len(mazes), 2)
    }

    def edits_for(rows: Rows) -> Mapping[str, Edit]:
        def edit(kept: torch.Tensor) -> torch.Tensor:
            return torch.stack(
                [edits[i](row) if i in edits else row for i, row in zip(rows.indices, kept, strict=True)]
            )

        return {LAYER: edit}

    episodes = rollout.rollouts(lost(), mazes, easy, edits_for, budget=30, seed=5)
    paths = [episode.path for episode in episodes]
    assert paths == one_by_one(mazes, 30, 5, edits)
    plain = [episode.path for episode in rollout.rollouts(lost(), mazes, easy, budget=30, seed=5)]
    assert paths != plain
    assert paths[1::2] == plain[1::2]


def test_another_target_ends_the_episode_and_so_does_the_cheese_on_the_way(
    easy: Environments, guided: None
) -> None:
    maze = next(
        m for m in easy.levels(range(40)) if m.cheese and len(geometry.path(m, m.mouse, m.cheese)) > 4
    )
    assert maze.cheese is not None
    way = geometry.path(maze, maze.mouse, maze.cheese)
    (early,) = rollout.rollouts(lost(), [maze], easy, budget=50, seed=0, targets=[way[2]])
    assert (early.reached, early.steps) == (True, 2)
    other = next(cell for cell in geometry.cells_of(maze.open_cells) if cell not in way)
    (taken,) = rollout.rollouts(lost(), [maze], easy, budget=50, seed=0, targets=[other])
    assert (taken.reached, taken.end) == (False, maze.cheese)


def test_a_target_where_the_mouse_stands_is_reached_at_once(easy: Environments) -> None:
    mazes = easy.levels([1, 2])
    episodes = rollout.rollouts(lost(), mazes, easy, budget=10, seed=0, targets=[m.mouse for m in mazes])
    assert [(episode.reached, episode.steps) for episode in episodes] == [(True, 0), (True, 0)]


def test_a_target_in_a_wall_is_one_line_before_anything_is_stepped(easy: Environments) -> None:
    (maze,) = easy.levels([1])
    wall = geometry.cells_of(~maze.open_cells)[0]
    for target in (wall, (99, 0)):
        with pytest.raises(MazeError, match=r"cell \(.*\) (is a wall|lies outside)") as caught:
            rollout.rollouts(lost(), [maze], easy, budget=5, seed=0, targets=[target])
        assert "\n" not in str(caught.value)


def test_the_way_is_kept_step_by_step(easy: Environments) -> None:
    (episode,) = rollout.rollouts(lost(), easy.levels([3]), easy, budget=12, seed=0)
    assert len(episode.path) == episode.steps + 1
    assert (frozenset(episode.path), episode.path[-1]) == (episode.visited, episode.end)
    assert [episode.after(steps) for steps in (0, 1, 500)] == [*episode.path[:2], episode.end]


def test_sampled_actions_follow_the_policys_distribution() -> None:
    class Fixed(MazePolicy):
        def forward(self, pictures: torch.Tensor) -> torch.Tensor:
            logits = torch.full((len(pictures), 15), -30.0)
            logits[:, 7], logits[:, 14] = np.log(0.3), np.log(0.7)
            return logits

    policy = Fixed(Architecture(tiles=15, channels=(2,), residuals=(1,), hidden=4))
    frames = np.zeros((1000, 64, 64, 3), np.uint8)
    with torch.inference_mode():
        below = rollout.cumulative(policy, frames)
    draws = (np.arange(1000) + 0.5) / 1000
    actions = [rollout.sampled(row, draw) for row, draw in zip(below, draws, strict=True)]
    assert set(actions) == {7, 14}
    assert abs(actions.count(7) / 1000 - 0.3) < 0.002
