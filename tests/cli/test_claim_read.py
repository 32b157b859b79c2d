"""`kb claim list | show | trace | search`: what they print, for people and for programs."""

from __future__ import annotations

import io
import sqlite3
import sys
from contextlib import closing

import pytest

from kb.cli.claim_page import date_in_words, percent, quantity

LISTED = {
    "id", "kind", "statement", "asserted_by", "date", "status", "verdict", "tags", "citations", "runs",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _filled(store) -> None:
    """Each test has the small library."""


def test_list_gives_the_fixed_keys(kb) -> None:
    claims = kb("claim", "list", "--json").json
    assert [claim["id"] for claim in claims] == ["random-suffices", "four-percent", "small-mazes"]
    assert all(set(claim) >= LISTED for claim in claims)
    assert (claims[0]["runs"], claims[1]["citations"], claims[0]["verdict"]) == (1, 2, "supported")


def test_a_piped_list_is_tab_separated_with_a_header(kb) -> None:
    lines = kb("claim", "list").out.splitlines()
    header = lines[0].split("\t")
    assert set(header) == LISTED
    assert all(len(line.split("\t")) == len(header) for line in lines)
    assert "supported" in lines[1].split("\t")


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--kind", "prediction"], ["small-mazes"]),
        (["--kind", "prediction,framing"], ["small-mazes"]),
        (["--kind", "prediction", "--kind", "empirical"], ["random-suffices", "four-percent", "small-mazes"]),
        (["--status", "open,disputed"], ["random-suffices", "small-mazes"]),
        (["--verdict", "unchecked"], ["four-percent", "small-mazes"]),
        (["--tag", "d4rl"], ["four-percent"]),
        (["--by", "emmons"], ["four-percent", "small-mazes"]),
        (["--source", "chen2021decision"], ["four-percent"]),
        (["--reproducible"], ["random-suffices"]),
        (["--limit", "1"], ["random-suffices"]),
        (["--tag", "decision-transformer", "--status", "supported"], ["four-percent"]),
        (["--tag", "nothing"], []),
    ],
)
def test_filters_choose(options: list[str], found: list[str], kb) -> None:
    result = kb("claim", "list", "--json", *options)
    assert result.code == 0
    assert [claim["id"] for claim in result.json] == found


@pytest.mark.parametrize(
    ("option", "value", "names"),
    [
        ("--kind", "guess", "achievement"),
        ("--status", "true", "superseded"),
        ("--verdict", "ok", "inconclusive"),
    ],
)
def test_an_unknown_word_in_a_filter_names_the_allowed_ones(option: str, value: str, names: str, kb) -> None:
    result = kb("claim", "list", option, value)
    assert (result.code, result.out) == (2, "")
    assert names in result.err


def test_an_empty_list_says_so_on_stderr(kb) -> None:
    result = kb("claim", "list", "--tag", "nothing")
    assert len(result.out.splitlines()) == 1
    assert "no claim is like that" in result.err


def test_a_source_that_is_not_there_is_an_error(kb) -> None:
    result = kb("claim", "list", "--source", "chen2021decison")
    assert result.code == 1
    assert "chen2021decision" in result.err


def test_show_begins_with_the_statement_and_names_who_and_when(kb) -> None:
    out = kb("claim", "show", "four-percent").out
    assert out.startswith("On random data the Decision Transformer reaches 4% of its expert score.\n")
    assert "Scott Emmons, 11 March 2023" in out


def test_show_has_status_beside_verdict_with_mark_word_and_reason(kb) -> None:
    lines = kb("claim", "show", "random-suffices").out.splitlines()
    status = next(n for n, line in enumerate(lines) if line.startswith("status"))
    assert "disputed" in lines[status]
    assert "✓ supported" in lines[status + 1]
    assert "since 2026-11-20" in lines[status + 1]
    assert "share 0.95" in lines[status + 1] + lines[status + 2]


def test_show_has_each_quote_with_source_stance_locator_and_how_it_was_seen(kb) -> None:
    out = kb("claim", "show", "four-percent").out
    assert "1. chen2021decision supports it, indirectly · Table 2, DT column · its own result" in out
    assert "“we can generate optimal trajectories at test time”" in out
    assert "read in the published document https://arxiv.org/abs/2106.01345" in out
    assert "Chen et al. 2021, Decision Transformer" in out
    assert "note: one reading of the table" in out


def test_show_has_absences(kb) -> None:
    out = " ".join(kb("claim", "show", "four-percent").out.split())
    assert "absent: a reader read section 4, appendix A on 24 November 2026 and found no experiment" in out


def test_show_has_relations_in_both_directions_with_their_statements(kb) -> None:
    assert "→ rebuts random-suffices\n    Near-expert" in kb("claim", "show", "four-percent").out
    assert "← rebutted by four-percent\n    On random data" in kb("claim", "show", "random-suffices").out


def test_show_recomputes_the_figures(kb) -> None:
    assert "pass    ratio gives 4 %; the claim says 4 %" in kb("claim", "show", "four-percent").out
    computation = kb("claim", "show", "four-percent", "--json").json["computations"][0]
    assert (computation["value"], computation["outcome"]) == (4.0, "pass")
    assert "cell(" in computation["expression"]


def test_show_has_the_prediction_with_probability_and_rule(kb) -> None:
    out = kb("claim", "show", "small-mazes").out
    assert "80 % (Scott Emmons)" in out
    assert "half the squares reached" in out
    assert "not resolved" in out


def test_show_has_the_command_that_tests_the_claim_and_what_was_recorded(kb) -> None:
    out = kb("claim", "show", "random-suffices").out
    assert "$ kb reproduce dt-toy" in out
    assert "✓ supported (quick run dt-toy-1)" in out
    assert "the share of starts is at least 0.9" in out


def test_show_as_json_has_the_fixed_keys(kb) -> None:
    claim = kb("claim", "show", "random-suffices", "--json").json
    assert set(claim) >= LISTED - {"runs", "citations"}
    assert set(claim["citations"][0]) >= {"source", "stance", "directness", "role", "locator", "quote"}
    assert set(claim["relations"][0]) >= {"type", "claim"}
    assert set(claim["reproductions"][0]) >= {"name", "command", "needs", "recorded"}
    assert set(claim["runs"][0]) >= {"id", "reproduction", "preset", "verdict"}
    assert claim["criteria"]
    assert kb("claim", "show", "random-suffices", "--format", "json").json == claim


def test_show_finds_a_claim_by_a_name_that_it_had(kb) -> None:
    assert kb("claim", "show", "dt-four", "--json").json["id"] == "four-percent"


@pytest.mark.parametrize("command", ["show", "trace"])
def test_an_unknown_id_offers_the_nearest_names(command: str, kb) -> None:
    result = kb("claim", command, "four-procent")
    assert (result.code, result.out) == (1, "")
    assert "did you mean four-percent" in result.err
    assert result.err.count("\n") == 1


def test_an_unknown_format_names_the_formats(kb) -> None:
    result = kb("claim", "show", "four-percent", "--format", "html")
    assert result.code == 2
    assert "text, markdown, json" in result.err


def test_markdown_quotes_links_and_names_the_test(kb) -> None:
    out = kb("claim", "show", "four-percent", "--format", "markdown").out
    assert "> “we can generate optimal trajectories at test time”" in out
    assert "](<https://arxiv.org/abs/2106.01345>)" in out
    assert "rebuts `random-suffices`" in out
    assert "`kb reproduce dt-toy`" in kb("claim", "show", "random-suffices", "--format", "markdown").out


def test_markdown_links_only_to_the_web(kb) -> None:
    assert "javascript" not in kb("claim", "show", "small-mazes", "--format", "markdown").out


def test_trace_follows_the_chain_and_names_what_is_missing(kb) -> None:
    traced = kb("claim", "trace", "random-suffices", "--json").json
    states = {link["link"]: link["state"] for link in traced["links"]}
    assert list(states) == ["citation", "rendering", "figure", "run", "verdict", "slide"]
    assert (states["run"], states["verdict"], states["figure"]) == ("there", "there", "missing")
    assert "slide: no talk selects it" in traced["missing"]


def test_trace_shows_the_run_with_interval_and_null_control(kb) -> None:
    out = kb("claim", "trace", "random-suffices").out
    assert "share of starts: 0.95 [0.92, 0.98], n = 10 graphs" in out
    assert "beside it: with shuffled returns: 0.31 [0.2, 0.4]" in out
    assert "rule: the share of starts is at least 0.9" in out


def test_trace_shows_cells_and_slide(kb) -> None:
    traced = kb("claim", "trace", "four-percent", "--json").json
    links = {link["link"]: link for link in traced["links"]}
    assert {cell["value"] for cell in links["figure"]["items"][0]["cells"]} == {2.0, 50.0}
    assert links["slide"]["items"][0]["command"] == "kb talk-outline short-talk"
    assert links["rendering"]["missing"] == [
        "no text is stored of chen2021decision: `kb cite fetch KEY` gets it"
    ]


@pytest.mark.parametrize(
    ("words", "first"),
    [
        (["reaches", "score"], "four-percent"),
        (["goal-directed"], "small-mazes"),
        (["C++"], "small-mazes"),
        (['"activations" OR NEAR(mazes'], "small-mazes"),
        (["generate optimal trajectories at test time"], "four-percent"),
    ],
)
def test_search_finds_words_and_sentences(words: list[str], first: str, kb) -> None:
    result = kb("claim", "search", "--json", *words)
    assert result.code == 0
    assert result.json[0]["id"] == first


def test_search_reads_a_sentence_from_stdin(kb) -> None:
    found = kb(
        "claim", "search", "-", "--json", stdin="they say that editing activations\nsuffices in mazes"
    ).json
    assert found[0]["id"] == "small-mazes"


def test_a_search_that_finds_nothing_says_so_with_exit_code_1(kb) -> None:
    result = kb("claim", "search", "xyzzy", "--json")
    assert (result.code, result.json) == (1, [])


@pytest.mark.parametrize("words", [[" "], ["-"]])
def test_a_search_for_nothing_is_a_wrong_call(words: list[str], kb) -> None:
    assert kb("claim", "search", *words).code == 2


@pytest.mark.parametrize("columns", [40, 80, 120])
@pytest.mark.parametrize("command", [["list"], ["show", "four-percent"], ["trace", "random-suffices"]])
def test_on_a_terminal_every_line_fits(
    command: list[str], columns: int, kb, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kb.cli.layout import width_of

    monkeypatch.setattr("kb.cli.output.on_terminal", lambda: True)
    monkeypatch.setenv("NO_COLOR", "1")
    result = kb("claim", "list")  # sets COLUMNS
    monkeypatch.setenv("COLUMNS", str(columns))
    result = kb("claim", *command)
    assert max(width_of(line) for line in result.out.splitlines() if "http" not in line) <= columns


def test_marks_and_words_read_without_colour(kb, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kb.cli.output.on_terminal", lambda: True)
    monkeypatch.setenv("NO_COLOR", "1")
    out = kb("claim", "list").out
    assert "\x1b" not in out
    assert "✓ supported" in out
    assert "· unchecked" in out


def test_colour_comes_with_a_terminal(kb, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kb.cli.output.on_terminal", lambda: True)
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "\x1b[32m✓ supported\x1b[0m" in kb("claim", "list").out


def test_an_ascii_terminal_gets_the_page_in_ascii(kb, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
        from kb.cli.main import main

        kb("--version")
        assert main(["claim", "show", "random-suffices"]) == 0
        sys.stdout.flush()
        page = raw.getvalue().decode("ascii")
    assert "+ supported" in page


def test_dates_and_numbers_are_told_in_words() -> None:
    assert [date_in_words(d) for d in ("2023", "2023-03", "2023-03-11", None, "soon")] == [
        "2023", "March 2023", "11 March 2023", "", "soon",
    ]  # fmt: skip
    assert [percent(p) for p in (0.8, 0.755, 0, 1)] == ["80 %", "75.5 %", "0 %", "100 %"]
    assert [quantity(q, u) for q, u in ((True, None), (3.769, "percent"), (11.4, "score"))] == [
        "true", "3.769 %", "11.4 score",
    ]  # fmt: skip


def test_a_store_that_the_text_has_left_behind_is_told_in_one_line(kb, store_path) -> None:
    with closing(sqlite3.connect(store_path)) as connection, connection:
        connection.execute("INSERT INTO meta VALUES ('library_digest', 'of another text')")
    result = kb("claim", "list", "--json")
    assert "kb library sync" in result.err
    assert result.err.count("\n") == 1
    assert len(result.json) == 3
