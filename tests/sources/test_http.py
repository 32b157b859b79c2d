"""The door to the network: polite, bounded, and closed to addresses that are not public."""

from __future__ import annotations

import gzip
import socket
import tracemalloc
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import pytest

from kb.sources import http, public
from kb.sources.answer import ANY_TEXT, JSON, BudgetSpent, HttpError, Refused, Unreachable
from kb.sources.http import Http
from tests.web import GIGABYTE, Reply, Web, serving

HERE = "site.example/a"
ASK = f"https://{HERE}"
WORDS = Reply(b"the words", "text/plain; charset=utf-8")


@pytest.fixture
def web() -> Iterator[Web]:
    with serving() as running:
        yield running


def test_an_answer_comes_with_its_type_and_date(web: Web) -> None:
    web.replies[HERE] = WORDS
    answer = web.client().get(ASK, ANY_TEXT)
    assert (answer.url, answer.status, answer.content_type, answer.body) == (
        ASK,
        200,
        "text/plain",
        b"the words",
    )
    assert datetime.fromisoformat(answer.at).tzinfo is not None


@pytest.mark.parametrize("status", [404, 410])
def test_that_there_is_no_such_thing_is_an_answer_too(web: Web, status: int) -> None:
    web.replies[HERE] = Reply(b"an error page", "text/html", status)
    answer = web.client().get(ASK, JSON)
    assert (answer.found, answer.status, answer.body) == (False, status, b"")
    assert len(web.asked) == 1


@pytest.mark.parametrize("as_date", [False, True])
@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_asks_to_wait_is_waited_for(web: Web, as_date: bool, status: int) -> None:
    until = datetime.now(timezone.utc) + timedelta(seconds=50)
    wait = format_datetime(until, usegmt=True) if as_date else "7"
    web.replies[HERE] = [Reply(status=status, headers={"Retry-After": wait}), WORDS]
    assert web.client().get(ASK, ANY_TEXT).body == b"the words"
    (waited,) = web.waits
    assert 10 < waited <= 51 if as_date else 7 <= waited <= 8


def test_without_a_word_of_the_server_the_waits_grow_and_differ(web: Web) -> None:
    web.replies[HERE] = Reply(status=500)
    seen = set()
    for _ in range(5):
        with pytest.raises(Unreachable, match="answered 500"):
            web.client().get(ASK)
        first, second, third = web.waits
        assert 0.5 <= first <= 1 <= second <= 2 <= third <= 4
        seen.add(first)
    assert len(seen) > 1


def test_a_429_that_means_wait_a_little_and_one_that_means_stop_are_told_apart(web: Web) -> None:
    web.replies[HERE] = [Reply(status=429, headers={"Retry-After": "5"}), WORDS]
    assert web.client().get(ASK, ANY_TEXT).found
    web.replies[HERE] = Reply(status=429, headers={"Retry-After": "86400"})
    client = web.client()
    web.asked.clear()
    with pytest.raises(BudgetSpent, match=r"site\.example says that our requests are used up for 24\.0 h"):
        client.get(ASK)
    with pytest.raises(BudgetSpent):
        client.get("https://site.example/b")
    assert web.asked == [HERE]
    web.replies["other.example/"] = WORDS
    assert client.get("https://other.example/", ANY_TEXT).found


def test_a_server_that_is_away_for_long_is_not_asked_again(web: Web) -> None:
    web.replies[HERE] = Reply(status=503, headers={"Retry-After": "3600"})
    client = web.client()
    for _ in range(2):
        with pytest.raises(Unreachable, match="asks to come back in 3600 s"):
            client.get(ASK)
    assert len(web.asked) == 1


@pytest.mark.parametrize("headers", [{"X-RateLimit-Remaining": "0"}, {}])
def test_a_429_that_does_not_end_ends_our_requests(web: Web, headers: dict[str, str]) -> None:
    web.replies[HERE] = Reply(status=429, headers=headers)
    client = web.client()
    with pytest.raises(HttpError):
        client.get(ASK)
    asked = len(web.asked)
    assert asked == (1 if headers else 4)
    with pytest.raises(BudgetSpent):
        client.get(ASK)
    assert len(web.asked) == asked


def test_a_registry_that_shuts_us_out_is_not_asked_again(web: Web) -> None:
    web.replies["api.crossref.org/works/a"] = Reply(status=403)
    client = web.client()
    for _ in range(2):
        with pytest.raises(BudgetSpent):
            client.get("https://api.crossref.org/works/a")
    assert len(web.asked) == 1


def test_a_host_that_is_down_is_left_alone_for_the_rest_of_the_command(web: Web) -> None:
    web.replies["site.example/a"] = web.replies["site.example/b"] = Reply(status=500)
    client = web.client()
    for path in ("a", "b", "c"):
        with pytest.raises(Unreachable):
            client.get(f"https://site.example/{path}")
    assert len(web.asked) == 8


def test_a_host_that_cannot_be_connected_is_left_alone_at_once_and_three_are_no_network() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    client = Http(routes={"https://": f"http://127.0.0.1:{port}/"}, sleep=lambda _: None)
    for host in ("a", "b", "c"):
        assert not client.cut_off
        with pytest.raises(Unreachable, match=f"{host}.example cannot be reached"):
            client.get(f"https://{host}.example/")
    assert client.cut_off


def test_requests_to_one_registry_are_spaced_as_it_asks(web: Web) -> None:
    web.replies["export.arxiv.org/api/query"] = WORDS
    client = web.client()
    for number in range(3):
        client.get(f"https://export.arxiv.org/api/query?n={number}", ANY_TEXT)
    assert [round(wait, 1) for wait in web.waits] == [3.0, 3.0]


def test_a_server_that_does_not_answer_is_given_up(web: Web) -> None:
    web.replies[HERE] = Reply(slow=True)
    with pytest.raises(Unreachable, match="answers too slowly"):
        web.client(timeout=0.05).get(ASK)
    assert len(web.asked) == 4


def test_a_server_that_drips_is_cut_off_in_the_end(web: Web) -> None:
    web.replies[HERE] = Reply(kind="text/plain", drips=True)
    with pytest.raises(Unreachable, match="takes longer than"):
        web.client(total=0.3).get(ASK, ANY_TEXT)


def test_waiting_stops_at_the_deadline_for_all_attempts_together(web: Web) -> None:
    web.replies[HERE] = Reply(status=503, headers={"Retry-After": "40"})
    with pytest.raises(Unreachable):
        web.client(total=90).get(ASK)
    assert sum(web.waits) < 90
    assert len(web.asked) == 3


def test_half_an_answer_is_none(web: Web) -> None:
    web.replies[HERE] = Reply(b'{"half":', truncated=True)
    with pytest.raises(Unreachable, match="broke the connection off"):
        web.client().get(ASK)
    web.replies[HERE] = [Reply(b'{"half":', truncated=True), Reply(b"{}")]
    assert web.client().get(ASK).body == b"{}"


def test_a_gigabyte_is_never_held(web: Web) -> None:
    web.replies[HERE] = Reply(kind="application/pdf", endless=True)
    client = web.client(body_limit=2 * 1024**2)
    tracemalloc.start()
    try:
        with pytest.raises(Refused, match=r"sends more than 2 MB"):
            client.get(ASK, ANY_TEXT)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10 * 1024**2
    assert web.sent < GIGABYTE / 20


def test_a_large_body_that_is_announced_is_not_read_at_all(web: Web) -> None:
    web.replies[HERE] = Reply(b"x" * 3000, "text/plain")
    with pytest.raises(Refused, match="sends more than"):
        web.client(body_limit=2000).get(ASK, ANY_TEXT)


def test_a_body_that_unpacks_to_too_much_is_refused(web: Web) -> None:
    packed = gzip.compress(b"0" * 30_000_000)
    web.replies[HERE] = Reply(packed, "text/plain", headers={"Content-Encoding": "gzip"})
    with pytest.raises(Refused, match="sends more than 1 MB"):
        web.client(body_limit=1024**2).get(ASK, ANY_TEXT)
    web.replies[HERE] = Reply(gzip.compress(packed), "text/plain", headers={"Content-Encoding": "gzip, gzip"})
    with pytest.raises(Refused, match="packs its answer"):
        web.client().get(ASK, ANY_TEXT)
    web.replies[HERE] = Reply(b"no gzip", "text/plain", headers={"Content-Encoding": "gzip"})
    with pytest.raises(Unreachable, match="cannot be unpacked"):
        web.client().get(ASK, ANY_TEXT)


@pytest.mark.parametrize("kind", ["application/octet-stream", "text/html", "", "x" * 200])
def test_another_kind_of_answer_than_was_asked_for_is_refused(web: Web, kind: str) -> None:
    web.replies[HERE] = Reply(b"<html>log in</html>", kind)
    with pytest.raises(Refused, match="answered with"):
        web.client().get(ASK, JSON)
    assert len(web.asked) == 1


def test_redirects_are_followed_and_the_answer_bears_the_address_that_was_asked(web: Web) -> None:
    web.replies[HERE] = Reply(status=302, headers={"Location": "https://other.example/b"})
    web.replies["other.example/b"] = Reply(status=301, headers={"Location": "c"})
    web.replies["other.example/c"] = WORDS
    assert web.client().get(ASK, ANY_TEXT).url == ASK
    assert web.asked == [HERE, "other.example/b", "other.example/c"]


@pytest.mark.parametrize(
    ("target", "complaint"),
    [
        (ASK, "in a circle"),
        ("https://site.example/step", "redirects more than 5 times"),
        ("http://127.0.0.1/secret", "is not a public address"),
        ("http://[::1]/secret", "is not a public address"),
        ("http://[::ffff:10.0.0.1]/", "is not a public address"),
        ("http://169.254.169.254/latest/meta-data", "is not a public address"),
        ("file:///etc/passwd", "is no web address"),
        ("gopher://site.example/", "is no web address"),
        ("http://[half/", "is no web address"),
        ("http://user:secret@example.org/", "holds a password"),
    ],
)
def test_where_a_redirect_leads_is_examined_like_the_first_address(
    web: Web, target: str, complaint: str
) -> None:
    web.replies[HERE] = Reply(status=302, headers={"Location": target})
    for step in range(9):
        web.replies[f"site.example/step{'x' * step}"] = Reply(
            status=302, headers={"Location": f"/step{'x' * (step + 1)}"}
        )
    with pytest.raises(Refused, match=complaint) as refused:
        web.client().get(ASK)
    assert "secret" not in str(refused.value)
    assert len(web.asked) < 10


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:9/", "http://localhost/", "http://169.254.1.1/", "http://10.0.0.1/", "http://0x7f.1/",
        "http://2130706433/", "http://0/", "http://[fe80::1]/", "http://[fd00::1]/", "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/", "http://[::7f00:1]/", "file:///etc/passwd", "ftp://example.org/", "",
        "http://example.org:99999/", "http://[1/",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public_are_never_asked(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_proxied", lambda *_: False)
    with pytest.raises(Refused):
        Http(sleep=lambda _: None).get(address, ANY_TEXT)


def test_a_name_that_stands_for_a_private_address_is_never_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def lookup(host: str, port: int, **_: Any) -> list[Any]:
        return [(0, 0, 0, "", ("8.8.8.8", port)), (0, 0, 0, "", ("192.168.1.1", port))]

    monkeypatch.setattr(public.socket, "getaddrinfo", lookup)
    monkeypatch.setattr(http, "_proxied", lambda *_: False)
    with pytest.raises(Refused, match=r"internal\.example is not a public address"):
        Http(sleep=lambda _: None).get("https://internal.example/")


def test_what_is_connected_to_is_the_address_that_was_examined(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that is public when examined and private when connected to gets nowhere: it is asked once."""
    web.replies[""] = WORDS
    port = int(web.base.rpartition(":")[2])
    asked: list[str] = []
    real = socket.getaddrinfo

    def lookup(host: str, port: int, *more: Any, **named: Any) -> list[Any]:
        if host != "rebinding.example":
            return real(host, port, *more, **named)
        asked.append(host)
        return real("127.0.0.1" if len(asked) == 1 else "127.0.0.2", port, *more, **named)

    monkeypatch.setattr(public.socket, "getaddrinfo", lookup)
    monkeypatch.setattr(http, "is_public", lambda _: True)
    monkeypatch.setattr(http, "_proxied", lambda *_: False)
    answer = Http(sleep=lambda _: None).get(f"http://rebinding.example:{port}/", ANY_TEXT)
    assert answer.body == b"the words"
    assert asked == ["rebinding.example"]


def test_a_name_that_nobody_has_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    def lookup(*_: Any, **__: Any) -> list[Any]:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(public.socket, "getaddrinfo", lookup)
    monkeypatch.setattr(http, "_proxied", lambda *_: False)
    with pytest.raises(Unreachable, match=r"no\.example cannot be reached"):
        Http(sleep=lambda _: None).get("https://no.example/")


def test_nobodys_address_is_sent_unless_given(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    web.replies[HERE] = WORDS
    monkeypatch.delenv("KB_MAILTO", raising=False)
    web.client().get(ASK, ANY_TEXT)
    monkeypatch.setenv("KB_MAILTO", "me@example.org")
    web.client().get(ASK, ANY_TEXT)
    for odd in ("me@example.org\r\nX-Other: 1", "mé@example.org", "me and you@example.org", "nobody"):
        monkeypatch.setenv("KB_MAILTO", odd)
        web.client().get(ASK, ANY_TEXT)
    without, with_, *broken = web.agents
    assert without.startswith("interp-kb/")
    assert broken == [without] * 4
    assert "@" not in without
    assert "mailto:me@example.org" in with_
    assert all("example.org" not in asked for asked in web.asked)


def test_no_message_holds_what_may_be_secret(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KB_MAILTO", "me@example.org")
    secret = "https://site.example/a?key=s3cret#s3cret"
    for reply in (
        Reply(status=500),
        Reply(status=403),
        Reply(status=429, headers={"Retry-After": "9999"}),
        Reply(b"x", "image/png"),
        Reply(status=302, headers={"Location": "ftp://x.example/?key=s3cret"}),
    ):
        web.replies[HERE] = reply
        with pytest.raises(HttpError) as error:
            web.client().get(secret)
        told = str(error.value)
        assert "s3cret" not in told
        assert "me@" not in told
        assert "\n" not in told
        assert error.value.code == 1
