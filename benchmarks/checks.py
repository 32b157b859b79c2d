"""What `kb check` costs: on the shipped library, and on libraries of up to 10,000 claims.

    python -m benchmarks.checks [--json]

Each call is a whole process (user + system seconds of `os.wait4`), the start of `kb` itself taken off; its
results are written into the store, as always. Beside it stands the bare floor: Python and sqlite3 reading the
same claims, citations, figures and stored texts and looking for each quote by plain substring search, which is
what a check could not do without. A made-up claim has two quotes, one of them from a source whose text is stored,
two figures and a computation over them; fifty claims share a source.

Exit code 1 when the shipped library takes a second or more, or a claim of 10,000 costs half as much again as a
claim of 1,250.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks._process import ROOT, environment
from benchmarks.startup import cpu_seconds

SIZES = (1_250, 2_500, 5_000, 10_000)
A_SECOND = 1.0
LINEAR = 1.5

FLOOR = """
import sqlite3, sys
connection = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
texts = dict(connection.execute("SELECT source_key, text FROM rendering"))
for table in ("claim", "figure", "computation"):
    connection.execute(f"SELECT * FROM {table}").fetchall()
quotes = connection.execute("SELECT source_key, quote FROM citation WHERE quote IS NOT NULL")
found = sum(quote in texts.get(key, "") for key, quote in quotes)
"""
WORDS = (
    "reward",
    "maze",
    "cheese",
    "policy",
    "layer",
    "probe",
    "goal",
    "corner",
    "transformer",
    "random",
    "return",
)


def make(path: Path, claims: int) -> None:
    """A store with that many claims."""
    from kb import records
    from kb.schema import Rendering
    from kb.store import connect, edit

    draw = random.Random(claims)
    connect.create(path)
    with connect.writing_to(path) as session, edit.bulk(session):
        for n in range(0, claims, 50):
            for key in (f"stored{n}", f"unread{n}"):
                fields = {"title": f"Title {n}", "author": "A, B", "year": "2020"}
                source = {"key": key, "type": "misc", "kind": "paper", "fields": fields}
                edit.put(session, records.parse("source", source), record_history=False)
            sentences = [" ".join(draw.choices(WORDS, k=12)) + f" number {k}" for k in range(400)]
            text = ". ".join(sentences)
            at = "2026-11-24T00:00:00+00:00"
            session.add(Rendering(source_key=f"stored{n}", sha256="0" * 64, kind="text", at=at, text=text))
            for k in range(n, min(n + 50, claims)):
                for cell, value in (("a", 10.0), ("b", 30.0)):
                    figure = {"id": f"f{k}.{cell}", "source": f"stored{n}", "locator": "T1", "quantity": "q"}
                    figure |= {"value": value, "unit": "score", "scale": "raw", "seen": "primary"}
                    edit.put(session, records.parse("figure", figure), record_history=False)
                cited = {"stance": "asserts", "locator": "p. 1", "seen": "primary"}
                claim = {
                    "id": f"claim-{k}",
                    "kind": "empirical",
                    "statement": f"Claim number {k} gives 20.",
                    "asserted_by": "Somebody",
                    "status": "open",
                    "citations": [
                        {**cited, "source": f"stored{n}", "quote": draw.choice(sentences)},
                        {**cited, "source": f"unread{n}", "quote": "words of a source that is not here"},
                    ],
                    "computations": [
                        {"name": "mean", "expression": f'mean(cells("f{k}.*"))', "expected": 20}
                    ],
                }
                edit.put(session, records.parse("claim", claim), record_history=False)


def measure(rounds: int) -> dict[str, dict[str, float]]:
    """CPU seconds of `kb check` and of the floor, by library."""
    python, kb = sys.executable, str(Path(sys.executable).with_name("kb"))
    out: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        stores = {"shipped": ROOT / "claims.db"}
        for size in SIZES:
            stores[f"{size} claims"] = Path(folder) / f"{size}.db"
            make(stores[f"{size} claims"], size)
        for name, made in stores.items():
            store = Path(folder) / "working.db"
            shutil.copy(made, store)
            clean = {**environment(), "KB_DB": str(store)}
            claims = _count(store)
            taken: dict[str, list[float]] = {"check": [], "start": [], "floor": []}
            for _ in range(rounds):
                taken["start"].append(cpu_seconds([kb, "--version"], clean))
                # The shipped library has two miscitations, a finding: exit code 1. One claim more hides no crash.
                taken["check"].append(cpu_seconds(["sh", "-c", f"{kb} check --json || test $? = 1"], clean))
                taken["floor"].append(cpu_seconds([python, "-c", FLOOR, str(store)], clean))
            middle = {what: statistics.median(seconds) for what, seconds in taken.items()}
            after_start = middle["check"] - middle["start"]
            out[name] = {
                "claims": claims,
                **middle,
                "after_start": after_start,
                "milliseconds_a_claim": 1_000 * after_start / claims,
                "times_the_floor": middle["check"] / middle["floor"],
            }
    return out


def _count(store: Path) -> int:
    import contextlib
    import sqlite3

    with contextlib.closing(sqlite3.connect(store)) as connection:
        return int(connection.execute("SELECT COUNT(*) FROM claim").fetchone()[0])


def main() -> int:
    """Measure, print, and say by the exit code whether kb keeps its promise."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.checks", description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3, help="measured runs of each")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    options = parser.parse_args()
    found = measure(options.rounds)
    growth = (
        found[f"{SIZES[-1]} claims"]["milliseconds_a_claim"]
        / found[f"{SIZES[0]} claims"]["milliseconds_a_claim"]
    )
    slow = found["shipped"]["after_start"] >= A_SECOND or growth > LINEAR
    if options.json:
        print(json.dumps({**found, "growth_a_claim": growth, "slow": slow}, indent=1))
    else:
        for name, row in found.items():
            print(
                f"{name:<14} after start {row['after_start']:6.2f} s  {row['milliseconds_a_claim']:5.2f} ms a claim"
                f"  floor {row['floor']:5.2f} s  ({row['times_the_floor']:.1f} times)"
            )
        print(f"a claim of {SIZES[-1]} costs {growth:.2f} times one of {SIZES[0]}")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
