"""From what a registry says to a BibTeX entry: nothing in it is obeyed by LaTeX, its key is stable."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.records import Source
from kb.sources import bibtex, identifiers, keys, latex
from kb.sources.metadata import Metadata, Person, authors_of, entry_fields, person, safe_address

PLAIN = st.text(
    st.sampled_from(string.ascii_letters + string.digits + ' \\{}$&%#_^~()[]<>|@!?.,:;+*/="éüßłø中'),
    max_size=60,
)


@given(PLAIN)
def test_what_is_encoded_for_latex_reads_as_it_was(text: str) -> None:
    plain = " ".join(text.split())
    encoded = latex.encode(text)
    assert latex.decode(encoded).replace(" ", "") in (
        plain.replace(" ", ""),
        plain.replace(" ", "").replace("{", "(").replace("}", ")"),
    )


@given(PLAIN, st.lists(st.tuples(PLAIN, PLAIN), max_size=3), PLAIN)
def test_whatever_a_registry_says_an_entry_can_be_written_and_read_again(
    title: str, people: list[tuple[str, str]], journal: str
) -> None:
    authors = [Person(family, given) for family, given in people if family.strip()]
    found = Metadata(
        "Crossref", "10.1/x", title, authors, "2020", "May", "article", {"journal": journal, "url": title}
    )
    source = Source(key="k", type="article", kind="paper", fields=entry_fields(found))
    again, failures = bibtex.read(bibtex.write([source]))
    assert failures == []
    assert again == [source]


@pytest.mark.parametrize(
    "command", [r"\input{/etc/passwd}", r"\write18{rm}", "$\\immediate$", "^^5cinput", "\\\\input x"]
)
def test_a_command_in_a_title_is_text(command: str) -> None:
    encoded = latex.encode_title(f"On {command} and more")
    for allowed in ("\\textbackslash{}", "\\textasciicircum{}", "\\$", "\\{", "\\}", "\\_"):
        encoded = encoded.replace(allowed, "")
    assert not set("\\$^") & set(encoded)


@pytest.mark.parametrize(
    ("title", "encoded"),
    [
        ("RvS: What is Essential for Offline RL?", "{RvS}: What is Essential for Offline {RL}?"),
        ("Steering GPT-2-XL by 100% & more_", "Steering {GPT}-2-{XL} by 100\\% \\& more\\_"),
        ("Offline Q-Learning", "Offline {Q}-Learning"),
        ("A Survey I Wrote", "A Survey I Wrote"),
    ],
)
def test_capitals_that_a_style_would_lose_are_kept(title: str, encoded: str) -> None:
    assert latex.encode_title(title) == encoded


def test_an_and_or_a_comma_in_a_name_does_not_make_two_of_it() -> None:
    authors = [
        Person("Institute of Sand and Stone"),
        Person("Doe", "Jane"),
        Person("Last, Inc", "Big and Co"),
    ]
    fields = entry_fields(Metadata("Crossref", "", "T", authors))
    assert [str(one) for one in authors_of(fields)] == [
        "Institute of Sand and Stone", "Jane Doe", "Big and Co Last, Inc",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Jane Doe", Person("Doe", "Jane")),
        ("Jan van der Berg", Person("van der Berg", "Jan")),
        ("ATLAS Collaboration", Person("ATLAS Collaboration")),
        ("Plato", Person("Plato")),
    ],
)
def test_a_name_is_taken_apart(name: str, parts: Person) -> None:
    assert person(name) == parts


@pytest.mark.parametrize(
    ("family", "year", "title", "key"),
    [
        ("Chen", "2021", "Decision Transformer: Reinforcement Learning", "chen2021decision"),
        ("Goldowsky-Dill", "2025", "Detecting Strategic Deception", "goldowskydill2025detecting"),
        ("Müller", "2020", "The 3 Ways", "muller2020ways"),
        ("Łukasz", "1999", "On the Why", "lukasz1999"),
        ("", "", "", "source"),
        ("王", "2020", "因果", "2020"),
    ],
)
def test_a_key_is_author_year_and_word(family: str, year: str, title: str, key: str) -> None:
    assert keys.suggest(family, year, title) == key


def test_a_key_that_is_taken_gets_a_number() -> None:
    assert keys.free("a2020b", {"a2020b", "a2020b-2"}) == "a2020b-3"


@pytest.mark.parametrize("url", ["https://a.example/{x}\\y z", "https://a.example/ü?q=1&r=%20#f"])
def test_an_address_holds_nothing_that_bibtex_takes_amiss(url: str) -> None:
    assert not set("{}\\ ü") & set(safe_address(url))
    assert safe_address(safe_address(url)) == safe_address(url)


@pytest.mark.parametrize(
    ("text", "identifier"),
    [
        ("2106.01345", "2106.01345"),
        ("arXiv:2106.01345v2", "2106.01345"),
        ("arxiv: 2106.01345", "2106.01345"),
        ("https://arxiv.org/abs/2106.01345v3", "2106.01345"),
        ("https://arxiv.org/pdf/2106.01345.pdf", "2106.01345"),
        ("http://arxiv.org/html/2106.01345v1#S1", "2106.01345"),
        ("10.48550/arXiv.2106.01345", "2106.01345"),
        ("https://doi.org/10.48550/arXiv.2106.01345", "2106.01345"),
        ("hep-th/9901001", "hep-th/9901001"),
        ("arXiv:math.GT/0309136v1", "math/0309136"),
        ("cs/0112017", "cs/0112017"),
        ("https://arxiv.org/abs/cs.LG/0401001", "cs/0401001"),
        ("10.1038/s41586-020-2649-2", ""),
        ("paper.bib", ""),
        ("https://example.org/2106.01345/x", ""),
    ],
)
def test_an_arxiv_id_is_known_in_all_its_spellings(text: str, identifier: str) -> None:
    assert identifiers.arxiv(text) == identifier


@pytest.mark.parametrize(
    ("text", "doi"),
    [
        ("10.1038/S41586-020-2649-2", "10.1038/s41586-020-2649-2"),
        ("doi:10.1038/s41586-020-2649-2.", "10.1038/s41586-020-2649-2"),
        ("https://doi.org/10.1002/(SICI)1097-4571(199806)49:8", "10.1002/(sici)1097-4571(199806)49:8"),
        ("https://dl.acm.org/doi/10.1145/3292500", "10.1145/3292500"),
        ("10.1/x", ""),
        ("https://example.org/a", ""),
    ],
)
def test_a_doi_is_known_in_all_its_spellings(text: str, doi: str) -> None:
    assert identifiers.doi(text) == doi
