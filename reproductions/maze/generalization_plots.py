"""The pictures of maze-generalization, each 1200 x 675 pixels."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from reproductions.maze.figures import SIZE, save, wilson

PLACES = ("top-right", "top-left", "bottom-right", "bottom-left", "random")
"""Of the cheese, from the top of a picture."""
SHOWN_ENDS = (
    ("cheese", "at the cheese", "#e6b800"),
    ("top-right", "top-right 5x5", "#c0392b"),
    ("top-left", "top-left 5x5", "#2471a3"),
    ("bottom-right", "bottom-right 5x5", "#1e8449"),
    ("bottom-left", "bottom-left 5x5", "#7f8c8d"),
    ("elsewhere", "elsewhere", "#e5e7e9"),
)
NETWORK_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9")
FEATURE_TITLES = {
    "cheese_to_corner": "cheese to top-right cell,\nEuclidean",
    "square_to_cheese": "decision square to cheese,\nEuclidean",
    "steps_to_cheese": "decision square to cheese,\nsteps",
    "square_to_region": "decision square to top-right 5x5,\nEuclidean",
}


def _rate(rows: Sequence[Any], n: float) -> float:
    return sum(row.within(n) for row in rows) / len(rows) if rows else math.nan


def _swept(everything: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [kept for kept in everything if "top-right" in kept["conditions"]]


def corners_by_size(everything: Sequence[dict[str, Any]], path: Path) -> None:
    """Shares reached within N, by place of the cheese (rows) and size (columns)."""
    swept = _swept(everything)
    shares = np.array([[_rate(kept["conditions"][c], kept["n"]) for kept in swept] for c in PLACES])
    figure, axes = plt.subplots(figsize=SIZE, layout="constrained")
    image = axes.imshow(shares, vmin=0, vmax=1, cmap="viridis", aspect="auto")
    axes.set_xticks(
        range(len(swept)),
        [
            f"{kept['size']}\nN = {kept['n']:.0f}\n{len(kept['conditions']['top-right'])} mazes"
            for kept in swept
        ],
    )
    axes.set_yticks(range(len(PLACES)), [_place(place) for place in PLACES])
    axes.set_xlabel("cells across the maze; N = mean steps of the episodes that reach the top-right corner")
    axes.set_title("Per cent of the mazes in which the cheese is reached within N steps")
    for (row, column), share in np.ndenumerate(shares):
        if math.isfinite(share):
            colour = "white" if share < 0.6 else "black"
            told = f"{100 * share:.0f}"
            axes.text(column, row, told, ha="center", va="center", color=colour, fontsize=13)
    figure.colorbar(image, label="share reached within N")
    save(figure, path)


def _place(name: str) -> str:
    words = {"bottom-left": "bottom-left 5x5\nwithout the start", "random": "any cell", "none": "no cheese"}
    return words.get(name, f"{name} corner")


def largest(kept: dict[str, Any], path: Path) -> None:
    """Bars with 95 % Wilson intervals: each place of the cheese, and how often the corner is come to anyway."""
    n, conditions = kept["n"], kept["conditions"]
    bars = [
        (
            _place(name) if name in PLACES else name.replace(" ", " network,\n"),
            [row.within(n) for row in rows],
        )
        for name, rows in conditions.items()
        if name != "none"
    ]
    bars += [
        (f"no cheese,\n{corner}", [corner in row.corners for row in conditions["none"]])
        for corner in ("top-left", "bottom-right")
    ]
    figure, axes = plt.subplots(figsize=SIZE, layout="constrained")
    for place, (name, hits) in enumerate(bars):
        share, low, high = wilson(sum(hits), len(hits))
        control = name.startswith(("untrained", "no cheese"))
        axes.barh(place, share, color="0.75" if control else "tab:blue")
        axes.plot([low, high], [place, place], color="black")
        if math.isfinite(high):
            axes.text(high + 0.01, place, f"{100 * share:.0f} %", va="center")
    axes.set_yticks(range(len(bars)), [name for name, _ in bars])
    axes.invert_yaxis()
    axes.set_xlim(0, 1.08)
    axes.set_xticks(np.linspace(0, 1, 6))
    axes.set_title(f"Mazes of size {kept['size']}: reached within N = {n:.0f} steps")
    axes.set_xlabel("share of the mazes, with 95 % intervals; grey: null controls")
    save(figure, path)


def networks(each: Mapping[str, dict[str, Any]], path: Path) -> None:
    """Grouped bars with 95 % Wilson intervals over mazes: each place of the cheese, network by network."""
    places = PLACES[:-1]
    figure, axes = plt.subplots(figsize=SIZE, layout="constrained")
    high = 0.8 / max(len(each), 1)
    for index, (name, kept) in enumerate(each.items()):
        n, colour = kept["n"], NETWORK_COLOURS[index % len(NETWORK_COLOURS)]
        for group, where in enumerate(places):
            hits = [row.within(n) for row in kept["conditions"][where]]
            share, low, top = wilson(sum(hits), len(hits))
            place = group - 0.4 + high * (index + 0.5)
            label = f"{name}: N = {n:.0f} steps" if group == 0 else None
            axes.barh(place, share, height=0.9 * high, color=colour, label=label)
            axes.plot([low, top], [place, place], color="black")
            axes.text(top + 0.01, place, f"{100 * share:.0f} %", va="center", fontsize=9)
    axes.set_yticks(range(len(places)), [_place(place) for place in places])
    axes.invert_yaxis()
    axes.set_xlim(0, 1.08)
    axes.set_xticks(np.linspace(0, 1, 6))
    axes.set_title("Mazes of size 25: cheese reached within N steps, for networks of several training seeds")
    axes.set_xlabel("share of the mazes, with 95 % intervals: each is about one network")
    figure.legend(loc="outside upper center", ncols=max(len(each), 1), frameon=False)
    save(figure, path)


def ends(everything: Sequence[dict[str, Any]], path: Path) -> None:
    """Stacked bars: where the mouse is after N steps, for each place of the cheese, at three sizes."""
    swept = _swept(everything)
    chosen = [swept[index] for index in sorted({0, len(swept) // 2, len(swept) - 1})]
    figure, panels = plt.subplots(1, len(chosen), figsize=SIZE, sharey=True, layout="constrained")
    places = (*PLACES, "none")
    for axes, kept in zip(np.atleast_1d(panels), chosen, strict=True):
        left = np.zeros(len(places))
        for end, title, colour in SHOWN_ENDS:
            rows = [kept["conditions"][place] for place in places]
            shares = np.array([sum(row.end == end for row in each) / len(each) for each in rows])
            axes.barh(range(len(places)), shares, left=left, color=colour, label=title, edgecolor="white")
            left += shares
        axes.set_xlim(0, 1)
        axes.set_title(f"size {kept['size']}, N = {kept['n']:.0f}, {len(kept['conditions']['none'])} mazes")
        axes.set_yticks(range(len(places)), [_place(place) for place in places])
    np.atleast_1d(panels)[0].invert_yaxis()
    figure.supylabel("place of the cheese")
    figure.supxlabel("share of the episodes, where the mouse is after N steps")
    handles, labels = np.atleast_1d(panels)[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(SHOWN_ENDS), frameon=False)
    save(figure, path)


def coefficients(
    samples: Mapping[str, Sequence[float]], published: Sequence[Mapping[str, Any]], path: Path
) -> None:
    """Our coefficients with jackknife intervals beside the published ones, for each model."""
    figures = {entry["metric"]: entry["value"] for entry in published if entry["value"] is not None}
    figure, panels = plt.subplots(1, 2, figsize=SIZE, sharey=True, layout="constrained")
    titles = {"four": "four distances (first post)", "three": "three distances (second post)"}
    for axes, (model, title) in zip(panels, titles.items(), strict=True):
        for place, feature in enumerate(FEATURE_TITLES):
            name = f"{model}_{feature}"
            if name not in samples:
                continue
            value, half = _mean_and_half(samples[name])
            axes.errorbar(value, place - 0.12, xerr=half, fmt="o", color="tab:blue", capsize=4)
            if name in figures:
                axes.plot(figures[name], place + 0.12, "D", color="tab:orange")
        axes.axvline(0, color="0.6", linewidth=1)
        axes.set_title(f"{title}\n{_accuracies(samples, figures, model)}", fontsize=10)
        axes.set_xlabel("logits of reaching the cheese, per standard deviation")
        axes.set_yticks(range(len(FEATURE_TITLES)), FEATURE_TITLES.values())
    panels[0].invert_yaxis()
    panels[0].plot([], [], "o", color="tab:blue", label="this network, 95 % jackknife interval over layouts")
    panels[0].plot([], [], "D", color="tab:orange", label="published network, as printed")
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    save(figure, path)


def _accuracies(samples: Mapping[str, Sequence[float]], figures: Mapping[str, float], model: str) -> str:
    def told(metric: str) -> str:
        ours = sum(samples[metric]) / len(samples[metric])
        return f"{ours:.1f} %" + (f" (published {figures[metric]:.1f})" if metric in figures else "")

    lines = [f"held-out accuracy {told(f'{model}_accuracy')}"]
    if model == "four":
        lines.append(f"commoner outcome {told('majority_accuracy')}")
    return "\n".join(lines)


def _mean_and_half(values: Sequence[float]) -> tuple[float, float]:
    mean = sum(values) / len(values)
    if len(values) < 2:
        return mean, 0.0
    variance = sum((value - mean) ** 2 for value in values) / (len(values) - 1)
    return mean, 1.959964 * math.sqrt(variance / len(values))
