"""A file is cut where its blocks start, whatever is read at once; so it is read in the memory of one block."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.errors import KbError
from kb.sources import bibtex, stretches
from kb.sources.stretches import of_text

FIXTURES = Path(__file__).parent / "fixtures"
_TEXT = st.lists(
    st.sampled_from(
        [
            "@misc{a,",
            "\n",
            "\n\n",
            " ",
            "\t",
            "@",
            "@article (b,",
            "title = {T}",
            "}",
            ")",
            "x",
            '"',
            "\n@string{",
            "\\",
        ]
    )
).map("".join)


def test_each_stretch_starts_where_a_line_starts_like_a_block_and_says_its_line() -> None:
    text = "% head\n@misc{a,\n  title = {an @misc{in} it}\n}\n\n  @Book (b, title = {T})\n"
    assert list(stretches.stretches(of_text(text))) == [
        ("% head", 1),
        ("\n@misc{a,\n  title = {an @misc{in} it}\n}\n", 1),
        ("\n  @Book (b, title = {T})\n", 5),
    ]


@given(_TEXT, st.integers(1, 20))
@settings(deadline=None)
def test_stretches_are_the_text_and_do_not_depend_on_what_is_read_at_once(text: str, size: int) -> None:
    found = list(stretches.stretches(of_text(text), size))
    assert "".join(stretch for stretch, _ in found) == text
    assert found == list(stretches.stretches(of_text(text)))
    at = 0
    for stretch, line in found:
        assert line == text.count("\n", 0, at) + 1
        at += len(stretch)


def test_a_file_without_any_block_is_refused_before_it_fills_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stretches, "LONGEST", 1024 * 1024)
    asked = 0

    def endless(size: int) -> str:
        nonlocal asked
        asked += size
        return "x" * size

    with pytest.raises(KbError, match="line 1 and what follows: no entry starts there for 1 MB"):
        bibtex.stream(endless)
    assert asked < 4 * 1024 * 1024


def test_a_file_that_is_no_bibtex_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stretches, "LONGEST", 1_000)
    path = tmp_path / "no.bib"
    path.write_text("@misc{a, title = {T}}\n" + "x" * 2_000, "utf-8")
    with pytest.raises(KbError, match=r"no\.bib, line 1 and what follows: no entry starts there"):
        bibtex.stream_file(path)


@pytest.mark.parametrize("name", sorted(path.name for path in FIXTURES.glob("*.bib")))
@pytest.mark.parametrize("size", [1, 7, 100])
def test_a_file_is_read_alike_in_pieces_of_any_size(
    name: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, first = bibtex.read_file(FIXTURES / name)
    cut = stretches.stretches
    monkeypatch.setattr(bibtex, "stretches", lambda read: cut(read, size))
    pieces, second = bibtex.read_file(FIXTURES / name)
    assert pieces == whole
    assert second.failures == first.failures
    assert (second.entries, second.comments, second.strings) == (first.entries, first.comments, first.strings)


def test_ten_times_the_entries_take_little_more_memory(tmp_path: Path) -> None:
    path = tmp_path / "many.bib"
    peaks = []
    for count in (300, 3_000):
        with path.open("w", encoding="utf-8") as file:
            for number in range(count):
                file.write(
                    f"@misc{{key{number},\n  title = {{T {number}}},\n  abstract = {{{'word ' * 600}}}\n}}\n"
                )
        bibtex.read_file(FIXTURES / "jabref.bib")  # what is loaded at the first call is not counted
        tracemalloc.start()
        assert sum(1 for _ in bibtex.stream_file(path).sources) == count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    grown = peaks[1] - peaks[0]
    assert path.stat().st_size > 8_000_000
    assert grown < 4_000_000, f"{grown} bytes more for 8 MB more"
