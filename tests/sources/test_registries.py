"""What the registries say, asked by the real client of a server that plays them, faults included."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import pytest

from kb.sources.answer import Answer
from kb.sources.metadata import Person
from kb.sources.registries import Asking, Known
from tests import answers
from tests.answers import DOI, TITLE, at_arxiv, at_notices, at_work
from tests.web import Reply, Web, serving

ID = "2303.01234"


@pytest.fixture
def web() -> Iterator[Web]:
    with serving() as running:
        yield running


@pytest.fixture
def kept() -> dict[str, Answer]:
    return {}


@pytest.fixture
def asking(web: Web, kept: dict[str, Answer]) -> Asking:
    def put(answer: Answer) -> None:
        if answer.status or answer.url not in kept or not kept[answer.url].status:
            kept[answer.url] = answer

    return Asking(kept.get, http=web.client(), put=put)


def test_a_doi_is_asked_of_crossref_with_the_notices_that_name_it(web: Web, asking: Asking) -> None:
    web.replies |= {at_work(DOI): answers.work(), at_notices(DOI): answers.notices()}
    asking.ask_doi(DOI)
    heard = asking.doi(DOI)
    found = heard.metadata
    assert found is not None
    assert (heard.registry, found.title, found.year, found.month) == ("Crossref", TITLE, "2023", "March")
    assert found.authors == [Person("Doe", "Jane"), Person("Müller", "Max")]
    assert found.fields["journal"] == "Journal of Networks"
    assert found.fields["pages"] == "10--20"
    assert asking.notices(DOI).notices == []
    assert web.asked == [at_work(DOI), at_notices(DOI)]


def test_a_doi_that_crossref_does_not_know_is_asked_of_doi_org(web: Web, asking: Asking) -> None:
    web.replies["doi.org/10.5281/zenodo.1"] = answers.csl("10.5281/zenodo.1")
    asking.ask_doi("10.5281/zenodo.1")
    heard = asking.doi("10.5281/zenodo.1")
    assert heard.metadata is not None
    assert (heard.registry, heard.metadata.title, heard.metadata.year) == ("doi.org", "A Data Set", "2022")


def test_a_doi_that_neither_knows_is_absent_and_not_unknown(asking: Asking) -> None:
    asking.ask_doi("10.9999/none")
    heard = asking.doi("10.9999/none")
    assert (heard.absent, heard.unknown, heard.problem) == (True, False, "")


def test_many_arxiv_ids_are_one_request(web: Web, asking: Asking) -> None:
    web.replies[at_arxiv(ID, "math/0309136")] = answers.feed(
        answers.entry(ID), answers.entry("math/0309136", "Old $\\ell_1$ Results")
    )
    asking.ask_arxiv([ID, "math/0309136", ID])
    assert len(web.asked) == 1
    old = asking.arxiv("math/0309136").metadata
    assert old is not None
    assert old.title == "Old ℓ_1 Results"
    new = asking.arxiv(ID).metadata
    assert new is not None
    assert new.authors == [Person("Doe", "Jane"), Person("Müller", "Max")]
    assert new.fields["primaryclass"] == "cs.LG"


def test_that_arxiv_has_no_such_paper_is_believed_when_it_was_asked_for_alone(
    web: Web, asking: Asking
) -> None:
    web.replies[at_arxiv(ID, "2303.99999")] = answers.feed(answers.entry(ID))
    web.replies[at_arxiv("2303.99999")] = answers.feed()
    asking.ask_arxiv([ID, "2303.99999"])
    assert asking.arxiv("2303.99999").absent
    assert asking.arxiv(ID).metadata is not None
    assert len(web.asked) == 2


def test_an_empty_page_of_arxiv_does_not_say_that_there_is_no_paper(web: Web, asking: Asking) -> None:
    web.replies[at_arxiv(ID)] = answers.feed(total=1)
    asking.ask_arxiv([ID])
    assert (asking.arxiv(ID).unknown, asking.arxiv(ID).problem) == (True, "the answer of arXiv is not whole")


def test_one_id_that_arxiv_cannot_read_does_not_spoil_the_others(web: Web, asking: Asking) -> None:
    web.replies[at_arxiv(ID, "foo/1234567")] = Reply(b"bad", "text/plain", 400)
    web.replies[at_arxiv("foo/1234567")] = Reply(b"bad", "text/plain", 400)
    web.replies[at_arxiv(ID)] = answers.feed(answers.entry(ID))
    asking.ask_arxiv([ID, "foo/1234567"])
    assert asking.arxiv(ID).metadata is not None
    assert asking.arxiv("foo/1234567").absent


BOMB = b"""<?xml version="1.0"?><!DOCTYPE feed [<!ENTITY a "aaaaaaaaaa">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>
<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>&c;</title></entry></feed>"""
OUTSIDE = b"""<?xml version="1.0"?><!DOCTYPE feed [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>&x;</title></entry></feed>"""


@pytest.mark.parametrize(
    ("reply", "complaint"),
    [
        (Reply(BOMB, "application/atom+xml"), "declares a document type"),
        (Reply(OUTSIDE, "application/atom+xml"), "declares a document type"),
        (Reply(b"<feed><entry>", "application/atom+xml"), "is no XML"),
        (Reply(b"", "application/atom+xml"), "is no XML"),
        (Reply(b"<html>please log in</html>", "text/html"), "answered with text/html"),
        (Reply(status=500), "answered 500"),
        (Reply(status=429, headers={"Retry-After": "86400"}), "used up for 24.0 h"),
        (Reply(b"<feed", "application/atom+xml", truncated=True), "broke the connection off"),
    ],
)
def test_what_is_no_answer_of_arxiv_leaves_it_unknown_with_the_reason(
    web: Web, asking: Asking, reply: Reply, complaint: str
) -> None:
    web.replies[at_arxiv(ID)] = reply
    asking.ask_arxiv([ID])
    heard = asking.arxiv(ID)
    assert heard.unknown
    assert complaint in heard.problem
    assert heard.at


@pytest.mark.parametrize(
    ("reply", "complaint"),
    [
        (Reply(b'{"status": "ok", "message": {'), "no JSON object"),
        (Reply(b"[" * 100_000), "no JSON object"),
        (Reply(b"\xff\xfe"), "no JSON object"),
        (Reply(b'{"message": []}'), "is no entry of a work"),
        (Reply(b'{"message": {"title": [], "author": "nobody"}}'), "is no entry of a work"),
        (Reply(b"<html>please log in</html>", "text/html"), "answered with text/html"),
        (Reply(status=403), "does not let us in"),
        (Reply(status=302, headers={"Location": "http://10.0.0.1/works"}), "is not a public address"),
    ],
)
def test_what_is_no_answer_of_crossref_leaves_it_unknown_with_the_reason(
    web: Web, asking: Asking, reply: Reply, complaint: str
) -> None:
    web.replies[at_work(DOI)] = reply
    asking.ask_doi(DOI)
    heard = asking.doi(DOI)
    assert heard.unknown
    assert complaint in heard.problem
    assert asking.notices(DOI).notices is None


def test_an_entry_of_odd_shapes_is_read_as_far_as_it_goes(web: Web, asking: Asking) -> None:
    odd = {
        "author": [{"name": "The Team"}, {"family": 7}, "nobody", {}, {"given": "Mononym"}],
        "issued": {"date-parts": [[None]]},
        "page": None,
        "updated-by": "soon",
        "relation": [],
    }
    web.replies[at_work(DOI)] = answers.work(title="A <i>B</i> &amp; p < 0.05 > \u0000C", **odd)
    asking.ask_doi(DOI)
    found = asking.doi(DOI).metadata
    assert found is not None
    assert found.title == "A B & p < 0.05 > C"
    assert [str(one) for one in found.authors] == ["The Team", "7", "Mononym"]
    assert (found.year, found.notices, "pages" in found.fields) == ("", [], False)


def test_a_failed_look_up_never_erases_an_older_answer(
    web: Web, asking: Asking, kept: dict[str, Answer]
) -> None:
    web.replies |= {at_work(DOI): answers.work(), at_notices(DOI): answers.notices()}
    asking.ask_doi(DOI)
    old = (datetime.now(timezone.utc) - timedelta(days=40)).isoformat(timespec="seconds")
    for url, answer in kept.items():
        kept[url] = Answer(url, answer.status, answer.content_type, answer.body, old)
    web.replies |= {at_work(DOI): Reply(status=500)}
    asking.ask_doi(DOI)
    heard = asking.doi(DOI)
    assert heard.metadata is not None
    assert (heard.at, heard.problem) == (old, "api.crossref.org answered 500")


def test_what_was_answered_today_is_not_asked_again(web: Web, asking: Asking) -> None:
    web.replies |= {at_work(DOI): answers.work(), at_notices(DOI): answers.notices()}
    web.replies[at_arxiv(ID)] = answers.feed(answers.entry(ID))
    for _ in range(2):
        asking.ask_doi(DOI)
        asking.ask_arxiv([ID])
    assert len(web.asked) == 3


def test_a_page_says_itself_what_it_is_and_only_that_is_kept(
    web: Web, asking: Asking, kept: dict[str, Answer]
) -> None:
    web.replies["forum.example/post"] = answers.page()
    whole = asking.ask_page("https://forum.example/post")
    assert whole is not None
    assert b"26 attention heads" in whole.body
    heard = asking.page("https://forum.example/post")
    assert heard.metadata is not None
    assert (heard.metadata.title, heard.metadata.year) == ("Steering a maze", "2023")
    assert heard.metadata.authors == [Person("Doe", "Jane")]
    assert b"attention" not in kept["https://forum.example/post"].body
    assert json.loads(kept["https://forum.example/post"].body)["title"] == "Steering a maze"


def test_what_journals_write_for_scholars_goes_before_what_is_guessed(web: Web, asking: Asking) -> None:
    head = (
        '<meta name="citation_title" content="The Title"><meta name="citation_author" content="Berg, Jan van der">'
        '<meta name="citation_author" content="Ann Lee"><meta name="citation_publication_date" content="2021/07/02">'
        '<meta name="citation_journal_title" content="A Journal"><meta name="citation_doi" content="10.1234/ABC">'
    )
    web.replies["press.example/a"] = answers.page(head)
    asking.ask_page("https://press.example/a")
    found = asking.page("https://press.example/a").metadata
    assert found is not None
    assert (found.title, found.type, found.year, found.month) == ("The Title", "article", "2021", "July")
    assert [one.family for one in found.authors] == ["van der Berg", "Lee"] or found.authors[
        0
    ].family == "Berg"
    assert (found.fields["journal"], found.fields["doi"]) == ("A Journal", "10.1234/abc")


@pytest.mark.parametrize(
    "reply", [Reply(b"%PDF-1.4", "application/pdf"), Reply(b"", "text/html"), Reply(b"<<<>\x00", "text/html")]
)
def test_a_page_that_says_nothing_of_itself_has_no_title(web: Web, asking: Asking, reply: Reply) -> None:
    web.replies["press.example/a"] = reply
    asking.ask_page("https://press.example/a")
    heard = asking.page("https://press.example/a")
    assert heard.metadata is not None
    assert heard.metadata.title == ""


def test_nothing_is_known_of_what_was_never_asked() -> None:
    known = Known(lambda _: None)
    fields = {"doi": DOI, "eprint": ID}
    assert [(one.registry, one.unknown, one.at) for one in known.of(fields)] == [
        ("arXiv", True, ""),
        ("Crossref", True, ""),
    ]
    assert known.of({"title": "no identifier at all"}) == []
