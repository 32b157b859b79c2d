"""`kb check`: a page that counts what is unknown, exit codes, verdicts that change with a reason."""

from __future__ import annotations

from pathlib import Path

from kb.schema import Rendering
from kb.store import connect
from tests.cli.conftest import Kb, sql

QUOTE = "we can generate optimal trajectories at test time"


def give_text(store: Path, text: str, at: str = "2026-11-24T09:00:00+00:00") -> None:
    """The text of the Decision Transformer paper, as `kb cite fetch` would keep it."""
    with connect.writing_to(store) as session:
        connect.raw(session).execute("DELETE FROM rendering")
        session.add(Rendering(source_key="chen2021decision", sha256="a" * 64, kind="text", at=at, text=text))


def test_what_is_unknown_is_counted_and_told_apart_from_passed(kb: Kb, store: Path) -> None:
    done = kb("check")
    assert done.code == 0
    assert "unknown, and not to be read as passed" in done.out
    assert "kb cite fetch KEY" in done.out
    data = kb("check", "--json").json
    assert (
        data["unknown"] == 8
    )  # three citations without confirmed words, their sources, an absence, a prediction
    assert data["at"].endswith("+00:00")
    assert {c["id"] for c in data["claims"]} == {"random-suffices", "four-percent", "small-mazes"}


def test_strict_fails_on_gaps(kb: Kb, store: Path) -> None:
    assert kb("check", "four-percent").code == 0
    strict = kb("check", "four-percent", "--strict")
    assert strict.code == 1
    assert "unknown or stale" in strict.err


def test_a_page_of_one_claim_has_its_sentence_and_every_check(kb: Kb, store: Path) -> None:
    out = kb("check", "four-percent").out
    assert "reaches 4% of its expert score" in out
    for name in ("citation", "quote", "absence", "figure"):
        assert f"{name}" in out


def test_full_prints_every_check_of_many_claims(kb: Kb, store: Path) -> None:
    # Two of the three claims have nothing but passes and unknowns.
    assert "small-mazes" in kb("check", "--full").out


def test_a_misquotation_fails_and_shows_the_difference(kb: Kb, store: Path) -> None:
    give_text(store, f"At times {QUOTE.replace('optimal', 'good')} by adding a prior.")
    done = kb("check", "four-percent")
    assert done.code == 1
    assert "[-optimal-] {+good+}" in done.out.replace("\n      ", " ")


def test_a_quote_that_stands_passes_and_is_stale_once_the_claim_changes(kb: Kb, store: Path) -> None:
    give_text(store, f"And {QUOTE} by adding a prior.")
    assert kb("check", "four-percent").code == 0

    def outcome() -> str:
        traced = kb("claim", "trace", "four-percent", "--json").json
        return next(i["outcome"] for k in traced["links"] if k["link"] == "rendering" for i in k["items"])

    assert outcome() == "pass"
    assert kb("claim", "edit", "four-percent", "--caveat", "Another caveat.").code == 0
    assert outcome() == "stale"
    assert kb("check", "four-percent").code == 0
    assert outcome() == "pass"
    give_text(store, "Something else.", at="2036-01-01T00:00:00+00:00")
    assert outcome() == "stale"


def test_history_says_when_a_verdict_changed_and_because_of_what(kb: Kb, store: Path) -> None:
    sql(store, "UPDATE computation SET decides = 1 WHERE claim_id = 'four-percent'")
    assert "verdict changed: four-percent was unchecked, is supported" in kb("check").err
    sql(store, "UPDATE figure SET value = 3 WHERE id = 'dt.t2.random'")
    assert "verdict changed: four-percent was supported, is refuted" in kb("check").err
    told = kb("claim", "history", "four-percent", "--json").json
    changes = [(c["before"]["verdict"], c["after"]["verdict"]) for c in told if c["action"] == "verdict"]
    assert changes == [("supported", "refuted"), ("unchecked", "supported")]
    assert "gives 6 percent, not 4 percent" in told[0]["why"]
    assert told[0]["by"] == "kb"
    assert told[0]["at"] >= told[1]["at"]
    shown = kb("claim", "history", "four-percent").out
    assert "supported → refuted" in shown.replace("\n", " ")


def test_history_says_that_changed_code_made_a_verdict_stale(kb: Kb, store: Path) -> None:
    sql(store, "UPDATE reproduction SET code_digest = 'new'")
    assert "verdict changed: random-suffices was supported, is stale" in kb("check").err
    (told,) = (
        c for c in kb("claim", "history", "random-suffices", "--json").json if c["action"] == "verdict"
    )
    assert "its code" in told["why"]
    assert "changed since" in told["why"]
    data = kb("check", "random-suffices", "--json").json
    assert data["stale"] == 1
    assert kb("check", "random-suffices", "--strict").code == 1
