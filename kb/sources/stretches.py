"""A .bib file in stretches, each from where a block starts to where the next one does."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from kb.errors import KbError
from kb.sources.scan import LINE_START

SIZE = 256 * 1024
"""Characters that are read at once."""
LONGEST = 32 * 1024 * 1024
"""Characters without the start of a block from which on a file is none of BibTeX."""

Read = Callable[[int], str]
"""Hands out the next so many characters, fewer at the end, and then none."""


class NoBlocks(KbError):
    """A text in which no block starts for so long that it can be none of BibTeX."""


def stretches(read: Read, size: int = SIZE) -> Iterator[tuple[str, int]]:
    """The text as (stretch, line on which it starts); put together again they are the text.

    Each but the first starts where a line starts like a block: for bibtexparser as for `kb.sources.scan` that ends
    whatever stood before it, closed or not. So each is read by itself, and what is broken in it stays in it.

    Args:
        size: characters that are read at once; what comes out does not depend on it.

    Raises:
        NoBlocks: when none starts for `LONGEST` characters.
    """
    held, line, searched = "", 1, 0
    while piece := read(max(size, len(held))):
        held += piece
        at = 0
        for found in LINE_START.finditer(held, searched):
            if found.start() > at:
                yield held[at : found.start()], line
                line += held.count("\n", at, found.start())
                at = found.start()
        held = held[at:]
        if len(held) > LONGEST:
            raise NoBlocks(
                f"line {line} and what follows: no entry starts there for {LONGEST // 1024 // 1024} MB",
                "start each entry on a line of its own",
            )
        # What looks like a start may go on in the next piece: the line that it stands on is searched again.
        searched = max(0, held.rfind("\n"))
    if held:
        yield held, line


def of_text(text: str) -> Read:
    """A text that is in memory, handed out in pieces."""
    at = 0

    def read(size: int) -> str:
        nonlocal at
        at += size
        return text[at - size : at]

    return read
