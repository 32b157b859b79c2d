"""An answer of the network, and the ways in which there is none."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone
from urllib.parse import urlsplit, urlunsplit

from kb.errors import KbError

JSON = (
    "application/json",
    "application/vnd.citationstyles.csl+json",
    "application/vnd.crossref-api-message+json",
)
XML = ("application/atom+xml", "application/xml", "text/xml")
HTML = ("text/html", "application/xhtml+xml")
PDF = ("application/pdf",)
TEXT = ("text/plain",)
ANY_TEXT = HTML + PDF + TEXT


class HttpError(KbError):
    """A look-up that gave no answer."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint, code=1)


class Unreachable(HttpError):
    """Nobody answered, or only with errors of the server: trying later may help."""


class Refused(HttpError):
    """kb does not take this answer, or does not ask at all: private address, too big, wrong type, a loop."""


class BadRequest(Refused):
    """The server does not understand what is asked for (400): no identifier of its own."""


class BudgetSpent(HttpError):
    """The server says that our requests are used up for now: asking again would not be polite."""


@dataclass(frozen=True)
class Answer:
    """What an address gave. Status 200, or 404 and 410: "there is no such thing" is an answer too."""

    url: str
    status: int
    content_type: str
    body: bytes
    at: str

    @property
    def found(self) -> bool:
        """Whether there is such a thing."""
        return self.status == 200


def now() -> str:
    """The time as the store writes it: UTC, to the second."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


_SECRETS = re.compile(
    r"(?i)[?&#;](?:x-amz-)?((?:api|access|auth|private|secret)?[-_]?(?:key|token)|password|passwd|secret|signature|sig)="
)


def names_a_secret(url: str) -> str:
    """What a part of an address's query that is nobody else's business is called, such as key; '' where none is."""
    found = _SECRETS.search(url)
    return found[1].lower() if found else ""


def shown_address(url: str) -> str:
    """An address for a message: without password, query and fragment, where secrets live."""
    try:
        parts = urlsplit(url)
        return urlunsplit((parts.scheme, parts.hostname or "", parts.path, "", ""))[:120]
    except ValueError:
        return "this"
