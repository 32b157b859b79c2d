"""The numerals of a text."""

from __future__ import annotations

import re

_NUMERAL = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?")


def numerals(text: str) -> list[str]:
    """The numerals of a text as they would be compared: thousands separators gone, the value kept."""
    return [found.group().rstrip(",").replace(",", "") for found in _NUMERAL.finditer(text)]
