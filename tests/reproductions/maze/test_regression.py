"""The logistic regressions, on data whose coefficients are known."""

import numpy as np
import pytest

from reproductions.maze import regression


def drawn(count: int, seed: int, weights: tuple[float, ...] = (1.5, -0.8)) -> tuple[np.ndarray, np.ndarray]:
    """Standard normal features and outcomes of a logistic model with these weights."""
    generator = np.random.default_rng(seed)
    features = generator.normal(size=(count, len(weights)))
    chances = 1 / (1 + np.exp(-features @ np.array(weights)))
    return features, (generator.random(count) < chances).astype(float)


def test_known_coefficients_are_recovered_whatever_the_scale_of_a_feature() -> None:
    features, successes = drawn(20_000, seed=1)
    plain = regression.Logistic(features, successes).weights
    scaled = regression.Logistic(features * [7, 0.01] + 3, successes).weights
    assert plain[1:] == pytest.approx([1.5, -0.8], abs=0.08)
    assert scaled == pytest.approx(plain)


def test_separable_and_constant_samples_give_finite_coefficients() -> None:
    features = np.arange(10.0)[:, None]
    assert np.isfinite(regression.Logistic(features, (features[:, 0] > 4).astype(float)).weights).all()
    assert np.isfinite(regression.Logistic(np.ones((5, 2)), np.ones(5)).weights).all()


def test_the_jackknifes_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    held = 0
    for seed in range(40):
        features, successes = drawn(150, seed)
        values = regression.pseudo_values(features, successes, [f"{n}" for n in range(150)])
        samples = np.array(list(values.values()))[:, 0]
        half = 1.96 * samples.std(ddof=1) / np.sqrt(len(samples))
        held += abs(samples.mean() - 1.5) < half
    # 95 % of 40 is 38; fewer than 33 happens once in 1,000 times. The penalty pulls towards zero a little.
    assert held >= 33


def test_repeating_every_row_under_its_own_group_changes_no_interval() -> None:
    features, successes = drawn(400, seed=3)
    groups = [f"{n}" for n in range(400)]
    once = np.array(list(regression.pseudo_values(features, successes, groups).values()))
    twice = np.array(
        list(
            regression.pseudo_values(
                np.tile(features, (2, 1)), np.tile(successes, 2), groups + groups
            ).values()
        )
    )
    # Copies say nothing new; only the penalty weighs half as much against them.
    assert twice.std(axis=0) == pytest.approx(once.std(axis=0), rel=0.05)


def test_a_group_stays_in_one_fold_and_the_majority_is_that_of_the_others() -> None:
    features, successes = drawn(300, seed=5)
    generator = np.random.default_rng(0)
    right, majority = regression.held_out(features, successes, [f"{n}" for n in range(300)], generator)
    assert right.mean() > majority.mean() + 0.1
    # Outcomes that only their group decides cannot be foretold from it where it is held out whole.
    groups = [f"{n // 30}" for n in range(300)]
    coded = np.eye(10)[np.arange(300) // 30]
    outcomes = (np.arange(300) // 30 % 2).astype(float)
    right, _ = regression.held_out(coded, outcomes, groups, np.random.default_rng(0))
    assert right.mean() < 0.9
