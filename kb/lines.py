"""Line numbers of offsets in a text."""

from __future__ import annotations


class Lines:
    """Says on which line an offset stands, counted on from the last one asked for: a whole text costs one pass.

    Args:
        first: the number of the text's first line.
    """

    def __init__(self, text: str, first: int = 1) -> None:
        self._text = text
        self._first = first
        self._counted = (0, first)

    def at(self, offset: int) -> int:
        """The line of an offset."""
        at, line = self._counted
        if offset < at:
            at, line = 0, self._first
        line += self._text.count("\n", at, offset)
        self._counted = (offset, line)
        return line
