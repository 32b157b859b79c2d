"""Pictures for probes: what is in them, and that no level or small layout is on both sides of a split."""

import numpy as np
import pytest

from reproductions.maze import geometry, networks, probe_data
from reproductions.maze.environment import Environments
from reproductions.maze.imitation import HELD_OUT_SEEDS
from reproductions.maze.linear_probe import FOLDS
from reproductions.maze.networks import Network
from reproductions.maze.policy import Architecture, MazePolicy
from reproductions.maze.probe_data import Pictures
from reproductions.maze.state import Maze

pytestmark = pytest.mark.experiment


@pytest.fixture(scope="module")
def pictures(easy: Environments) -> Pictures:
    return drawn(easy)


def drawn(easy: Environments) -> Pictures:
    wanted = {3: 24, 5: 24, 9: 8}
    return probe_data.pictures(easy, wanted, HELD_OUT_SEEDS, np.random.default_rng(3))


def test_no_level_comes_twice_and_no_layout_is_in_two_folds(pictures: Pictures, easy: Environments) -> None:
    assert len(set(pictures.levels.tolist())) == len(pictures)
    assert all(int(seed) in HELD_OUT_SEEDS for seed in pictures.levels)
    fold_of: dict[bytes, int] = {}
    levels = easy.levels(int(seed) for seed in pictures.levels)
    for maze, fold in zip(levels, pictures.folds.tolist(), strict=True):
        assert fold_of.setdefault(probe_data.layout(maze), fold) == fold
    smallest = pictures.folds[pictures.sizes == 3]
    assert set(smallest.tolist()) == set(range(FOLDS)), "each of the four layouts is left out once"
    fives = [probe_data.layout(maze) for maze in levels if maze.size == 5]
    assert len(set(fives)) == len(fives), "a layout of size 5 counts once"


def test_the_same_seed_gives_the_same_pictures(pictures: Pictures, easy: Environments) -> None:
    again = drawn(easy)
    for name in ("frames", "cheese", "levels", "folds", "seen"):
        assert np.array_equal(getattr(again, name), getattr(pictures, name))


def test_labels_are_the_cells_where_the_picture_shows_cheese(easy: Environments, kept: Maze) -> None:
    if kept.world != easy.world:
        pytest.skip("the environments are easy ones")
    bare = easy.draw([kept.with_cheese(None)])[0].astype(int)
    for cell in geometry.cells_of(kept.open_cells)[::9]:
        if cell == kept.mouse:
            continue
        shown = np.abs(easy.draw([kept.with_cheese(cell)])[0].astype(int) - bare).sum(axis=2)
        middle = np.argwhere(shown > 0).mean(axis=0) + 0.5
        row, column = (middle * kept.world / 64).astype(int)
        assert probe_data.cell_number(cell, kept.world) == row * kept.world + column


def test_cheese_and_mouse_are_on_different_open_cells_and_everywhere(kept: Maze) -> None:
    generator = np.random.default_rng(0)
    moved = [probe_data.with_any_cheese_and_mouse(kept, generator) for _ in range(300)]
    assert all(maze.cheese and maze.open_cells[maze.cheese] and maze.cheese != maze.mouse for maze in moved)
    rows = [maze.cheese[0] for maze in moved if maze.cheese]
    assert min(rows) == kept.margin
    assert max(rows) == kept.margin + kept.size - 1
    assert len({maze.faces_right for maze in moved}) == 2


def test_cheese_was_seen_in_training_only_in_the_top_right_5_by_5(pictures: Pictures) -> None:
    within = (pictures.from_corner < 5).all(axis=1)
    assert not pictures.seen[~within].any()
    # Of the smallest mazes the mouse's start lies in that region too, but no cheese was put there.
    start = (pictures.from_corner == (pictures.sizes - 1)[:, None]).all(axis=1)
    assert np.array_equal(pictures.seen, within & ~start)


def test_shuffled_labels_stay_with_their_size(pictures: Pictures) -> None:
    dealt = probe_data.shuffled(pictures.cheese, pictures.sizes, seed=1)
    assert not np.array_equal(dealt, pictures.cheese)
    for size in (3, 5, 9):
        here = pictures.sizes == size
        assert sorted(dealt[here].tolist()) == sorted(pictures.cheese[here].tolist())


def test_every_layer_is_read_once_or_only_what_blocks_hand_on() -> None:
    network = Network(MazePolicy(Architecture(tiles=15, channels=(2,), residuals=(1,), hidden=4)), False)
    some = probe_data.stages(network, everything=False)
    assert some == ("block1.conv", "block1.maxpool", "block1.res1.resadd", "relu3", "fc", "relufc")
    every = probe_data.stages(network, everything=True)
    assert set(some) < set(every)
    assert set(network.policy.layers()) - set(every) == {"flatten"}


def test_the_picture_is_resampled_as_the_network_does(pictures: Pictures) -> None:
    network = networks.untrained(Network(MazePolicy(Architecture(tiles=15)), False), 0)
    seen: list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]] = []
    network.policy.layer("block1.conv").register_forward_pre_hook(
        lambda module, inputs: seen.append(inputs[0])
    )
    network.policy.activations(pictures.frames[:3], ["block1.conv"])
    np.testing.assert_allclose(probe_data.pixels(pictures.frames[:3], 30), seen[0], atol=1e-6)
