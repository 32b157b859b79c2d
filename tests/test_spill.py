"""Texts that are kept on the disk come back as they were."""

import pytest

from kb import spill


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
