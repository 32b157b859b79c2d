"""The quote check: do these words stand in this rendering of the source?

It never says that they support the claim. Shapes that a rendering may change are normalised away:
ligatures, hyphenation at line ends, kinds of quotation mark and dash, white space, emphasis marks. Letters,
digits, decimal points and percent signs never are, so an altered number or a flipped word is not found.

Conventions of quoting: `[...]`, `[…]`, `...` and `…` leave words out; other square brackets hold an
editor's insertion that the source does not have, unless they hold a digit (`[21]` is a reference and must
stand there).
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from dataclasses import dataclass

LONGEST_GAP = 400
"""Characters that an ellipsis may stand for."""
LONGEST_INSERTION = 80
"""Characters of the source that an editor's insertion may replace."""

_BREAK = "\x01"
"""Stands for a hyphen at a line end: the hyphen may be the word's own or the typesetter's."""

_SAME = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛“”„‟«»‹›`´′″\"", "'"),
        **dict.fromkeys("‐‑‒–—―−﹘﹣－", "-"),
        **dict.fromkeys([*range(0x2000, 0x200B), *map(ord, "\u00a0\u1680\u202f\u205f\u3000\t\r\f\v")], " "),
        **dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff\x01"),
        "ﬀ": "ff",
        "ﬁ": "fi",
        "ﬂ": "fl",
        "ﬃ": "ffi",
        "ﬄ": "ffl",
        "ﬅ": "st",
        "ﬆ": "st",
        "…": "...",
    }
)  # fmt: skip
_STEPS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\\([%&#$_{}])"), r"\1"),  # LaTeX escapes
    (re.compile(r"(?<=[^\W\d_])-[ ]*\n[ \n]*(?=[^\W\d_])"), _BREAK),
    (re.compile(r"\s+"), " "),
    (re.compile(r"'{2,}"), "'"),
    (re.compile(r"-{2,3}"), "-"),
    (re.compile(r"(?<=[^\W\d]) - (?=[^\W\d])"), "-"),
    (re.compile(r"(?<!\w)[*_]+(?=\w)|(?<=[\w.,;:!?'])[*_]+(?!\w)"), ""),  # *emphasis* and _emphasis_
)
_PIECES = re.compile(r"\[\s*(?:\.\.\.|…)\s*\]|\.\.\.|…|\[[^\[\]\d]*\]")


@dataclass(frozen=True)
class Found:
    """Where a quote stands in the normalised rendering, and the words around it."""

    start: int
    end: int
    share: float
    """How far into the text, 0 to 1: enough to find the page."""
    context: str


@dataclass(frozen=True)
class NearMiss:
    """The passage that comes closest, 0 to 100, and the difference word by word."""

    score: float
    passage: str
    difference: str


def normalise(text: str) -> str:
    """The text as quotes are compared: shapes unified, letters and digits untouched."""
    result = unicodedata.normalize("NFC", text.replace("\r\n", "\n")).translate(_SAME)
    for pattern, replacement in _STEPS:
        result = pattern.sub(replacement, result)
    return result.strip()


def find(quote: str, text: str) -> Found | None:
    """Where `quote` stands in `text` word for word, or None. The module says what may differ."""
    return find_in(quote, normalise(text))


def find_in(quote: str, normalised: str) -> Found | None:
    """As `find`, for a text that `normalise` has been through already."""
    for pattern in _patterns(quote):
        found = pattern.search(normalised)
        if found:
            start, end = found.span()
            around = normalised[max(0, start - 40) : end + 40].replace(_BREAK, "-")
            return Found(start, end, start / max(1, len(normalised)), around)
    return None


def _patterns(quote: str) -> list[re.Pattern[str]]:
    """The quote to the letter, and then with its brackets and ellipses read as an editor's."""
    wanted = [_pattern([quote], [])]
    pieces = _PIECES.split(quote)
    if len(pieces) > 1:
        gaps = [LONGEST_GAP if "..." in g or "…" in g else LONGEST_INSERTION for g in _PIECES.findall(quote)]
        wanted.append(_pattern(pieces, gaps))
    return [pattern for pattern in wanted if pattern is not None]


def _pattern(pieces: list[str], gaps: list[int]) -> re.Pattern[str] | None:
    parts: list[str] = []
    pending = 0
    for index, piece in enumerate(pieces):
        words = normalise(piece)
        if index:
            pending += gaps[index - 1]
        if not any(c.isalnum() for c in words):
            continue
        if parts:
            parts.append(f".{{0,{pending}}}?")
        parts.append(_literal(words))
        pending = 0
    return re.compile("".join(parts), re.DOTALL) if parts else None


def _literal(words: str) -> str:
    """A pattern for `words` that starts and ends at word and number boundaries."""
    out: list[str] = []
    for index, char in enumerate(words):
        if char in "-" + _BREAK:
            out.append(f"(?:-|{_BREAK}) ?")
        elif char == " ":
            out.append(" ")
        else:
            out.append(re.escape(char))
            follows = words[index + 1] if index + 1 < len(words) else ""
            if char.isalpha() and follows.isalpha():
                out.append(f"{_BREAK}?")
    before = r"(?<!\w)" + (r"(?<!\d[.,])(?<!\.)" if words[0].isdigit() else "") if words[0].isalnum() else ""
    after = r"(?!\w)" + (r"(?![.,]\d)" if words[-1].isdigit() else "") if words[-1].isalnum() else ""
    if words[0].isalnum() and not words[0].isdigit():
        before += f"(?<!{_BREAK})"
    return before + "".join(out) + after


def nearest(quote: str, text: str) -> NearMiss | None:
    """The passage of `text` that comes closest to `quote`, for showing the difference; never a pass.

    Needs rapidfuzz; without it there is no near miss to show.
    """
    try:
        from rapidfuzz import fuzz
    except ImportError:
        return None
    wanted, within = normalise(quote), normalise(text).replace(_BREAK, "")
    if not wanted or not within:
        return None
    alignment = fuzz.partial_ratio_alignment(wanted, within, score_cutoff=70)
    if alignment is None:
        return None
    start = within.rfind(" ", 0, alignment.dest_start + 1) + 1
    end = within.find(" ", alignment.dest_end)
    passage = within[start : end if end >= 0 else len(within)]
    return NearMiss(alignment.score, passage, difference(wanted, passage))


def difference(wanted: str, passage: str) -> str:
    """Word by word: what the quote has is marked [-so-], what the source has {+so+}."""
    ours, theirs = wanted.split(), passage.split()
    out: list[str] = []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        if tag == "equal":
            out += ours[a:b]
            continue
        if b > a:
            out.append(f"[-{' '.join(ours[a:b])}-]")
        if d > c:
            out.append(f"{{+{' '.join(theirs[c:d])}+}}")
    return " ".join(out)


_NUMERAL = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?")


def numerals(text: str) -> list[str]:
    """The numerals of a text as they would be compared: thousands separators gone, the value kept."""
    return [found.group().rstrip(",").replace(",", "") for found in _NUMERAL.finditer(text)]
