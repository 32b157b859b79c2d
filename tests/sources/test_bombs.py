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
