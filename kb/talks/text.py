"""Words on slides: cleaning what came from outside, counting what is spoken, naming sources, cutting to length."""

from __future__ import annotations

import math
import re
import unicodedata

# Letters that reorder what stands around them, or that nobody sees: harmless in a store, a trap on a slide.
_INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_WORD = re.compile(r"\S*\w\S*")
_OTHERS = ("others", "et al", "et al.")
_SPOKEN = re.compile(r"\w+(?:[.,]\d+)*%?")
_NUMERAL = re.compile(r"\d+(?:[.,]\d+)*")


def clean(text: object) -> str:
    """One line of text without control characters, with invisible and reordering ones made visible."""
    kept = []
    for char in str(text):
        if char.isspace():
            kept.append(" ")
        elif _INVISIBLE.match(char) or unicodedata.category(char) in ("Cc", "Cs", "Co", "Cn"):
            kept.append(f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}")
        else:
            kept.append(char)
    return " ".join("".join(kept).split())


def maybe(text: object) -> str | None:
    """`clean`, or None where there is nothing to clean."""
    return clean(text) or None if text is not None else None


def sentence(text: str) -> str:
    """The text as a spoken sentence: with a full stop if it ends in none."""
    return text if not text or text[-1] in ".!?…”\"'" else f"{text}."


def spoken_words(text: str) -> int:
    """How many words it takes to say `text`.

    A word is a run of characters with a letter or digit in it; a number of three or more digits counts as
    two, since "1,024" or "0.873" takes about that long to say, and a per cent sign as one more.
    """
    count = 0
    for token in _WORD.findall(text):
        count += 1 + (sum(char.isdigit() for char in token) >= 3) + ("%" in token)
    return count + len(re.findall(r"(?<!\S)%(?!\w)", text))


def seconds_to_say(texts: tuple[str, ...] | list[str], words_per_minute: int, pause: float) -> int:
    """Whole seconds for saying the texts at a rate, with one pause after them; 0 for nothing."""
    words = sum(spoken_words(text) for text in texts)
    return math.ceil(words * 60 / words_per_minute + pause) if words else 0


def clock(seconds: float) -> str:
    """Seconds as 4:05."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


def number(value: float) -> str:
    """A number for reading: no trailing zeros, three significant places or more."""
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.3g}" if abs(value) < 1_000 else f"{value:.1f}"


def as_printed(value: float) -> str:
    """A published number with every digit that the library has of it."""
    return f"{value:.12g}".replace("-", "−")


def estimate(value: float, low: float | None, high: float | None) -> str:
    """An estimate with its interval, rounded so that its width shows in two places: 0.90 [0.77, 0.96]."""
    if low is None or high is None:
        return number(value).replace("-", "−")
    width = abs(high - low)
    places = 2 if width == 0 else min(6, max(0, 1 - math.floor(math.log10(width))))
    shown = [f"{round(one, places) + 0.0:.{places}f}".replace("-", "−") for one in (value, low, high)]
    return f"{shown[0]} [{shown[1]}, {shown[2]}]"


def weight(value: float) -> str:
    """A weight or score: at most two decimals, none that say nothing, a minus that is one."""
    shown = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if shown in ("", "-0") else shown.replace("-", "−")


def shorten(text: str, limit: int) -> str:
    """The text cut at a word within `limit` characters, with an ellipsis if anything is gone."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    if " " in cut[limit // 2 :]:
        cut = cut[: cut.rindex(" ")]
    return cut.rstrip(" ,;:.–-") + "…"


MANY = 6
"""More authors than this are named by the first and "et al."."""


def people(authors: str) -> str:
    """Authors for a list of references, from 'First Last; First Last'."""
    names = [name.strip() for name in authors.split(";") if name.strip()]
    if not names:
        return ""
    if names[1:] and names[-1].casefold() in _OTHERS:
        return f"{', '.join(names[:-1])} et al."
    return f"{names[0]} et al." if len(names) > MANY else ", ".join(names)


def label(authors: str, year: str, key: str, title: str = "") -> str:
    """How a slide names a source: 'Meng et al. 2022'; without authors by its title, else by its key.

    `authors` are separated by semicolons.
    """
    names = [name.strip() for name in authors.split(";") if name.strip()]
    if not names:
        return f"“{shorten(title, 40)}”{' ' + year if year else ''}" if title else key
    if names[1:] and names[-1].casefold() in _OTHERS:
        return f"{_family_name(names[0])} et al. {year}".strip()
    last = [_family_name(name) for name in names]
    who = last[0] if len(last) == 1 else f"{last[0]} and {last[1]}" if len(last) == 2 else f"{last[0]} et al."
    return f"{who} {year}".strip()


def _family_name(name: str) -> str:
    if "," in name:
        return name.split(",")[0].strip()
    words = name.split()
    # "van den Oord" stays whole: particles in lower case belong to the name that follows.
    for place, word in enumerate(words[1:-1], start=1):
        if word[0].islower():
            return " ".join(words[place:])
    return words[-1]


def typeset(text: str) -> str:
    """Our own words with typographic quotation marks and apostrophes."""
    text = re.sub(r"(?:(?<=^)|(?<=[\s(\[–—/“‘]))\"(?=\S)", "“", text)
    text = text.replace('"', "”")
    text = re.sub(r"(?:(?<=^)|(?<=[\s(\[–—/“]))'(?=[^\W\d_])", "‘", text)
    return text.replace("'", "’")


_INNER = {ord("“"): "‘", ord("”"): "’"}
_EMPHASIS = re.compile(r"(?<!\w)([_*]{1,2})(?=\S)([^_*]+?)(?<=\S)\1(?!\w)")


def plain_quote(quote: str) -> str:
    """A quote for showing between “ and ”: without the marks of italics and bold, inner quotation marks single.

    What a quote holds of them stands in the library and in the notes, where it can be compared with the source.
    """
    return typeset(_EMPHASIS.sub(r"\2", quote)).translate(_INNER)


def numerals(text: str) -> set[str]:
    """The numbers that stand in a text, as written."""
    return set(_NUMERAL.findall(text))


def withhold(text: str, numbers: set[str]) -> str:
    """The text with each of these numbers replaced, so that a figure that fails its check is not shown."""
    return _NUMERAL.sub(lambda found: "[withheld]" if found.group() in numbers else found.group(), text)


def is_said_by(text: str, others: list[str]) -> bool:
    """Whether every word of `text` is among those of the other texts already."""
    there = {word for other in others for word in _SPOKEN.findall(other.casefold())}
    return all(word in there for word in _SPOKEN.findall(text.casefold()))


def joined(names: list[str]) -> str:
    """'a', 'a and b', 'a, b and c'."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""


def lowered(text: str) -> str:
    """The text as it stands within a sentence: its first letter small, unless it begins with an abbreviation."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def counted(number_of: int, noun: str) -> str:
    """'1 claim', '2 claims'."""
    return f"{number_of} {noun}" if number_of == 1 else f"{number_of} {noun}s"
