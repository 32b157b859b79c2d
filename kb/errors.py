"""The one kind of error that kb shows to people: one line that says what is wrong and what to do."""

from __future__ import annotations


class KbError(Exception):
    """Something is wrong that the user can mend.

    Args:
        message: what is wrong, in one line, naming file and line where there are any.
        hint: what to do about it, in a few words; printed on the same line after the message.
        code: the process's exit code: 1 when a check failed or a thing was not found, 2 when the call,
            a file or the installation was wrong.
    """

    def __init__(self, message: str, hint: str = "", *, code: int = 2) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code

    def __str__(self) -> str:
        return one_line(f"{self.message}; {self.hint}" if self.hint else self.message)


class NotFound(KbError):
    """A name that the store does not know.

    Args:
        what: the kind of thing, as in "claim".
        name: the name that was asked for.
        nearest: names that come close, best first.
    """

    def __init__(self, what: str, name: str, nearest: list[str] | None = None) -> None:
        near = nearest or []
        listing = "kb reproduce --list" if what == "reproduction" else f"kb {what} list"
        hint = f"did you mean {', '.join(near)}?" if near else f"`{listing}` shows what there is"
        super().__init__(f"no {what} named {shown(name)}", hint, code=1)
        self.nearest = near


def one_line(text: str, limit: int = 2_000) -> str:
    """`text` as one line of a message, cut at `limit` characters: parts of it may come from outside."""
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return cut.replace("\n", " ")


def shown(text: str, limit: int = 80) -> str:
    """Quote `text` for an error line: control characters escaped, cut at `limit` characters."""
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return "'" + "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut) + "'"
