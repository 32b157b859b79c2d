"""A live progress bar on stderr, by rich: for people who wait at a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from kb.cli.output import clean


@contextmanager
def bar(name: str) -> Iterator[Callable[[dict[str, Any]], None]]:
    """A function that takes a run's events and shows how far it is."""
    columns = (
        TextColumn("[bold]{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[what]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(escape(name), total=None, what="starting")

        def on_event(event: dict[str, Any]) -> None:
            if event["event"] == "progress":
                done, total = event.get("done"), event.get("total")
                if isinstance(done, int | float) and isinstance(total, int | float):
                    what = escape(clean(f"{done:g} of {total:g} {str(event.get('what', ''))[:40]}"))
                    progress.update(task, completed=done, total=total, what=what)
            elif event["event"] == "note":
                progress.console.print(escape(clean(str(event.get("text", ""))[:500])), style="dim")

        yield on_event
