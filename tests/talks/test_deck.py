from __future__ import annotations

import pytest

from kb.talks import deck, theme
from kb.talks.build import build
from kb.talks.slide import BAND, FOOTER_TOP, Slide, marks_of
from tests.talks.conftest import Library


@pytest.fixture(params=["hostile", "hostile_run", "every_length"])
def slides(request: pytest.FixtureRequest) -> tuple[Slide, ...]:
    return deck.slides(build("talk", request.getfixturevalue(request.param)))


def test_no_box_runs_into_the_next_or_off_the_slide(slides: tuple[Slide, ...]) -> None:
    for slide in slides:
        below = slide.top + slide.title.height
        end = FOOTER_TOP if slide.footer else theme.HEIGHT
        for block in slide.blocks:
            padding = BAND if block.role == "caveat" else 0
            assert block.top - padding >= below, (slide.kind, block)
            below = block.top + block.text.height + padding
            assert below <= end, (slide.kind, block)


def test_a_picture_lies_beside_the_texts_under_the_title_and_over_the_caveat(
    slides: tuple[Slide, ...],
) -> None:
    for slide in slides:
        if slide.picture:
            caveat = [block.top - BAND for block in slide.blocks if block.role == "caveat"]
            end = min([FOOTER_TOP if slide.footer else theme.HEIGHT, *caveat])
            assert slide.box.top >= slide.top + slide.title.height
            assert slide.box.top + slide.box.height <= end
            assert slide.box.left + slide.box.width <= theme.WIDTH - theme.MARGIN + 0.01
            assert slide.kind != "item" or slide.text_width >= 400


def test_type_is_large_enough_for_the_last_row(slides: tuple[Slide, ...]) -> None:
    for slide in slides:
        assert slide.title.size >= 34
        assert all(block.text.size >= 22 for block in slide.blocks)
        assert not slide.marks or slide.mark_size >= 18


def test_what_a_slide_cuts_stands_whole_in_its_notes(hostile: Library) -> None:
    outline = build("talk", hostile)
    items = [slide for slide in deck.slides(outline) if slide.kind == "item"]
    for section, slide in zip(outline.sections, items, strict=True):
        notes = " ".join(slide.notes)
        assert section.statement in notes
        assert section.caveat is None or section.caveat in notes


def test_the_caveat_verdict_status_citation_and_id_are_on_the_slide(library: Library) -> None:
    library.add_claim("a", caveat="In toys only.", verdict="stale", status="disputed")
    library.add_talk()
    item = deck.slides(build("talk", library))[1]
    assert item.footer is not None
    assert [mark.text for mark in item.marks] == ["our check: ! stale", "literature: disputed"]
    assert item.footer.claim == "a"
    assert item.footer.source == "Lovelace and Babbage 1843, Note G [1]"
    assert item.blocks[-1].text.text == "In toys only."


def test_each_objection_has_a_backup_slide_after_the_end(library: Library, cite: object) -> None:
    from tests.talks.conftest import citation

    library.add_claim("a", citations=[citation("s", "asserts"), citation("t", "disputes", quote="not so")])
    library.add_talk()
    kinds = [slide.kind for slide in deck.slides(build("talk", library))]
    assert kinds == ["opening", "item", "closing", "list", "backup"]


def test_an_objection_is_answered_by_what_rebuts_it(library: Library) -> None:
    against = {"type": "rebuts", "claim": "b", "direction": "in", "statement": "It fails.", "note": None}
    answer = {"type": "rebuts", "claim": "c", "direction": "in", "statement": "Not since 2024.", "note": None}
    library.add_claim("a", relations=[against])
    library.add_claim("b", relations=[answer])
    library.add_talk(select={"claims": ["a"]})
    outline = build("talk", library)
    answers = [(one.claim, one.text) for one in outline.sections[0].objections[0].answers]
    assert answers == [("c", "Not since 2024.")]
    assert any(
        "Answer: Not since 2024. (c: unchecked, open)" in note for note in deck.slides(outline)[1].notes
    )


def test_an_objection_carries_the_verdict_of_the_claim_that_makes_it(library: Library) -> None:
    against = {"type": "rebuts", "claim": "b", "direction": "in", "statement": "It fails.", "note": None}
    library.add_claim("a", relations=[against])
    library.add_claim("b", verdict="inconclusive", status="open")
    library.add_talk(select={"claims": ["a"]})
    slides = deck.slides(build("talk", library))
    backup = next(slide for slide in slides if slide.kind == "backup")
    assert [mark.text for mark in backup.marks] == [
        "objection",
        "our check: ? inconclusive",
        "literature: open",
    ]
    assert any("it is itself inconclusive by us, open" in note for note in slides[1].notes)


def test_an_objection_in_words_is_its_slides_headline(library: Library) -> None:
    from tests.talks.conftest import citation

    against = citation("t", "disputes", quote='we _never_ saw "it"', note="three attempts")
    library.add_claim("a", citations=[citation("s", "asserts"), against])
    library.add_talk()
    backup = deck.slides(build("talk", library))[-1]
    assert backup.title.text == "“we never saw ‘it’”"
    texts = [block.lead + block.text.text for block in backup.blocks]
    assert texts == [
        "Lovelace and Babbage 1843 disputes: Statement of a.".replace("disputes", "dispute"),
        "Three attempts.",
        "No answer to this is recorded in the library.",
    ]


def test_marks_stand_in_words_whatever_the_verdict(library: Library) -> None:
    from kb import words

    for verdict in words.VERDICTS:
        for status in words.STATUSES:
            texts = [mark.text for mark in marks_of(verdict, status)]
            assert verdict in texts[0]
            assert status in texts[1]


def test_the_first_slide_counts_how_the_claims_stand(library: Library) -> None:
    library.add_claim("a")
    library.add_claim("b", verdict="stale", status="refuted")
    library.add_talk()
    texts = [block.text.text for block in deck.slides(build("talk", library))[0].blocks]
    assert "Our own checks: 1 supported and 1 stale. The literature: 1 supported and 1 refuted." in texts


def test_the_end_repeats_every_headline_with_its_doubts(library: Library) -> None:
    for name in "abcdefghijkl":
        library.add_claim(name, headline=f"Finding {name}", verdict="unchecked", status="disputed")
    library.add_talk(closing="Think of these.", minutes=60)
    closing = next(slide for slide in deck.slides(build("talk", library)) if slide.kind == "closing")
    texts = [block.text.text for block in closing.blocks]
    assert texts[0] == "Think of these."
    assert texts[1:] == [f"Finding {name} (unchecked, disputed)" for name in "abcdefghijkl"]


def test_references_go_on_as_many_slides_as_they_need(library: Library) -> None:
    from tests.talks.conftest import citation

    library.add_claim("a", citations=[citation(f"s{n}", "asserts") for n in range(40)])
    library.add_talk()
    lists = [slide for slide in deck.slides(build("talk", library)) if slide.kind == "list"]
    assert len(lists) > 1
    assert sum(len(slide.blocks) for slide in lists) == 40


@pytest.mark.parametrize(("status", "target"), [("refuted", "It works."), ("supported", "It does not work")])
def test_an_objection_is_to_the_claim_where_its_headline_may_say_the_opposite(
    library: Library, status: str, target: str
) -> None:
    from tests.talks.conftest import citation

    cited = [citation("s", "asserts"), citation("t", "disputes", quote="it failed")]
    library.add_claim("a", headline="It does not work", statement="It works.", status=status, citations=cited)
    library.add_talk()
    backup = deck.slides(build("talk", library))[-1]
    assert backup.blocks[0].text.text.startswith(target)
