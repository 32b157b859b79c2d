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


def _computed(connection: object, claim: str) -> dict[str, tuple[str, str]]:
    """Outcome and detail of each computation of a claim."""
    found = run.check_claim(run.load(connection), claim)  # type: ignore[arg-type]
    return {r.subject: (r.outcome, r.detail) for r in found if r.check == "figure"}


def test_the_four_percent_is_derived_and_waits_for_the_three_unread_cells(shipped) -> None:
    computed = _computed(shipped, "dt-random-four-percent")
    for name, value in (("", "3.77"), ("-low", "3.57"), ("-high", "3.97")):
        outcome, detail = computed[f"ratio-of-means{name}"]
        assert (
            outcome,
            detail.startswith(f"{value} percent, assumes RvS Table 1 reuses the nine cells"),
        ) == (
            "derived",
            True,
        )
    unread = [f"rvs.t1.{environment}.random.dt" for environment in ("halfcheetah", "hopper", "walker2d")]
    for name in ("ratio-of-means-from-the-cells", "mean-of-ratios-from-the-cells"):
        outcome, detail = computed[name]
        assert outcome == "unknown"
        assert set(detail.removeprefix("not read: ").split(", ")) == set(unread)


def test_the_averages_of_the_decision_transformer_paper_recompute_but_for_the_swapped_column(shipped) -> None:
    averages = _computed(shipped, "dt-gym-average")
    assert averages["dt-average-recomputes"][1].startswith("74.73")
    assert averages["cql-average-recomputes"][1].startswith("63.91")
    swapped = _computed(shipped, "dt-bc-averages-swapped")
    assert swapped["without-reacher"][1].startswith("47.69")
    assert swapped["with-reacher"][1].startswith("46.40")
    # Nobody has opened the table itself: what follows from transcriptions is derived, never passed.
    assert {outcome for outcome, _ in (*averages.values(), *swapped.values())} <= {"derived", "pass"}
    assert "as another document reports them" in swapped["swap-of-printed-values"][1]
    assert {c["id"]: c["verdict"] for c in queries.list_claims(shipped)}["dt-gym-average"] == "inconclusive"


@pytest.mark.parametrize(
    ("claim", "names"),
    [
        (
            "d4rl-normalised-score",
            {"zero-return-on-hopper", "zero-return-on-halfcheetah", "zero-return-on-walker2d"},
        ),
        ("dt-key-to-door", {"ordering-1k", "cql-above-bc-1k", "ordering-10k", "cql-above-bc-10k"}),
        (
            "maze-q2-edit-success-and-share",
            {
                "one-activation",
                "eleven-channels-one-position",
                "eleven-whole-channels",
                "activations-of-the-layer",
            },
        ),
    ],
)
def test_promised_computations_pass_on_cells_that_somebody_read(shipped, claim: str, names: set[str]) -> None:
    computed = _computed(shipped, claim)
    assert names <= set(computed)
    assert {computed[name][0] for name in names} == {"pass"}


def test_the_ordering_of_the_multi_game_decision_transformer_rests_on_quotes(shipped) -> None:
    rows = shipped.execute(
        "SELECT locator FROM citation WHERE source_key = 'lee2022multigame' AND quote IS NOT NULL"
    ).fetchall()
    places = " ".join(row[0] for row in rows)
    assert "4.3" in places
    assert "caption" in places
    heights = shipped.execute("SELECT value FROM figure WHERE id LIKE 'mgdt.fig1.%' AND seen = 'not-read'")
    assert [row[0] for row in heights.fetchall()] == [None] * 3


def test_every_claim_of_the_shipped_library_goes_through_the_checks_and_unknown_is_counted(shipped) -> None:
    library = run.load(shipped)
    results = dict(run.check_claims(library, queries.names(shipped, "claim")))
    assert all(results.values())
    counts = run.count(result for found in results.values() for result in found)
    # No text of a source ships: no quote may pass, and each is counted.
    quotes = [r for found in results.values() for r in found if r.check == "quote"]
    assert {r.outcome for r in quotes} == {"unknown"}
    assert counts["unknown"] >= len(quotes) > 250
