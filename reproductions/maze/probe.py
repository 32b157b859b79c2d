"""Can the exact cell of the cheese be read off a layer of the policy by a linear probe, in mazes of every size?

Scott Emmons put 80 % on it, for "at least one of the layers" and "all maze sizes", of the network of Turner et al.
2023, "Understanding and controlling a maze-solving policy network". Here, on levels that nothing was trained or
chosen on:

    1. for every odd size, levels with cheese and mouse on any free cells, in four folds;
       no level, and of the smallest sizes no layout, is in two                                    probe_data.py
    2. on every layer fit linear probes with each fold, and each pair of folds, left out         linear_probe.py
    3. choose a layer for each size and fold without looking at the fold; score it there         probe_choice.py
    4. the same on an untrained network, on the picture itself, and with the labels shuffled

The probe that counts is the tied one, where a layer has locations; without locations (fc) the flat one. This was
fixed before any recorded run: a flat probe has more weights than there are pictures, and a tied probe is a flat one
with fewer of them, so it cannot read what is not there linearly. Flat probes of all layers are reported beside it.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kb.reproduce.report import Report
from reproductions.maze import linear_probe, networks, probe_data
from reproductions.maze.environment import Environments, world_of
from reproductions.maze.imitation import HELD_OUT_SEEDS, TRAINING_SEEDS
from reproductions.maze.linear_probe import FOLDS, Labels
from reproductions.maze.networks import Network
from reproductions.maze.policy import PIXELS
from reproductions.maze.probe_choice import (
    Candidates,
    Fitted,
    best_afterwards,
    choose,
    gathered,
    worst_size,
)
from reproductions.maze.probe_data import Pictures

SIZES = tuple(range(3, 26, 2))
SLOTS = 64
MEASURE = 8
"""Levels of each size on which activations are measured before they are standardised; no probe sees them."""
TIED, FLAT = "tied", "flat"
NETWORK, UNTRAINED, PICTURE = "network", "untrained", "picture"
Read: TypeAlias = tuple[str, str]
"""Whose activations, and which layer of it; of the picture, pixels across."""


@dataclass(frozen=True)
class Config:
    """Everything that a run can change; probe.reproduction.toml gives the values for each preset."""

    network: str = "hard-0"
    levels: int = 300
    """Of each size; fewer where layouts come twice."""
    every_layer: bool = False
    """Also those inside of residual blocks."""
    epochs: int = 12
    """Of the tied probe."""
    learning_rate: float = 0.2
    ridge: float = 0.01
    """Of the flat probe."""
    largest_mb: float = 1500
    """Layers that would take more memory are left out, and the run says so."""


class Study:
    """One network's pictures, and the layers to read."""

    def __init__(self, config: Config, subject: Network, seed: int, seeds: range) -> None:
        self.config, self.seed = config, seed
        self.mode = "easy" if config.network.startswith("easy") else "hard"
        environments = Environments(self.mode, SLOTS, backgrounds=subject.backgrounds)
        self.world = world_of(self.mode)
        self.sizes = tuple(size for size in SIZES if size <= self.world)
        draw = np.random.default_rng([seed, 1])
        self.measured = probe_data.pictures(
            environments, dict.fromkeys(self.sizes, MEASURE), TRAINING_SEEDS, draw
        )
        self.pictures = probe_data.pictures(
            environments, dict.fromkeys(self.sizes, config.levels), seeds, draw
        )
        self.subjects = {NETWORK: subject, UNTRAINED: networks.untrained(subject, seed)}
        self.shapes = subject.policy.shapes()
        self.left_out: list[str] = []
        names = []
        for name in probe_data.stages(subject, config.every_layer):
            (names if self.megabytes(name) <= config.largest_mb else self.left_out).append(name)
        self.layers = tuple(names)
        self._kept: dict[Read, list[Tensor]] = {}

    def megabytes(self, layer: str) -> float:
        """What a layer's activations take, as the tied probe reads them."""
        shape = self.shapes[layer]
        numbers = int(np.prod(shape))
        if len(shape) == 3:
            laid = self.laid(self.side, shape[-1])
            if laid.phases == 1:
                numbers = shape[0] * (self.world * laid.window) ** 2
        return 2e-6 * numbers * len(self.pictures)

    @property
    def side(self) -> int:
        """Pixels across what the network's first convolution sees."""
        return self.subjects[NETWORK].policy.architecture.side

    def laid(self, side: int, locations: int) -> linear_probe.Grid:
        """Which locations stand for a cell."""
        return linear_probe.grid(side, locations, self.world)

    def reads(self) -> tuple[Read, ...]:
        """Everything that is probed, in order."""
        pictures = tuple((PICTURE, str(side)) for side in (PIXELS, 2 * self.world))
        return (*pictures, *itertools.product((NETWORK, UNTRAINED), self.layers))

    def values(self, read: Read) -> list[Tensor]:
        """Standardised activations, float16, shape (n, channels, height, width) or (n, features), in parts of n.

        As many layers as fit into memory come out of one pass through the network.
        """
        who, what = read
        if who == PICTURE:
            by = probe_data.standard(probe_data.pixels(self.measured.frames, int(what)))
            whole = probe_data.pixels(self.pictures.frames, int(what))
            return [probe_data.standardised(part, by) for part in whole.split(probe_data.BATCH)]
        if read not in self._kept:
            self._kept.clear()
            self._read(who, self._together(what))
        return self._kept.pop(read)

    def _together(self, first: str) -> list[str]:
        names: list[str] = []
        room = self.config.largest_mb / 5
        for name in self.layers[self.layers.index(first) :]:
            room -= self.megabytes(name)
            if names and room < 0:
                break
            names.append(name)
        return names

    def _read(self, who: str, names: Sequence[str]) -> None:
        network = self.subjects[who]
        measured = list(probe_data.activations(network, self.measured.frames, names))
        by = {name: probe_data.standard(torch.cat([part[name] for part in measured])) for name in names}
        self._kept = {(who, name): [] for name in names}
        for part in probe_data.activations(network, self.pictures.frames, names):
            for name in names:
                self._kept[who, name].append(probe_data.standardised(part[name], by[name]))

    def forms(self, read: Read) -> tuple[str, ...]:
        """The probes that are fitted: the one that counts first, then, not of untrained networks, the other."""
        if read[0] != PICTURE and len(self.shapes[read[1]]) == 1:
            return (FLAT,)
        return (TIED,) if read[0] == UNTRAINED else (TIED, FLAT)

    def fit(self, read: Read) -> dict[str, Fitted]:
        """Probes of one layer, by form."""
        parts = self.values(read)
        fitted = {}
        forms = self.forms(read)
        if FLAT in forms:
            fitted[FLAT] = self._flat(parts)
        if TIED in forms:  # last, since it empties the parts
            fitted[TIED] = self._tied(parts, int(read[1]) if read[0] == PICTURE else self.side)
        return {form: fitted[form] for form in forms}

    def columns(self) -> tuple[linear_probe.Splits, Labels]:
        """The splits, those that score once more with shuffled labels; and each column's labels, (n, columns)."""
        plain = linear_probe.splits(self.pictures.folds)
        again = linear_probe.Splits(
            np.concatenate([plain.members, plain.members[:, :FOLDS]], axis=1),
            (*plain.left_out, *plain.left_out[:FOLDS]),
        )
        cheese = self.pictures.cheese
        dealt = probe_data.shuffled(cheese, self.pictures.sizes, self.seed)
        true = np.repeat(cheese[:, None], len(plain.left_out), axis=1)
        return again, np.concatenate([true, np.repeat(dealt[:, None], FOLDS, axis=1)], axis=1)

    def _tied(self, parts: list[Tensor], side: int) -> Fitted:
        splits, labels = self.columns()
        layer = linear_probe.located(parts, self.laid(side, parts[0].shape[-1]))
        recipe = linear_probe.Recipe(epochs=self.config.epochs, learning_rate=self.config.learning_rate)
        weights = linear_probe.fit_tied(layer, labels, splits.members, recipe, self.seed)
        return gathered(linear_probe.tied_cells(layer, weights) == labels, splits, self.pictures.folds)

    def _flat(self, parts: Sequence[Tensor]) -> Fitted:
        splits, labels = self.columns()
        inner = linear_probe.gram(parts)
        found = [
            linear_probe.flat_cells(inner, labels[:, column], splits.members[:, column], self.config.ridge)
            for column in range(labels.shape[1])
        ]
        return gathered(np.stack(found, axis=1) == labels, splits, self.pictures.folds)


@dataclass(frozen=True)
class Outcomes:
    """All probes' outcomes, sorted by what they are for."""

    pictures: Pictures
    counts: dict[str, Candidates]
    """The probes that count, by whose activations they read."""
    flat: Candidates
    """Flat probes of the network's layers."""

    @property
    def every(self) -> Candidates:
        """The network's probes of both forms."""
        return {**self.counts[NETWORK], **{f"{name}, flat": one for name, one in self.flat.items()}}


def sorted_outcomes(pictures: Pictures, fitted: Mapping[Read, Mapping[str, Fitted]]) -> Outcomes:
    """The first form of each layer counts."""
    counts: dict[str, dict[str, Fitted]] = {PICTURE: {}, NETWORK: {}, UNTRAINED: {}}
    flat: dict[str, Fitted] = {}
    for (who, what), forms in fitted.items():
        counts[who][what] = next(iter(forms.values()))
        if who == NETWORK and FLAT in forms:
            flat[what] = forms[FLAT]
    return Outcomes(pictures, dict(counts), flat)


def report_outcomes(report: Report, outcomes: Outcomes, every_layer: bool = False) -> None:
    """One sample for each level.

    Args:
        report: the run.
        outcomes: of all probes.
        every_layer: whether no layer was left out; only then can the best of them speak for all.
    """
    pictures, layers = outcomes.pictures, outcomes.counts[NETWORK]
    everything = np.ones(len(pictures), np.bool_)
    sizes = np.unique(pictures.sizes).tolist()
    chosen = choose(layers, pictures)

    def each(metric: str, right: NDArray[np.bool_], at: NDArray[np.bool_] = everything) -> None:
        for place in np.flatnonzero(at):
            report.sample(metric, unit=f"level {pictures.levels[place]}", value=float(right[place]), weight=1)

    best, shuffled = np.zeros(len(pictures), np.bool_), np.zeros(len(pictures), np.bool_)
    for size in sizes:
        here = pictures.sizes == size
        each(f"size_{size}", chosen.right, here)
        best[here] = outcomes.every[best_afterwards(outcomes.every, here)].outer[here]
        for fold in range(FOLDS):
            mine = here & (pictures.folds == fold)
            shuffled[mine] = layers[chosen.layers[fold, size]].shuffled[mine]
        names = Counter(chosen.layers[fold, size] for fold in range(FOLDS)).most_common()
        told = ", ".join(f"{name} in {count} of {FOLDS} folds" for name, count in names)
        report.note(f"size {size}: layer chosen {told}")
    worst = worst_size(chosen, pictures)
    each("worst_size", chosen.right, worst)
    if every_layer:
        each("worst_size_best_layer", best, worst)
    each("all_sizes", chosen.right)
    each("seen_cells", chosen.right, pictures.seen)
    each("unseen_cells", chosen.right, ~pictures.seen)
    deeper = {name: fitted for name, fitted in layers.items() if not name.startswith("block1.")}
    each("after_block1", choose(deeper, pictures).right)
    each("flat", choose(outcomes.flat, pictures).right)
    each("shuffled", shuffled)
    each("untrained", choose(outcomes.counts[UNTRAINED], pictures).right)
    for side, fitted in outcomes.counts[PICTURE].items():
        each("pixels" if side == str(PIXELS) else "resampled_pixels", fitted.outer)


def keep(fitted: Mapping[str, Fitted], path: Path) -> None:
    """A layer's outcomes as a file, whole or not at all."""
    half = path.with_suffix(".half.npz")
    arrays: dict[str, Any] = {}
    for form, one in fitted.items():
        arrays |= {f"{form}.{name}": getattr(one, name) for name in ("outer", "inner", "shuffled")}
    np.savez_compressed(half, **arrays)
    half.replace(path)


def kept_again(path: Path) -> dict[str, Fitted]:
    """What `keep` kept, in its order."""
    with np.load(path, allow_pickle=False) as arrays:
        forms = dict.fromkeys(name.partition(".")[0] for name in arrays.files)
        return {
            form: Fitted(*(arrays[f"{form}.{name}"] for name in ("outer", "inner", "shuffled")))
            for form in forms
        }


def run(report: Report, seeds: range = HELD_OUT_SEEDS) -> None:
    """Fit the probes that are left, choose, draw.

    Args:
        report: the run.
        seeds: levels are drawn from these; others only while settings are chosen.
    """
    from reproductions.maze import probe_plots as plots

    config = Config(**report.parameters)
    subject = networks.network(config.network, report.original, report.cache)
    study = Study(config, subject, report.seed, seeds)
    reads = {f"{who}-{what}": (who, what) for who, what in study.reads()}
    for name in report.remaining("layer", reads):
        keep(study.fit(reads[name]), report.checkpoints / f"{name}.npz")
        report.finished("layer", name)
        report.progress(list(reads).index(name) + 1, len(reads), "layers")
    fitted = {read: kept_again(report.checkpoints / f"{name}.npz") for name, read in reads.items()}
    outcomes = sorted_outcomes(study.pictures, fitted)
    report_outcomes(report, outcomes, every_layer=config.every_layer and not study.left_out)
    if study.left_out:
        report.note(f"left out, more than {config.largest_mb} MB each: {', '.join(study.left_out)}")
    plots.by_layer(outcomes, report.folder / "layers.png")
    report.artifact(
        "layers.png", "Exact cell of the cheese read off each layer by a linear probe, with controls"
    )
    plots.by_size(outcomes, report.folder / "sizes.png")
    report.artifact("sizes.png", "Exact cell of the cheese by size of the maze, layer chosen on other levels")
    plots.by_cell(outcomes, report.folder / "cells.png")
    report.artifact("cells.png", "Where the cheese is read off rightly, and where the policy never saw it")


def main() -> None:
    """Run in the current folder, as kb's runner starts it."""
    torch.set_num_threads(1)
    with Report.open() as report:
        run(report)


if __name__ == "__main__":
    main()
