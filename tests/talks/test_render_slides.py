from __future__ import annotations

import io
import re
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from kb.talks import formats
from kb.talks.build import build
from kb.talks.formats import format_for, render
from kb.talks.outline import Outline
from kb.talks.render_revealjs import ASSETS
from tests.talks.conftest import Library, citation, png


@pytest.fixture
def outline(hostile: Library) -> Outline:
    return build("talk", hostile)


class _Tags(HTMLParser):
    """Elements and attributes outside of scripts and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))


def _tags(html: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = _Tags()
    parser.feed(html)
    return parser.tags


@pytest.mark.parametrize("form", sorted(formats.FORMATS))
def test_the_same_outline_gives_the_same_bytes(outline: Outline, form: str) -> None:
    if form == "pptx":
        pytest.importorskip("pptx")
    assert render(outline, form) == render(outline, form)


@pytest.mark.parametrize(
    ("file", "form"),
    [
        ("a.md", "markdown"),
        ("a.marp.md", "marp"),
        ("A.HTML", "revealjs"),
        ("a.pptx", "pptx"),
        ("a", "markdown"),
    ],
)
def test_the_end_of_a_files_name_tells_the_format(file: str, form: str) -> None:
    assert format_for(None, file) == form


def test_html_holds_no_element_or_attribute_from_a_statement(outline: Outline) -> None:
    html = str(render(outline, "revealjs"))
    tags = _tags(html)
    assert [tag for tag, _ in tags].count("script") == 3
    assert not [tag for tag, _ in tags if tag in ("img", "a", "link", "iframe", "base", "object")]
    assert not [name for _, attributes in tags for name in attributes if name.startswith("on")]


def test_html_loads_nothing_from_anywhere(outline: Outline) -> None:
    tags = _tags(str(render(outline, "revealjs")))
    assert not [
        value for _, attributes in tags for name, value in attributes.items() if name in ("src", "href")
    ]
    policy = next(a["content"] for t, a in tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert "http" not in policy


def test_html_has_notes_for_every_slide(outline: Outline) -> None:
    html = str(render(outline, "revealjs"))
    assert html.count("<section ") == html.count('<aside class="notes"><p>')


def test_reveal_is_the_released_one_with_its_licence() -> None:
    assert "MIT licensed" in (ASSETS / "reveal.js").read_text(encoding="utf-8")[:200]
    assert "Permission is hereby granted" in (ASSETS / "LICENSE").read_text(encoding="utf-8")


def test_marp_directives_and_html_in_a_statement_are_inert(outline: Outline) -> None:
    text = str(render(outline, "marp"))
    body = text.split("\n---\n", 1)[1]
    comments = re.findall(r"<!--(.*?)-->", body, re.DOTALL)
    kinds = [comment.split()[0] for comment in comments]
    slides = kinds.count("_class:")
    assert slides == kinds.count("Notes")
    assert set(kinds) == {"_class:", "_footer:", "Notes"}
    outside = re.sub(r"<!--.*?-->|<style scoped>.*?</style>", "", body, flags=re.DOTALL)
    assert not re.findall(r"<(?!br />)", outside.replace("> ", ""))
    assert "](" not in outside.replace("\\]\\(", "").replace("\\](", "")


def test_marp_slides_are_as_many_as_rules_say(outline: Outline) -> None:
    text = str(render(outline, "marp"))
    body = text.split("\n---\n", 1)[1]
    assert len(re.split(r"^---$", body, flags=re.MULTILINE)) == body.count("<!-- _class:")


def test_notes_of_marp_are_no_yaml_that_marp_would_obey(outline: Outline) -> None:
    yaml = pytest.importorskip("yaml")
    for notes in re.findall(r"<!--\n(Notes.*?)-->", str(render(outline, "marp")), re.DOTALL):
        try:
            loaded = yaml.safe_load(notes)
        except yaml.YAMLError:
            continue
        assert not isinstance(loaded, dict)


def _presentation(outline: Outline) -> Any:
    pptx = pytest.importorskip("pptx")
    data = render(outline, "pptx")
    assert isinstance(data, bytes)
    return pptx.Presentation(io.BytesIO(data))


def test_pptx_has_notes_as_the_format_defines_them(outline: Outline) -> None:
    presentation = _presentation(outline)
    for slide in presentation.slides:
        assert slide.has_notes_slide
        body = next(p for p in slide.notes_slide.placeholders if p.placeholder_format.type == 2)
        assert body.text_frame.text
    item = presentation.slides[1].notes_slide.notes_text_frame.text
    assert item.startswith("Say, in ")
    assert "They may ask - " in item


def test_pptx_has_editable_text_in_title_body_and_footer(library: Library) -> None:
    cited = [citation("s", "asserts", quote="9 of 10")]
    library.add_claim("a", headline="It works", number="9 of 10", caveat="In toys only.", citations=cited)
    library.add_talk()
    slide = _presentation(build("talk", library)).slides[1]
    texts = {p.placeholder_format.idx: p.text_frame.text for p in slide.placeholders}
    assert texts[0] == "It works"
    assert texts[1].startswith("9 of 10")
    assert texts[11] == "Lovelace and Babbage 1843 [1]"
    assert any(shape.name == "Claim" and shape.text_frame.text == "a" for shape in slide.shapes)
    assert any(shape.name == "Mark: v-supported" for shape in slide.shapes)
    assert any(shape.name == "Caveat" and "In toys only." in shape.text_frame.text for shape in slide.shapes)


def test_pptx_takes_its_times_from_no_clock(outline: Outline) -> None:
    pytest.importorskip("pptx")
    data = render(outline, "pptx")
    assert isinstance(data, bytes)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_no_pptx_text_box_leaves_the_slide(outline: Outline) -> None:
    presentation = _presentation(outline)
    for slide in presentation.slides:
        for shape in slide.shapes:
            assert 0 <= shape.left <= shape.left + shape.width <= presentation.slide_width
            assert 0 <= shape.top <= shape.top + shape.height <= presentation.slide_height


def _with_chart(library: Library) -> Outline:
    library.add_claim("a", headline="More than twice as many")
    library.cells["a"] = [
        {
            "id": f"f.{method}", "source": "lovelace1843", "locator": "Table 1", "quantity": "success rate",
            "value": value, "spread": spread, "unit": "percent", "scale": "0-100", "method": method,
        }
        for method, value, spread in (("DT <b>", 71.8, 3.1), ("CQL", 13.1, None))
    ]  # fmt: skip
    library.add_talk()
    return build("talk", library)


def test_published_figures_are_drawn_with_their_source(library: Library) -> None:
    html = str(render(_with_chart(library), "revealjs"))
    assert "<title>Bar chart. DT &lt;b&gt; 71.8; CQL 13.1</title>" in html
    assert "published figures: Lovelace and Babbage 1843, Table 1" in html


def test_figures_of_different_units_share_no_chart(library: Library) -> None:
    _with_chart(library)
    library.cells["a"][1]["unit"] = "score"
    assert build("talk", library).sections[0].picture is None


def test_different_quantities_share_no_chart(library: Library) -> None:
    _with_chart(library)
    library.cells["a"][1]["quantity"] = "episodes"
    assert build("talk", library).sections[0].picture is None


def test_marp_is_given_no_emoji_that_it_would_fetch(library: Library) -> None:
    library.add_claim("a", headline="It works 😀 :smile: ✔")
    library.add_talk()
    text = str(render(build("talk", library), "marp"))
    shown = re.sub(r"<!--\nNotes.*?-->", "", text, flags=re.DOTALL)
    assert "😀" not in shown
    assert "&#128512; :&#8288;smile: &#10004;" in shown


def test_no_chart_is_drawn_where_a_computation_fails(library: Library) -> None:
    from kb.checks.figures import Computed

    _with_chart(library)
    library.computations["a"] = [Computed("ratio", "x", 1.0, "fail", "gives 1, not 2")]
    assert build("talk", library).sections[0].picture is None


def test_the_plot_of_our_run_is_inside_the_file(library: Library, tmp_path: Path) -> None:
    plot = tmp_path / "plot.png"
    plot.write_bytes(png())
    library.add_claim(
        "a", runs=[{"id": "r1", "reproduction": "r", "preset": "quick", "verdict": "supported"}]
    )
    artifact = {"path": "plot.png", "title": "Shortest paths", "sha256": "", "file": str(plot)}
    library.runs["r1"] = {
        "id": "r1",
        "reproduction": "r",
        "preset": "quick",
        "metrics": {},
        "artifacts": [artifact],
    }
    library.add_talk()
    outline = build("talk", library)
    assert "data:image/png;base64,iVBOR" in str(render(outline, "revealjs"))
    assert "data:image/png;base64,iVBOR" in str(render(outline, "marp"))
    assert str(tmp_path) not in str(render(outline, "json"))
    slide = _presentation(outline).slides[1]
    assert any(shape.shape_type == 13 for shape in slide.shapes)


def test_without_python_pptx_the_extra_is_named(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from kb.errors import KbError

    library.add_claim("a", citations=[citation("s", "asserts")])
    library.add_talk()
    monkeypatch.setitem(sys.modules, "pptx", None)
    with pytest.raises(KbError, match=r"interp-kb\[slides\]"):
        render(build("talk", library), "pptx")
