"""The talks that ship, on the library that ships: they could be given tonight."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from kb.store import connect, queries
from kb.talks import deck
from kb.talks.build import Options, build
from kb.talks.formats import FORMATS, render
from kb.talks.measure import POINTER
from kb.talks.outline import Outline
from kb.talks.reading import StoreReading

ROOT = Path(__file__).resolve().parent.parent.parent
MINUTES = {"top-achievements": 5, "systemic-safety": 10, "dt-random": 3, "maze-predictions": 8}
talks = pytest.mark.parametrize("talk", sorted(MINUTES))


@pytest.fixture
def reading() -> Iterator[StoreReading]:
    with contextlib.closing(connect.open_to_read(ROOT / "claims.db")) as connection:
        yield StoreReading(connection, [ROOT])


@talks
def test_a_shipped_talk_fits_its_minutes_with_all_its_claims(reading: StoreReading, talk: str) -> None:
    outline = build(talk, reading)
    assert outline.minutes == MINUTES[talk]
    assert outline.seconds <= 60 * outline.minutes
    assert not [cut for cut in outline.cut if "time" in cut.why]
    assert outline.opening
    assert outline.closing


@talks
def test_nothing_is_cut_on_a_slide_of_a_shipped_talk(reading: StoreReading, talk: str) -> None:
    for slide in deck.slides(build(talk, reading)):
        shown = [slide.title.text, *(block.text.text for block in slide.blocks)]
        assert not [text for text in shown if text.endswith(POINTER)], slide.title.text


@talks
def test_every_headline_states_a_finding(reading: StoreReading, talk: str) -> None:
    for section in build(talk, reading).sections:
        assert section.title != section.statement, f"{section.claim} has no headline"
        assert len(section.title.split()) >= 4, section.title
        assert not section.title.endswith("?"), section.title
        assert "withheld" not in section.title


@talks
def test_every_item_has_marks_a_citation_an_id_a_caveat_and_notes(reading: StoreReading, talk: str) -> None:
    outline = build(talk, reading)
    items = [slide for slide in deck.slides(outline) if slide.kind == "item"]
    assert len(items) == len(outline.sections) >= 5
    for section, slide in zip(outline.sections, items, strict=True):
        assert slide.marks[0].text.endswith(section.verdict)
        assert slide.marks[1].text.endswith(section.status)
        assert slide.footer is not None
        assert slide.footer.claim == section.claim
        assert slide.footer.source
        assert slide.blocks[-1].role == "caveat"
        assert slide.notes[0].startswith("Say, in ")
        assert any(note.startswith("Source - ") for note in slide.notes)


@talks
def test_every_objection_has_a_backup_slide_after_the_end(reading: StoreReading, talk: str) -> None:
    outline = build(talk, reading)
    kinds = [slide.kind for slide in deck.slides(outline)]
    assert "backup" in kinds
    assert kinds.index("closing") < kinds.index("backup")
    made = {(one.source, one.claim, one.quote or one.text) for s in outline.sections for one in s.objections}
    assert kinds.count("backup") == len(made)


@talks
def test_the_same_store_gives_the_same_bytes(reading: StoreReading, talk: str) -> None:
    pytest.importorskip("pptx")
    for form in FORMATS:
        assert render(build(talk, reading), form) == render(build(talk, reading), form), form


def test_a_talk_shows_the_plots_of_a_recorded_run(reading: StoreReading) -> None:
    outline = build("dt-random", reading)
    section = next(s for s in outline.sections if s.claim == "dt-toy-graph-feasible-return")
    assert section.picture is not None
    assert section.picture.name == "shares.png"
    assert [picture.name for picture in section.pictures if picture.file] == ["steps.png"]
    item = next(s for s in deck.slides(outline) if s.footer and s.footer.claim == section.claim)
    assert item.picture == section.picture
    assert item.blocks[0].role == "number"
    assert "[" in item.blocks[0].text.text


def test_the_toy_graphs_other_plot_can_be_chosen(
    reading: StoreReading, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk = {**reading.talk("dt-random"), "pictures": {"dt-toy-graph-feasible-return": "steps*"}}
    monkeypatch.setattr(reading, "talk", lambda name: talk)
    outline = build("dt-random", reading)
    section = next(s for s in outline.sections if s.claim == "dt-toy-graph-feasible-return")
    assert section.picture is not None
    assert section.picture.name == "steps.png"


def test_dt_random_has_the_assertion_its_citation_the_table_and_our_run(reading: StoreReading) -> None:
    outline = build("dt-random", reading)
    assert outline.sections[0].evidence[0].stance == "asserts"
    assert any(s.picture and s.picture.table for s in outline.sections)
    assert any(s.measured for s in outline.sections)


def test_maze_predictions_stand_against_their_outcomes(reading: StoreReading) -> None:
    outline: Outline = build("maze-predictions", reading)
    one = next(table for table in outline.tables if table.name == "predictions")
    assert one.picture.table[0][:3] == ("prediction", "forecast", "outcome")
    assert (
        len(one.picture.table) - 1 == sum(section.forecast is not None for section in outline.sections) >= 5
    )
    assert outline.summary


def test_systemic_safety_shows_who_uses_which_term(reading: StoreReading) -> None:
    outline = build("systemic-safety", reading)
    one = next(table for table in outline.tables if table.name == "terms")
    words = {row[0] for row in one.picture.table[1:] if row[0]}
    assert words == {"systemic", "structural"}
    quotes = " ".join(e.quote or "" for s in outline.sections for e in (*s.evidence, *s.objections))
    for row in one.picture.table[1:]:
        assert row[2].strip("“”").strip("…") in quotes


@talks
def test_only_verified_keeps_no_doubtful_claim(reading: StoreReading, talk: str) -> None:
    outline = build(talk, reading, Options(only_verified=True))
    assert all(section.verdict == "supported" for section in outline.sections)
    assert any("only verified claims: " in notice for notice in outline.notices)


def test_every_recorded_talk_is_among_these(reading: StoreReading) -> None:
    with contextlib.closing(connect.open_to_read(ROOT / "claims.db")) as connection:
        assert set(queries.names(connection, "talk")) == set(MINUTES)
