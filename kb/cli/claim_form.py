"""The YAML form of a claim: its fields with what each may hold, in comments."""

from __future__ import annotations

from typing import Any

from kb import words

HEAD = """\
# {title}
# Save and close to go on. Lines that begin with # are ignored; fields left empty are left out.
# Leave the form as it is, or empty it, to change nothing.

"""

NEW = """\
id:             # lower-case-words-with-hyphens; it stays for ever
kind:           # {kinds}
statement:      # one precise sentence in your own words, 600 characters at most
asserted_by:    # who says so
date:           # of the assertion: 2023, 2023-03 or 2023-03-11
status: open    # what the cited literature says: {statuses}
tags: []        # [maze, goal-misgeneralization]

citations:
- source:       # a key; `kb cite list` shows them
  stance:       # {stances}
  role:         # {roles}
  locator:      # page 3; Table 1, DT column; 12:34
  quote:        # verbatim, 40 words at most; leave it out where nobody read it
  seen:         # {seen}
  seen_at:      # the address where it was read
"""

MORE = {
    "headline": "headline:   # the finding in a slide's words, 90 characters at most",
    "number": "number:     # the number for the slide; it must stand in a quote, figure or computation",
    "caveat": "caveat:     # the strongest honest caveat, in one or two sentences",
    "note": "note:",
    "citations": """\
citations:
- source:     # a key; `kb cite list` shows them
  stance:     # {stances}
  directness: # direct or indirect
  role:       # {roles}
  locator:
  quote:      # verbatim, 40 words at most
  seen:       # {seen}
  seen_at:""",
    "relations": """\
relations:
- type:       # {relations}
  claim:      # the other claim's id""",
    "computations": """\
computations:
- name:       # ratio-of-means
  expression: # 100 * mean(cells("dt.random.*")) / mean(cells("dt.medium_expert.*"))
  expected:   # the value that it must give
  decimals: 0
  unit:""",
    "prediction": """\
prediction:   # kind prediction only
  probability: # 0 to 1
  forecaster:
  made:       # 2023-03-11
  resolution: # the rule, complete enough to be applied by somebody else""",
    "answer": "answer:     # kind question only",
}
"""Fields that a form offers, commented out, where the record does not have them."""


def _filled(text: str) -> str:
    return text.format(
        kinds=" ".join(words.CLAIM_KINDS),
        statuses=" ".join(words.STATUSES),
        stances=" ".join(words.STANCES),
        seen=" ".join(words.SEEN),
        roles=" ".join(words.ROLES),
        relations=" ".join(words.RELATIONS),
    )


def blank() -> str:
    """The form of a new claim."""
    return HEAD.format(title="A new claim") + _filled(NEW) + _offers({"citations"})


def of(claim: dict[str, Any]) -> str:
    """The form of a claim that exists: its record, and in comments what it could have beside."""
    from kb.library import strict

    text = strict.dump(claim)
    allowed = _filled("# kind: {kinds}\n# status: {statuses}\n# stance: {stances}\n# seen: {seen}\n")
    return HEAD.format(title=f"The claim {claim['id']}") + allowed + "\n" + text + _offers(set(claim))


def _offers(present: set[str]) -> str:
    missing = [text for name, text in MORE.items() if name not in present]
    commented = "\n".join("# " + line for text in missing for line in _filled(text).split("\n"))
    return f"\n# What a claim may have beside; take the # away to use it.\n{commented}\n"
