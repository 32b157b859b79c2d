from __future__ import annotations

import json

import pytest

from kb.talks import deck, render_json, render_markdown, table
from kb.talks.build import build
from kb.talks.outline import Picture
from tests.talks.conftest import Library, citation


def predicted(library: Library, name: str, probability: float | None, **fields: object) -> None:
    library.add_claim(
        name,
        kind="prediction",
        headline=f"Foretold: {name}",
        prediction={"probability": probability, "forecaster": "Emmons", **fields},
    )


def test_predictions_stand_against_their_outcomes_with_the_scores(library: Library) -> None:
    predicted(library, "a", 0.8, outcome="true")
    predicted(library, "b", 0.75, analogue="true")
    predicted(library, "c", None)
    library.add_talk()
    one = build("talk", library).tables[0]
    assert one.picture.table == (
        ("prediction", "forecast", "outcome", "score", "on our stand-in", "score there"),
        ("Foretold: a", "80 %", "true", "0.040", "not decided", "–"),
        ("Foretold: b", "75 %", "not resolved", "–", "true", "0.062"),
        ("Foretold: c", "none", "not resolved", "–", "not decided", "–"),
    )
    assert (one.title, one.claims) == ("1 of 3 predictions resolved so far", ("a", "b", "c"))
    assert one.say[0].startswith("1 of 2 predictions with a probability resolved, Brier score 0.040")


def test_without_outcomes_there_is_no_column_of_scores(library: Library) -> None:
    predicted(library, "a", 0.8)
    library.add_talk()
    one = build("talk", library).tables[0]
    assert one.picture.table[0] == ("prediction", "forecast", "outcome")
    assert one.title == "None of 1 prediction resolved so far"


def test_a_talk_without_predictions_or_terms_has_no_tables(library: Library) -> None:
    library.add_claim("a")
    library.add_talk()
    assert build("talk", library).tables == ()


def test_who_uses_which_term_is_found_in_the_quotes_as_whole_words(library: Library) -> None:
    cited = [
        citation("s1", "asserts", quote="Safety is Systemic, they say"),
        citation("s2", "supports", quote="ecosystemic effects"),
        citation("s3", "disputes", quote="we call this structural"),
        citation("s4", "supports"),
    ]
    library.add_claim("a", citations=cited)
    for key, author in (("s1", "Nancy Leveson"), ("s3", "Allan Dafoe")):
        library.sources[key]["authors"] = author
    library.add_talk(terms=["systemic", "structural", "societal"])
    one = build("talk", library).tables[0]
    assert one.picture.table[1:] == (
        ("systemic", "Leveson 1843", "“Safety is Systemic, they say”"),
        ("structural", "Dafoe 1843", "“we call this structural”"),
    )
    assert (
        one.title == "“Systemic” is written by 1 source, “structural” by 1 source and “societal” by 0 sources"
    )
    assert (one.claims, one.sources) == (("a",), ("s1", "s3"))
    assert one.say == (
        "“systemic” stands in the words of Leveson 1843.",
        "“structural” stands in the words of Dafoe 1843.",
    )


def test_what_is_said_over_a_table_is_counted(library: Library) -> None:
    predicted(library, "a", 0.8)
    library.add_talk()
    with_table = build("talk", library)
    library.claims["a"]["prediction"] = None
    assert with_table.seconds > sum(section.seconds for section in with_table.sections)
    assert build("talk", library).tables == ()


def test_without_time_for_the_end_the_table_is_shown_unsaid(library: Library) -> None:
    from kb.talks.build import Options

    predicted(library, "a", 0.8)
    library.add_talk(closing="word " * 40)
    outline = build("talk", library, Options(minutes=0.5))
    assert outline.tables[0].say == ()
    slide = next(slide for slide in deck.slides(outline) if slide.kind == "table")
    assert slide.notes[0] == "No time is left to speak to this."


def test_tables_are_in_the_outline_and_in_json(library: Library) -> None:
    predicted(library, "a|b", 0.8)
    library.add_talk()
    outline = build("talk", library)
    text = render_markdown.render(outline)
    assert (
        "| prediction | forecast | outcome |\n| --- | --- | --- |\n| Foretold: a\\|b | 80 % | not resolved |"
        in text
    )
    data = json.loads(render_json.render(outline))
    assert data["tables"][0]["columns"] == ["prediction", "forecast", "outcome"]
    assert data["tables"][0]["claims"] == ["a|b"]


@pytest.mark.parametrize("rows", [1, 12, 40])
def test_a_table_is_drawn_inside_its_place_on_as_many_pages_as_it_needs(rows: int) -> None:
    cells = tuple((f"row {place} " + "of some length " * 4, "80 %", "not resolved") for place in range(rows))
    picture = Picture("", "alt", "credit", table=(("prediction", "forecast", "outcome"), *cells))
    pages = table.pages(picture, 1168, 500)
    assert sum(len(page.table) - 1 for page in pages) == rows
    for page in pages:
        drawing = table.drawn(page, 1168, 500)
        assert all(label.y + label.size * 1.25 <= 500 for label in drawing.labels)
        assert all(label.x + label.width <= 1168.01 for label in drawing.labels)
        assert all(rectangle.y + rectangle.height <= 500 for rectangle in drawing.rectangles)
        assert min(label.size for label in drawing.labels if label.text != "credit") >= 20
