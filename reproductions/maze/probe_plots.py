"""The pictures of maze-probe: accuracy by layer, by size, over the cheese's cell; 1200 x 675 pixels, for slides."""

from __future__ import annotations

import math
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from reproductions.maze.geometry import REGION
from reproductions.maze.policy import PIXELS
from reproductions.maze.probe import NETWORK, PICTURE, UNTRAINED, Outcomes
from reproductions.maze.probe_choice import Candidates, best_afterwards, choose

THRESHOLD = 0.9
"""The prediction's."""
# Okabe and Ito's colours, told apart with any colour vision.
_BLUE, _ORANGE, _GREEN, _PURPLE, _GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#555555"
_TEXT = {"font.size": 14, "axes.titlesize": 15, "legend.fontsize": 12}


def _saved(figure: Figure, path: Path) -> None:
    figure.savefig(path, dpi=100, metadata={"Software": None})
    plt.close(figure)


def wilson(hits: int, trials: int) -> tuple[float, float]:
    """95 % interval of a share."""
    z, share = 1.959964, hits / trials
    middle = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials**2)) / (1 + z * z / trials)
    return middle - half, middle + half


def _accuracies(candidates: Candidates) -> list[float]:
    return [100 * float(fitted.outer.mean()) for fitted in candidates.values()]


def by_layer(outcomes: Outcomes, path: Path) -> None:
    """Accuracy on levels that no probe has seen, all sizes together, layer by layer."""
    trained, untrained = outcomes.counts[NETWORK], outcomes.counts[UNTRAINED]
    names = list(trained)
    places = np.arange(len(names))
    with plt.rc_context(_TEXT):
        figure, axes = plt.subplots(figsize=(12, 6.75), layout="constrained")
        axes.plot(
            places, _accuracies(trained), "o-", color=_BLUE, label="policy, probe that counts", linewidth=2.5
        )
        flat = [places[names.index(name)] for name in outcomes.flat]
        axes.plot(flat, _accuracies(outcomes.flat), "s--", color=_GREEN, label="policy, flat probe")
        axes.plot(places, _accuracies(untrained), "^-", color=_ORANGE, label="untrained network")
        shuffled = [100 * float(fitted.shuffled.mean()) for fitted in trained.values()]
        axes.plot(places, shuffled, "x:", color=_GREY, label="policy, shuffled labels")
        for (side, fitted), style in zip(outcomes.counts[PICTURE].items(), ("-", "--"), strict=True):
            told = "the picture itself" if side == str(PIXELS) else f"the picture at {side} x {side}"
            axes.axhline(100 * fitted.outer.mean(), color=_PURPLE, linestyle=style, label=told)
        axes.axhline(100 * THRESHOLD, color="black", linewidth=1, linestyle=":", label="90 %, as predicted")
        crowded = len(names) > 20
        axes.set_xticks(places, names, rotation=90 if crowded else 45, ha="center" if crowded else "right")
        axes.tick_params(axis="x", labelsize=8 if crowded else 12)
        axes.set_ylim(0, 102)
        axes.set_ylabel("exact cell right (%)")
        axes.set_title("Where is the cheese? Linear probes on each layer, levels of all sizes, held out")
        figure.legend(loc="outside right upper")
        _saved(figure, path)


def by_size(outcomes: Outcomes, path: Path) -> None:
    """Accuracy by size, the layer chosen on other levels, with 95 % intervals and the controls."""
    pictures = outcomes.pictures
    sizes = np.unique(pictures.sizes).tolist()
    places = np.arange(len(sizes))
    here = [pictures.sizes == size for size in sizes]
    chosen = choose(outcomes.counts[NETWORK], pictures).right
    with plt.rc_context(_TEXT):
        figure, axes = plt.subplots(figsize=(12, 6.75), layout="constrained")
        best = [outcomes.every[best_afterwards(outcomes.every, at)].outer[at].mean() for at in here]
        axes.plot(places, 100 * np.array(best), "D", color=_BLUE, markerfacecolor="none", markersize=9,
                  label="policy, best layer in hindsight")  # fmt: skip
        lines = (
            (choose(outcomes.counts[UNTRAINED], pictures).right, "^-", _ORANGE, "untrained network"),
            (outcomes.counts[PICTURE][str(PIXELS)].outer, "v-", _PURPLE, "the picture itself"),
        )
        for right, style, colour, label in lines:
            axes.plot(
                places, [100 * right[at].mean() for at in here], style, color=colour, label=label, alpha=0.8
            )
        shares = np.array([chosen[at].mean() for at in here])
        bounds = np.array([wilson(int(chosen[at].sum()), int(at.sum())) for at in here])
        errors = np.clip(np.stack([shares - bounds[:, 0], bounds[:, 1] - shares]), 0, None)
        axes.errorbar(places, 100 * shares, yerr=100 * errors, fmt="o-", color=_BLUE, capsize=5, linewidth=2.5,
                      label="policy, layer chosen on\nother levels (95 % interval)")  # fmt: skip
        axes.axhline(100 * THRESHOLD, color="black", linewidth=1.5, linestyle=":", label="90 %, as predicted")
        axes.set_xticks(places, [f"{size}\nn={at.sum()}" for size, at in zip(sizes, here, strict=True)])
        axes.tick_params(axis="x", labelsize=12)
        axes.set_xlabel("size of the maze, and levels scored")
        axes.set_ylabel("exact cell right (%)")
        lowest = min(bounds[:, 0].min(), *(right[at].mean() for right, *_ in lines for at in here))
        axes.set_ylim(min(80, 100 * lowest - 5) if lowest > 0.05 else 0, 101)
        axes.set_title("Where is the cheese? The chosen layer by size, levels held out")
        figure.legend(loc="outside right upper")
        _saved(figure, path)


def by_cell(outcomes: Outcomes, path: Path) -> None:
    """Shares right by where the cheese is from the top-right corner of its maze; the policy's own region is framed."""
    pictures = outcomes.pictures
    chosen = choose(outcomes.counts[NETWORK], pictures).right
    shape = (pictures.world, pictures.world)
    hits, trials = np.zeros(shape), np.zeros(shape)
    place = pictures.from_corner[:, 0], pictures.world - 1 - pictures.from_corner[:, 1]
    np.add.at(hits, place, chosen)
    np.add.at(trials, place, 1)
    shares = np.divide(hits, trials, out=np.full(shape, np.nan), where=trials > 0)
    with plt.rc_context(_TEXT):
        figure, axes = plt.subplots(figsize=(12, 6.75), layout="constrained")
        colours = plt.get_cmap("cividis").with_extremes(bad="white")
        image = axes.imshow(100 * shares, vmin=0, vmax=100, cmap=colours)
        last = pictures.world - 1
        axes.add_patch(
            Rectangle((last - REGION + 0.5, -0.5), REGION, REGION, fill=False, edgecolor=_ORANGE, linewidth=4)
        )
        ticks = np.arange(0, pictures.world, 4)
        axes.set_xticks(last - ticks, [str(tick) for tick in ticks])
        axes.set_yticks(ticks, [str(tick) for tick in ticks])
        axes.set_xlabel("columns left of the maze's right edge")
        axes.set_ylabel("rows below its top edge")
        axes.set_title("Where the cheese is read off rightly (layer chosen on other levels)")
        figure.colorbar(image, label="exact cell right (%)", shrink=0.9)
        told = [
            f"{name}:\n{100 * chosen[at].mean():.1f} % of {at.sum()}"
            for name, at in (("framed: cheese seen\nthere in training", pictures.seen),
                             ("elsewhere: never", ~pictures.seen))
            if at.any()
        ]  # fmt: skip
        figure.text(0.01, 0.5, "\n\n".join([*told, "white: no level"]), va="center")
        figure.get_layout_engine().set(rect=(0.19, 0, 0.81, 1))  # type: ignore[union-attr]
        _saved(figure, path)
