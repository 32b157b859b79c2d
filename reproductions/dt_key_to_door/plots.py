"""The two pictures of a run: how often the door was opened, and what the three rooms are."""

from __future__ import annotations

import matplotlib

matplotlib.use("Agg")

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib import pyplot
from matplotlib.axes import Axes
from scipy import special

from reproductions.dt_key_to_door.rooms import FIRST, KEY, ROOMS, THIRD, Layout

INK = "#1a1a1a"
QUIET = "#595959"
DATA, ASKED, CLONE, CONTROL = "#595959", "#0072b2", "#00664d", "#a34700"
"""Dark members of a colour-blind-safe palette; each has a contrast above 4.5 : 1 on white."""
CONDITIONS = (
    ("random_1k", "random policy (the data)", DATA),
    ("dt_1k", "DT asked for 1, of {0:,}", ASKED),
    ("dt_10k", "DT asked for 1, of {1:,}", ASKED),
    ("percent_bc_1k", "%BC: successes only, of {0:,}", CLONE),
    ("percent_bc_10k", "%BC: successes only, of {1:,}", CLONE),
    ("bc_1k", "BC on all {0:,}", CONTROL),
    ("shuffled_1k", "DT trained on shuffled returns", CONTROL),
    ("dt_asked_for_0_1k", "DT asked for 0", CONTROL),
    ("untrained", "DT before training", CONTROL),
)
"""Sample, label (with the sizes of the data sets), colour."""


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean and 95 % t interval over seeds; with one seed the interval is the mean."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return mean, mean, mean
    error = float(np.std(values, ddof=1)) / len(values) ** 0.5
    reach = float(special.stdtrit(len(values) - 1, 0.975)) * error
    return mean, mean - reach, mean + reach


def success(seeds: Sequence[Mapping[str, float]], trajectories: Sequence[int], path: Path) -> None:
    """Episodes in which the door was opened, by condition: mean, 95 % interval, every seed as a faint dot.

    Args:
        seeds: sample name -> percent, for each seed.
        trajectories: sizes of the data sets, the smaller first.
    """
    figure, axes = pyplot.subplots(figsize=(12, 6.75), dpi=100)
    conditions = [condition for condition in CONDITIONS if condition[0] in seeds[0]]
    scatter = np.random.default_rng(0).uniform(-0.22, 0.22, size=len(seeds))
    for row, (name, label, colour) in enumerate(conditions):
        values = [seed[name] for seed in seeds]
        mean, low, high = interval(values)
        axes.scatter(values, row + scatter, s=44, color=colour, alpha=0.3, lw=0)
        axes.plot([max(low, 0), min(high, 100)], [row, row], color=colour, lw=5)
        axes.plot(mean, row, "o", ms=13, color=colour, mec="white", mew=1.5)
        axes.text(-3, row, label.format(*trajectories), ha="right", va="center", fontsize=17, color=colour)
        axes.text(104, row, f"{mean:.0f} %", ha="left", va="center", fontsize=18, color=colour)
    means = {name: interval([seed[name] for seed in seeds])[0] for name, _, _ in conditions}
    figure.suptitle(
        f"From {trajectories[0]:,} random trajectories DT opens the door in {means['dt_1k']:.0f} % of episodes,\n"
        f"a clone of the successful ones in {means['percent_bc_1k']:.0f} %",
        x=0.02, ha="left", fontsize=22, color=INK,
    )  # fmt: skip
    axes.set_xlabel(
        f"episodes with the door opened, % (mean and 95 % interval over {len(seeds)} training seeds; a dot is a seed)",
        fontsize=16, color=INK, x=0.27,
    )  # fmt: skip
    axes.set_xlim(-2, 102)
    axes.set_ylim(len(conditions) - 0.5, -0.5)
    axes.set_yticks([])
    axes.set_xticks([0, 25, 50, 75, 100])
    axes.tick_params(axis="x", labelsize=16, labelcolor=INK, color=QUIET)
    axes.grid(axis="x", color="#e0e0e0", lw=1)
    axes.set_axisbelow(True)
    for side in ("left", "top", "right"):
        axes.spines[side].set_visible(False)
    figure.subplots_adjust(left=0.355, right=0.915, top=0.85, bottom=0.14)
    figure.savefig(path)
    pyplot.close(figure)


def three_rooms(layout: Layout, paths: Mapping[str, Sequence[Sequence[int]]], path: Path) -> None:
    """The rooms side by side, one row for each player, with the steps of one episode."""
    colours = {"random policy": DATA, "Decision Transformer": ASKED}
    figure, grid = pyplot.subplots(len(colours), ROOMS, figsize=(12, 6.75), dpi=100)
    titles = ("first room: a key", "second room: nothing", "third room: a door")
    for row, (who, colour) in enumerate(colours.items()):
        for room in range(ROOMS):
            axes = grid[row][room]
            _draw_room(axes, layout, room)
            _draw_path(axes, layout, paths[who][room], colour)
            if row == 0:
                axes.set_title(titles[room], fontsize=17, color=INK, pad=10)
        grid[row][0].text(
            -0.08, 0.5, who.replace(" ", "\n"), transform=grid[row][0].transAxes, ha="right", va="center",
            fontsize=18, color=colour,
        )  # fmt: skip
    figure.suptitle(
        f"One episode: {layout.room_steps} steps in each room, from the ring to the dot",
        x=0.02, ha="left", fontsize=22, color=INK,
    )  # fmt: skip
    figure.subplots_adjust(left=0.15, right=0.99, top=0.83, bottom=0.02, wspace=0.05, hspace=0.08)
    figure.savefig(path)
    pyplot.close(figure)


def _draw_room(axes: Axes, layout: Layout, room: int) -> None:
    for line in range(layout.size + 1):
        thick = 3 if line in (0, layout.size) else 0.8
        axes.plot([0, layout.size], [line, line], color="#b0b0b0", lw=thick)
        axes.plot([line, line], [0, layout.size], color="#b0b0b0", lw=thick)
    for where, cell, word in ((FIRST, KEY, "key"), (THIRD, layout.door, "door")):
        if room == where:
            across, down = _middle(layout, cell)
            square = pyplot.Rectangle((across - 0.5, down - 0.5), 1, 1, color="#f0c75e", zorder=0)
            axes.add_patch(square)
            axes.text(across, down, word, ha="center", va="center", fontsize=16, color=INK, zorder=3)
    axes.set_xlim(-0.1, layout.size + 0.1)
    axes.set_ylim(layout.size + 0.1, -0.1)
    axes.set_aspect("equal")
    axes.axis("off")


def _draw_path(axes: Axes, layout: Layout, cells: Sequence[int], colour: str) -> None:
    """Steps from cell to cell; each is nudged a little more, so that ways back stay visible."""
    nudge = np.linspace(-0.18, 0.18, len(cells))
    places = np.array([_middle(layout, cell) for cell in cells]) + nudge[:, None]
    axes.plot(*places.T, color=colour, lw=2.5, zorder=2)
    axes.plot(*places[0], "o", ms=13, mfc="white", mec=colour, mew=2.5, zorder=4)
    axes.plot(*places[-1], "o", ms=9, color=colour, zorder=4)


def _middle(layout: Layout, cell: int) -> tuple[float, float]:
    row, column = divmod(cell, layout.size)
    return column + 0.5, row + 0.5
