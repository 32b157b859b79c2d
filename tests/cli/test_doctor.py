"""`kb doctor`: exit codes for CI, explanations, safe mending, SARIF."""

from __future__ import annotations

from pathlib import Path

import pytest

from kb.checks.doctor import CHECKS
from tests.cli.conftest import Kb, sql


def test_notes_and_warnings_pass_and_strict_fails_on_warnings(kb: Kb, store: Path) -> None:
    done = kb("doctor", "--json")
    assert done.code == 0
    assert "error" not in done.json["counts"]
    assert done.json["counts"]["warning"] > 0
    strict = kb("doctor", "--strict")
    assert strict.code == 1
    assert "kb doctor --explain CHECK" in strict.err


def test_an_error_fails(kb: Kb, store: Path) -> None:
    sql(store, "DELETE FROM citation WHERE claim_id = 'small-mazes'")
    done = kb("doctor", "no-citation")
    assert done.code == 1
    assert "small-mazes" in done.out


def test_only_the_checks_named_run(kb: Kb, store: Path) -> None:
    found = kb("doctor", "no-quote", "--json").json["findings"]
    assert {f["check"] for f in found} == {"no-quote"}
    shown = kb("doctor", "no-quote", "conflicts").out.split("How the words")[0]
    begun = {line.split()[0] for line in shown.splitlines() if line.strip()}
    assert begun & set(CHECKS) == {"conflicts", "no-quote"}, "nothing is said of a check that did not run"


@pytest.mark.parametrize("name", CHECKS)
def test_every_check_explains_itself(kb: Kb, store: Path, name: str) -> None:
    explained = kb("doctor", "--explain", name, "--json").json
    assert explained["name"] == name
    assert len(explained["explanation"]) > 30


def test_an_unknown_check_is_told_with_the_ones_there_are(kb: Kb, store: Path) -> None:
    done = kb("doctor", "--explain", "no-qoute")
    assert done.code == 2
    assert "no-quote" in done.err


def test_fix_removes_what_nothing_rests_on_and_undo_brings_it_back(
    kb: Kb, store: Path, tmp_path: Path
) -> None:
    bib = tmp_path / "new.bib"
    bib.write_text("@misc{lonely2020, title={T}, author={A}, url={https://example.org}}")
    assert kb("cite", "add", str(bib)).code == 0
    assert [f["name"] for f in kb("doctor", "uncited", "--json").json["findings"]] == ["lonely2020"]
    assert "removed 1 sources" in kb("doctor", "--fix", "uncited").err
    assert kb("doctor", "uncited", "--json").json["findings"] == []
    assert kb("claim", "undo").code == 0
    assert [f["name"] for f in kb("doctor", "uncited", "--json").json["findings"]] == ["lonely2020"]


def test_two_entries_that_are_one_source_are_joined_as_the_check_says(
    kb: Kb, store: Path, tmp_path: Path
) -> None:
    sql(store, "UPDATE source SET doi = '10.1000/x' WHERE key = 'chen2021decision'")
    bib = tmp_path / "new.bib"
    bib.write_text("@misc{dt2021, title={T}, author={A}, doi={10.1000/X}}")
    assert kb("cite", "add", str(bib)).code == 0
    assert kb("doctor", "same-source").code == 1
    advice = kb("doctor", "--explain", "same-source", "--json").json["explanation"]
    assert "kb cite rename OLD NEW --join" in advice
    done = kb("cite", "rename", "chen2021decision", "dt2021", "--join", "--json")
    assert done.json["changed"] == ["claim four-percent", "figure dt.t2.random", "figure dt.t2.expert"]
    assert kb("doctor", "same-source").code == 0
    assert kb("cite", "show", "chen2021decision").code == 1


def test_fix_touches_nothing_that_needs_a_reader(kb: Kb, store: Path) -> None:
    before = kb("doctor", "--json").json["findings"]
    done = kb("doctor", "--fix", "no-quote")
    assert "somebody who has read the source" in done.err
    assert kb("doctor", "--json").json["findings"] == before


def test_sarif_is_one_document_on_stdout_whatever_the_exit_code(kb: Kb, store: Path) -> None:
    done = kb("doctor", "--sarif", "--strict")
    assert done.code == 1
    assert done.json["version"] == "2.1.0"
    assert done.json["runs"][0]["results"]
