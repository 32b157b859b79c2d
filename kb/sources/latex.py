"""LaTeX decoded for reading: titles, names, journals. Never an address, a DOI or an arXiv id."""

from __future__ import annotations

import logging
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
    # A dollar sign alone, or a broken command, can swallow what follows: then the markup is the lesser evil. A command
    # without what it is about, such as \frac alone, leaves the pattern that this would stand in.
    if ("%s" in text and "%s" not in value) or len(text) * 3 < len(
        re.sub(r"\\[A-Za-z]+|[\\{}$\s]", "", value)
    ):
        return value.replace("{", "").replace("}", "")
    return text


_CHARACTERS = {
    "textbar": "|", "textless": "<", "textgreater": ">", "textasciicircum": "^", "textquotedbl": '"',
    "textunderscore": "_", "textbraceleft": "{", "textbraceright": "}", "textasteriskcentered": "*",
}  # fmt: skip
"""Characters by name that pylatexenc does not know, or takes for others. Zotero writes the first three."""


@lru_cache(maxsize=1)
def _decoder() -> LatexNodes2Text:
    from pylatexenc.latex2text import LatexNodes2Text, MacroTextSpec, get_default_latex_context_db

    log = logging.getLogger("pylatexenc")
    if not log.handlers:
        # Where it stumbles the text shows it; its own lines on stderr would name no entry.
        log.addHandler(logging.NullHandler())
    macros = get_default_latex_context_db()
    known = [MacroTextSpec(name, simplify_repl=character) for name, character in _CHARACTERS.items()]
    macros.add_context_category("kb", macros=known, prepend=True)
    return LatexNodes2Text(latex_context=macros, math_mode="text", keep_comments=True)


_SPECIAL = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    **{char: "\\" + char for char in "{}$&%#_"},
}  # fmt: skip


def encode(text: str) -> str:
    r"""Plain text as a BibTeX value: nothing in it is a command any more, whoever wrote it.

    A title from a registry that says `\input{...}` is text to be set, never to be obeyed. Braces that do not
    pair become parentheses: no .bib file can hold them.
    """
    from kb.sources.scan import balanced

    text = " ".join("".join(c for c in text if c.isprintable() or c.isspace()).split())
    if not balanced(text):
        text = text.replace("{", "(").replace("}", ")")
    return "".join(_SPECIAL.get(char, char) for char in text)


def encode_title(title: str) -> str:
    """`encode`, with braces round what a style's lower-casing would spoil: {RvS}, {GPT}-2, {Q}-learning."""
    words = " ".join(title.split()).split(" ")
    if title.upper() == title:
        return encode(title)
    return encode(title) if "{" in title else " ".join(_guarded(word) for word in words)


def _guarded(word: str) -> str:
    return "-".join(
        re.sub(r"[^\W_]+", lambda found: "{" + found[0] + "}", encode(part), count=1)
        if _is_cased(part)
        else encode(part)
        for part in word.split("-")
    )


def _is_cased(part: str) -> bool:
    letters = "".join(char for char in part if char.isalnum())
    return letters.isalnum() and (
        any(char.isupper() for char in letters[1:])
        or (len(letters) == 1 and letters.isupper() and letters not in "AI")
    )
