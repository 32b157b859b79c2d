"""Ann, Ben and Cy with the same library: whose word a merge goes by, and that nobody's is lost in silence."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from kb.errors import KbError
from kb.library import door, exchange, freshness, identity
from kb.library.text import BrokenLibrary
from tests.library.conftest import Copy, claim

Copies = Callable[[str], Copy]


def source(key: str, title: str) -> dict[str, object]:
    return {"key": key, "type": "misc", "kind": "paper", "fields": {"title": title}}


def statement(copy: Copy, name: str) -> str:
    return str(copy.records()["claim", name]["statement"])


def without_a_store(copy: Copy, folder: Path) -> Path:
    """What `git worktree add` gives: the text alone, in a folder that others were in before."""
    copy.export()
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(copy.library, folder / "citations")
    return folder


# --- a first meeting --------------------------------------------------------------------------------------


def test_a_colleagues_rename_does_not_take_an_edit_back_that_was_exported(copies: Copies) -> None:
    ann, ben = copies("ann"), copies("ben")
    ann.rename("third", "dritte")
    ann.export()
    ben.change("third", statement="Better, by Ben.")
    ben.export()
    ben.meet(ann)
    assert statement(ben, "dritte") == "Better, by Ben."


def test_an_edit_that_came_from_a_third_person_is_not_replaced_in_silence(copies: Copies) -> None:
    ann, ben = copies("ann"), copies("ben")
    ben.edit_text("Does the third thing hold?", "Cy's words?")  # as `git pull` brings them
    ben.sync()
    ann.change("third", statement="Ann's words?")
    ann.export()
    report = ben.meet(ann)
    assert [(c.name, c.why) for c in report.conflicts] == [("third", "changed on both sides")]
    assert statement(ben, "third") == "Cy's words?"


# --- whose library it is ------------------------------------------------------------------------------------


def test_another_persons_text_at_the_same_path_takes_nothing_back(copies: Copies, tmp_path: Path) -> None:
    ann, ben, cy = copies("ann"), copies("ben"), copies("cy")
    ann.put(claim("anns"))
    ann.change("third", statement="Ann's words?")
    ben.meet(without_a_store(ann, tmp_path / "theirs"))
    assert statement(ben, "third") == "Ann's words?"
    report = ben.meet(without_a_store(cy, tmp_path / "theirs"))
    assert not report.taken
    assert statement(ben, "third") == "Ann's words?"
    assert ("claim", "anns") in ben.records()


def test_two_peoples_export_files_of_one_name_are_told_apart(copies: Copies, tmp_path: Path) -> None:
    ann, ben, cy = copies("ann"), copies("ben"), copies("cy")
    path = tmp_path / "export.jsonl"
    ann.put(claim("anns"))
    for one in (ann, cy):
        one.export()
        with one.reading() as connection:
            exchange.write_lines(connection, path, identity.of(one.places.working.parent))
        report = ben.meet(path)
    assert not report.taken
    assert ("claim", "anns") in ben.records()


def test_a_decision_about_an_unknown_text_holds_while_that_text_stays(copies: Copies, tmp_path: Path) -> None:
    ann, ben = copies("ann"), copies("ben")
    ann.change("third", statement="Ann's words?")
    ben.change("third", statement="Ben's words?")
    theirs = without_a_store(ann, tmp_path / "theirs")
    assert ben.meet(theirs).conflicts
    ben.sync(take="ours", names=["third"])
    assert not ben.meet(theirs).conflicts
    assert statement(ben, "third") == "Ben's words?"


def test_an_export_file_that_was_cut_short_is_refused(copies: Copies, tmp_path: Path) -> None:
    ann, ben = copies("ann"), copies("ben")
    path = tmp_path / "export.jsonl"
    with ann.reading() as connection:
        assert exchange.write_lines(connection, path) == 8
    lines = path.read_text("utf-8").splitlines(keepends=True)
    assert json.loads(lines[0])["records"] == 8
    path.write_text("".join(lines[:-2]), "utf-8")
    before = ben.contents()
    with pytest.raises(
        BrokenLibrary, match=r"export\.jsonl:7: is cut short: 6 of 8 records; export it again"
    ):
        ben.meet(path)
    assert ben.contents() == before


def test_an_older_export_file_of_the_same_person_takes_nothing_back(copies: Copies, tmp_path: Path) -> None:
    ann, ben = copies("ann"), copies("ben")
    path = tmp_path / "export.jsonl"
    for number in (1, 2):
        ann.put(claim(f"anns{number}"))
        ann.export()
        with ann.reading() as connection:
            exchange.write_lines(connection, path, identity.of(ann.places.working.parent))
        shutil.copy(path, tmp_path / f"{number}")
        ben.meet(path)
    shutil.copy(tmp_path / "1", path)
    assert not ben.meet(path).taken
    assert ("claim", "anns2") in ben.records()
    shutil.copy(tmp_path / "2", path)
    ann.remove("anns1")
    with ann.reading() as connection:
        exchange.write_lines(connection, path, identity.of(ann.places.working.parent))
    assert [(t.name, t.action) for t in ben.meet(path).taken] == [("anns1", "removed")]


def test_a_store_keeps_its_number_and_others_have_another(copies: Copies) -> None:
    ann, ben = copies("ann"), copies("ben")
    first = identity.of(ann.places.working.parent)
    ann.sync()
    assert identity.of(ann.places.working.parent) == first != identity.of(ben.places.working.parent)
    assert identity.of_library(ann.library) == identity.of_library(ann.folder) == first
    (ann.places.working.parent / identity.FILE).write_text("../../etc/passwd\n")
    assert identity.of_library(ann.folder) == ""


# --- one name for two records -------------------------------------------------------------------------------


@pytest.mark.parametrize("exported", [False, True], ids=["not-exported", "exported"])
def test_of_two_works_under_one_new_key_both_stay_when_ours_is_renamed(
    copies: Copies, exported: bool
) -> None:
    ann, ben = copies("ann"), copies("ben")
    ann.put(source("smith2020", "Ann's Smith"), "source")
    ann.change("first", citations=[{"source": "smith2020", "stance": "asserts"}])
    ann.export()
    ben.put(source("smith2020", "Ben's Smith"), "source")
    ben.put(claim("bens", citations=[{"source": "smith2020", "stance": "asserts"}]))
    if exported:
        ben.export()
    assert [(c.name, c.why) for c in ben.meet(ann).conflicts] == [
        ("first", "names the source smith2020, which waits for a decision"),
        ("smith2020", "changed on both sides" if exported else "added on both sides"),
    ]
    ben.rename("smith2020", "smith2020b", "source")
    report = ben.meet(ann)
    assert not report.conflicts
    records = ben.records()
    assert records["source", "smith2020"]["fields"]["title"] == "Ann's Smith"
    assert records["source", "smith2020b"]["fields"]["title"] == "Ben's Smith"
    assert records["claim", "first"]["citations"][0]["source"] == "smith2020"
    assert records["claim", "bens"]["citations"][0]["source"] == "smith2020b"
    assert "smith2020 is another record there" in [taken.detail for taken in report.taken]
    assert not ben.sync().standing
    ben.export()
    assert not ben.sync().standing
    assert not ann.meet(ben).conflicts
    assert ann.contents() == ben.contents()


def test_room_is_made_in_the_text_before_theirs_comes_in(copies: Copies) -> None:
    ann, ben = copies("ann"), copies("ben")
    ann.put(source("smith2020", "Ann's Smith"), "source")
    ann.export()
    ben.put(source("smith2020", "Ben's Smith"), "source")
    ben.export()
    ben.rename("smith2020", "smith2020b", "source")
    ben.sync()
    with pytest.raises(KbError, match=r"smith2020 is another record in .*; run `kb library export` first"):
        ben.meet(ann)
    ben.export()
    assert not ben.meet(ann).conflicts
    assert not ben.sync().standing
    assert {("source", "smith2020"), ("source", "smith2020b")} <= ben.records().keys()


def test_a_claim_that_ours_was_renamed_for_keeps_what_points_at_it(copies: Copies) -> None:
    ann, ben = copies("ann"), copies("ben")
    ben.put(claim("same", statement="Ben's."))
    ben.rename("same", "same-ben")
    ann.put(claim("same", statement="Ann's."))
    ann.change("third", relations=[{"type": "supports", "claim": "same"}])
    ann.export()
    ben.export()
    assert not ben.meet(ann).conflicts
    assert ben.records()["claim", "third"]["relations"] == [{"type": "supports", "claim": "same"}]
    assert (statement(ben, "same"), statement(ben, "same-ben")) == ("Ann's.", "Ben's.")


def test_a_rename_to_a_name_that_here_is_another_removes_nothing(copies: Copies) -> None:
    ann, ben = copies("ann"), copies("ben")
    ann.meet(ben)
    ben.meet(ann)
    ann.rename("third", "bar")
    ann.export()
    ben.put(claim("bar", statement="Ben's."))
    report = ben.meet(ann)
    assert {c.name for c in report.conflicts} == {"bar", "third"}
    assert not report.taken
    assert ("claim", "third") in ben.records()
    ben.rename("bar", "bar-ben")
    assert not ben.meet(ann).conflicts
    assert statement(ben, "bar") == "Does the third thing hold?"
    assert statement(ben, "bar-ben") == "Ben's."


def test_two_of_theirs_that_became_one_become_one_here(copies: Copies) -> None:
    ann, ben = copies("ann"), copies("ben")
    for key in ("one", "other"):
        ann.put(source(key, "One work"), "source")
    ann.export()
    ben.meet(ann)
    ann.remove("other", "source")
    ann.put({**source("one", "One work"), "aliases": ["other"]}, "source")
    ann.export()
    assert not ben.meet(ann).conflicts
    assert ben.records()["source", "one"]["aliases"] == ["other"]
    assert ("source", "other") not in ben.records()


# --- deciding -----------------------------------------------------------------------------------------------


def test_several_conflicts_are_decided_in_any_order(copy: Copy) -> None:
    copy.change("second", statement="Mine.")
    copy.change("short", "talk", minutes=6)
    text = (copy.library / "claims/group.yaml").read_text("utf-8")
    copy.edit_text(text[text.index("- id: second") : text.index("- id: third")], "")
    copy.edit_text("claims: [first, second]", "claims: [first]", "talks/short.yaml")
    assert {one["name"] for one in copy.sync().standing} == {"second", "short"}
    assert not copy.sync(take="theirs", names=["second", "short"]).standing
    assert ("claim", "second") not in copy.records()


def test_a_record_in_conflict_with_two_people_is_taken_from_the_one_who_is_named(copies: Copies) -> None:
    ann, ben, cy = copies("ann"), copies("ben"), copies("cy")
    for one in (ann, ben, cy):
        one.change("third", statement=f"{one.folder.name}'s?")
    for other in (ann, cy):
        other.export()
        ben.meet(other)
    with pytest.raises(
        KbError, match=r"third is in conflict with several: .*ann.*cy.*--with PATH --take theirs"
    ):
        ben.sync(take="theirs", names=["third"])
    ben.sync(take="theirs", names=["third"], origin=cy.library)
    assert statement(ben, "third") == "cy's?"


# --- the own text -------------------------------------------------------------------------------------------


def test_a_text_that_is_exported_while_a_sync_waits_is_read_again(
    copy: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy.put(claim("late"))
    read = door._text
    exported = threading.Event()

    def slow(places: object) -> object:
        library = read(copy.places)
        if not exported.is_set():
            exported.set()
            monkeypatch.setattr(door, "_text", read)
            copy.export()
        return library

    monkeypatch.setattr(door, "_text", slow)
    assert not copy.sync().reports[0].taken
    assert ("claim", "late") in copy.records()


def test_what_the_text_lacks_and_the_store_has_is_no_error(copy: Copy) -> None:
    """So after an export that was killed half-way, and where git merged a citation with the removal of its source."""
    copy.put(source("new2024", "New"), "source")
    copy.put(claim("cites", citations=[{"source": "new2024", "stance": "asserts"}]))
    copy.export()
    bib = (copy.library / "references.bib").read_text("utf-8")
    copy.edit_text(bib[bib.index("@misc{new2024") :], "", "references.bib")
    outcome = copy.sync()
    assert [c.why for c in outcome.reports[0].conflicts] == ["removed there, still used by claim cites"]
    copy.sync(take="ours", names=["new2024"])
    copy.export()
    assert "new2024" in (copy.library / "references.bib").read_text("utf-8")
    assert not copy.sync().standing


def test_an_older_kb_does_not_bring_its_release_back(
    copy: Copy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kb.library import agreement
    from kb.store import places
    from kb.store.connect import for_writing, raw

    releases = []
    for number in ("old", "new"):
        folder = tmp_path / number
        shutil.copytree(copy.library, folder / "citations")
        path = folder / "citations/claims/group.yaml"
        path.write_text(
            path.read_text("utf-8").replace("the third thing hold", f"the {number} thing hold"), "utf-8"
        )
        releases.append(folder)
    old = freshness.digest_of((h, p.read_bytes()) for h, p in freshness.files(releases[0] / "citations"))
    with for_writing(copy.places) as session:
        agreement.meta(raw(session), door.RELEASE_DIGEST, old)
    monkeypatch.setattr(places, "shipped", lambda: releases[1])
    assert [report.origin for report in copy.sync().reports] == ["library", "release"]
    monkeypatch.setattr(places, "shipped", lambda: releases[0])
    assert [report.origin for report in copy.sync().reports] == ["library"]


def test_a_rename_counts_as_what_the_text_does_not_have_yet(copy: Copy) -> None:
    from kb.library import difference

    copy.rename("third", "renamed")
    report = copy.sync().reports[0]
    assert report.ahead == 1
    with copy.reading() as connection:
        theirs = difference.of_text(connection, copy.library, copy.places.working.parent)
        changes = {(one.name, one.change) for one in difference.differences(connection, theirs)}
    assert changes == {("renamed", "added"), ("third", "removed")}
    copy.export()
    assert copy.sync().reports[0].ahead == 0
    with copy.reading() as connection:
        theirs = difference.of_text(connection, copy.library, copy.places.working.parent)
        assert not list(difference.differences(connection, theirs))
