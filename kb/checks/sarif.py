"""Findings of `kb doctor` as SARIF 2.1.0, so that a pull request shows them at the line of the text."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kb.checks.doctor import CHECKS, Finding

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_KEYS = {"claim": "id", "source": "key", "figure": "id", "talk": "name"}


def document(connection: sqlite3.Connection, found: Sequence[Finding], library: Path) -> dict[str, Any]:
    """The whole SARIF document. Lines are those of the records in the text under `library`."""
    lines: dict[Path, list[str]] = {}
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "kb doctor",
                        "rules": [
                            {"id": check.name, "shortDescription": {"text": check.explanation}}
                            for check in CHECKS.values()
                        ],
                    }
                },
                "results": [_result(connection, finding, library, lines) for finding in found],
            }
        ],
    }


def _result(
    connection: sqlite3.Connection, finding: Finding, library: Path, lines: dict[Path, list[str]]
) -> dict[str, Any]:
    key = _KEYS[finding.kind]
    row = connection.execute(f"SELECT home FROM {finding.kind} WHERE {key} = ?", (finding.name,)).fetchone()
    home = row[0] if row else ""
    return {
        "ruleId": finding.check,
        "level": finding.severity,
        "message": {"text": f"{finding.name}: {finding.message}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": f"citations/{home}"},
                    "region": {"startLine": _line(library / home, finding.name, lines)},
                }
            }
        ],
    }


def _line(path: Path, name: str, lines: dict[Path, list[str]]) -> int:
    """The first line of a record in its file; 1 where the file does not have it (yet)."""
    if path not in lines:
        lines[path] = path.read_text("utf-8", errors="replace").splitlines() if path.is_file() else []
    starts = re.compile(rf"(- id: |@\w+\{{|name: ){re.escape(name)}(,|$)|{re.escape(name)},")
    return next((number for number, line in enumerate(lines[path], 1) if starts.match(line)), 1)
