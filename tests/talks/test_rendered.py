"""What slides look like where they are shown: measured in a browser and in a PDF, where those are installed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from kb.talks.build import build
from kb.talks.formats import render
from tests.talks.conftest import Library

BROWSER = next(
    (path for name in ("chromium", "google-chrome", "chrome") if (path := shutil.which(name))), None
)
OFFICE = shutil.which("soffice")
PDF_BOXES = shutil.which("pdftotext")

MEASURE = """
<script>addEventListener('load', () => setTimeout(() => {
  const bad = [];
  document.querySelectorAll('.slides section').forEach((section, n) => {
    section.style.display = 'block'; section.hidden = false;
    const frame = section.getBoundingClientRect();
    const scale = frame.width / 1280 || 1;
    let below = -1e9;
    section.querySelectorAll('.box').forEach(box => {
      const r = document.createRange(); r.selectNodeContents(box);
      const text = r.getBoundingClientRect(), own = box.getBoundingClientRect();
      if (box.tagName === 'FIGURE') {
        if (own.bottom > frame.bottom + 1 || own.right > frame.right + 1) bad.push([n, 'figure']);
        return;
      }
      if (text.right > frame.left + (1280 - 40) * scale + 1) bad.push([n, box.className, 'right']);
      if (text.bottom > frame.top + 720 * scale + 1) bad.push([n, box.className, 'bottom']);
      if (own.top < below - 1) bad.push([n, box.className, 'overlap', below - own.top]);
      below = Math.max(below, text.bottom);
    });
  });
  document.title = 'bad:' + JSON.stringify(bad);
}, 300));</script>
"""


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="no Chromium")
def test_no_text_overflows_in_a_browser(hostile: Library, tmp_path: Path) -> None:
    assert BROWSER is not None
    html = str(render(build("talk", hostile), "revealjs"))
    assert "</body>" in html
    page = tmp_path / "talk.html"
    page.write_text(html.replace("</body>", MEASURE + "</body>"), encoding="utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
    flags += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    flags += [
        f"--user-data-dir={tmp_path / 'profile'}",
        "--window-size=1280,720",
        "--virtual-time-budget=4000",
    ]
    done = subprocess.run(
        [BROWSER, *flags, "--dump-dom", page.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    found = re.search(r"<title>bad:(.*?)</title>", done.stdout)
    assert found, "the page was not measured"
    assert json.loads(found.group(1)) == []


@pytest.mark.slow
@pytest.mark.skipif(OFFICE is None or PDF_BOXES is None, reason="no LibreOffice or no poppler")
def test_no_text_of_a_presentation_leaves_its_page(hostile: Library, tmp_path: Path) -> None:
    pytest.importorskip("pptx")
    assert OFFICE is not None
    assert PDF_BOXES is not None
    data = render(build("talk", hostile), "pptx")
    assert isinstance(data, bytes)
    (tmp_path / "talk.pptx").write_bytes(data)
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    command = [OFFICE, "--headless", profile, "--convert-to", "pdf", "--outdir", str(tmp_path)]
    subprocess.run([*command, str(tmp_path / "talk.pptx")], capture_output=True, timeout=240, check=True)
    boxes = subprocess.run(
        [PDF_BOXES, "-bbox-layout", str(tmp_path / "talk.pdf"), "-"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    width, height = (float(v) for v in re.findall(r'<page width="([\d.]+)" height="([\d.]+)"', boxes)[0])
    lines = re.findall(r'<line xMin="([-\d.]+)" yMin="([-\d.]+)" xMax="([-\d.]+)" yMax="([-\d.]+)"', boxes)
    assert lines
    for line in lines:
        left, top, right, bottom = map(float, line)
        assert 0 <= left < right <= width + 1
        assert 0 <= top < bottom <= height + 1
