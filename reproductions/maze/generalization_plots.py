"""The pictures of maze-generalization: a heat map of corners by size, and the largest size with its controls."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np


def _rate(rows: list[Any], n: float) -> float:
    return sum(row.within(n) for row in rows) / len(rows) if rows else math.nan


def corners_by_size(everything: list[dict[str, Any]], path: Path) -> None:
    """Shares reached within N, by corner (rows) and size (columns)."""
    swept = [kept for kept in everything if "top-right" in kept["conditions"]]
    corners = ("top-right", "top-left", "bottom-right")
    shares = np.array([[_rate(kept["conditions"][c], kept["n"]) for kept in swept] for c in corners])
    figure, axes = plt.subplots(figsize=(9, 3), layout="constrained")
    image = axes.imshow(shares, vmin=0, vmax=1, cmap="viridis", aspect="auto")
    axes.set_xticks(range(len(swept)), [f"{kept['size']}\nN={kept['n']:.0f}" for kept in swept])
    axes.set_yticks(range(len(corners)), corners)
    axes.set_xlabel("size of the maze; N = mean steps to the top-right corner")
    for (row, column), share in np.ndenumerate(shares):
        if math.isfinite(share):
            colour = "white" if share < 0.6 else "black"
            axes.text(column, row, f"{100 * share:.0f}", ha="center", va="center", color=colour)
    figure.colorbar(image, label="reached within N")
    figure.savefig(path, dpi=120, metadata={"Software": None})
    plt.close(figure)


def largest(kept: dict[str, Any], path: Path) -> None:
    """Bars with 95 % Wilson intervals: each place of the cheese, and how often the corner is come to anyway."""
    n, conditions = kept["n"], kept["conditions"]
    bars = [(name, [row.within(n) for row in rows]) for name, rows in conditions.items()]
    bars += [(f"no cheese, {c}", [row[c] for row in kept["no_cheese"]]) for c in ("top-left", "bottom-right")]
    figure, axes = plt.subplots(figsize=(8, 4), layout="constrained")
    for place, (name, hits) in enumerate(bars):
        share, low, high = _wilson(sum(hits), len(hits))
        control = name.startswith(("untrained", "no cheese"))
        axes.barh(place, share, color="0.75" if control else "tab:blue")
        axes.plot([low, high], [place, place], color="black")
    axes.set_yticks(range(len(bars)), [name for name, _ in bars])
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel(f"reached within N = {n:.0f} steps (size {kept['size']}; grey: null controls)")
    figure.savefig(path, dpi=120, metadata={"Software": None})
    plt.close(figure)


def _wilson(hits: int, trials: int) -> tuple[float, float, float]:
    if not trials:
        return math.nan, math.nan, math.nan
    z, share = 1.959964, hits / trials
    middle = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials**2)) / (1 + z * z / trials)
    return share, middle - half, middle + half
