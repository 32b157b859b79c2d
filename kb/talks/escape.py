"""Making text inert in each format that talks are written in."""

from __future__ import annotations

import re

# Backslash first. `$` is mathematics and `:word:` an emoji in several renderers; `<` and `&` are HTML, and an
# HTML comment is where Marp takes directives from.
_INLINE = re.compile(r"[\\`*_\[\]~$|]")
# Emoji codes; whom or what a forge pings or links (@user, #12, GH-12); addresses of mail. They are looked for after
# entities were read, so an entity in the place of the mark would not be enough: one that joins words comes after it.
_EMOJI = r":(?=(?:[A-Za-z+-][\w+-]*|100|1234):)"
_MENTION = r"(?<!\w)@(?=\w)|@(?=[\w\\-]+\.\w)|#(?=\d)|\b[Gg][Hh]-(?=\d)"
_TO_JOIN = re.compile(f"{_EMOJI}|{_MENTION}")
_BLOCK_START = re.compile(r"^(#{1,6}(?=\s|$)|[-+>=](?=\s|[-+>=]|$)|\d+(?=[.)](?:\s|$)))")
_ADDRESS = re.compile(r"(?i)\b(https?|ftp|mailto|javascript|data):(?=\S)|\bwww\.(?=\S)")
_TEXTUAL_ADDRESS = re.compile(r"[^A-Za-z0-9\-._~:/?#@!$&*+,;=%]")


def markdown(text: str) -> str:
    """Text that Markdown shows as it is: no markup, HTML, mathematics, emoji code, link, mention or directive in it."""
    escaped = _INLINE.sub(lambda found: "\\" + found.group(), text)
    escaped = escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    escaped = _TO_JOIN.sub(r"\g<0>&#8288;", escaped)
    escaped = _ADDRESS.sub(_unlinked, escaped)
    return _BLOCK_START.sub(_no_block, escaped)


def _unlinked(found: re.Match[str]) -> str:
    return found.group().replace(":", "&#58;").replace(".", "&#46;")


def _no_block(found: re.Match[str]) -> str:
    start = found.group()
    return start + "\\" if start[-1].isdigit() else "\\" + start


def markdown_code(text: str) -> str:
    """Text as inline code: the fence is longer than any run of backticks in it."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * (longest + 1)
    space = " " if "`" in text else ""
    return f"{fence}{space}{text}{space}{fence}"


def address(url: str) -> str:
    """An address that may stand between < and > in Markdown or in an attribute: odd characters as %XX."""
    return _TEXTUAL_ADDRESS.sub(
        lambda found: "".join(f"%{byte:02X}" for byte in found.group().encode("utf-8", "replace")), url
    )


def html(text: str) -> str:
    """Text for HTML, in content as in attributes."""
    for char, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#39;")):
        text = text.replace(char, entity)
    return text
