"""The text of a source, out of the kinds of file that people have."""

from pathlib import Path

import pytest

from kb.checks.quotes import find
from kb.errors import KbError
from kb.sources import rendering
from kb.sources.answer import Answer, Unreachable
from kb.sources.http import Http
from tests.answers import pdf

HTML = """<!DOCTYPE html><html><head><title>A post</title><script>var x = "26 heads";</script></head><body>
<nav><a href="/">Home</a></nav><article><h1>A post</h1>
<p>Our explanation encompasses <b>26 attention heads</b> grouped into 7 main classes, which we study at length here.</p>
<p>A second paragraph says more, so that the page looks like an article and not like a list of links.</p>
</article></body></html>"""


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.pdf", pdf("Our explanation encompasses 26 attention heads"), "pdf"),
        ("a.html", HTML.encode(), "html"),
        ("page", HTML.encode(), "html"),
        ("a.tex", b"Our explanation % 27\nencompasses 26 attention heads", "latex"),
        ("a.txt", b"\xef\xbb\xbfOur explanation encompasses\n26 attention heads.", "text"),
    ],
)
def test_the_words_come_out_of_every_kind_of_file(
    tmp_path: Path, name: str, content: bytes, kind: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    found = rendering.from_file(path)
    assert found.kind == kind
    assert find("Our explanation encompasses 26 attention heads", found.text)
    assert not find("27", found.text)
    assert len(found.sha256) == 64


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("a.pdf", b"%PDF-1.4 and then nothing of it", "cannot be read as PDF|holds no text"),
        ("a.pdf", pdf(""), "holds no text.*OCR"),
        ("a.txt", b"  \n ", "holds no text"),
        ("a.bin", b"\xff\xfe\x00\x00\x80", "is no text"),
        ("a.html", b"<html><body></body></html>", "holds no text"),
    ],
)
def test_a_file_without_text_says_so(tmp_path: Path, name: str, content: bytes, complaint: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(KbError, match=complaint):
        rendering.from_file(path)


def test_a_file_that_is_not_there_or_too_large_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(KbError, match=r"no file .*none\.pdf"):
        rendering.from_file(tmp_path / "none.pdf")
    monkeypatch.setattr(rendering, "LARGEST", 1 << 20)
    (tmp_path / "large.txt").write_bytes(b"x" * ((1 << 20) + 1))
    with pytest.raises(KbError, match="more than 1 MB"):
        rendering.from_file(tmp_path / "large.txt")


@pytest.mark.parametrize(
    ("fields", "addresses"),
    [
        (
            {"eprint": "2106.01345v2", "url": "https://example.org/paper"},
            [
                "https://export.arxiv.org/pdf/2106.01345v2",
                "https://arxiv.org/html/2106.01345v2",
                "https://example.org/paper",
            ],
        ),
        (
            {"doi": "10.48550/arXiv.2106.01345", "url": "https://arxiv.org/abs/2106.01345"},
            ["https://export.arxiv.org/pdf/2106.01345", "https://arxiv.org/html/2106.01345"],
        ),
        ({"url": "https://openreview.net/forum?id=S8-x"}, ["https://openreview.net/pdf?id=S8-x"]),
        (
            {"url": "https://openreview.net/forum?id=S8", "kind": "review"},
            ["https://openreview.net/forum?id=S8"],
        ),
        ({"url": "https://doi.org/10.1234/landing"}, []),
        ({"eprint": "no such id!", "url": "ftp://example.org"}, []),
        ({}, []),
    ],
)
def test_arxiv_is_asked_first_and_no_address_that_has_but_an_abstract(
    fields: dict[str, str], addresses: list[str]
) -> None:
    assert rendering.addresses(fields) == addresses


def test_the_next_address_is_tried_when_one_gives_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def get(self: Http, url: str, accept: tuple[str, ...] = ()) -> Answer:
        if "arxiv" in url:
            raise Unreachable("nobody answers")
        return Answer(url, 200, "text/plain", b"the words", "2026-11-24")

    monkeypatch.setattr(Http, "get", get)
    found, where = rendering.from_network({"eprint": "2106.01345", "url": "https://example.org/a"}, Http())
    assert (found.text, where) == ("the words", "https://example.org/a")
    with pytest.raises(KbError, match="nobody answers; give a file"):
        rendering.from_network({"eprint": "2106.01345"}, Http())
    with pytest.raises(KbError, match="names no place that has the text"):
        rendering.from_network({}, Http())
