"""LaTeX decoded for reading: titles, names, journals. Never an address, a DOI or an arXiv id."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pylatexenc.latex2text import LatexNodes2Text

_MARKUP = re.compile(r"[\\{}$~%`'#&_^-]")
_COMMENT = re.compile(r"(?<!\\)((?:\\\\)*)([%#&_^])")
_DIMENSION = re.compile(r"\s+")


@lru_cache(maxsize=20_000)
def decode(value: str) -> str:
    """`value` as one reads it: accents composed, braces and commands gone, white space collapsed.

    A bare % is a per cent sign, not the start of a comment that eats the rest: LaTeX would lose it, a
    reader must not.
    """
    if _MARKUP.search(value):
        if "\\" not in value and "$" not in value:
            value = _plain_marks(value.replace("{", "").replace("}", "").replace("~", " "))
        else:
            value = _through_pylatexenc(value)
    return _DIMENSION.sub(" ", value).strip()


def _plain_marks(value: str) -> str:
    if "--" in value:
        value = value.replace("---", "—").replace("--", "–")
    if "``" in value or "''" in value:
        value = value.replace("``", "“").replace("''", "”")
    return value


def _through_pylatexenc(value: str) -> str:
    escaped = _COMMENT.sub(r"\1\\\2", value) if "$" not in value else value.replace("%", "\\%")
    escaped = escaped.replace("\\\\%", "\\%")
    try:
        text: str = _decoder().latex_to_text(escaped)
    except Exception:  # whatever it stumbles on, the reader gets the text without its braces
        text = value.replace("{", "").replace("}", "")
    # A dollar sign alone, or a broken command, can swallow what follows: then the markup is the lesser evil.
    if len(text) * 3 < len(re.sub(r"\\[A-Za-z]+|[\\{}$\s]", "", value)):
        return value.replace("{", "").replace("}", "")
    return text


@lru_cache(maxsize=1)
def _decoder() -> LatexNodes2Text:
    from pylatexenc.latex2text import LatexNodes2Text

    return LatexNodes2Text(math_mode="text", keep_comments=True)
