"""Two entries that are one source are joined; others' copies follow, and nothing of theirs is lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kb.errors import KbError
from kb.library.join import join
from kb.store import edit
from kb.store.connect import for_writing
from tests.library.conftest import Copy, claim


def joined(copy: Copy, old: str = "one2020", new: str = "two2021") -> list[str]:
    with for_writing(copy.places) as session:
        return join(session, old, new)


def cited(copy: Copy) -> set[str]:
    found = (c for data in copy.records().values() for c in data.get("citations", []))
    return {c[name] for c in found for name in ("source", "cited_by") if name in c}


def test_citations_figures_and_scores_rest_on_the_other_and_the_entry_goes(copy: Copy) -> None:
    by = {"source": "two2021", "stance": "asserts", "cited_by": "one2020"}
    copy.put(claim("reports", citations=[by]))
    rubric = {
        "criteria": [{"name": "c", "weight": 1, "question": "Q?"}],
        "scores": {"first": {"c": {"score": 1, "reason": "R", "source": "one2020"}}},
    }
    copy.change("short", kind="talk", rubric=rubric)
    changed = joined(copy)
    assert changed == ["claim first", "claim reports", "figure a.b", "figure a.c", "talk short"]
    assert ("source", "one2020") not in copy.records()
    assert cited(copy) == {"two2021"}
    assert "one2020" not in str(copy.records()["talk", "short"])
    copy.export()
    assert not copy.sync().standing


def test_undo_goes_back_step_by_step(copy: Copy) -> None:
    before = copy.records()
    steps = len(joined(copy)) + 1
    with for_writing(copy.places) as session:
        for _ in range(steps):
            edit.undo(session)
    assert copy.records() == before


def test_a_colleague_s_copy_follows_and_keeps_the_entry_while_a_claim_of_hers_rests_on_it(
    copy: Copy, copies: Callable[[str], Copy]
) -> None:
    ben = copies("ben")
    ben.put(claim("hers", citations=[{"source": "one2020", "stance": "asserts"}]))
    joined(copy)
    copy.export()
    assert not ben.meet(copy).conflicts
    assert ben.records()["claim", "first"]["citations"][0]["source"] == "two2021"
    assert ben.records()["claim", "hers"]["citations"][0]["source"] == "one2020"
    joined(ben)
    ben.export()
    assert not copy.meet(ben).conflicts
    assert cited(copy) == cited(ben) == {"two2021"}


@pytest.mark.parametrize(
    ("old", "new"), [("one2020", "one2020"), ("nobody", "one2020"), ("one2020", "nobody")]
)
def test_what_is_one_already_or_not_there_is_refused(copy: Copy, old: str, new: str) -> None:
    before = copy.contents()
    with pytest.raises(KbError):
        joined(copy, old, new)
    assert copy.contents() == before
