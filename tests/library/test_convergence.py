"""Random edit histories on three copies: whatever the order in which they meet, nothing is lost and they converge.

Every claim carries who it is (`asserted_by`, never changed) and what was done to it last (`statement`, new each
time). So the test knows, for each copy and each claim, which edits its content stands on, and can hold a merge to
it: a content may be replaced only by one that stands on everything that it stood on.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, note, settings
from hypothesis import strategies as st

from kb.errors import KbError
from kb.library.report import Report
from kb.library.text import read_library
from tests.library.conftest import Copy, claim

EXAMPLES = int(os.environ.get("KB_FAULTS_HISTORIES", "12"))
"""Histories: few in CI, 1,000 with `make faults`."""
TEXT = """- {id: n0, kind: framing, statement: edit 0., asserted_by: who 0, status: open, citations: [{source: s, stance: asserts}]}
- {id: n1, kind: framing, statement: edit 1., asserted_by: who 1, status: open, relations: [{type: supports, claim: n0}]}
"""
COPIES = st.integers(0, 2)
NAMES = st.sampled_from(["n0", "n1", "n2", "n3"])
STEPS = st.one_of(
    st.tuples(st.just("edit"), COPIES, NAMES),
    st.tuples(st.just("edit"), COPIES, NAMES),
    st.tuples(st.just("remove"), COPIES, NAMES),
    st.tuples(st.just("rename"), COPIES, NAMES),
    st.tuples(st.just("relate"), COPIES, NAMES),
    st.tuples(st.just("meet"), COPIES, COPIES),
    st.tuples(st.just("meet"), COPIES, COPIES),
    st.tuples(st.just("meet"), COPIES, COPIES),
    st.tuples(st.just("settle"), COPIES, st.sampled_from(["ours", "theirs"])),
)
Who = str
Events = dict[Who, frozenset[int]]


@dataclass
class Person:
    """A copy, what its contents stand on, and what those of its text stood on when it was written."""

    copy: Copy
    events: Events = field(default_factory=dict)
    text: Events = field(default_factory=dict)
    waiting: dict[Who, frozenset[int]] = field(default_factory=dict)
    """What the other contents stand on that wait for a decision."""

    def claims(self) -> dict[Who, tuple[str, str]]:
        """who -> (name, what was done last)."""
        return {
            data["asserted_by"]: (name, data["statement"])
            for (kind, name), data in self.copy.records().items()
            if kind == "claim"
        }

    def text_claims(self) -> dict[Who, tuple[str, str]]:
        library = read_library(self.copy.library)
        return {
            one.data["asserted_by"]: (one.name, one.data["statement"])
            for one in library.placed()
            if one.kind == "claim"
        }


class World:
    """Three people with the same library, and a count of what was done."""

    def __init__(self, folder: Path, template: Path, acquainted: bool = True) -> None:
        self.people = []
        for name in "abc":
            shutil.copytree(template, folder / name)
            first: Events = {"who 0": frozenset({0}), "who 1": frozenset({1})}
            self.people.append(Person(Copy(folder / name), dict(first), dict(first)))
        self.count = 1
        self.tried = 0
        self.met: set[tuple[Path, Path]] = set()
        self.seen: dict[tuple[Path, Path], set[Who]] = {}
        """Of each who reads: the claims that stood in the other's text, so that a removal there is one."""
        self.removed: set[Who] = set()
        self.unknowable: set[Who] = set()
        """Removed by somebody in whose text another, who has it, never saw it."""
        self.acquainted = acquainted
        if acquainted:
            for person in self.people:
                for other in self.people:
                    if person is not other:
                        self.meet(person, other)

    def next(self) -> int:
        self.count += 1
        return self.count

    def step(self, what: str, one: int, other: object) -> None:
        person = self.people[one]
        if what == "meet":
            if one != other:
                self.meet(person, self.people[int(str(other))])
        elif what == "settle":
            self.settle(person, str(other))
        else:
            getattr(self, what)(person, str(other))

    # --- what a person does ---------------------------------------------------------------------------

    def _named(self, person: Person, name: str) -> tuple[str, Who] | None:
        """The claim of that name, or that had it once."""
        for who, (today, _) in person.claims().items():
            aliases = person.copy.records()["claim", today].get("aliases", [])
            if name == today or name in aliases:
                return today, who
        return None

    def edit(self, person: Person, name: str) -> None:
        event, found = self.next(), self._named(person, name)
        if found is None:
            who = f"who {event}"
            person.copy.put(claim(name, statement=f"edit {event}.", asserted_by=who))
            person.events[who] = frozenset({event})
            return
        today, who = found
        person.copy.change(today, statement=f"edit {event}.")
        person.events[who] |= {event}

    def relate(self, person: Person, name: str) -> None:
        """An edit that points at another claim, so that its removal has to wait."""
        found, others = self._named(person, name), sorted(name for name, _ in person.claims().values())
        if found is None or len(others) < 2:
            return
        event, (today, who) = self.next(), found
        target = next(other for other in others if other != today)
        relations = [{"type": "qualifies", "claim": target}]
        person.copy.change(today, statement=f"edit {event}.", relations=relations)
        person.events[who] |= {event}

    def remove(self, person: Person, name: str) -> None:
        found = self._named(person, name)
        if found is None:
            return
        today, who = found
        relations = [r["claim"] for data in person.copy.records().values() for r in data.get("relations", [])]
        if today in relations:
            with pytest.raises(KbError, match="is still used by"):
                person.copy.remove(today)
            return
        person.copy.remove(today)
        person.events[who] |= {self.next()}
        self.removed.add(who)

    def rename(self, person: Person, name: str) -> None:
        found = self._named(person, name)
        if found is None:
            return
        event, (today, who) = self.next(), found
        person.copy.rename(today, f"r{event}")
        person.copy.change(f"r{event}", statement=f"edit {event}.")
        person.events[who] |= {event}

    def settle(self, person: Person, side: str) -> None:
        """Decide every conflict; the content that is left stands on both."""
        for name in person.copy.conflicts():
            before = person.copy.contents()
            try:
                person.copy.sync(take=side, names=[name])
            except KbError:  # what theirs needs is not here, or what it would remove is used
                assert person.copy.contents() == before
                person.copy.sync(take="ours", names=[name])
        for who, stood in person.waiting.items():
            person.events[who] = person.events.get(who, frozenset()) | stood
        person.waiting.clear()

    # --- meeting --------------------------------------------------------------------------------------

    def meet(self, person: Person, other: Person) -> None:
        """`other` writes its text, `person` merges with it; then everything is held to what was known."""
        if other.copy.export().written:
            other.text = dict(other.events)
        pair = (person.copy.folder, other.copy.folder)
        first = pair not in self.met
        self.met.add(pair)
        knew = self.seen.get(pair, set())
        before, theirs = person.claims(), other.text_claims()
        report = self._read(person, other)
        after = person.claims()
        listed = {conflict.name for conflict in report.conflicts}
        for who in {*before, *theirs, *after}:
            self.tried += 1
            ours, stood = person.events.get(who, frozenset()), other.text.get(who, frozenset())
            names = {claims[who][0] for claims in (before, theirs, after) if who in claims}
            if names & listed:
                assert after.get(who, ("", ""))[1] == before.get(who, ("", ""))[1], (
                    f"{who}: a conflict was taken"
                )
                person.waiting[who] = person.waiting.get(who, frozenset()) | stood
                continue
            told = {taken.action for taken in report.taken if taken.name in names}
            if first and who in theirs and who not in before:
                person.events[who] = ours | stood  # a removal holds between those who have met
            elif "brought back" in told:
                person.events[who] = ours | stood  # what theirs needs comes back, and is listed as that
            elif before.get(who) != after.get(who):
                assert ours <= stood, f"{who}: {before.get(who)} became {after.get(who)} in silence"
                said = {taken.name for taken in report.taken}
                said |= {taken.detail.removeprefix("from ") for taken in report.taken}
                assert names & said, f"{who}: nothing was said"
                person.events[who] = stood
            elif who not in theirs and who not in knew:
                continue  # nobody says that theirs ever had it
            elif theirs.get(who, ("", ""))[1] != after.get(who, ("", ""))[1]:
                assert stood <= ours, f"{who}: their {theirs.get(who)} was passed over in silence"
            else:
                person.events[who] = ours | stood

    def _read(self, person: Person, other: Person) -> Report:
        """`person` merges with the text of `other`; notes who has seen what, and which removals they cannot know."""
        pair = (person.copy.folder, other.copy.folder)
        knew, theirs = self.seen.get(pair, set()), other.text_claims()
        self.unknowable |= (person.claims().keys() & self.removed) - theirs.keys() - knew
        try:
            report = person.copy.meet(other.copy)
        except KbError as error:
            if "run `kb library export` first" not in str(error):
                raise
            person.copy.export()
            report = person.copy.meet(other.copy)
        self.seen[pair] = theirs.keys() | (knew & person.claims().keys())
        return report

    def converge(self) -> None:
        """Everybody meets everybody, deciding each conflict in the same way, until nothing changes any more."""
        for _ in range(12):
            for person in self.people:
                for other in self.people:
                    if person is not other:
                        self._settle_alike(other)
                        other.copy.export()
                        self._read(person, other)
                        self._settle_alike(person)
            contents = [self._compared(person) for person in self.people]
            if contents[0] == contents[1] == contents[2]:
                return
        raise AssertionError(f"twelve rounds were not enough: {contents}")

    def _compared(self, person: Person) -> object:
        """All that a copy holds, without what somebody removed and somebody else cannot know to be removed."""
        if self.unknowable:
            return {who: what for who, what in person.claims().items() if who not in self.unknowable}
        return person.copy.contents()

    def _settle_alike(self, person: Person) -> None:
        """The later of two contents wins wherever they meet, and a content wins over a removal."""
        for name in person.copy.conflicts():
            for one in [one for one in person.copy.sync().standing if one["name"] == name]:
                theirs, origin = one["theirs"], str(one["origin"])
                ours = person.copy.records().get((str(one["kind"]), name))
                take = "theirs" if theirs and (not ours or _newest(theirs) > _newest(ours)) else "ours"
                where = Path(origin.split(" #")[0]) if origin.startswith("/") else None
                person.copy.sync(take=take, names=[name], origin=where)


def _newest(data: Any) -> tuple[int, str]:
    """Of two contents the later edit, so that none wins over what was made from it: that nobody could know."""
    return int(data["statement"].split()[1].rstrip(".")), repr(data)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in step with its text."""
    folder = tmp_path_factory.mktemp("template") / "x"
    (folder / "citations" / "claims").mkdir(parents=True)
    (folder / "citations" / "references.bib").write_text(
        "@misc{s,\n  title = {S},\n  year = {2020},\n}\n", "utf-8"
    )
    (folder / "citations" / "claims" / "group.yaml").write_text(TEXT, "utf-8")
    Copy(folder).sync()
    return folder


@pytest.fixture(scope="module")
def counted() -> Iterator[dict[str, int]]:
    """How many histories, steps and comparisons there were; printed at the end."""
    counts = {"histories": 0, "steps": 0, "comparisons": 0}
    yield counts
    print(f"\n| {counts} lost 0")


@settings(
    max_examples=EXAMPLES,
    derandomize=EXAMPLES < 100,  # the same histories on every change; new ones with `make faults`
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(acquainted=st.booleans(), steps=st.lists(STEPS, min_size=1, max_size=14))
# Histories in which something was once lost, listed for nothing, or could not be decided.
@example(acquainted=False, steps=[("edit", 0, "n0"), ("remove", 0, "n1"), ("relate", 1, "n0")])
@example(acquainted=True, steps=[("remove", 1, "n1"), ("rename", 0, "n1"), ("meet", 1, 0)])
@example(
    acquainted=False, steps=[("rename", 2, "n0"), ("edit", 0, "n0"), ("meet", 0, 2), ("rename", 2, "n0")]
)
@example(acquainted=False, steps=[("edit", 0, "n0"), ("edit", 2, "n0"), ("meet", 0, 2), ("rename", 0, "n0")])
@example(acquainted=False, steps=[("edit", 1, "n3"), ("edit", 2, "n3"), ("rename", 1, "n3")])
@example(acquainted=False, steps=[*(("edit", one, "n2") for one in (0, 1, 2)), ("rename", 1, "n2")])
@example(
    acquainted=False,
    steps=[*[("edit", 0, "n0")] * 5, ("remove", 0, "n1"), ("relate", 1, "n0"), ("rename", 0, "n0")],
)
@example(acquainted=True, steps=[("remove", 1, "n1"), ("relate", 2, "n0"), ("meet", 1, 2)])
@example(acquainted=False, steps=[*(("edit", one, "n0") for one in (0, 1, 2)), ("meet", 0, 2)])
@example(
    acquainted=False,
    steps=[("edit", 1, "n3"), ("meet", 0, 1), ("edit", 0, "n3"), ("meet", 2, 0), ("rename", 0, "n3")],
)
@example(
    acquainted=False, steps=[*[("edit", 0, "n0")] * 7, ("edit", 1, "n2"), ("meet", 0, 1), ("edit", 0, "n2")]
)
@example(
    acquainted=False, steps=[*((what, 2, "n1") for what in ("remove", "edit", "rename")), ("meet", 0, 2)]
)
# A removal that one of them cannot know of.
@example(acquainted=True, steps=[("edit", 2, "n2"), ("meet", 0, 2), ("remove", 0, "n2"), ("meet", 2, 0)])
def test_three_copies_converge_and_lose_nothing(
    acquainted: bool,
    steps: list[tuple[str, int, object]],
    template: Path,
    tmp_path_factory: pytest.TempPathFactory,
    counted: dict[str, int],
) -> None:
    folder = tmp_path_factory.mktemp("world")
    try:
        world = World(folder, template, acquainted)
        for step in steps:
            note(str(step))
            world.step(*step)
        counted["comparisons"] += world.tried
        world.converge()
        for person in world.people:
            assert person.copy.conflicts() == []
            assert not person.copy.sync().standing
    finally:
        shutil.rmtree(folder)
    counted["histories"] += 1
    counted["steps"] += len(steps)
