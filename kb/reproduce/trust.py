"""Experiments are programs: one that did not come with kb runs only after somebody said so, once per content."""

from __future__ import annotations

import json
from pathlib import Path

from kb.errors import KbError
from kb.reproduce.digest import trust_digest
from kb.store.places import data_folder, shipped

FILE = "trusted.json"


def is_trusted(folder: Path) -> bool:
    """Whether the experiment in `folder` ships with kb, or was trusted with exactly this content."""
    if folder.resolve().is_relative_to((shipped() / "reproductions").resolve()):
        return True
    return trust_digest(folder) in _known()


def trust(folder: Path) -> None:
    """Remember that the experiment in `folder`, with its present content, may run.

    Raises:
        KbError: when that cannot be kept.
    """
    known = {**_known(), trust_digest(folder): folder.name}
    path = data_folder() / FILE
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_suffix(".half")
        half.write_text(json.dumps(known, indent=1), "utf-8")
        half.replace(path)
    except OSError as error:
        raise KbError(
            f"cannot remember trust in {path}: {error.strerror}", "set HOME or XDG_DATA_HOME"
        ) from None


def _known() -> dict[str, str]:
    try:
        known = json.loads((data_folder() / FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
