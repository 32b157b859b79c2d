"""The words of kb, the same in code, help, documents and tables.

Plain tuples of strings, importable at no cost: the command line, the schema and the input models all
take their vocabularies from here, so that a word is added in one place.
"""

CLAIM_KINDS = ("achievement", "framing", "empirical", "prediction", "advice", "question")
"""What sort of sentence a claim is. Advice can be argued with; a question can be answered by claims."""

STATUSES = ("supported", "disputed", "refuted", "open", "superseded")
"""What the cited literature says of a claim."""

VERDICTS = ("supported", "refuted", "mixed", "inconclusive", "unchecked", "stale")
"""What our own checks say of a claim. Never typed by anybody: always computed."""

STANCES = ("asserts", "supports", "disputes", "qualifies", "background")
"""How a source stands to the claim that cites it."""

DIRECTNESS = ("direct", "indirect")
"""Whether the cited passage speaks of the claim itself or of something it follows from."""

ROLES = ("own-result", "restated", "hypothesis", "limitation")
"""What the quoted sentence is in its source: its own finding, another's, a guess, a caveat."""

SEEN = ("primary", "paper-copy", "web-copy", "repository", "second-hand", "comment", "not-read")
"""How the passage behind a citation was read, from the best to the least.

primary      the published document itself was opened
paper-copy   a public copy of the document's text, or of its abstract
web-copy     a stored copy of the public web page
repository   a named public repository that carries the text
second-hand  another document reports it; the source was not opened
comment      known only from the comment that makes the assertion
not-read     a pointer; nobody has read the passage for this library
"""

RELATIONS = ("supports", "rebuts", "undercuts", "qualifies", "answers", "supersedes", "same-as")
"""How one claim stands to another."""

SOURCE_KINDS = ("paper", "post", "talk", "podcast", "thesis", "book", "repository", "review", "comment")
"""What a source is."""

RECORD_KINDS = ("source", "claim", "figure", "talk")
"""What the library's text holds, in the order in which references allow it to be loaded."""

UNITS = ("percent", "score", "count", "ratio", "steps", "probability", "seconds", "bytes", "nats")
"""Units of a published figure."""

SCALES = ("0-1", "0-100", "d4rl-normalised", "human-normalised", "raw", "log")
"""The scale on which a figure is given; figures on different scales are never combined."""

CHECK_OUTCOMES = ("pass", "derived", "fail", "unknown", "skipped", "stale")
"""What a check can say. `derived` is a number that follows under a stated assumption: never a pass."""

RUN_STATES = ("running", "finished", "failed", "interrupted")
"""Where a run stands."""

PRESETS = ("smoke", "quick", "full")
"""Tiers of a reproduction. A smoke run proves that the code runs and never gives a verdict."""

MEANINGS = ("supports", "refutes")
"""What it means for the claim if a metric lies inside a criterion's region."""

OUTCOMES = ("true", "false", "ambiguous", "unresolvable")
"""How a prediction can resolve."""
