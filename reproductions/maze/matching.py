"""Pairs of episodes whose shortest paths are about equally long: far corners are also longer ways."""

from __future__ import annotations

from collections.abc import Sequence


def matched(one: Sequence[int], other: Sequence[int], caliper: int) -> list[tuple[int, int]]:
    """Pairs of places in two lists of lengths that differ by at most `caliper` steps.

    Each is used once; the longest of `one` choose first, since they have the fewest partners. What became of the
    episodes plays no part.
    """
    free = sorted(range(len(other)), key=lambda place: other[place])
    pairs = []
    for place in sorted(range(len(one)), key=lambda place: one[place], reverse=True):
        nearest = min(free, key=lambda partner: abs(other[partner] - one[place]), default=None)
        if nearest is not None and abs(other[nearest] - one[place]) <= caliper:
            free.remove(nearest)
            pairs.append((place, nearest))
    return pairs
