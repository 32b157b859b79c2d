"""The nested choice of a layer never sees what it is scored on."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("safetensors")

from reproductions.maze import linear_probe, probe_choice
from reproductions.maze.linear_probe import FOLDS
from reproductions.maze.probe_choice import Fitted
from reproductions.maze.probe_data import Pictures


def made_up(count: int = 80) -> Pictures:
    place = np.arange(count)
    return Pictures(
        frames=np.zeros((count, 1, 1, 3), np.uint8),
        cheese=place,
        sizes=np.where(place % 2, 3, 25),
        levels=place,
        folds=place // 2 % FOLDS,
        seen=place % 3 == 0,
        from_corner=np.zeros((count, 2), np.int64),
        world=25,
    )


def fitted(outer: np.ndarray[Any, Any], inner: np.ndarray[Any, Any] | None = None) -> Fitted:
    return Fitted(outer, np.stack([outer] * FOLDS) if inner is None else inner, np.zeros_like(outer))


def test_the_choice_for_a_fold_never_looks_at_the_fold() -> None:
    pictures, generator = made_up(), np.random.default_rng(0)
    one, other = (
        Fitted(generator.random(80) < 0.5, generator.random((FOLDS, 80)) < 0.5, np.zeros(80, np.bool_))
        for _ in range(2)
    )
    before = probe_choice.choose({"one": one, "other": other}, pictures)
    for fold in range(FOLDS):
        mine = pictures.folds == fold
        # Whatever is known of this fold turns into its opposite.
        turned = {
            name: Fitted(
                np.where(mine, ~given.outer, given.outer),
                np.where((np.arange(FOLDS) == fold)[:, None] & mine, ~given.inner, given.inner),
                given.shuffled,
            )
            for name, given in {"one": one, "other": other}.items()
        }
        after = probe_choice.choose(turned, pictures)
        assert {at: name for at, name in after.layers.items() if at[0] == fold} == {
            at: name for at, name in before.layers.items() if at[0] == fold
        }


def test_the_choice_takes_another_layer_for_each_size_and_the_earliest_of_equals() -> None:
    pictures = made_up()
    small_only, large_only = fitted(pictures.sizes == 3), fitted(pictures.sizes == 25)
    choice = probe_choice.choose({"a": small_only, "b": large_only, "c": large_only}, pictures)
    assert choice.right.all()
    assert {choice.layers[fold, 3] for fold in range(FOLDS)} == {"a"}
    assert {choice.layers[fold, 25] for fold in range(FOLDS)} == {"b"}


def test_the_worst_size_is_the_one_of_which_least_is_expected() -> None:
    pictures = made_up()
    choice = probe_choice.choose({"a": fitted(pictures.sizes == 3)}, pictures)
    assert np.array_equal(probe_choice.worst_size(choice, pictures), pictures.sizes == 25)
    assert probe_choice.best_afterwards({"a": fitted(pictures.sizes == 3), "b": fitted(pictures.sizes == 25)},
                                 pictures.sizes == 25) == "b"  # fmt: skip


def test_outcomes_are_gathered_from_probes_that_have_not_seen_the_picture() -> None:
    pictures = made_up()
    splits = linear_probe.splits(pictures.folds)
    # A probe is right exactly on what it has seen, so that nothing right may be gathered.
    members = np.concatenate([splits.members, splits.members[:, :FOLDS]], axis=1)
    left_out = (*splits.left_out, *splits.left_out[:FOLDS])
    gathered = probe_choice.gathered(members, linear_probe.Splits(members, left_out), pictures.folds)
    assert not gathered.outer.any()
    assert not gathered.inner.any()
    assert not gathered.shuffled.any()
    unseen = probe_choice.gathered(~members, linear_probe.Splits(members, left_out), pictures.folds)
    assert unseen.outer.all()
    assert unseen.shuffled.all()
    for fold in range(FOLDS):
        assert unseen.inner[fold, pictures.folds != fold].all()
