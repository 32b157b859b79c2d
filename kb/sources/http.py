"""The only door to the network: one client, polite, bounded, and closed to addresses that are not public.

Bounds: time to connect, to read and in all; size of the body as it streams in; number of redirects, each
target of which is examined like the first. A slow or failing server is asked again a few times, with
back-off that honours Retry-After; a host that does not answer at all is left alone for the rest of the
command. Two kinds of 429: "wait a little" is waited for; "your budget is spent" ends all further requests
to that host, and so does a registry that shuts us out (403).

No message holds a query or a password of an address: secrets live there.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from kb.sources import credentials
from kb.sources.answer import JSON, Answer, BadRequest, BudgetSpent, Refused, Unreachable, now, shown_address
from kb.sources.public import addresses_of, is_public, literal_of

if TYPE_CHECKING:
    import ssl

    import httpx

PACE = {"export.arxiv.org": 3.0, "arxiv.org": 3.0, "api.crossref.org": 0.5, "doi.org": 0.5}
"""Seconds between two requests to a host that many are asked of. arXiv's terms: one in three seconds."""
ENCODINGS = ("", "identity", "gzip")
"""What a body may be packed in. Nothing nested: each layer may blow up a thousandfold."""
CONNECTING = 8.0
"""Seconds in which a connection is there or will not be."""
TRIED_AT_MOST = 3
"""Addresses of one host name that are tried before it counts as unreachable."""


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
    """The address that KB_MAILTO gives, if it is one line of printable ASCII with an @: a header holds no more."""
    mail = os.environ.get("KB_MAILTO", "").strip()
    return mail if "@" in mail and mail.isascii() and mail.isprintable() and " " not in mail else ""


@dataclass
class Http:
    """A client, for one command.

    Args:
        timeout: seconds to wait for a connection, and for each piece of an answer.
        total: seconds for one address in all: attempts, redirects and the waits between them.
        routes: beginnings of addresses -> where they are really asked. For tests, in code alone: what a
            route leads to may be this machine's own; everything else must be public.
        sleep, clock: for tests, so that nothing waits.
    """

    timeout: float = 20.0
    total: float = 90.0
    retries: int = 3
    longest_wait: float = 60.0
    body_limit: int = 25 * 1024 * 1024
    redirects: int = 5
    pace: Mapping[str, float] = field(default_factory=lambda: dict(PACE))
    routes: Mapping[str, str] = field(default_factory=dict)
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    _spent: dict[str, str] = field(default_factory=dict)
    _down: dict[str, str] = field(default_factory=dict)
    _last: dict[str, float] = field(default_factory=dict)
    _failures: Counter[str] = field(default_factory=Counter)
    _answered: bool = False

    def get(self, url: str, accept: tuple[str, ...] = JSON) -> Answer:
        """Fetch an address.

        Args:
            url: http or https, of a public host.
            accept: the media types that will do; another one is refused.

        Raises:
            Unreachable, Refused, BudgetSpent: each says in one line what happened.
        """
        import httpx

        host = _host(url)
        deadline = self.clock() + self.total
        problem = ""
        connected = True
        for attempt in range(self.retries + 1):
            try:
                answer = self._once(url, accept, deadline)
            except (httpx.TransportError, httpx.DecodingError) as error:
                problem, wait = _in_words(error), 0.0
                connected = not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
            else:
                self._answered = connected = True
                if isinstance(answer, Answer):
                    self._failures[host] = 0
                    return answer
                problem, wait = answer
            # Jitter: many clients that were turned away together do not come back together.
            pause = wait + random.uniform(0, 1) if wait else random.uniform(0.5, 1.0) * 2**attempt
            if attempt == (self.retries if connected else min(1, self.retries)):
                break  # nobody to connect to seldom mends within seconds
            if self.clock() + pause > deadline:
                break
            self.sleep(pause)
        self._failures[host] += 1
        if problem == "answered 429":
            self._spent[host] = "says that our requests are used up for now"
        elif not connected or self._failures[host] > 1:
            self._down[host] = problem
        raise Unreachable(f"{host} {problem}", "try again later; nothing here depends on it")

    @property
    def cut_off(self) -> str:
        """Who could not be reached, where several could not and none has answered: then it is the network."""
        if self._answered or len(self._down) < 3:
            return ""
        return ", ".join(f"{host} {problem}" for host, problem in self._down.items())

    def _once(self, url: str, accept: tuple[str, ...], deadline: float) -> Answer | tuple[str, float]:
        """One attempt, redirects followed: an answer, or what went wrong and how long to wait."""
        target = url
        seen: set[str] = set()
        for _ in range(self.redirects + 1):
            if target in seen:
                raise Refused(f"{_host(url)} sends us round in a circle", "open the address in a browser")
            seen.add(target)
            self._be_polite(target)
            with self._open(target, accept, min(self.timeout, deadline - self.clock())) as response:
                if response.is_redirect:
                    target = _joined(target, response.headers.get("Location", ""))
                    continue
                return self._take(url, response, accept, deadline)
        raise Refused(f"{_host(url)} redirects more than {self.redirects} times", "open it in a browser")

    @contextmanager
    def _open(self, target: str, accept: tuple[str, ...], patience: float) -> Iterator[httpx.Response]:
        """Ask one address. What is connected to is the address that was examined, not its name again.

        A name may change between two look-ups (DNS rebinding). Connections are not kept: one that was made
        to a name must not serve another name at the same address.
        """
        import httpx

        ways, direct = self._ways(target)
        with httpx.Client(
            timeout=httpx.Timeout(max(patience, 0.05), connect=max(min(patience, CONNECTING), 0.05)),
            headers={
                "User-Agent": user_agent(),
                "Accept": ", ".join(accept),
                "Accept-Encoding": "gzip",
                **credentials.headers_for(target),
            },
            verify=_tls(),
            mounts=dict.fromkeys(("all://", "http://", "https://")) if direct else None,
            follow_redirects=False,
        ) as client:
            for address, name in ways:
                request = client.build_request("GET", address)
                if name is not None:
                    request.headers["Host"] = name.netloc.decode("ascii")
                    request.extensions = {**request.extensions, "sni_hostname": name.raw_host.decode("ascii")}
                try:
                    response = client.send(request, stream=True)
                except (httpx.ConnectError, httpx.ConnectTimeout):
                    if (address, name) == ways[-1]:
                        raise
                    continue
                try:
                    yield response
                finally:
                    response.close()
                return

    def _ways(self, target: str) -> tuple[list[tuple[httpx.URL, httpx.URL | None]], bool]:
        """What to connect to, one after another, with the address by its name; and whether without a proxy.

        Raises:
            Refused: for what is no public web address.
        """
        import httpx

        for beginning, instead in self.routes.items():
            if target.startswith(beginning):
                return [(httpx.URL(instead + target.removeprefix(beginning)), None)], True
        try:
            parts = urlsplit(target)
            host = parts.hostname
            port = parts.port or (443 if parts.scheme == "https" else 80)
            url = httpx.URL(target)
        except (httpx.InvalidURL, ValueError):
            raise Refused(f"{shown_address(target)} is no web address", "look at its spelling") from None
        if parts.scheme not in ("http", "https") or not host:
            raise Refused(f"{shown_address(target)} is no web address", "http and https are")
        if parts.username or parts.password:
            raise Refused(f"the address at {host} holds a password", "leave it out")
        if _proxied(parts.scheme, host):
            # The proxy looks a name up and connects; it may know names that we do not.
            addresses = [literal] if (literal := literal_of(host)) else []
        else:
            try:
                addresses = addresses_of(url.raw_host.decode("ascii"), port)
            except OSError:
                raise httpx.ConnectError("nobody is called so") from None
        if not all(is_public(address) for address in addresses):
            raise Refused(f"{host} is not a public address", "kb asks only the public web")
        if _proxied(parts.scheme, host):
            return [(url, None)], False
        return [(url.copy_with(host=str(address)), url) for address in addresses[:TRIED_AT_MOST]], True

    def _take(
        self, url: str, response: httpx.Response, accept: tuple[str, ...], deadline: float
    ) -> Answer | tuple[str, float]:
        host = _host(url)
        status = response.status_code
        if status == 429 or status >= 500:
            return f"answered {status}", self._wait(url, response)
        if status == 403 and host in self.pace:
            self._spent[host] = "does not let us in (403)"
            raise BudgetSpent(f"{host} {self._spent[host]}", "set KB_MAILTO, and wait a day")
        if status == 400:
            raise BadRequest(f"{host} does not understand the question (400)", "look at the identifier")
        if status not in (200, 404, 410):
            raise Refused(f"{host} answered {status}", "the address may need a login")
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if status != 200:
            return Answer(url, status, kind, b"", now())
        if kind not in accept:
            told = kind if kind.isprintable() and len(kind) < 60 else ""
            raise Refused(f"{host} answered with {told or 'no type'}, not {accept[0]}", "is a login between?")
        if response.headers.get("Content-Encoding", "").strip().lower() not in ENCODINGS:
            raise Refused(f"{host} packs its answer in a way that kb does not take", "download it by hand")
        return Answer(url, status, kind, self._body(host, response, deadline), now())

    def _body(self, host: str, response: httpx.Response, deadline: float) -> bytes:
        """The body, read piece by piece up to the limit: what is larger is never held."""
        too_large = Refused(
            f"{host} sends more than {self.body_limit / 1024**2:.3g} MB", "download it by hand"
        )
        announced = response.headers.get("Content-Length", "")
        if announced.isdigit() and int(announced[:20]) > self.body_limit:
            raise too_large
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > self.body_limit:
                raise too_large
            if self.clock() > deadline:
                raise Unreachable(f"{host} takes longer than {self.total:.3g} s", "try again later")
        return bytes(body)

    def _wait(self, url: str, response: httpx.Response) -> float:
        """Seconds to wait before asking again; 0 leaves it to the back-off.

        Raises:
            BudgetSpent: where the server wants us gone for longer than a person would wait.
        """
        wait = _retry_after(response.headers.get("Retry-After", ""))
        left = response.headers.get("X-RateLimit-Remaining", "").strip()
        host = _host(url)
        if response.status_code == 429 and (wait > self.longest_wait or (left == "0" and not wait)):
            until = f"for {wait / 3600:.1f} h" if wait else "for now"
            self._spent[host] = f"says that our requests are used up {until}"
            raise BudgetSpent(f"{host} {self._spent[host]}", "try again after that")
        if wait > self.longest_wait:
            self._down[host] = f"asks to come back in {wait:.0f} s"
            raise Unreachable(f"{host} {self._down[host]}", "try again later")
        return wait

    def _be_polite(self, url: str) -> None:
        host = _host(url)
        if host in self._spent:
            raise BudgetSpent(f"{host} {self._spent[host]}", "try again later, not now")
        if host in self._down:
            raise Unreachable(f"{host} {self._down[host]}", "try again later; nothing here depends on it")
        pace = self.pace.get(host, 0.0)
        since = self.clock() - self._last.get(host, -1e9)
        if since < pace:
            self.sleep(pace - since)
        self._last[host] = self.clock()


def client() -> Http:
    """The client of a command. Tests put another in its place; nothing that a user can set does."""
    return Http()


def _proxied(scheme: str, host: str) -> bool:
    """Whether a proxy of the user's environment asks for us."""
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


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """The certificates that the user's system or SSL_CERT_FILE trusts: read once, they are many."""
    import httpx

    return httpx.create_ssl_context()


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or "the address"
    except ValueError:
        return "the address"


def _joined(address: str, location: str) -> str:
    """Where a redirect leads; what cannot be joined is examined, and refused, as it stands."""
    try:
        return urljoin(address, location)
    except ValueError:
        return location


def _in_words(error: Exception) -> str:
    import httpx

    if isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout):
        return "does not answer"
    if isinstance(error, httpx.TimeoutException):
        return "answers too slowly"
    if isinstance(error, httpx.ConnectError):
        return "has no certificate that is trusted" if "CERTIFICATE" in str(error) else "cannot be reached"
    if isinstance(error, httpx.DecodingError):
        return "sends something that cannot be unpacked"
    return "broke the connection off"
