from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb import records
from kb.errors import KbError
from kb.sources import bibtex, scan

FIXTURES = Path(__file__).parent / "fixtures"
_ENTRY = re.compile(r"@?(?:misc|article|inproceedings)\s*\{")


def only(text: str) -> records.Source:
    sources, failures = bibtex.read(text)
    assert len(sources) == 1, failures
    return sources[0]


def read(name: str) -> tuple[dict[str, records.Source], dict[str, bibtex.Failure], bibtex.Reading]:
    sources, reading = bibtex.read_file(FIXTURES / name)
    return {s.key: s for s in sources}, {f.key or f.raw[:12]: f for f in reading.failures}, reading


# --- files as they come from elsewhere ------------------------------------------------------------------


def test_an_acl_anthology_file_is_read_whole() -> None:
    sources, failures, _ = read("acl_anthology.bib")
    assert not failures
    probe = sources["hewitt-manning-2019-structural"].fields
    assert (probe["month"], probe["year"], probe["doi"]) == ("June", "2019", "10.18653/v1/N19-1419")
    assert bibtex.display(probe)["authors"] == "John Hewitt; Christopher D. Manning"
    assert bibtex.display(probe)["title"] == "A Structural Probe for Finding Syntax in Word Representations"
    assert probe["abstract"].endswith(r"we propose a \textit{structural probe}.")


def test_a_better_bibtex_export_keeps_its_addresses_and_windows_paths() -> None:
    sources, failures, _ = read("better_bibtex.bib")
    assert not failures
    toy = sources["elhageToyModelsSuperposition2022"].fields
    assert toy["file"].endswith(r"C\:\\Users\\me\\snapshot.html")
    post = sources["turnerActivationAddition2023"].fields
    url = "https://www.example.org/posts/5spBue2z2tw4JuDCx/steering%20gpt-2-xl?a=1&b=2#fig_3"
    assert bibtex.display(post)["url"] == post["url"] == url
    assert bibtex.display(post)["authors"] == "TurnTrout; Monte M; Jörg Müller"
    assert bibtex.display(post)["year"] == "2023"
    assert "note" not in post, "an empty field is none"


def test_a_google_scholar_file_is_read_whole() -> None:
    sources, failures, _ = read("google_scholar.bib")
    assert list(sources) == ["vaswani2017attention", "bau2017network"]
    assert not failures


def test_dblp_keys_are_respelt_and_told_and_crossref_is_resolved() -> None:
    sources, _, reading = read("dblp_crossref.bib")
    paper = sources["DBLP:conf-nips-ChenLRLGLASM21"].fields
    assert paper["booktitle"] == "Advances in Neural Information Processing Systems 34"
    assert paper["editor"].startswith("Marc'Aurelio")
    assert paper["isbn"] == "9781713845393"
    assert "crossref" not in paper
    assert paper["xref"] == "DBLP:conf/nips/2021"
    assert paper["url"].endswith("-Abstract.html"), "a paper's address is not its proceedings'"
    told = "\n".join(map(str, reading.failures))
    assert "imported as DBLP:conf-nips-ChenLRLGLASM21" in told
    assert "from crossref DBLP:conf/nips/2021" in told
    assert {f.loss for f in reading.failures} == {"nothing"}


def test_jabref_comments_and_strings_are_kept_track_of() -> None:
    sources, failures, reading = read("jabref.bib")
    assert not failures
    assert (reading.entries, reading.comments, reading.preambles) == (2, 2, 0)
    assert reading.strings == {"jmlr": "Journal of Machine Learning Research"}
    article = sources["Mueller2020"]
    assert article.type == "article"
    assert article.fields["journal"] == "Journal of Machine Learning Research (JMLR)"
    assert article.fields["optnote"] == "kept"
    shown = bibtex.display(article.fields)
    assert shown["authors"] == "Jörg Müller; É. Łukasz; Ludwig van Beethoven"
    assert shown["title"] == "BERT & friends: 100% of k-means"
    assert sources["Knuth1984"].kind == "book"


# --- defects, each of which bibtexparser alone lets through or drops --------------------------------------


def test_fields_swallowed_after_a_backslash_are_recovered() -> None:
    sources, failures, _ = read("damaged.bib")
    assert sources["swallowed"].fields == {"title": "a\\\\", "year": "2024"}
    assert failures["swallowed"].loss == "nothing"
    assert sources["windows-path"].fields == {"title": "C:\\", "year": "2020"}


def test_the_second_entry_of_a_key_is_a_failure_with_its_line() -> None:
    sources, failures, _ = read("damaged.bib")
    assert sources["twice"].fields["title"] == "The first"
    assert failures["twice"].line == 5
    assert failures["twice"].loss == "entry"
    assert "line 4" in failures["twice"].what
    assert "The second" in failures["twice"].raw


def test_an_entry_repeated_word_for_word_loses_nothing() -> None:
    entry = "@misc{a, title = {T}}\n"
    sources, failures = bibtex.read(entry * 2)
    assert len(sources) == 1
    assert [f.loss for f in failures] == ["nothing"]


def test_of_a_field_given_twice_the_first_value_is_kept_and_the_other_told() -> None:
    sources, failures, _ = read("damaged.bib")
    assert sources["two-titles"].fields == {"title": "First", "year": "2021"}
    assert failures["two-titles"].loss == "value"
    assert "'Second'" in failures["two-titles"].what


def test_a_string_that_nobody_defines_is_kept_as_text_and_told() -> None:
    sources, failures, _ = read("damaged.bib")
    assert sources["joined"].fields["booktitle"] == "icml 2021"
    assert "no @string defines" in failures["joined"].what


def test_concatenation_is_resolved_with_strings_and_months() -> None:
    text = (
        '@string{ICML = "Proc. of " # {{ICML}}}\n@misc{a, booktitle = icml # " 2021", month = 3 # "~" # Mar}'
    )
    assert only(text).fields == {"booktitle": "Proc. of {ICML} 2021", "month": "3~March"}


def test_an_unclosed_brace_fails_with_its_line_and_the_next_entry_survives() -> None:
    sources, failures, _ = read("damaged.bib")
    failure = next(f for f in failures.values() if "never closed" in f.what)
    assert failure.line == 8
    assert failure.raw.startswith("@misc{unclosed")
    assert "survivor" in sources


def test_a_missing_comma_costs_no_field() -> None:
    sources, failures, _ = read("damaged.bib")
    assert sources["no-comma"].fields == {"title": "No comma", "year": "2020"}
    assert failures["no-comma"].loss == "nothing"


def test_entries_where_bibtexparser_does_not_look_are_found() -> None:
    sources, _, reading = read("damaged.bib")
    assert sources["new-line"].fields["title"] == "Key on the next line"
    assert {"one-line", "same-line", "third"} <= set(sources)
    lost = next(f for f in reading.failures if "without its @" in f.what)
    assert (lost.line, lost.loss) == (15, "entry")


def test_keys_that_kb_cannot_take_are_respelt_and_told() -> None:
    sources, _, reading = read("damaged.bib")
    assert "power2022grokking" in sources
    assert "umlaut-key" in sources
    told = {f.line: f.what for f in reading.failures}
    assert "imported as power2022grokking" in told[17]


def test_a_crossref_to_another_file_is_kept_as_a_pointer_and_told() -> None:
    sources, failures, _ = read("damaged.bib")
    assert sources["lonely"].fields == {"title": "Child", "xref": "elsewhere"}
    assert "nothing inherited" in failures["lonely"].what


def test_a_lone_escaped_brace_is_refused_because_bibtex_counts_it() -> None:
    sources, failures, _ = read("damaged.bib")
    assert "escaped" not in sources
    assert "braces" in failures["escaped"].what


def test_every_entry_of_a_damaged_file_is_either_read_or_listed() -> None:
    sources, reading = bibtex.read_file(FIXTURES / "damaged.bib")
    lost = [f for f in reading.failures if f.loss == "entry"]
    written = (FIXTURES / "damaged.bib").read_text("utf-8")
    entries = len(_ENTRY.findall(written))
    assert len(sources) + len(lost) == entries
    assert reading.preambles == 1


def test_xdata_is_written_into_the_entries_that_name_it() -> None:
    text = "@xdata{pub, publisher = {MIT}}\n@book{b, title = {T}, xdata = {pub, gone}}"
    sources, failures = bibtex.read(text)
    assert sources[0].fields == {"title": "T", "publisher": "MIT"}
    assert {f.what.split()[0] for f in failures if f.loss == "value"} == {"xdata"}


def test_a_crossref_in_a_circle_ends() -> None:
    text = "@misc{a, title = {A}, crossref = {b}}\n@misc{b, title = {B}, crossref = {a}, year = {1}}"
    sources, failures = bibtex.read(text)
    assert [s.fields["year"] for s in sources] == ["1", "1"]
    assert "crossref a goes in a circle; kept as xref, nothing inherited" in [f.what for f in failures]


def test_an_xdata_in_a_circle_ends() -> None:
    sources, failures = bibtex.read(
        "@misc{a, xdata = {x}}\n@xdata{x, title = {T}, xdata = {y}}\n@xdata{y, xdata = {x}}"
    )
    assert [s.fields["title"] for s in sources] == ["T"]
    assert "xdata x goes in a circle; what it would give is missing" in [f.what for f in failures]


def test_kind_and_former_keys_are_read_and_written() -> None:
    text = "@misc{a,\n  title = {T},\n  entrysubtype = {podcast},\n  ids = {old, older},\n}\n"
    source = only(text)
    assert (source.kind, source.aliases, source.fields) == ("podcast", ["old", "older"], {"title": "T"})
    assert bibtex.write([source]) == text


def test_a_strange_kind_is_told_not_taken() -> None:
    sources, failures = bibtex.read("@misc{a, title = {T}, entrysubtype = {magazine}}")
    assert sources[0].kind == "paper"
    assert failures[0].loss == "value"


def test_field_names_are_lower_case_and_strange_ones_respelt() -> None:
    sources, failures = bibtex.read("@MISC{a, TITLE = {T}, Date.Added = {x}}")
    assert sources[0].fields == {"title": "T", "date-added": "x"}
    assert [f.loss for f in failures] == ["nothing"]


def test_a_byte_order_mark_and_crlf_change_nothing_and_lines_count_on() -> None:
    text = "\ufeff@misc{a,\r\n  title = {T \\\r\n x}\r\n}\r\n@misc{a, title = {other}}\r\n"
    sources, failures = bibtex.read(text)
    assert sources[0].fields["title"] == "T \\\n x"
    assert failures[0].line == 5


def test_a_failure_says_where_it_is() -> None:
    entry = "@misc{a, title = {%s}}\n"
    _, (failure,) = bibtex.read(entry % 1 + entry % 2, where="my.bib")
    assert str(failure) == "my.bib:2: a: the key is taken by the entry on line 1"


def test_a_latin_1_file_gets_one_line_that_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "old.bib"
    path.write_bytes("@misc{a,\n title = {M\xfcller}}".encode("latin-1"))
    with pytest.raises(KbError, match=r"old\.bib, line 2: not UTF-8 \(byte 0xFC\).*iconv"):
        bibtex.read_file(path)


@pytest.mark.skipif(shutil.which("iconv") is None, reason="needs iconv")
@pytest.mark.parametrize(
    ("encoding", "name"), [("latin-1", "it's old.bib"), ("utf-16", "-new.bib"), ("utf-16-be", "be.bib")]
)
def test_the_command_that_is_told_for_another_encoding_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str, name: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    path = tmp_path / name
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    path.write_bytes((mark + "@misc{a,\n title = {Müller}}").encode(encoding))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(KbError) as raised:
        bibtex.read_file(Path(name))
    command = raised.value.hint.partition(": ")[2]
    subprocess.run(command, shell=True, check=True, cwd=elsewhere)
    (made,) = elsewhere.iterdir()
    assert only(made.read_text("utf-8-sig")).fields == {"title": "Müller"}


def test_nul_and_a_megabyte_in_a_value_fail_alone() -> None:
    text = f"@misc{{nul, title = {{a\0b}}}}\n@misc{{huge, title = {{{'x' * 1_000_000}}}}}\n@misc{{ok, title = {{T}}}}"
    sources, failures = bibtex.read(text)
    assert [s.key for s in sources] == ["ok"]
    assert [(f.key, f.line, f.loss) for f in failures] == [("nul", 1, "entry"), ("huge", 2, "entry")]


def test_a_commented_out_entry_stays_out() -> None:
    sources, failures = bibtex.read("@comment{@misc{a, title = {T}}}\n@misc{b, title = {T}}")
    assert [s.key for s in sources] == ["b"]
    assert not failures


def test_parentheses_delimit_an_entry() -> None:
    assert only("@misc(a, title = {T (x)}, year = 2020)").fields == {"title": "T (x)", "year": "2020"}


def test_a_title_is_never_cut_at_a_percent_sign() -> None:
    shown = bibtex.display({"title": r"Only 4% of {\'e}tudes, and 5\% more", "url": "https://a.b/c_d%20e"})
    assert shown["title"] == "Only 4% of études, and 5% more"
    assert shown["url"] == "https://a.b/c_d%20e"


def test_a_corporate_name_stays_whole() -> None:
    shown = bibtex.display(
        {"author": "{OpenAI Team and Friends} and {{Barnes and Noble, Inc.}} and Olah, Chris"}
    )
    assert shown["authors"] == "OpenAI Team and Friends; Barnes and Noble, Inc.; Chris Olah"


# --- there and back ---------------------------------------------------------------------------------------

_PIECES = st.one_of(
    st.text(
        st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="{}"), min_size=1, max_size=12
    ),
    st.sampled_from(
        [
            "\\",
            "\\\\",
            "{",
            "}",
            "{}",
            '"',
            "%",
            "#",
            "@",
            ",",
            "=",
            "\n",
            "\n@misc{x,",
            " and ",
            "\\{",
            "\\}",
        ]
    ),
)
_VALUE = st.lists(_PIECES, min_size=1, max_size=6).map("".join)
_KEY = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_:.+-]{0,20}", fullmatch=True)


def valid(
    fields: dict[str, str], key: str, type_: str, kind: str, aliases: list[str]
) -> records.Source | None:
    try:
        found = records.parse(
            "source", {"key": key, "type": type_, "kind": kind, "fields": fields, "aliases": aliases}
        )
    except KbError:
        return None
    assert isinstance(found, records.Source)
    return found


_SOURCE = st.builds(
    valid,
    st.dictionaries(st.from_regex(r"[a-z][a-z0-9_-]{0,12}", fullmatch=True), _VALUE, max_size=5),
    _KEY,
    st.sampled_from(["article", "misc", "book", "phdthesis", "online", "inproceedings", "commentary", "zz"]),
    st.sampled_from(
        ["paper", "post", "talk", "podcast", "thesis", "book", "repository", "review", "comment"]
    ),
    st.lists(_KEY, max_size=3),
).filter(lambda source: source is not None)


@given(st.lists(_SOURCE, max_size=4, unique_by=lambda source: source.key))
@settings(max_examples=120, deadline=None)
def test_what_is_written_is_read_again_as_it_was(sources: list[records.Source]) -> None:
    assert bibtex.read(bibtex.write(sources)) == (sources, [])


@given(st.text(alphabet='@{}()",=#\\\n ab%1'))
@settings(max_examples=120, deadline=None)
def test_no_text_at_all_ends_in_a_traceback(text: str) -> None:
    bibtex.read(text)


@given(st.text(alphabet='@{}()",=#\\\n ab%1'))
@settings(max_examples=120, deadline=None)
def test_no_damage_reaches_an_entry_two_blocks_away(text: str) -> None:
    sources, _ = bibtex.read(
        f"@misc{{a, title = {{{text}}}}}\n@misc{{b, x = {{1}}}}\n@misc{{c, title = {{T}}}}\n"
    )
    if "\n@" not in text.replace(" ", "") and scan.balanced(text):
        assert "c" in {source.key for source in sources}


def test_canonical_text_is_a_fixed_point_for_every_fixture() -> None:
    for path in sorted(FIXTURES.glob("*.bib")):
        sources, _ = bibtex.read_file(path)
        text = bibtex.write(sources)
        assert bibtex.read(text) == (sources, []), path.name
        assert bibtex.write(bibtex.read(text)[0]) == text


def test_plain_data_is_written_as_records_are() -> None:
    sources, _ = bibtex.read_file(FIXTURES / "jabref.bib")
    assert bibtex.write([records.plain(source) for source in sources]) == bibtex.write(sources)
