"""Asking the network for a command: what comes is kept in the working store at once; progress on stderr."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from kb.cli import state
from kb.cli.output import clean, say
from kb.errors import KbError

if TYPE_CHECKING:
    from kb.checks.online import Gathered
    from kb.sources.answer import Answer
    from kb.sources.registries import Asking

TOLD = 12
"""Of what could not be had, that many are named one by one."""


class Keeper:
    """The cache of look-ups for one command, in the working store; in memory where that cannot be written."""

    def __init__(self, *, in_memory: bool = False) -> None:
        from kb.store import connect

        self.stored = not in_memory
        self.memory: dict[str, Answer] = {}
        if self.stored:
            try:
                with connect.for_writing(state.places()):
                    pass  # makes the working store where there is none yet: reading goes there from now on
            except KbError as error:
                say(f"kb: what is looked up is not kept: {error}")
                self.stored = False
        self.reading = connect.for_reading(state.places())

    def close(self) -> None:
        """Close the store."""
        self.reading.close()

    def get(self, url: str) -> Answer | None:
        """The kept answer of an address."""
        from kb.store import fetched

        return self.memory.get(url) or fetched.get(self.reading, url)

    def put(self, answer: Answer) -> None:
        """Keep an answer, in a transaction of its own."""
        from kb.store import connect, fetched

        if self.stored:
            with connect.for_writing(state.places()) as session:
                fetched.put(connect.raw(session), answer)
        elif answer.status or not self.get(answer.url):
            self.memory[answer.url] = answer

    def put_text(self, key: str, found: Any, where: str) -> None:
        """Keep a text of a source, in a transaction of its own."""
        from kb.store import connect, edit, renderings

        with connect.for_writing(state.places()) as session:
            renderings.put(connect.raw(session), key, found, where, edit.now())


@contextlib.contextmanager
def asking(*, in_memory: bool = False) -> Iterator[tuple[Asking, Keeper]]:
    """The registries, with a client of the network and what is kept of their answers."""
    from kb.sources import http, registries

    keeper = Keeper(in_memory=in_memory)
    try:
        yield registries.Asking(keeper.get, http=http.client(), put=keeper.put), keeper
    finally:
        keeper.close()


class Came(NamedTuple):
    """What came of asking: the summary, why addresses did not answer, and answers that could not be stored."""

    summary: Gathered
    problems: dict[str, str]
    not_stored: dict[str, Answer]


def gather(keys: list[str], *, texts: bool) -> Came:
    """Ask for all that is to be known of sources, and say on stderr how far it is and what could not be had."""
    from kb.checks.citations import Sources
    from kb.checks.online import Gathered
    from kb.checks.online import gather as ask_for
    from kb.store import renderings

    done = Gathered()
    with asking() as (registries, keeper):
        known = Sources(keeper.reading, registries).entries
        entries = [known[key] for key in keys]
        have = renderings.keys(keeper.reading) if texts and keeper.stored else None
        wanted = sum(entry.key not in have for entry in entries) if have is not None else 0
        if wanted:
            say(
                f"texts to fetch: {wanted}, at the pace that arXiv asks for (one in 3 s); Ctrl-C keeps what came"
            )
        try:
            with _progress() as step:
                ask_for(registries, entries, done, have_text=have, keep_text=keeper.put_text, step=step)
        except KeyboardInterrupt:
            done.stopped = "stopped by Ctrl-C: what came is kept, the next call goes on from there"
            raise
        finally:
            _tell(done, texts=have is not None)
    return Came(done, registries.problems, keeper.memory)


def _tell(done: Gathered, *, texts: bool) -> None:
    came = f"looked up: {done.looked_up}" + (f", texts fetched: {len(done.texts)}" if texts else "")
    say(came + (f"; {done.stopped}" if done.stopped else ""))
    if done.stopped.startswith("no network"):
        return
    for key, what, why in done.missing[:TOLD]:
        say(f"  no {what} of {key}: {why}")
    if len(done.missing) > TOLD:
        say(f"  and {len(done.missing) - TOLD} more that could not be had: --json lists them")


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[int, int, str], None]]:
    """A bar on a terminal; else a line for each tenth of the way, for a log."""
    if sys.stderr.isatty():
        from kb.cli.progress import bar

        with bar("looking up") as on_event:
            yield lambda done, total, what: on_event(
                {"event": "progress", "done": done, "total": total, "what": what}
            )
        return
    told = -1

    def step(done: int, total: int, what: str) -> None:
        nonlocal told
        tenth = 10 * done // max(total, 1)
        if tenth > told:
            told = tenth
            print(f"{done} of {total} sources, now {clean(what)}", file=sys.stderr, flush=True)

    yield step


def cited_by(claims: list[str]) -> list[str]:
    """The sources that claims cite, those with a quote to look for first."""
    with state.reading() as connection:
        rows = connection.execute(
            "SELECT claim_id, source_key, quote IS NULL FROM citation ORDER BY quote IS NULL, source_key"
        ).fetchall()
    wanted = set(claims)
    return list(dict.fromkeys(key for claim, key, _ in rows if claim in wanted))
