"""Writing the text: what nobody changed keeps its bytes, and files change whole or not at all."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kb import records
from kb.errors import KbError
from kb.library import build, door, write
from kb.library.text import LibraryText, read_library
from kb.library.write import Wanted
from kb.store.connect import create, open_to_read, writing_to
from tests import strategies
from tests.library.conftest import BIB, CLAIMS, FIGURES, TALK, Copy, claim

SHIPPED = Path(__file__).resolve().parents[2] / "citations"


def test_nothing_is_written_where_nothing_changed(copy: Copy) -> None:
    before = {p: p.stat().st_mtime_ns for p in copy.library.rglob("*.*")}
    assert copy.export().written == []
    assert {p: p.stat().st_mtime_ns for p in copy.library.rglob("*.*")} == before


def test_a_changed_field_leaves_the_other_fields_and_all_comments_alone(copy: Copy) -> None:
    copy.change("third", status="superseded", headline="A headline")
    copy.export()
    expected = CLAIMS.replace("status: open\n  # nobody knows", "status: superseded\n  headline: A headline")
    assert (copy.library / "claims/group.yaml").read_text("utf-8") == expected


def test_a_renamed_record_keeps_its_place_and_its_comments(copy: Copy) -> None:
    before = (copy.library / "claims/group.yaml").read_text("utf-8")
    copy.rename("first", "renamed")
    copy.export()
    after = (copy.library / "claims/group.yaml").read_text("utf-8")
    assert after == before.replace("- id: first\n", "- id: renamed\n").replace(
        "  status: open\n  citations:", "  status: open\n  aliases:\n  - first\n  citations:", 1
    ).replace("claim: first", "claim: renamed")
    assert "see the minutes of May" in after
    assert "claims: [renamed, second]" in (copy.library / "talks/short.yaml").read_text("utf-8").replace(
        "claims:\n  - renamed\n  - second", "claims: [renamed, second]"
    )
    assert copy.export().written == []


def test_a_talk_keeps_its_comments_and_the_defaults_that_somebody_wrote_out(copy: Copy) -> None:
    copy.change("short", "talk", title="A shorter talk")
    copy.export()
    expected = TALK.replace("title: A short talk", "title: A shorter talk")
    assert (copy.library / "talks/short.yaml").read_text("utf-8") == expected


def test_a_changed_source_and_figure_leave_their_neighbours_alone(copy: Copy) -> None:
    copy.change("two2021", "source", fields={"title": "Two and a half", "year": "2021"})
    copy.change("a.c", "figure", value=3.0, seen="primary")
    copy.export()
    assert (copy.library / "references.bib").read_text("utf-8") == BIB.replace("{Two}", "{Two and a half}")
    assert (copy.library / "figures/table.csv").read_text("utf-8") == FIGURES.replace(
        "Table 1,score,,,score,raw,,,,,not-read", "Table 1,score,3,,score,raw,,,,,primary"
    )


def test_own_records_go_into_files_of_their_own(copy: Copy) -> None:
    copy.put(claim("mine"))
    copy.put({**copy.records()["figure", "a.b"], "id": "my.own"}, "figure")
    copy.put({**copy.records()["talk", "short"], "name": "mine"}, "talk")
    assert copy.export().written == ["claims/own.yaml", "figures/own.csv", "talks/mine.yaml"]
    assert (copy.library / "claims/group.yaml").read_text("utf-8") == CLAIMS
    assert (copy.library / "claims/own.yaml").read_text("utf-8").startswith("- id: mine\n  kind: empirical\n")


def test_a_new_source_stands_after_an_empty_line_at_the_end(copy: Copy) -> None:
    copy.put({"key": "new2022", "type": "misc", "kind": "paper", "fields": {"title": "New"}}, "source")
    copy.export()
    text = (copy.library / "references.bib").read_text("utf-8")
    assert text.startswith(BIB + "\n@misc{new2022,\n  title = {New},\n")


def test_a_removed_record_takes_the_comment_directly_above_it_along(copy: Copy) -> None:
    copy.edit_text("- id: third", "# about the third\n- id: third")
    copy.sync()
    copy.remove("third")
    copy.export()
    assert (copy.library / "claims/group.yaml").read_text("utf-8") == CLAIMS[
        : CLAIMS.index("- id: third")
    ] + "# end of the file\n"


def test_a_removal_that_is_undone_stands_where_it_stood(copy: Copy) -> None:
    data = copy.records()["claim", "second"]
    copy.change("short", "talk", select={"claims": ["first"]})
    copy.export()
    copy.remove("second")
    copy.export()
    from kb.store import edit
    from kb.store.connect import for_writing

    with for_writing(copy.places) as session:
        edit.undo(session)
    copy.export()
    names = [e.name for e in read_library(copy.library).files["claims/group.yaml"].entries]
    assert names == ["first", "second", "third"]
    assert copy.records()["claim", "second"] == data


def test_a_file_of_which_nothing_is_left_goes(copy: Copy) -> None:
    copy.put(claim("mine"))
    copy.export()
    copy.remove("mine")
    assert copy.export().written == ["claims/own.yaml"]
    assert not (copy.library / "claims/own.yaml").exists()


def test_a_file_without_a_last_line_end_keeps_what_is_in_it(copy: Copy) -> None:
    path = copy.library / "claims/own.yaml"
    path.write_text(
        "- id: mine\n  kind: framing\n  statement: M.\n  asserted_by: A\n  status: open  # end", "utf-8"
    )
    copy.sync()
    copy.put(claim("more"))
    copy.export()
    assert "status: open  # end\n- id: more\n" in path.read_text("utf-8")


@pytest.mark.parametrize(
    "home",
    [
        "../../evil.yaml",
        "claims/../../evil.yaml",
        "/tmp/evil.yaml",
        "claims/a/b.yaml",
        "claims/.x.yaml",
        "talks/x.yaml",
    ],
)
def test_a_home_out_of_the_library_is_not_followed(tmp_path: Path, home: str) -> None:
    library = LibraryText(tmp_path / "citations")
    write.write_library(library, [Wanted("claim", "x", home, 0, False, claim("x"))])
    assert [p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.yaml")] == [
        "citations/claims/own.yaml"
    ]


def test_a_full_disk_leaves_every_file_as_it_was(copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    copy.change("first", statement="Changed.")

    def full(file: object, content: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(write, "_write_all", full)
    with pytest.raises(KbError, match="No space left on device; the file is as it was before"):
        copy.export()
    assert (copy.library / "claims/group.yaml").read_text("utf-8") == CLAIMS
    assert not list(copy.library.rglob(".*"))
    monkeypatch.undo()
    assert copy.export().written == ["claims/group.yaml"]


def test_a_disk_that_fills_up_between_two_files_loses_nothing(
    copy: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy.change("first", statement="Changed.")
    copy.change("short", "talk", title="Changed")
    before = copy.contents()
    write_all = write._write_all
    calls: list[int] = []

    def full(file: object, content: bytes) -> None:
        calls.append(1)
        if len(calls) > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        write_all(file, content)

    monkeypatch.setattr(write, "_write_all", full)
    with pytest.raises(KbError, match="No space"):
        copy.export()
    monkeypatch.undo()
    assert not copy.sync().standing
    assert copy.contents() == before
    assert copy.export().written == ["talks/short.yaml"]


def test_what_would_be_too_large_to_be_read_again_is_not_written(
    copy: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("own-a", "own-b", "own-c"):
        copy.put(claim(name, statement="word " * 100))
    copy.change("one2020", "source", fields={"title": "Other"})
    before = (copy.library / "references.bib").read_bytes()
    monkeypatch.setattr("kb.library.text.MAX_BYTES", 1_400)
    with pytest.raises(KbError, match=r"claims/own\.yaml: has 0 MB; 0 MB at most: split it"):
        copy.export()
    assert (copy.library / "references.bib").read_bytes() == before
    assert not (copy.library / "claims/own.yaml").exists()


def test_export_refuses_while_conflicts_stand(copy: Copy) -> None:
    copy.change("first", statement="Mine.")
    copy.edit_text("The first thing holds.", "Theirs.")
    outcome = copy.export()
    assert [c["name"] for c in outcome.standing] == ["first"]
    assert outcome.written == []
    assert "Theirs." in (copy.library / "claims/group.yaml").read_text("utf-8")


def test_export_to_a_new_folder_gives_the_same_bytes(copy: Copy, tmp_path: Path) -> None:
    copy.export(tmp_path / "out")
    for home, text in (
        ("claims/group.yaml", CLAIMS),
        ("references.bib", BIB),
        ("figures/table.csv", FIGURES),
    ):
        assert (tmp_path / "out" / home).read_text("utf-8") == text
    with pytest.raises(KbError, match="is not empty"):
        copy.export(tmp_path / "out")


def test_the_shipped_library_survives_the_way_through_the_store_byte_by_byte(tmp_path: Path) -> None:
    library = read_library(SHIPPED)
    build.build(SHIPPED, [], tmp_path / "claims.db")
    connection = open_to_read(tmp_path / "claims.db")
    wanted = list(door.wanted(connection, library))
    assert all(one.same for one in wanted)
    # Written anew, without a text to keep bytes of, it reads as the same records in the same order.
    every = [Wanted(w.kind, w.name, w.home, w.position, False, plain(library, w)) for w in wanted]
    connection.close()
    write.write_library(LibraryText(tmp_path / "out"), every)
    assert shape(read_library(tmp_path / "out")) == shape(library)
    assert write.put_together(library, wanted) == {}


def plain(library: LibraryText, one: Wanted) -> dict[str, object]:
    return library.content_of(library.by_name()[one.kind, one.name]).data


def shape(library: LibraryText) -> list[tuple[str, str, str, int, dict[str, object]]]:
    return [
        (e.kind, e.name, "" if e.kind == "talk" else e.home, e.position, e.data) for e in library.placed()
    ]


@st.composite
def libraries(draw: st.DrawFn) -> dict[tuple[str, str], records.Record]:
    sources = draw(st.lists(strategies.sources(), min_size=1, max_size=3, unique_by=lambda s: s.key))
    keys = [source.key for source in sources]
    ids = draw(st.lists(strategies.CLAIM_ID, min_size=1, max_size=3, unique=True))
    claims = [draw(strategies.claims(st.just(id_), keys, ids)) for id_ in ids]
    figures = draw(st.lists(strategies.figures(keys), max_size=3, unique_by=lambda f: f.id))
    return {
        (k, records.name_of(r)): r
        for k, rs in (("source", sources), ("claim", claims), ("figure", figures))
        for r in rs
    }


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(libraries(), libraries())
def test_text_to_store_to_text_is_the_identity(
    tmp_path_factory: pytest.TempPathFactory,
    first: dict[tuple[str, str], records.Record],
    second: dict[tuple[str, str], records.Record],
) -> None:
    folder = tmp_path_factory.mktemp("identity")
    homes = {"source": "references.bib", "claim": "claims/x.yaml", "figure": "figures/x.csv"}

    def wanted(library: dict[tuple[str, str], records.Record]) -> list[Wanted]:
        return [
            Wanted(k, n, homes[k], i, False, records.plain(r))
            for i, ((k, n), r) in enumerate(library.items())
        ]

    write.write_library(LibraryText(folder / "a"), wanted(first))
    library = read_library(folder / "a")
    assert {(e.kind, e.name): e.data for e in library.placed()} == {
        k: records.plain(r) for k, r in first.items()
    }
    store = folder / "store.db"
    create(store)
    with writing_to(store) as session:
        build.load(session, library)
    connection = open_to_read(store)
    there = list(door.wanted(connection, library))
    connection.close()
    assert all(one.same for one in there)
    assert write.put_together(library, there) == {}
    # And from any library to any other: what is written over it reads as what was wanted.
    write.write_library(library, wanted(second))
    assert {(e.kind, e.name): e.data for e in read_library(folder / "a").placed()} == {
        k: records.plain(r) for k, r in second.items()
    }
