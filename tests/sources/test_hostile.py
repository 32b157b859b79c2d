"""Whatever a registry or a page sends: it is read as far as it goes, or refused in one line."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kb.errors import KbError
from kb.records import Source
from kb.sources import arxiv, crossref, page, rendering
from kb.sources.answer import Answer, Refused
from kb.sources.metadata import entry_fields
from tests import answers

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
FIELDS = (
    "title", "subtitle", "author", "issued", "published", "container-title", "type", "page", "volume", "issue",
    "publisher", "DOI", "updated-by", "relation",
)  # fmt: skip


def answer(body: bytes, kind: str = "text/html") -> Answer:
    return Answer("https://a.example/b", 200, kind, body, "2026-11-24T00:00:00+00:00")


@given(st.dictionaries(st.sampled_from(FIELDS), JSON_VALUES))
@example({"title": ["T"], "author": [{"family": "A", "given": None}], "issued": {"date-parts": [["x", 99]]}})
@example({"title": "T", "updated-by": [{"type": 3, "updated": {"date-parts": [[2020, 13, None]]}}]})
@example({"title": "T", "issued": {"date-parts": [[2020, {"a": 1}]]}})
def test_a_work_of_any_shape_makes_an_entry_or_is_refused(work: dict[str, Any]) -> None:
    body = json.dumps({"status": "ok", "message": work}).encode()
    with contextlib.suppress(Refused):
        found = crossref.read_work(answer(body), "10.1234/x")
        Source(key="k", type=found.type, kind="paper", fields=entry_fields(found))


@given(JSON_VALUES)
def test_notices_of_any_shape_are_read_or_refused(value: Any) -> None:
    for body in (value, {"message": value}, {"message": {"items": value}}):
        with contextlib.suppress(Refused):
            crossref.read_notices(answer(json.dumps(body).encode()), "10.1234/x")


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_an_answer_of_arxiv_or_refused(body: bytes) -> None:
    for read in (arxiv.split, lambda given: arxiv.read(given, "2303.01234")):
        with contextlib.suppress(Refused):
            read(answer(body))  # type: ignore[operator]


MARKUP = st.lists(
    st.sampled_from(
        ["<", ">", "</", "<!", "<![x", "<?", "&", "&#x;", "&#99999999999;", '"', "=", "<meta name=citation_title content=",
         "<meta property='og:title'", "<title>", "<script>", "]]>", "<!--", "\0", "é", " a ", "<meta charset=x-no>"]
    ),
    max_size=25,
).map("".join)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(MARKUP)
@example("<![x")
@example("<html><meta charset=no-such-charset><title>T</title>")
def test_markup_of_any_shape_is_a_page_or_refused(text: str) -> None:
    found = page.read(answer(text.encode()))
    assert page.restored(answer(page.reduced(found))) == found
    with contextlib.suppress(KbError):
        rendering.extract(text.encode(), "html", "a page")


def test_a_page_is_read_without_trafilatura_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "trafilatura", None)
    found = page.read(answer(answers.page().body))
    assert found.title == "Steering a maze | The Forum"
    assert [str(one) for one in found.authors] == ["Jane Doe"]
    assert (found.year, found.fields["howpublished"]) == ("2023", "The Forum")
