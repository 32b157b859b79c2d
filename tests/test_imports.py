"""Reading commands start fast: as real processes they import none of the heavy libraries."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = (
    "torch",
    "sqlalchemy",
    "sqlmodel",
    "pydantic",
    "httpx",
    "scipy",
    "numpy",
    "yaml",
    "rich",
    "bibtexparser",
)
"""What no reading command may import when its output is piped."""

READING = [
    ["--version"],
    ["--help"],
    ["claim", "--help"],
    ["claim", "list"],
    ["claim", "list", "--json"],
    ["claim", "list", "--kind", "empirical,prediction", "--status", "open"],
    ["claim", "show", "CLAIM"],
    ["claim", "show", "CLAIM", "--json"],
    ["claim", "show", "CLAIM", "--format", "markdown"],
    ["claim", "trace", "CLAIM"],
    ["claim", "search", "random", "trajectories"],
    ["claim", "history"],
    ["cite", "list"],
    ["cite", "show", "SOURCE"],
    ["cite", "export", "--claim", "CLAIM"],
    ["cite", "export", "--claim", "CLAIM", "--style", "ris"],
    ["cite", "export", "--claim", "CLAIM", "--style", "csl-json"],
    ["cite", "check"],
    ["cite", "check", "SOURCE"],
    ["run", "list"],
    ["prediction", "list"],
    ["prediction", "score"],
    ["talk", "list"],
    ["talk-outline", "top-achievements"],
    ["reproduce", "--list"],
    ["db", "info"],
]
"""Every command that only reads. CLAIM and SOURCE stand for the first of the shipped ones."""

CLAIM = "dt-random-four-percent"
SOURCE = "emmons2022rvs"

PROBE = """
import json, sys
from kb.cli.main import main
code = main(json.loads(sys.argv[1]))
sys.stdout.flush()
print(json.dumps({"code": code, "modules": sorted({name.split(".")[0] for name in sys.modules})}), file=sys.stderr)
"""


@pytest.mark.parametrize("arguments", READING, ids=" ".join)
def test_a_reading_command_imports_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    call = [{"CLAIM": CLAIM, "SOURCE": SOURCE}.get(word, word) for word in arguments]
    environment = {**os.environ, "KB_DB": str(tmp_path / "none.db")}
    environment.pop("FORCE_COLOR", None)
    done = subprocess.run(
        [sys.executable, "-c", PROBE, json.dumps(call)],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    told = json.loads(done.stderr.splitlines()[-1])
    assert told["code"] == 0, done.stderr
    assert done.stdout.strip()
    assert not set(HEAVY) & set(told["modules"])
