"""The calls that are read without Typer: only where both readings agree, whatever is typed."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.cli import claim_read, quick, tree

FUNCTIONS = {"list": claim_read.list_, "show": claim_read.show, "search": claim_read.search}


def _of_typer(command: str) -> Any:
    return tree.load("claim").commands[command]


def _kind_of(parameter: Any) -> str:
    if getattr(parameter, "is_flag", False):
        return quick.FLAG
    if parameter.multiple or parameter.nargs == -1:
        return quick.MANY
    return quick.NUMBER if hasattr(parameter.type, "min") else quick.ONE


@pytest.mark.parametrize("command", quick.OPTIONS)
def test_the_options_are_those_of_typer(command: str) -> None:
    theirs: dict[str, tuple[str, str]] = {}
    words: dict[str, tuple[str, str]] = {}
    for parameter in _of_typer(command).params:
        if parameter.name == "help":
            continue
        for name in parameter.opts:
            table = words if parameter.param_type_name == "argument" else theirs
            table[name] = (parameter.name, _kind_of(parameter))
    assert quick.OPTIONS[command] == theirs
    assert list(words.values()) == [quick.WORDS[command] for _ in range(command in quick.WORDS)]


@pytest.mark.parametrize("command", quick.OPTIONS)
def test_numbers_have_the_bounds_of_typer_and_nothing_given_means_the_same(command: str) -> None:
    defaults = {name: p.default for name, p in inspect.signature(FUNCTIONS[command]).parameters.items()}
    for parameter in _of_typer(command).params:
        if parameter.name == "limit":
            assert (parameter.type.min, parameter.type.max) == (1, quick.LARGEST)
        if parameter.name != "help" and parameter.param_type_name == "option":
            assert parameter.default == defaults[parameter.name]


def _typers_reading(command: str, arguments: list[str]) -> dict[str, Any]:
    """What Typer gives the command's function; fails where Typer refuses the call."""
    context = _of_typer(command).make_context(command, list(arguments), resilient_parsing=False)
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in context.params.items()
        if name != "help"
    }


def _words(command: str) -> st.SearchStrategy[list[str]]:
    names = list(quick.OPTIONS[command])
    odd = [
        "--",
        "-",
        "",
        "--help",
        "-h",
        "-n5",
        "--limit=5",
        "--lim",
        "--json=1",
        "-nf",
        "0",
        "007",
        "-1",
        "1e3",
        "٣",
        "a\nb",
    ]
    word = st.one_of(
        st.sampled_from(names + odd), st.sampled_from(["x", "5", "2000000000"]), st.text(max_size=5)
    )
    return st.lists(word, max_size=8)


@pytest.mark.parametrize("command", quick.OPTIONS)
@given(data=st.data())
def test_what_is_taken_is_what_typer_reads(command: str, data: st.DataObject) -> None:
    arguments = data.draw(_words(command))
    mine = quick.read(command, arguments)
    if mine is None:
        return
    theirs = _typers_reading(command, arguments)
    defaults = {name: value for name, value in theirs.items() if name not in mine}
    assert mine == {name: value for name, value in theirs.items() if name in mine}
    assert all(value in (None, [], False, "text", 20) for value in defaults.values())


@pytest.mark.parametrize(
    "arguments",
    [
        ["claim", "list"],
        ["claim", "list", "--kind", "empirical,prediction", "--kind", "framing", "--limit", "50", "--json"],
        ["--db", "x.db", "claim", "show", "an-id", "-f", "markdown"],
        ["claim", "search", "a pasted", "sentence", "-n", "3"],
        ["claim", "search", "-"],
    ],
)
def test_the_usual_calls_are_taken(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[dict[str, Any]] = []
    for name in ("list_", "show", "search"):
        monkeypatch.setattr(claim_read, name, lambda **given: taken.append(given) or 0)
    assert quick.call(arguments) == 0
    assert len(taken) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--version"],
        ["--help"],
        ["claim"],
        ["claim", "--help"],
        ["claim", "list", "--help"],
        ["claim", "list", "--stats", "open"],
        ["claim", "list", "more"],
        ["claim", "list", "--limit", "0"],
        ["claim", "list", "--limit", "1000000001"],
        ["claim", "list", "--by"],
        ["claim", "list", "--by", "one", "--by", "two"],
        ["claim", "show"],
        ["claim", "show", "one", "two"],
        ["claim", "trace", "one"],
        ["claim", "search"],
        ["--db"],
        ["--db", "--json", "claim", "list"],
        ["cite", "list"],
    ],
)
def test_what_is_wrong_or_unusual_is_left_to_typer(arguments: list[str]) -> None:
    assert quick.call(arguments) is None


def test_a_shell_that_completes_is_left_to_typer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_KB_COMPLETE", "complete_bash")
    assert quick.call(["claim", "list"]) is None


PROBE = """
import json, sys
from kb.cli.main import main
code = main(json.loads(sys.argv[1]))
sys.stdout.flush()
print(json.dumps({"code": code, "modules": sorted({name.split(".")[0] for name in sys.modules})}), file=sys.stderr)
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["list", "--limit", "2"],
        ["show", "small-mazes"],
        ["show", "four-percent", "--json"],
        ["search", "random", "data"],
    ],
    ids=" ".join,
)
def test_the_usual_calls_import_no_typer_and_print_the_same_as_with_it(
    arguments: list[str], store: Any, kb: Any
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBE, json.dumps(["claim", *arguments])],
        capture_output=True, text=True, env={**os.environ, "KB_DB": str(store)}, check=True,
    )  # fmt: skip
    told = json.loads(done.stderr.splitlines()[-1])
    assert told["code"] == 0
    assert "typer" not in told["modules"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quick, "call", lambda given: None)
        assert kb("claim", *arguments).out == done.stdout
