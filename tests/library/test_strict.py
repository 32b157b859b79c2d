"""The YAML that the library allows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.library import strict


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("- a: &x 1", 1, "anchors are refused"),
        ("- a: 1\n- *x", 2, "aliases are refused"),
        ("- !!python/object:os.system x", 1, "tags are refused"),
        ("- !x {}", 1, "tags are refused"),
        ("- a: 1\n  a: 2", 2, "stands twice"),
        ("- a\n---\n- b", 2, "second document"),
        ("- a: b: c", 1, "mapping values are not allowed"),
        ("- ? [a]\n  : b", 1, "a key must be a word"),
        ("- a\n-\tb: [", 2, "."),
        ("a: 1", 1, "must be a list"),
        ("[a]", 1, "must be a list"),
        ('- "\x07"', 1, "control characters"),
        ("- " + "[" * 100_000, 1, "nested more than 24 deep"),
        ("- " + "{a: " * 50, 1, "nested more than 24 deep"),
    ],
)
def test_what_is_refused_is_told_with_its_line(text: str, line: int, what: str) -> None:
    with pytest.raises(strict.BadYaml, match=what) as raised:
        strict.items(text, "x.yaml")
    assert raised.value.line == line
    assert str(raised.value).startswith(f"x.yaml:{line}: ")


def test_a_bomb_of_aliases_is_refused_before_it_grows() -> None:
    bomb = "a: &a [x, x]\n" + "".join(f"b{n}: &b{n} [*a, *a]\n" for n in range(9))
    with pytest.raises(strict.BadYaml, match="refused"):
        strict.load(bomb, "x.yaml")


def test_only_true_false_and_null_are_more_than_text() -> None:
    text = "a: true\nb: False\nc:\nd: ~\ne: 'true'\nf: yes\ng: 2023-03-11\nh: 1.10\ni: 0x10\non: .nan\n"
    assert strict.load(text, "") == {
        "a": True, "b": False, "c": None, "d": None, "e": "true", "f": "yes", "g": "2023-03-11", "h": "1.10",
        "i": "0x10", "on": ".nan",
    }  # fmt: skip


def test_an_empty_document_is_nothing() -> None:
    assert strict.load("# only a comment\n", "") is None
    assert strict.items("", "") == []
    assert strict.document("---\n", "") is None


TEXTS = st.text(st.characters(exclude_categories=("Cc", "Cs"), include_characters="\n\t"), max_size=150)


@given(
    st.dictionaries(
        st.from_regex(r"[a-z_]{1,9}", fullmatch=True), TEXTS | st.booleans() | st.lists(TEXTS), max_size=3
    )
)
def test_what_is_dumped_reads_back(data: dict[str, object]) -> None:
    assert strict.load(strict.dump([data]), "") == [data]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_keeps_its_value(number: float) -> None:
    assert float(strict.load(strict.dump({"a": number}), "")["a"]) == number


def test_lines_are_folded_at_the_first_space_after_a_hundred_columns() -> None:
    lines = strict.dump([{"a": "word " * 100}]).splitlines()
    assert all(len(line) <= 100 + len("word ") for line in lines)
    assert len(lines) > 1
