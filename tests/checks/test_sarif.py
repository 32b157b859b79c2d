"""SARIF: the structure that readers require, and the line of the text that a finding is about."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest

from kb.checks.doctor import CHECKS, Finding
from kb.checks.sarif import document
from kb.store import connect

YAML = """\
- id: first
  citations:
  - source: a2020
    locator: p. 1
- id: a-claim
  statement: |
    - id: first
  citations:
  - stance: asserts
    source: a2020
    note: |
      - source: no item
  - source: b2020
    stance: supports
  relations:
  - type: supports
    claim: first
"""


@pytest.fixture
def sarif(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The document for findings, from the folder that holds citations/."""
    (tmp_path / "citations" / "claims").mkdir(parents=True)
    (tmp_path / "citations" / "claims" / "own.yaml").write_text(YAML)
    (tmp_path / "citations" / "references.bib").write_text("\n\n@article{paper2020,\n title={A}}\n")
    monkeypatch.chdir(tmp_path)

    def made(*found: Finding) -> dict[str, Any]:
        with contextlib.closing(connect.open_to_read(path)) as connection:
            return document(connection, found, tmp_path / "citations")

    return made


def at(result: dict[str, Any]) -> tuple[str, int]:
    (location,) = result["locations"]
    place = location["physicalLocation"]
    return place["artifactLocation"]["uri"], place["region"]["startLine"]


def test_the_document_has_what_sarif_2_1_0_requires(sarif: Any) -> None:
    found = [
        Finding("no-locator", "warning", "claim", "a-claim", "says not where", 2),
        Finding("uncited", "note", "source", "paper2020", "nothing cites it"),
    ]
    made = sarif(*found)
    assert made["version"] == "2.1.0"
    assert made["$schema"].endswith("sarif-2.1.0.json")
    (run,) = made["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "kb doctor"
    assert [rule["id"] for rule in driver["rules"]] == list(CHECKS)
    for rule in driver["rules"]:
        assert rule["shortDescription"]["text"]
        assert rule["defaultConfiguration"]["level"] in ("error", "warning", "note")
    assert len(run["results"]) == len(found)
    for result in run["results"]:
        assert result["message"]["text"]
        assert result["level"] in ("error", "warning", "note")
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        uri, line = at(result)
        assert not uri.startswith(("/", "file:", ".."))
        assert line >= 1


@pytest.mark.parametrize(("citation", "line"), [(None, 5), (1, 9), (2, 13), (3, 5)])
def test_a_finding_points_at_the_record_or_at_its_citation(
    sarif: Any, citation: int | None, line: int
) -> None:
    made = sarif(Finding("no-locator", "warning", "claim", "a-claim", "m", citation))
    assert at(made["runs"][0]["results"][0]) == ("citations/claims/own.yaml", line)


def test_a_source_is_found_in_the_bibliography(sarif: Any) -> None:
    made = sarif(Finding("uncited", "note", "source", "paper2020", "m"))
    assert at(made["runs"][0]["results"][0]) == ("citations/references.bib", 3)


def test_what_has_no_place_in_the_text_has_no_location(sarif: Any) -> None:
    made = sarif(Finding("orphan", "note", "run", "a-run", "m"))
    assert "locations" not in made["runs"][0]["results"][0]


def test_no_finding_gives_an_empty_list_that_closes_old_alerts(sarif: Any) -> None:
    assert sarif()["runs"][0]["results"] == []
