"""Documents that cannot drift: parts made from the code are what the code gives now."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from kb.cli.main import NOUNS, load

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "docs" / "cli.md"]


@pytest.mark.slow
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_what_is_made_from_the_code_is_current(document: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cogapp", "--check", str(document)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}\nrun `make docs`"


def test_every_command_is_documented() -> None:
    text = (ROOT / "docs" / "cli.md").read_text("utf-8")
    for noun in NOUNS:
        assert f"\n## kb {noun}\n" in text
        for name in getattr(load(noun), "commands", {}):
            assert f"\n### kb {noun} {name}\n" in text


def test_every_link_between_documents_leads_somewhere() -> None:
    for document in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text("utf-8")):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_no_tracked_text_names_this_machine() -> None:
    done = subprocess.run(
        ["git", "grep", "-nIE", r"/root/|/work/main", "--", ".", ":!tests/test_docs.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.stdout == ""
