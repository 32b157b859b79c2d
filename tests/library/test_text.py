"""Reading the library's text: every record with its place, every mistake with its line."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from kb.errors import KbError
from kb.library import text
from kb.library.text import BrokenLibrary, read_library
from tests.library.conftest import write_text


def problems(folder: Path) -> list[str]:
    with pytest.raises(BrokenLibrary) as raised:
        read_library(folder)
    assert "\n" not in str(raised.value)
    return [str(problem) for problem in raised.value.problems]


def edit(folder: Path, old: str, new: str, home: str = "claims/group.yaml") -> None:
    path = folder / home
    content = path.read_text("utf-8")
    assert old in content
    path.write_text(content.replace(old, new), "utf-8")


def test_every_record_is_read_with_its_home_and_position(tmp_path: Path) -> None:
    library = read_library(write_text(tmp_path))
    assert [(e.kind, e.name, e.home, e.position, e.line) for e in library.listed] == [
        ("source", "one2020", "references.bib", 0, 3),
        ("source", "two2021", "references.bib", 1, 9),
        ("claim", "first", "claims/group.yaml", 0, 4),
        ("claim", "second", "claims/group.yaml", 1, 14),
        ("claim", "third", "claims/group.yaml", 2, 25),
        ("figure", "a.b", "figures/table.csv", 0, 2),
        ("figure", "a.c", "figures/table.csv", 1, 4),
        ("talk", "short", "talks/short.yaml", 0, 2),
    ]


def test_a_file_is_the_sum_of_its_blocks(tmp_path: Path) -> None:
    library = read_library(write_text(tmp_path))
    for home, file in library.files.items():
        assert str(file) == (library.folder / home).read_text("utf-8")


def test_comments_belong_to_what_they_stand_above_or_in(tmp_path: Path) -> None:
    entries = {e.name: e for e in read_library(write_text(tmp_path)).files["claims/group.yaml"].entries}
    assert entries["second"].lead == "\n# --- second part ---\n\n"
    assert entries["third"].raw.endswith("  # nobody knows\n")
    assert entries["first"].raw.count("# checked twice") == 1


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("kind: advice", "kind: advise", "claims/group.yaml:15: claim 'second': kind: must be 'achievement'"),
        ("date: 2023", "date: 2023-13", "claims/group.yaml:20: claim 'second': date: is no date of the calendar"),
        ("stance: asserts", "stance: says", "claims/group.yaml:10: claim 'first': citations.0.stance: must be"),
        ("asserted_by: Ben", "asserted-by: Ben", "claims/group.yaml:14: claim 'second': asserted_by: is missing"),
        ("one2020, stance", "one2021, stance", "claims/group.yaml:10: claim first: no source named 'one2021'; did you mean one2020?"),
        ("claim: first", "claim: fist", "claims/group.yaml:24: claim second: no claim named 'fist'; did you mean first?"),
        ("- id: third", "- id: first", "claims/group.yaml:25: claim 'first' stands in claims/group.yaml:4 already"),
        ("- id: third", "- aliases: [first]\n  id: third", "claims/group.yaml:25: alias 'first' of third names first too (claims/group.yaml:4)"),
        ("- id: first\n", "- id: first\n   x: [\n", "claims/group.yaml:5: "),
        ("- id: first", "- id: &a first", "claims/group.yaml:4: YAML anchors are refused: write it out"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_file_and_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    folder = write_text(tmp_path)
    edit(folder, old, new)
    assert problems(folder)[0].startswith(told)


def test_an_unknown_field_offers_the_nearest_name(tmp_path: Path) -> None:
    folder = write_text(tmp_path)
    edit(
        folder,
        "{source: one2020, stance: asserts}",
        "source: one2020\n    stance: asserts\n    locater: p. 1",
    )
    edit(folder, "asserted_by: Cy", "asserted_by: Cy\n  stauts: open")
    told = problems(folder)
    assert (
        told[0]
        == "claims/group.yaml:12: claim 'first': citations.0.locater: is no field of it; did you mean `locator`?"
    )
    assert told[1] == "claims/group.yaml:31: claim 'third': stauts: is no field of it; did you mean `status`?"


def test_mistakes_in_tables_and_bibliographies_are_told_with_their_lines(tmp_path: Path) -> None:
    folder = write_text(tmp_path)
    edit(folder, 'primary,,"two', 'prime,,"two', "figures/table.csv")
    edit(folder, "a.c,one2020,", "a.c,one2020,extra,", "figures/table.csv")
    edit(folder, "year = {2021},\n", "year = {2021,\n", "references.bib")
    told = problems(folder)
    assert any(line.startswith("figures/table.csv:2: figure 'a.b': seen: ") for line in told)
    assert "figures/table.csv:4: 16 cells under 15 columns" in told
    assert any(line.startswith("references.bib:9: ") for line in told)


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("id,source", "figures/table.csv:1: no column locator"),
        ("idd,source", "figures/table.csv:1: unknown column 'idd'"),
    ],
)
def test_a_wrong_header_is_told(tmp_path: Path, header: str, told: str) -> None:
    folder = write_text(tmp_path)
    (folder / "figures/table.csv").write_text(f"{header}\n", "utf-8")
    assert problems(folder)[0].startswith(told)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"- id: \xff\n", "claims/x.yaml:1: is not UTF-8"),
        (b"\xef\xbb\xbf- id: x\n", "claims/x.yaml:1: starts with a byte-order mark"),
        (b"# a\n- id: x\r\n", "claims/x.yaml:2: ends in CR LF"),
        (b"- id: \0\n", "claims/x.yaml:1: holds a NUL character"),
        (b"- " + b"[" * 200_000, "claims/x.yaml:1: nested more than 24 deep"),
    ],
)
def test_hostile_bytes_get_one_clear_line(tmp_path: Path, content: bytes, told: str) -> None:
    folder = write_text(tmp_path)
    (folder / "claims/x.yaml").write_bytes(content)
    (line,) = problems(folder)
    assert line.startswith(told)


def test_an_open_conflict_of_git_is_named_by_its_line(tmp_path: Path) -> None:
    folder = write_text(tmp_path)
    (folder / "claims/x.yaml").write_text("# a\n=======\n<<<<<<< ours\n=======\n<<<<<<< x\n>>>>>>> theirs\n")
    (line,) = problems(folder)
    assert line.startswith("claims/x.yaml:3: git left a conflict open here")


@pytest.mark.parametrize("marks", ["<<<<<<< a\n>>>>>>> b\n=======\n", "<<<<<<< a\n======= \n>>>>>>> b\n"])
def test_marks_of_git_in_another_order_are_text(marks: str) -> None:
    assert text.as_text("claims/x.yaml", marks.encode()) == marks


def test_many_marks_of_git_without_the_last_are_looked_through_once() -> None:
    marks = "<<<<<<< \n=======\n" * 20_000
    started = time.process_time()
    assert text.as_text("claims/x.yaml", marks.encode()) == marks
    assert time.process_time() - started < 2


NAMES = [
    "a" * 96 + ".yaml",
    "é" * 48 + ".yaml",
    "a\u202elmay.yaml",
    "a\x85.yaml",
    "a\u200b.yaml",
    "a\udcff.yaml",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_is_too_long_or_has_what_nobody_sees_is_none_of_a_file(name: str) -> None:
    assert text.kind_of(f"claims/{name}") is None
    assert text.kind_of(f"claims/{name[0]}é ü-{'b' * 80}.yaml") == "claim"


@pytest.mark.parametrize("name", NAMES[:-1])
def test_a_file_under_such_a_name_is_told_and_not_passed_over(tmp_path: Path, name: str) -> None:
    folder = write_text(tmp_path)
    (folder / "claims" / name).write_text("[]\n", "utf-8")
    (line,) = problems(folder)
    assert "a file's name has at most 100 bytes" in line
    assert line.isprintable()


def test_a_file_that_is_too_large_is_not_even_read(tmp_path: Path) -> None:
    folder = write_text(tmp_path)
    with (folder / "claims/x.yaml").open("wb") as file:
        file.truncate(100_000_000)
    assert problems(folder) == ["claims/x.yaml: has 100 MB; 67 MB at most: split it"]


def test_references_may_be_larger_since_they_are_one_file(tmp_path: Path) -> None:
    folder = write_text(tmp_path)
    with (folder / "references.bib").open("ab") as file:
        file.truncate(300_000_000)
    assert problems(folder) == ["references.bib: has 300 MB; 268 MB at most: take the abstracts out"]
    text.check_size("references.bib", 100_000_000)


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    folder = write_text(tmp_path)
    secret = tmp_path / "secret.yaml"
    secret.write_text("- id: x\n", "utf-8")
    (folder / "claims/x.yaml").symlink_to(secret)
    (folder / "claims/y.yaml").symlink_to("y.yaml")
    (folder / "claims/z.yaml").mkdir()
    told = problems(folder)
    assert told[0] == "claims/x.yaml: is a symbolic link out of the library: refused"
    assert told[1].startswith("claims/y.yaml: ")
    assert told[2] == "claims/z.yaml: is not a plain file"


def test_at_most_twenty_problems_are_told(tmp_path: Path) -> None:
    folder = write_text(tmp_path)
    (folder / "claims/x.yaml").write_text("- id: x\n" * 50, "utf-8")
    assert len(problems(folder)) == 20


def test_a_reference_by_a_former_name_is_followed(tmp_path: Path) -> None:
    folder = write_text(tmp_path)
    edit(folder, "- id: first\n", "- id: premier\n  aliases: [first]\n")
    entries = {e.name: e.data for e in read_library(folder).placed()}
    assert entries["second"]["relations"][0]["claim"] == "premier"
    assert entries["short"]["select"]["claims"] == ["premier", "second"]


def test_no_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(KbError, match="no library at"):
        read_library(tmp_path / "nothing")


def test_a_file_that_changed_since_it_was_read_is_not_taken_for_what_it_was(tmp_path: Path) -> None:
    library = read_library(write_text(tmp_path))
    edit(library.folder, "date: 2023", "date: 2024")
    assert "claims/group.yaml" in library.files
    with pytest.raises(KbError, match=r"claims/group\.yaml changed while it was read"):
        library.files["claims/group.yaml"]
    assert str(library.files["figures/table.csv"])


def test_of_a_library_names_and_places_are_in_memory_and_contents_are_not(tmp_path: Path) -> None:
    library = read_library(write_text(tmp_path))
    assert [one.name for one in library.placed()] == [one.name for one in library.listed]
    for one in library.placed():
        held = library.by_name()[one.kind, one.name]
        assert (one.home, one.position, one.where) == (held.home, held.position, f"{held.home}:{held.line}")
        assert not any(isinstance(value, dict) for value in (getattr(held, name) for name in held.__slots__))
