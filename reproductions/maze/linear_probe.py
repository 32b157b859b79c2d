"""Linear probes for a cell of the maze: in which cell is the cheese, by a linear read-out of one layer?

A linear probe (Alain and Bengio 2016, arXiv 1610.01644) is a classifier without hidden layers on activations that are
not changed. Here the classes are the cells of the world, and it comes in two forms:

- tied: one weight vector shared by all locations of a layer gives every cell its logit; softmax over the cells. It
  is the flat probe with tied weights, so it reads nothing that a flat probe could not, from far fewer numbers.
- flat: every cell has weights of its own over the whole layer, flattened; ridge regression on the one-hot cell.
  With more features than pictures it fits anything that it is shown.

Probes of all splits of the data are fitted at once, as columns.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import blas, cho_factor, cho_solve
from torch import Tensor

Labels: TypeAlias = NDArray[np.int64]
Members: TypeAlias = NDArray[np.bool_]
FOLDS = 4
"""As many as a 3x3 maze has layouts, so that each is left out once."""


@dataclass(frozen=True)
class Grid:
    """Which activations of a layer stand for a cell, along one axis; rows and columns are alike.

    Where locations are finer than cells, the window of locations that covers a cell stands for it, their channels
    side by side. Where they are coarser, it is the last location whose pooled pixels are not centred beyond the
    cell's middle; cells that share one have weights of their own by their `phase`, the place that they have in it.
    """

    start: NDArray[np.int64]
    """Shape (cells,): first location of a cell's window."""
    window: int
    """Locations across a cell's window."""
    phase: NDArray[np.int64]
    """Shape (cells,): 0 where locations are not coarser than cells."""
    phases: int


def grid(side: int, locations: int, cells: int) -> Grid:
    """How cells and locations lie over each other.

    Args:
        side: pixels across the picture that the first convolution sees.
        locations: of the layer, across; halved by each pooling (3 wide, in steps of 2), so that location i is
            centred on pixel stride * i.
        cells: of the world, across.
    """
    stride = 1
    while math.ceil(side / stride) > locations:
        stride *= 2
    centre = ((np.arange(cells) + 0.5) * side / cells - 0.5) / stride
    per_cell = side / cells / stride
    window = max(1, round(per_cell))
    phases = max(1, math.ceil(1 / per_cell - 1e-9))
    if phases > 1:
        start = np.floor(centre).astype(np.int64)
        return Grid(start, window, np.floor((centre - start) * phases).astype(np.int64), phases)
    start = np.clip(np.round(centre - (window - 1) / 2).astype(np.int64), 0, locations - window)
    return Grid(start, window, np.zeros(cells, np.int64), phases)


def windows(activations: Tensor, laid: Grid) -> Tensor:
    """Activations of shape (n, channels, height, width) as (n, rows, features): a row for each cell or, where
    locations are coarser, for each location.
    """
    if laid.phases > 1:
        return activations.flatten(2).transpose(1, 2)
    at = torch.from_numpy(laid.start)
    parts = [
        activations[:, :, at + down][:, :, :, at + right].flatten(2)
        for down, right in itertools.product(range(laid.window), repeat=2)
    ]
    return torch.cat(parts, dim=1).transpose(1, 2)


@dataclass(frozen=True)
class Located:
    """A layer as the tied probe reads it."""

    features: Tensor
    """Shape (n, rows, features), from `windows`."""
    cells: Tensor
    """Shape (cells squared,), from `place_of_cells`."""
    weights: int
    """How many weight vectors there are: one for each place that a cell can have in a location."""


def located(parts: list[Tensor], laid: Grid) -> Located:
    """From activations of shape (n, channels, height, width), in parts of n.

    The list is emptied on the way, so that nothing is in memory twice.
    """
    count, locations = sum(len(part) for part in parts), parts[0].shape[-1]
    features, done = torch.empty(0), 0
    while parts:
        rows = windows(parts.pop(0), laid)
        if not done:
            features = torch.empty((count, *rows.shape[1:]), dtype=rows.dtype)
        features[done : done + len(rows)] = rows
        done += len(rows)
    return Located(features, place_of_cells(laid, locations), laid.phases**2)


def place_of_cells(laid: Grid, locations: int) -> Tensor:
    """For every cell, row by row from the top: the place of its logit among (rows of `windows`) x (phases squared)."""
    if laid.phases == 1:
        return torch.arange(len(laid.start) ** 2)
    location = laid.start[:, None] * locations + laid.start[None, :]
    phase = laid.phase[:, None] * laid.phases + laid.phase[None, :]
    return torch.from_numpy((location * laid.phases**2 + phase).reshape(-1))


@dataclass(frozen=True)
class Recipe:
    """How the tied probe is fitted."""

    epochs: int = 12
    batch: int = 32
    learning_rate: float = 0.2
    """Of Adam, at its start; it falls to nothing along half a cosine."""


@dataclass(frozen=True)
class Splits:
    """Who learns from what: one column for each probe of one layer."""

    members: Members
    """Shape (n, columns): the pictures that a column learns from."""
    left_out: tuple[tuple[int, ...], ...]
    """The folds that each column has never seen."""


def splits(folds: NDArray[np.int64]) -> Splits:
    """Every fold left out once, to score, and every pair of folds left out, to choose.

    A probe that scores fold f learns from all other folds. Choices for fold f look at fold g through the probe that
    has seen neither.
    """
    numbers = range(FOLDS)
    left_out = (*((fold,) for fold in numbers), *itertools.combinations(numbers, 2))
    members = np.stack([~np.isin(folds, out) for out in left_out], axis=1)
    return Splits(members, left_out)


def fit_tied(layer: Located, labels: Labels, members: Members, recipe: Recipe, seed: int) -> Tensor:
    """The weights of tied probes that minimise the cross-entropy of the right cell, by Adam from zero.

    Args:
        layer: of n pictures.
        labels: shape (n, columns), the cell's number, row by row from the top.
        members: shape (n, columns).
        recipe: of the optimiser.
        seed: decides the order of the pictures, the same for all columns.

    Returns: shape (features, weight vectors, columns).
    """
    count, rows, width = layer.features.shape
    columns = members.shape[1]
    weights = torch.zeros(width, layer.weights * columns)
    first, second = torch.zeros_like(weights), torch.zeros_like(weights)
    generator = np.random.default_rng(seed)
    right = torch.from_numpy(labels)
    learns = torch.from_numpy(members).float()
    # Each column's mean over the pictures that it learns from.
    scale = learns.sum(dim=0).clamp(min=1) / count
    steps = recipe.epochs * math.ceil(count / recipe.batch)
    step = 0
    for _ in range(recipe.epochs):
        order = torch.from_numpy(generator.permutation(count))
        for rows_of_batch in order.split(recipe.batch):
            x = layer.features[rows_of_batch].float()
            error = _cell_logits(x, weights, layer.cells, columns).softmax(dim=1)
            index = right[rows_of_batch][:, None, :]
            error.scatter_add_(1, index, -torch.ones(index.shape))
            error *= (learns[rows_of_batch] / (scale * len(rows_of_batch)))[:, None, :]
            spread = torch.zeros(len(x), rows * layer.weights, columns)
            spread[:, layer.cells] = error
            gradient = x.reshape(-1, width).T @ spread.reshape(len(x) * rows, layer.weights * columns)
            step += 1
            first = 0.9 * first + 0.1 * gradient
            second = 0.999 * second + 0.001 * gradient.square()
            rate = recipe.learning_rate * 0.5 * (1 + math.cos(math.pi * step / steps))
            unbiased = (second / (1 - 0.999**step)).sqrt() + 1e-8
            weights -= rate * first / (1 - 0.9**step) / unbiased
    return weights.reshape(width, layer.weights, columns)


def tied_cells(layer: Located, weights: Tensor) -> Labels:
    """The likeliest cell of every picture for every column, shape (n, columns)."""
    columns = weights.shape[2]
    flat = weights.flatten(1)
    found = [
        _cell_logits(x.float(), flat, layer.cells, columns).argmax(dim=1) for x in layer.features.split(128)
    ]
    chosen: Labels = torch.cat(found).numpy()
    return chosen


def _cell_logits(x: Tensor, weights: Tensor, cells: Tensor, columns: int) -> Tensor:
    """Shape (n, cells, columns), from features of shape (n, rows, width)."""
    return (x @ weights).reshape(len(x), -1, columns)[:, cells]


def gram(parts: Sequence[Tensor], chunk: int = 4096) -> NDArray[np.float32]:
    """Inner products of all pairs of pictures, a constant feature included, shape (n, n).

    Args:
        parts: activations of shape (n, ...), in parts of n.
        chunk: features that are looked at at once.
    """
    flat = [part.flatten(1) for part in parts]
    count = sum(len(part) for part in flat)
    upper = np.ones((count, count), np.float32, order="F")
    for start in range(0, flat[0].shape[1], chunk):
        some = torch.cat([part[:, start : start + chunk] for part in flat]).numpy()
        upper = blas.ssyrk(1.0, np.asfortranarray(some, np.float32), beta=1.0, c=upper, overwrite_c=1)
    whole: NDArray[np.float32] = np.triu(upper) + np.triu(upper, 1).T
    return whole


def flat_cells(inner: NDArray[np.float32], labels: Labels, member: Members, ridge: float) -> Labels:
    """The likeliest cell of every picture by the flat probe that learns from `member`.

    Args:
        inner: from `gram`.
        labels: shape (n,).
        member: shape (n,).
        ridge: the penalty, as a share of the mean squared length of a picture's features.

    Returns: shape (n,), for the pictures that it learned from too.
    """
    known, place = np.unique(labels[member], return_inverse=True)
    targets = np.zeros((int(member.sum()), len(known)), np.float32)
    targets[np.arange(len(targets)), place] = 1
    inside = inner[np.ix_(member, member)]
    inside[np.diag_indices_from(inside)] += ridge * float(np.trace(inside)) / len(inside)
    dual = cho_solve(cho_factor(inside, overwrite_a=True, check_finite=False), targets, check_finite=False)
    chosen: Labels = known[(inner[:, member] @ dual).argmax(axis=1)]
    return chosen
