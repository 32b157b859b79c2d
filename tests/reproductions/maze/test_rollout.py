"""Episodes: what counts as reached, what they cost, and that they depend on nothing but seed and place."""

import numpy as np
import pytest
import torch

from reproductions.maze import geometry, rollout
from reproductions.maze.environment import GROUPS, Environments
from reproductions.maze.policy import Architecture, MazePolicy
from reproductions.maze.state import Maze, MazeError

pytestmark = pytest.mark.experiment


def lost() -> MazePolicy:
    """A small network that knows nothing."""
    torch.manual_seed(0)
    return MazePolicy(Architecture(tiles=15, channels=(4, 4, 4), residuals=(1, 1, 1), hidden=16)).eval()


class Guided:
    """In place of sampling: walks the shortest path, looking up each picture's maze by the order of asking."""

    def __init__(self, mazes: list[Maze], monkeypatch: pytest.MonkeyPatch) -> None:
        self.cells = {index: maze.mouse for index, maze in enumerate(mazes)}
        monkeypatch.setattr(rollout, "sampled", self.act)
        self.moves = [
            geometry.moves_towards(geometry.maze_distances(maze, maze.cheese)[None])[0]  # type: ignore[arg-type]
            for maze in mazes
        ]
        self.mazes = mazes

    def act(self, policy: object, frames: np.ndarray, draws: np.ndarray) -> np.ndarray:
        running = [i for i in self.cells if self.cells[i] != self.mazes[i].cheese][: len(frames)]
        actions = []
        for index in running:
            action = GROUPS[self.moves[index][self.cells[index]]][0]
            self.cells[index] = rollout.moved(self.mazes[index], self.cells[index], action)
            actions.append(action)
        return np.array(actions)


def test_walking_the_shortest_path_takes_its_length_and_gives_the_environments_reward(
    easy: Environments, monkeypatch: pytest.MonkeyPatch
) -> None:
    mazes = [maze for maze in easy.levels(range(20)) if maze.mouse != maze.cheese][: easy.slots]
    Guided(mazes, monkeypatch)
    episodes = rollout.rollouts(lost(), mazes, easy, budget=100, seed=0)
    for maze, episode in zip(mazes, episodes, strict=True):
        assert maze.cheese is not None
        way = geometry.path(maze, maze.mouse, maze.cheese)
        assert (episode.reached, episode.steps, episode.end) == (True, len(way) - 1, maze.cheese)
        assert episode.visited == frozenset(way)


def test_the_budget_ends_an_episode(easy: Environments, monkeypatch: pytest.MonkeyPatch) -> None:
    far = [
        maze for maze in easy.levels(range(60))
        if maze.cheese and geometry.maze_distances(maze, maze.cheese)[maze.mouse] > 5
    ][:8]  # fmt: skip
    Guided(far, monkeypatch)
    for episode in rollout.rollouts(lost(), far, easy, budget=5, seed=0):
        assert (episode.reached, episode.steps) == (False, 5)


def test_an_episode_depends_on_its_seed_and_place_not_on_what_runs_beside_it(easy: Environments) -> None:
    mazes, policy = easy.levels(range(30)), lost()
    together = rollout.rollouts(policy, mazes, easy, budget=25, seed=3)
    few = Environments("easy", 4)
    assert rollout.rollouts(policy, mazes, few, budget=25, seed=3) == together
    assert rollout.rollouts(policy, mazes, easy, budget=25, seed=4) != together


def test_another_target_ends_the_episode_and_so_does_the_cheese_on_the_way(
    easy: Environments, monkeypatch: pytest.MonkeyPatch
) -> None:
    maze = next(
        m for m in easy.levels(range(40)) if m.cheese and len(geometry.path(m, m.mouse, m.cheese)) > 4
    )
    assert maze.cheese is not None
    way = geometry.path(maze, maze.mouse, maze.cheese)
    Guided([maze], monkeypatch)
    (early,) = rollout.rollouts(lost(), [maze], easy, budget=50, seed=0, targets=[way[2]])
    assert (early.reached, early.steps) == (True, 2)
    other = next(cell for cell in geometry.cells_of(maze.open_cells) if cell not in way)
    Guided([maze], monkeypatch)
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
    actions = rollout.sampled(policy, frames, (np.arange(1000) + 0.5) / 1000)
    assert set(actions) == {7, 14}
    assert abs((actions == 7).mean() - 0.3) < 0.002
