"""Pairs of equal length."""

from reproductions.maze.matching import matched


def test_pairs_are_close_in_length_and_nobody_is_paired_twice() -> None:
    far, near = (10, 12, 30, 90), (13, 14, 27, 60)
    pairs = matched(far, near, caliper=4)
    assert sorted((far[one], near[other]) for one, other in pairs) == [(10, 14), (12, 13), (30, 27)]
    assert matched(far, (), caliper=4) == []
    assert matched((), near, caliper=4) == []


def test_without_a_caliper_only_equal_lengths_pair() -> None:
    assert matched((4, 4, 6), (4, 6, 8), caliper=0) == [(2, 1), (0, 0)]
