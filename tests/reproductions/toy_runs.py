"""Experiments at toy size, opened in a folder as kb's runner would open them."""

import json
from pathlib import Path
from typing import Any

from kb.reproduce.report import Report


class Interrupted(Exception):
    """Stands for the process being killed."""


def opened(folder: Path, parameters: dict[str, Any]) -> Report:
    """A smoke run with seed 3 that keeps everything in the folder; begun again where there is one."""
    folder.mkdir(exist_ok=True)
    config = {"preset": "smoke", "seed": 3, "parameters": parameters, "cache": str(folder)}
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    return Report(folder)


def events(folder: Path, kind: str) -> list[dict[str, Any]]:
    """What a run reported of one kind, in its order."""
    lines = (folder / "events.jsonl").read_text("utf-8").splitlines()
    return [event for event in map(json.loads, lines) if event["event"] == kind]
