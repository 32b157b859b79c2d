"""Intervals of shares."""

import math

import pytest

pytest.importorskip("matplotlib")
from reproductions.maze.figures import wilson


def test_the_interval_of_a_share_is_wilsons() -> None:
    # 15 of 148: Newcombe 1998, Statistics in Medicine 17, Table I (method 3, the score interval).
    share, low, high = wilson(15, 148)
    assert share == pytest.approx(0.1014, abs=5e-5)
    assert (low, high) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson(0, 20)[:2] == (0, 0)
    assert wilson(20, 20)[0] == wilson(20, 20)[2] == 1
    assert wilson(2.5, 10)[0] == 0.25


def test_nothing_tried_gives_no_number() -> None:
    assert all(math.isnan(value) for value in wilson(0, 0))
