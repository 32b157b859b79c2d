"""Libraries on their way in and out of a store: time, and memory by their size, beside a peer and bare sqlite3.

    python -m benchmarks.transfer [--sizes 10000 100000] [--json]

Whole processes, each run once for each size: made-up libraries of so many claims, .bib files of so many entries.
Floors: Python's sqlite3 inserting the finished rows (with kb's indexes and search text) into an empty store,
or reading them all; the peer is bibtexparser's own parse of the same .bib file, which stores nothing.

Memory is bounded where it hardly grows with the size. Nothing is promised here, the figures are told: the exit code
is always 0.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from benchmarks._process import Cost, cost, environment

INSERT = """
import sqlite3, sys
done = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
new = sqlite3.connect(sys.argv[2])
new.execute("INSERT INTO meta VALUES ('bulk', '1')")
tables = "source claim alias tag citation relation figure computation prediction claim_text"
for table in tables.split():
    width = len(done.execute(f"PRAGMA table_info({table})").fetchall())
    marks = ", ".join("?" * width)
    new.executemany(f"INSERT INTO {table} VALUES ({marks})", done.execute(f"SELECT * FROM {table}"))
new.commit()
"""
READ = """
import sqlite3, sys
done = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
for table in ("source", "claim", "alias", "tag", "citation", "relation", "figure", "computation", "prediction"):
    for row in done.execute(f"SELECT * FROM {table}"):
        print(*row, sep="\\t")
"""
PARSE = """
import logging, sys
import bibtexparser
logging.disable()
bibtexparser.parse_file(sys.argv[1], encoding="utf-8")
"""


def measure(size: int) -> dict[str, Cost]:
    """The cost of each way for a library of `size` claims and a file of `size` entries."""
    from kb.store import connect

    clean = environment()
    python, kb = [sys.executable, "-c"], str(Path(sys.executable).with_name("kb"))
    with tempfile.TemporaryDirectory(prefix="kb-transfer-") as scratch:
        folder = Path(scratch)
        for name in (".kb", "reproductions"):
            (folder / name).mkdir()

        def made(what: str, claims: int, name: str) -> str:
            command = [sys.executable, "-m", "benchmarks._made_up", what, str(claims), str(folder / name)]
            cost(command, clean, folder)
            return str(folder / name)

        def empty(name: str) -> str:
            connect.create(folder / name)
            return str(folder / name)

        out: dict[str, Cost] = {}

        def run(name: str, *command: str) -> None:
            out[name] = cost(command, clean, folder, folder / "said")

        made("text", size, "citations")
        run("kb library build", kb, "library", "build")
        built = str(folder / "claims.db")
        run("floor: bare insert of its rows", *python, INSERT, built, empty("inserted.db"))
        run("kb library sync (the first, nothing new)", kb, "library", "sync")
        cost([kb, "claim", "edit", f"claim-{size // 2}", "--note", "Read again."], clean, folder)
        run("kb library export (one claim changed)", kb, "library", "export")
        lines = str(folder / "export.jsonl")
        run(
            "kb library export --format jsonl",
            kb,
            "--db",
            built,
            "library",
            "export",
            "--format",
            "jsonl",
            "-o",
            lines,
        )
        run("floor: bare read of its rows", *python, READ, built)
        imported = empty("imported.db")
        run("kb library import", kb, "--db", imported, "library", "import", lines)
        _as_many(Path(imported), "claim", size)
        bib = made("bibtex", 4 * size, "big.bib")  # a made-up library has a source for every four claims
        sources = empty("sources.db")
        run("kb cite add FILE.bib", kb, "--db", sources, "cite", "add", bib)
        _as_many(Path(sources), "source", size)
        run("peer: bibtexparser's parse", *python, PARSE, bib)
        run("floor: bare insert of the sources", *python, INSERT, sources, empty("bare.db"))
        run("kb cite export --style bibtex", kb, "--db", sources, "cite", "export", "--style", "bibtex")
    return out


def _as_many(store: Path, table: str, size: int) -> None:
    with closing(sqlite3.connect(store)) as connection:
        found = connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]
    if found != size:
        raise RuntimeError(f"{store.name} has {found} of {size} records in {table}")


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.transfer", description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    options = parser.parse_args()
    found = {size: measure(size) for size in options.sizes}
    if options.json:
        told = {size: {name: vars(one) for name, one in costs.items()} for size, costs in found.items()}
        print(json.dumps(told, indent=1))
        return 0
    for name in found[options.sizes[0]]:
        cells = "  ".join(
            f"{size:>8,}: {costs[name].cpu:7.1f} s {costs[name].memory:6.0f} MB"
            for size, costs in found.items()
        )
        print(f"{name:<42} {cells}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
