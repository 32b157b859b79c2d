"""All that an experiment may import of kb: its configuration in, its events out. Standard library only.

An experiment is a process of its own, `python -m reproductions.<folder>.experiment`, started in its run
folder. It reads `config.json` there, appends events to `events.jsonl`, and leaves pictures beside them:

    from kb.reproduce.report import Report

    def main() -> None:
        with Report.open() as report:
            config = Config(**report.parameters)
            for seed in report.remaining("seed", range(config.seeds)):
                report.sample("score", unit=f"seed {seed}", value=measure(seed))
                report.finished("seed", seed)
                report.progress(seed + 1, config.seeds, "seeds")
            report.artifact("scores.png", "Scores by data set")

Events are the experiment's memory too: a resumed run reads what it has already reported, so that it only does
what is left. Samples of a step that had not finished when the process died are dropped, never doubled.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

Step = TypeVar("Step", int, str)

CONFIG = "config.json"
EVENTS = "events.jsonl"
CHECKPOINTS = "checkpoints"


class Report:
    """One run's configuration and its stream of events."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        config = json.loads((folder / CONFIG).read_text("utf-8"))
        self.preset: str = config["preset"]
        self.seed: int = config["seed"]
        self.parameters: dict[str, Any] = config["parameters"]
        """The preset's parameters, as the manifest gives them."""
        self.original: str | None = config.get("original")
        """Where the named artifact is, if the run is to use it: a path, or a word for downloading it."""
        self.published: list[dict[str, Any]] = config.get("published", [])
        """Published figures to show beside metrics: {metric, figure, value, source, locator, protocol, note};
        the value is None where nobody has read it."""
        self.cache = Path(config["cache"])
        """A folder for data sets that runs share; never in the repository."""
        self._done: set[tuple[str, str]] = set()
        self._keep_what_is_whole()
        self._events = (folder / EVENTS).open("a", encoding="utf-8", buffering=1)

    @classmethod
    def open(cls) -> Report:
        """The run in the current folder."""
        return cls(Path.cwd())

    def __enter__(self) -> Report:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._write({"event": "done"})
        self._events.close()

    @property
    def checkpoints(self) -> Path:
        """A folder inside the run for what a resumed run needs; emptied by nobody until the run is done."""
        folder = self.folder / CHECKPOINTS
        folder.mkdir(exist_ok=True)
        return folder

    def remaining(self, kind: str, steps: Iterable[Step]) -> Iterator[Step]:
        """The steps of a kind that this run has not finished yet, in their order."""
        for step in steps:
            if (kind, str(step)) not in self._done:
                yield step

    def finished(self, kind: str, step: object) -> None:
        """Say that a step and all samples before it are final: a resumed run will not do it again."""
        self._done.add((kind, str(step)))
        self._write({"event": "finished", "kind": kind, "step": str(step)})

    def sample(self, metric: str, *, unit: str, value: float, weight: float | None = None) -> None:
        """Report one value of a metric for one independent unit.

        Args:
            metric: the name that the manifest's `samples` give it.
            unit: what was sampled independently, as in "seed 3" or "level 17".
            value: a finite number. For a proportion: how many succeeded.
            weight: for a proportion: out of how many.

        Raises:
            ValueError: when the value is no finite number.
        """
        if not math.isfinite(value) or (weight is not None and not math.isfinite(weight)):
            raise ValueError(f"sample {metric} of {unit} is {value}, no finite number")
        event = {"event": "sample", "metric": metric, "unit": unit, "value": float(value)}
        self._write(event if weight is None else {**event, "weight": float(weight)})

    def progress(self, done: float, total: float, what: str = "") -> None:
        """Say how far the run is."""
        self._write({"event": "progress", "done": float(done), "total": float(total), "what": str(what)})

    def note(self, text: str) -> None:
        """A line for the person who watches and for the record."""
        self._write({"event": "note", "text": str(text)})

    def artifact(self, path: str, title: str) -> None:
        """Name a file in the run folder that belongs to the result, such as a plot.

        Raises:
            FileNotFoundError: when it is not there.
        """
        if not (self.folder / path).is_file():
            raise FileNotFoundError(f"artifact {path} is not in the run folder")
        self._write({"event": "artifact", "path": path, "title": str(title)})

    def data(self, digest: str) -> None:
        """Say which data the run used, as a digest of their content."""
        self._write({"event": "data", "digest": digest})

    def _write(self, event: dict[str, Any]) -> None:
        self._events.write(json.dumps(event, ensure_ascii=False) + "\n")

    def _keep_what_is_whole(self) -> None:
        """Before a resumed run goes on: drop what came after the last finished step."""
        path = self.folder / EVENTS
        if not path.exists():
            return
        kept: list[str] = []
        whole = 0
        for line in path.read_text("utf-8", errors="replace").split("\n"):
            try:
                event = json.loads(line)
            except ValueError:
                break  # the line that was being written when the process died
            kept.append(line)
            if event.get("event") == "finished":
                self._done.add((event["kind"], event["step"]))
                whole = len(kept)
        half = path.with_suffix(".half")
        with half.open("w", encoding="utf-8") as out:
            out.writelines(f"{line}\n" for line in kept[:whole])
            out.flush()
            os.fsync(out.fileno())
        half.replace(path)
