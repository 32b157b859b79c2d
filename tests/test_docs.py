"""Documents that cannot drift: parts made from the code are what the code gives now."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from kb.cli.main import main
from kb.cli.tree import NOUNS, load

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [ROOT / "README.md", *(ROOT / "docs" / f"{name}.md" for name in ("checks", "cli", "verdicts"))]


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


def test_the_workflow_in_the_documents_is_yaml_and_calls_commands_that_exist() -> None:
    text = (ROOT / "docs" / "checks.md").read_text("utf-8")
    workflow = yaml.safe_load(re.search(r"```yaml\n(.*?)```", text, re.DOTALL)[1])
    steps = workflow["jobs"]["library"]["steps"]
    called = [step["run"].split(" > ")[0].split() for step in steps if step.get("run", "").startswith("kb ")]
    assert len(called) >= 4
    for words in called:
        assert main([*words[1:], "--help"]) == 0
        assert all(option in capture(words) for option in words if option.startswith("--"))
    upload = next(step for step in steps if "upload-sarif" in step.get("uses", ""))
    assert upload["if"] == "always()"
    assert any(step.get("run", "").endswith(f"> {upload['with']['sarif_file']}") for step in steps)


def capture(words: list[str]) -> str:
    """The help of a command without its options."""
    done = subprocess.run(
        [sys.executable, "-m", "kb.cli.main", *[w for w in words[1:] if not w.startswith("-")], "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    return done.stdout


def test_every_link_between_documents_leads_somewhere() -> None:
    for document in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text("utf-8")):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_no_tracked_text_names_this_machine() -> None:
    done = subprocess.run(
        ["git", "grep", "-nIE", r"/root/|/work/(main|wt)", "--", ".", ":!tests/test_docs.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.stdout == ""
