"""A corpus of real text, renderings of it as PDF and web extraction give them, quotes, and planted defects.

Texts: the library's own quotes, the licence, the documentation strings of Python's standard library (not this
project's documents: every edit of them would draw other quotes). Everything is drawn from one seeded generator. Whether a defective quote happens to stand in
the text after all is asked of the plain words, without any of kb's normalisations.
"""

from __future__ import annotations

import importlib
import random
import re
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
MODULES = (
    "argparse", "ast", "base64", "bisect", "calendar", "codecs", "collections", "configparser", "csv", "datetime",
    "decimal", "difflib", "doctest", "email", "fractions", "functools", "heapq", "inspect", "ipaddress", "itertools",
    "json", "logging", "math", "numbers", "optparse", "os", "pathlib", "pdb", "pickle", "platform", "pprint", "random",
    "re", "shutil", "socket", "sqlite3", "ssl", "statistics", "string", "struct", "subprocess", "tarfile", "textwrap",
    "threading", "timeit", "unittest", "urllib.request", "uuid", "weakref", "zipfile",
)  # fmt: skip


@dataclass(frozen=True)
class Text:
    """One real text as its plain words."""

    name: str
    words: list[str]
    plain: str

    def holds(self, words: list[str]) -> bool:
        """Whether these words stand in it one after the other: plain comparison, nothing normalised."""
        wanted = " ".join(words).strip(".,;:!?()'\"")
        if wanted not in self.plain:
            return False
        return re.search(rf"(?<![\w-]){re.escape(wanted)}(?![\w-])", self.plain) is not None


def texts() -> list[Text]:
    """The corpus: some 160,000 words."""
    found = {"LICENSE": (ROOT / "LICENSE").read_text("utf-8")}
    with sqlite3.connect(f"file:{ROOT / 'claims.db'}?mode=ro", uri=True) as store:
        rows = store.execute("SELECT quote FROM citation WHERE quote IS NOT NULL ORDER BY claim_id, position")
        found["the library's quotes"] = "\n".join(row[0] for row in rows)
    store.close()
    for name in MODULES:
        found[name] = "\n".join(_documentation(name))
    split = {name: text.split() for name, text in found.items()}
    return [Text(name, words, " ".join(words)) for name, words in split.items() if len(words) > 60]


def _documentation(name: str) -> Iterator[str]:
    module = importlib.import_module(name)
    seen = set()
    for holder in (module, *(getattr(module, n, None) for n in sorted(dir(module)))):
        for member in (holder, *(vars(holder).values() if isinstance(holder, type) else ())):
            text = getattr(member, "__doc__", None)
            if isinstance(text, str) and len(text) > 80 and text not in seen:
                seen.add(text)
                yield text


# Renderings: what extraction does to a text without changing its words.

LIGATURES = {"ffi": "ﬃ", "ffl": "ﬄ", "ff": "ﬀ", "fi": "ﬁ", "fl": "ﬂ"}


def rendered(words: list[str], draw: random.Random) -> str:
    """The words as a page: lines broken and words hyphenated, ligatures, quotes, dashes, spaces, emphasis."""
    out: list[str] = []
    width = 0
    for word in words:
        shown = _shaped(word, draw)
        if width + len(word) > 78:
            middle = len(word) // 2
            letters = word[middle - 1 : middle + 1]
            if len(word) > 6 and letters.isalpha() and "-" not in word and draw.random() < 0.6:
                shown = f"{_shaped(word[:middle], draw)}-\n{draw.choice(['', '  '])}{_shaped(word[middle:], draw)}"
            else:
                shown = f"\n{shown}"
            width = 0
        if draw.random() < 0.03 and word.isalpha():
            mark = draw.choice(("*", "_", "**"))
            shown = f"\n{mark}{shown[1:]}{mark}" if shown.startswith("\n") else f"{mark}{shown}{mark}"
        width += len(word) + 1
        out.append(shown)
    return "".join(o if o.startswith("\n") or not n else draw.choice(SPACES) + o for n, o in enumerate(out))


SPACES = (" ",) * 12 + ("  ", "\u00a0", "\u2009", "\u202f", " \u200b", "\t")


def _shaped(word: str, draw: random.Random) -> str:
    if draw.random() < 0.3:
        for plain, joined in LIGATURES.items():
            word = word.replace(plain, joined)
    if draw.random() < 0.4:
        word = word.replace("'", "’").replace('"', draw.choice("“”"))
    if draw.random() < 0.2 and "--" not in word:
        word = re.sub(r"(?<=[a-z])-(?=[a-z])", "\u2010", word)
    if draw.random() < 0.3:
        word = re.sub(r"(?<![-\w])-(?=\d)", "\u2212", word)
    if draw.random() < 0.02 and word.isalpha() and word.isascii():
        word = "".join(chr(0xFF01 + ord(c) - 0x21) for c in word)
    if draw.random() < 0.03 and len(word) > 6 and word.isalpha():
        word = f"{word[:3]}\u00ad{word[3:]}"
    return word


# Quotes, and what may be done to them without changing what is quoted.


def quotes(text: Text, draw: random.Random, number: int) -> Iterator[list[str]]:
    """Stretches of 4 to 40 words that start and end with a letter or digit: `number` anywhere, and one around
    each word with a decimal point, a sign, a unit, a prefix or a negation, where defects are worst."""
    places = [draw.randint(0, len(text.words) - 1) for _ in range(number)]
    for place in places + [n for n, word in enumerate(text.words) if _TELLING.search(word)][: 2 * number]:
        size = draw.randint(4, min(40, len(text.words) - 2))
        start = max(0, min(place - draw.choice((0, draw.randrange(size))), len(text.words) - size))
        words = text.words[start : start + size]
        following = text.words[start + size] if start + size < len(text.words) else ""
        unit_cut_off = following[:1] in ("%", "×") and words[-1][-1].isdigit()
        if not (words[0][0].isalnum() and words[-1][-1].isalnum()) or unit_cut_off:
            continue
        if _brackets(words):
            continue
        yield words


_TELLING = re.compile(r"\d\.\d|(?<!\w)[-+<>$]\d|\d%|^non-|^(?:not|never|cannot|without)$")


def _brackets(words: list[str]) -> bool:
    """Brackets and dots of the text's own are an editor's in a quote; a unit that stands alone may be cut off."""
    return any("[" in w or "]" in w or "..." in w or w[:1] in ("%", "×") for w in words)


def _in_straight(words: list[str], draw: random.Random) -> str:
    return " ".join(words)


def _in_curly(words: list[str], draw: random.Random) -> str:
    return " ".join(words).replace("'", "’")


def _with_ellipsis(words: list[str], draw: random.Random) -> str:
    if len(words) < 8:
        return " ".join(words)
    start = draw.randint(2, len(words) - 5)
    stop = draw.randint(start + 1, min(len(words) - 2, start + 12))
    return " ".join([*words[:start], draw.choice(("[...]", "[…]", "...", "…")), *words[stop:]])


def _with_insertion(words: list[str], draw: random.Random) -> str:
    at = draw.randint(1, len(words) - 1)
    return " ".join([*words[:at], "[that is, as they say]", *words[at:]])


def _with_other_case(words: list[str], draw: random.Random) -> str:
    first = words[0]
    if not first[0].isalpha() or len(first) < 2 or not first[1].isalpha():
        return " ".join(words)
    return " ".join([f"[{first[0].swapcase()}]{first[1:]}", *words[1:]])


WAYS: dict[str, Callable[[list[str], random.Random], str]] = {
    "to the letter": _in_straight,
    "curly quotation marks": _in_curly,
    "an ellipsis": _with_ellipsis,
    "an editor's insertion": _with_insertion,
    "another case of the first letter": _with_other_case,
}


# Defects: each gives altered words, or None where the quote offers nothing to alter in that way.

OPPOSITES = {
    "is": "isn't", "can": "cannot", "all": "some", "some": "all", "more": "less", "less": "more", "true": "false",
    "first": "last", "last": "first", "before": "after", "after": "before", "always": "never", "never": "always",
    "must": "may", "may": "must", "and": "or", "or": "and", "with": "without", "without": "with", "greater": "smaller",
    "smaller": "greater", "increase": "decrease", "higher": "lower", "lower": "higher", "minimum": "maximum",
    "maximum": "minimum", "equal": "unequal", "any": "no", "only": "not", "both": "neither", "the": "no",
}  # fmt: skip
NEGATIONS = (
    "not",
    "no",
    "never",
    "without",
    "cannot",
    "don't",
    "doesn't",
    "isn't",
    "aren't",
    "can't",
    "won't",
    "nor",
)


def _one(words: list[str], draw: random.Random, wanted: Callable[[str], bool]) -> int | None:
    places = [n for n, word in enumerate(words) if wanted(word)]
    return draw.choice(places) if places else None


def _replaced(words: list[str], at: int | None, change: Callable[[str], str]) -> list[str] | None:
    if at is None:
        return None
    word = change(words[at])
    return [*words[:at], *([word] if word else []), *words[at + 1 :]]


def _digit(words: list[str], draw: random.Random) -> list[str] | None:
    at = _one(words, draw, lambda w: any(c in "0123456789" for c in w))

    def change(word: str) -> str:
        place = draw.choice([n for n, c in enumerate(word) if c in "0123456789"])
        return word[:place] + str((int(word[place]) + draw.randint(1, 9)) % 10) + word[place + 1 :]

    return _replaced(words, at, change)


def _point_moved(words: list[str], draw: random.Random) -> list[str] | None:
    at = _one(words, draw, lambda w: re.search(r"\d\.\d", w) is not None)
    return _replaced(words, at, lambda w: re.sub(r"(\d)\.(\d)", r".\1\2", w, count=1))


def _point_dropped(words: list[str], draw: random.Random) -> list[str] | None:
    at = _one(words, draw, lambda w: re.search(r"\d\.\d", w) is not None)
    return _replaced(words, at, lambda w: re.sub(r"(\d)\.(\d)", r"\1\2", w, count=1))


def _point_added(words: list[str], draw: random.Random) -> list[str] | None:
    at = _one(words, draw, lambda w: re.search(r"\d\d", w) is not None)
    return _replaced(words, at, lambda w: re.sub(r"(\d)(\d)", r"\1.\2", w, count=1))


def _sign_dropped(words: list[str], draw: random.Random) -> list[str] | None:
    at = _one(words, draw, lambda w: re.match(r"[-+<>$(]*[-+<>$]\d", w) is not None)
    return _replaced(words, at, lambda w: re.sub(r"[-+<>$](?=\d)", "", w, count=1))


def _sign_added(words: list[str], draw: random.Random) -> list[str] | None:
    at = _one(words, draw, lambda w: w[0].isdigit())
    return _replaced(words, at, lambda w: f"-{w}")


def _unit_dropped(words: list[str], draw: random.Random) -> list[str] | None:
    at = _one(words, draw, lambda w: re.search(r"\d%", w) is not None)
    return _replaced(words, at, lambda w: w.replace("%", ""))


def _negation_dropped(words: list[str], draw: random.Random) -> list[str] | None:
    at = _one(words, draw, lambda w: w.lower().strip(".,;:") in NEGATIONS)
    return _replaced(
        words, at, lambda w: {"cannot": "can", "can't": "can", "without": "with"}.get(w.lower(), "")
    )


def _negation_added(words: list[str], draw: random.Random) -> list[str] | None:
    at = draw.randint(1, len(words) - 1)
    return [*words[:at], draw.choice(("not", "never")), *words[at:]]


def _opposite(words: list[str], draw: random.Random) -> list[str] | None:
    at = _one(words, draw, lambda w: w in OPPOSITES)
    return _replaced(words, at, lambda w: OPPOSITES[w])


def _swapped(words: list[str], draw: random.Random) -> list[str] | None:
    at = draw.randint(0, len(words) - 2)
    return [*words[:at], words[at + 1], words[at], *words[at + 2 :]]


def _dropped(words: list[str], draw: random.Random) -> list[str] | None:
    return _replaced(words, draw.randint(1, len(words) - 2), lambda w: "")


def _borrowed(words: list[str], draw: random.Random) -> list[str] | None:
    at = draw.randint(0, len(words) - 1)
    return _replaced(words, at, lambda w: draw.choice([other for other in words if other != w] or ["zebra"]))


def _letter(words: list[str], draw: random.Random) -> list[str] | None:
    at = _one(words, draw, lambda w: w.isalpha() and w.isascii())

    def change(word: str) -> str:
        place = draw.randrange(len(word))
        return (
            word[:place]
            + draw.choice([c for c in "aeiounst" if c != word[place].lower()])
            + word[place + 1 :]
        )

    return _replaced(words, at, change)


def _prefix_dropped(words: list[str], draw: random.Random) -> list[str] | None:
    """The first word of the quote without its 'non-' or 'un-': cut out of the middle of a word."""
    if re.match(r"(?:non-|un|in|dis|[a-z]+-)[a-z]{4}", words[0]) is None:
        return None
    return [re.sub(r"^(?:non-|un|in|dis|[a-z]+-)", "", words[0]), *words[1:]]


DEFECTS: dict[str, Callable[[list[str], random.Random], list[str] | None]] = {
    "a digit changed": _digit,
    "a decimal point moved": _point_moved,
    "a decimal point dropped": _point_dropped,
    "a decimal point added": _point_added,
    "a sign dropped": _sign_dropped,
    "a sign added": _sign_added,
    "a percent sign dropped": _unit_dropped,
    "a negation dropped": _negation_dropped,
    "a negation added": _negation_added,
    "a word turned into its opposite": _opposite,
    "two words swapped": _swapped,
    "a word dropped": _dropped,
    "a word put in another's place": _borrowed,
    "a letter changed": _letter,
    "a prefix cut off": _prefix_dropped,
}
