from __future__ import annotations

import os
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


def test_a_file_that_is_there_is_replaced_and_what_it_held_is_kept(kb: Kb, tmp_path: Path) -> None:
    file = tmp_path / "talk.md"
    file.write_text("worked on by hand")
    result = kb("talk-outline", "engines", "-o", str(file))
    assert result.code == 0
    assert f"replaced {file}, kept what was there as talk.md~" in result.err
    assert (tmp_path / "talk.md~").read_text() == "worked on by hand"
    again = kb("talk-outline", "engines", "-o", str(file))
    assert f"{file} is like that already" in again.err
    assert (tmp_path / "talk.md~").read_text() == "worked on by hand"
    assert sorted(path.name for path in tmp_path.glob("*talk*")) == ["talk.md", "talk.md~"]


def test_what_was_there_is_kept_in_no_file_that_a_link_leads_to(kb: Kb, tmp_path: Path) -> None:
    file, precious = tmp_path / "talk.md", tmp_path / "precious"
    file.write_text("worked on by hand")
    precious.write_text("mine")
    for name in ("talk.md~", f".talk.md.{os.getpid()}.part"):
        (tmp_path / name).symlink_to(precious)
    assert kb("talk-outline", "engines", "-o", str(file)).code == 0
    assert precious.read_text() == "mine"
    assert (tmp_path / "talk.md~").read_text() == "worked on by hand"
    assert not (tmp_path / "talk.md~").is_symlink()


def test_without_python_pptx_a_presentation_is_one_line(
    kb: Kb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pptx", None)
    result = kb("talk-outline", "engines", "-o", str(tmp_path / "talk.pptx"))
    assert (result.code, result.out, result.err.count("\n")) == (2, "", 1)
    assert "pip install 'interp-kb[slides]'" in result.err
    assert not (tmp_path / "talk.pptx").exists()


@pytest.mark.parametrize("form", ["markdown", "marp", "revealjs", "json"])
def test_what_was_cut_and_why_is_told_on_stderr_and_nothing_else_is_on_stdout(kb: Kb, form: str) -> None:
    result = kb("talk-outline", "engines", "--top", "1", "-f", form)
    assert "kb: cut result-a: beyond the first 1 (it is number 2)" in result.err
    assert "kb: cut" not in result.out


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
    assert "only verified claims: 2 claims left out" in result.err
    assert "kb: cut result-b: not verified: our own verdict is unchecked" in result.err
    assert any("2 claims left out" in notice for notice in result.json["notices"])


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


def test_a_presentation_has_the_same_bytes_in_another_process_at_another_time(
    store_path: Path, tmp_path: Path
) -> None:
    pytest.importorskip("pptx")
    written = []
    for place, zone in enumerate(("UTC", "Asia/Tokyo")):
        file = tmp_path / f"{place}.pptx"
        code = f"import sys\nfrom kb.cli.main import main\nsys.exit(main({['--db', str(store_path)]!r} + sys.argv[1:]))"
        call = [sys.executable, "-c", code, "talk-outline", "engines", "-o", str(file)]
        environment = {**os.environ, "TZ": zone, "PYTHONHASHSEED": str(place)}
        subprocess.run(call, check=True, capture_output=True, env=environment)
        written.append(file.read_bytes())
    assert written[0] == written[1]


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
