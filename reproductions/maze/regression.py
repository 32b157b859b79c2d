"""Logistic regression with intervals over groups: the regressions of the published behavioural statistics, small.

Coefficients are per standard deviation of a feature, as in the authors' notebook (z-scores). An L2 penalty of 1 on
them keeps separable samples finite; the authors used L1 of the same strength.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
PENALTY = 1.0
_OF_INTERCEPT = 1e-2


def newton(features: Floats, successes: Floats, penalty: Floats) -> Floats:
    """The weights, shape (k,), of the likeliest logistic model under an L2 penalty, by Newton's method.

    Args:
        features: shape (n, k), a column of ones among them.
        successes: shape (n,), 0 or 1.
        penalty: shape (k,), of each weight.
    """
    weights = np.zeros(features.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-features @ weights))
        gradient = features.T @ (successes - p) - penalty * weights
        curvature = (features * (p * (1 - p))[:, None]).T @ features + np.diag(penalty)
        step = np.linalg.solve(curvature, gradient)
        weights = weights + np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-8:
            break
    return weights


class Logistic:
    """A fitted model; `weights` are the intercept and one coefficient for each standardised feature."""

    def __init__(self, features: Floats, successes: Floats) -> None:
        """Fit on features of shape (n, k) and successes of shape (n,)."""
        self._centre, spread = features.mean(axis=0), features.std(axis=0)
        self._spread = np.where(spread > 0, spread, 1.0)
        penalty = np.array([_OF_INTERCEPT, *[PENALTY] * features.shape[1]])
        self.weights = newton(self._design(features), successes, penalty)

    def _design(self, features: Floats) -> Floats:
        standard = (features - self._centre) / self._spread
        return np.concatenate([np.ones((len(features), 1)), standard], axis=1)

    def foretells(self, features: Floats) -> NDArray[np.bool_]:
        """Whether success is the likelier outcome, shape (n,)."""
        return np.asarray(self._design(features) @ self.weights > 0)


def pseudo_values(features: Floats, successes: Floats, groups: Sequence[str]) -> dict[str, Floats]:
    """The jackknife's pseudo-values of the coefficients (Tukey 1958), by deleting one group at a time.

    Their mean is the estimate with its bias taken off, and their spread over groups gives its interval.

    Args:
        features: shape (n, k).
        successes: shape (n,).
        groups: n names; what has the same name is not independent.

    Returns: group -> shape (k,).
    """
    names, of = np.unique(np.asarray(groups), return_inverse=True)
    whole = Logistic(features, successes).weights[1:]
    found: dict[str, Floats] = {}
    for number, name in enumerate(names.tolist()):
        others = of != number
        without = Logistic(features[others], successes[others]).weights[1:]
        found[name] = len(names) * whole - (len(names) - 1) * without
    return found


def held_out(
    features: Floats, successes: Floats, groups: Sequence[str], generator: np.random.Generator, folds: int = 5
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """For every row, whether a model fitted on the other folds foretells it, and whether their majority does.

    Args:
        features: shape (n, k).
        successes: shape (n,).
        groups: n names; a group stays in one fold.
        generator: draws the folds.
        folds: how many.

    Returns: two arrays of shape (n,).
    """
    names, of = np.unique(np.asarray(groups), return_inverse=True)
    fold = (generator.permutation(len(names)) % folds)[of]
    model, majority = np.zeros(len(of), np.bool_), np.zeros(len(of), np.bool_)
    for number in np.unique(fold):
        inside, outside = fold == number, fold != number
        fitted = Logistic(features[outside], successes[outside])
        model[inside] = fitted.foretells(features[inside]) == (successes[inside] == 1)
        majority[inside] = (successes[outside].mean() >= 0.5) == (successes[inside] == 1)
    return model, majority
