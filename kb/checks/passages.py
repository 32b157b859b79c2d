"""Pieces of text that stand one after the other, each within some distance of the one before.

As one regular expression, `A.{0,400}?B.{0,400}?C` tries every A with every B when no C comes: with six pieces that
never ends. Here each place of a piece is looked at once.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

AT_ONCE = 64 * 1024
"""Characters of the text in which the first piece is looked for at once: so much is remembered, and no more."""

Span = tuple[int, int]


@dataclass(frozen=True)
class Passage:
    """Patterns in their order; between one and the next stand at most so many characters as `gaps` say."""

    pieces: list[re.Pattern[str]]
    gaps: list[int]

    def found_in(self, text: str) -> Iterator[list[Span]]:
        """Where the pieces stand, passage by passage, each with gaps as short as can be and after the one before."""
        at = 0
        while at < len(text):
            end = at + AT_ONCE
            places = self._places(text, at, end)
            while places and (first := places[0].at_or_after(at)) is not None:
                spans = [first]
                for piece in places[1:]:
                    following = piece.at_or_after(spans[-1][1])
                    assert following is not None, "only places that the rest can follow were kept"
                    spans.append(following)
                yield spans
                at = spans[-1][1]
            at = max(at, end)

    def _places(self, text: str, start: int, end: int) -> list[_Places]:
        """Of each piece the places from which the rest can follow; none at all where there is no passage."""
        places = [_Places.of(self.pieces[0], text, [(start, end - 1)])]
        for pattern, gap in zip(self.pieces[1:], self.gaps, strict=True):
            if not places[-1].starts:
                return []
            windows = [(before, before + gap) for before in sorted(places[-1].ends)]
            places.append(_Places.of(pattern, text, windows))
        for number in range(len(places) - 2, -1, -1):
            places[number] = places[number].followed_by(places[number + 1], self.gaps[number])
        return places if places[0].starts else []


class _Places:
    """Where a piece stands, by where it starts."""

    def __init__(self) -> None:
        self.starts = array("q")
        self.ends = array("q")

    @classmethod
    def of(cls, pattern: re.Pattern[str], text: str, windows: list[Span]) -> _Places:
        """All places that start in one of the windows (first and last offset), which are in their order."""
        found = cls()
        match = pattern.search(text, windows[0][0])
        for first, last in windows:
            if match is not None and match.start() < first:
                match = pattern.search(text, first)
            while match is not None and match.start() <= last:
                found._add(*match.span())
                match = pattern.search(text, match.start() + 1)
            if match is None:
                break
        return found

    def followed_by(self, following: _Places, gap: int) -> _Places:
        """The places that one of `following` comes after within `gap` characters."""
        kept = _Places()
        for start, end in zip(self.starts, self.ends, strict=True):
            after = following.at_or_after(end)
            if after is not None and after[0] <= end + gap:
                kept._add(start, end)
        return kept

    def at_or_after(self, offset: int) -> Span | None:
        """The first place that starts there or later."""
        number = bisect_left(self.starts, offset)
        return (self.starts[number], self.ends[number]) if number < len(self.starts) else None

    def _add(self, start: int, end: int) -> None:
        self.starts.append(start)
        self.ends.append(end)
