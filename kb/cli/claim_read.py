"""What `kb claim list`, `show` and `search` do, whoever read their options: `kb.cli.quick` or Typer."""

from __future__ import annotations

import sys

from kb import words
from kb.cli import state
from kb.cli.output import emit, say, words_of
from kb.errors import KbError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

FORMATS = ("text", "markdown", "json")


def list_(
    kind: Sequence[str] | None = None,
    status: Sequence[str] | None = None,
    verdict: Sequence[str] | None = None,
    tag: Sequence[str] | None = None,
    by: str | None = None,
    source: str | None = None,
    reproducible: bool = False,
    limit: int | None = None,
    as_json: bool = False,
) -> int:
    """Print the claims that fit every option; the exit code."""
    from kb.store import queries

    kinds = words_of(kind, words.CLAIM_KINDS, "kind of claim")
    statuses = words_of(status, words.STATUSES, "status")
    verdicts = words_of(verdict, words.VERDICTS, "verdict")
    with state.reading() as connection:
        tags = words_of(tag, (), "tag")
        key = queries.resolve(connection, "source", source) if source else None
        found = queries.list_claims(
            connection,
            kind=kinds,
            status=statuses,
            verdict=verdicts,
            tag=tags,
            by=by,
            source=key,
            reproducible=reproducible,
            limit=limit,
        )
    _emit_list(found, as_json, "no claim is like that; `kb claim list` without options lists all")
    return 0


def _emit_list(found: list[dict[str, object]], as_json: bool, empty: str) -> None:
    from kb.cli.claim_page import table

    emit(found, as_json, rows=lambda: table(found, empty))


def show(claim_id: str, form: str = "text", as_json: bool = False) -> int:
    """Print a claim with all that hangs on it; the exit code."""
    from kb.cli import claim_data, claim_page

    form = words_of([form], FORMATS, "format")[0] if form else "text"
    with state.reading() as connection:
        claim = claim_data.load(connection, claim_id)
    if form == "markdown" and not as_json:
        from kb.cli.claim_markdown import markdown

        emit(claim, text=markdown(claim))
    else:
        emit(claim, as_json or form == "json", page=lambda: claim_page.page(claim))
    return 0


def search(terms: Sequence[str], limit: int | None = 20, as_json: bool = False) -> int:
    """Print the claims that hold the words, best first; the exit code, 1 when there are none."""
    from kb.store.search import RANKED, search_claims

    wanted = sys.stdin.read(100_000) if list(terms) == ["-"] else " ".join(terms)
    if not wanted.strip():
        raise KbError("nothing to search for", "give words or a sentence")
    with state.reading() as connection:
        found, whole = search_claims(connection, wanted, limit=limit or 20)
    _emit_list(found, as_json, "nothing found; fewer or other words may find it")
    if not whole:
        say(f"words that stand in more than {RANKED:,} claims: not all were ranked; a rarer word finds more")
    return 0 if found else 1
