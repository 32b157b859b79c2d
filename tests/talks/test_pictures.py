from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kb.talks import chart, deck
from kb.talks.build import build
from kb.talks.pictures import png_size
from kb.talks.slide import CREDIT
from tests.talks.conftest import Library, add_run, png


def cell(
    method: str, value: float, dataset: str = "", environment: str = "", **fields: Any
) -> dict[str, Any]:
    return {
        "id": f"f.{method}.{dataset}.{environment}",
        "source": "lovelace1843",
        "locator": "Table 1",
        "quantity": "success rate",
        "value": value,
        "spread": None,
        "unit": "percent",
        "scale": "0-100",
        "method": method,
        "dataset": dataset,
        "environment": environment,
        **fields,
    }


@pytest.fixture
def with_run(library: Library, tmp_path: Path) -> Library:
    library.add_claim("a")
    add_run(library, "a", tmp_path, "curves.png", "share-by-graph.png", "table.csv", "published.png")
    return library


def names(library: Library, **talk: Any) -> list[str]:
    library.add_talk(**talk)
    section = build("talk", library).sections[0]
    shown = [section.picture] if section.picture else []
    return [picture.name for picture in (*shown, *section.pictures)]


def test_a_plot_that_is_named_after_what_the_claim_is_judged_by_comes_first(with_run: Library) -> None:
    assert names(with_run) == ["share-by-graph.png", "curves.png", "published.png"]


def test_without_such_a_name_the_runs_first_plot_is_shown(with_run: Library) -> None:
    for artifact in with_run.runs["run-1"]["artifacts"]:
        artifact["title"] = ""
    with_run.runs["run-1"]["artifacts"].pop(1)
    assert names(with_run) == ["curves.png", "published.png"]


@pytest.mark.parametrize("wanted", ["published.png", "pub*"])
def test_a_talk_chooses_a_plot_by_its_name_or_a_pattern(with_run: Library, wanted: str) -> None:
    assert names(with_run, pictures={"a": wanted})[0] == "published.png"


def test_a_talk_may_prefer_the_published_figures(with_run: Library) -> None:
    with_run.cells["a"] = [cell("DT", 71.8), cell("CQL", 13.1)]
    assert names(with_run) == ["share-by-graph.png", "curves.png", "published.png", ""]
    assert names(with_run, pictures={"a": "published"})[0] == ""


def test_a_picture_that_no_run_has_is_told(with_run: Library) -> None:
    with_run.add_talk(pictures={"a": "nowhere.png"})
    notices = build("talk", with_run).notices
    assert any("a has no picture nowhere.png" in notice for notice in notices)


def test_every_plot_of_a_run_stands_at_full_size_in_the_backup(with_run: Library) -> None:
    with_run.add_talk()
    slides = deck.slides(build("talk", with_run))
    item = next(slide for slide in slides if slide.kind == "item")
    figures = [slide for slide in slides if slide.kind == "figure"]
    assert item.picture is not None
    assert [slide.picture.name for slide in figures if slide.picture] == [
        "share-by-graph.png",
        "curves.png",
        "published.png",
    ]
    assert all(slide.box.width > item.box.width for slide in figures)
    assert any("our own graphs" in note for note in figures[0].notes)


def test_a_plot_keeps_its_proportions(with_run: Library) -> None:
    with_run.add_talk()
    item = deck.slides(build("talk", with_run))[1]
    assert item.box.width / (item.box.height - CREDIT) == pytest.approx(1200 / 675, rel=0.01)


def test_a_file_that_is_no_png_is_no_picture(library: Library, tmp_path: Path) -> None:
    library.add_claim("a")
    add_run(library, "a", tmp_path, "plot.png")
    for data in (b"", b"<svg onload=alert(1)>", png()[:20], png()[:-20], b"\x89PNG\r\n\x1a\n" + b"\0" * 40):
        (tmp_path / "plot.png").write_bytes(data)
        assert names(library) == []


def test_the_size_of_a_picture_is_read_from_its_head(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(30, 20))
    assert png_size(str(tmp_path / "a.png")) == (30, 20)


def picture_of(library: Library, cells: list[dict[str, Any]]) -> Any:
    library.add_claim("a")
    library.cells["a"] = cells
    library.add_talk()
    return build("talk", library).sections[0].picture


def test_bars_of_two_fields_stand_in_groups(library: Library) -> None:
    cells = [cell(method, 10.0, dataset) for method in ("DT", "CQL") for dataset in ("1K", "10K")]
    picture = picture_of(library, cells)
    assert [(bar.group, bar.label, bar.strong) for bar in picture.bars] == [
        ("1K", "DT", True),
        ("1K", "CQL", False),
        ("10K", "DT", True),
        ("10K", "CQL", False),
    ]


def test_many_figures_are_a_table_of_what_they_differ_in(library: Library) -> None:
    cells = [
        cell("DT", 10.0 + place, dataset, environment, spread=0.5, protocol="seeds=3; spread=one sd")
        for place, (dataset, environment) in enumerate((d, e) for e in "xyz" for d in ("m", "mr", "me"))
    ]
    picture = picture_of(library, cells)
    assert picture.table[0] == ("environment", "m", "mr", "me")
    assert picture.table[1] == ("x", "10 ± 0.5", "11 ± 0.5", "12 ± 0.5")
    assert picture.credit.endswith("±: one sd")


def test_figures_that_would_share_a_cell_make_no_table(library: Library) -> None:
    assert (
        picture_of(library, [cell("DT", 1.0, f"d{place // 5}", f"e{place // 5}") for place in range(10)])
        is None
    )


def test_a_spread_is_shown_with_its_figure(library: Library) -> None:
    picture = picture_of(library, [cell("DT", 71.8, spread=3.1), cell("CQL", 13.1)])
    texts = [label.text for label in chart.drawn(picture, 560, 300).labels]
    assert "71.8 ± 3.1" in texts
    assert picture.credit.endswith("±: as printed, its kind not recorded")


@pytest.mark.parametrize("count", [2, 5, 8])
@pytest.mark.parametrize("length", [3, 40, 200])
def test_a_chart_stays_in_its_place(library: Library, count: int, length: int) -> None:
    picture = picture_of(library, [cell(f"{place} " + "w" * length, 10.0 * place) for place in range(count)])
    for width, height in ((560, 220), (500, 400)):
        drawing = chart.drawn(picture, width, height)
        for label in drawing.labels:
            assert label.x + label.width <= width + 0.01
            assert 0 <= label.y <= label.y + label.size * 1.25 <= height + 0.01
            assert label.size >= 16
        for one in drawing.rectangles:
            assert 0 <= one.x <= one.x + one.width <= width
            assert 0 <= one.y <= one.y + one.height <= height


def test_published_figures_keep_every_digit(library: Library) -> None:
    cells = [cell("DT", 107.6 + place, f"d{place % 3}", f"e{place // 3}") for place in range(9)]
    assert picture_of(library, cells).table[1][1] == "107.6"
    bars = picture_of(library, [cell("DT", 1234.56), cell("CQL", 0.12345)])
    texts = [label.text for label in chart.drawn(bars, 560, 300).labels]
    assert {"1234.56", "0.12345"} <= set(texts)


def test_figures_that_differ_in_their_names_alone_are_bars_without_groups(library: Library) -> None:
    picture = picture_of(library, [{**cell("DT", 10.0 + n), "id": f"f.{n}"} for n in (1, 2)])
    assert [(bar.group, bar.label) for bar in picture.bars] == [("", "f.1"), ("", "f.2")]
