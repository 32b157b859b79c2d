"""What slides look like where they are shown: measured in a browser and in a PDF, where those are installed.

`make slides` installs Marp's command line and does the same with every shipped talk.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from kb.talks import deck
from kb.talks.build import build
from kb.talks.formats import render
from kb.talks.outline import Outline
from scripts import rendering
from scripts.rendering import Job
from tests.talks.conftest import Library

NO_BROWSER = rendering.missing(office=False)
NO_OFFICE = [what for what in rendering.missing(marp=False) if "LibreOffice" in what or "poppler" in what]
in_a_browser = pytest.mark.skipif(bool(NO_BROWSER), reason=f"not installed: {'; '.join(NO_BROWSER)}")
in_an_office = pytest.mark.skipif(bool(NO_OFFICE), reason=f"not installed: {'; '.join(NO_OFFICE)}")
pytestmark = pytest.mark.slow


@pytest.fixture(params=["hostile_run", "every_length"])
def outline(request: pytest.FixtureRequest) -> Outline:
    library: Library = request.getfixturevalue(request.param)
    return build("talk", library)


@in_a_browser
def test_in_a_browser_nothing_overflows_overlaps_fades_runs_or_is_fetched(
    outline: Outline, tmp_path: Path
) -> None:
    reveal, marp = tmp_path / "talk.html", tmp_path / "talk.marp.md"
    reveal.write_text(str(render(outline, "revealjs")), encoding="utf-8")
    marp.write_text(str(render(outline, "marp")), encoding="utf-8")
    rendering.marp_html(marp, tmp_path / "marp.html")
    seen = rendering.look([Job("reveal", reveal), Job("marp", tmp_path / "marp.html")], tmp_path)
    slides = len(deck.slides(outline))
    assert [one.slides for one in seen] == [slides, slides]
    assert [one.wrong for one in seen] == [[], []]


@in_a_browser
def test_the_browser_finds_what_is_wrong(library: Library, tmp_path: Path) -> None:
    library.add_claim("a", headline="It works", caveat="In toys only.")
    library.add_talk()
    html = str(render(build("talk", library), "revealjs"))
    broken = html.replace("It works", "It works " * 60).replace('class="quote"', 'style="color:#bbb"')
    broken = broken.replace("<h1", '<img src="x.png" onerror="1"><h1').replace(
        "'unsafe-inline'; style", "* 'unsafe-inline'; style"
    )
    broken = broken.replace("img-src data:", "img-src *")
    (tmp_path / "talk.html").write_text(broken, encoding="utf-8")
    (seen,) = rendering.look([Job("reveal", tmp_path / "talk.html")], tmp_path)
    told = " ".join(what for _, what in seen.wrong)
    for fault in ("outside: ", "overlap: ", "contrast 1.", "loads file:"):
        assert fault in told, told


@in_an_office
def test_in_an_office_every_line_lies_in_its_box_and_on_no_other(outline: Outline, tmp_path: Path) -> None:
    pptx = pytest.importorskip("pptx")
    data = render(outline, "pptx")
    assert isinstance(data, bytes)
    (tmp_path / "talk.pptx").write_bytes(data)
    pdf = rendering.office_pdf(tmp_path / "talk.pptx", tmp_path, tmp_path)
    assert len(pptx.Presentation(str(tmp_path / "talk.pptx")).slides) == len(deck.slides(outline))
    assert {line.page for line in rendering.pdf_lines(pdf)[1]} == set(range(1, len(deck.slides(outline)) + 1))
    assert rendering.pptx_faults(tmp_path / "talk.pptx", pdf) == []


@in_an_office
def test_the_pdf_shows_what_is_wrong(library: Library, tmp_path: Path) -> None:
    pptx = pytest.importorskip("pptx")
    library.add_claim("a", headline="It works", caveat="In toys only.")
    library.add_talk()
    data = render(build("talk", library), "pptx")
    assert isinstance(data, bytes)
    (tmp_path / "talk.pptx").write_bytes(data)
    broken = pptx.Presentation(str(tmp_path / "talk.pptx"))
    title = broken.slides[1].shapes.title
    title.text_frame.paragraphs[0].runs[0].text = "It works " * 20
    broken.save(str(tmp_path / "broken.pptx"))
    pdf = rendering.office_pdf(tmp_path / "broken.pptx", tmp_path, tmp_path)
    faults = [what for page, what in rendering.pptx_faults(tmp_path / "broken.pptx", pdf) if page == 2]
    assert any(fault.startswith("outside of its box") for fault in faults)
    assert any(fault.startswith("overlap") for fault in faults)


def test_what_is_missing_is_named_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.delenv("CHROME_PATH", raising=False)
    monkeypatch.setattr(rendering, "TOOLS", Path("nowhere"))
    told = "\n".join(rendering.missing())
    for part in ("apt install chromium", "nodejs", "`make slides`", "libreoffice-impress", "poppler-utils"):
        assert part in told
