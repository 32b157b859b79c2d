"""Probes find what is linearly there, and nothing else."""

import dataclasses

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("scipy")

import torch

from reproductions.maze import linear_probe
from reproductions.maze.linear_probe import FOLDS, Recipe

CELLS = 5


def planted(
    locations: int, seed: int = 0, count: int = 240
) -> tuple[torch.Tensor, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Activations whose channels 0 and 1 differ where the cheese is; everything else is noise."""
    generator = np.random.default_rng(seed)
    laid = linear_probe.grid(2 * CELLS, locations, CELLS)
    labels = generator.integers(0, CELLS * CELLS, count)
    values = generator.normal(size=(count, 16 + laid.phases**2, locations, locations)) * 0.3
    for picture, label in enumerate(labels):
        row, column = divmod(int(label), CELLS)
        sign = int(laid.phase[row] * laid.phases + laid.phase[column])
        values[picture, sign, laid.start[row], laid.start[column]] += 3
    return torch.tensor(values, dtype=torch.float16), labels


def accuracy(
    values: torch.Tensor, locations: int, labels: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> float:
    """Of the tied probe on the half of the pictures that it has not learned from."""
    layer = linear_probe.located([*values.split(100)], linear_probe.grid(2 * CELLS, locations, CELLS))
    member = (np.arange(len(labels)) % 2 == 0)[:, None]
    weights = linear_probe.fit_tied(layer, labels[:, None], member, Recipe(), seed=0)
    right = linear_probe.tied_cells(layer, weights)[:, 0] == labels
    return float(right[~member[:, 0]].mean())


@pytest.mark.parametrize(("locations", "count"), [(10, 240), (5, 240), (3, 600), (2, 1800)])
def test_the_tied_probe_finds_a_planted_code_on_finer_equal_and_coarser_grids(
    locations: int, count: int
) -> None:
    values, labels = planted(locations, count=count)
    assert accuracy(values, locations, labels) > 0.9


def test_the_tied_probe_is_at_chance_on_shuffled_labels() -> None:
    values, labels = planted(5)
    dealt = np.random.default_rng(9).permutation(labels)
    assert accuracy(values, 5, dealt) < 0.15


def test_the_flat_probe_finds_a_planted_code_and_is_at_chance_on_shuffled_labels() -> None:
    values, labels = planted(5, count=600)
    inner = linear_probe.gram(values.split(100), chunk=100)
    member = np.arange(len(labels)) % 4 > 0
    right = linear_probe.flat_cells(inner, labels, member, 0.01) == labels
    assert right[~member].mean() > 0.9
    dealt = np.random.default_rng(9).permutation(labels)
    right = linear_probe.flat_cells(inner, dealt, member, 0.01) == dealt
    assert right[~member].mean() < 0.15


def test_inner_products_are_those_of_the_features_and_a_constant() -> None:
    features = torch.tensor(np.random.default_rng(0).normal(size=(7, 5, 6))).half()
    plain = features.flatten(1).double().numpy()
    found = linear_probe.gram(features.split(3), chunk=8)
    np.testing.assert_allclose(found, plain @ plain.T + 1, rtol=1e-4)


def test_a_column_learns_nothing_from_pictures_that_are_not_its_members() -> None:
    values, labels = planted(5)
    layer = linear_probe.located([*values.split(100)], linear_probe.grid(2 * CELLS, 5, CELLS))
    member = np.arange(len(labels)) % 3 > 0
    elsewhere = np.where(member, labels, (labels + 7) % CELLS**2)
    both = [
        linear_probe.fit_tied(layer, other[:, None], member[:, None], Recipe(epochs=2), seed=0)
        for other in (labels, elsewhere)
    ]
    assert torch.equal(both[0], both[1])
    features = layer.features.clone()
    features[torch.from_numpy(~member)] = 1
    scrambled = dataclasses.replace(layer, features=features)
    again = linear_probe.fit_tied(scrambled, labels[:, None], member[:, None], Recipe(epochs=2), seed=0)
    assert torch.allclose(both[0], again, atol=1e-5)
    inner = linear_probe.gram([values])
    flat = [linear_probe.flat_cells(inner, other, member, 0.01) for other in (labels, elsewhere)]
    assert (flat[0] == flat[1]).all()


def test_columns_leave_out_every_fold_and_every_pair_of_folds() -> None:
    folds = np.arange(20) % FOLDS
    splits = linear_probe.splits(folds)
    assert len(splits.left_out) == FOLDS + FOLDS * (FOLDS - 1) // 2
    for column, out in enumerate(splits.left_out):
        assert set(folds[splits.members[:, column]]) == set(range(FOLDS)) - set(out)


@pytest.mark.parametrize(("side", "locations"), [(50, 50), (50, 25), (50, 13), (50, 7), (64, 64), (64, 32), (64, 16), (64, 8)])  # fmt: skip
def test_every_cell_has_a_place_of_its_own_on_every_grid_of_both_networks(side: int, locations: int) -> None:
    laid = linear_probe.grid(side, locations, 25)
    rows = locations**2 if laid.phases > 1 else 25**2
    cells = linear_probe.place_of_cells(laid, locations)
    assert len(set(cells.tolist())) == 25 * 25
    assert int(cells.max()) < rows * laid.phases**2
    assert laid.start.min() >= 0
    assert laid.start.max() + laid.window <= locations
    features = linear_probe.windows(torch.zeros(2, 3, locations, locations), laid)
    assert features.shape == (2, rows, 3 * laid.window**2)


def test_a_cell_of_our_own_networks_is_one_location_of_the_first_block() -> None:
    laid = linear_probe.grid(50, 25, 25)
    assert laid.start.tolist() == list(range(25))
    assert (laid.window, laid.phases) == (1, 1)
    fine = linear_probe.grid(50, 50, 25)
    assert fine.start.tolist() == list(range(0, 50, 2))
    assert (fine.window, fine.phases) == (2, 1)
