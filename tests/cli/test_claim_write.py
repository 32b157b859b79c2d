"""`kb claim add | edit | cite | relate | remove | rename | undo | history`: by options, file and stdin."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kb.store import connect, queries
from kb.store.places import find

ADD = ["claim", "add", "--id", "new", "--kind", "empirical", "--statement", "It is so.", "--by", "A. Author"]


@pytest.fixture(autouse=True)
def _filled(store: Path) -> None:
    """Each test has the small library."""


def record(store_path: Path, name: str) -> dict:
    connection = connect.open_to_read(find(str(store_path)).working)
    try:
        return queries.record(connection, "claim", name) or {}
    finally:
        connection.close()


def test_add_by_options_with_a_citation(kb, store_path: Path) -> None:
    result = kb(
        *ADD, "--date", "2023-03", "--tag", "maze", "--tag", "rl", "--source", "comments", "--stance", "disputes",
        "--locator", "p. 3", "--quote", "it is so", "--seen", "primary", "--seen-at", "https://example.org",
        "--role", "limitation", "--indirect", "--why", "read today",
    )  # fmt: skip
    assert (result.code, result.out) == (0, "")
    assert result.err == "added new; `kb claim undo` takes it back\n"
    assert record(store_path, "new") == {
        "id": "new",
        "kind": "empirical",
        "statement": "It is so.",
        "asserted_by": "A. Author",
        "date": "2023-03",
        "status": "open",
        "tags": ["maze", "rl"],
        "citations": [
            {
                "source": "comments",
                "stance": "disputes",
                "directness": "indirect",
                "role": "limitation",
                "locator": "p. 3",
                "quote": "it is so",
                "seen": "primary",
                "seen_at": "https://example.org",
            }
        ],
    }


def test_a_write_with_json_prints_one_document(kb) -> None:
    assert kb(*ADD, "--json").json == {"action": "added", "claims": ["new"]}


def test_add_a_prediction_by_options(kb, store_path: Path) -> None:
    arguments = [word if word != "empirical" else "prediction" for word in ADD]
    assert kb(*arguments, "--probability", "0.7", "--resolution", "by a rule").code == 0
    assert record(store_path, "new")["prediction"] == {
        "probability": 0.7,
        "forecaster": "A. Author",
        "resolution": "by a rule",
    }


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--kind", "guess"], "kind"),
        (["--status", "maybe"], "status"),
        (["--date", "yesterday"], "date"),
        (["--tag", "No Spaces"], "tags"),
        (["--source", "nobody2020"], "nobody2020"),
        (["--source", "coments"], "did you mean comments?"),
        (["--source", "comments", "--stance", "likes"], "stance"),
        (["--source", "comments", "--quote", "words that nobody has seen"], "seen"),
        (["--source", "comments", "--seen", "primary", "--quote", "word " * 41], "41 words"),
        (["--statement", "x" * 1_000_000], "statement"),
        (["--statement", "a\x00b"], r"\x00"),
        (["--statement", "red \x1b[31m"], r"\x1b"),
        (["--statement", "two\nlines"], "one line"),
        (["--probability", "7", "--resolution", "r", "--kind", "prediction"], "probability"),
        (["--id", "Not An Id"], "id"),
    ],
)
def test_a_bad_value_is_refused_in_one_short_line_and_nothing_is_written(
    options: list[str], told: str, kb, store_path: Path
) -> None:
    result = kb(*ADD, *options)
    assert result.code in (1, 2)
    assert told in result.err
    assert result.err.count("\n") == 1
    assert len(result.err) < 1000
    assert "\x1b" not in result.err
    assert record(store_path, "new") == {}


@pytest.mark.parametrize(
    "text", ["[bold red]x[/bold red] [link=file:///]", "right \u202eto left", "{0} %s $(x)"]
)
def test_markup_and_marks_are_inert(text: str, kb, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kb.cli.output.on_terminal", lambda: True)
    kb(*ADD, "--statement", text)
    out = kb("claim", "show", "new").out
    assert text.replace("\u202e", "\\u202e") in out
    assert "\u202e" not in kb("claim", "list").out + kb("claim", "show", "new", "--json").out


def test_a_claim_that_is_there_cannot_be_added_again(kb) -> None:
    result = kb("claim", "add", "--id", "four-percent", *ADD[4:])
    assert result.code == 1
    assert "`kb claim edit four-percent`" in result.err


def test_add_from_a_yaml_file_with_a_list(kb, tmp_path: Path, store_path: Path) -> None:
    file = tmp_path / "claims.yaml"
    file.write_text(
        "- id: one\n  kind: advice\n  statement: Test it.\n  asserted_by: B\n  date: 2023\n  status: open\n"
        "  relations:\n  - type: supports\n    claim: two\n"
        "- id: two\n  kind: advice\n  statement: Keep it simple.\n  asserted_by: B\n  status: open\n"
    )
    result = kb("claim", "add", "--from", str(file))
    assert (result.code, result.err) == (0, "added one two; `kb claim undo` takes it back\n")
    assert record(store_path, "one")["date"] == "2023"
    assert record(store_path, "one")["relations"] == [{"type": "supports", "claim": "two"}]


def test_add_from_stdin_as_json(kb, store_path: Path) -> None:
    claim = {
        "id": "one",
        "kind": "advice",
        "statement": "Test \ud83d\ude00.",
        "asserted_by": "B",
        "status": "open",
    }
    assert kb("claim", "add", "--from", "-", stdin=json.dumps(claim)).code == 0
    assert record(store_path, "one")["statement"] == "Test 😀."


def test_what_show_exports_as_a_record_can_be_added_again(kb, store_path: Path) -> None:
    before = record(store_path, "four-percent")
    fresh = {**before, "id": "again", "aliases": [], "relations": []}
    assert kb("claim", "add", "--from", "-", stdin=json.dumps([fresh])).code == 0
    after = record(store_path, "again")
    assert after["citations"] == before["citations"]
    assert after["computations"] == before["computations"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("- id: one\n  kind: guess\n  statement: S.\n  asserted_by: B\n  status: open\n", "stdin:2:"),
        ("id: one\nkind: advice\nstatement: S.\nasserted_by: B\nstatus: [open\n", "stdin:6:"),
        ("id: one\nkind: advice\nid: two\n", "stdin:3:"),
        ("id: &a one\n", "anchors"),
        ("id: !!python/object:os.system x\n", "tags"),
        (
            '{"id": "one",\n "kind": "guess", "statement": "S", "asserted_by": "B", "status": "open"}',
            "stdin:2:",
        ),
        ('{"id": "one",\n "kind" "advice"}', "stdin:2:"),
        ('{"id": "one", "id": "two"}', "twice"),
        ("just words", "stdin:1:"),
        ("", "stdin:1:"),
        ("- 3\n", "stdin:1:"),
        ("[" * 5000, "stdin:1:"),
        (
            "id: one\nkind: advice\nstatement: S.\nasserted_by: B\nstatus: open\ncitations:\n"
            "- source: comments\n  stance: asserts\n- source: nobody\n  stance: asserts\n",
            "stdin:9:",
        ),
        (
            "id: one\nkind: advice\nstatement: S.\nasserted_by: B\nstatus: open\ncitations:\n- source:\n  stance:\n"
            "- source: comments\n  stance: likes\n",
            "stdin:10:",
        ),
    ],
)
def test_a_fault_in_a_file_is_named_with_its_line(text: str, told: str, kb) -> None:
    result = kb("claim", "add", "--from", "-", stdin=text)
    assert result.code == 2
    assert told in result.err
    assert result.err.count("\n") == 1


def test_a_file_with_one_bad_record_adds_none(kb, store_path: Path) -> None:
    good = {"id": "one", "kind": "advice", "statement": "S.", "asserted_by": "B", "status": "open"}
    text = json.dumps([good, {**good, "id": "four-percent"}])
    assert kb("claim", "add", "--from", "-", stdin=text).code == 1
    assert record(store_path, "one") == {}


def test_a_file_that_is_not_there_or_no_text_is_told(kb, tmp_path: Path) -> None:
    assert "No such file" in kb("claim", "add", "--from", str(tmp_path / "none.yaml")).err
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    assert "not UTF-8" in kb("claim", "add", "--from", str(tmp_path / "bytes")).err


def test_from_and_other_options_exclude_each_other(kb) -> None:
    assert kb("claim", "add", "--from", "-", "--id", "x").code == 2


def test_edit_by_options_says_what_was_done_and_how_to_undo_it(kb, store_path: Path) -> None:
    result = kb("claim", "edit", "four-percent", "--status", "disputed", "--add-tag", "x", "--why", "a reply")
    assert result.err == "changed four-percent; `kb claim undo` takes it back\n"
    after = record(store_path, "four-percent")
    assert (after["status"], after["tags"]) == ("disputed", ["decision-transformer", "d4rl", "x"])


def test_edit_can_clear_fields_and_remove_tags(kb, store_path: Path) -> None:
    assert kb("claim", "edit", "four-percent", "--clear", "caveat", "--remove-tag", "d4rl").code == 0
    after = record(store_path, "four-percent")
    assert "caveat" not in after
    assert after["tags"] == ["decision-transformer"]


@pytest.mark.parametrize("options", [["--clear", "answer"], ["--remove-tag", "nothing"], ["--status", "x"]])
def test_an_edit_that_cannot_be_is_told(options: list[str], kb) -> None:
    assert kb("claim", "edit", "four-percent", *options).code == 2


def test_an_edit_that_changes_nothing_says_so(kb) -> None:
    assert "nothing was changed" in kb("claim", "edit", "four-percent", "--status", "supported").err


def test_edit_finds_a_claim_by_a_former_id_and_offers_the_nearest(kb) -> None:
    assert "changed four-percent" in kb("claim", "edit", "dt-four", "--note", "n").err
    assert "did you mean four-percent" in kb("claim", "edit", "four-percant", "--note", "n").err


def test_edit_from_a_file_replaces_the_record(kb, store_path: Path) -> None:
    after = {**record(store_path, "small-mazes"), "note": "from a file"}
    assert kb("claim", "edit", "small-mazes", "--from", "-", stdin=json.dumps(after)).code == 0
    assert record(store_path, "small-mazes") == after
    result = kb("claim", "edit", "small-mazes", "--from", "-", stdin=json.dumps({**after, "id": "other"}))
    assert "kb claim rename" in result.err


def test_cite_adds_a_citation(kb, store_path: Path) -> None:
    result = kb(
        "claim", "cite", "four-percent", "comments", "--stance", "disputes", "--locator", "third paragraph",
        "--quote", "not so", "--seen", "comment",
    )  # fmt: skip
    assert result.err == "four-percent now cites comments; `kb claim undo` takes it back\n"
    assert record(store_path, "four-percent")["citations"][-1]["quote"] == "not so"


def test_cite_records_an_absence(kb, store_path: Path) -> None:
    result = kb(
        "claim", "cite", "four-percent", "comments", "--looked-for", "a number", "--section", "all", "--read-by",
        "me", "--read-on", "2026-11-24", "--seen", "primary",
    )  # fmt: skip
    assert result.code == 0
    assert record(store_path, "four-percent")["citations"][-1]["absence"] == {
        "looked_for": "a number",
        "sections": ["all"],
        "by": "me",
        "on": "2026-11-24",
    }


def test_cite_of_an_unknown_source_offers_the_nearest(kb) -> None:
    result = kb("claim", "cite", "four-percent", "chen2021decison")
    assert result.code == 2
    assert "chen2021decision" in result.err


def test_relate_and_take_the_relation_away(kb, store_path: Path) -> None:
    assert kb("claim", "relate", "small-mazes", "qualifies", "dt-four", "--note", "n").code == 0
    assert record(store_path, "small-mazes")["relations"] == [
        {"type": "qualifies", "claim": "four-percent", "note": "n"}
    ]
    assert kb("claim", "relate", "small-mazes", "qualifies", "four-percent", "--remove").code == 0
    assert "relations" not in record(store_path, "small-mazes")
    assert kb("claim", "relate", "small-mazes", "qualifies", "four-percent", "--remove").code == 1


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["small-mazes", "loves", "four-percent"], 2, "undercuts"),
        (["small-mazes", "supports", "four-procent"], 1, "did you mean four-percent"),
        (["small-mazes", "supports", "small-mazes"], 2, "itself"),
    ],
)
def test_a_relation_that_cannot_be_is_told(arguments: list[str], code: int, told: str, kb) -> None:
    result = kb("claim", "relate", *arguments)
    assert result.code == code
    assert told in result.err


def test_remove_and_undo(kb, store_path: Path) -> None:
    before = record(store_path, "small-mazes")
    assert "removed small-mazes" in kb("claim", "remove", "small-mazes", "--why", "wrong").err
    assert record(store_path, "small-mazes") == {}
    result = kb("claim", "undo")
    assert result.err.startswith("taken back: remove claim small-mazes")
    assert "(wrong)" in result.err
    assert record(store_path, "small-mazes") == before


def test_a_claim_that_others_point_at_is_not_removed(kb, store_path: Path) -> None:
    result = kb("claim", "remove", "random-suffices")
    assert result.code == 1
    assert "claim four-percent" in result.err
    assert record(store_path, "random-suffices")


def test_rename_leaves_the_old_name_working(kb, store_path: Path) -> None:
    assert "is now random-is-enough" in kb("claim", "rename", "random-suffices", "random-is-enough").err
    assert kb("claim", "show", "random-suffices", "--json").json["id"] == "random-is-enough"
    assert record(store_path, "four-percent")["relations"][0]["claim"] == "random-is-enough"
    kb("claim", "undo")
    assert record(store_path, "random-suffices")


def test_undo_with_nothing_to_undo_says_so(kb) -> None:
    result = kb("claim", "undo")
    assert result.code == 1
    assert "nothing to undo" in result.err


def test_history_tells_what_changed_by_whom_and_why(kb) -> None:
    kb("claim", "edit", "four-percent", "--status", "disputed", "--add-tag", "x", "--why", "a reply")
    kb("claim", "undo", "--why", "too early")
    changes = kb("claim", "history", "four-percent", "--json").json
    assert [(c["action"], c["why"]) for c in changes] == [("undo", "too early"), ("edit", "a reply")]
    lines = kb("claim", "history").out.splitlines()
    assert "status supported → disputed; tags + x" in lines[2]
    assert lines[2].endswith("a reply")


def test_history_of_a_removed_claim_is_still_there(kb) -> None:
    kb("claim", "remove", "small-mazes")
    assert [c["action"] for c in kb("claim", "history", "small-mazes", "--json").json] == ["remove"]


def test_history_of_an_unknown_claim_offers_the_nearest(kb) -> None:
    assert "did you mean four-percent" in kb("claim", "history", "four-procent").err


def test_history_without_changes_says_so(kb) -> None:
    result = kb("claim", "history")
    assert result.code == 0
    assert "nothing was changed" in result.err
