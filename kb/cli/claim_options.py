"""The options that set the fields of a claim and of a citation."""

from __future__ import annotations

from typing import Annotated

import typer

from kb import words

Kind = Annotated[
    str | None, typer.Option("--kind", metavar="WORD", help=f"One of {', '.join(words.CLAIM_KINDS)}.")
]
Statement = Annotated[str | None, typer.Option("--statement", metavar="TEXT", help="One precise sentence.")]
By = Annotated[str | None, typer.Option("--by", metavar="NAME", help="Who asserts it.")]
Date = Annotated[str | None, typer.Option("--date", metavar="DATE", help="2023, 2023-03 or 2023-03-11.")]
Status = Annotated[
    str | None, typer.Option("--status", metavar="WORD", help=f"One of {', '.join(words.STATUSES)}.")
]
Headline = Annotated[str | None, typer.Option("--headline", metavar="TEXT", help="In a slide's words.")]
Number = Annotated[str | None, typer.Option("--number", metavar="TEXT", help="The number for the slide.")]
Caveat = Annotated[str | None, typer.Option("--caveat", metavar="TEXT", help="The strongest honest caveat.")]
Answer = Annotated[str | None, typer.Option("--answer", metavar="TEXT", help="Of a question.")]
Note = Annotated[str | None, typer.Option("--note", metavar="TEXT", help="Anything else.")]
Probability = Annotated[
    float | None, typer.Option("--probability", metavar="P", help="Of a prediction, 0 to 1.")
]
Forecaster = Annotated[
    str | None, typer.Option("--forecaster", metavar="NAME", help="Who gave the probability.")
]
Resolution = Annotated[
    str | None, typer.Option("--resolution", metavar="TEXT", help="The rule that resolves it.")
]
Stance = Annotated[
    str | None, typer.Option("--stance", metavar="WORD", help=f"One of {', '.join(words.STANCES)}.")
]
Locator = Annotated[
    str | None, typer.Option("--locator", metavar="WHERE", help="Page, section, table, time.")
]
Quote = Annotated[str | None, typer.Option("--quote", metavar="TEXT", help="Verbatim, 40 words at most.")]
Seen = Annotated[
    str | None, typer.Option("--seen", metavar="WORD", help=f"How it was read: {', '.join(words.SEEN)}.")
]
SeenAt = Annotated[str | None, typer.Option("--seen-at", metavar="URL", help="Where it was read.")]
Role = Annotated[str | None, typer.Option("--role", metavar="WORD", help=f"One of {', '.join(words.ROLES)}.")]
Indirect = Annotated[bool, typer.Option("--indirect", help="The passage is not about the claim itself.")]
From = Annotated[str | None, typer.Option("--from", metavar="FILE", help="YAML or JSON; - is stdin.")]
