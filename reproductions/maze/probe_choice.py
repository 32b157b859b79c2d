"""From probes that leave folds out to a layer chosen without looking at what it is scored on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from reproductions.maze.linear_probe import FOLDS, Splits
from reproductions.maze.probe_data import Pictures


@dataclass(frozen=True)
class Fitted:
    """How the probes of one layer and form did, picture by picture."""

    outer: NDArray[np.bool_]
    """Shape (n,): right, by the probe that has not seen the picture's fold."""
    inner: NDArray[np.bool_]
    """Shape (FOLDS, n): right, by the probe that has seen neither the picture's fold nor the row's. Not meant where
    both are the same."""
    shuffled: NDArray[np.bool_]
    """Shape (n,): as outer, but learned from and held against shuffled labels."""


Candidates: TypeAlias = Mapping[str, Fitted]
"""By layer, in the order in which a network computes them."""


def gathered(right: NDArray[np.bool_], splits: Splits, folds: NDArray[np.int64]) -> Fitted:
    """What each column has right, shape (n, columns), taken only where the column has not seen the picture's fold."""
    count = len(folds)
    outer, shuffled = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
    inner = np.zeros((FOLDS, count), np.bool_)
    for column, out in enumerate(splits.left_out):
        if len(out) == 1:
            into = outer if column < FOLDS else shuffled
            into[folds == out[0]] = right[folds == out[0], column]
        else:
            for scored, looked_at in (out, out[::-1]):
                inner[scored, folds == looked_at] = right[folds == looked_at, column]
    return Fitted(outer, inner, shuffled)


@dataclass(frozen=True)
class Choice:
    """For each fold and size the layer that did best on the other folds, scored on the fold."""

    right: NDArray[np.bool_]
    """Shape (n,)."""
    layers: dict[tuple[int, int], str]
    """By fold and size."""
    expected: dict[tuple[int, int], float]
    """The accuracy by which it was chosen, by fold and size."""


def choose(candidates: Candidates, pictures: Pictures) -> Choice:
    """Nested choice: nothing of a fold takes part in choosing for it.

    Layers that do equally well at a size are told apart by all sizes together, then the earliest is taken.
    """
    right = np.zeros(len(pictures), np.bool_)
    layers: dict[tuple[int, int], str] = {}
    expected: dict[tuple[int, int], float] = {}
    for fold in range(FOLDS):
        others = pictures.folds != fold
        for size in np.unique(pictures.sizes).tolist():
            here = pictures.sizes == size
            scores = {
                name: (fitted.inner[fold, others & here].mean(), fitted.inner[fold, others].mean())
                for name, fitted in candidates.items()
            }
            name = max(scores, key=lambda name: scores[name])
            mine = here & ~others
            right[mine] = candidates[name].outer[mine]
            layers[fold, size], expected[fold, size] = name, float(scores[name][0])
    return Choice(right, layers, expected)


def best_afterwards(candidates: Candidates, at: NDArray[np.bool_]) -> str:
    """The candidate with most right among some pictures: optimistic, since it looks at what it is scored on."""
    return max(candidates, key=lambda name: candidates[name].outer[at].sum())


def worst_size(choice: Choice, pictures: Pictures) -> NDArray[np.bool_]:
    """The pictures of the size at which least is expected, shape (n,): for each fold judged by the others."""
    chosen = np.zeros(len(pictures), np.bool_)
    for fold in range(FOLDS):
        sizes = np.unique(pictures.sizes).tolist()
        worst = min(sizes, key=lambda size: choice.expected[fold, size])
        chosen |= (pictures.folds == fold) & (pictures.sizes == worst)
    return chosen
