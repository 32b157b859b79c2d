"""Manifests: what they refuse."""

from __future__ import annotations

from pathlib import Path

import pytest

from kb.errors import KbError
from kb.reproduce import layout, manifest
from tests.reproduce.conftest import MANIFEST


def test_a_metric_that_would_be_judged_by_fewer_than_five_units_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / layout.FILE).write_text(MANIFEST)
    assert manifest.load(folder).metrics[0].min_units == 5
    (folder / layout.FILE).write_text(MANIFEST.replace("min_units = 5", "min_units = 4"))
    with pytest.raises(KbError, match="metric score is judged, so its min_units must be 5 at least"):
        manifest.load(folder)
