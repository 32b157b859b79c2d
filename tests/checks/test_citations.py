"""Every check of a source, each with a case in which it fails, and what it says of what nobody has answered."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from kb import records
from kb.checks import run
from kb.checks.citations import Entry, Finding, Sources, likes
from kb.sources import arxiv, crossref, page, same
from kb.sources.answer import Answer
from kb.sources.metadata import Metadata, Person
from kb.sources.registries import Known
from kb.store import connect, edit, fetched, rows
from tests import answers
from tests.answers import DOI, TITLE
from tests.making import claim, source
from tests.web import Reply

AT = "2026-10-01T12:00:00+00:00"
ID = "2303.01234"
PEOPLE = 'Doe, Jane and M{\\"u}ller, Max'
BY_DOI = {"title": TITLE, "author": PEOPLE, "doi": DOI}
BY_ID = {"title": TITLE, "author": PEOPLE, "eprint": ID, "archiveprefix": "arXiv"}
WORK, NOTICES = crossref.work_url(DOI), crossref.notices_url(DOI)
FEED = arxiv.url([ID])
CLEAN = {WORK: answers.work(), NOTICES: answers.notices()}


def checked(
    fields: dict[str, str],
    replies: dict[str, Reply] | None = None,
    problems: dict[str, str] | None = None,
    **others: Any,
) -> dict[str, Finding]:
    """What the checks say of a source of `fields`, when registries answered so; `others` are in the library, too."""
    kept = {url: Answer(url, r.status, r.kind, r.body, AT) for url, r in (replies or {}).items()}
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE source (key, type, kind, fields)")
    for key, one in {"mine": fields, **others}.items():
        connection.execute("INSERT INTO source VALUES (?, 'article', 'paper', ?)", (key, rows.dumps(one)))
    sources = Sources(connection, Known(kept.get, problems or {}))
    found = {finding.check: finding for finding in sources.findings("mine")}
    found["source"] = sources.summary("mine")
    connection.close()
    return found


def outcomes(found: dict[str, Finding]) -> dict[str, str]:
    return {name: finding.outcome for name, finding in found.items()}


def test_a_source_that_is_what_its_entry_says_passes_with_the_date() -> None:
    found = checked(BY_DOI, CLEAN)
    assert outcomes(found) == {
        "identifier": "pass", "title and authors": "pass", "notices": "pass", "duplicate": "pass", "source": "pass",
    }  # fmt: skip
    assert found["source"].at == AT
    assert found["source"].detail.startswith(
        f"{DOI} resolves at Crossref; title and authors are those at Crossref"
    )


def test_a_source_that_was_never_looked_up_is_unknown_and_not_passed() -> None:
    found = checked({**BY_DOI, "eprint": ID})
    for name in ("identifier", "title and authors", "notices", "source"):
        assert (found[name].outcome, found[name].at) == ("unknown", "")
    assert found["source"].detail == f"arXiv:{ID} was never looked up; {DOI} was never looked up"


def test_a_source_that_was_asked_for_in_vain_says_since_when_and_why() -> None:
    found = checked(BY_DOI, {WORK: Reply(b"api.crossref.org cannot be reached", "", 0)})
    assert found["source"].outcome == "unknown"
    assert (
        found["source"].detail == f"{DOI} was asked on 2026-10-01 in vain: api.crossref.org cannot be reached"
    )


def test_an_older_answer_holds_when_nobody_answers_today_and_both_are_told() -> None:
    found = checked(BY_DOI, CLEAN, problems={WORK: "api.crossref.org answered 500"})
    assert (found["source"].outcome, found["source"].at) == ("pass", AT)
    assert "asked again in vain: api.crossref.org answered 500" in found["identifier"].detail


def test_without_anything_to_look_up_it_is_unknown() -> None:
    found = checked({"title": TITLE, "author": PEOPLE})
    assert found["source"].outcome == "unknown"
    assert "has no DOI, arXiv id or address" in found["source"].detail


@pytest.mark.parametrize(
    ("fields", "replies", "told"),
    [
        (
            BY_DOI,
            {WORK: Reply(status=404), crossref.resolver_url(DOI): Reply(status=404)},
            f"Crossref and doi.org have no {DOI}",
        ),
        (BY_ID, {FEED: Reply(arxiv.EMPTY)}, f"arXiv has no arXiv:{ID}"),
        ({"title": TITLE, "url": "https://a.example/b"}, {"https://a.example/b": Reply(status=410)}, "the address is gone"),
    ],
)  # fmt: skip
def test_an_identifier_that_leads_nowhere_fails(
    fields: dict[str, str], replies: dict[str, Reply], told: str
) -> None:
    found = checked(fields, replies)
    assert (found["identifier"].outcome, found["source"].outcome) == ("fail", "fail")
    assert told in found["identifier"].detail


@pytest.mark.parametrize(
    ("entry", "registry", "outcome", "told"),
    [
        ({"title": "{S}teering {Networks} by activation addition"}, {}, "pass", "are those at Crossref"),
        ({"title": "Steering Networks"}, {"title": "Steering Networks: A Study"}, "pass", ""),
        ({"title": "Steering Networks by Activation Adition"}, {}, "unknown", f"nearly the same: “{TITLE}”"),
        ({"title": "Another Paper Altogether"}, {}, "fail", f"the authors agree, but the title at Crossref is “{TITLE}”"),
        ({}, {"authors": (("Roe", "Ann"), ("Low", "Bo"))}, "fail", "the authors at Crossref are others: Ann Roe, Bo Low"),
        ({"author": "Doe, Jane and Ghost, Writer"}, {}, "unknown", "not among the authors at Crossref: Writer Ghost"),
        ({"author": "Doe, Jane and others"}, {}, "pass", ""),
        ({"author": "Doe, John and others"}, {}, "unknown", "not among the authors at Crossref: John Doe"),
        ({"author": ""}, {}, "unknown", "the entry has no authors"),
        ({}, {"authors": ()}, "unknown", "there are no authors at Crossref to compare"),
        ({"title": ""}, {}, "unknown", "the entry has no title"),
        ({"title": "Old Name", "note": f"ICLR 2024 as: {TITLE}"}, {}, "pass", ""),
    ],
)  # fmt: skip
def test_title_and_authors_together_are_those_of_the_entry_or_not(
    entry: dict[str, str], registry: dict[str, Any], outcome: str, told: str
) -> None:
    found = checked({**BY_DOI, **entry}, {**CLEAN, WORK: answers.work(**registry)})["title and authors"]
    assert found.outcome == outcome
    assert told in found.detail


def test_one_registry_that_disagrees_is_enough_to_fail() -> None:
    replies = {**CLEAN, FEED: answers.feed(answers.entry(ID, "Something Else Entirely", (("Low", "Bo"),)))}
    found = checked({**BY_DOI, "eprint": ID}, replies)["title and authors"]
    assert (found.outcome, "at arXiv" in found.detail) == ("fail", True)


def _page(title: str, *authors: Person) -> Reply:
    metadata = Metadata(page.REGISTRY, "https://a.example/b", title, list(authors))
    return Reply(page.reduced(metadata))


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (_page(TITLE, Person("Doe", "Jane"), Person("Müller", "Max")), "pass"),
        (_page(TITLE), "unknown"),
        (_page("Log in to read on", Person("Admin")), "unknown"),
        (_page(""), "unknown"),
        (Reply(b"{broken"), "unknown"),
    ],
)
def test_a_page_confirms_an_entry_but_never_refutes_it(reply: Reply, outcome: str) -> None:
    url = "https://a.example/b"
    found = checked({"title": TITLE, "author": PEOPLE, "url": url}, {url: reply})
    assert found["title and authors"].outcome == outcome
    assert found["notices"].outcome in ("skipped", "unknown")


@pytest.mark.parametrize(
    ("state", "outcome", "told"),
    [
        ("retraction", "fail", "retracted on 2024-06-05"),
        ("Retraction", "fail", "retracted"),
        ("removal", "fail", "retracted"),
        ("withdrawal", "fail", "withdrawn on"),
        ("expression_of_concern", "fail", "under an expression of concern"),
        ("correction", "stale", "corrected on"),
        ("erratum", "stale", "corrected on"),
        ("partial_retraction", "stale", "corrected on"),
        ("new_version", "pass", "no notice against it"),
    ],
)
@pytest.mark.parametrize("where", ["updated-by", "update-to"])
def test_what_became_of_a_paper_is_told_apart_from_both_fields_of_crossref(
    state: str, outcome: str, told: str, where: str
) -> None:
    replies = dict(CLEAN)
    if where == "updated-by":
        replies[WORK] = answers.work(**{"updated-by": [answers.update(state, source="retraction-watch")]})
    else:
        replies[NOTICES] = answers.notices(("10.1234/notice", state))
    found = checked(BY_DOI, replies)["notices"]
    assert found.outcome == outcome
    assert told in found.detail
    if outcome != "pass":
        assert "notice 10.1234/notice" in found.detail
        others = {"retracted", "withdrawn", "concern", "corrected"} - {w for w in told.split() if w != "on"}
        assert not any(f"{word} on" in found.detail for word in others)


def test_a_notice_about_another_work_says_nothing_of_this_one() -> None:
    found = checked(
        BY_DOI, {**CLEAN, NOTICES: answers.notices(("10.1234/notice", "retraction"), doi="10.1234/other")}
    )
    assert found["notices"].outcome == "pass"


def test_the_worst_notice_decides_and_all_are_told() -> None:
    both = [answers.update("correction", "10.1234/c"), answers.update("retraction", "10.1234/r")]
    found = checked(BY_DOI, {**CLEAN, WORK: answers.work(**{"updated-by": both})})["notices"]
    assert found.outcome == "fail"
    assert found.detail.index("retracted") < found.detail.index("corrected")


def test_a_title_that_says_it_is_retracted_is_believed() -> None:
    found = checked(BY_DOI, {**CLEAN, WORK: answers.work(title=f"RETRACTED: {TITLE}")})
    assert (found["notices"].outcome, found["title and authors"].outcome) == ("fail", "pass")


def test_a_correction_that_the_entrys_note_names_has_been_read() -> None:
    replies = {**CLEAN, WORK: answers.work(**{"updated-by": [answers.update("correction")]})}
    assert checked({**BY_DOI, "note": "Corrected: 10.1234/notice"}, replies)["notices"].outcome == "pass"
    assert checked({**BY_DOI, "note": "Corrected: 10.1234/other"}, replies)["notices"].outcome == "stale"


def test_without_the_second_field_notices_are_unknown_unless_the_first_has_one() -> None:
    assert checked(BY_DOI, {WORK: answers.work()})["notices"].outcome == "unknown"
    told = answers.work(**{"updated-by": [answers.update("retraction")]})
    assert checked(BY_DOI, {WORK: told})["notices"].outcome == "fail"


@pytest.mark.parametrize(
    ("entry", "outcome"),
    [
        (
            {"comment": "This paper has been withdrawn by arXiv Admin due to a dispute over authorship"},
            "fail",
        ),
        ({"comment": "8 pages. This paper is now withdrawn: equation 3 is wrong"}, "fail"),
        ({"comment": "Withdrawn: see the published version"}, "fail"),
        ({"summary": "This submission has been withdrawn by the authors."}, "fail"),
        ({"comment": "Supersedes arXiv:1234.5678, withdrawn by the authors"}, "pass"),
        ({"comment": "This paper was withdrawn from ICLR 2022"}, "pass"),
        ({"summary": "We study why a paper is withdrawn by its authors."}, "pass"),
        ({"summary": "The attack leaves money withdrawn from accounts."}, "pass"),
        ({"comment": "10 pages"}, "pass"),
    ],
)
def test_a_withdrawn_version_at_arxiv_fails(entry: dict[str, str], outcome: str) -> None:
    found = checked(BY_ID, {FEED: answers.feed(answers.entry(ID, **entry))})["notices"]  # type: ignore[arg-type]
    assert found.outcome == outcome
    if outcome == "fail":
        assert found.detail == "withdrawn on 2023-06-24 (arXiv)"


def test_a_retracted_published_version_of_a_preprint_fails_the_preprint() -> None:
    replies = {
        FEED: answers.feed(answers.entry(ID, doi=DOI)),
        WORK: answers.work(**{"updated-by": [answers.update("retraction")]}),
    }
    assert checked(BY_ID, replies)["notices"].outcome == "fail"


@pytest.mark.parametrize(
    ("at_arxiv", "entry", "others", "outcome", "told"),
    [
        ({}, {}, {}, "pass", "names no published version"),
        ({"doi": DOI}, {}, {}, "stale", f"published since: {DOI}; `kb cite add {DOI}` adds it"),
        ({"journal": "JMLR 24 (2023)"}, {}, {}, "stale", "name it in the entry"),
        (
            {"doi": DOI},
            {"journal": "A {Journal}"},
            {},
            "pass",
            f"arXiv names {DOI}; the entry says A Journal",
        ),
        ({"doi": DOI}, {"note": f"published as {DOI}"}, {}, "pass", "the entry notes it"),
        (
            {"doi": DOI},
            {},
            {"theirs": {"doi": DOI, "title": "X"}},
            "stale",
            "which the library has as theirs",
        ),
    ],
)
def test_a_preprint_that_was_published_since_is_stale_until_the_entry_says_so(
    at_arxiv: dict[str, str], entry: dict[str, str], others: dict[str, Any], outcome: str, told: str
) -> None:
    replies = {FEED: answers.feed(answers.entry(ID, **at_arxiv)), **CLEAN}  # type: ignore[arg-type]
    found = checked({**BY_ID, **entry}, replies, **others)["published version"]
    assert found.outcome == outcome
    assert told in found.detail


def test_a_preprint_with_a_doi_of_its_own_knows_its_article_from_crossref() -> None:
    relation = {"is-preprint-of": [{"id-type": "doi", "id": "10.1234/article", "asserted-by": "subject"}]}
    found = checked(BY_DOI, {**CLEAN, WORK: answers.work(relation=relation, type="posted-content")})
    assert "Crossref names 10.1234/article" in found["published version"].detail


@pytest.mark.parametrize(
    ("other", "outcome", "told"),
    [
        ({"doi": DOI.upper()}, "fail", "has the DOI of other"),
        ({"eprint": f"arXiv:{ID}v3"}, "fail", "has the arXiv id of other"),
        ({"doi": f"10.48550/arXiv.{ID}"}, "fail", "has the arXiv id of other"),
        ({"url": "http://www.a.example/b/", "title": TITLE}, "fail", "has the address of other"),
        ({"url": "https://a.example/b", "title": "Another comment on that page"}, "pass", ""),
        (
            {"title": TITLE.upper(), "author": "J. Doe and M. Muller"},
            "unknown",
            "has title and authors like other",
        ),
        ({"title": TITLE, "author": "Doe, John"}, "pass", ""),
        ({"title": "Steering", "author": PEOPLE}, "pass", ""),
    ],
)
def test_the_same_work_twice_in_the_library_is_found_without_a_network(
    other: dict[str, str], outcome: str, told: str
) -> None:
    fields = {**BY_DOI, "eprint": ID, "url": "https://a.example/b"}
    found = checked(fields, other=other)["duplicate"]
    assert found.outcome == outcome
    assert told in found.detail


def test_a_post_of_the_same_name_is_no_duplicate_of_the_paper() -> None:
    fields = {"title": TITLE, "author": PEOPLE}
    assert likes([Entry("a", "article", "paper", fields), Entry("b", "misc", "post", fields)]) == {}


def test_a_source_is_compared_with_those_of_its_own_first_author_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared: list[str] = []
    monkeypatch.setattr(same, "titles", lambda one, _: compared.append(one) or "different")
    likes(
        [
            Entry(f"k{n}", "article", "paper", {"title": f"Study number {n}", "author": f"Name{n % 500}, A"})
            for n in range(2_000)
        ]
    )
    assert len(compared) == 500 * 6


@pytest.fixture
def store(path: Path) -> Path:
    with connect.writing_to(path) as session:
        edit.put(session, records.Source(key="mine", type="article", kind="paper", fields=BY_DOI))
        edit.put(session, source("also2020", doi="10.1234/also"))
        citations = [{"source": key, "stance": "asserts", "locator": "p. 1"} for key in ("mine", "also2020")]
        edit.put(session, claim("checked", citations=citations))
    return path


@pytest.mark.parametrize(
    ("replies", "outcome"),
    [(CLEAN, "pass"), ({**CLEAN, WORK: answers.work(title="Another")}, "fail"), ({}, "unknown")],
)
def test_a_claim_is_checked_with_each_of_its_sources(
    store: Path, replies: dict[str, Reply], outcome: str
) -> None:
    with connect.writing_to(store) as session:
        for url, reply in replies.items():
            fetched.put(connect.raw(session), Answer(url, reply.status, reply.kind, reply.body, AT))
    with contextlib.closing(connect.open_to_read(store)) as connection:
        results = [r for r in run.check_claim(run.load(connection), "checked") if r.check == "source"]
    assert [(r.subject, r.outcome) for r in results] == [("mine", outcome), ("also2020", "unknown")]
    if outcome != "unknown":
        assert "looked up 2026-10-01" in results[0].detail
