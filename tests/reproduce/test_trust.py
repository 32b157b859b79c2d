"""A stranger's experiment runs after somebody said so, once for each content; nothing else of it ever runs."""

from __future__ import annotations

import importlib.util
import json
import os
import py_compile
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kb.cli import main
from kb.errors import KbError
from kb.reproduce import isolation, layout, manifest, process, runner, trust
from kb.reproduce.digest import code_digest, trust_digest
from kb.reproduce.manifest import Manifest
from kb.store.places import Places
from tests.reproduce.conftest import EXPERIMENT, MANIFEST

Make = Callable[..., Manifest]
RAN = "Path(os.environ['KB_RAN']).touch()\n"
SPY = f"import os\nfrom pathlib import Path\n{RAN}{EXPERIMENT}"


@pytest.fixture
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that is there once the experiment ran; kb works in the workspace around it."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("KB_RAN", str(tmp_path / "ran"))
    monkeypatch.delenv("KB_DB", raising=False)
    (tmp_path / "citations").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path / "ran"


def kb(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = main.main([*arguments])
    return code, capsys.readouterr().err


RUN = ("reproduce", "tiny", "--preset", "smoke")


def test_reading_a_strangers_workspace_runs_nothing(
    tiny: Make, places: Places, ran: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny(SPY)
    for arguments in (
        ["reproduce", "--list"], ["claim", "list"], ["claim", "show", "a-claim"], ["claim", "trace", "a-claim"], ["run", "list"],
        ["check", "a-claim"], ["doctor"], ["library", "sync"],
    ):  # fmt: skip
        main.main(arguments)
        capsys.readouterr()
    assert not ran.exists()


def test_without_a_person_who_says_so_it_does_not_run(
    tiny: Make, places: Places, ran: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny(SPY)
    code, said = kb(capsys, *RUN)
    assert code == 2
    assert "is a program that did not come with kb; read it; --trust lets it run" in said
    assert said.count("\n") == 1
    assert not ran.exists()


def test_before_somebody_said_so_nothing_that_a_manifest_names_is_looked_up(
    tiny: Make, places: Places, ran: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny(SPY, MANIFEST.replace('"json"', '"not_to_be_found"'))
    assert "is a program that did not come with kb" in kb(capsys, *RUN)[1]
    assert "needs not_to_be_found, not installed here" in kb(capsys, *RUN, "--trust")[1]


@pytest.mark.parametrize("name", ["antigravity.x", "this.", "", "a b", "1a", "../x", ".json"])
def test_modules_inside_packages_are_refused_since_looking_them_up_would_import_the_package(
    name: str, tiny: Make
) -> None:
    with pytest.raises(KbError, match=r"modules holds .*: only modules without a dot, such as torch"):
        tiny(SPY, MANIFEST.replace('"json"', f'"{name}"'))


def test_trust_is_given_once_for_a_content_and_asked_again_for_another(
    tiny: Make, places: Places, ran: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = tiny(SPY)
    assert kb(capsys, *RUN, "--trust")[0] == 0
    ran.unlink()
    assert kb(capsys, *RUN)[0] == 0
    for changed, text in (
        ("experiment.py", SPY + "# more\n"),
        ("data.bin", "new"),
        ("deep/er/data.bin", "new"),
    ):
        ran.unlink()
        (made.folder / changed).parent.mkdir(parents=True, exist_ok=True)
        (made.folder / changed).write_text(text)
        assert kb(capsys, *RUN)[0] == 2, changed
        assert not ran.exists()
        assert kb(capsys, *RUN, "--trust")[0] == 0, changed


@pytest.mark.parametrize(("answer", "runs"), [(True, True), (False, False)])
def test_a_person_at_a_terminal_is_asked(
    answer: bool, runs: bool, tiny: Make, places: Places, ran: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    tiny(SPY)
    asked: list[str] = []
    monkeypatch.setattr(
        "kb.cli.reproduce.typer.confirm", lambda question, **_: asked.append(question) or answer
    )
    monkeypatch.setattr(
        "kb.cli.reproduce._progress", lambda name: __import__("contextlib").nullcontext(lambda event: None)
    )
    for stream in (sys.stdin, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    code, _ = kb(capsys, *RUN)
    assert (code == 0, ran.exists(), len(asked)) == (runs, runs, 1)


def test_the_trust_of_one_copy_holds_for_the_same_content_elsewhere_and_for_nothing_beside_it(
    tiny: Make, tmp_path: Path, ran: Path
) -> None:
    folder = tiny().folder
    trust.trust(folder)
    shutil.copytree(folder, tmp_path / "elsewhere" / "tiny")
    assert trust.is_trusted(tmp_path / "elsewhere" / "tiny")
    (tmp_path / "elsewhere" / "tiny" / "more.py").touch()
    assert not trust.is_trusted(tmp_path / "elsewhere" / "tiny")
    (tmp_path / "data" / "kb" / trust.FILE).write_text("[" * 9)
    assert not trust.is_trusted(folder)


def test_a_folder_with_a_link_is_not_trusted_since_what_it_leads_to_may_change(
    tiny: Make, tmp_path: Path
) -> None:
    folder = tiny().folder
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "helper.py").touch()
    (folder / ".#experiment.py").symlink_to("somebody@a-machine.123")  # an editor's lock
    before = trust_digest(folder)
    for link, target in (
        ("library", tmp_path / "outside"),
        ("helper.py", tmp_path / "outside" / "helper.py"),
    ):
        (folder / link).symlink_to(target)
        with pytest.raises(
            KbError, match="is a symbolic link; what an experiment uses lies in its own folder"
        ):
            trust_digest(folder)
        (folder / link).unlink()
    assert trust_digest(folder) == before


def test_what_lies_in_pythons_cache_counts_unless_it_is_bytecode(tiny: Make, tmp_path: Path) -> None:
    folder = tiny().folder
    before, code = trust_digest(folder), code_digest(folder)
    cache = folder / "__pycache__"
    cache.mkdir()
    (cache / "experiment.cpython-311.pyc").touch()
    assert (trust_digest(folder), code_digest(folder)) == (before, code)
    for name in ("payload.bin", "deep/payload.pyc"):
        (cache / name).parent.mkdir(exist_ok=True)
        (cache / name).write_text("read by the experiment")
        after = trust_digest(folder)
        assert after != before
        before = after
    (tmp_path / "run").mkdir()
    path = isolation.module_path(folder, tmp_path / "run") / "reproductions" / "tiny" / "__pycache__"
    assert sorted(p.name for p in path.rglob("*")) == ["deep", "payload.bin", "payload.pyc"]
    assert code_digest(folder) == code


def test_bytecode_that_nobody_read_is_not_run(tiny: Make, places: Places, ran: Path, tmp_path: Path) -> None:
    made = tiny("import os\n" + EXPERIMENT)
    other = tmp_path / "other.py"
    other.write_text(SPY)
    cached = importlib.util.cache_from_source(str(made.folder / "experiment.py"))
    py_compile.compile(str(other), cached, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    beside = subprocess.run(
        [sys.executable, "-m", "reproductions.tiny.experiment"], cwd=tmp_path, env={**os.environ}, capture_output=True, check=False
    )  # fmt: skip
    assert ran.exists(), f"the trap does not work: {beside.stderr!r}"
    ran.unlink()
    assert runner.execute(made, "smoke", places)["state"] == "finished"
    assert not ran.exists()


STOPPED = (
    "import os\nif not os.path.exists('on'): open('on', 'w').close(); raise SystemExit(3)\n" + EXPERIMENT
)


@pytest.mark.parametrize("planted", ["json.py", "kb/__init__.py", "reproductions/tiny/experiment.py"])
def test_a_run_folder_with_a_program_in_it_is_not_resumed(
    planted: str, tiny: Make, places: Places, ran: Path
) -> None:
    made = tiny(STOPPED)
    with pytest.raises(runner.RunFailed) as failed:
        runner.execute(made, "smoke", places)
    folder = places.runs / failed.value.run["id"]
    (folder / planted).parent.mkdir(parents=True, exist_ok=True)
    (folder / planted).write_text(f"import os\nfrom pathlib import Path\n{RAN}")
    with pytest.raises(KbError, match="holds a program"):
        runner.execute(made, "smoke", places, resume=folder.name)
    assert not ran.exists()


def test_a_resumed_run_takes_its_program_from_the_experiment_not_from_a_link_in_the_run(
    tiny: Make, places: Places, ran: Path, tmp_path: Path
) -> None:
    made = tiny(STOPPED)
    with pytest.raises(runner.RunFailed) as failed:
        runner.execute(made, "smoke", places)
    path = places.runs / failed.value.run["id"] / "path"
    evil = tmp_path / "evil" / "reproductions" / "tiny"
    evil.mkdir(parents=True)
    (evil / "experiment.py").write_text(SPY)
    for place, target in ((path, tmp_path / "evil"), (path / "reproductions" / "tiny", evil)):
        shutil.rmtree(path, ignore_errors=True)
        path.unlink(missing_ok=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(target)
        assert isolation.module_path(made.folder, path.parent) == path
        assert "KB_RAN" not in (path / "reproductions/tiny/experiment.py").read_text()
    assert (evil / "experiment.py").read_text() == SPY


def _stopped(tiny: Make, places: Places) -> Path:
    """The folder of a run that can be resumed."""
    with pytest.raises(runner.RunFailed) as failed:
        runner.execute(tiny(STOPPED), "smoke", places)
    return places.runs / str(failed.value.run["id"])


@pytest.mark.parametrize(
    "planted",
    ["run.json", "run.json.half", "samples.csv.half", "log.txt", "lock", "events.half", "plot.txt", "deep/er/plot.txt"],
)  # fmt: skip
def test_a_run_folder_that_leads_elsewhere_is_not_resumed(
    planted: str, tiny: Make, places: Places, tmp_path: Path
) -> None:
    folder = _stopped(tiny, places)
    precious = tmp_path / "precious"
    precious.write_text("mine")
    (folder / planted).unlink(missing_ok=True)
    (folder / planted).parent.mkdir(parents=True, exist_ok=True)
    (folder / planted).symlink_to(precious)
    with pytest.raises(KbError, match="is no plain file; a run's folder holds no links; start a new run"):
        runner.execute(tiny(STOPPED), "smoke", places, resume=folder.name)
    assert precious.read_text() == "mine"


def test_a_run_folder_that_is_a_link_or_holds_a_pipe_is_not_resumed(
    tiny: Make, places: Places, tmp_path: Path
) -> None:
    folder = _stopped(tiny, places)
    os.mkfifo(folder / "pipe")
    with pytest.raises(KbError, match="pipe is no plain file"):
        runner.begun(folder.name, places.runs)
    (folder / "pipe").unlink()
    assert runner.begun(folder.name, places.runs)[0] == folder
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(KbError, match="is no plain file"):
        runner.begun(folder.name, places.runs)


@pytest.mark.parametrize(
    "config",
    ["[]", "{", "[" * 100_000, {"id": "another"}, {"reproduction": ["tiny"]}, {"preset": 1}, {"parameters": []}],
    ids=lambda config: str(config)[:30],
)  # fmt: skip
def test_a_configuration_that_is_none_is_one_line(
    config: str | dict[str, object], tiny: Make, places: Places
) -> None:
    path = _stopped(tiny, places) / "config.json"
    broken = json.dumps({**json.loads(path.read_text()), **config}) if isinstance(config, dict) else config
    path.write_text(broken)
    with pytest.raises(KbError, match=r"config\.json is broken; start a new run"):
        runner.begun(path.parent.name, places.runs)


def test_a_run_of_a_tier_that_there_is_not_is_one_line(
    tiny: Make, places: Places, ran: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = _stopped(tiny, places) / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "preset": "huge"}))
    code, said = kb(capsys, "reproduce", "--resume", path.parent.name, "--trust")
    assert (code, said) == (2, "kb: tiny has no preset 'huge'; it has smoke, quick\n")


def test_a_lock_that_is_a_pipe_or_a_link_is_nobodys_and_is_not_waited_for(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    os.mkfifo(lock)
    assert not process.is_running(tmp_path)
    with pytest.raises(KbError, match="lock is not a plain file"), process.locked(tmp_path):
        pass
    lock.unlink()
    lock.symlink_to(tmp_path / "made")
    assert not process.is_running(tmp_path)
    with pytest.raises(OSError, match="symbolic links"), process.locked(tmp_path):
        pass
    assert not (tmp_path / "made").exists()


def test_names_that_leave_the_runs_are_no_runs(places: Places) -> None:
    for name in ("..", ".", "../x", "/etc"):
        with pytest.raises(KbError, match="is no run's name"):
            runner.begun(name, places.runs)


@pytest.mark.parametrize("name", [layout.FILE, "experiment.py"])
def test_a_link_to_what_never_ends_is_no_manifest_and_no_code(name: str, tiny: Make) -> None:
    folder = tiny().folder
    (folder / name).unlink()
    (folder / name).symlink_to("/dev/zero")
    with pytest.raises(KbError, match=rf"{name} is not a plain file"):
        manifest.load(folder) if name == layout.FILE else code_digest(folder)


def test_code_that_no_parser_can_hold_is_one_line(tiny: Make) -> None:
    for text in (
        "x = " + "-" * 50_000 + "1",
        "x = " + "(" * 500,
        "x = 1" + " + 1" * 50_000,
        "\0",
        "if a:\n pass\n" + "elif a:\n pass\n" * 3_000,
    ):
        folder = tiny(text).folder
        with pytest.raises(KbError) as error:
            code_digest(folder)
        assert "\n" not in str(error.value)


def test_a_note_with_a_line_separator_of_unicode_loses_nothing_when_a_run_goes_on(tmp_path: Path) -> None:
    from kb.reproduce.report import Report

    (tmp_path / "config.json").write_text(
        json.dumps({"preset": "quick", "seed": 0, "parameters": {}, "cache": str(tmp_path)})
    )
    with Report(tmp_path) as report:
        report.note("one\u2028two\x85three")
        report.sample("score", unit="seed 0", value=1.0)
        report.finished("seed", 0)
    with Report(tmp_path) as report:
        assert list(report.remaining("seed", range(2))) == [1]
    assert (tmp_path / "events.jsonl").read_text("utf-8").count('"sample"') == 1
