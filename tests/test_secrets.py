"""Secrets: taken from the environment or a private file alone, sent to whom they are for, and written nowhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from kb.cli import main
from kb.errors import KbError
from kb.sources import credentials, http
from kb.sources.answer import names_a_secret
from tests import answers
from tests.answers import DOI, at_work
from tests.reproduce.conftest import EXPERIMENT, MANIFEST
from tests.web import Reply, Web, serving

TOKEN = "MARKED-TOKEN-5f1c"
MAIL = "marked-mail-77@example.org"
PASSWORD = "MARKED-PASSWORD-9a"
QUERY = "MARKED-QUERY-3e"
MARKED = re.compile("marked-(?:token|mail|password|query)", re.IGNORECASE)
TELLS_ALL = "import os\nprint(dict(os.environ))\n"


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    with serving() as running:
        monkeypatch.setattr(http, "client", running.client)
        yield running


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("KB_DB", "KB_CACHE", "KB_MAILTO", credentials.TOKEN, credentials.FILE):
        monkeypatch.delenv(name, raising=False)
    assert main.main(["init", str(tmp_path / "workspace")]) == 0
    monkeypatch.chdir(tmp_path / "workspace")
    capsys.readouterr()
    return tmp_path / "workspace"


def in_files(folder: Path) -> dict[str, str]:
    """What is marked, by the files that hold it."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_file() and (hit := MARKED.search(path.read_bytes().decode("utf-8", "replace"))):
            found[str(path.relative_to(folder))] = hit.group()
    return found


def test_a_session_writes_no_secret_anywhere(
    web: Web,
    workspace: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(credentials.TOKEN, TOKEN)
    monkeypatch.setenv("KB_MAILTO", MAIL)
    monkeypatch.setenv("KB_DEBUG", "1")
    web.replies[at_work(DOI)] = answers.work()
    web.replies["site.example/a"] = Reply(status=500)
    folder = workspace / "reproductions" / "tiny"
    folder.mkdir()
    (folder / "reproduction.toml").write_text(MANIFEST)
    (folder / "experiment.py").write_text(TELLS_ALL + EXPERIMENT)
    said = ""
    for arguments in (
        ["cite", "add", DOI],
        ["cite", "add", f"https://user:{PASSWORD}@site.example/a"],
        ["cite", "add", f"https://site.example/a?key={QUERY}"],
        ["cite", "check", "--online", "doe2023steering"],
        ["check", "maze-p1-small-maze-retarget", "--online"],
        ["claim", "show", "no-such-claim"],
        ["reproduce", "tiny", "--preset", "quick", "--trust"],
        ["reproduce", "tiny", "--preset", "full"],
        ["run", "list", "--json"],
        ["library", "export"],
        ["library", "export", "--format", "jsonl", "-o", str(workspace / "all.jsonl")],
        ["cite", "export"],
        ["talk-outline", "top-achievements", "--format", "json", "-o", str(workspace / "talk.json")],
        ["db", "backup"],
        ["doctor", "--json"],
    ):
        main.main(arguments)
        captured = capsys.readouterr()
        said += f"{captured.out}{captured.err}"
    assert f"Bearer {TOKEN}" in web.tokens, "the token was never in use: this test would show nothing"
    assert MAIL in "".join(web.agents)
    (log,) = (workspace / ".kb" / "runs").glob("tiny-quick-*/log.txt")
    assert "XDG_DATA_HOME" in log.read_text(), "the experiment did not tell its environment"
    kept = in_files(tmp_path)
    # An experiment sees the environment, as every program that somebody starts does: the address, but no token.
    assert kept.pop(str(log.relative_to(tmp_path))) == "marked-mail"
    assert kept == {}
    assert MARKED.search(said) is None


def test_the_token_goes_to_crossref_by_https_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(credentials.TOKEN, TOKEN)
    assert TOKEN in str(credentials.headers_for("https://api.crossref.org/works/10.1/x"))
    for other in (
        "http://api.crossref.org/works/10.1/x", "https://doi.org/10.1/x", "https://api.crossref.org.evil.example/", "https://a@api.crossref.org/",
        "https://api.crossref.org:444/", "https://evil.example/api.crossref.org",
    ):  # fmt: skip
        assert credentials.headers_for(other) == {}


def test_a_redirect_away_from_crossref_takes_no_token_along(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(credentials.TOKEN, TOKEN)
    web.replies["api.crossref.org/a"] = Reply(status=302, headers={"Location": "https://evil.example/b"})
    web.replies["evil.example/b"] = Reply(b"{}")
    web.client().get("https://api.crossref.org/a")
    assert web.asked == ["api.crossref.org/a", "evil.example/b"]
    assert web.tokens == [f"Bearer {TOKEN}", None]


def test_a_token_in_a_private_file_is_used_and_in_one_that_others_can_read_it_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    monkeypatch.delenv(credentials.TOKEN, raising=False)
    monkeypatch.setenv(credentials.FILE, str(path))
    path.chmod(0o600)
    assert credentials.headers_for("https://api.crossref.org/a") == {
        "Crossref-Plus-API-Token": f"Bearer {TOKEN}"
    }
    for mode in (0o640, 0o604, 0o644, 0o620):
        path.chmod(mode)
        with pytest.raises(
            KbError, match=rf"can be read by others \(mode {mode:o}\): not used; chmod 600"
        ) as error:
            credentials.headers_for("https://api.crossref.org/a")
        assert MARKED.search(str(error.value)) is None


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://a.example/?key=x", "key"), ("https://a.example/?a=b&API_KEY=x", "api_key"), ("https://a.example/?access_token=x", "access_token"),
        ("https://a.example/?X-Amz-Signature=x", "signature"), ("https://a.example/#token=x", "token"), ("https://a.example/p?id=key", ""),
        ("https://a.example/monkey=1", ""), ("https://a.example/?keyword=x", ""),
    ],
)  # fmt: skip
def test_an_address_with_a_secret_in_it_is_known(address: str, name: str) -> None:
    assert names_a_secret(address) == name


@pytest.mark.parametrize("text", ["two words", "line\r\nX-Other: 1", "é", "\0", "x" * 5_000])
def test_what_is_no_token_is_refused_without_showing_it(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "token"
    path.write_text(text)
    path.chmod(0o600)
    monkeypatch.delenv(credentials.TOKEN, raising=False)
    monkeypatch.setenv(credentials.FILE, str(path))
    with pytest.raises(KbError, match="holds no token") as error:
        credentials.headers_for("https://api.crossref.org/a")
    assert text not in str(error.value)
    path.unlink()
    with pytest.raises(KbError, match="cannot be read"):
        credentials.headers_for("https://api.crossref.org/a")


def test_a_run_record_names_no_person_and_no_machine(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("USER", "marked-mail-user")
    monkeypatch.setenv("HOSTNAME", "marked-mail-host")
    folder = workspace / "reproductions" / "tiny"
    folder.mkdir()
    (folder / "reproduction.toml").write_text(MANIFEST)
    (folder / "experiment.py").write_text(EXPERIMENT)
    assert main.main(["reproduce", "tiny", "--preset", "quick", "--trust"]) == 0
    (record,) = (workspace / ".kb" / "runs").glob("*/run.json")
    kept = json.loads(record.read_text("utf-8"))
    assert sorted(kept["environment"]) == ["cpus", "machine", "packages", "python", "system"]
    assert MARKED.search(record.read_text("utf-8")) is None
