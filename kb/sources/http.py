"""The only door to the network: one client, polite, bounded, and closed to addresses that are not public.

Bounds: time to connect, to read and in all; size of the body as it streams in; number of redirects, each
target of which is examined like the first. A slow or failing server is asked again a few times, with
back-off that honours Retry-After. Two kinds of 429: "wait a little" is waited for; "your budget is spent"
ends all further requests to that host.
"""

from __future__ import annotations

import ipaddress
import os
import random
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit, urlunsplit

from kb.errors import KbError

if TYPE_CHECKING:
    import httpx

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

PACE = {"export.arxiv.org": 3.0}
"""Seconds between two requests to a host that asks for them."""


class HttpError(KbError):
    """A look-up that gave no answer."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint, code=1)


class Unreachable(HttpError):
    """Nobody answered, or only with errors of the server: trying later may help."""


class Refused(HttpError):
    """kb does not take this answer, or does not ask at all: private address, too big, wrong type, a loop."""


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


def user_agent() -> str:
    """Who asks. An address of yours is in it only if you set KB_MAILTO."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        number = version("interp-kb")
    except PackageNotFoundError:
        number = "0"
    mail = mailto()
    return f"interp-kb/{number} (a knowledge base of claims{'; mailto:' + mail if mail else ''})"


def mailto() -> str:
    """The address that KB_MAILTO gives, if it is one line of printable text with an @."""
    mail = os.environ.get("KB_MAILTO", "").strip()
    return mail if "@" in mail and mail.isprintable() and " " not in mail else ""


@dataclass
class Http:
    """A client. `allow_local` is for tests alone: it opens the door to this machine's own addresses."""

    allow_local: bool = False
    timeout: float = 20.0
    total: float = 90.0
    retries: int = 3
    longest_wait: float = 60.0
    body_limit: int = 25 * 1024 * 1024
    redirects: int = 5
    pace: dict[str, float] = field(default_factory=lambda: dict(PACE))
    sleep: Callable[[float], None] = time.sleep
    _spent: dict[str, str] = field(default_factory=dict)
    _last: dict[str, float] = field(default_factory=dict)

    def get(self, url: str, accept: tuple[str, ...] = JSON) -> Answer:
        """Fetch an address.

        Args:
            url: http or https, of a public host.
            accept: the media types that will do; another one is refused.

        Raises:
            Unreachable, Refused, BudgetSpent: each says in one line what happened.
        """
        import httpx

        problem = ""
        for attempt in range(self.retries + 1):
            try:
                answer = self._once(url, accept)
            except (httpx.TransportError, httpx.DecodingError) as error:
                problem, wait = _in_words(error), 0.0
            else:
                if isinstance(answer, Answer):
                    return answer
                problem, wait = answer
            if attempt < self.retries:
                # Full jitter: many clients that were turned away together do not come back together.
                self.sleep(wait or random.uniform(0.5, 1.0) * 2**attempt)
        raise Unreachable(f"{_host(url)} {problem}", "try again later; nothing here depends on it")

    def _once(self, url: str, accept: tuple[str, ...]) -> Answer | tuple[str, float]:
        """One attempt, redirects followed: an answer, or what went wrong and how long to wait."""
        import httpx

        headers = {"User-Agent": user_agent(), "Accept": ", ".join(accept)}
        deadline = time.monotonic() + self.total
        target = url
        seen: set[str] = set()
        with httpx.Client(timeout=self.timeout, follow_redirects=False, headers=headers) as client:
            for _ in range(self.redirects + 1):
                if target in seen:
                    raise Refused(f"{_host(url)} sends us round in a circle", "open the address in a browser")
                seen.add(target)
                self._examine(target)
                self._be_polite(target)
                with client.stream("GET", target) as response:
                    self._examine_peer(response, target)
                    if response.is_redirect:
                        target = urljoin(target, response.headers.get("Location", ""))
                        continue
                    return self._take(url, response, accept, deadline)
        raise Refused(f"{_host(url)} redirects more than {self.redirects} times", "open it in a browser")

    def _take(
        self, url: str, response: httpx.Response, accept: tuple[str, ...], deadline: float
    ) -> Answer | tuple[str, float]:
        status = response.status_code
        if status == 429 or status >= 500:
            return f"answered {status}", self._wait(url, response)
        if status not in (200, 404, 410):
            raise Refused(f"{_host(url)} answered {status}", "the address may need a login")
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if status == 200 and kind not in accept:
            raise Refused(
                f"{_host(url)} answered with {kind or 'no type'}, not {accept[0]}", "is a login page between?"
            )
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > self.body_limit:
                raise Refused(
                    f"{_host(url)} sends more than {self.body_limit // 1024**2} MB", "download it by hand"
                )
            if time.monotonic() > deadline:
                raise Unreachable(f"{_host(url)} takes longer than {self.total:.0f} s", "try again later")
        return Answer(url, status, kind, bytes(body), now())

    def _wait(self, url: str, response: httpx.Response) -> float:
        """Seconds to wait before asking again; 0 leaves it to the back-off.

        Raises:
            BudgetSpent: where the server wants us gone for longer than a person would wait.
        """
        wait = _retry_after(response.headers.get("Retry-After", ""))
        left = response.headers.get("X-RateLimit-Remaining", "").strip()
        if response.status_code == 429 and (wait > self.longest_wait or (left == "0" and not wait)):
            until = f"for {wait / 3600:.1f} h" if wait else "for now"
            self._spent[_host(url)] = until
            raise BudgetSpent(
                f"{_host(url)} says that our requests are used up {until}", "try again after that"
            )
        if wait > self.longest_wait:
            raise Unreachable(f"{_host(url)} asks to come back in {wait:.0f} s", "try again later")
        return wait

    def _be_polite(self, url: str) -> None:
        host = _host(url)
        if host in self._spent:
            raise BudgetSpent(
                f"{host} says that our requests are used up {self._spent[host]}", "try again after that"
            )
        pace = self.pace.get(host, 0.0)
        since = time.monotonic() - self._last.get(host, -1e9)
        if since < pace:
            self.sleep(pace - since)
        self._last[host] = time.monotonic()

    def _examine(self, url: str) -> None:
        """Refuse what is no public web address: other schemes, and hosts of this machine or network."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Refused(f"{_shown(url)} is no web address", "http and https are")
        if parts.username or parts.password:
            raise Refused(f"the address at {parts.hostname} holds a password", "leave it out")
        if self.allow_local:
            return
        try:
            literal = ipaddress.ip_address(parts.hostname)
        except ValueError:
            if _proxied(parts.scheme, parts.hostname):
                return  # the proxy looks the name up; it may know names that we do not
            try:
                found = socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM)
            except (OSError, UnicodeError):
                return  # nobody of that name: connecting says so, and is retried
            addresses = [ipaddress.ip_address(str(info[4][0]).partition("%")[0]) for info in found]
        else:
            addresses = [literal]
        if any(not is_public(address) for address in addresses):
            raise Refused(f"{parts.hostname} is not a public address", "kb asks only the public web")

    def _examine_peer(self, response: httpx.Response, url: str) -> None:
        """The same for the address that was really connected to: a name can change between two look-ups."""
        parts = urlsplit(url)
        if self.allow_local or _proxied(parts.scheme, parts.hostname or ""):
            return
        stream = response.extensions.get("network_stream")
        peer = stream.get_extra_info("server_addr") if stream is not None else None
        if peer and not is_public(ipaddress.ip_address(str(peer[0]).partition("%")[0])):
            raise Refused(f"{parts.hostname} is not a public address", "kb asks only the public web")


def is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether an address is one of the public internet: not private, loopback, link-local or reserved."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast


def _proxied(scheme: str, host: str) -> bool:
    from urllib.request import getproxies, proxy_bypass

    proxies = getproxies()
    return bool(proxies.get(scheme) or proxies.get("all")) and not proxy_bypass(host)


def _retry_after(value: str) -> float:
    """Seconds from a Retry-After header, a number or a date; 0 if there is none."""
    value = value.strip()
    if value.isdigit():
        return min(float(value), 1e9)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError):
        return 0.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return max(0.0, (moment - datetime.now(timezone.utc)).total_seconds())


def _host(url: str) -> str:
    return urlsplit(url).hostname or "the address"


def _shown(url: str) -> str:
    """An address for a message: without password, query and fragment, where secrets live."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.hostname or "", parts.path, "", ""))[:120]


def _in_words(error: Exception) -> str:
    import httpx

    if isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout):
        return "does not answer"
    if isinstance(error, httpx.TimeoutException):
        return "answers too slowly"
    if isinstance(error, httpx.ConnectError):
        return "cannot be reached"
    if isinstance(error, httpx.DecodingError):
        return "sends something that cannot be unpacked"
    return "broke the connection off"
