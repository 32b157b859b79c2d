"""What people wait for, on the shipped library and on a made-up one of 100,000 claims, beside bare sqlite3.

    python -m benchmarks.scale [--claims 100000] [--runs 9] [--store FILE] [--json]

Whole processes, their start included, by turns: kb on the shipped library, kb on the large one, and the floor, a
`python -c "import sqlite3 ..."` that reads the large store and prints the same rows. That its rows are those of kb,
in the same order, is checked before anything is measured. The large library stands in a workspace with its text, as a
clone has it, so that the look at whether the text moved on is paid too. Medians of CPU seconds are compared.

`--claims 1000000` measures a million (some 15 minutes and 5 GB); `--store FILE` keeps the store there and takes it
again at the next call.

Exit code 1 when a command takes more than twice what it takes on the shipped library, more than three times its
floor, or when the large library adds more to it than three times what the query adds to a bare start of Python. The
first row, `kb --version` beside a Python that opens the store, is told for comparison: it is read by Typer, whose
import the commands below do without.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks._made_up import Library, write_text
from benchmarks._process import ROOT, Cost, cost, environment

TWICE = 2.0
FLOORS = 3.0
NOISE = 0.010
"""Seconds that a difference of two medians is off by."""

_OPEN = """
import sqlite3, sys
store, *given = sys.argv[1:]
connection = sqlite3.connect(f"file:{store}?mode=ro", uri=True)
"""
_COLUMNS = """
SELECT c.id, c.kind, c.statement, c.asserted_by, c.date, c.status,
    COALESCE((SELECT v.verdict FROM claim_verdict v WHERE v.claim_id = c.id), 'unchecked'),
    (SELECT GROUP_CONCAT(name) FROM (SELECT name FROM tag g WHERE g.claim_id = c.id ORDER BY g.position)),
    (SELECT COUNT(*) FROM citation t WHERE t.claim_id = c.id),
    (SELECT COUNT(DISTINCT j.run_id) FROM judgement j WHERE j.claim_id = c.id)
"""
LIST = f"""{_OPEN}
where, *values = given
sql = '''{_COLUMNS} FROM claim c WHERE ''' + where + " ORDER BY c.home, c.position, c.id LIMIT 50"
for row in connection.execute(sql, values):
    print(*row, sep="\\t")
"""
SEARCH = f"""{_OPEN}
find = '''SELECT rowid FROM search WHERE search MATCH ?1 AND rank MATCH 'bm25(4.0, 2.0, 1.0, 2.0)' AND rowid <
    COALESCE((SELECT rowid FROM search WHERE search MATCH ?1 LIMIT 1 OFFSET 20000), 1e18)
    ORDER BY rank, rowid LIMIT 20'''
show = '''{_COLUMNS} FROM claim_text f JOIN claim c ON c.id = f.claim_id WHERE f.rowid = ?'''
words = [f'"{{word}}"' for word in given]
found = [row for row, in connection.execute(find, (" ".join(words),))]
if len(found) < 20 and len(words) > 1:
    found += [row for row, in connection.execute(find, (" OR ".join(words),)) if row not in found]
for row in found[:20]:
    print(*connection.execute(show, (row,)).fetchone(), sep="\\t")
"""
SHOW = f"""{_OPEN}
for sql in (
    '''{_COLUMNS}, c.headline, c.number, c.caveat, c.note FROM claim c WHERE c.id = ?''',
    "SELECT t.*, s.* FROM citation t JOIN source s ON s.key = t.source_key WHERE t.claim_id = ? ORDER BY t.position",
    "SELECT r.type, r.target, c.statement FROM relation r JOIN claim c ON c.id = r.target WHERE r.claim_id = ?",
    "SELECT r.type, r.claim_id, c.statement FROM relation r JOIN claim c ON c.id = r.claim_id WHERE r.target = ?",
    "SELECT * FROM computation WHERE claim_id = ? ORDER BY position",
    "SELECT * FROM prediction WHERE claim_id = ?",
    "SELECT * FROM figure WHERE id GLOB (SELECT replace(replace(expression, 'mean(cells(\\"', ''), '\\"))', '')"
    " FROM computation WHERE claim_id = ?)",
):
    for row in connection.execute(sql, given):
        print(*row, sep="\\t")
"""

Case = tuple[list[str], list[str], list[str]]
"""kb's words on the large library, on the shipped one, and the floor: program and what it is given."""


def cases(claims: int) -> dict[str, Case]:
    """What is measured, by what it is called."""
    far = f"claim-{claims // 2 // 8 * 8}"
    filters = ["--kind", "empirical", "--status", "open", "--tag", "model", "--by", "wang"]
    combined = (
        "c.kind = ? AND c.status = ? AND c.id IN (SELECT claim_id FROM tag WHERE name = ?)"
        " AND c.asserted_by LIKE ?"
    )
    values = ["empirical", "open", "model", "%wang%"]
    found: dict[str, Case] = {
        "list --limit 50": (["list", "--limit", "50"], [], [LIST, "TRUE"]),
        "list, four filters": (["list", *filters, "--limit", "50"], [], [LIST, combined, *values]),
        "show ID": (["show", far], ["show", "dt-gym-average"], [SHOW, far]),
    }
    for name, text in (
        ("one word", "steering"),
        ("three words", "sparse reward agent"),
        ("a very common word", "the"),
        ("three very common words", "the of model"),
        ("a sentence", "the model is trained for a sparse reward and the agent is not"),
    ):
        words = text.split()
        found[f"search, {name}"] = (["search", *words], [], [SEARCH, *dict.fromkeys(words)])
    return found


def make(workspace: Path, claims: int, kept: Path | None) -> dict[str, Any]:
    """A workspace with the text and the working store of a made-up library, in step; what making it took."""
    from kb.library import agreement, freshness
    from kb.store import connect

    store = workspace / ".kb" / "store.db"
    store.parent.mkdir(parents=True)
    library = workspace / "citations"
    write_text(Library(claims), library)
    took: dict[str, Any] = {}
    if kept and kept.exists():
        shutil.copy(kept, store)
    else:
        command = [sys.executable, "-m", "benchmarks._made_up", "store", str(claims), str(store)]
        took = vars(cost(command, environment(), workspace))
        if kept:
            shutil.copy(store, kept)
    digest = freshness.digest_of((home, path.read_bytes()) for home, path in freshness.files(library))
    with connect.writing_to(store) as session:
        agreement.meta(connect.raw(session), freshness.KEY, digest)
    freshness.remember(library, store.parent, digest, float("inf"))
    return {"store_bytes": store.stat().st_size, "build": took}


def measure(claims: int, runs: int, kept: Path | None) -> dict[str, Any]:
    """The costs of each case on both libraries and of its floor, with those of starting kb and Python."""
    kb = [str(Path(sys.executable).with_name("kb"))]
    clean = environment()
    with tempfile.TemporaryDirectory(prefix="kb-scale-") as scratch:
        large, shipped = Path(scratch) / "large", Path(scratch) / "shipped"
        made = make(large, claims, kept)
        shutil.copytree(ROOT / "citations", shipped / "citations")
        shutil.copy(ROOT / "claims.db", shipped)
        store = str(large / ".kb" / "store.db")
        python = [sys.executable, "-c"]
        commands: dict[tuple[str, str], tuple[list[str], Path]] = {
            ("start", "shipped"): ([*kb, "--version"], shipped),
            ("start", "large"): ([*kb, "--version"], large),
            ("start", "floor"): ([*python, _OPEN, store], large),
        }
        for name, (own, small, (program, *given)) in cases(claims).items():
            _same_rows([*kb, "claim", *own], [*python, program, store, *given], clean, large)
            commands[name, "shipped"] = ([*kb, "claim", *(small or own)], shipped)
            commands[name, "large"] = ([*kb, "claim", *own], large)
            commands[name, "floor"] = ([*python, program, store, *given], large)
        taken: dict[tuple[str, str], list[Cost]] = {key: [] for key in commands}
        for turn in range(runs + 1):
            for key, (command, folder) in commands.items():
                done = cost(command, clean, folder)
                if turn:  # the first is unmeasured: byte code, file caches
                    taken[key].append(done)
    rows = {name: _row(name, taken) for name in ["start", *cases(claims)]}
    return {"claims": claims, **made, "rows": rows}


def _row(name: str, taken: dict[tuple[str, str], list[Cost]]) -> dict[str, Any]:
    cpu = {side: [c.cpu for c in taken[name, side]] for side in ("shipped", "large", "floor")}
    middle = {side: statistics.median(seconds) for side, seconds in cpu.items()}
    query = middle["floor"] - statistics.median(c.cpu for c in taken["start", "floor"])
    added = middle["large"] - middle["shipped"]
    slow = middle["large"] > TWICE * middle["shipped"] or added > FLOORS * query + NOISE
    slow = slow or (name != "start" and middle["large"] > FLOORS * middle["floor"])
    return {
        "cpu": middle,
        "least_cpu": {side: min(seconds) for side, seconds in cpu.items()},
        "wall": {side: statistics.median(c.wall for c in taken[name, side]) for side in cpu},
        "memory": max(c.memory for c in taken[name, "large"]),
        "times_shipped": middle["large"] / middle["shipped"],
        "times_floor": middle["large"] / middle["floor"],
        "added": added,
        "query": query,
        "slow": slow,
    }


def _same_rows(own: list[str], floor: list[str], clean: dict[str, str], folder: Path) -> None:
    """Both print the same claims in the same order, or of one claim the same citations.

    Raises:
        RuntimeError: when they do not.
    """
    with tempfile.TemporaryDirectory() as scratch:
        ours, theirs = Path(scratch) / "ours", Path(scratch) / "theirs"
        cost([*own, "--json"], clean, folder, ours)
        cost(floor, clean, folder, theirs)
        found = json.loads(ours.read_text("utf-8"))
        lines = theirs.read_text("utf-8").splitlines()
        if isinstance(found, dict):
            same = found["id"] == lines[0].split("\t")[0]
            same &= all(citation["source"] in " ".join(lines) for citation in found["citations"])
            rows = 1 + sum(len(found[part]) for part in ("citations", "relations", "computations"))
            rows += sum(len(computation["cells"]) for computation in found["computations"])
            same &= rows + bool(found["prediction"]) == len(lines)
        else:
            same = [claim["id"] for claim in found] == [line.split("\t")[0] for line in lines] and bool(found)
        if not same:
            raise RuntimeError(f"{' '.join(own)}: not the rows of the floor")


def main() -> int:
    """Measure, print, and say by the exit code whether kb keeps its promise."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__.split("\n")[0])
    parser.add_argument("--claims", type=int, default=100_000, help="claims of the large library")
    parser.add_argument("--runs", type=int, default=9, help="measured runs of each command")
    parser.add_argument("--store", type=Path, help="keep the large store here, and take it again")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    options = parser.parse_args()
    found = measure(options.claims, options.runs, options.store and options.store.absolute())
    slow = [name for name, row in found["rows"].items() if row["slow"]]
    if options.json:
        print(json.dumps({**found, "slow": slow}, indent=1))
        return 1 if slow else 0
    if found["build"]:
        print(
            f"{found['claims']} claims: store made in {found['build']['cpu']:.0f} s of CPU with at most"
            f" {found['build']['memory']:.0f} MB; {found['store_bytes'] / 1e6:.0f} MB"
        )
    print(
        f"{'CPU ms, median (least)':<34} shipped       large         floor           of shipped, floor, added, query"
    )
    for name, row in found["rows"].items():
        cells = "  ".join(
            f"{row['cpu'][side] * 1000:5.0f} ({row['least_cpu'][side] * 1000:4.0f})" for side in row["cpu"]
        )
        print(
            f"{name:<34} {cells}  {row['times_shipped']:6.2f} x {row['times_floor']:5.2f} x"
            f"  {row['added'] * 1000:5.0f} {row['query'] * 1000:5.0f}"
        )
    print(f"{'too slow: ' + ', '.join(slow) if slow else 'within the promise'}")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
