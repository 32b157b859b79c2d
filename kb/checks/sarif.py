"""Findings of `kb doctor` as SARIF 2.1.0, so that a pull request shows them at the line of the text.

The line is that of the record, or of the one citation that a finding is about.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from kb.checks.doctor import CHECKS, Finding

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_KEYS = {"claim": "id", "source": "key", "figure": "id", "talk": "name"}


def document(connection: sqlite3.Connection, found: Sequence[Finding], library: Path) -> dict[str, Any]:
    """The whole SARIF document.

    Args:
        library: the folder with the text. Addresses in the document are relative to the current folder, which
            in a workflow is the repository's root.
    """
    _contents.cache_clear()
    _places.cache_clear()
    order = list(CHECKS)
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "kb doctor",
                        "rules": [
                            {
                                "id": check.name,
                                "shortDescription": {"text": check.explanation},
                                "defaultConfiguration": {"level": check.severity},
                            }
                            for check in CHECKS.values()
                        ],
                    }
                },
                "results": [
                    {
                        "ruleId": finding.check,
                        "ruleIndex": order.index(finding.check),
                        "level": finding.severity,
                        "message": {"text": _unlinked(f"{finding.name}: {finding.message}")},
                        **_where(connection, finding, library),
                    }
                    for finding in found
                ],
            }
        ],
    }


def _unlinked(text: str) -> str:
    """SARIF makes links of `[words](address)` even in plain text, but for brackets after a backslash."""
    return re.sub(r"\[([^\[\]]*)\](?=\()", r"\\[\1\\]", text)


def _where(connection: sqlite3.Connection, finding: Finding, library: Path) -> dict[str, Any]:
    """The place in the text; nothing for what has none, such as a run."""
    key = _KEYS.get(finding.kind)
    row = (
        connection.execute(f"SELECT home FROM {finding.kind} WHERE {key} = ?", (finding.name,)).fetchone()
        if key
        else None
    )
    if row is None:
        return {}
    path = library / row[0]
    address = Path(os.path.relpath(path)).as_posix()
    if address.startswith("../"):  # called from elsewhere: as seen from the folder that holds the library
        address = f"{library.name}/{row[0]}"
    place = {"artifactLocation": {"uri": quote(address)}, "region": {"startLine": _line(path, finding)}}
    return {"locations": [{"physicalLocation": place}]}


@cache
def _contents(path: Path) -> list[str]:
    return path.read_text("utf-8", errors="replace").splitlines() if path.is_file() else []


def _line(path: Path, finding: Finding) -> int:
    """The line that a finding is about; the record's first, or 1 where the file does not have it (yet)."""
    first = _places(path).get(finding.name, 1)
    if finding.citation is None:
        return first
    return _citation_line(_contents(path)[first - 1 :], finding.citation) + first - 1


_STARTS = re.compile(r"(?:- id: |@\w+\{|name: )['\"]?([^'\",\s]+)|([a-z0-9_.]+),")


@cache
def _places(path: Path) -> dict[str, int]:
    """The line on which each record of a file starts."""
    found: dict[str, int] = {}
    for number, line in enumerate(_contents(path), 1):
        if start := _STARTS.match(line):
            found.setdefault(start.group(1) or start.group(2), number)
    return found


def _citation_line(lines: Sequence[str], wanted: int) -> int:
    """The line, from 1, on which a record's `wanted`-th citation starts; 1 where that cannot be told."""
    inside, indent, seen = False, None, 0
    for number, line in enumerate(lines, 1):
        if number > 1 and line.startswith("- "):
            break
        if re.match(r"\s+citations:\s*$", line):
            inside = True
        elif inside and (item := re.match(r"(\s*)- ", line)):
            indent = item.group(1) if indent is None else indent
            seen += item.group(1) == indent
            if seen == wanted:
                return number
        elif inside and re.match(r"  \w+:", line) and not line.startswith("   "):
            break
    return 1
