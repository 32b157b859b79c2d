"""What is fuzzed: each target takes bytes and accepts or refuses them in one line; anything else is a crash."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from kb.errors import KbError
from tests.fuzz import mutate

ROOT = Path(__file__).resolve().parents[2]
CITATIONS = ROOT / "citations"
CRASHES = Path(__file__).parent / "crashes"
RUN = ROOT / "reproductions/dt_toy_graph/runs/dt-toy-graph-quick-20261124-054210"

Ask = Callable[[bytes], Any]
"""Takes an input; raises KbError where it refuses it."""


@dataclass(frozen=True)
class Target:
    """Something that reads what others wrote.

    Args:
        corpus_of: good inputs, from the repository's own files.
        ready: gives the function that takes an input, with a folder of its own to work in.
        dictionary: words of its grammar, for the mutations.
    """

    name: str
    corpus_of: Callable[[], list[bytes]]
    ready: Callable[[Path], Ask]
    dictionary: Sequence[bytes] = field(default=())

    @cached_property
    def corpus(self) -> list[bytes]:
        return self.corpus_of()

    @cached_property
    def crashes(self) -> list[bytes]:
        """Inputs that once were a crash, each now accepted or refused."""
        return [path.read_bytes() for path in sorted(CRASHES.glob(f"{self.name}-*"))]

    def input(self, number: int, seed: int) -> bytes:
        """Input `number`: always the same for a seed; below 0, one that once was a crash."""
        if number < 0:
            return self.crashes[number]
        return mutate.make(self.name, number, seed, self.corpus, self.dictionary)


@contextlib.contextmanager
def work(target: Target) -> Iterator[Callable[[bytes], bool]]:
    """A function that says whether the target accepts an input; False: refused in one line.

    Raises:
        AssertionError: where a refusal is not one line.
    """
    with tempfile.TemporaryDirectory(prefix="kb-fuzz-") as folder:
        ask = target.ready(Path(folder))

        def accepts(data: bytes) -> bool:
            try:
                ask(data)
            except KbError as error:
                told = str(error)
            else:
                return True
            assert told.startswith("Usage:") or "\n" not in told, f"several lines: {told!r}"
            assert len(told) < 2_500, f"{len(told)} characters: {told[:200]!r}"
            return False

        yield accepts


# --- The library's text ---------------------------------------------------------------------------


def _blocks(path: Path, start: str, most: int = 5, at_once: int = 2) -> list[bytes]:
    """A file's records, some at a time: small inputs reach more in the same time."""
    parts = path.read_text("utf-8").split(f"\n{start}")
    whole = [parts[0], *(start + part for part in parts[1:])]
    step = max(1, len(whole) // most)
    chosen = [whole[n : n + at_once] for n in range(0, len(whole), step)][:most]
    return [("\n".join(part) + "\n").encode() for part in chosen]


def _bibtex_corpus() -> list[bytes]:
    fixtures = sorted((ROOT / "tests/sources/fixtures").glob("*.bib"))
    return [*_blocks(CITATIONS / "references.bib", "@"), *(path.read_bytes()[:6_000] for path in fixtures)]


def _bibtex(folder: Path) -> Ask:
    from kb.sources import bibtex

    path = folder / "given.bib"

    def ask(data: bytes) -> None:
        path.write_bytes(data)
        sources, reading = bibtex.read_file(path)
        for failure in reading.failures:
            assert "\n" not in str(failure), f"more than one line: {str(failure)!r}"
        again, failures = bibtex.read(bibtex.write(sources))
        assert not failures, failures[:1]
        assert again == sources, "what is written reads otherwise"
        for source in sources:
            bibtex.display(source.fields)

    return ask


def _yaml_corpus() -> list[bytes]:
    claims = [
        block
        for path in sorted((CITATIONS / "claims").glob("*.yaml"))[::2]
        for block in _blocks(path, "- id: ", 2, 1)
    ]
    return [*claims, *(path.read_bytes() for path in sorted((CITATIONS / "talks").glob("[dms]*.yaml")))]


def _library(home: str, kind: str) -> Ask:
    from kb import records
    from kb.library import readers, write
    from kb.library.text import BrokenLibrary, as_text

    def ask(data: bytes) -> None:
        text = as_text(home, data)
        found, problems = readers.read(home, kind, text)
        for problem in problems:
            assert "\n" not in str(problem), f"more than one line: {str(problem)!r}"
        if problems:
            raise BrokenLibrary(problems)
        assert str(found) == text, "the text cannot be put together again"
        for entry in found.entries:
            written = write.canonical(entry.kind, records.plain(entry.record))
            again, wrong = readers.read(home, kind, found.head + written)
            assert [one.record for one in again.entries] == [entry.record], (written[:200], wrong)

    return ask


def _yaml(folder: Path) -> Ask:
    claims, talks = _library("claims/a.yaml", "claim"), _library("talks/a.yaml", "talk")
    return lambda data: talks(data) if b"select:" in data else claims(data)


def _figures_corpus() -> list[bytes]:
    found = []
    for path in sorted((CITATIONS / "figures").glob("*.csv")):
        lines = path.read_bytes().split(b"\n")
        found.append(b"\n".join(lines[:8]) + b"\n")
    return found


# --- Reproductions --------------------------------------------------------------------------------


def _manifest_corpus() -> list[bytes]:
    return [path.read_bytes() for path in sorted(ROOT.glob("reproductions/*/*reproduction.toml"))]


def _manifests(folder: Path) -> Ask:
    from kb.reproduce import layout, manifest

    def ask(data: bytes) -> None:
        named = re.search(rb'name = "([a-z-]{1,30})"', data)
        place = folder / (named[1].decode().replace("-", "_") if named else "tiny") / layout.FILE
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(data)
        found = manifest.load(place)
        json.dumps(found.raw, allow_nan=False).encode()
        assert found.claims is not None

    return ask


def _run_corpus() -> list[bytes]:
    """A run's files, each with a letter before it that says which it is."""
    record = RUN.joinpath("run.json").read_bytes()
    samples = RUN.joinpath("samples.csv").read_bytes()
    rows = [line.split(",") for line in samples.decode().splitlines()[1:]]
    events: list[dict[str, Any]] = [{"event": "data", "digest": "abc"}, {"event": "note", "text": "a note"}]
    for metric, unit, value, weight in rows:
        event = {"event": "sample", "metric": metric, "unit": unit, "value": float(value)}
        events.append({**event, "weight": float(weight)} if weight else event)
    events += [
        {"event": "finished", "kind": "graph", "step": "1"},
        {"event": "progress", "done": 1.0, "total": 2.0, "what": "graphs"},
        {"event": "artifact", "path": "plot.txt", "title": "A plot"},
        {"event": "done"},
    ]
    lines = "".join(json.dumps(event) + "\n" for event in events).encode()
    small = {key: value for key, value in json.loads(record).items() if key not in ("criteria", "departures")}
    return [
        b"R" + record,
        b"R" + json.dumps({**small, "criteria": []}).encode(),
        b"S" + samples,
        b"E" + lines,
    ]


def _runs(folder: Path) -> Ask:
    from kb.reproduce import manifest, process, recorded, register, runner
    from kb.reproduce.report import Report
    from kb.store import connect, edit
    from tests.making import claim, source

    home = folder / "reproductions" / "dt_toy_graph"
    home.mkdir(parents=True)
    shutil.copy(ROOT / "reproductions/dt_toy_graph/reproduction.toml", home)
    (home / "experiment.py").write_text("pass\n")
    kept = home / "runs" / RUN.name
    own = folder / "own"
    for place in (kept, own):
        place.mkdir(parents=True)
        for name in (recorded.RECORD, recorded.SAMPLES):
            shutil.copy(RUN / name, place)
    config = {"preset": "quick", "seed": 0, "parameters": {}, "cache": str(folder)}
    (own / "config.json").write_text(json.dumps(config))
    (own / "plot.txt").write_text("a plot")
    (own / process.LOG).write_text("")
    found = manifest.load(home)
    store = folder / "store.db"
    connect.create(store)
    with connect.writing_to(store) as session:
        edit.put(session, source())
        for one in found.claims:
            edit.put(session, claim(one))

    class Undo(Exception):
        pass

    def ask(data: bytes) -> None:
        which, content = data[:1], data[1:]
        if which == b"E":
            (own / "events.jsonl").write_bytes(content)
            run = {"preset": "quick", "config": {}}
            runner._conclude(found, run, own, process.Ended(0, False, 0.0, 0.0))
            with Report(own) as report:
                list(report.remaining("graph", range(3)))
            if run["state"] != "finished":
                raise KbError(run["error"])
            return
        name = recorded.SAMPLES if which == b"S" else recorded.RECORD
        place = kept / name
        place.write_bytes(content)
        try:
            with contextlib.suppress(Undo), connect.writing_to(store) as session:
                register.register_all(session, [folder / "reproductions"])
                raise Undo
        finally:
            shutil.copy(RUN / name, place)

    return ask


# --- Expressions and questions --------------------------------------------------------------------


def _expressions_corpus() -> list[bytes]:
    import yaml

    shipped = [
        computation["expression"]
        for path in sorted((CITATIONS / "claims").glob("*.yaml"))
        for record in yaml.safe_load(path.read_text("utf-8"))
        for computation in record.get("computations", [])
    ]
    ours = ['min(cells("n.t*"), 1) == -3 and cell("n.one") > 0', "max(1, 2, abs(-3)) - sum(1, 2) <= count(1) or 1 < 2 < 3",
            'round(cell("n.two") ** 2, 3)', 'mean(cell("n.one"), 1)']  # fmt: skip
    return [text.encode() for text in [*shipped[::3], *ours]]


def _expressions(folder: Path) -> Ask:
    import csv

    from kb.checks import expressions
    from kb.checks.expressions import Cell

    cells = expressions.Cells()
    for path in sorted((CITATIONS / "figures").glob("*.csv")):
        with path.open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                value = float(row["value"]) if row["value"] else None
                cells[row["id"]] = Cell(row["id"], value, row["unit"], row["scale"])
    for id_, number in (("n.one", 1e300), ("n.two", -3.0), ("n.two.zero", 0.0), ("n.unread", None)):
        cells[id_] = Cell(id_, number, "count", "raw")

    def ask(data: bytes) -> None:
        text = data.decode("utf-8", "surrogateescape")
        expressions.cell_ids(text, cells)
        try:
            value = expressions.evaluate(text, cells)
        except (expressions.ExpressionError, expressions.MissingCells) as error:
            raise KbError(str(error)) from None
        expressions.rounds_to(float(value), 4.0, len(data) % 10)

    return ask


def _queries_corpus() -> list[bytes]:
    """Arguments, one a line, as a shell would hand them over."""
    calls = [
        "claim list --by Emmons --limit 5", "claim list --kind empirical,prediction --status open --tag maze --json",
        "claim list --source chen2021decision --reproducible", "claim list --verdict supported", "cite list",
        "claim search goal-directed C++", "claim search decision transformer random data --limit 3 --json", "run list dt-toy",
        "claim show dt-four", "claim show four-percent --format markdown", "claim trace four-percent", "cite show comments",
        "cite export --claim four-percent --style ris", "check four-percent", "prediction score --by Scott", "run show dt-toy-1",
        "run diff dt-toy-1 published", "claim history four-percent", "cite export --style csl-json", "doctor --explain orphans",
    ]  # fmt: skip
    return [call.replace(" ", "\n").encode() for call in calls]


_READING = ("claim", "cite", "check", "doctor", "run", "prediction")
_WRITING = (
    "add", "edit", "cite", "relate", "remove", "rename", "undo", "fetch", "check", "record", "resolve",
)  # fmt: skip
_WRITES = ("-o", "--output", "--db", "--to", "--fix", "--editor", "-e")


def _queries(folder: Path) -> Ask:
    import os

    from kb.cli.main import main
    from tests.cli.conftest import filled

    store = folder / "store.db"
    filled(store)
    os.environ.update(KB_DB=str(store), COLUMNS="100", XDG_DATA_HOME=str(folder))
    os.chdir(folder)

    def ask(data: bytes) -> None:
        # A command line holds no NUL, and the reading commands alone are asked.
        words = [os.fsdecode(word)[:20_000] for word in data.replace(b"\0", b"").split(b"\n") if word][:40]
        if not words or words[0] not in _READING or (len(words) > 1 and words[1] in _WRITING):
            words = ["claim", "search", *words]
        words = [word for word in words if not word.startswith(_WRITES)]
        out, said = (io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2))
        stdin, sys.stdin = sys.stdin, io.StringIO("words from a pipe")
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(said):
                code = main(words)
            out.flush()
            said.flush()
            told, printed = (stream.buffer.getvalue().decode() for stream in (said, out))  # type: ignore[attr-defined]
        finally:
            sys.stdin = stdin
        assert "internal error" not in told, told
        assert code in (0, 1, 2), (code, told)
        assert "\x1b" not in told + printed
        if code == 2:
            raise KbError(told.strip() or "nothing was said")

    return ask


# --- The network ----------------------------------------------------------------------------------


def _answers_corpus() -> list[bytes]:
    """Answers with their headers, as they come over the wire."""
    from tests import answers

    replies = [
        answers.work(), answers.notices(("10.1234/notice", "retraction")), answers.csl("10.5281/zenodo.1"),
        answers.work(**{"updated-by": [answers.update("retraction")], "subtitle": ["A Subtitle"]}),
        answers.feed(answers.entry("2303.01234", comment="withdrawn", doi="10.1234/x")), answers.page(),
    ]  # fmt: skip
    head = "200\nContent-Type: {}; charset=utf-8\nRetry-After: 5\nX-RateLimit-Remaining: 0\n\n"
    return [head.format(reply.kind).encode() + reply.body for reply in replies]


def _answers(folder: Path) -> Ask:
    import httpx

    from kb import records
    from kb.sources import arxiv, crossref, page
    from kb.sources.answer import ANY_TEXT, HTML, JSON, XML, Answer
    from kb.sources.http import Http
    from kb.sources.metadata import Metadata, entry_fields

    url = "https://a.example/b"

    def read(answer: Answer) -> Metadata | None:
        if answer.content_type in XML:
            for feed in arxiv.split(answer).values():
                arxiv.read(Answer(url, 200, XML[0], feed, answer.at), "2303.01234")
            return arxiv.read(answer, "2303.01234")
        if answer.content_type in HTML:
            found = page.read(answer)
            page.restored(Answer(url, 200, JSON[0], page.reduced(found), answer.at))
            return found
        crossref.read_notices(answer, "10.1234/steer.2023")
        return crossref.read_work(answer, "10.1234/steer.2023")

    def ask(data: bytes) -> None:
        head, _, body = data.partition(b"\n\n")
        status, *lines = head.split(b"\n")
        headers = [
            (name, value.strip()) for name, _, value in (line.partition(b":") for line in lines) if name
        ]
        code = int(status) if status.isdigit() and len(status) < 4 else 200
        http = Http()
        asked = httpx.Request("GET", url)
        response = httpx.Response(code, headers=headers, stream=httpx.ByteStream(body), request=asked)
        try:
            answer = http._take(url, response, (*JSON, *XML, *ANY_TEXT), http.clock() + 60)
        except httpx.DecodingError:
            raise KbError("cannot be unpacked") from None
        if not isinstance(answer, Answer):
            assert 0 <= answer[1] <= http.longest_wait
            raise KbError(answer[0])
        found = read(answer) if answer.found else None
        if found is not None:
            fields = {"key": "k", "type": found.type, "kind": "paper", "fields": entry_fields(found)}
            records.parse("source", fields)

    return ask


TARGETS = {
    target.name: target
    for target in (
        Target("bibtex", _bibtex_corpus, _bibtex, [
            b"@article{k,", b"@string{", b"@comment{", b"@xdata{", b"crossref = {", b" # ", b"xdata = ", b"\\{", b"{\\'e}", b'{"}',
            b"ids = {a, b}", b"entrysubtype = {post}", b"@preamble{", b",", b"month = jan",
        ]),
        Target("yaml", _yaml_corpus, _yaml, [
            b"- id: a", b"  - ", b": ", b"|\n", b">-\n", b"? ", b"--- ", b"...", b"!!str", b"&a", b"*a", b"'", b"claim:", b"citations:",
            b"probability: 2", b"date: 2023-02-31", b"<<: {}", b"%YAML 9",
        ]),
        Target("figures", _figures_corpus, lambda folder: _library("figures/a.csv", "figure"), [
            b",", b'"', b'""', b"\n", b"primary", b"percent", b"=1+1", b"+1", b"-1", b"@x", b'"\n"', b"nan", b"inf",
        ]),
        Target("manifests", _manifest_corpus, _manifests, [
            b"[[metric]]", b"[presets.full]", b"[a.b.c]", b"a.b.c = 1", b"{ a = 1 }", b"1979-05-27T07:32:00Z", b"'''", b'"""',
            b"\\uD800", b"\\U0010ffff", b"0xffffffffffffffffff", b"inf", b"-nan", b"low = ", b"requires = ['a']", b"[original]",
            b"min_units = 5",
        ]),
        Target("expressions", _expressions_corpus, _expressions, [
            b"cell(", b"cells('*')", b"mean(", b"round(", b" ** ", b"-1 ** 0.5", b"(-8) ** 0.5", b" < ", b" and ", b" not ", b"1e308",
            b" / 0", b"lambda: 0", b"[1]", b"(x := 1)", b"f'{1}'", b"1if 1else 2", b"'\\d'", b"1j", b"cells('[')", b"__import__",
            b".real", b"max(", b"cell('n.one')", b"cell('n.two')", b", 9)",
        ]),
        Target("queries", _queries_corpus, _queries, [
            b"--json", b"--limit", b"--by", b"--kind", b"--tag", b"--source", b"-", b"--", b"NEAR/3", b'"', b"AND", b"OR", b"NOT",
            b"col:", b"^", b"*", b"%", b"_", b"99999999999999999999", b"-1", b"four-percent", b"--style", b"==",
        ]),
        Target("runs", _run_corpus, _runs, [
            b'{"event":"done"}', b'"value": ', b'"weight": 0', b'"state": "finished"', b"NaN", b"\n{}\n", b"\n[]\n", b"\n1\n",
            b'"path": "../x"', b'"path": "/dev/zero"', b'{"event":"finished"}', b'"metrics": []', b"metric,unit,value,weight",
        ]),
        Target("answers", _answers_corpus, _answers, [
            b'"date-parts"', b"[[null]]", b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"<!ENTITY", b"&b;", b"]]>", b"<![CDATA[",
            b"Content-Encoding: gzip\n", b"Content-Length: 9", b"Retry-After: 99999", b"Content-Type: text/html\n", b"429", b"503",
            b"<meta name=citation_title content=", b"Fri, 32 Foo 99999 25:61:61 GMT", b"charset=utf-7", b"encoding='utf-16'",
        ]),
    )
}  # fmt: skip


# --- For the harness's own test -------------------------------------------------------------------


def _traps(folder: Path) -> Ask:
    """What the harness must notice."""

    def ask(data: bytes) -> None:
        match data:
            case b"divide":
                _ = len(data) / 0
            case b"eat":
                bytearray(700 * 1024 * 1024)
            case b"wait":
                while True:
                    pass
            case b"lines":
                raise _TwoLines("")
            case _ if b"x" in data:
                raise KbError("holds an x")

    return ask


class _TwoLines(KbError):
    def __str__(self) -> str:
        return "one\ntwo"


ALL = {**TARGETS, "traps": Target("traps", lambda: [b"good", b"better"], _traps, [b"x"])}
"""`TARGETS`, and one that is none: an input that crashes, one that hangs, one that eats memory, one with two lines."""
