"""A wheel works as a clone does: bare, in an empty environment, far from the repository."""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.slow


def _run(*command: str | Path, cwd: Path, home: Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("KB_", "XDG_", "PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**kept, "HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from this repository, installed without extras into an empty environment."""
    base = tmp_path_factory.mktemp("wheel")
    _run(
        sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", base, ROOT,
        cwd=base, home=Path.home(),
    )  # fmt: skip
    venv.create(base / "env", with_pip=True)
    (wheel,) = base.glob("interp_kb-*.whl")
    _run(base / "env/bin/python", "-m", "pip", "install", "-q", wheel, cwd=base, home=Path.home())
    return base


def test_a_bare_install_lists_the_same_claims_as_the_clone(installed: Path) -> None:
    away, home = installed / "away", installed / "home"
    away.mkdir()
    home.mkdir()
    there = _run(installed / "env/bin/kb", "claim", "list", "--json", cwd=away, home=home)
    assert list(home.iterdir()) == []
    here = _run(
        Path(sys.executable).parent / "kb",
        "--db",
        home / "none.db",
        "claim",
        "list",
        "--json",
        cwd=ROOT,
        home=home,
    )
    assert json.loads(there.stdout) == json.loads(here.stdout)
    assert len(json.loads(there.stdout)) >= 90


def test_a_bare_install_has_no_second_name_in_site_packages(installed: Path) -> None:
    (packages,) = (installed / "env/lib").glob("python*/site-packages")
    names = {path.name for path in packages.iterdir()}
    assert "kb" in names
    assert not names & {"citations", "reproductions", "tests", "benchmarks", "torch", "numpy"}


def test_a_bare_install_writes_and_checks_and_talks(installed: Path, tmp_path: Path) -> None:
    kb = installed / "env/bin/kb"
    _run(kb, "claim", "edit", "dt-random-suffices", "--note", "mine", cwd=tmp_path, home=tmp_path)
    assert (tmp_path / ".local/share/kb/store.db").is_file()
    shown = _run(kb, "claim", "show", "dt-random-suffices", "--json", cwd=tmp_path, home=tmp_path)
    assert json.loads(shown.stdout)["note"] == "mine"
    _run(kb, "check", "dt-random-four-percent", cwd=tmp_path, home=tmp_path)
    talk = _run(kb, "talk-outline", "top-achievements", cwd=tmp_path, home=tmp_path)
    assert talk.stdout.startswith("# ")


def test_a_reproduction_without_its_extra_says_which_one_to_install(installed: Path, tmp_path: Path) -> None:
    kb = installed / "env/bin/kb"
    done = _run(kb, "reproduce", "dt-toy-graph", cwd=tmp_path, home=tmp_path, code=2)
    assert "pip install 'interp-kb[repro]'" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
