"""The tree of commands: nouns, the modules that hold their commands, and the options that stand before them.

A noun's module is imported only when that noun is called: `kb claim list` never pays for what
`kb reproduce` needs, and `kb --help` pays for none of them. To add a noun, write `kb/cli/<noun>.py` and
put a line into `NOUNS`. A module may name further commands in `LATER`, as {"add": "module:function"}: those
modules are imported when the command is called.
"""

from __future__ import annotations

import copy
import importlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_command_from_info, get_command_name, get_group
from typer.models import CommandInfo

from kb.cli import output, state
from kb.errors import KbError

GROUPS = "app"
SINGLE = "command"

NOUNS: dict[str, tuple[str, str, str]] = {
    "claim": ("kb.cli.claim", GROUPS, "Find, read, trace, write and undo claims."),
    "cite": ("kb.cli.cite", GROUPS, "Sources and their citations: list, add, export, look up."),
    "check": (
        "kb.cli.check",
        SINGLE,
        "Check claims: quotes, figures, citations, runs.",
    ),
    "doctor": ("kb.cli.doctor", SINGLE, "Check the health of the library itself."),
    "reproduce": ("kb.cli.reproduce", SINGLE, "Run a reproduction to its verdict, or list what can be run."),
    "run": ("kb.cli.run", GROUPS, "Runs: list, show, compare."),
    "prediction": ("kb.cli.prediction", GROUPS, "Predictions: list, resolve, score."),
    "talk": ("kb.cli.talk", GROUPS, "Talks that the library can give."),
    "talk-outline": ("kb.cli.talk_outline", SINGLE, "Write a talk as an outline or as slides."),
    "library": ("kb.cli.library", GROUPS, "The text people review: build, sync, export, import."),
    "db": ("kb.cli.db", GROUPS, "The store: where it is, back-up, migrations."),
    "init": ("kb.cli.init", SINGLE, "Make a workspace for claims of your own."),
}
"""Noun -> (module, the name in it that has the commands, one line of help)."""


class Nouns(TyperGroup):
    """The top of the command tree: names and help stand in `NOUNS`, modules are imported when called."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        for name, (_, _, text) in NOUNS.items():
            self.commands[name] = TyperCommand(name, help=text, rich_markup_mode=self.rich_markup_mode)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Typer's, with the noun's module imported."""
        name, found, rest = super().resolve_command(ctx, args)
        return name, load(name) if name and found else found, rest

    def invoke(self, ctx: Any) -> Any:
        """Typer's, with Ctrl-C and a closed pipe left to `main`."""
        # Typer turns these two into exit codes of its own, without a word or with exit code 1.
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise KbError("stopped by Ctrl-C", code=output.INTERRUPTED) from None
        except BrokenPipeError:
            raise output.ReaderLeft from None


def load(noun: str) -> Any:
    """Import the module of a noun and give its command or its group of commands."""
    module_name, attribute, text = NOUNS[noun]
    module = importlib.import_module(module_name)
    commands = getattr(module, attribute)
    if attribute == SINGLE:
        single = typer.Typer(add_completion=False)
        single.command(name=noun)(commands)
        command: Any = get_command(single)
    else:
        command = _group(commands, getattr(module, "LATER", {}))
        command.name = noun
    command.help = command.help or text
    return _marked_up(command)


def _marked_up(command: Any) -> Any:
    command.rich_markup_mode = _markup()
    return command


class _OnDemand(Mapping[str, Any]):
    """Commands by name, made when asked for: reading the options of all costs more than running one.

    Args:
        now: commands whose functions are there.
        later: name -> "module:function" of commands whose module is imported when they are called.
        made: subgroups.
    """

    def __init__(self, now: Sequence[CommandInfo], later: Mapping[str, str], made: Mapping[str, Any]) -> None:
        self._now = {
            info.name or get_command_name(info.callback.__name__): info for info in now if info.callback
        }
        self._later = later
        self._made = dict(made)

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            if name in self._later:
                module, _, function = self._later[name].partition(":")
                self._now[name] = CommandInfo(
                    name, callback=getattr(importlib.import_module(module), function)
                )
            self._made[name] = get_command_from_info(
                self._now[name], pretty_exceptions_short=False, rich_markup_mode=_markup()
            )
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._now, **self._later, **self._made})

    def __len__(self) -> int:
        return len({**self._now, **self._later, **self._made})


def _group(commands: typer.Typer, later: Mapping[str, str]) -> TyperGroup:
    frame = copy.copy(commands)
    frame.registered_commands = []
    group = get_group(frame)
    group.commands = _OnDemand(commands.registered_commands, later, group.commands)  # type: ignore[assignment]
    return group


def _markup() -> Any:
    """Boxes and colours in help on a terminal; plain text elsewhere (and no import of rich)."""
    return "rich" if output.style_is_on() else None


app = typer.Typer(
    cls=Nouns,
    help="Claims from interpretability and AI safety: who says so, where exactly, and does it hold up?",
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    pretty_exceptions_show_locals=False,
)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(f"kb {version('interp-kb')}")
        raise typer.Exit


@app.callback(epilog="Start with: kb claim list · kb claim show ID · kb claim search 'a sentence'")
def _options(
    db: str = typer.Option(None, "--db", metavar="PATH", help="The store to use (also: KB_DB)."),
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version and stop."
    ),
) -> None:
    state.choose_store(db)


def call(arguments: Sequence[str]) -> object:
    """Run one call of `kb` by its words; its exit code, where it gives one.

    Raises:
        Exception: whatever goes wrong, for `kb.cli.main.explain` to tell.
    """
    return _marked_up(get_command(app)).main(args=list(arguments), prog_name="kb", standalone_mode=False)
