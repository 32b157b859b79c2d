"""The two pictures of a run: shares by condition, and the paper's histogram of steps to the goal."""

from __future__ import annotations

import matplotlib

matplotlib.use("Agg")

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib import pyplot
from scipy import special

INK = "#1a1a1a"
QUIET = "#595959"
DATA, ASKED, CONTROL = "#595959", "#0072b2", "#a34700"
"""Dark members of a colour-blind-safe palette; each has a contrast above 4.5 : 1 on white."""
CONDITIONS = (
    ("random_walk_share", "random walks (share of walks)", DATA),
    ("data_best_walk", "best recorded walk", DATA),
    ("data_best_subwalk", "best recorded sub-walk", DATA),
    ("dt_feasible", "DT asked for that sub-walk's return", ASKED),
    ("dt_best_of_all_targets", "DT, best over all returns", ASKED),
    ("dt_infeasible", "DT asked for one step to go", CONTROL),
    ("dt_shuffled", "DT trained on shuffled returns", CONTROL),
    ("dt_untrained", "DT before training", CONTROL),
)


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean and 95 % t interval over graphs; with one graph the interval is the mean."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return mean, mean, mean
    error = float(np.std(values, ddof=1)) / len(values) ** 0.5
    reach = float(special.stdtrit(len(values) - 1, 0.975)) * error
    return mean, mean - reach, mean + reach


def shares(graphs: Sequence[Mapping[str, float]], path: Path) -> None:
    """Share of start nodes solved, by condition: mean, 95 % interval, and every graph as a faint dot."""
    figure, axes = pyplot.subplots(figsize=(12, 6.75), dpi=100)
    scatter = np.random.default_rng(0).uniform(-0.22, 0.22, size=len(graphs))
    for row, (name, label, colour) in enumerate(CONDITIONS):
        values = [graph[name] for graph in graphs]
        mean, low, high = interval(values)
        axes.scatter([100 * value for value in values], row + scatter, s=36, color=colour, alpha=0.22, lw=0)
        axes.plot([100 * max(low, 0), 100 * min(high, 1)], [row, row], color=colour, lw=5)
        axes.plot(100 * mean, row, "o", ms=13, color=colour, mec="white", mew=1.5)
        axes.text(-3, row, label, ha="right", va="center", fontsize=17, color=colour)
        axes.text(104, row, f"{100 * mean:.0f} %", ha="left", va="center", fontsize=18, color=colour)
    means = {name: 100 * interval([graph[name] for graph in graphs])[0] for name, _, _ in CONDITIONS}
    figure.suptitle(
        f"DT finds a shortest path from {means['dt_feasible']:.0f} % of start nodes;\n"
        f"the best recorded sub-walks hold one from {means['data_best_subwalk']:.0f} %",
        x=0.02, ha="left", fontsize=22, color=INK,
    )  # fmt: skip
    axes.set_xlabel(
        f"start nodes solved, % (mean and 95 % interval over {len(graphs)} graphs; a dot is a graph)",
        fontsize=16, color=INK, x=0.33,
    )  # fmt: skip
    axes.set_xlim(-2, 102)
    axes.set_ylim(len(CONDITIONS) - 0.5, -0.5)
    axes.set_yticks([])
    axes.set_xticks([0, 25, 50, 75, 100])
    axes.tick_params(axis="x", labelsize=16, labelcolor=INK, color=QUIET)
    axes.grid(axis="x", color="#e0e0e0", lw=1)
    axes.set_axisbelow(True)
    for side in ("left", "top", "right"):
        axes.spines[side].set_visible(False)
    figure.subplots_adjust(left=0.385, right=0.915, top=0.85, bottom=0.14)
    figure.savefig(path)
    pyplot.close(figure)


def steps(graphs: Sequence[Mapping[str, Sequence[int]]], path: Path) -> None:
    """Histogram of steps to the goal over all graphs, as in the paper's appendix figure."""
    longest = max(max(graph["random walks"], default=0) for graph in graphs)
    bins = [*range(1, longest + 1), 0]
    colours = {"random walks": DATA, "Decision Transformer": ASKED, "shortest paths": CONTROL}
    figure, all_axes = pyplot.subplots(len(colours), 1, figsize=(12, 6.75), dpi=100, sharex=True)
    reached: dict[str, float] = {}
    for axes, (who, colour) in zip(all_axes, colours.items(), strict=True):
        counts = np.concatenate([np.asarray(graph[who]) for graph in graphs])
        heights = [100 * float((counts == steps).mean()) for steps in bins]
        reached[who] = 100 - heights[-1]
        axes.bar(range(len(bins)), heights, color=colour, width=0.8)
        for column, height in enumerate(heights):
            if height >= 0.5:
                axes.text(column, height, f"{height:.0f}", ha="center", va="bottom", fontsize=15, color=INK)
        axes.text(0.84, 0.9, who, transform=axes.transAxes, ha="right", va="top", fontsize=18, color=colour)
        axes.set_ylim(0, 1.3 * max(heights))
        axes.set_yticks([])
        for side in ("left", "top", "right"):
            axes.spines[side].set_visible(False)
    all_axes[-1].set_xticks(range(len(bins)), [*map(str, bins[:-1]), "never"])
    all_axes[-1].tick_params(axis="x", labelsize=16, labelcolor=INK, color=QUIET)
    all_axes[-1].set_xlabel("steps to the goal, in % of paths", fontsize=16, color=INK)
    figure.suptitle(
        f"Random walks reach the goal in {reached['random walks']:.0f} % of cases,"
        f" DT's paths in {reached['Decision Transformer']:.0f} %",
        x=0.02, ha="left", fontsize=22, color=INK,
    )  # fmt: skip
    figure.subplots_adjust(left=0.02, right=0.98, top=0.9, bottom=0.12, hspace=0.25)
    figure.savefig(path)
    pyplot.close(figure)
