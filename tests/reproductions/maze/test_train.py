"""Training at toy size: what it learns from, that it goes on exactly where it stopped, what it ships."""

import itertools
import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from reproductions.maze import geometry, imitation, train
from reproductions.maze.environment import Environments
from reproductions.maze.imitation import Sampling
from reproductions.maze.policy import MazePolicy
from reproductions.maze.state import MazeError
from tests.reproductions.maze.conftest import opened

pytestmark = pytest.mark.experiment

TINY = train.Recipe(
    "easy", shards=4, batch=16, warmup=2, channels=(4, 4, 4), residuals=(3, 1, 1), sampling=Sampling(mice=4)
)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(train, "SHARD_LEVELS", 8)
    monkeypatch.setattr(imitation, "SLOTS", 8)
    monkeypatch.setattr(train, "SHIPPED", tmp_path / "weights")


def test_the_cheese_is_always_in_the_top_right_and_the_move_is_the_experts(easy: Environments) -> None:
    generator = np.random.default_rng(0)
    mazes = imitation.training_levels(easy, 20, imitation.TRAINING_SEEDS, Sampling(), generator)
    for maze in mazes:
        assert maze.cheese is not None
        assert geometry.corner_region(maze, "top-right")[maze.cheese]
        assert maze.cheese != maze.start
        assert maze.seed in imitation.TRAINING_SEEDS
    data = imitation.samples(easy, 6, imitation.TRAINING_SEEDS, Sampling(), generator)
    assert data.frames.shape == (48, 64, 64, 3)
    assert set(data.moves) <= {0, 1, 2, 3}
    for level, move in zip(data.level, data.moves, strict=True):
        assert (data.fields[level] == move).any()


def test_seeds_of_training_development_and_held_out_levels_do_not_meet() -> None:
    ranges = (imitation.TRAINING_SEEDS, imitation.DEVELOPMENT_SEEDS, imitation.HELD_OUT_SEEDS)
    ordered = sorted(ranges, key=lambda seeds: seeds.start)
    assert all(one.stop <= other.start for one, other in itertools.pairwise(ordered))
    assert ordered[-1].stop < 2**31 - 1


def test_the_fields_lie_on_the_picture_as_the_mouse_does(easy: Environments) -> None:
    """Row 0 of the grid is at the bottom of the picture: a flip would teach every cell its mirror's move."""
    maze = easy.levels([12])[0]
    for cell in geometry.cells_of(maze.open_cells)[::7]:
        other = next(c for c in geometry.cells_of(maze.open_cells) if c != cell)
        one, two = easy.draw([maze.with_mouse(cell), maze.with_mouse(other)])
        changed = (one != two).any(axis=2)
        row, column = maze.world - 1 - cell[0], cell[1]
        scale = 64 / maze.world
        assert changed[
            int(row * scale) : int((row + 1) * scale), int(column * scale) : int((column + 1) * scale)
        ].any()


def test_a_training_that_was_stopped_goes_on_exactly_where_it_was(tmp_path: Path) -> None:
    whole, record = train.train(TINY, 5, tmp_path / "whole", save_every=1, measure_every=2)
    half = train.Trainer(TINY, 5)
    half.train_shard()
    half.train_shard()
    state = {"trainer": half.state()}
    torch.save(state, tmp_path / "state.pt")
    resumed = train.Trainer(TINY, 5)
    resumed.restore(torch.load(tmp_path / "state.pt", weights_only=True)["trainer"])
    resumed.train_shard()
    resumed.train_shard()
    for name, tensor in whole.policy.state_dict().items():
        assert torch.equal(tensor, resumed.policy.state_dict()[name]), name
    assert [point["samples"] for point in record["curve"]] == [64, 128]


def test_training_again_in_a_finished_folder_changes_nothing(tmp_path: Path) -> None:
    first, record = train.train(TINY, 5, tmp_path / "run", measure_every=2)
    again, same = train.train(TINY, 5, tmp_path / "run", measure_every=2)
    assert same["curve"] == record["curve"]
    for name, tensor in first.policy.state_dict().items():
        assert torch.equal(tensor, again.policy.state_dict()[name])


def test_another_recipes_progress_is_refused_in_one_line(tmp_path: Path) -> None:
    train.train(replace(TINY, shards=1), 5, tmp_path / "run")
    with pytest.raises(MazeError, match="another training") as caught:
        train.train(TINY, 6, tmp_path / "run")
    assert "\n" not in str(caught.value)


def test_weights_are_taken_over_where_they_fit(tmp_path: Path) -> None:
    easy = train.Trainer(TINY, 0)
    easy.policy.save(tmp_path / "easy-0.safetensors")
    hard = train.Trainer(replace(TINY, mode="hard"), 1, tmp_path / "easy-0.safetensors")
    assert hard.taken_over == len(easy.policy.state_dict()) - 1  # all but fc, which sees more cells
    ours, theirs = hard.policy.state_dict(), easy.policy.state_dict()
    assert torch.equal(ours["embedder.block1.res2.conv1.weight"], theirs["embedder.block1.res2.conv1.weight"])
    with pytest.raises(MazeError, match="no weights"):
        train.Trainer(TINY, 0, tmp_path / "none.safetensors")


def test_what_ships_says_how_it_was_made_and_loads(tmp_path: Path) -> None:
    trainer, record = train.train(replace(TINY, shards=2), 5, tmp_path / "run", measure_every=1)
    path = train.ship(trainer, record, episodes=12)
    account = json.loads(path.with_suffix(".json").read_text("utf-8"))
    assert account["seed"] == 5
    assert account["samples"] == 2 * 8 * 4
    assert account["top_right_success"]["episodes"] == 12
    assert account["learning_curve"] == record["curve"]
    loaded = MazePolicy.load(path)
    for name, tensor in trainer.policy.state_dict().items():
        assert torch.equal(tensor, loaded.state_dict()[name])


WEIGHTS = sorted((Path(train.__file__).parent / "weights").glob("*.safetensors"))


@pytest.mark.parametrize("path", WEIGHTS, ids=lambda path: path.stem)
def test_shipped_weights_find_the_cheese_and_have_their_account(path: Path) -> None:
    account = json.loads(path.with_suffix(".json").read_text("utf-8"))
    mode, seed = path.stem.split("-")
    assert (account["mode"], account["seed"]) == (mode, int(seed))
    assert account["recipe"] == json.loads(json.dumps(asdict(train.RECIPES[mode])))
    assert {"cpu_seconds", "learning_curve", "start_from", "times_resumed"} <= account.keys()
    counts = account["top_right_success"]
    assert counts["episodes"] >= 400
    assert sum(reached for reached, _ in counts["by_size"].values()) == counts["reached"]
    policy, environments = MazePolicy.load(path), opened(mode, 16)
    assert sum(parameter.numel() for parameter in policy.parameters()) == account["parameters"]
    again = train.success(policy, environments, imitation.DEVELOPMENT_SEEDS, 16, seed=1)
    assert again["reached"] >= 12  # a network that knows nothing reaches about a third, in the smallest mazes
