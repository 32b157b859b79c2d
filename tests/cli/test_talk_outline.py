from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Kb
from tests.cli.test_talk import store  # noqa: F401

pytestmark = pytest.mark.usefixtures("store")


def test_markdown_is_written_unless_another_format_is_named(kb: Kb) -> None:
    result = kb("talk-outline", "engines")
    assert result.code == 0
    assert result.out.startswith("# Engines\n")


def test_json_names_the_claims_in_order(kb: Kb) -> None:
    for arguments in (("--format", "json"), ("--json",)):
        data = kb("talk-outline", "engines", *arguments).json
        assert [section["claim"] for section in data["sections"]] == ["result-b", "result-a"]


def test_the_end_of_the_files_name_chooses_the_format(kb: Kb, tmp_path: Path) -> None:
    file = tmp_path / "talk.json"
    result = kb("talk-outline", "engines", "-o", str(file))
    assert (result.code, result.out) == (0, "")
    assert "2 items, 0 cut" in result.err
    assert file.read_text().startswith("{")


def test_a_file_in_a_folder_that_is_not_there_is_one_line(kb: Kb, tmp_path: Path) -> None:
    result = kb("talk-outline", "engines", "-o", str(tmp_path / "no" / "talk.md"))
    assert result.code == 2
    assert result.err.count("\n") == 1


def test_an_existing_file_is_not_lost_when_writing_fails(kb: Kb, tmp_path: Path) -> None:
    folder = tmp_path / "folder.md"
    folder.mkdir()
    assert kb("talk-outline", "engines", "-o", str(folder)).code == 2
    assert folder.is_dir()


def test_top_limits_the_items(kb: Kb) -> None:
    data = kb("talk-outline", "engines", "--top", "1", "--json").json
    assert (len(data["sections"]), len(data["cut"])) == (1, 1)


def test_only_verified_says_what_it_left_out_and_that_nothing_is_left(kb: Kb) -> None:
    result = kb("talk-outline", "engines", "--only", "verified", "--json")
    assert result.code == 1
    assert result.json["sections"] == []
    assert all(cut["why"].startswith("not verified") for cut in result.json["cut"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("engine",), "did you mean engines?"),
        (("engines", "--format", "docx"), "markdown, marp"),
        (("engines", "--only", "good"), "verified"),
        (("engines", "--minutes", "-3"), "0.5 to 600"),
        (("engines", "--minutes", "0.1"), "cannot fit"),
        (("engines", "--top", "0"), "1 to 200"),
    ],
)
def test_a_wrong_call_is_one_line_that_says_what_to_do(kb: Kb, arguments: tuple[str, ...], said: str) -> None:
    result = kb("talk-outline", *arguments)
    assert result.code in (1, 2)
    assert said in result.err
    assert result.err.count("\n") == 1
    assert result.out == ""


def test_the_same_store_and_options_give_the_same_bytes(kb: Kb) -> None:
    for form in ("markdown", "marp", "revealjs", "json"):
        assert kb("talk-outline", "engines", "-f", form) == kb("talk-outline", "engines", "-f", form)


HEAVY = (
    "torch",
    "sqlalchemy",
    "sqlmodel",
    "pydantic",
    "httpx",
    "scipy",
    "numpy",
    "yaml",
    "pptx",
    "matplotlib",
)


@pytest.mark.parametrize("call", [["talk-outline", "engines"], ["talk", "list"], ["talk", "show", "engines"]])
def test_reading_a_talk_imports_nothing_heavy(store_path: Path, call: list[str]) -> None:
    code = (
        "import sys\nfrom kb.cli.main import main\n"
        f"code = main({['--db', str(store_path), *call]!r})\n"
        f"print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)\nsys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip().splitlines()[-1]) == (0, "[]"), done.stderr
