"""The pictures of a run: scores by data set, published beside own, learning curves."""

from __future__ import annotations

import matplotlib

matplotlib.use("Agg")

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import special

from kb.reproduce.report import Report
from reproductions.dt_random.comparisons import Training
from reproductions.dt_random.one_training import Outcome

INK = "#1a1a1a"
QUIET = "#595959"
DATA, MODEL, CONTROL = "#595959", "#0072b2", "#a34700"
"""Dark members of a colour-blind-safe palette; each has a contrast above 4.5 : 1 on white."""
TITLES = {"hopper": "Hopper", "halfcheetah": "HalfCheetah", "walker2d": "Walker2d", "average": "Average"}
LEVELS = {"random": "random", "medium": "medium", "medium-expert": "medium-expert"}
ROWS = (
    ("data_mean", "the data's average episode", DATA),
    ("data_best", "the data's best episode", DATA),
    ("bc", "behaviour cloning", CONTROL),
    ("rvs", "RvS-R (MLP told the return)", CONTROL),
    ("dt_untrained", "DT before training", CONTROL),
    ("dt_shuffled", "DT, returns shuffled", CONTROL),
    ("dt", "Decision Transformer", MODEL),
)

Scores = Mapping[str, Sequence[float]]
"""Sample name -> score of each training seed."""


def draw(
    environments: Sequence[str],
    outcomes: Mapping[str, Outcome],
    planned: Sequence[Training],
    reached: Mapping[str, Mapping[str, float]],
    report: Report,
) -> Iterator[tuple[str, str]]:
    """Draws every picture into the run folder; (file, title) of each, the one for a slide first."""
    scores: dict[str, list[float]] = {}
    for training in planned:
        scores.setdefault(training.sample, []).append(
            float(np.mean(outcomes[training.name].scores["target"]))
        )
    for data_set, values in reached.items():
        for name, value in values.items():
            scores[f"{data_set}_{name}"] = [value]
    scores_by_data_set(environments, scores, report.folder / "scores.png")
    yield "scores.png", "Normalised score by data set: Decision Transformer, baselines, controls, the data"
    if any(entry["value"] is not None and entry["metric"] in scores for entry in report.published):
        published_beside_own(report.published, scores, report.folder / "published.png")
        yield "published.png", "Published scores of the Decision Transformer beside ours"
    learning_curves(environments, outcomes, planned, report.folder / "curves.png")
    yield "curves.png", "Action error over training, one line for each training seed"


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean and 95 % t interval over training seeds; with one value the interval is the value."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return mean, mean, mean
    error = float(np.std(values, ddof=1)) / len(values) ** 0.5
    reach = float(special.stdtrit(len(values) - 1, 0.975)) * error
    return mean, mean - reach, mean + reach


def scores_by_data_set(environments: Sequence[str], scores: Scores, path: Path) -> None:
    """Random data beside medium-expert data: every learner's mean, interval and seeds, averaged over environments."""
    figure, all_axes = pyplot.subplots(1, 2, figsize=(12, 6.75), dpi=100, sharey=True)
    shown = {level: _averaged(environments, scores, level) for level in ("random", "medium-expert")}
    width = max(100.0, *(max(values) for level in shown.values() for values in level.values()))
    for axes, (level, values) in zip(all_axes, shown.items(), strict=True):
        _rows(axes, values, width)
        axes.set_title(f"{level} data", fontsize=19, color=INK, loc="left")
    for row, (_, label, colour) in enumerate(ROWS):
        all_axes[0].text(-0.08 * width, row, label, ha="right", va="center", fontsize=16, color=colour)
    where = (
        TITLES[environments[0]] if len(environments) == 1 else f"average of {len(environments)} environments"
    )
    random, best = (float(np.mean(shown[level]["dt"])) for level in ("random", "medium-expert"))
    _headline(
        figure,
        f"Trained on random data the Decision Transformer scores {random:.0f},\n"
        f"on medium-expert data {best:.0f} ({where}; an expert scores 100)",
    )
    figure.text(
        0.64, 0.03, "D4RL-normalised score: mean and 95 % interval over training seeds; a dot is a seed",
        ha="center", fontsize=14, color=QUIET,
    )  # fmt: skip
    figure.subplots_adjust(left=0.285, right=0.97, top=0.79, bottom=0.13, wspace=0.08)
    _save(figure, path)


def _averaged(environments: Sequence[str], scores: Scores, level: str) -> dict[str, list[float]]:
    """Of each row the scores seed by seed, averaged over the environments; rows that lack one are left out."""
    found: dict[str, list[float]] = {}
    for name, _, _ in ROWS:
        rows = [scores.get(f"{e}_{level}_{name}".replace("-", "_")) for e in environments]
        present = [row for row in rows if row is not None]
        if len(present) == len(environments):
            found[name] = np.mean(np.array(present), axis=0).tolist()
    return found


def _rows(axes: Axes, values: Mapping[str, Sequence[float]], width: float) -> None:
    scatter = np.random.default_rng(0)
    for row, (name, _, colour) in enumerate(ROWS):
        if name not in values:
            axes.text(0, row, "not run", ha="left", va="center", fontsize=13, color=QUIET)
            continue
        mean, low, high = interval(values[name])
        if len(values[name]) > 1:
            dots = row + scatter.uniform(-0.2, 0.2, len(values[name]))
            axes.scatter(values[name], dots, s=40, color=colour, alpha=0.3, lw=0)
        axes.plot([low, high], [row, row], color=colour, lw=5, solid_capstyle="butt")
        axes.plot(mean, row, "o" if len(values[name]) > 1 else "D", ms=11, color=colour, mec="white", mew=1.5)
        axes.text(1.32 * width, row, f"{mean:.1f}", ha="right", va="center", fontsize=16, color=colour)
    axes.set_xlim(-0.06 * width, 1.34 * width)
    axes.set_ylim(len(ROWS) - 0.5, -0.5)
    axes.set_yticks([])
    axes.set_xticks([tick for tick in (0, 25, 50, 75, 100) if tick < 1.1 * width])
    axes.axvline(100, color="#bbbbbb", lw=1, zorder=0)
    _plain(axes)


def published_beside_own(published: Sequence[Mapping[str, object]], scores: Scores, path: Path) -> None:
    """For each published figure that the library holds: the printed value beside ours with its interval."""
    shown = [entry for entry in published if entry["value"] is not None and entry["metric"] in scores]
    figure, axes = pyplot.subplots(figsize=(12, 6.75), dpi=100)
    names = []
    for row, entry in enumerate(shown):
        name, value = str(entry["metric"]), float(str(entry["value"]))
        environment, level = name.split("_")[0], name.split("_", 1)[1].removesuffix("_dt").replace("_", "-")
        names.append(f"{TITLES[environment]}, {level}")
        mean, low, high = interval(scores[name])
        axes.plot(value, row - 0.16, "D", ms=11, color=CONTROL, mec="white", mew=1.5)
        axes.text(value, row - 0.36, f"{value:g}", ha="center", va="bottom", fontsize=15, color=CONTROL)
        axes.plot([low, high], [row + 0.16] * 2, color=MODEL, lw=5, solid_capstyle="butt")
        axes.plot(mean, row + 0.16, "o", ms=11, color=MODEL, mec="white", mew=1.5)
        axes.text(mean, row + 0.36, f"{mean:.1f}", ha="center", va="top", fontsize=15, color=MODEL)
    axes.set_yticks(range(len(shown)), names, fontsize=17, color=INK)
    axes.set_ylim(len(shown) - 0.3, -0.7)
    axes.set_xlim(0, 1.12 * max(100.0, *(float(str(entry["value"])) for entry in shown)))
    axes.set_xlabel("D4RL-normalised score", fontsize=16, color=INK)
    _plain(axes)
    where = ", ".join(dict.fromkeys(f"{entry['source']}, {entry['locator']}" for entry in shown))
    notes = "; ".join(dict.fromkeys(str(entry["note"]) for entry in shown if entry["note"]))
    _headline(
        figure,
        "The Decision Transformer where its paper has a figure:\npublished and ours are not one protocol",
    )
    figure.text(0.02, 0.085, f"◆ published ({where}): D4RL's data; {notes}", fontsize=14, color=CONTROL)
    figure.text(
        0.02, 0.03, "● ours: own data, gymnasium v5, fewer updates; mean and 95 % interval over training seeds",
        fontsize=14, color=MODEL,
    )  # fmt: skip
    figure.subplots_adjust(left=0.27, right=0.97, top=0.83, bottom=0.25)
    _save(figure, path)


def learning_curves(
    environments: Sequence[str], outcomes: Mapping[str, Outcome], planned: Sequence[Training], path: Path
) -> None:
    """Mean squared action error over updates: one panel for each environment, one line for each seed."""
    colours = {"random": CONTROL, "medium": DATA, "medium-expert": MODEL}
    figure, all_axes = pyplot.subplots(
        1, len(environments), figsize=(12, 6.75), dpi=100, sharey=True, squeeze=False
    )
    for axes, environment in zip(all_axes[0], environments, strict=True):
        for level, colour in colours.items():
            for training in planned:
                if (training.learner, training.environment, training.level) == ("dt", environment, level):
                    updates, errors = zip(*outcomes[training.name].curve, strict=True)
                    axes.plot(updates, errors, color=colour, lw=1.5, alpha=0.7)
        axes.set_title(TITLES[environment], fontsize=18, color=INK, loc="left")
        axes.set_yscale("log")
        axes.set_xlim(0, updates[-1])
        axes.set_xticks([0, updates[-1] // 2, updates[-1]])
        axes.set_xlabel("updates", fontsize=15, color=INK)
        _plain(axes)
        for label, side in zip(axes.get_xticklabels(), ("left", "center", "right"), strict=True):
            label.set_horizontalalignment(side)  # or the numbers of neighbouring panels touch
    all_axes[0][0].set_ylabel("action error (mean square)", fontsize=15, color=INK)
    _headline(figure, "How well the data's actions are predicted, over training")
    for place, (level, colour) in zip((0.02, 0.2, 0.38), colours.items(), strict=True):
        figure.text(place, 0.88, f"— {level} data", fontsize=16, color=colour)
    figure.subplots_adjust(left=0.09, right=0.97, top=0.79, bottom=0.12, wspace=0.1)
    _save(figure, path)


def _headline(figure: Figure, text: str) -> None:
    figure.suptitle(text, x=0.02, ha="left", fontsize=21, color=INK)


def _plain(axes: Axes) -> None:
    axes.tick_params(axis="both", labelsize=14, labelcolor=INK, color=QUIET)
    axes.grid(axis="x", color="#e0e0e0", lw=1)
    axes.set_axisbelow(True)
    for side in ("left", "top", "right"):
        axes.spines[side].set_visible(False)


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path)
    pyplot.close(figure)
