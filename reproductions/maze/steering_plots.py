"""How the pictures of maze-steering are drawn: 12 x 6.75 inches at 100 dots, for a slide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from reproductions.maze.figures import SIZE, save, wilson
from reproductions.maze.state import Cell, Maze
from reproductions.maze.vector_field import VectorField

FONT = {"font.size": 13, "axes.titlesize": 14, "axes.labelsize": 13}
# Colours that people who are colour-blind tell apart (Okabe and Ito).
BLUE, ORANGE, GREEN, GREY, PINK = "#0072B2", "#D55E00", "#009E73", "#777777", "#CC79A7"


def _figure(*args: int, **options: Any) -> tuple[Any, Any]:
    plt.rcParams.update(FONT)
    return plt.subplots(*args, figsize=SIZE, layout="constrained", **options)


CORNER_BARS = (
    ("far_edit", "edited, cheese as it spawns", ORANGE),
    ("far_edit_cheese_there", "edited, cheese at the target", ORANGE),
    ("far_no_edit", "control: no edit", GREY),
    ("far_random_channels", "control: random channels", GREY),
    ("far_random_vector", "control: random vector, same norm", GREY),
    ("far_cheese_moved", "ceiling: real cheese moved there", BLUE),
    ("far_patched", "ceiling: patch from that maze", BLUE),
    ("far_shortest_within_n", "bound: shortest path is within N", GREEN),
    ("far_top_right_within_n", "top-right cheese, within N", GREEN),
    ("far_matched_edit", "paths matched: edited", ORANGE),
    ("far_matched_top_right", "paths matched: top-right cheese", GREEN),
)


def corners(kept: Mapping[str, Any], path: Path) -> None:
    """Bars of the main table; the last two are pairs of episodes whose shortest paths are about equally long."""
    figure, axes = _figure()
    names = []
    for place, (metric, name, colour) in enumerate(CORNER_BARS):
        values = [value for _, value, _ in kept["samples"][metric]]
        share, low, high = wilson(sum(values), len(values))
        matched = metric.startswith("far_matched")
        names.append(f"{name} ({len(values)} pairs)" if matched else name)
        if not values:
            continue
        axes.barh(place, share, color=colour, hatch="//" if matched else None, edgecolor="white")
        axes.plot([low, high], [place, place], color="black", linewidth=2)
        axes.text(high + 0.012, place, f"{100 * share:.1f} %", va="center")
    axes.axvline(0.33, color="black", linestyle="--", linewidth=1)
    axes.text(0.335, -0.72, "33 %: the rate predicted not to be reached", va="center")
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -1.1)
    axes.set_xlim(0, 1.05)
    axes.set_xlabel(
        f"share of held-out mazes (size 25) whose far corner is reached within N = {kept['n']:.0f} steps"
    )
    axes.set_title(f"Sending the mouse to the top left or bottom right: {kept['setting']}")
    save(figure, path)


def curves(at_squares: Mapping[str, Any], in_episodes: Mapping[str, Any], path: Path) -> None:
    """Each vector's effect over coefficients, a line for each layer; controls in grey and dashed."""
    figure, axes = _figure(1, 2, sharey=True)
    tables = at_squares["table"]
    layers = list(dict.fromkeys(row[2] for row in tables if row[2]))
    colours = plt.get_cmap("viridis")(np.linspace(0, 0.9, len(layers)))
    panels = (("cheese", 4, "to the cheese"), ("top-right", 5, "to the top right"))
    for panel, (name, column, label) in zip(axes, panels, strict=True):
        plain = tables[0][column]
        for layer, colour in zip(layers, colours, strict=True):
            for variant, style in (("other maze", "--"), ("random", ":"), ("own", "-")):
                points = [(row[3], row[column]) for row in tables if row[:3] == [name, variant, layer]]
                points = sorted([*points, (0.0, plain)])
                own = variant == "own"
                panel.plot(
                    *zip(*points, strict=True),
                    style,
                    color=colour if own else GREY,
                    alpha=1.0 if own else 0.45,
                    linewidth=2.2 if own else 1.2,
                    marker="o" if own else None,
                    markersize=4,
                    label=layer if own else None,
                )
        panel.set_title(f"{name} vector: move {label}")
        panel.set_xlabel("coefficient (0: no edit)")
        panel.set_ylim(0, 1)
    axes[0].set_ylabel("mean probability at decision squares, held-out mazes")
    handles, names = axes[0].get_legend_handles_labels()
    for style, label in (("--", "control: another maze's vector"), (":", "control: random vector")):
        handles.append(plt.Line2D([], [], color=GREY, linestyle=style))
        names.append(label)
    figure.legend(handles, names, loc="outside lower center", ncols=4, fontsize=11)
    save(figure, path)


def share(kept: Mapping[str, Any], search: Mapping[str, Any], activations: int, path: Path) -> None:
    """Small mazes: the best rule of each kind on held-out mazes, and all settings on development ones."""
    samples = kept["samples"]
    targets = sum(value for _, value, _ in samples["small_targets"])

    def rate(metric: str) -> float:
        return float(sum(value for _, value, _ in samples[f"{metric}_reached"]) / targets)

    figure, axes = _figure()
    searched = [row for row in search["table"] if row[0] == "all"]
    axes.scatter(
        [100 * max(row[7], 1 / activations) for row in searched],
        [row[5] for row in searched],
        color="none",
        edgecolor=GREY,
        label="every setting, few development mazes",
    )
    for (kind, setting), colour in zip(kept["settings"].items(), (BLUE, GREEN, ORANGE, PINK), strict=True):
        metric = f"small_{kind}"
        changed = samples[f"{metric}_share"]
        x = 100 * sum(value for _, value, _ in changed) / len(changed)
        axes.scatter([x], [rate(metric)], s=140, color=colour, zorder=3, label=f"held out: {setting}")
    for metric, label, style in (
        ("small_cheese_moved", "ceiling: real cheese moved there", "-"),
        ("small_no_edit", "control: no edit", ":"),
        ("small_random_channels", "control: random channels", "-."),
        ("small_random_vector", "control: random vector", "--"),
    ):
        axes.axhline(rate(metric), color="black", linestyle=style, linewidth=1.2, label=label)
    axes.set_xscale("log")
    axes.axvline(10, color=GREY)
    axes.set_xlim(right=14)
    axes.set_ylim(0, 1)
    axes.set_xlabel("activations changed, % of the network's (log scale; the line: 10 %)")
    axes.set_ylabel("targets reached within N")
    axes.set_title("Mazes of sizes 3 to 7, any free cell as the target")
    figure.legend(loc="outside right upper", fontsize=10.5)
    save(figure, path)


MAP_PANELS = (
    ("no_edit", "control: no edit"),
    ("random_channels", "control: random channels"),
    ("random_vector", "control: random vector there"),
    ("edit", "edited: {edit}"),
    ("layer", "whole layer: {layer}"),
    ("layer_random_vector", "control: random vector, whole layer"),
)


def success_map(kept: Mapping[str, Any], size: int, path: Path) -> None:
    """Share of targets reached, by their place in the maze: the edits, and what they are compared with."""
    figure, axes = _figure(2, 3)
    places = [(row - margin, column - margin) for margin, row, column in kept["cells"]]
    for panel, (name, title) in zip(axes.flat, MAP_PANELS, strict=True):
        hits, tries = np.zeros((size, size)), np.zeros((size, size))
        for place, hit in zip(places, kept["reached"][name], strict=True):
            hits[place] += hit
            tries[place] += 1
        shares = np.where(tries > 0, hits / np.maximum(tries, 1), np.nan)
        image = panel.imshow(shares, vmin=0, vmax=1, origin="lower", cmap="viridis")
        panel.set_facecolor("0.85")
        whole = f"{100 * hits.sum() / tries.sum():.0f} % of all targets"
        panel.set_title(f"{title.format(**kept['settings'])}\n{whole}", fontsize=12)
        panel.set_xticks([]), panel.set_yticks([])
    figure.colorbar(
        image, ax=axes, label=f"reached within N = {kept['n']:.0f} (grey: never a free cell)", shrink=0.8
    )
    figure.suptitle(f"Every free cell of size {size} as the target; start at the bottom left")
    save(figure, path)


def fields(
    maze: Maze, plain: VectorField, edited: VectorField, target: Cell | None, title: str, path: Path
) -> None:
    """Net move probabilities as arrows in every free cell: without, with, and the difference."""
    figure, axes = _figure(1, 3)
    low, high = maze.margin - 0.5, maze.margin + maze.size - 0.5
    rows, columns = np.array(plain.cells).T
    parts = (
        ("unedited", plain.arrows, BLUE),
        ("edited", edited.arrows, ORANGE),
        ("edited minus unedited", edited.arrows - plain.arrows, GREEN),
    )
    for panel, (name, arrows, colour) in zip(axes, parts, strict=True):
        panel.imshow(~maze.open_cells, origin="lower", cmap="gray_r", vmin=0, vmax=2)
        panel.quiver(
            columns,
            rows,
            arrows[:, 1],
            arrows[:, 0],
            color=colour,
            angles="xy",
            scale_units="xy",
            scale=1.1,
            width=0.007,
            headwidth=4,
            pivot="middle",
        )
        if maze.cheese is not None:
            panel.plot(
                maze.cheese[1], maze.cheese[0], "o", color="#E69F00", markeredgecolor="black", markersize=9
            )
        if target is not None:
            panel.plot(target[1], target[0], "X", color=PINK, markeredgecolor="black", markersize=11)
        panel.set_xlim(low, high), panel.set_ylim(low, high)
        panel.set_xticks([]), panel.set_yticks([])
        panel.set_title(name)
    marks = "dot: cheese" + ("" if target is None else "; cross: target")
    figure.suptitle(f"{title}\nlevel {maze.seed}, size {maze.size}; {marks}")
    save(figure, path)


def activation_maps(
    maze: Maze,
    layer: str,
    chosen: Sequence[int],
    hits: Sequence[float],
    maps: NDArray[np.float32],
    path: Path,
) -> None:
    """Channels over the maze; `maps` has shape (channels, height, width), row 0 at the top of the picture."""
    columns = min(4, len(chosen))
    figure, axes = _figure(-(-len(chosen) // columns), columns, squeeze=False)
    for panel in axes.flat:
        panel.axis("off")
    for panel, channel, hit, values in zip(axes.flat, chosen, hits, maps, strict=False):
        most = float(np.abs(values).max()) or 1.0
        panel.imshow(
            values,
            cmap="RdBu_r",
            vmin=-most,
            vmax=most,
            extent=(-0.5, maze.world - 0.5, -0.5, maze.world - 0.5),
        )
        if maze.cheese is not None:
            panel.plot(
                maze.cheese[1],
                maze.cheese[0],
                "s",
                markersize=13,
                markerfacecolor="none",
                markeredgecolor="black",
                markeredgewidth=2,
            )
        panel.set_title(f"channel {channel}: {100 * hit:.0f} % hits", fontsize=13)
    figure.suptitle(
        f"{layer}, level {maze.seed}; square: the cheese; hits: most extreme there, on held-out mazes"
    )
    save(figure, path)


def animation(
    walks: Sequence[tuple[str, Sequence[Cell], NDArray[np.uint8]]], maze: Maze, target: Cell, path: Path
) -> None:
    """Episodes side by side as a GIF; a ring marks the mouse, a frame the target.

    Args:
        walks: of each its name, the cell at each step, and the pictures, shape (steps, 64, 64, 3); all equally long.
        maze: which both are in.
        target: where the edit sends the mouse.
        path: of the file.
    """
    side, top, scale = 384, 28, 384 / maze.world
    frames = []
    for step in range(len(walks[0][1])):
        whole = Image.new("RGB", (len(walks) * (side + 8) - 8, side + top), "white")
        pen = ImageDraw.Draw(whole)
        for place, (name, cells, pictures) in enumerate(walks):
            left = place * (side + 8)
            whole.paste(
                Image.fromarray(pictures[step]).resize((side, side), Image.Resampling.NEAREST), (left, top)
            )
            pen.text((left + 6, 5), f"{name}, step {step}", fill="black", font_size=15)

            def corner(cell: Cell, left: int = left) -> tuple[float, float]:
                return left + cell[1] * scale, top + (maze.world - 1 - cell[0]) * scale

            x, y = corner(target)
            pen.rectangle((x, y, x + scale, y + scale), outline=(255, 0, 255), width=3)
            x, y = corner(cells[step])
            pen.ellipse((x - 5, y - 5, x + scale + 5, y + scale + 5), outline=(0, 220, 255), width=3)
        frames.append(whole.quantize(32))
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=120, loop=0, optimize=True)
