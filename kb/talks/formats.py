"""The formats that a talk can be written in, by name, each imported when it is asked for."""

from __future__ import annotations

import importlib
from pathlib import PurePath

from kb.errors import KbError, shown
from kb.talks.outline import Outline

FORMATS = {
    "markdown": ("kb.talks.render_markdown", ".md"),
    "marp": ("kb.talks.render_marp", ".marp.md"),
    "pptx": ("kb.talks.render_pptx", ".pptx"),
    "revealjs": ("kb.talks.render_revealjs", ".html"),
    "json": ("kb.talks.render_json", ".json"),
}
"""Name -> (module with `render(outline) -> str or bytes`, the usual end of a file's name)."""


def format_for(name: str | None, file: str | None) -> str:
    """The format asked for by name, else by the end of the file's name, else Markdown.

    Raises:
        KbError: for a name that is no format, or a file whose name tells none.
    """
    if name is not None:
        if name not in FORMATS:
            raise KbError(f"{shown(name)} is no format of a talk", f"it is one of {', '.join(FORMATS)}")
        return name
    if file is None:
        return "markdown"
    name = PurePath(file).name.lower()
    found = [form for form, (_, end) in FORMATS.items() if name.endswith(end)]
    return max(found, key=lambda form: len(FORMATS[form][1]), default="markdown")


def render(outline: Outline, form: str) -> str | bytes:
    """The talk in one of `FORMATS`: text, or bytes where the format is binary."""
    module = importlib.import_module(FORMATS[form][0])
    rendered: str | bytes = module.render(outline)
    return rendered
