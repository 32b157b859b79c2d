"""`kb cite add` by look-up, `kb cite check`, `kb cite fetch` and `kb check --online`: the real client, a local web."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kb import records
from kb.sources import http
from kb.store import connect, edit, queries
from tests import answers
from tests.answers import DOI, TITLE, at_arxiv, at_notices, at_work
from tests.cli.conftest import Kb
from tests.making import claim
from tests.web import Reply, Web, serving

ID = "2303.01234"
QUOTE = "26 attention heads"
POST = "https://forum.example/post"


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    with serving() as running:
        monkeypatch.setattr(http, "client", running.client)
        yield running


@pytest.fixture
def path(store_path: Path) -> Path:
    connect.create(store_path)
    return store_path


def put(path: Path, *entries: dict[str, Any], quote: str = QUOTE) -> None:
    """Sources, and a claim that quotes each."""
    with connect.writing_to(path) as session:
        for entry in entries:
            edit.put(session, records.parse("source", {"type": "misc", "kind": "post", **entry}))
        for entry in entries:
            cited = {
                "source": entry["key"],
                "stance": "asserts",
                "locator": "p. 1",
                "quote": quote,
                "seen": "web-copy",
            }
            edit.put(session, claim(f"on-{entry['key']}", citations=[cited]))


def stored(path: Path) -> dict[str, Any]:
    with contextlib.closing(connect.open_to_read(path)) as connection:
        return {name: data for name, _, _, data in queries.records(connection, "source")}


def test_a_doi_is_added_with_a_key_of_the_librarys_style(kb: Kb, web: Web, path: Path) -> None:
    web.replies |= {at_work(DOI): answers.work(), at_notices(DOI): answers.notices()}
    result = kb("cite", "add", f"https://doi.org/{DOI.upper()}", "--json")
    assert (result.code, result.json["added"], result.json["registry"]) == (
        0,
        ["doe2023steering"],
        "Crossref",
    )
    assert stored(path)["doe2023steering"] == {
        "key": "doe2023steering",
        "type": "article",
        "kind": "paper",
        "fields": {
            "author": "Doe, Jane and Müller, Max",
            "title": TITLE,
            "journal": "Journal of Networks",
            "volume": "4",
            "number": "2",
            "pages": "10--20",
            "publisher": "A Press",
            "year": "2023",
            "month": "March",
            "doi": DOI,
        },
    }


@pytest.mark.parametrize(
    "what",
    [
        ID,
        f"arXiv:{ID}v2",
        f"https://arxiv.org/abs/{ID}",
        f"10.48550/arXiv.{ID}",
        f"https://arxiv.org/pdf/{ID}v1.pdf",
    ],
)
def test_an_arxiv_id_is_added_in_every_spelling(kb: Kb, web: Web, path: Path, what: str) -> None:
    web.replies[at_arxiv(ID)] = answers.feed(answers.entry(ID))
    assert kb("cite", "add", what).code == 0
    fields = stored(path)["doe2023steering"]["fields"]
    assert (fields["eprint"], fields["archiveprefix"], fields["primaryclass"]) == (ID, "arXiv", "cs.LG")
    assert fields["url"] == f"https://arxiv.org/abs/{ID}"


def test_a_page_is_added_with_the_day_on_which_it_was_seen(kb: Kb, web: Web, path: Path) -> None:
    web.replies["forum.example/post"] = answers.page()
    assert kb("cite", "add", POST).code == 0
    added = stored(path)["doe2023steering"]
    assert (added["kind"], added["fields"]["title"], added["fields"]["howpublished"]) == (
        "post", "Steering a maze", "The Forum",
    )  # fmt: skip
    assert added["fields"]["url"] == POST
    assert len(added["fields"]["urldate"]) == 10


def test_a_page_that_names_its_doi_is_added_as_crossref_has_it(kb: Kb, web: Web, path: Path) -> None:
    web.replies["press.example/a"] = answers.page(f'<meta name="citation_doi" content="{DOI}">')
    web.replies |= {at_work(DOI): answers.work(), at_notices(DOI): answers.notices()}
    assert kb("cite", "add", "https://press.example/a").code == 0
    assert stored(path)["doe2023steering"]["fields"]["doi"] == DOI


def test_a_doi_of_datacite_comes_from_doi_org(kb: Kb, web: Web, path: Path) -> None:
    web.replies["doi.org/10.5281/zenodo.1"] = answers.csl("10.5281/zenodo.1")
    assert kb("cite", "add", "10.5281/zenodo.1").code == 0
    assert stored(path)["doe2022data"]["fields"]["doi"] == "10.5281/zenodo.1"


def test_a_dry_run_shows_the_entry_and_changes_nothing(kb: Kb, web: Web, path: Path) -> None:
    web.replies[at_arxiv(ID)] = answers.feed(answers.entry(ID))
    before = path.read_bytes()
    result = kb("cite", "add", ID, "--dry-run")
    assert result.code == 0
    assert result.out.startswith("@misc{doe2023steering,\n  author = {Doe, Jane and Müller, Max},\n")
    assert "would add doe2023steering" in result.err
    assert path.read_bytes() == before


def test_a_key_may_be_chosen_and_one_that_is_taken_is_not_taken_again(kb: Kb, web: Web, path: Path) -> None:
    put(path, {"key": "doe2023steering", "fields": {"title": "Other"}}, {"key": "b", "aliases": ["old"]})
    web.replies[at_arxiv(ID)] = answers.feed(answers.entry(ID))
    for key in ("b", "old"):
        result = kb("cite", "add", ID, "--key", key)
        assert (result.code, "is taken" in result.err) == (1, True)
    assert kb("cite", "add", ID, "--key", "no good key").code == 2
    assert kb("cite", "add", ID, "--json").json["added"] == ["doe2023steering-2"]
    assert set(stored(path)) == {"doe2023steering", "b", "doe2023steering-2"}


@pytest.mark.parametrize(
    ("here", "what", "told"),
    [
        ({"doi": DOI.upper()}, DOI, "mine has this DOI"),
        ({"eprint": f"{ID}v1"}, ID, "mine has this arXiv id"),
        ({"url": "http://forum.example/post/", "title": "Steering a maze"}, POST, "mine has this address"),
    ],
)
def test_what_the_library_has_under_that_identifier_is_not_added_whatever_is_said(
    kb: Kb, web: Web, path: Path, here: dict[str, str], what: str, told: str
) -> None:
    put(path, {"key": "mine", "fields": {"title": "Any", **here}})
    web.replies |= {at_work(DOI): answers.work(), at_arxiv(ID): answers.feed(answers.entry(ID))}
    web.replies["forum.example/post"] = answers.page()
    for options in ([], ["--anyway"], ["--dry-run"]):
        result = kb("cite", "add", what, *options)
        assert result.code == 1
        assert told in result.err
    assert set(stored(path)) == {"mine"}


@pytest.mark.parametrize(
    ("here", "what", "told"),
    [
        ({"eprint": ID}, DOI, "it seems to be the published version of mine"),
        ({"doi": DOI}, ID, "it seems to be the preprint of mine"),
        ({}, DOI, "it seems to be mine: same title and authors"),
    ],
)
def test_what_seems_to_be_here_is_added_only_when_that_is_meant(
    kb: Kb, web: Web, path: Path, here: dict[str, str], what: str, told: str
) -> None:
    put(
        path,
        {
            "key": "mine",
            "kind": "paper",
            "fields": {"title": TITLE, "author": "Doe, J. and Müller, M.", **here},
        },
    )
    web.replies |= {at_work(DOI): answers.work(), at_arxiv(ID): answers.feed(answers.entry(ID))}
    result = kb("cite", "add", what)
    assert (result.code, told in result.err) == (1, True)
    assert kb("cite", "add", what, "--anyway").code == 0
    assert len(stored(path)) == 2


def test_a_preprint_whose_published_version_is_here_under_another_title_says_so(
    kb: Kb, web: Web, path: Path
) -> None:
    put(path, {"key": "mine", "fields": {"title": "Renamed Before Print", "doi": DOI}})
    web.replies[at_arxiv(ID)] = answers.feed(answers.entry(ID, doi=DOI))
    result = kb("cite", "add", ID)
    assert (result.code, f"its published version: mine ({DOI})" in result.err) == (1, True)


def test_a_retracted_paper_and_a_published_version_are_told_when_it_is_added(
    kb: Kb, web: Web, path: Path
) -> None:
    web.replies[at_work(DOI)] = answers.work(**{"updated-by": [answers.update("retraction")]})
    web.replies[at_notices(DOI)] = answers.notices(("10.1234/notice", "retraction"))
    result = kb("cite", "add", DOI)
    assert result.code == 0
    assert (
        result.err.count("take care: retracted on 2024-06-05, says the publisher, notice 10.1234/notice") == 1
    )
    web.replies[at_arxiv(ID)] = answers.feed(answers.entry(ID, "Another", doi="10.1234/else"))
    assert "published version: 10.1234/else: `kb cite add 10.1234/else`" in kb("cite", "add", ID).err


@pytest.mark.parametrize(
    ("what", "reply", "code", "told"),
    [
        ("10.9999/none", None, 1, "neither Crossref nor doi.org has 10.9999/none"),
        (ID, answers.feed(), 1, f"arXiv has no {ID}"),
        (ID, Reply(status=500), 1, "export.arxiv.org answered 500"),
        (POST, Reply(status=404), 1, "there is nothing at https://forum.example/post"),
        (POST, Reply(b"%PDF-1.4", "application/pdf"), 1, "says no title of itself"),
        (POST, Reply(b"x", "image/png"), 1, "answered with image/png"),
        (POST, Reply(status=302, headers={"Location": "http://127.0.0.1/"}), 1, "is not a public address"),
        ("https://me:s3cret@forum.example/", None, 2, "holds a name or password"),
        ("nothing like that", None, 2, "is no file, DOI, arXiv id or address"),
        ("http://", None, 1, "could not be looked up: http:// is no web address"),
    ],
)
def test_what_cannot_be_added_gets_one_line(
    kb: Kb, web: Web, path: Path, what: str, reply: Reply | None, code: int, told: str
) -> None:
    if reply:
        web.replies["forum.example/post" if what == POST else at_arxiv(ID)] = reply
    result = kb("cite", "add", what)
    assert (result.code, result.out) == (code, "")
    assert told in result.err
    assert result.err.count("\n") == 1
    assert "s3cret" not in result.err
    assert stored(path) == {}


def test_checking_sources_is_offline_unless_asked_and_then_keeps_what_came(
    kb: Kb, web: Web, path: Path
) -> None:
    put(
        path,
        {"key": "good", "fields": {"title": TITLE, "author": "Doe, Jane and Müller, Max", "doi": DOI}},
        {"key": "bad", "fields": {"title": "Other", "author": "Low, Bo", "eprint": ID}},
    )
    before = kb("cite", "check", "--json")
    assert (before.code, web.asked) == (0, [])
    assert (before.json["passed"], before.json["unknown"]) == (2, 6)
    web.replies |= {at_work(DOI): answers.work(), at_notices(DOI): answers.notices()}
    web.replies[at_arxiv(ID)] = answers.feed(answers.entry(ID))
    online = kb("cite", "check", "--online", "--json")
    assert online.code == 1
    found = {s["key"]: {c["check"]: c["outcome"] for c in s["checks"]} for s in online.json["sources"]}
    assert set(found["good"].values()) == {"pass"}
    assert found["bad"]["title and authors"] == "fail"
    assert online.json["online"] == {"looked_up": 2, "texts": [], "missing": [], "stopped": ""}
    asked = len(web.asked)
    offline = kb("cite", "check", "--json")
    assert offline.json["sources"] == online.json["sources"]
    assert len(web.asked) == asked
    looked_up = [
        c["looked_up"] for s in offline.json["sources"] for c in s["checks"] if c["check"] == "identifier"
    ]
    assert all(looked_up)


def test_only_the_sources_named_are_asked_for_and_strict_counts_gaps(kb: Kb, web: Web, path: Path) -> None:
    put(path, {"key": "a", "fields": {"doi": DOI}}, {"key": "b", "fields": {"eprint": ID}})
    web.replies |= {at_work(DOI): answers.work(), at_notices(DOI): answers.notices()}
    assert kb("cite", "check", "a", "--online").code == 0
    assert web.asked == [at_work(DOI), at_notices(DOI)]
    assert kb("cite", "check", "a", "--strict").code == 1
    page = kb("cite", "check", "b").out
    assert f"identifier: arXiv:{ID} was never looked up" in page
    assert kb("cite", "check", "c").code == 1


PAPER = {"title": TITLE, "author": "Doe, Jane and Müller, Max", "eprint": ID}
TEXT = Reply(answers.pdf(f"we study {QUOTE} here"), "application/pdf")


def test_online_a_check_fetches_texts_and_entries_and_then_checks_both(kb: Kb, web: Web, path: Path) -> None:
    put(path, {"key": "paper", "kind": "paper", "fields": PAPER}, {"key": "post", "fields": {"url": POST}})
    web.replies[at_arxiv(ID)] = answers.feed(answers.entry(ID))
    web.replies[f"export.arxiv.org/pdf/{ID}"] = TEXT
    web.replies["forum.example/post"] = answers.page()
    result = kb("check", "--online", "--json")
    assert result.code == 0
    found = {
        c["subject"]: c["outcome"]
        for one in result.json["claims"]
        for c in one["checks"]
        if c["check"] in ("quote", "source")
    }
    assert found == {"paper": "pass", "1 paper": "pass", "post": "unknown", "1 post": "pass"}
    assert result.json["online"]["looked_up"] == 2
    assert set(result.json["online"]["texts"]) == {"paper", "post"}
    assert web.asked.count("forum.example/post") == 1
    asked = len(web.asked)
    again = kb("check", "--online", "--json")
    assert len(web.asked) == asked
    assert again.json["claims"] == result.json["claims"]


def test_what_could_not_be_had_is_told_and_nothing_fails_for_it(kb: Kb, web: Web, path: Path) -> None:
    put(
        path,
        {"key": "paper", "kind": "paper", "fields": PAPER},
        {"key": "landing", "kind": "paper", "fields": {"title": "T", "url": POST}},
        {"key": "nowhere", "fields": {"title": "T"}},
    )
    web.replies[at_arxiv(ID)] = Reply(status=500)
    web.replies["forum.example/post"] = answers.page()
    result = kb("check", "--online")
    assert result.code == 0
    assert "no look-up of paper: export.arxiv.org answered 500" in result.err
    assert f"no text of paper: https://export.arxiv.org/pdf/{ID} is not there (404)" in result.err
    assert "no text of landing: https://forum.example/post gives" in result.err
    assert "not the whole text" in result.err
    assert "no text of nowhere: the entry names no place that has the text" in result.err
    assert kb("check", "--online", "--strict").code == 1


def test_a_quote_that_does_not_stand_in_the_text_fails_with_exit_code_1(kb: Kb, web: Web, path: Path) -> None:
    put(path, {"key": "paper", "kind": "paper", "fields": PAPER}, quote="27 attention heads")
    web.replies[at_arxiv(ID)] = answers.feed(answers.entry(ID))
    web.replies[f"export.arxiv.org/pdf/{ID}"] = TEXT
    result = kb("check", "--online")
    assert result.code == 1
    assert "these words do not stand in the pdf of paper" in " ".join(result.out.split())


def test_without_a_network_it_says_so_once_and_soon(
    kb: Kb, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = [
        {"key": f"s{n}", "fields": {"url": f"https://host{n}.example/a", "title": "T"}} for n in range(9)
    ]
    put(path, *entries)
    monkeypatch.setattr(
        http, "client", lambda: http.Http(routes={"https://": "http://127.0.0.1:9/"}, sleep=lambda _: None)
    )
    result = kb("check", "--online")
    assert result.code == 0
    assert "looked up: 0, texts fetched: 0; no network: host0.example cannot be reached, " in result.err
    assert result.err.count("host0.example") == 1
    page = " ".join(kb("cite", "check", "s0").out.split())
    assert "in vain: host0.example cannot be reached" in page


def test_an_older_answer_and_text_stay_when_asking_again_fails(kb: Kb, web: Web, path: Path) -> None:
    put(path, {"key": "paper", "kind": "paper", "fields": PAPER})
    web.replies[at_arxiv(ID)] = answers.feed(answers.entry(ID))
    web.replies[f"export.arxiv.org/pdf/{ID}"] = TEXT
    assert kb("check", "--online").code == 0
    with connect.writing_to(path) as session:
        connect.raw(session).execute("UPDATE fetched SET at = '2026-01-02T00:00:00+00:00'")
    web.replies = {at_arxiv(ID): Reply(status=500)}
    result = kb("check", "--online", "--json")
    (source,) = [c for one in result.json["claims"] for c in one["checks"] if c["check"] == "source"]
    assert source["outcome"] == "pass"
    assert "looked up 2026-01-02" in source["detail"]
    assert kb("cite", "fetch", "paper").code == 1
    quotes = [
        c["outcome"]
        for one in kb("check", "--json").json["claims"]
        for c in one["checks"]
        if c["check"] == "quote"
    ]
    assert quotes == ["pass"]


def test_fetching_one_text_from_where_it_is_published(kb: Kb, web: Web, path: Path) -> None:
    put(path, {"key": "paper", "kind": "paper", "fields": PAPER})
    sections = "".join(
        f"<p>Section {n} has a great many words that make it a whole paper.</p>" for n in range(200)
    )
    body = f"<!DOCTYPE html><html><body><article><p>We study {QUOTE} at length.</p>{sections}</article></body></html>"
    web.replies[f"arxiv.org/html/{ID}"] = Reply(body.encode(), "text/html")
    result = kb("cite", "fetch", "paper", "--json")
    assert (result.code, result.json["source"], result.json["kind"]) == (0, "paper", "html")
    assert result.json["from"] == f"https://arxiv.org/html/{ID}"
    assert kb("check", "--json").json["failed"] == 0
    assert web.asked == [f"export.arxiv.org/pdf/{ID}", f"arxiv.org/html/{ID}"]


def test_what_was_looked_up_survives_a_sync(
    kb: Kb, web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = tmp_path / "workspace"
    monkeypatch.delenv("KB_DB")
    assert kb("init", str(workspace)).code == 0
    monkeypatch.chdir(workspace)
    key, identifier = "chen2021decision", "2106.01345"
    title = kb("cite", "show", key, "--json").json["title"]
    web.replies[at_arxiv(identifier)] = answers.feed(answers.entry(identifier, title, (("Chen", "Lili"),)))
    before = kb("cite", "check", key, "--online", "--json").json["sources"]
    assert before[0]["checks"][0]["outcome"] == "pass"
    references = workspace / "citations" / "references.bib"
    text = references.read_text("utf-8")
    references.write_text(text.replace(f"{{{key},\n", f"{{{key},\n  keywords = {{x}},\n"), encoding="utf-8")
    assert kb("cite", "check", key).err.count("`kb library sync` brings it in") == 1
    assert kb("library", "sync").code == 0
    assert kb("cite", "show", key, "--json").json["fields"]["keywords"] == "x"
    assert kb("cite", "check", key, "--json").json["sources"] == before


STOPPED = """
import sys
from kb.sources import http
from kb.cli.main import run
client = http.Http(routes={"https://": sys.argv[1] + "/"}, pace={}, timeout=30)
http.client = lambda: client
sys.argv = ["kb", *sys.argv[2:]]
run()
"""


def test_ctrl_c_keeps_what_came_and_says_so(web: Web, path: Path) -> None:
    put(
        path,
        {"key": "a", "fields": {"url": POST, "title": "T"}},
        {"key": "b", "fields": {"url": "https://slow.example/", "title": "T"}},
    )
    web.replies["forum.example/post"] = answers.page()
    web.replies["slow.example/"] = Reply(slow=True)
    process = subprocess.Popen(
        [sys.executable, "-c", STOPPED, web.base, "--db", str(path), "check", "--online"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ},
    )  # fmt: skip
    for _ in range(600):
        if "slow.example/" in web.asked:
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert "looked up: 1, texts fetched: 1; stopped by Ctrl-C: what came is kept" in err
    assert "Traceback" not in err
    with contextlib.closing(connect.open_to_read(path)) as connection:
        assert [row[0] for row in connection.execute("SELECT source_key FROM rendering")] == ["a"]
        assert connection.execute("SELECT status FROM fetched WHERE url = ?", (POST,)).fetchone()[0] == 200


def test_where_the_store_cannot_be_written_what_came_is_told_all_the_same(
    kb: Kb, web: Web, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kb.errors import KbError

    put(path, {"key": "a", "fields": {"title": TITLE, "author": "Doe, Jane and Müller, Max", "doi": DOI}})
    web.replies |= {at_work(DOI): answers.work(), at_notices(DOI): answers.notices()}

    def refuse(_: object) -> None:
        raise KbError("no permission to write")

    monkeypatch.setattr(connect, "for_writing", refuse)
    result = kb("cite", "check", "--online", "--json")
    assert "what is looked up is not kept: no permission to write" in result.err
    assert result.json["online"]["looked_up"] == 1
    assert result.code == 0
    assert {c["outcome"] for c in result.json["sources"][0]["checks"]} == {"pass"}
