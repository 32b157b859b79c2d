"""BibTeX import of 10,000 entries beside bibtexparser's own parse of the same file.

Run it with `python -m benchmarks.bibtex [--entries 10000] [--rounds 5] [--json]`. Both are run in turn in
one process, on one file from a seeded generator; the best round of each counts. "kb read" is text to
validated records with everything that could not be taken over; "bibtexparser" is `parse_string` with its
default stack, which does neither. The promise is a ratio of at least 0.5. "kb cite add" is the whole way
into an empty store: read, validate, store, index for search.
"""

from __future__ import annotations

import argparse
import gc
import json
import logging
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

_WORDS = [
    "deep",
    "sparse",
    "steering",
    "probing",
    "circuits",
    "induction",
    "attention",
    "features",
    "maze",
    "policy",
    "network",
    "transformer",
    "language",
    "reward",
    "agent",
    "robust",
    "alignment",
    "superposition",
    "causal",
    "tracing",
    "editing",
    "faithful",
    "scaling",
]
_PEOPLE = (
    "Turner, Alexander Matt", "Nanda, Neel", "M{\\\"u}ller, J{\\\"o}rg", "Ludwig van Beethoven", "{OpenAI Team}",
    "Garc{\\'i}a-L{\\'o}pez, Mar{\\'i}a", "Chen, Lili", "Olah, Chris", "de la Vall{\\'e}e Poussin, Charles",
)  # fmt: skip


def generate(entries: int, seed: int = 7) -> str:
    """A .bib file as reference managers export it: abstracts, accents, addresses, macros."""
    draw = random.Random(seed)
    parts = ['@string{icml = "International Conference on Machine Learning"}\n']
    for number in range(entries):
        title = " ".join(draw.choices(_WORDS, k=draw.randint(4, 10)))
        people = " and ".join(draw.sample(_PEOPLE, draw.randint(1, 5)))
        abstract = " ".join(draw.choices(_WORDS, k=draw.randint(60, 160)))
        kind = draw.choice(("article", "inproceedings", "misc"))
        venue = {
            "article": "journal = {Journal of Machine Learning Research},\n  volume = 23",
            "inproceedings": "booktitle = icml,\n  pages = {1--12}",
            "misc": f"eprint = {{2{draw.randint(100, 399)}.{10000 + number}}},\n  archiveprefix = {{arXiv}}",
        }[kind]
        parts.append(
            f"@{kind}{{key{number}_{draw.choice(_WORDS)},\n  title = {{{{{title.title()}}}: A {{Study}}}},\n"
            f"  author = {{{people}}},\n  year = {draw.randint(1998, 2026)},\n"
            f"  month = {draw.choice(('jan', 'jun'))},\n  {venue},\n  doi = {{10.1000/{number}}},\n  url = {{https://example.org/{number}%20x_y}},\n"
            f'  keywords = "{title}",\n  abstract = {{{abstract}}},\n  urldate = {{2026-01-02}}\n}}\n'
        )
    return "\n".join(parts)


def _timed(work: Callable[[], object]) -> float:
    gc.collect()
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _into_a_store(path: Path) -> float:
    from kb.cli import cite_write as cite
    from kb.store import connect, places

    with tempfile.TemporaryDirectory() as folder:
        found = places.find(db=str(Path(folder) / "store.db"), start=Path(folder))
        connect.create(found.working)
        return _timed(lambda: cite.import_file(found, path))


def measure(entries: int, rounds: int) -> dict[str, float]:
    """Seconds of the best of `rounds` for each way, and their ratio."""
    import bibtexparser

    from kb.sources import bibtex

    logging.getLogger("bibtexparser").addHandler(logging.NullHandler())
    text = generate(entries)
    sources, failures = bibtex.read(text)
    if len(sources) != entries or failures:
        raise SystemExit(f"read {len(sources)} of {entries} entries; first failure: {failures[:1]}")
    own, theirs = [], []
    for _ in range(rounds):
        theirs.append(_timed(lambda: bibtexparser.parse_string(text)))
        own.append(_timed(lambda: bibtex.read(text)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "big.bib"
        path.write_text(text, encoding="utf-8")
        stored = min(_into_a_store(path) for _ in range(2))
    return {
        "entries": entries,
        "bytes": len(text.encode()),
        "bibtexparser_seconds": min(theirs),
        "kb_read_seconds": min(own),
        "kb_write_seconds": _timed(lambda: bibtex.write(sources)),
        "kb_cite_add_seconds": stored,
        "speed_ratio": min(theirs) / min(own),
        "speed_ratio_into_store": min(theirs) / stored,
    }


def main() -> None:
    """Print the figures, as a table or as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--entries", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = measure(options.entries, options.rounds)
    if options.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:>24}  {value:,.3f}" if isinstance(value, float) else f"{name:>24}  {value:,}")


if __name__ == "__main__":
    main()
