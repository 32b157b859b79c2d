"""What a talk refuses to print, wherever it would stand."""

from __future__ import annotations

import html
import io
import re

import pytest

from kb.checks.figures import Computed
from kb.talks import formats
from kb.talks.build import Options, build
from kb.talks.marks import MARKS
from kb.talks.outline import Outline
from kb.talks.refusals import unbacked
from tests.talks.conftest import Library, add_run, citation


def printed(outline: Outline) -> dict[str, str]:
    """Every format as text: of a presentation all that its slides and notes hold."""
    texts = {form: str(formats.render(outline, form)) for form in formats.FORMATS if form != "pptx"}
    pptx = pytest.importorskip("pptx")
    data = formats.render(outline, "pptx")
    assert isinstance(data, bytes)
    slides = pptx.Presentation(io.BytesIO(data)).slides
    held = [shape.text_frame.text for slide in slides for shape in slide.shapes if shape.has_text_frame]
    held += [slide.notes_slide.notes_text_frame.text for slide in slides]
    return {**texts, "pptx": "\n".join(held)}


def shows(text: str, figure: str) -> bool:
    """Whether the figure stands in the text, outside of styles, scripts and data."""
    plain = re.sub(r"<(style|script)\b.*?</\1>|data:[^)\"]*|style=\"[^\"]*\"", "", text, flags=re.DOTALL)
    return re.search(rf"(?<![\d.#]){re.escape(figure)}(?![\d])", plain) is not None


def failing(library: Library, name: str, **fields: object) -> None:
    computation = {"name": "ratio", "expected": 4711.0, "decimals": 0}
    library.add_claim(name, number="4711 times", computations=[computation], **fields)
    library.computations[name] = [Computed("ratio", "x", 12.0, "fail", "gives 12, not 4711")]


def test_a_failing_figure_is_printed_in_no_format(library: Library) -> None:
    quoted = citation("s", "asserts", quote="it is 4711 times as large")
    failing(
        library,
        "a",
        headline="4711 times as large",
        statement="It is 4711 times as large.",
        citations=[quoted],
    )
    library.add_talk()
    outline = build("talk", library)
    for form, text in printed(outline).items():
        assert not shows(text, "4711"), form
        assert "withheld" in text, form


def test_a_failing_figure_of_an_objection_and_of_its_answer_is_printed_nowhere(library: Library) -> None:
    def against(name: str) -> dict[str, object]:
        statement = f"{name} says 4711."
        return {"type": "rebuts", "claim": name, "direction": "in", "statement": statement, "note": None}

    library.add_claim("a", relations=[against("b")])
    failing(library, "b", statement="b says 4711.", relations=[against("c")])
    failing(library, "c", statement="c says 4711.")
    library.add_talk(select={"claims": ["a"]})
    outline = build("talk", library)
    assert "figures withheld: a computation fails" in outline.sections[0].objections[0].flags
    for form, text in printed(outline).items():
        assert not shows(text, "4711"), form


def test_a_failing_figure_of_a_claim_that_was_cut_is_printed_nowhere(library: Library) -> None:
    library.add_claim("a")
    failing(library, "b", headline="4711 times as large")
    failing(library, "c", headline="4711 times as large", verdict="unchecked")
    library.add_talk(top=1)
    for options in (Options(), Options(only_verified=True)):
        outline = build("talk", library, options)
        assert {cut.claim for cut in outline.cut} == {"b", "c"}
        for form, text in printed(outline).items():
            assert not shows(text, "4711"), form


def test_a_failing_figure_is_not_among_the_titles_of_a_rubric(library: Library) -> None:
    failing(library, "a", headline="4711 times as large")
    scores = {"a": {"c": {"score": 1, "reason": "why"}}}
    rubric = {"criteria": [{"name": "c", "weight": 1, "question": "?"}], "scores": scores}
    library.add_talk(order="rubric", rubric=rubric)
    ranking = build("talk", library).ranking
    assert ranking is not None
    assert ranking.claims[0]["title"] == "[withheld] times as large"


def test_a_number_that_nothing_stands_behind_is_withheld_and_the_slide_says_so(library: Library) -> None:
    library.add_claim("a", headline="It works in 93% of cases", number="93%")
    library.add_talk()
    outline = build("talk", library)
    section = outline.sections[0]
    assert (section.title, section.number) == ("It works in [withheld]% of cases", None)
    assert section.flags == ("number withheld: nothing stands behind it",)
    for form, text in printed(outline).items():
        assert not shows(text, "93"), form


def test_only_verified_leaves_out_a_claim_whose_number_nothing_stands_behind(library: Library) -> None:
    library.add_claim("a", headline="It works in 93% of cases")
    library.add_talk()
    outline = build("talk", library, Options(only_verified=True))
    assert (outline.sections, outline.cut[0].why) == (
        (),
        "not verified: number withheld: nothing stands behind it",
    )


def test_a_number_is_backed_by_a_quote_a_figure_a_computation_a_run_a_forecast_or_a_year(
    library: Library, tmp_path: object
) -> None:
    claim = {
        "citations": [citation("s", "asserts", quote="in 1,024 of them")],
        "prediction": {"probability": 0.8},
        "criteria": [{"metric": "share"}],
    }
    run = {"metrics": {"share": {"value": 0.9234, "low": 0.85, "high": None, "n": 40}}}
    computed = [
        Computed("ok", "x", 2.2, "pass", "gives 2.2 as stated"),
        Computed("no", "x", 7.7, "fail", "gives 7.7, not 8"),
    ]
    figures = [{"value": 71.8, "spread": 3.1}]

    def without(text: str) -> set[str]:
        return unbacked(text, claim, computed, figures, run, ["2019"])

    assert without("1,024 in 2019: 2.2 times, 71.8 ± 3.1, foretold at 80%") == set()
    assert without("92% or 0.92 of 40 graphs, 85% at least") == set()
    assert without("GPT-2, Q1 and layer7 are names") == set()
    assert without("7.7 or 8") == {"7.7", "8"}
    assert without("91% of 41") == {"91", "41"}


def test_a_stale_unchecked_inconclusive_or_contradicted_claim_is_marked_in_every_format(
    library: Library,
) -> None:
    for verdict in ("stale", "unchecked", "inconclusive", "mixed", "refuted"):
        library.add_claim(verdict, verdict=verdict)
    library.add_talk(minutes=60)
    outline = build("talk", library)
    for form, escaped in printed(outline).items():
        text = html.unescape(escaped)
        for section in outline.sections:
            mark = f"our check: {MARKS[section.verdict]} {section.verdict}"
            words = section.verdict_text.partition(" ")[2]
            where = {
                "markdown": f"**Our check:** {section.verdict_text}",
                "json": f'"verdict": "{section.verdict}"',
            }
            assert where.get(form, mark) in text, (form, section.verdict)
            assert words in text, (form, section.verdict)


def test_the_notes_of_the_last_slide_hold_every_cut_and_why(library: Library, tmp_path: object) -> None:
    library.add_claim("good")
    library.add_claim("doubtful", verdict="unchecked")
    library.add_talk()
    outline = build("talk", library, Options(only_verified=True))
    for form, text in printed(outline).items():
        assert "not verified: our own verdict is unchecked" in text, form
        assert "only verified claims: 1 claim left out" in text, form


def test_a_headline_may_name_what_our_run_measured(library: Library, tmp_path: object) -> None:
    from pathlib import Path

    library.add_claim("a", headline="90% of graphs are solved")
    add_run(library, "a", Path(str(tmp_path)))
    library.add_talk()
    assert build("talk", library).sections[0].title == "90% of graphs are solved"


def test_a_failing_figure_is_not_in_what_the_talk_says_itself_nor_in_why_a_verdict_is_so(
    library: Library,
) -> None:
    because = "ratio gives 12, not 4711"
    detail = {"verdict": "refuted", "because": because, "since": "2026", "run": None}
    failing(library, "a", verdict="refuted", verdict_detail=detail)
    scores = {"a": {"c": {"score": 1, "reason": "4711 times"}}}
    rubric = {"criteria": [{"name": "c", "weight": 1, "question": "?"}], "scores": scores}
    library.add_talk(
        title="4711!", opening="Think of 4711.", closing="4711, then.", order="rubric", rubric=rubric
    )
    for form, text in printed(build("talk", library)).items():
        assert not shows(text, "4711"), form
        assert "gives 12" not in text, form


def test_a_statement_keeps_its_words_where_only_the_slides_number_has_no_source(library: Library) -> None:
    library.add_claim("a", statement="It works in 93% of cases.", number="93%")
    library.add_talk()
    section = build("talk", library).sections[0]
    assert (section.title, section.number) == ("It works in 93% of cases.", None)
