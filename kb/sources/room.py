"""How much a BibTeX file may make of itself: strings and inherited fields are written out wherever they are named."""

from __future__ import annotations

LONGEST_VALUE = 20_000
"""Characters of a value into which strings were put; a source of kb has no longer one (`kb.records.Long`)."""
AT_FIRST = 10_000_000
FOR_EACH = 20
"""Characters that a file may write out of itself: so many at first, and so many for each that it has."""


class Room:
    """What is left of that: ten strings that each name the one before ten times would otherwise fill any disk."""

    def __init__(self) -> None:
        self.left = AT_FIRST

    def read(self, characters: int) -> None:
        """So much of the file was read."""
        self.left += FOR_EACH * characters

    def take(self, characters: int) -> bool:
        """Whether so much can still be written out; if so, it is taken, and if not, there is no room from then on."""
        enough = characters <= self.left
        self.left = self.left - characters if enough else 0
        return enough
