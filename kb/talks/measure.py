"""How much room text takes, without asking a browser: estimates on the safe side, in pixels of a 1280 x 720 canvas.

Widths are those of DejaVu Sans, about the widest sans-serif that a machine falls back to, so that text which
fits here fits in Arial, Helvetica or Segoe too. Line breaks are those of a greedy setter that breaks words only
where one alone is wider than the line.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

LINE = 1.25
"""Height of a line, in sizes of its type."""
_CLASSES = (
    (0.36, "iIjl'|.,:;!()[]ftr "),
    (0.54, '-"/\\szJ?°“”‘’c'),
    (0.60, "kvxyaoLFETPS"),
    (0.82, "—ACDGHNOQRUVXYKBw+=<>~×–…"),
    (1.02, "mMW%@"),
)
_WIDTHS = {char: width for width, chars in _CLASSES for char in chars}
_USUAL = 0.64
_WIDE = 1.05


def width_of(text: str, size: float) -> float:
    """Pixels that a line of text takes at a type size."""
    return size * sum(_char(char) for char in text)


def _char(char: str) -> float:
    known = _WIDTHS.get(char)
    if known is not None:
        return known
    if char.isascii():
        return _USUAL
    if unicodedata.combining(char):
        return 0.0
    # A letter of a script whose widths nobody measured here counts as a full square.
    return _USUAL if ord(char) < 0x250 else _WIDE


def lines_of(text: str, size: float, width: float) -> int:
    """How many lines the text takes in a box of that width."""
    count, left = 1, width
    space = width_of(" ", size)
    for place, word in enumerate(text.split(" ")):
        need = width_of(word, size)
        if place and need + space > left:
            count, left = count + 1, width
        elif place:
            left -= space
        if need > width:  # broken where the line ends; a character's width may be lost on each line
            whole = int(need // max(1.0, width - size)) + 1
            count += whole - 1 if left == width else whole
            left = size
        else:
            left -= need
    return count


_PIECE = re.compile(r" ?[^ -]+-?|.")


NARROW = 0.93
"""Widths of Arial and what stands in for it, as a share of what is measured here; with a margin on the safe side."""


def wrapped(text: str, size: float, width: float) -> list[str]:
    """The lines of the text in a box of that width, broken at spaces and hyphens, and elsewhere if it must be."""
    lines = [""]
    for piece in _PIECE.findall(text):
        if width_of((lines[-1] + piece).strip(), size) <= width:
            lines[-1] = (lines[-1] + piece).lstrip()
            continue
        if lines[-1]:
            lines.append("")
        for char in piece.strip():
            if lines[-1] and width_of(lines[-1] + char, size) > width:
                lines.append("")
            lines[-1] += char
    return lines


def widest_piece(text: str, size: float) -> float:
    """Pixels that the widest part takes that `wrapped` breaks only if it must."""
    return max((width_of(piece.strip(), size) for piece in _PIECE.findall(text)), default=0.0)


def height_of(text: str, size: float, width: float) -> float:
    """Pixels that the text takes downwards in a box of that width."""
    return lines_of(text, size, width) * size * LINE


@dataclass(frozen=True)
class Set:
    """Text with the size that it is set in; `cut` if not all of it is there."""

    text: str
    size: int
    height: float
    cut: bool = False


BOLD = 1.13
"""How much wider than the regular face the bold one is, at most."""


def fitted(text: str, width: float, height: float, sizes: tuple[int, ...], *, bold: bool = False) -> Set:
    """The text at the largest size at which it fits; at the smallest, cut at a word with a pointer to the notes.

    Returns an empty text where not even a line of it fits.
    """
    width = width / BOLD if bold else width
    for size in sizes:
        taken = height_of(text, size, width)
        if taken <= height:
            return Set(text, size, taken)
    size = sizes[-1]
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if height_of(_pointed(text, middle), size, width) <= height:
            low = middle
        else:
            high = middle - 1
    shown = _pointed(text, low) if low >= 8 else ""
    return Set(shown, size, height_of(shown, size, width) if shown else 0.0, cut=True)


POINTER = " … (whole in the notes)"


def _pointed(text: str, length: int) -> str:
    cut = text[:length]
    if " " in cut[length // 2 :]:
        cut = cut[: cut.rindex(" ")]
    return cut.rstrip(" ,;:.–-") + POINTER
