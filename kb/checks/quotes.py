"""The quote check: do these words stand in this rendering of the source?

It never says that they support the claim. Shapes that a rendering may change are normalised away: compatibility
forms (ligatures, full-width and mathematical letters), hyphenation at line ends, kinds of quotation mark and
dash, white space, emphasis marks. Letters, digits, decimal points, signs and units never are, so an altered
number or a flipped word is not found; superscripts and fractions stay what they are, since Unicode's NFKC would
make 10² into 102. A quote starts and ends where a word or number does: "trivial" is not in "non-trivial",
"5" not in "-5", "0.5", "5 %" or "3-5".

Conventions of quoting: `[...]`, `[…]`, `...` and `…` leave words out; `[T]he` changes the case of a letter;
other square brackets hold an editor's insertion that the source does not have, unless they hold a digit (`[21]`
is a reference and must stand there). Where what was left out holds a negation, that is said: no ellipsis
drops a "not" in silence.
"""

from __future__ import annotations

import difflib
import itertools
import re
import unicodedata
from dataclasses import dataclass

from kb.checks.passages import Passage

LONGEST_GAP = 400
"""Characters that an ellipsis may stand for."""
LONGEST_INSERTION = 80
"""Characters of the source that an editor's insertion may replace."""
MOST_PIECES = 40
"""Into so many pieces ellipses may cut a quote: it has 40 words at most (`kb.records`), so no real one has more."""
MOST_LINES = 12
"""Over so many lines a word may be broken and still be known as one of several in a chain of hyphens."""
PLACES = 20
"""How many places are looked at for one whose ellipsis leaves out no negation."""

_BREAK = "\x01"
"""Stands for a hyphen at a line end: the hyphen may be the word's own or the typesetter's."""
_EITHER_CASE = "\x03"
"""Stands before a letter whose case an editor changed."""
_COMPATIBLE = ("<compat>", "<font>", "<wide>", "<narrow>", "<noBreak>")


class _Shapes(dict[int, str | None]):
    """What each character is compared as; the compatibility forms are found out as they come."""

    def __missing__(self, code: int) -> str:
        decomposed = unicodedata.decomposition(chr(code))
        same = unicodedata.normalize("NFKC", chr(code)) if decomposed.startswith(_COMPATIBLE) else chr(code)
        self[code] = same
        return same


_SAME = _Shapes(
    str.maketrans(
        {
            **dict.fromkeys("‘’‚‛“”„‟«»‹›`´\"", "'"),
            **dict.fromkeys("‐‑−﹣－", "-"),
            **dict.fromkeys("‒﹘", "–"),
            **dict.fromkeys("―", "—"),
            **dict.fromkeys([*range(0x2000, 0x200B), *map(ord, "\u00a0\u1680\u202f\u205f\u3000\t\r\f\v")], " "),
            **dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff"),
            **{chr(code): chr(code) for code in range(0x80)},
            "\t": " ", "\r": " ", "\f": " ", "\v": " ", "`": "'", '"': "'", _BREAK: None,
        }
    )
)  # fmt: skip
_DASHES = f"-–—{_BREAK}"
_STEPS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\\([%&#$_{}])"), r"\1"),  # LaTeX escapes
    (re.compile(r"(?<=[^\W\d_])-[ ]*\n[ \n]*(?=[^\W\d_])"), _BREAK),
    (re.compile(r"\s+"), " "),
    (re.compile(r"'{2,}"), "'"),
    (re.compile(r"-{2,3}"), "—"),
    (re.compile(r" ?— ?"), "—"),
    (re.compile(r"(?<=[^\W\d]) [-–] (?=[^\W\d])"), "—"),
    # *emphasis* and _emphasis_; a row that is none is kept in one go, not tried again from each of its marks
    (re.compile(r"(?<!\w)[*_]+(?=\w)|(?<=[\w.,;:!?'])[*_]+(?!\w)|((?<!\w)\*+|_+)"), r"\1"),
)
_SPACED_DASH = re.compile(rf"(?: |^)([{_DASHES}])(?: |$)")
"""A dash between words: its spaces are the typesetter's. (A sign has no space after it.)"""
_PIECES = re.compile(r"\[\s*(?:\.\.\.|…)\s*\]|\.\.\.|…|\[[^\[\]\d]*\]")
_CASE_CHANGE = re.compile(r"(?<!\w)\[([^\W\d_])\](?=\w)")
_LETTERS = re.compile(r"[^\W\d_]+|\d+")
_BROKEN = re.compile(rf"(?:[^\W\d_]|{_BREAK})+")
_NEGATION = re.compile(
    r"\b(?:not|no|never|none|nor|neither|nobody|nothing|cannot|without|hardly|barely|rarely|seldom|unable"
    r"|fail(?:s|ed|ing)?|lack(?:s|ed|ing)?|unless|except)\b|n't\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Found:
    """Where a quote stands in the normalised rendering, and the words around it."""

    start: int
    end: int
    share: float
    """How far into the text, 0 to 1: enough to find the page."""
    context: str
    left_out: tuple[str, ...] = ()
    """What the source has where the quote has an ellipsis or an editor's brackets."""

    @property
    def negation_left_out(self) -> str | None:
        """The first stretch left out that holds a negation: somebody has to read it."""
        return next((words for words in self.left_out if _NEGATION.search(words)), None)


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
    doubtful = None
    bare = normalised.replace(_BREAK, "")
    if not all(word in bare for word in words_needed(quote)):
        return None
    for passage in _passages(quote):
        for spans in itertools.islice(passage.found_in(normalised), PLACES):
            start, end = spans[0][0], spans[-1][1]
            around = normalised[max(0, start - 40) : end + 40].replace(_BREAK, "-")
            gaps = (normalised[before:after] for (_, before), (after, _) in itertools.pairwise(spans))
            left_out = tuple(gap.strip().replace(_BREAK, "") for gap in gaps if gap.strip())
            found = Found(start, end, start / max(1, len(normalised)), around, left_out)
            if found.negation_left_out is None:
                return found
            doubtful = doubtful or found
    return doubtful


def words_needed(quote: str) -> set[str]:
    """Words that a text must have for `quote` to stand in it: most texts are ruled out by these alone."""
    plain = " ".join(normalise(piece) for piece in _PIECES.split(_CASE_CHANGE.sub(" ", quote)))
    return set(_LETTERS.findall(plain))


def words_in(normalised: str) -> set[str]:
    """The words of a text that `normalise` has been through, a word broken at a line end whole and in parts."""
    found = set(_LETTERS.findall(normalised.replace(_BREAK, "")))
    if _BREAK in normalised:
        found.update(_LETTERS.findall(normalised.replace(_BREAK, " ")))
        for chain in _BROKEN.findall(normalised):
            parts = chain.split(_BREAK)
            for start in range(len(parts) if len(parts) > 2 else 0):
                found.update("".join(parts[start:end]) for end in range(start + 1, start + MOST_LINES + 1))
    return found


def _passages(quote: str) -> list[Passage]:
    """The quote to the letter, and then with its brackets and ellipses read as an editor's."""
    wanted = [_passage([quote], [])]
    pieces = _PIECES.split(_CASE_CHANGE.sub(rf"{_EITHER_CASE}\1", quote))
    if len(pieces) > 1 or _EITHER_CASE in pieces[0]:
        gaps = [
            LONGEST_GAP if "..." in g or "…" in g else LONGEST_INSERTION
            for g in _PIECES.findall(_CASE_CHANGE.sub("\\1", quote))
        ]
        wanted.append(_passage(pieces, gaps))
    return [passage for passage in wanted if passage is not None]


def _passage(pieces: list[str], gaps: list[int]) -> Passage | None:
    """The pieces that hold a letter or digit; what was between two of them adds up. None where they are too many."""
    patterns: list[re.Pattern[str]] = []
    between: list[int] = []
    pending = 0
    for index, piece in enumerate(pieces):
        words = normalise(piece)
        if index:
            pending += gaps[index - 1]
        if not any(c.isalnum() for c in words):
            continue
        if len(patterns) == MOST_PIECES:
            return None
        if patterns:
            between.append(pending)
        patterns.append(re.compile(_literal(words)))
        pending = 0
    return Passage(patterns, between) if patterns else None


def _literal(words: str) -> str:
    """A pattern for `words` that starts and ends at word and number boundaries."""
    out: list[str] = []
    either = False
    words = _SPACED_DASH.sub(r"\1", words)
    plain = words.replace(_EITHER_CASE, "")
    for index, char in enumerate(words):
        if char == _EITHER_CASE:
            either = True
            continue
        if either:
            out.append(f"[{char.lower()}{char.upper()}]")
            either = False
        elif (
            char in _DASHES
            and words[index - 1 : index] in ("", " ", "(")
            and words[index + 1 : index + 2].isdigit()
        ):
            out.append("[-–]")  # a sign
        elif char in _DASHES:
            out.append(f" ?[{_DASHES}] ?")
        elif char == " ":
            out.append(" ")
        else:
            out.append(re.escape(char))
        follows = words[index + 1] if index + 1 < len(words) else ""
        if char.isalpha() and follows.isalpha():
            out.append(f"{_BREAK}?")
    # Between two dashes two spaces that may be there are one way to match, not two: else a row of them has 2^n.
    return _before(plain) + "".join(out).replace(" ? ?", " {0,2}") + _after(plain)


def _before(words: str) -> str:
    """What may not stand before the first character: the rest of a word, of a number, or its sign."""
    if words[0].isdigit():
        return r"(?<!\w)(?<!\d[.,:/])(?<![.\-+±~≈<>≤≥$€£¥^])(?<!\d–)"
    if words[0].isalnum():
        return rf"(?<!\w)(?<!\w-)(?<!{_BREAK})"
    return r"(?<!\w)" if words[1:2].isdigit() and words[0] in ".,-–+/:^±~<>" else ""


def _after(words: str) -> str:
    """What may not stand after the last one: the rest of a word or number, its unit, or a negation."""
    if words[-1].isdigit():
        return r"(?!\w)(?![.,:/\-–]\d)(?! ?[%‰×])(?![°^])"
    if words[-1].isalnum():
        return rf"(?!\w)(?!-\w)(?!'t\b)(?!{_BREAK})"
    return r"(?!\d)" if words[-1] in ".,:/-–" else ""


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
