"""Texts that are kept on the disk come back as they were."""

import resource

import pytest

from kb import spill
from kb.errors import KbError


@pytest.mark.parametrize("room", [1, spill.IN_MEMORY])
def test_texts_come_back_by_number_in_any_order(room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spill, "IN_MEMORY", room)
    kept = spill.Spill()
    texts = ["", "plain", "Ł 王 🙂", "\ud800", "line\nbreak", "x" * 10_000]
    assert [kept.add(text) for text in texts] == list(range(len(texts)))
    assert [kept[number] for number in reversed(range(len(texts)))] == texts[::-1]
    assert kept.add("more") == len(texts)
    assert kept[0] == ""
    assert len(kept) == len(texts) + 1
    with pytest.raises(IndexError):
        kept[len(kept)]


def test_a_full_disk_is_one_line_that_names_the_folder_and_nothing_is_said_at_the_end(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(spill, "IN_MEMORY", 1)
    kept = spill.Spill()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(
            KbError, match=r"no room for a temporary file in /.*; make room there, or name another"
        ):
            for _ in range(100):
                kept.add("x" * 1_000)
        del kept
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert capfd.readouterr().err == ""
