from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kb import records
from kb.cli import cite
from kb.store import connect, edit, queries
from tests.cli.conftest import Kb

BIB = """@article{turner2023steering,
  title = {Steering {GPT-2-XL} by 100\\% \\'etudes},
  author = {Turner, Alexander Matt and {OpenAI Team} and others},
  journal = {Journal of Steering},
  year = {2023},
  month = {March},
  volume = {4},
  number = {2},
  pages = {10--20},
  doi = {10.1000/Steer_1},
  url = {https://a.b/c_d%20e},
}

@misc{post2022,
  title = {A Post},
  author = {van der Berg, Jan},
  howpublished = {Forum},
  date = {2022-05-13},
  ids = {post2021},
}
"""


@pytest.fixture
def bib(tmp_path: Path) -> Path:
    path = tmp_path / "mine.bib"
    path.write_text(BIB, encoding="utf-8")
    return path


@pytest.fixture
def empty(store_path: Path) -> Path:
    connect.create(store_path)
    return store_path


@pytest.fixture
def filled(kb: Kb, empty: Path, bib: Path) -> Path:
    assert kb("cite", "add", str(bib)).code == 0
    claim = {
        "id": "a-claim", "kind": "empirical", "statement": "It steers.", "asserted_by": "T", "status": "open",
        "citations": [{"source": "turner2023steering", "stance": "asserts", "locator": "p. 11"}],
    }  # fmt: skip
    with connect.writing_to(empty) as session:
        edit.put(session, records.parse("claim", claim))
    return empty


def stored(path: Path) -> dict[str, dict[str, object]]:
    connection = connect.open_to_read(path)
    try:
        return {name: data for name, _, _, data in queries.records(connection, "source")}
    finally:
        connection.close()


def test_adding_a_file_adds_every_entry(kb: Kb, empty: Path, bib: Path) -> None:
    result = kb("cite", "add", str(bib), "--json")
    assert result.code == 0
    assert result.json["added"] == ["turner2023steering", "post2022"]
    assert "2 added" in result.err
    assert stored(empty)["turner2023steering"]["fields"]["url"] == "https://a.b/c_d%20e"  # type: ignore[index]


def test_adding_the_same_file_twice_changes_nothing(kb: Kb, filled: Path, bib: Path) -> None:
    before = stored(filled)
    result = kb("cite", "add", str(bib), "--json")
    assert (result.code, result.json["same"]) == (0, ["turner2023steering", "post2022"])
    assert stored(filled) == before


def test_what_is_exported_is_imported_again_to_the_same(kb: Kb, filled: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.bib"
    assert kb("cite", "export", "-o", str(out)).code == 0
    assert out.read_text("utf-8") == kb("cite", "export").out == BIB
    assert kb("cite", "add", str(out), "--json").json["same"] == ["turner2023steering", "post2022"]


def test_a_dry_run_says_what_would_happen_and_changes_nothing(kb: Kb, empty: Path, bib: Path) -> None:
    result = kb("cite", "add", str(bib), "--dry-run")
    assert result.code == 0
    assert "2 to add" in result.err
    assert stored(empty) == {}


def test_other_content_under_the_same_key_is_a_conflict_unless_update(
    kb: Kb, filled: Path, bib: Path
) -> None:
    bib.write_text(BIB.replace("A Post", "Another Post"), encoding="utf-8")
    result = kb("cite", "add", str(bib))
    assert result.code == 1
    assert "post2022: is here with another title" in result.err
    assert stored(filled)["post2022"]["fields"]["title"] == "A Post"  # type: ignore[index]
    assert kb("cite", "add", str(bib), "--update").code == 0
    assert stored(filled)["post2022"]["fields"]["title"] == "Another Post"  # type: ignore[index]


def test_an_update_keeps_kind_and_former_keys_that_the_file_does_not_tell(
    kb: Kb, filled: Path, bib: Path
) -> None:
    kb("cite", "rename", "post2022", "berg2022post")
    entry = BIB.split("\n\n")[1].replace("post2022", "berg2022post", 1).replace("  ids = {post2021},\n", "")
    bib.write_text(entry.replace("A Post", "New"), encoding="utf-8")
    assert kb("cite", "add", str(bib), "--update").code == 0
    assert stored(filled)["berg2022post"]["aliases"] == ["post2021", "post2022"]


def test_what_cannot_be_read_is_listed_with_its_line_and_the_rest_comes_in(
    kb: Kb, empty: Path, bib: Path
) -> None:
    bib.write_text("@misc{a, title = {open\n@misc{b, title = {B}}\n@misc{b, title = {C}}\n", encoding="utf-8")
    result = kb("cite", "add", str(bib), "--json")
    assert result.code == 1
    assert f"{bib}:1: a brace or a quote is never closed [entry lost]" in result.err
    assert [f["line"] for f in result.json["failures"]] == [1, 3]
    assert list(stored(empty)) == ["b"]


def test_adding_from_stdin_works(kb: Kb, empty: Path) -> None:
    assert kb("cite", "add", "-", stdin=BIB).code == 0
    assert len(stored(empty)) == 2


def test_a_second_key_for_the_same_doi_is_told(kb: Kb, filled: Path, bib: Path) -> None:
    bib.write_text("@misc{again, title = {S}, url = {https://doi.org/10.1000/STEER_1}}", encoding="utf-8")
    result = kb("cite", "add", str(bib))
    assert "again: has the DOI of turner2023steering" in result.err


def test_an_entry_under_a_former_key_of_one_before_it_is_a_conflict_and_the_rest_comes_in(
    kb: Kb, empty: Path, bib: Path
) -> None:
    bib.write_text(BIB + "@misc{post2021, title = {Old}}\n@misc{last, title = {L}}\n", encoding="utf-8")
    result = kb("cite", "add", str(bib))
    assert result.code == 1
    assert "post2021: is a former key of post2022; nothing of it was changed" in result.err
    assert list(stored(empty)) == ["turner2023steering", "post2022", "last"]


TAKEN = """
@misc{one, title = {One}, ids = {turner2023steering, shared, mine}}
@misc{two, title = {Two}, ids = {shared}}
@misc{three, title = {Three}, ids = {two, post2021}}
"""


@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_a_former_key_that_finds_another_source_is_left_out_and_told(
    kb: Kb, filled: Path, bib: Path, dry: tuple[str, ...]
) -> None:
    bib.write_text(TAKEN, encoding="utf-8")
    result = kb("cite", "add", str(bib), *dry)
    assert result.code == 1
    assert (
        "mine.bib:2: one: the former key turner2023steering is left out: it is the key of another source [value lost]"
        in result.err
    )
    assert "mine.bib:3: two: the former key shared is left out: one has it already [value lost]" in result.err
    assert (
        "mine.bib:4: three: the former key two is left out: it is the key of another source [value lost]"
        in result.err
    )
    assert "mine.bib:4: three: the former key post2021 is left out: post2022 has it already" in result.err
    if not dry:
        assert stored(filled)["one"]["aliases"] == ["shared", "mine"]
        assert "aliases" not in {**stored(filled)["two"], **stored(filled)["three"]}


def test_a_former_key_in_a_source_that_is_here_already_is_left_out_too(
    kb: Kb, filled: Path, bib: Path
) -> None:
    bib.write_text(BIB.replace("ids = {post2021}", "ids = {post2021, turner2023steering}"), encoding="utf-8")
    result = kb("cite", "add", str(bib), "--update")
    assert "post2022: the former key turner2023steering is left out" in result.err
    assert stored(filled)["post2022"]["aliases"] == ["post2021"]


def test_a_file_that_turns_out_not_to_be_utf8_at_its_end_leaves_the_store_as_it_was(
    kb: Kb, empty: Path, bib: Path
) -> None:
    bib.write_bytes(BIB.encode() * 3_000 + b"@misc{late, title = {M\xfcller}}")
    result = kb("cite", "add", str(bib))
    assert result.code == 2
    assert f"line {BIB.count(chr(10)) * 3_000 + 1}: not UTF-8 (byte 0xFC)" in result.err
    assert stored(empty) == {}


def test_a_file_without_entries_says_so(kb: Kb, empty: Path, bib: Path) -> None:
    bib.write_text("nothing here", encoding="utf-8")
    result = kb("cite", "add", str(bib))
    assert (result.code, result.out) == (1, "")
    assert result.err.count("\n") == 1
    assert "one starts like @article{key," in result.err


def test_a_missing_file_gets_one_line(kb: Kb, empty: Path) -> None:
    result = kb("cite", "add", "not-there.bib")
    assert result.code == 2
    assert "not-there.bib" in result.err


def test_the_list_has_counts_and_filters(kb: Kb, filled: Path) -> None:
    listed = kb("cite", "list", "--json").json
    assert {s["key"]: s["claims"] for s in listed} == {"turner2023steering": 1, "post2022": 0}
    assert listed[0]["authors"].startswith("Alexander Matt Turner; OpenAI Team")

    def keys(*options: str) -> list[str]:
        return [s["key"] for s in kb("cite", "list", "--json", *options).json]

    assert keys("--unused") == ["post2022"]
    assert keys("--kind", "post") == ["post2022"]
    assert keys("--by", "turner") == ["turner2023steering"]
    assert keys("--limit", "1") == ["turner2023steering"]


def test_a_list_in_a_pipe_is_tab_separated(kb: Kb, filled: Path) -> None:
    header, first, *_ = kb("cite", "list").out.splitlines()
    assert header.split("\t") == ["key", "kind", "authors", "year", "title", "claims"]
    assert first.split("\t")[4] == "Steering GPT-2-XL by 100% études"


def test_a_source_is_shown_with_the_claims_that_cite_it(kb: Kb, filled: Path) -> None:
    page = kb("cite", "show", "turner2023steering").out
    assert "Cited by 1 claim" in page
    assert "asserts a-claim, p. 11" in page
    assert kb("cite", "show", "post2021", "--json").json["key"] == "post2022"


def test_an_unknown_key_offers_the_nearest(kb: Kb, filled: Path) -> None:
    result = kb("cite", "show", "turner2023stearing")
    assert result.code == 1
    assert "turner2023steering" in result.err


def test_export_of_a_claim_gives_what_it_cites(kb: Kb, filled: Path) -> None:
    assert kb("cite", "export", "--claim", "a-claim").out == BIB.split("\n\n")[0] + "\n"


def test_csl_json_has_names_dates_and_addresses(kb: Kb, filled: Path) -> None:
    article, post = json.loads(kb("cite", "export", "--style", "csl-json").out)
    assert article["author"] == [
        {"family": "Turner", "given": "Alexander Matt"}, {"literal": "OpenAI Team"}, {"literal": "et al."},
    ]  # fmt: skip
    assert article["issued"] == {"date-parts": [[2023, 3]]}
    assert (article["type"], article["URL"]) == ("article-journal", "https://a.b/c_d%20e")
    assert article["title"] == "Steering GPT-2-XL by 100% études"
    assert post["author"] == [{"family": "Berg", "given": "Jan", "non-dropping-particle": "van der"}]
    assert (post["type"], post["issued"]) == ("post-weblog", {"date-parts": [[2022, 5, 13]]})


def test_ris_has_its_tags_in_order(kb: Kb, filled: Path) -> None:
    lines = kb("cite", "export", "turner2023steering", "--style", "ris").out.splitlines()
    assert lines[0] == "TY  - JOUR"
    assert lines[-1] == "ER  - "
    assert {"AU  - Turner, Alexander Matt", "SP  - 10", "EP  - 20", "DO  - 10.1000/Steer_1"} <= set(lines)


def test_a_strange_style_offers_the_known_ones(kb: Kb, filled: Path) -> None:
    result = kb("cite", "export", "--style", "bibtx")
    assert result.code == 2
    assert "bibtex" in result.err


def test_renaming_leaves_the_old_key_as_an_alias(kb: Kb, filled: Path) -> None:
    assert kb("cite", "rename", "turner2023steering", "turner2023gpt").code == 0
    assert kb("cite", "show", "turner2023steering", "--json").json["key"] == "turner2023gpt"
    assert kb("claim", "show", "a-claim", "--json").json["citations"][0]["source"] == "turner2023gpt"


def test_a_source_that_is_cited_is_not_removed(kb: Kb, filled: Path) -> None:
    result = kb("cite", "remove", "turner2023steering")
    assert result.code == 1
    assert "a-claim" in result.err
    assert kb("cite", "remove", "post2022").code == 0
    assert list(stored(filled)) == ["turner2023steering"]


@pytest.mark.parametrize(
    "arguments", [["list"], ["show", "post2022"], ["export"], ["export", "--style", "ris"]]
)
def test_reading_imports_nothing_heavy(filled: Path, arguments: list[str]) -> None:
    heavy = ("sqlalchemy", "sqlmodel", "pydantic", "httpx", "bibtexparser", "rich", "scipy", "torch")
    code = (
        "import sys; from kb.cli.main import main; code = main(sys.argv[1:]);"
        f"print([m for m in {heavy!r} if m in sys.modules], code, file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, "--db", str(filled), "cite", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr.strip() == "[] 0"


@pytest.mark.parametrize("style", ["bibtex", "ris"])
def test_an_export_is_written_source_by_source(style: str) -> None:
    read: list[str] = []

    def sources() -> Iterator[dict[str, object]]:
        for key in ("one", "two", "three"):
            read.append(key)
            yield {"key": key, "type": "misc", "kind": "paper", "fields": {"title": key}}

    pieces = cite._in_style(sources(), style)
    assert "one" in next(pieces)
    assert read == ["one"]
    assert "two" in next(pieces)
    assert read == ["one", "two"]


def test_an_export_of_what_is_not_there_leaves_the_file_as_it_was(kb: Kb, tmp_path: Path) -> None:
    out = tmp_path / "out.bib"
    out.write_text("mine")
    assert kb("cite", "export", "nobody1999", "-o", str(out)).code != 0
    assert out.read_text() == "mine"
