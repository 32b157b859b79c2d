"""Run records as files: run.json beside samples.csv, for runs that ship and for one's own."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kb import files
from kb.errors import KbError
from kb.reproduce import record_shape

RECORD = "run.json"
SAMPLES = "samples.csv"
_NEEDED = (
    "id",
    "reproduction",
    "version",
    "preset",
    "state",
    "started",
    "code_digest",
    "criteria",
    "metrics",
)


def write(folder: Path, run: Mapping[str, Any]) -> None:
    """Write a run's record into its folder: each file whole, or not at all."""
    samples = run.get("samples", [])
    rows = [["metric", "unit", "value", "weight"]]
    rows += [
        [s["metric"], s["unit"], repr(s["value"]), "" if s.get("weight") is None else repr(s["weight"])]
        for s in samples
    ]
    table = io.StringIO(newline="")
    csv.writer(table, lineterminator="\n").writerows(rows)
    files.write_whole(folder / SAMPLES, table.getvalue().encode("utf-8"))
    plain = {name: value for name, value in run.items() if name != "samples"}
    text = json.dumps(plain, indent=1, ensure_ascii=False) + "\n"
    files.write_whole(folder / RECORD, text.encode("utf-8"))


def read(folder: Path) -> dict[str, Any]:
    """A run's record with its samples.

    Raises:
        KbError: when a file is missing or broken, or a finished run has no samples to judge it again from.
    """
    path = folder / RECORD
    try:
        run = json.loads(files.read_text(path))
    except FileNotFoundError:
        raise KbError(f"no {RECORD} in {folder}") from None
    except (ValueError, RecursionError) as error:
        raise KbError(f"{path} cannot be read: {error}") from None
    missing = [name for name in _NEEDED if name not in run] if isinstance(run, dict) else list(_NEEDED)
    if missing:
        raise KbError(f"{path} lacks {', '.join(missing)}")
    wrong = record_shape.wrong_in(run)
    if wrong:
        raise KbError(f"{path}: {wrong}", "record it anew")
    run["samples"] = list(_samples(folder / SAMPLES))
    if run["state"] == "finished" and not run["samples"]:
        raise KbError(f"{path}: a finished run without samples cannot be judged again", "record it anew")
    return dict(run)


def _samples(path: Path) -> Iterator[dict[str, Any]]:
    try:
        rows = csv.DictReader(io.StringIO(files.read_text(path), newline=""))
        for line, row in enumerate(rows, 2):
            try:
                value = float(row["value"])
                weight = float(row["weight"]) if row["weight"] else None
                if not (
                    math.isfinite(value) and math.isfinite(weight or 0) and row["metric"] and row["unit"]
                ):
                    raise ValueError
                yield {"metric": row["metric"], "unit": row["unit"], "value": value, "weight": weight}
            except (KeyError, TypeError, ValueError):
                raise KbError(f"{path}:{line}: no sample (metric,unit,value,weight)") from None
    except FileNotFoundError:
        return
    except csv.Error as error:
        raise KbError(f"{path} cannot be read: {error}") from None


def recorded_runs(runs: Path) -> list[tuple[Path, dict[str, Any]]]:
    """The runs that ship with a reproduction, in its manifest's `runs`: (folder, record), by id.

    Raises:
        KbError: when one is broken, or its folder is not named after it.
    """
    found = []
    for path in sorted(runs.glob(f"*/{RECORD}")):
        run = read(path.parent)
        if run["id"] != path.parent.name:
            raise KbError(f"{path} holds the run {run['id']}", "name its folder after it")
        found.append((path.parent, run))
    return found
