"""Criteria that rest on a control, and runs on the named artifact itself."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest

from kb.errors import KbError
from kb.reproduce import runner
from kb.reproduce.judging import judgements_of
from kb.reproduce.manifest import Manifest
from kb.store import connect, queries
from kb.store.places import Places
from tests.reproduce.conftest import EXPERIMENT, MANIFEST

Make = Callable[..., Manifest]

CONTROL = """
[[criterion]]
name = "learner-works"
claim = "a-claim"
metric = "score"
meaning = "supports"
low = {low}
primary = false
wording = "the control"
"""
REQUIRING = MANIFEST.replace(
    'wording = "at least 0.4"', 'wording = "at least 0.4"\nrequires = ["learner-works"]'
)
STAND_IN = (
    MANIFEST.replace("primary = true", "primary = true\nanalogue = true")
    + """
[original]
what = "the published data"
option = "data"
protocol = { environment = "as published" }
departures = ["Fewer seeds."]
"""
)
READS_THE_ORIGINAL = EXPERIMENT.replace(
    "units = report", 'report.note(f"original: {report.original}")\n    units = report'
)


def test_a_criterion_decides_where_its_control_holds(tiny: Make, places: Places) -> None:
    run = runner.execute(tiny(text=REQUIRING + CONTROL.format(low=0.3)), "quick", places)
    assert run["judgements"][0]["verdict"] == "supported"


def test_a_criterion_decides_nothing_where_its_control_does_not_hold(tiny: Make, places: Places) -> None:
    run = runner.execute(tiny(text=REQUIRING + CONTROL.format(low=0.9)), "quick", places)
    assert run["judgements"][0]["verdict"] == "inconclusive"
    assert run["judgements"][0]["because"].startswith("the control learner-works does not hold (score is 0.5")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (REQUIRING, "requires learner-works, which is no other criterion"),
        (
            REQUIRING + CONTROL.format(low=0.3) + 'requires = ["low"]\n',
            "requires learner-works, which requires something itself",
        ),
        (STAND_IN.replace('option = "data"', 'option = "disk"'), "original.option must be data or weights"),
        (STAND_IN.replace('environment = "as', 'planet = "as'), "original.protocol knows only"),
    ],
)
def test_a_manifest_with_a_control_or_an_original_that_cannot_be_is_refused(
    tiny: Make, text: str, complaint: str
) -> None:
    with pytest.raises(KbError, match=complaint):
        tiny(text=text)


def test_on_our_stand_in_a_criterion_about_the_named_artifact_is_an_analogue(
    tiny: Make, places: Places
) -> None:
    run = runner.execute(tiny(text=STAND_IN), "quick", places)
    assert run["judgements"][0]["analogue"]
    with contextlib.closing(connect.for_reading(places)) as connection:
        assert queries.show_claim(connection, "a-claim")["verdict"] == "unchecked"


def test_on_the_original_the_same_criterion_gives_the_verdict_and_the_record_says_so(
    tiny: Make, places: Places
) -> None:
    made = tiny(experiment=READS_THE_ORIGINAL, text=STAND_IN)
    run = runner.execute(made, "quick", places, original="published")
    assert not run["judgements"][0]["analogue"]
    assert run["notes"] == ["original: published"]
    assert run["config"]["original"] == "the published data"
    assert run["protocol"]["environment"] == "as published"
    assert run["departures"] == ["Fewer seeds."]
    with contextlib.closing(connect.for_reading(places)) as connection:
        assert queries.show_claim(connection, "a-claim")["verdict"] == "supported"
    again = judgements_of(made, run["metrics"], "quick", on_original=True)
    assert again == run["judgements"]


def test_a_reproduction_without_an_original_refuses_the_option(tiny: Make, places: Places) -> None:
    with pytest.raises(KbError, match="has no original to run on"):
        runner.execute(tiny(), "quick", places, original="published")
