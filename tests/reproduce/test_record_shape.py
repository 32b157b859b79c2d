"""A recorded run may be anybody's: what is none is refused in one line that names the field."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from kb.cli import main
from kb.errors import KbError
from kb.reproduce import recorded
from kb.reproduce.record_shape import inside

SHIPPED = sorted(Path(__file__).resolve().parents[2].glob("reproductions/**/run.json"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A shipped run, to spoil."""
    place = tmp_path / "dt-toy-graph-1"
    shutil.copytree(next(path.parent for path in SHIPPED if "toy" in str(path)), place)
    return place


def changed(folder: Path, **fields: Any) -> None:
    record = json.loads((folder / "run.json").read_text("utf-8"))
    (folder / "run.json").write_text(json.dumps({**record, **fields}), "utf-8")


def test_every_shipped_record_is_one() -> None:
    assert len(SHIPPED) >= 5
    for path in SHIPPED:
        recorded.read(path.parent)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"state": ["finished"]}, "state is not what it must be"),
        ({"preset": {}}, "preset is not"),
        ({"id": 7}, "id is not"),
        ({"id": "a\0b"}, "id is not"),
        ({"started": "\ud800"}, "started is not"),
        ({"seed": 10**40}, "seed is not"),
        ({"seconds": "long"}, "seconds is not"),
        ({"metrics": []}, "metrics is not"),
        ({"metrics": {"a": {}}}, r"metrics\.a\.value is not"),
        ({"metrics": {"a": 1}}, r"metrics\.a is not"),
        ({"criteria": {}}, "criteria is not"),
        ({"config": []}, "config is not"),
        ({"environment": {"packages": []}}, "environment is not"),
        ({"config": {"a": 1e400}}, "config is not"),
        ({"judgements": [[]]}, r"judgements\.1 is not"),
        ({"departures": "none"}, "departures is not"),
        ({"artifacts": [{"path": "a.png"}]}, r"artifacts\.1\.title is not"),
        (
            {"artifacts": [{"path": "../a", "title": "", "sha256": "", "bytes": 1}]},
            r"artifacts\.1\.path is not",
        ),
    ],
)
def test_what_is_no_record_is_one_line_that_names_the_field(
    fields: dict[str, Any], told: str, folder: Path
) -> None:
    changed(folder, **fields)
    with pytest.raises(KbError, match=told) as error:
        recorded.read(folder)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["run.json", "samples.csv"])
@pytest.mark.parametrize("target", ["/dev/zero", "/dev", "nowhere"])
def test_a_record_that_is_a_link_to_no_file_is_one_line(name: str, target: str, folder: Path) -> None:
    (folder / name).unlink()
    (folder / name).symlink_to(target)
    with pytest.raises(KbError) as error:
        recorded.read(folder)
    assert "\n" not in str(error.value)


def test_a_deep_record_is_one_line(folder: Path) -> None:
    for text in ('{"a":' * 100_000, "[" * 100_000, "9" * 5_000, "", "null"):
        (folder / "run.json").write_text(text)
        with pytest.raises(KbError):
            recorded.read(folder)


@pytest.mark.parametrize(
    ("path", "good"),
    [
        ("plot.png", True), ("plots/a.png", True), ("a..b.png", True), ("../plot.png", False), ("a/../../b", False), ("/etc/passwd", False),
        ("..\\b", False), ("C:\\b", False), ("a\0b", False), ("", False), (".", False), (None, False), ("..", False),
    ],
)  # fmt: skip
def test_a_path_that_leaves_its_folder_is_no_artifact(path: Any, good: bool) -> None:
    assert inside(path) is good


def test_recording_a_run_copies_no_file_from_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run folder may have come with a clone: a link in place of a plot would carry a secret into the repository."""
    secret = tmp_path / "secret"
    secret.write_text("a key")
    shipped = next(path.parent for path in SHIPPED if "toy" in str(path))
    workspace = tmp_path / "workspace"
    assert main.main(["init", str(workspace)]) == 0
    monkeypatch.chdir(workspace)
    monkeypatch.delenv("KB_DB", raising=False)
    shutil.copytree(shipped.parents[1], workspace / "reproductions" / "dt_toy_graph")
    shutil.rmtree(workspace / "reproductions" / "dt_toy_graph" / "runs")
    own = workspace / ".kb" / "runs" / "mine"
    shutil.copytree(shipped, own)
    changed(own, id="mine")
    plot = json.loads((own / "run.json").read_text("utf-8"))["artifacts"][0]["path"]
    (own / plot).unlink()
    (own / plot).symlink_to(secret)
    from kb.store import connect, runs
    from kb.store.places import find

    with connect.for_writing(find()) as session:
        runs.save_run(session, {k: v for k, v in recorded.read(own).items() if k != "notes"}, folder=str(own))
    capsys.readouterr()
    assert main.main(["run", "record", "mine"]) == 2
    assert "is no file of the run" in capsys.readouterr().err
    assert not (workspace / "reproductions" / "dt_toy_graph" / "runs").exists()
