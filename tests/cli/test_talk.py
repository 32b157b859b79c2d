from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kb import records
from kb.store import connect, edit
from tests.cli.conftest import Kb

CLAIMS: list[dict[str, Any]] = [
    {
        "id": f"result-{letter}",
        "kind": "achievement",
        "statement": f"Network {letter} was taken apart.",
        "asserted_by": "Ada Lovelace",
        "status": status,
        "tags": ["engines"],
        "citations": [
            {
                "source": "lovelace1843",
                "stance": "asserts",
                "locator": "Note G",
                "quote": letter,
                "seen": "primary",
            }
        ],
    }
    for letter, status in zip("abc", ("supported", "disputed", "open"), strict=True)
]
SOURCE = {
    "key": "lovelace1843",
    "type": "article",
    "kind": "paper",
    "fields": {"title": "Notes", "author": "Ada Lovelace", "year": "1843"},
}
TALK = {"name": "engines", "title": "Engines", "select": {"claims": ["result-b", "result-a"]}}


@pytest.fixture
def store(store_path: Path) -> Path:
    connect.create(store_path)
    with connect.writing_to(store_path) as session:
        edit.put(session, records.parse("source", SOURCE))
        for claim in CLAIMS:
            edit.put(session, records.parse("claim", claim))
        edit.put(session, records.parse("talk", TALK))
    return store_path


def test_talks_are_listed(kb: Kb, store: Path) -> None:
    listed = kb("talk", "list", "--json").json
    assert [(talk["name"], talk["claims"]) for talk in listed] == [("engines", "2 by hand")]


def test_a_talk_is_shown_with_its_claims_in_order(kb: Kb, store: Path) -> None:
    shown = kb("talk", "show", "engines", "--json").json
    assert [claim["id"] for claim in shown["claims"]] == ["result-b", "result-a"]
    page = kb("talk", "show", "engines").out
    assert page.index("result-b") < page.index("result-a")


def test_a_talk_is_made_by_a_query(kb: Kb, store: Path) -> None:
    assert kb("talk", "new", "mine", "--title", "Mine", "--tag", "engines", "--minutes", "3").code == 0
    shown = kb("talk", "show", "mine", "--json").json
    assert (shown["minutes"], len(shown["claims"])) == (3, 3)


def test_a_talk_is_made_from_a_file(kb: Kb, store: Path, tmp_path: Path) -> None:
    file = tmp_path / "talk.yaml"
    file.write_text("name: mine\ntitle: Mine\nselect:\n  claims:\n  - result-c\n")
    assert kb("talk", "new", "mine", "--from", str(file)).code == 0
    assert kb("talk-outline", "mine", "--json").json["sections"][0]["claim"] == "result-c"


def test_a_fault_in_a_file_names_its_line(kb: Kb, store: Path) -> None:
    result = kb(
        "talk", "new", "mine", "--from", "-", stdin="name: mine\ntitle: Mine\nminutes: never\nselect: {}\n"
    )
    assert result.code == 2
    assert "stdin:3: " in result.err


def test_a_talk_is_made_in_the_editor(
    kb: Kb, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "fill"
    script.write_text('#!/bin/sh\nsed -i "s/^title:/title: From a form/; s/^  -$/  - result-a/" "$1"\n')
    script.chmod(0o755)
    monkeypatch.setenv("EDITOR", str(script))
    result = kb("talk", "new", "formed")
    assert result.code == 0, result.err
    assert kb("talk-outline", "formed", "--json").json["title"] == "From a form"
    assert not list((tmp_path / "forms").iterdir())


def test_a_talk_is_changed_by_options_and_keeps_the_rest(kb: Kb, store: Path) -> None:
    assert kb("talk", "edit", "engines", "--minutes", "7").code == 0
    shown = kb("talk", "show", "engines", "--json").json
    assert (shown["minutes"], shown["title"], len(shown["claims"])) == (7, "Engines", 2)


def test_a_claim_that_is_not_there_is_refused_with_the_nearest_names(kb: Kb, store: Path) -> None:
    result = kb("talk", "edit", "engines", "--claim", "result-d")
    assert result.code == 1
    assert "did you mean result-" in result.err


def test_a_second_talk_of_one_name_is_refused(kb: Kb, store: Path) -> None:
    result = kb("talk", "new", "engines", "--title", "Again", "--claim", "result-a")
    assert (result.code, "kb talk edit engines" in result.err) == (1, True)


@pytest.mark.parametrize("name", ["No Spaces", "../up", "ünicode"])
def test_a_name_that_is_none_is_refused(kb: Kb, store: Path, name: str) -> None:
    assert kb("talk", "new", name, "--title", "T", "--claim", "result-a").code == 2


PICTURED = """\
name: mine
title: Mine
select:
  claims: [result-a, result-b]
order: rubric
pictures:
  result-a: "*curves.png"
terms: [systemic]
rubric:
  criteria:
  - {name: causal, weight: 1, question: Why?}
  scores:
    result-a: {causal: {score: 2, reason: Shown}}
    result-b: {causal: {score: 1, reason: Shown}}
"""


def test_a_talk_names_pictures_and_terms(kb: Kb, store: Path) -> None:
    assert kb("talk", "new", "mine", "--from", "-", stdin=PICTURED).code == 0
    page = kb("talk", "show", "mine").out
    assert "result-a: *curves.png" in page
    assert "systemic" in page


@pytest.mark.parametrize(("line", "wrong"), [("pictures: [a]", "pictures"), ("terms: {a: b}", "terms")])
def test_pictures_and_terms_that_are_none_are_refused_with_their_line(
    kb: Kb, store: Path, line: str, wrong: str
) -> None:
    text = f"name: mine\ntitle: Mine\n{line}\nselect:\n  claims: [result-a]\n"
    result = kb("talk", "new", "mine", "--from", "-", stdin=text)
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert "stdin:3: " in result.err
    assert wrong in result.err


def test_a_talk_follows_a_claim_to_its_new_name(kb: Kb, store: Path) -> None:
    assert kb("talk", "new", "mine", "--from", "-", stdin=PICTURED).code == 0
    assert kb("claim", "rename", "result-a", "better-name").code == 0
    outline = kb("talk-outline", "mine", "--json").json
    assert [section["claim"] for section in outline["sections"]] == ["better-name", "result-b"]
    assert any("better-name has no picture *curves.png" in notice for notice in outline["notices"])
