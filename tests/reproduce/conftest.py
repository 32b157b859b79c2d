"""A tiny reproduction in a folder of its own, and places to run it in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kb.reproduce import layout, manifest
from kb.store import connect, edit
from kb.store.places import Places
from tests.making import claim, source

MANIFEST = """
name = "tiny"
title = "A tiny experiment"
version = "1"
sources = ["paper2020"]
needs = ["repro"]
modules = ["json"]
pilot = "None: this is a test."
departures = ["Everything."]

[protocol]
environment = "none"

[presets.smoke]
seconds = 1
disk_mb = 1
memory_mb = 10
parameters = { units = 2 }

[presets.quick]
seconds = 1
disk_mb = 1
memory_mb = 10
parameters = { units = 12 }

[[metric]]
name = "score"
title = "The score"
estimator = "mean"
samples = ["score"]
unit = "seed"
min_units = 5

[[criterion]]
name = "high"
claim = "a-claim"
metric = "score"
meaning = "supports"
low = 0.4
primary = true
wording = "at least 0.4"

[[criterion]]
name = "low"
claim = "a-claim"
metric = "score"
meaning = "refutes"
high = 0.2
primary = true
wording = "at most 0.2"
"""

EXPERIMENT = """
import random
from kb.reproduce.report import Report

with Report.open() as report:
    units = report.parameters["units"]
    for unit in report.remaining("unit", range(units)):
        generator = random.Random(1000 * report.seed + unit)
        report.sample("score", unit=f"seed {unit}", value=0.5 + 0.1 * generator.random())
        report.finished("unit", unit)
        report.progress(unit + 1, units, "units")
    (report.folder / "plot.txt").write_text("a plot")
    report.artifact("plot.txt", "The plot")
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Callable[..., manifest.Manifest]:
    """Make the tiny reproduction, with another experiment or manifest where the test needs one."""

    def make(experiment: str = EXPERIMENT, text: str = MANIFEST) -> manifest.Manifest:
        folder = tmp_path / "reproductions" / "tiny"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / layout.FILE).write_text(text, "utf-8")
        (folder / "experiment.py").write_text(experiment, "utf-8")
        return manifest.load(folder)

    return make


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """A workspace with a released store that holds one claim."""
    released = tmp_path / "claims.db"
    connect.create(released)
    with connect.writing_to(released) as session:
        edit.put(session, source())
        edit.put(session, claim())
    return Places(
        workspace=tmp_path,
        library=tmp_path / "citations",
        released=released,
        working=tmp_path / ".kb" / "store.db",
        reproductions=(tmp_path / "reproductions",),
        runs=tmp_path / ".kb" / "runs",
    )
