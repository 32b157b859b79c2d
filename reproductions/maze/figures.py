"""What the pictures of maze-generalization and maze-steering have in common: their size, and intervals of shares."""

from __future__ import annotations

import math
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

SIZE = (12.0, 6.75)
"""Inches; with `DOTS` an inch 1200 x 675 pixels, for a slide."""
DOTS = 100


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, without a mark of what wrote it, and forget it."""
    figure.savefig(path, dpi=DOTS, metadata={"Software": None})
    plt.close(figure)


def wilson(hits: float, trials: int) -> tuple[float, float, float]:
    """A share with Wilson's 95 % interval, each not a number where nothing was tried.

    `hits` may have halves, of units that count by shares; the interval is then wider than it need be.
    """
    if not trials:
        return math.nan, math.nan, math.nan
    z, share = 1.959964, hits / trials
    middle = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials**2)) / (1 + z * z / trials)
    return share, max(middle - half, 0.0), min(middle + half, 1.0)
