"""One hostile claim through every outward format: a terminal, a pipe, JSON, Markdown, slides, bibliographies, SARIF."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml

from kb import records
from kb.cli import layout, main, output
from kb.cli.claim_markdown import escape, reference
from kb.errors import KbError
from kb.store import connect, edit
from tests.making import claim, source

HTML = "<script>alert(1)</script><img src=x onerror=alert(1)>"
LINK = "[click](javascript:alert(1))"
MARKUP = "[bold red]x[/bold red] [link=file:///etc/passwd]"
TURNED = "right \u202eto left, hidden \u200b\u2066 here"
LATEX = "100% of $x_1$ & \\emph{all} #1 ~ ^ {"
FORMULA = "=cmd|' /C calc'!A0"
TEMPLATE = "{0} %s ${HOME} $(id) `id`"
EVERYTHING = " ".join((FORMULA, HTML, LINK, MARKUP, TURNED, TEMPLATE))
DANGEROUS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b]")


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store with one claim, source and talk of hostile text."""
    store = tmp_path / "store.db"
    monkeypatch.setenv("KB_DB", str(store))
    monkeypatch.setenv("COLUMNS", "100")
    connect.create(store)
    cited = {
        "source": "paper2020",
        "stance": "asserts",
        "locator": LINK,
        "quote": f"{HTML} {LINK}",
        "seen": "primary",
        "note": EVERYTHING,
    }
    with connect.writing_to(store) as session:
        edit.put(
            session,
            source(title="A {T}itle with 100\\% <script>alert(1)</script>", url="javascript:alert(1)"),
        )
        edit.put(
            session,
            claim(
                statement=EVERYTHING,
                asserted_by=f"{HTML}{MARKUP}",
                caveat=EVERYTHING,
                note=LATEX,
                citations=[cited],
            ),
        )
        talk = {
            "name": "a-talk",
            "title": EVERYTHING,
            "opening": EVERYTHING,
            "select": {"claims": ["a-claim"]},
        }
        edit.put(session, records.parse("talk", talk))
    return store


READ = [
    ["claim", "list"], ["claim", "show", "a-claim"], ["claim", "trace", "a-claim"], ["claim", "search", "click"], ["claim", "history", "a-claim"],
    ["claim", "show", "a-claim", "--format", "markdown"], ["claim", "show", "a-claim", "--json"], ["cite", "list"], ["cite", "show", "paper2020"],
    ["check", "a-claim"], ["doctor"], ["talk", "list"], ["talk-outline", "a-talk"],
    *(["cite", "export", "--style", style] for style in ("bibtex", "csl-json", "ris")),
    ["claim", "show", EVERYTHING], ["claim", "list", "--kind", EVERYTHING], ["reproduce", EVERYTHING], [EVERYTHING],
]  # fmt: skip


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("arguments", READ, ids=lambda given: "-".join(given)[:40])
def test_nothing_that_a_terminal_obeys_is_printed(
    arguments: list[str],
    terminal: bool,
    hostile: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(output, "on_terminal", lambda: terminal)
    monkeypatch.setattr(layout, "on_terminal", lambda: terminal, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    main.main(arguments)
    printed, said = capsys.readouterr()
    if (
        terminal or arguments[0] != "talk-outline"
    ):  # a document in a pipe is a file: its own escapes are tested below
        assert DANGEROUS.search(printed) is None
    assert DANGEROUS.search(said) is None


def test_a_table_in_a_pipe_holds_no_formula(hostile: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main.main(["claim", "list"])
    cells = [cell for line in capsys.readouterr().out.splitlines() for cell in line.split("\t")]
    assert any(cell.startswith("'=cmd") for cell in cells)
    assert not [cell for cell in cells if re.match(r"[=@]", cell)]


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("=1+1", "'=1+1"), ("@SUM(A1)", "'@SUM(A1)"), ("+cmd", "'+cmd"), ("-2+3+cmd|x", "'-2+3+cmd|x"), ("-3.5", "-3.5"), ("+1e-3", "+1e-3"),
        ("-12 %", "-12 %"), ("-", "-"), ("", ""), ("words = more", "words = more"), ("-1,234", "-1,234"),
    ],
)  # fmt: skip
def test_numbers_stay_and_formulas_become_text(cell: str, shown: str) -> None:
    assert layout.no_formula(cell) == shown


class Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_slides_and_outlines_hold_no_markup_from_a_claim(
    hostile: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = {}
    for form in ("markdown", "marp", "revealjs", "json"):
        path = tmp_path / f"talk.{form}"
        assert main.main(["talk-outline", "a-talk", "--format", form, "-o", str(path)]) == 0
        texts[form] = path.read_text("utf-8")
    for form, text in texts.items():
        assert DANGEROUS.search(text) is None, form
    head, texts["marp"] = texts["marp"].removeprefix("---\n").split("\n---\n", 1)
    assert "<script>" in yaml.safe_load(head)["title"]  # Marp escapes what its front matter gives
    # Speaker notes are comments, whose end cannot stand in them: they are shown as text.
    texts["marp"] = re.sub(r"<!--[^<>]*-->", "", texts["marp"])
    assert "<!--" not in texts["marp"]
    for form in ("markdown", "marp"):
        assert "<script" not in texts[form]
        assert "<img" not in texts[form]
        assert "](javascript" not in texts[form].replace("\\](", "")
    page = Elements()
    page.feed(texts["revealjs"])
    assert page.found
    for tag, attributes in page.found:
        assert not any(name.startswith("on") for name in attributes), (tag, attributes)
        assert "alert(1)" not in str(attributes)
    assert "<script>alert" not in texts["revealjs"]
    json.loads(texts["json"])
    capsys.readouterr()


def test_a_claim_as_markdown_is_text(hostile: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main.main(["claim", "show", "a-claim", "--format", "markdown"])
    printed = capsys.readouterr().out
    bare = re.sub(r"\\.", "", printed)
    assert "<script" not in bare
    assert "](javascript" not in bare
    assert escape("a\nb") == "a b"
    for obeyed in (
        "https://evil.example",
        "www.evil.example",
        "$x^2$",
        ":smile:",
        "@user",
        "#12",
        "&lt;b&gt;",
    ):
        assert obeyed not in escape(f"A claim, {obeyed} in it.")
    wild = {"title": "T", "year": "[2020](https://evil.example)", "url": "https://a.example/\\"}
    assert reference("key", wild).endswith("[T](<https://a.example/%5C>) [`key`]")
    assert "(https://evil" not in reference("key", wild)


@pytest.mark.parametrize(
    "value",
    [
        r"A \input{/etc/passwd} title", r"\write18{id}", r"\immediate\write", r"\include{x}", r"\openin5=x", r"\csname input\endcsname",
        r"\catcode`\@=11", r"^^5cinput{x}", r"\directlua{os.execute()}", r"\def\x{y}", r"\lstinputlisting{x}", r"\includegraphics{x}",
        r"\InputIfFileExists{x}{}{}", r"\IfFileExists{/etc/x}{y}{z}", r"\VerbatimInput{x}", r"\newcommand\x{y}", r"\renewcommand{\x}{y}",
        r"\providecommand\x{y}", r"\begin{filecontents}{x} a \end{filecontents}", r"\begin {filecontents*}[overwrite]{x}",
    ],
)  # fmt: skip
def test_a_bibliography_holds_nothing_that_latex_would_carry_out(value: str) -> None:
    with pytest.raises(KbError, match="which LaTeX would carry out") as error:
        records.parse("source", {"key": "k", "type": "misc", "kind": "paper", "fields": {"title": value}})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "value",
    [
        r"{\'E}tudes \& \emph{more}",
        r"$x^2$ and $\mathbf{y}$",
        r"\url{https://a.example/~b}",
        r"\inputs \reading \define \newcommands \begin{itemize}",
    ],
)
def test_accents_mathematics_and_addresses_stay(value: str) -> None:
    records.parse("source", {"key": "k", "type": "misc", "kind": "paper", "fields": {"title": value}})


FIGURE = {
    "id": "a.b",
    "source": "k",
    "locator": "Table 1",
    "quantity": "q",
    "unit": "count",
    "scale": "raw",
    "seen": "primary",
}


@pytest.mark.parametrize(
    "text", ["=1+1", "@x", "+cmd|x", "-x", "-1 +cmd|' /C calc'!A0", "-1%+A1", "-3.5 in it"]
)
def test_a_figure_is_no_formula(text: str) -> None:
    for number in ("-3.5", "+1,024.5", "- 3 %", "-1.5e-3", "-12 points"):
        records.parse("figure", {**FIGURE, "note": number})
    with pytest.raises(KbError, match="starts like a spreadsheet's formula"):
        records.parse("figure", {**FIGURE, "locator": text})


def test_numbers_that_are_none_are_no_figures() -> None:
    for value in ("nan", "inf", float("inf")):
        with pytest.raises(KbError, match="finite"):
            records.parse("figure", {**FIGURE, "value": value})


@pytest.mark.parametrize(
    "identifier", ["../../etc/passwd", "/etc/passwd", "a/b", "a\\b", "..", "a\0", "a\n", "A", "a" * 81]
)
def test_an_identifier_is_no_path(identifier: str) -> None:
    with pytest.raises(KbError):
        records.parse(
            "claim",
            {"id": identifier, "kind": "advice", "statement": "S.", "asserted_by": "B", "status": "open"},
        )
    with pytest.raises(KbError):
        records.parse("talk", {"name": identifier, "title": "T", "select": {}})
    if identifier not in ("A", "a" * 81):
        with pytest.raises(KbError):
            records.parse("source", {"key": identifier, "type": "misc", "kind": "paper"})
