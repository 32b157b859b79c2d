"""The @strings of a BibTeX file, and what its expressions are once they are put in."""

from __future__ import annotations

from dataclasses import dataclass, field

from kb.errors import shown
from kb.sources import scan
from kb.sources.room import LONGEST_VALUE, Room

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip
MONTHS = {name[:3].lower(): name for name in _MONTHS}
"""The macros that every BibTeX style defines, with the names that plain.bst gives them."""
TOO_LONG = "is too long once its strings are put in; left out"


@dataclass
class Strings:
    """Values of strings by their names in lower case; `room` is what they may still give."""

    values: dict[str, str]
    room: Room = field(default_factory=Room)

    def resolve(self, expression: str) -> tuple[str | None, str]:
        """The value of an expression (None: too long), and the names in it that are no known string."""
        first, last = expression[:1], expression[-1:]
        if first == "{" and last == "}":
            inner = expression[1:-1]
            if ("{" not in inner and "}" not in inner) or scan.close_brace(expression, 0) == len(expression):
                return inner.strip(), ""
        elif first == '"' and last == '"' and '"' not in (inner := expression[1:-1]):
            return inner.strip(), ""
        elif expression.isdigit():
            return expression, ""
        found = scan.pieces(expression)
        if found is None or found[1] != len(expression):
            # What only bibtexparser's reading accepts, such as "Schr\"odinger".
            return (expression[1:-1] if first + last in ('""', "{}") else expression).strip(), ""
        return self._joined(found[0])

    def _joined(self, pieces: list[tuple[str, str]]) -> tuple[str | None, str]:
        parts: list[str] = []
        unknown: list[str] = []
        given = 0
        for kind, piece in pieces:
            known = None
            if kind == "bare" and not piece.isdigit():
                known = self.values.get(piece.lower(), MONTHS.get(piece.lower()))
                if known is None:
                    unknown.append(piece)
            given += 0 if known is None else len(known)
            parts.append(piece if known is None else known)
        told = ", ".join(shown(name) for name in dict.fromkeys(unknown))
        if given and (sum(map(len, parts)) > LONGEST_VALUE or not self.room.take(given)):
            return None, told
        return "".join(parts).strip(), told
