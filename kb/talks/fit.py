"""Fitting a talk to its minutes: what is said of each item, how long that takes, what has to go.

Each item can be said in several lengths, shortest first; the shortest already holds the finding, its number and
its caveat, so time never pushes a caveat out. Items are kept in order while their shortest form fits; what time is
left then lengthens them, from the first on. Pure: seconds in, a plan out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """Which items stay and at what length.

    lengths: for each kept item the index of the form to say; seconds: of the whole talk, opening and closing
    included; frame: whether opening and closing stay; needed: seconds for all items in their shortest form;
    fits: False when not even one item does.
    """

    lengths: tuple[int, ...]
    seconds: int
    needed: int
    opening: bool = True
    closing: bool = True
    fits: bool = True


def plan(items: Sequence[Sequence[int]], available: float, opening: int = 0, closing: int = 0) -> Plan:
    """Fit items into the available seconds.

    Args:
        items: for each item in order, the seconds of its forms from the shortest to the longest.
        available: seconds there are.
        opening, closing: seconds of the sentences before and after; they go before the last item does.
    """
    needed = opening + closing + sum(forms[0] for forms in items)
    keeps_opening, keeps_closing = bool(opening), bool(closing)
    first = items[0][0] if items else 0
    if opening + first + closing > available and keeps_closing:
        keeps_closing = False
    if opening + first > available and keeps_opening:
        keeps_opening = False
    used = (opening if keeps_opening else 0) + (closing if keeps_closing else 0)
    kept = 0
    # In order and without skipping: a talk on the top five never leaves out the third for being long.
    while kept < len(items) and used + items[kept][0] <= available:
        used += items[kept][0]
        kept += 1
    lengths = [0] * kept
    longest = max((len(forms) for forms in items[:kept]), default=0)
    for length in range(1, longest):
        for place in range(kept):
            if length >= len(items[place]) or lengths[place] != length - 1:
                continue
            more = items[place][length] - items[place][length - 1]
            if used + more <= available:
                used += more
                lengths[place] = length
    return Plan(tuple(lengths), used, needed, keeps_opening, keeps_closing, kept > 0 or not items)
