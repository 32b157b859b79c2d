"""The made-up libraries of benchmarks: seeded, valid, and the same in every form."""

import itertools
from pathlib import Path
from typing import Any

from benchmarks._made_up import Library, make_store, write_lines, write_text
from kb import records
from kb.library.exchange import Lines
from kb.library.side import of_store
from kb.library.text import read_library
from kb.store.connect import open_to_read


def _plain(library: Library) -> dict[tuple[str, str], dict[str, Any]]:
    parsed = [(kind, records.parse(kind, data)) for kind, data in library]
    return {(kind, records.name_of(record)): records.plain(record) for kind, record in parsed}


def test_the_same_seed_gives_the_same_library_and_another_another() -> None:
    assert list(Library(60)) == list(Library(60))
    assert list(Library(60)) != list(Library(60, seed=8))


def test_a_larger_library_is_made_record_by_record() -> None:
    assert len(list(itertools.islice(Library(10**9).claim_records(), 3))) == 3


def test_text_export_file_and_store_hold_the_same_records(tmp_path: Path) -> None:
    library = Library(60)
    wanted = _plain(library)
    assert len(wanted) == 60 + 15 + 28, "no name stands for two records"
    write_text(library, tmp_path / "citations")
    assert {(e.kind, e.name): e.data for e in read_library(tmp_path / "citations").placed()} == wanted
    write_lines(library, tmp_path / "export.jsonl")
    with Lines(tmp_path / "export.jsonl") as side:
        assert {(one.kind, one.name): one.data for one in side.scan()} == wanted
    make_store(library, tmp_path / "store.db")
    connection = open_to_read(tmp_path / "store.db")
    assert {(one.kind, one.name): one.data for one in of_store(connection)} == wanted
    connection.close()
