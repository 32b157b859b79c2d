from __future__ import annotations

import pytest

from kb.talks import deck, theme
from kb.talks.build import build
from kb.talks.deck import Slide
from tests.talks.conftest import Library


@pytest.fixture
def slides(hostile: Library) -> tuple[Slide, ...]:
    return deck.slides(build("talk", hostile))


def test_no_box_runs_into_the_next_or_off_the_slide(slides: tuple[Slide, ...]) -> None:
    for slide in slides:
        below = deck.TOP + (120 if slide.kind == "opening" else 0) + slide.title.height
        end = deck.FOOTER_TOP if slide.footer else theme.HEIGHT
        for block in slide.blocks:
            padding = deck.BAND if block.role == "caveat" else 0
            assert block.top - padding >= below, (slide.kind, block)
            below = block.top + block.text.height + padding
            assert below <= end, (slide.kind, block)


def test_type_is_large_enough_for_the_last_row(slides: tuple[Slide, ...]) -> None:
    for slide in slides:
        assert slide.title.size >= 34
        assert all(block.text.size >= 22 for block in slide.blocks)


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
    assert (item.footer.check, item.footer.literature) == ("our check: ! stale", "literature: disputed")
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
    assert outline.sections[0].objections[0].answers == ("Not since 2024.",)
    assert any("Answer: Not since 2024." in note for note in deck.slides(outline)[1].notes)


def test_references_go_on_as_many_slides_as_they_need(library: Library) -> None:
    from tests.talks.conftest import citation

    library.add_claim("a", citations=[citation(f"s{n}", "asserts") for n in range(40)])
    library.add_talk()
    lists = [slide for slide in deck.slides(build("talk", library)) if slide.kind == "list"]
    assert len(lists) > 1
    assert sum(len(slide.blocks) for slide in lists) == 40
