"""What ships: the committed store is what the text and the recorded runs give, and records judge themselves."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from kb.checks import run
from kb.checks.recompute import recomputed
from kb.library.build import check
from kb.reproduce import manifest, recorded
from kb.reproduce.judging import judgements_of, metrics_of
from kb.store import connect, queries

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def shipped() -> Iterator[object]:
    with contextlib.closing(connect.open_to_read(ROOT / "claims.db")) as connection:
        yield connection


def test_the_committed_store_equals_a_fresh_build() -> None:
    assert check(ROOT / "citations", [ROOT / "reproductions"], ROOT / "claims.db") == []


def test_every_recorded_run_is_judged_again_from_its_samples_to_the_same_verdicts() -> None:
    judged = 0
    for one in manifest.load_all((ROOT / "reproductions",)):
        for _, record in recorded.recorded_runs(one.runs):
            metrics = metrics_of(one, record["samples"])
            assert metrics == record["metrics"]
            on_original = "original" in record["config"]
            again = judgements_of(one, metrics, record["preset"], on_original=on_original)
            assert again == record["judgements"]
            judged += 1
    assert judged >= 2


def test_recomputing_finds_a_record_whose_metrics_were_changed(shipped, tmp_path: Path) -> None:
    import sqlite3

    (tmp_path / "copy.db").write_bytes((ROOT / "claims.db").read_bytes())
    with contextlib.closing(sqlite3.connect(tmp_path / "copy.db", isolation_level=None)) as copy:
        copy.row_factory = sqlite3.Row
        claim = "dt-toy-graph-feasible-return"
        assert {r.outcome for r in recomputed(copy, claim)} == {"pass"}
        copy.execute("UPDATE metric SET value = value + 0.01 WHERE name = 'feasible'")
        assert {r.outcome for r in recomputed(copy, claim)} == {"fail"}


def test_no_recorded_run_is_stale(shipped) -> None:
    verdicts = {c["id"]: c["verdict"] for c in queries.list_claims(shipped)}
    assert "stale" not in verdicts.values()
    assert verdicts["dt-toy-graph-feasible-return"] == "supported"


def test_the_library_holds_what_was_promised(shipped) -> None:
    facts = queries.facts(shipped)
    assert facts["records"]["claim"] >= 90
    assert facts["records"]["source"] >= 70
    assert facts["claims_by_kind"]["achievement"] >= 30
    assert len(queries.list_claims(shipped, kind=["framing"], tag=["systemic-safety"])) >= 8
    assert all(facts["claims_by_kind"][kind] for kind in ("advice", "prediction", "question"))


def test_every_check_of_the_shipped_library_passes_but_the_two_miscitations(shipped) -> None:
    library = run.load(shipped)
    failing = {
        (claim, r.check)
        for claim, results in run.check_claims(library, queries.names(shipped, "claim"))
        for r in results
        if r.outcome == "fail"
    }
    assert failing == {
        ("janus-gpt-sota-games", "source contradicts its citer"),
        ("dt-random-state-of-the-art", "source contradicts its citer"),
    }


def test_the_five_maze_predictions_keep_their_probabilities(shipped) -> None:
    from kb.checks.prediction import items

    given = [item.probability for item in items(shipped, "Emmons") if item.probability is not None]
    assert given == [0.8, 0.75, 0.75, 0.55, 0.8]
