"""Small BibTeX files that are made to grow or to take long: each is read in seconds, and what is left out is told."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from kb import records
from kb.sources import bibtex, room

STRINGS = "@string{s0 = {0123456789}}\n" + "".join(
    f"@string{{s{n} = {' # '.join([f's{n - 1}'] * 10)}}}\n" for n in range(1, 10)
)


@pytest.fixture(autouse=True)
def _without_logs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("CRITICAL", "bibtexparser")  # pytest keeps each line, which kb does not


@contextmanager
def at_most(seconds: float = 2.0, megabytes: float = 100.0) -> Iterator[None]:
    """Fails where what is done in it takes more CPU time or memory."""
    tracemalloc.start()
    started = time.process_time()
    yield
    spent, (_, peak) = time.process_time() - started, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert spent < seconds * 4, "tracemalloc makes it slower"
    assert peak < megabytes * 1e6


def read(text: str) -> tuple[dict[str, records.Source], list[bibtex.Failure]]:
    with at_most():
        sources, failures = bibtex.read(text)
        return {source.key: source for source in sources}, failures


def test_strings_within_strings_do_not_grow_without_end() -> None:
    sources, failures = read(
        STRINGS + "@misc{k, title = {T}, note = s9, year = s2 # {x}}\n@misc{l, title = s0}"
    )
    assert sources["k"].fields == {"title": "T", "note": "s9", "year": "0123456789" * 100 + "x"}
    assert sources["l"].fields == {"title": "0123456789"}
    assert [(f.line, f.loss) for f in failures if f.loss != "nothing"] == [(5, "value"), (10, "value")]
    assert "s4 is too long once its strings are put in; left out" in str(failures[0])


def test_a_value_that_strings_make_too_long_is_lost_and_the_entry_is_not() -> None:
    sources, (failure,) = read(
        STRINGS[: STRINGS.index("@string{s4")] + "@misc{k, title = {T}, note = s3 # s3 # s3}"
    )
    assert sources["k"].fields == {"title": "T"}
    assert (failure.key, failure.what, failure.loss) == (
        "k", "note is too long once its strings are put in; left out", "value",
    )  # fmt: skip


def test_many_uses_of_a_long_string_are_left_out_once_they_are_much_more_than_the_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(room, "AT_FIRST", 100_000)
    text = f"@string{{s = {{{'x' * 20_000}}}}}\n" + "".join(f"@misc{{k{n}, note = s}}\n" for n in range(300))
    sources, failures = read(text)
    full = sum("note" in source.fields for source in sources.values())
    assert len(sources) == 300
    assert 25 <= full == 300 - len(failures) < 40
    assert {failure.loss for failure in failures} == {"value"}


@pytest.mark.parametrize(
    ("text", "kept", "told"),
    [
        ("text " + "@-(" * 60_000, 0, 0),
        ("text " + "@a(" * 60_000 + "x", 0, 1),
        ("text @a(" + " " * 60_000, 0, 1),
        ("@" + " " * 60_000, 0, 0),
        ("article {a,\n" * 60_000, 0, 60_000),
        ("@a{b,c d} " * 20_000, 0, 1),
        ("@misc{,title = {T}}\n" * 8_000, 8_000, 8_000),
        ("@misc{k,xdata = {" + ",".join(f"k{n}" for n in range(15_000)) + "}}", 1, 15_000),
        ("@misc{k,xdata = {" + "a," * 15_000 + "}}\n@xdata{a," + ",".join(f"f{n} = {n}" for n in range(999)) + "}", 1, 2),
    ],
    ids=lambda value: value[:12].split(",")[0] if isinstance(value, str) else "",
)  # fmt: skip
def test_text_that_is_made_to_be_tried_again_and_again_is_read_once(text: str, kept: int, told: int) -> None:
    sources, failures = read(text)
    assert (len(sources), len(failures)) == (kept, told)
    assert all(len(failure.raw) <= bibtex.LONGEST_RAW for failure in failures)


def test_thousands_of_former_keys_are_taken_once_each_in_their_order() -> None:
    names = [f"k{n}" for n in range(20_000)]
    sources, _ = read("@misc{k, ids = {" + ",".join(names + names[::-1]) + "}}")
    assert sources["k"].aliases == names


@pytest.mark.parametrize("step", [1, -1])
def test_a_long_chain_of_crossrefs_is_followed_to_its_end(step: int) -> None:
    chain = [f"@misc{{k{n}, title = {{T}}, crossref = {{k{n + 1}}}}}\n" for n in range(1_500)]
    sources, failures = read("".join(chain[::step]) + "@misc{k1500, title = {T}, publisher = {P}}")
    assert len(sources) == 1_501
    assert {source.fields.get("publisher") for source in sources.values()} == {"P"}
    assert {failure.loss for failure in failures} == {"nothing"}


def test_entries_that_give_each_other_far_more_than_the_file_holds_stop_doing_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(room, "AT_FIRST", 100_000)
    shared = f"@xdata{{x, note = {{{'x' * 19_000}}}}}\n@misc{{p, year = 2020, note = {{{'x' * 19_000}}}}}\n"
    for pointer in ("xdata = {x}", "crossref = {p}"):
        text = shared + "".join(f"@misc{{k{n}, title = {{T}}, {pointer}}}\n" for n in range(300))
        sources, failures = read(text)
        assert len(sources) == 301
        lost = [failure for failure in failures if failure.loss == "value"]
        assert 200 < len(lost) < 260
        assert "entries of this file repeat far more than it holds" in str(lost[0])
