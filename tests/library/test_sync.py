"""The three-way merge: every case of one record, and what must survive it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kb.errors import KbError
from kb.library.text import BrokenLibrary
from kb.store import queries
from tests.library.conftest import Copy, claim

Copies = Callable[[str], Copy]


def statement(copy: Copy, name: str) -> str:
    return str(copy.records()["claim", name]["statement"])


def test_a_second_sync_has_nothing_to_do(copy: Copy) -> None:
    report = copy.sync().reports[0]
    assert (report.taken, report.conflicts, report.ahead) == ([], [], 0)
    assert report.same == 8


def test_what_only_the_text_changed_is_taken(copy: Copy) -> None:
    copy.edit_text("The first thing holds.", "The first thing holds well.")
    taken = copy.sync().reports[0].taken
    assert [(t.name, t.action) for t in taken] == [("first", "changed")]
    assert statement(copy, "first") == "The first thing holds well."


def test_what_only_the_store_changed_stays(copy: Copy) -> None:
    copy.change("first", statement="Mine.")
    outcome = copy.sync()
    assert outcome.reports[0].ahead == 1
    assert statement(copy, "first") == "Mine."
    assert not outcome.standing


def test_the_same_change_on_both_sides_is_no_conflict(copy: Copy) -> None:
    copy.change("first", statement="Both say so.")
    copy.edit_text("The first thing holds.", "Both say so.")
    assert not copy.sync().standing
    assert copy.sync().reports[0].same == 8


def test_a_record_changed_on_both_sides_stays_ours_and_is_listed(copy: Copy) -> None:
    copy.change("first", statement="Mine.")
    copy.edit_text("The first thing holds.", "Theirs.")
    outcome = copy.sync()
    assert [(c.name, c.why) for c in outcome.reports[0].conflicts] == [("first", "changed on both sides")]
    assert statement(copy, "first") == "Mine."
    with copy.reading() as connection:
        (kept,) = queries.show_claim(connection, "first")["conflict"]
    assert kept["theirs"]["statement"] == "Theirs."


def test_a_conflict_is_listed_at_every_sync_until_it_is_decided(copy: Copy) -> None:
    copy.change("first", statement="Mine.")
    copy.edit_text("The first thing holds.", "Theirs.")
    assert len(copy.sync().standing) == len(copy.sync().standing) == 1


@pytest.mark.parametrize(("side", "wins"), [("ours", "Mine."), ("theirs", "Theirs.")])
def test_a_decision_settles_a_conflict_for_good(copy: Copy, side: str, wins: str) -> None:
    copy.change("first", statement="Mine.")
    copy.edit_text("The first thing holds.", "Theirs.")
    copy.sync()
    assert not copy.sync(take=side, names=["first"]).standing
    assert statement(copy, "first") == wins
    assert not copy.sync().standing


def test_a_conflict_goes_when_the_text_comes_back_to_ours(copy: Copy) -> None:
    copy.change("first", statement="Mine.")
    copy.edit_text("The first thing holds.", "Theirs.")
    copy.sync()
    copy.edit_text("Theirs.", "Mine.")
    assert not copy.sync().standing


def test_deciding_what_is_in_no_conflict_is_an_error(copy: Copy) -> None:
    with pytest.raises(KbError, match="second is in no conflict"):
        copy.sync(take="ours", names=["second"])


def test_the_same_id_added_on_both_sides_keeps_both_versions(copy: Copy) -> None:
    copy.put(claim("new", statement="Mine."))
    copy.edit_text(
        "# end of the file",
        "- id: new\n  kind: framing\n  statement: Theirs.\n  asserted_by: B\n  status: open\n",
    )
    outcome = copy.sync()
    assert outcome.reports[0].conflicts[0].why == "added on both sides"
    assert statement(copy, "new") == "Mine."


def test_a_record_removed_from_the_text_and_unchanged_here_goes(copy: Copy) -> None:
    text = (copy.library / "claims/group.yaml").read_text("utf-8")
    start, end = text.index("- id: third"), text.index("# end")
    copy.edit_text(text[start:end], "")
    assert [(t.name, t.action) for t in copy.sync().reports[0].taken] == [("third", "removed")]
    assert ("claim", "third") not in copy.records()


def test_a_removed_record_can_be_brought_back_by_undo(copy: Copy) -> None:
    from kb.store import edit
    from kb.store.connect import for_writing

    text = (copy.library / "claims/group.yaml").read_text("utf-8")
    copy.edit_text(text[text.index("- id: third") : text.index("# end")], "")
    copy.sync()
    with for_writing(copy.places) as session:
        edit.undo(session)
    assert ("claim", "third") in copy.records()
    copy.sync()
    assert ("claim", "third") in copy.records()


def test_a_record_removed_from_the_text_and_changed_here_stays_and_is_listed(copy: Copy) -> None:
    copy.change("third", statement="Mine?")
    text = (copy.library / "claims/group.yaml").read_text("utf-8")
    copy.edit_text(text[text.index("- id: third") : text.index("# end")], "")
    outcome = copy.sync()
    assert outcome.reports[0].conflicts[0].why == "changed here, removed there"
    assert statement(copy, "third") == "Mine?"
    assert not copy.sync(take="theirs", names=["third"]).standing
    assert ("claim", "third") not in copy.records()


def test_a_record_removed_here_and_unchanged_in_the_text_stays_removed(copy: Copy) -> None:
    copy.remove("third")
    copy.sync()
    assert ("claim", "third") not in copy.records()


def test_a_record_removed_here_and_changed_in_the_text_is_listed(copy: Copy) -> None:
    copy.remove("third")
    copy.edit_text("Does the third thing hold?", "Does it hold?")
    outcome = copy.sync()
    assert outcome.reports[0].conflicts[0].why == "removed here, changed there"
    copy.sync(take="theirs", names=["third"])
    assert statement(copy, "third") == "Does it hold?"


def test_a_record_removed_here_and_only_renamed_in_the_text_stays_removed(copy: Copy) -> None:
    copy.remove("third")
    copy.edit_text("- id: third\n", "- id: renamed\n  aliases: [third]\n")
    outcome = copy.sync()
    assert not outcome.standing
    assert not {("claim", "third"), ("claim", "renamed")} & copy.records().keys()
    assert not copy.sync().reports[0].taken


def test_a_record_removed_here_and_renamed_and_changed_in_the_text_is_listed(copy: Copy) -> None:
    copy.remove("third")
    copy.edit_text("- id: third\n", "- id: renamed\n  aliases: [third]\n")
    copy.edit_text("Does the third thing hold?", "Does it hold?")
    outcome = copy.sync()
    assert [(one.name, one.why) for one in outcome.reports[0].conflicts] == [
        ("renamed", "removed here, changed there")
    ]
    assert not copy.sync(take="theirs", names=["renamed"]).standing
    assert statement(copy, "renamed") == "Does it hold?"
    assert not copy.sync().reports[0].taken


def test_a_text_from_before_two_renames_is_only_older(copy: Copy) -> None:
    copy.rename("third", "once")
    copy.sync()
    copy.rename("once", "twice")
    copy.change("twice", statement="Mine?")
    outcome = copy.sync()
    assert not outcome.standing
    assert statement(copy, "twice") == "Mine?"


def test_a_conflict_goes_by_the_name_that_the_record_has_today(copy: Copy) -> None:
    copy.change("third", statement="Mine?")
    copy.edit_text("Does the third thing hold?", "Theirs?")
    assert [one["name"] for one in copy.sync().standing] == ["third"]
    copy.rename("third", "today")
    assert [one["name"] for one in copy.sync().standing] == ["today"]
    assert not copy.sync(take="theirs", names=["today"]).standing
    assert statement(copy, "today") == "Theirs?"
    assert copy.records()["claim", "today"]["aliases"] == ["third"]


@pytest.mark.parametrize("name", ["today", "third"])
def test_a_conflict_is_decided_right_after_a_rename_by_either_name(copy: Copy, name: str) -> None:
    copy.change("third", statement="Mine?")
    copy.edit_text("Does the third thing hold?", "Theirs?")
    copy.sync()
    copy.rename("third", "today")
    assert not copy.sync(take="theirs", names=[name]).standing
    assert statement(copy, "today") == "Theirs?"


def test_deciding_for_theirs_brings_back_what_theirs_needs(copy: Copy) -> None:
    copy.put(claim("needed"))
    copy.export()
    copy.remove("needed")
    copy.change("third", statement="Mine?")
    copy.edit_text(
        "  statement: Does the third thing hold?\n",
        "  statement: Theirs?\n  relations:\n  - {type: qualifies, claim: needed}\n",
    )
    assert [one["name"] for one in copy.sync().standing] == ["third"]
    outcome = copy.sync(take="theirs", names=["third"])
    assert [(one.name, one.why) for one in outcome.decided] == [
        ("needed", "brought back, third needs it"),
        ("third", "theirs taken"),
    ]
    assert not outcome.standing
    assert statement(copy, "third") == "Theirs?"
    assert ("claim", "needed") in copy.records()
    assert not copy.sync().reports[0].taken


def test_a_removal_waits_while_something_of_ours_points_at_the_record(copy: Copy) -> None:
    copy.put(claim("own", citations=[{"source": "two2021", "stance": "asserts"}]))
    text = (copy.library / "references.bib").read_text("utf-8")
    copy.edit_text(text[text.index("@misc") :], "", "references.bib")
    outcome = copy.sync()
    assert outcome.reports[0].conflicts[0].why == "removed there, still used by claim own"
    assert ("source", "two2021") in copy.records()


def test_two_claims_that_point_at_each_other_can_go_together(copy: Copy) -> None:
    copy.put(claim("ping"))
    copy.put(claim("pong", relations=[{"type": "supports", "claim": "ping"}]))
    copy.change("ping", relations=[{"type": "supports", "claim": "pong"}])
    copy.export()
    (copy.library / "claims/own.yaml").unlink()
    assert not copy.sync().standing
    assert not {("claim", "ping"), ("claim", "pong")} & copy.records().keys()


def test_a_source_that_we_removed_comes_back_when_a_new_claim_of_theirs_cites_it(copy: Copy) -> None:
    copy.remove("two2021", "source")
    new = "- id: new\n  kind: framing\n  statement: N.\n  asserted_by: B\n  status: open\n  citations:\n  - source: two2021\n    stance: asserts\n"
    copy.edit_text("# end of the file", new)
    taken = {(t.name, t.action) for t in copy.sync().reports[0].taken}
    assert taken == {("two2021", "brought back"), ("new", "added")}


def test_a_rename_in_the_text_takes_what_points_at_it_along(copy: Copy) -> None:
    copy.put(claim("own", relations=[{"type": "supports", "claim": "third"}]))
    copy.edit_text("- id: third\n", "- id: troisieme\n  aliases: [third]\n")
    outcome = copy.sync()
    assert not outcome.standing
    assert copy.records()["claim", "own"]["relations"] == [{"type": "supports", "claim": "troisieme"}]
    assert ("claim", "third") not in copy.records()


def test_a_rename_here_takes_their_edit_of_the_old_name(copy: Copy) -> None:
    copy.rename("first", "premier")
    copy.edit_text("The first thing holds.", "The first thing holds well.")
    assert not copy.sync().standing
    assert statement(copy, "premier") == "The first thing holds well."
    assert ("claim", "first") not in copy.records()
    assert copy.records()["claim", "second"]["relations"][0]["claim"] == "premier"
    assert not copy.sync().reports[0].taken


def test_a_rename_here_reaches_the_text_and_stays_settled(copy: Copy) -> None:
    copy.rename("one2020", "uno2020", "source")
    copy.export()
    assert "ids = {one2020}" in (copy.library / "references.bib").read_text("utf-8")
    report = copy.sync().reports[0]
    assert (report.taken, report.conflicts, report.ahead) == ([], [], 0)


def test_nothing_is_taken_while_any_record_of_the_text_is_broken(copy: Copy) -> None:
    before = copy.contents()
    copy.edit_text("The first thing holds.", "Changed.")
    copy.edit_text("kind: advice", "kind: advise")
    copy.edit_text("status: open\n  # nobody", "status: opened\n  # nobody")
    with pytest.raises(BrokenLibrary) as raised:
        copy.sync()
    told = [str(problem) for problem in raised.value.problems]
    assert [line.split(": ")[0] for line in told] == ["claims/group.yaml:15", "claims/group.yaml:29"]
    assert raised.value.code == 2
    assert copy.contents() == before


def test_an_emptied_library_does_not_empty_the_store(copy: Copy) -> None:
    for path in copy.library.rglob("*.*"):
        path.unlink()
    with pytest.raises(KbError, match="nothing was removed"):
        copy.sync()
    assert len(copy.records()) == 8


def test_own_history_survives_and_tells_what_a_sync_did(copy: Copy) -> None:
    copy.change("second", note="mine")
    copy.edit_text("The first thing holds.", "Changed.")
    copy.sync()
    with copy.reading() as connection:
        told = [(c["name"], c["action"], c["why"]) for c in queries.history(connection)]
    assert told[:2] == [("first", "edit", "sync with library"), ("second", "edit", "")]


def test_search_finds_what_a_sync_brought(copy: Copy) -> None:
    from kb.store.search import search_claims

    copy.edit_text("The first thing holds.", "Giraffes hold.")
    copy.sync()
    with copy.reading() as connection:
        assert [c["id"] for c in search_claims(connection, "giraffes")[0]] == ["first"]


def test_a_record_that_moved_to_another_file_moves_in_the_store(copy: Copy) -> None:
    text = (copy.library / "claims/group.yaml").read_text("utf-8")
    block = text[text.index("- id: third") : text.index("  # nobody")]
    copy.edit_text(block, "")
    (copy.library / "claims/other.yaml").write_text(block, "utf-8")
    assert not copy.sync().reports[0].taken
    with copy.reading() as connection:
        placed = queries.placed_record(connection, "claim", "third")
    assert placed is not None
    assert (placed["home"], placed["position"]) == ("claims/other.yaml", 0)


def test_a_colleagues_edit_is_taken_and_their_older_text_is_not(copies: Copies) -> None:
    ours, theirs = copies("ours"), copies("theirs")
    theirs.edit_text("The first thing holds.", "Theirs.")
    ours.edit_text("Does the third thing hold?", "Ours?")
    ours.sync()
    assert [(t.name, t.action) for t in ours.meet(theirs).taken] == [("first", "changed")]
    assert statement(ours, "third") == "Ours?"
    assert statement(ours, "first") == "Theirs."


def test_a_colleagues_library_that_holds_less_removes_nothing_of_ours(copies: Copies, tmp_path: Path) -> None:
    ours = copies("ours")
    part = tmp_path / "part"
    (part / "claims").mkdir(parents=True)
    new = "- id: new\n  kind: framing\n  statement: N.\n  asserted_by: B\n  status: open\n"
    (part / "claims/x.yaml").write_text(
        new + "  citations:\n  - source: one2020\n    stance: asserts\n", "utf-8"
    )
    assert [(t.name, t.action) for t in ours.meet(part).taken] == [("new", "added")]
    assert len(ours.records()) == 9


def test_a_colleagues_claim_that_cites_what_nobody_has_is_refused_with_its_line(
    copy: Copy, tmp_path: Path
) -> None:
    part = tmp_path / "part"
    (part / "claims").mkdir(parents=True)
    new = "- id: new\n  kind: framing\n  statement: N.\n  asserted_by: B\n  status: open\n"
    (part / "claims/x.yaml").write_text(
        new + "  citations:\n  - source: nobody\n    stance: asserts\n", "utf-8"
    )
    with pytest.raises(
        BrokenLibrary, match=r"claims/x.yaml:1: claim new: no source named 'nobody' here or there"
    ):
        copy.meet(part)
    assert ("claim", "new") not in copy.records()


def test_what_a_colleague_removes_after_the_first_meeting_goes(copies: Copies) -> None:
    ours, theirs = copies("ours"), copies("theirs")
    ours.meet(theirs)
    theirs.remove("third")
    theirs.export()
    assert [(t.name, t.action) for t in ours.meet(theirs).taken] == [("third", "removed")]


def test_a_failure_in_the_middle_leaves_the_store_as_it_was(
    copy: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kb.store import edit

    before = copy.contents()
    copy.edit_text("The first thing holds.", "Changed.")
    copy.edit_text("Does the third thing hold?", "Changed?")
    put, calls = edit.put, []

    def failing(session, record, **more):  # type: ignore[no-untyped-def]
        calls.append(record)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        return put(session, record, **more)

    monkeypatch.setattr(edit, "put", failing)
    with pytest.raises(KbError, match="No space left"):
        copy.sync()
    assert copy.contents() == before
