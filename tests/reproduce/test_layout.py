"""Several reproductions in one folder: names, modules, recorded runs, and whose code a digest is of."""

from pathlib import Path

import pytest

from kb.errors import KbError
from kb.reproduce import layout, manifest, recorded, runner
from kb.store.places import Places
from tests.reproduce.conftest import EXPERIMENT, MANIFEST


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """reproductions/mice with two reproductions, mice-one and mice-two, that share shared.py."""
    folder = tmp_path / "reproductions" / "mice"
    folder.mkdir(parents=True)
    for part in ("one", "two"):
        text = MANIFEST.replace('name = "tiny"', f'name = "mice-{part}"')
        (folder / f"{part}.{layout.FILE}").write_text(text, "utf-8")
    (folder / "one.py").write_text(f"from reproductions.mice import shared\n{EXPERIMENT}", "utf-8")
    (folder / "two.py").write_text(EXPERIMENT, "utf-8")
    (folder / "shared.py").write_text("from reproductions.mice.deeper import DEEP\n", "utf-8")
    (folder / "deeper.py").write_text("DEEP = 1\n", "utf-8")
    return folder


def both(folder: Path) -> tuple[manifest.Manifest, manifest.Manifest]:
    roots = (folder.parent,)
    return manifest.find(roots, "mice-one"), manifest.find(roots, "mice-two")


def test_each_manifest_of_a_folder_is_a_reproduction_with_a_module_and_runs_of_its_own(shared: Path) -> None:
    one, two = both(shared)
    assert [m.name for m in manifest.load_all((shared.parent,))] == ["mice-one", "mice-two"]
    assert (one.module, two.module) == ("reproductions.mice.one", "reproductions.mice.two")
    assert one.runs != two.runs


def test_a_name_that_does_not_fit_folder_and_file_is_refused(shared: Path) -> None:
    path = shared / f"one.{layout.FILE}"
    path.write_text(path.read_text("utf-8").replace("mice-one", "mice"), "utf-8")
    with pytest.raises(KbError, match="must be mice-one"):
        manifest.load(path)


def test_only_the_modules_that_a_reproduction_uses_make_it_stale(shared: Path) -> None:
    one, two = (m.code for m in both(shared))
    (shared / "deeper.py").write_text("DEEP = 2\n", "utf-8")
    changed_one, same_two = (m.code for m in both(shared))
    assert changed_one != one
    assert same_two == two
    (shared / "two.py").write_text(f"{EXPERIMENT}\nMORE = 1\n", "utf-8")
    assert both(shared)[0].code == changed_one
    assert both(shared)[1].code != two


def test_a_shared_folders_experiment_runs_and_its_record_is_found_as_its_own(
    shared: Path, places: Places
) -> None:
    one, two = both(shared)
    run = runner.execute(one, "quick", places)
    assert (run["reproduction"], run["state"]) == ("mice-one", "finished")
    record = recorded.read(Path(run["folder"]))
    target = one.runs / run["id"]
    target.mkdir(parents=True)
    recorded.write(target, record)
    assert [r["id"] for _, r in recorded.recorded_runs(one.runs)] == [run["id"]]
    assert recorded.recorded_runs(two.runs) == []
    assert both(shared)[0].code == one.code
