"""The door to the network: polite, bounded, and closed to addresses that are not public."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from kb.sources import http
from kb.sources.http import ANY_TEXT, Http, HttpError

ASKED: list[str] = []


class Handler(BaseHTTPRequestHandler):
    """Answers by what the path asks for."""

    def do_GET(self) -> None:
        ASKED.append(self.path)
        times = ASKED.count(self.path)
        match self.path:
            case "/good":
                self._answer(200, b"the words", "text/plain; charset=utf-8")
            case "/missing":
                self._answer(404, b"", "text/plain")
            case "/busy" if times == 1:
                self._answer(429, b"", "text/plain", {"Retry-After": "1"})
            case "/shaky" if times == 1:
                self._answer(500, b"", "text/plain")
            case "/busy" | "/shaky":
                self._answer(200, b"at last", "text/plain")
            case "/broken":
                self._answer(500, b"", "text/plain")
            case "/program":
                self._answer(200, b"MZ", "application/octet-stream")
            case "/loop":
                self._answer(302, b"", "text/plain", {"Location": "/loop"})
            case "/elsewhere":
                self._answer(302, b"", "text/plain", {"Location": "file:///etc/passwd"})
            case "/large":
                self._answer(200, b"x" * 3_000_000, "text/plain")

    def _answer(self, status: int, body: bytes, kind: str, more: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(more or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def server() -> Iterator[str]:
    ASKED.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def client(waits: list[float]) -> Http:
    return Http(allow_local=True, sleep=waits.append, timeout=5, total=20, body_limit=2_000_000)


def test_an_answer_comes_with_its_type_and_date(server: str, client: Http) -> None:
    answer = client.get(f"{server}/good", ANY_TEXT)
    assert (answer.status, answer.body, answer.found) == (200, b"the words", True)
    assert answer.at.endswith("+00:00")


def test_what_is_not_there_is_an_answer_too(server: str, client: Http) -> None:
    assert client.get(f"{server}/missing", ANY_TEXT).found is False


def test_a_server_that_asks_to_wait_is_waited_for(server: str, client: Http, waits: list[float]) -> None:
    assert client.get(f"{server}/busy", ANY_TEXT).body == b"at last"
    assert max(waits) >= 1


def test_a_passing_fault_is_tried_again(server: str, client: Http) -> None:
    assert client.get(f"{server}/shaky", ANY_TEXT).body == b"at last"


@pytest.mark.parametrize("path", ["/broken", "/program", "/loop", "/elsewhere", "/large"])
def test_what_is_no_good_answer_is_an_error_of_one_line(server: str, client: Http, path: str) -> None:
    with pytest.raises(HttpError) as refused:
        client.get(server + path, ANY_TEXT)
    assert "\n" not in str(refused.value)
    assert refused.value.code == 1
    assert len(ASKED) < 20


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:9/",
        "http://localhost/",
        "http://169.254.1.1/",
        "http://10.0.0.1/",
        "file:///etc/passwd",
    ],
)
def test_addresses_that_are_not_public_are_never_asked(address: str) -> None:
    with pytest.raises(HttpError):
        Http(sleep=lambda _: None).get(address, ANY_TEXT)


def test_nobodys_address_is_sent_unless_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KB_MAILTO", raising=False)
    assert "@" not in http.user_agent()
    monkeypatch.setenv("KB_MAILTO", "me@example.org")
    assert "me@example.org" in http.user_agent()
