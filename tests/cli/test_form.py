"""Forms in an editor: filled, left alone, wrong, wrong again; never lost."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from kb import records
from kb.cli import claim_form, form, reading_records
from kb.store import connect, queries

GOOD = "id: new\nkind: advice\nstatement: Test it.\nasserted_by: B\nstatus: open\n"


@pytest.fixture(autouse=True)
def _filled(store: Path) -> None:
    """Each test has the small library."""


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """`editor("python code on `text`", ...)`: one piece of code for each time that the editor is opened.

    The code sees `text` and `path`, and sets `text`; what the editor was shown is kept in `shown-N`.
    """

    def write(*codes: str) -> Path:
        script = tmp_path / "editor.py"
        script.write_text(
            "import pathlib, sys\n"
            f"folder = pathlib.Path({str(tmp_path)!r})\n"
            "path = pathlib.Path(sys.argv[1])\n"
            "text = path.read_text()\n"
            "n = len(list(folder.glob('shown-*')))\n"
            "(folder / f'shown-{n}').write_text(text)\n"
            f"code = {list(codes)!r}[n]\n"
            "exec(code)\n"
            "if path.exists(): path.write_text(text)\n"
        )
        monkeypatch.setenv("EDITOR", f"{sys.executable} {script}")
        return tmp_path

    return write


def names(store_path: Path) -> list[str]:
    connection = connect.open_to_read(store_path)
    try:
        return queries.names(connection, "claim")
    finally:
        connection.close()


def kept(store_path: Path) -> list[Path]:
    folder = store_path.parent / "forms"
    return sorted(folder.iterdir()) if folder.is_dir() else []


def test_a_filled_form_adds_a_claim_and_leaves_no_file(kb, editor, store_path: Path) -> None:
    editor(f"text = {GOOD!r}")
    result = kb("claim", "add")
    assert (result.code, result.err) == (0, "added new; `kb claim undo` takes it back\n")
    assert "new" in names(store_path)
    assert kept(store_path) == []


def test_the_blank_form_can_be_filled_line_by_line(kb, editor, store_path: Path) -> None:
    fill = {
        "id:": "id: new",
        "kind:": "kind: empirical",
        "statement:": "statement: It is so.",
        "asserted_by:": "asserted_by: B",
        "- source:": "- source: comments",
        "  stance:": "  stance: asserts",
    }
    code = (
        f"fill = {fill!r}\n"
        "text = '\\n'.join(next((new for old, new in fill.items() if line.startswith(old)), line)"
        " for line in text.split('\\n'))"
    )
    editor(code)
    assert kb("claim", "add").code == 0
    assert "new" in names(store_path)


def test_the_form_explains_fields_and_allowed_values(kb, editor) -> None:
    folder = editor("pass")
    kb("claim", "add")
    shown = (folder / "shown-0").read_text()
    for word in ("undercuts", "paper-copy", "superseded", "own-result", "40 words", "achievement"):
        assert word in shown


@pytest.mark.parametrize("code", ["pass", "text = ''", "text = '# nothing\\n\\n'"])
def test_an_unchanged_or_empty_form_changes_nothing(code: str, kb, editor, store_path: Path) -> None:
    editor(code)
    result = kb("claim", "add")
    assert result.code == 1
    assert "nothing was changed" in result.err
    assert kept(store_path) == []


def test_a_form_that_was_removed_changes_nothing(kb, editor) -> None:
    editor("path.unlink()")
    assert kb("claim", "add").code == 1


def test_a_wrong_form_is_shown_again_with_the_faulty_line_marked(kb, editor, store_path: Path) -> None:
    folder = editor(f"text = {GOOD.replace('advice', 'guess')!r}", "text = text.replace('guess', 'advice')")
    assert kb("claim", "add").code == 0
    lines = (folder / "shown-1").read_text().splitlines()
    fault = next(n for n, line in enumerate(lines) if line.startswith(form.FAULT))
    assert "kind" in lines[fault]
    assert lines[fault + 1] == "kind: guess"
    assert "new" in names(store_path)
    assert kept(store_path) == []


def test_every_fault_is_marked_at_its_own_line(kb, editor) -> None:
    bad = GOOD.replace("advice", "guess").replace("open", "maybe")
    folder = editor(f"text = {bad!r}", f"text = {GOOD!r}")
    assert kb("claim", "add").code == 0
    lines = (folder / "shown-1").read_text().splitlines()
    marked = [lines[n + 1] for n, line in enumerate(lines) if line.startswith(form.FAULT)]
    assert marked == ["kind: guess", "status: maybe"]


def test_yaml_that_cannot_be_read_is_marked_too(kb, editor) -> None:
    folder = editor(f"text = {GOOD!r} + 'tags: [a\\n'", f"text = {GOOD!r}")
    assert kb("claim", "add").code == 0
    assert form.FAULT in (folder / "shown-1").read_text()


def test_a_source_that_is_not_there_is_marked_at_its_citation(kb, editor) -> None:
    cited = "citations:\n- source: comments\n  stance: asserts\n- source: nobody\n  stance: asserts\n"
    folder = editor(f"text = {GOOD + cited!r}", f"text = {GOOD!r}")
    assert kb("claim", "add").code == 0
    lines = (folder / "shown-1").read_text().splitlines()
    fault = next(n for n, line in enumerate(lines) if line.startswith(form.FAULT))
    assert lines[fault + 1] == "- source: nobody"


def test_a_wrong_form_given_back_unchanged_is_kept_and_its_path_named(kb, editor, store_path: Path) -> None:
    editor(f"text = {GOOD.replace('advice', 'guess')!r}", "pass")
    result = kb("claim", "add")
    assert result.code == 1
    (path,) = kept(store_path)
    assert str(path) in result.err
    assert "kb claim add --from" in result.err
    assert "kind: guess" in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_kept_form_can_be_taken_up_again(kb, editor, store_path: Path) -> None:
    editor(f"text = {GOOD.replace('advice', 'guess')!r}", "pass")
    kb("claim", "add")
    (path,) = kept(store_path)
    path.write_text(path.read_text().replace("guess", "advice"))
    assert kb("claim", "add", "--from", str(path)).code == 0
    assert "new" in names(store_path)


def test_an_editor_that_fails_keeps_what_was_written(kb, editor, store_path: Path) -> None:
    editor(f"path.write_text({GOOD!r}); sys.exit(3)")
    result = kb("claim", "add")
    assert result.code == 2
    (path,) = kept(store_path)
    assert str(path) in result.err
    assert path.read_text() == GOOD


def test_an_editor_that_fails_at_once_leaves_nothing(kb, editor, store_path: Path) -> None:
    editor("sys.exit(3)")
    assert kb("claim", "add").code == 1
    assert kept(store_path) == []


def test_edit_shows_the_record_and_changes_it(kb, editor, store_path: Path) -> None:
    folder = editor("text = text.replace('reaches 4%', 'reaches about 4%')")
    result = kb("claim", "edit", "four-percent")
    assert result.err == "changed four-percent; `kb claim undo` takes it back\n"
    assert "reaches about 4%" in kb("claim", "show", "four-percent").out
    assert "we can generate optimal trajectories" in (folder / "shown-0").read_text()


def test_edit_does_not_overwrite_what_another_changed_meanwhile(kb, editor, store_path: Path) -> None:
    again = "import subprocess; subprocess.run([sys.executable, '-m', 'kb.cli.main', 'claim', 'edit', 'four-percent',"
    again += " '--note', 'theirs'], check=True); text = text.replace('reaches 4%', 'mine')"
    editor(again, "pass")
    result = kb("claim", "edit", "four-percent")
    assert result.code == 1
    assert "changed meanwhile" in result.err
    assert len(kept(store_path)) == 1
    assert "theirs" in kb("claim", "show", "four-percent").out


def test_ctrl_c_while_the_editor_is_open_is_the_editors(kb, editor, store_path: Path) -> None:
    editor(f"import os, signal; os.kill(os.getppid(), signal.SIGINT); text = {GOOD!r}")
    assert kb("claim", "add").code == 0
    assert "new" in names(store_path)


def test_visual_comes_before_editor(kb, editor, monkeypatch: pytest.MonkeyPatch) -> None:
    editor(f"text = {GOOD!r}")
    monkeypatch.setenv("VISUAL", "no-such-editor --wait")
    result = kb("claim", "add")
    assert result.code == 2
    assert "no-such-editor" in result.err


def test_without_an_editor_and_a_terminal_there_is_one_line(kb) -> None:
    result = kb("claim", "add")
    assert result.code == 2
    assert "EDITOR is not set" in result.err
    assert result.err.count("\n") == 1


@pytest.mark.parametrize("editor_", ["'unclosed", "   "])
def test_an_editor_that_cannot_be_read_is_told(editor_: str, kb, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR", editor_)
    assert kb("claim", "add").code == 2


def test_the_form_of_a_claim_is_its_record(store_path: Path) -> None:
    connection = connect.open_to_read(store_path)
    try:
        for name in queries.names(connection, "claim"):
            plain = queries.record(connection, "claim", name)
            entry = reading_records.one(claim_form.of(plain or {}), where="form")
            assert records.plain(records.parse("claim", entry.data)) == plain
    finally:
        connection.close()
