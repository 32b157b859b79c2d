"""A talk as a PowerPoint file: real text in the layout's title, body and footer, real notes, charts as shapes.

Needs the extra `slides` (python-pptx), imported when this format is asked for. The same outline gives the same
bytes: no clock in the properties, fixed times in the archive.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kb.errors import KbError
from kb.talks import chart, theme
from kb.talks.column import GAP, Block
from kb.talks.deck import slides
from kb.talks.drawing import CREDIT, Label
from kb.talks.measure import BOLD, LINE, NARROW, Set, height_of
from kb.talks.outline import Outline, Picture
from kb.talks.slide import (
    BAND,
    FOOTER_SIZE,
    FOOTER_TOP,
    FULL,
    MARKS_HEIGHT,
    MARKS_TOP,
    TOP,
    Box,
    Footer,
    Slide,
    mark_width,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

_EMU = 9525
"""English metric units in a pixel of 1/96 inch; the canvas of 1280 x 720 is 13.33 x 7.5 inches."""
_POINTS = 0.75
_TYPEWRITER = 0.602
"""Width of each letter of a typewriter face, in sizes of its type."""
_LONG_AGO = datetime(1980, 1, 1)
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_TITLE, _BODY, _FOOTER, _NUMBER = 0, 1, 11, 12
"""Indices of placeholders in the layout "Title and Content"."""


def render(outline: Outline) -> bytes:
    """The talk as the bytes of a .pptx file.

    Raises:
        KbError: when python-pptx is not installed.
    """
    try:
        from pptx import Presentation
    except ImportError:
        raise KbError("pptx needs python-pptx", "pip install 'interp-kb[slides]'") from None
    presentation: Any = Presentation()
    presentation.slide_width = theme.WIDTH * _EMU
    presentation.slide_height = theme.HEIGHT * _EMU
    layout = presentation.slide_layouts[1]
    _set_layout(layout)
    for place, slide in enumerate(slides(outline), start=1):
        _slide(presentation.slides.add_slide(layout), slide, place)
    _properties(presentation.core_properties, outline)
    buffer = io.BytesIO()
    presentation.save(buffer)
    return _stable(buffer.getvalue())


def _set_layout(layout: Any) -> None:
    """Title, body and footer of the layout where the slides have theirs, so that edits keep their places."""
    boxes = {
        _TITLE: (theme.MARGIN, TOP, FULL, 120),
        _BODY: (theme.MARGIN, 180, FULL, 400),
        _FOOTER: (theme.MARGIN, FOOTER_TOP + 6, FULL, 34),
        _NUMBER: (theme.WIDTH - 116, 4, 100, 30),
    }
    for shape in list(layout.placeholders):
        box = boxes.get(shape.placeholder_format.idx)
        if box:
            _place(shape, *box)
        else:
            shape._element.getparent().remove(shape._element)


def _slide(made: Any, slide: Slide, place: int) -> None:
    title = made.shapes.title
    # Sizes are chosen for the widest type there is; Arial may need a line less, and what follows moves up.
    tall = _height(slide.title, FULL / BOLD)
    saved = slide.title.height - tall
    _place(title, theme.MARGIN, slide.top, FULL, tall)
    _write(title.text_frame, [("", slide.title.text)], slide.title.size, theme.ACCENT, bold=True)
    flowing = [block for block in slide.blocks if block.role != "caveat"]
    body = made.placeholders[_BODY]
    if flowing:
        last = flowing[-1]
        height = last.top + last.text.height - flowing[0].top + 4
        _place(body, theme.MARGIN, flowing[0].top - saved, slide.text_width, height)
        _paragraphs(body.text_frame, flowing)
    else:
        body._element.getparent().remove(body._element)
    for block in slide.blocks:
        if block.role == "caveat":
            _caveat(made, block)
    _marks(made, slide)
    if slide.picture:
        _picture(made, slide.picture, slide.box)
    if slide.footer:
        _footer(made, slide.footer)
    _number(made, place)
    made.notes_slide.notes_text_frame.text = "\n".join(_legal(note) for note in slide.notes)


def _place(shape: Any, left: float, top: float, width: float, height: float) -> None:
    shape.left, shape.top, shape.width, shape.height = (round(v * _EMU) for v in (left, top, width, height))


def _height(text: Set, width: float) -> float:
    """How high the text is in Arial, or in what stands in for it."""
    return height_of(text.text, text.size, width / NARROW)


def _legal(text: str) -> str:
    """The text without what XML 1.0 cannot hold; `clean` has made nearly all of it visible before."""
    return "".join(
        c
        for c in text
        if c == "\t" or (0x20 <= ord(c) < 0xFFFE and not 0xD800 <= ord(c) < 0xE000) or ord(c) > 0xFFFF
    )


def _frame(frame: Any) -> None:
    from pptx.enum.text import MSO_ANCHOR, MSO_AUTO_SIZE

    frame.word_wrap = True
    frame.auto_size = MSO_AUTO_SIZE.NONE
    frame.vertical_anchor = MSO_ANCHOR.TOP
    frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0


def _write(
    frame: Any,
    runs: Iterable[tuple[str, str]],
    size: float,
    colour: str,
    *,
    bold: bool = False,
    italic: bool = False,
) -> None:
    _frame(frame)
    _fill(frame.paragraphs[0], runs, size, colour, bold=bold, italic=italic)


def _fill(
    paragraph: Any,
    runs: Iterable[tuple[str, str]],
    size: float,
    colour: str,
    *,
    bold: bool = False,
    italic: bool = False,
) -> None:
    """Runs are (style, text): "b" is bold whatever the paragraph is, "m" a typewriter face."""
    from pptx.enum.text import PP_ALIGN
    from pptx.util import Pt

    paragraph.alignment = PP_ALIGN.LEFT
    paragraph.line_spacing = Pt(round(size * LINE * _POINTS, 1))
    paragraph.space_before = Pt(0)
    paragraph.space_after = Pt(0)
    _no_bullet(paragraph)
    for style, text in runs:
        if not text:
            continue
        run = paragraph.add_run()
        run.text = _legal(text)
        run.font.size = Pt(round(size * _POINTS, 1))
        run.font.bold = bold or style == "b"
        run.font.italic = italic
        run.font.name = "Courier New" if style == "m" else theme.OFFICE_FONT
        run.font.color.rgb = _rgb(colour)


def _no_bullet(paragraph: Any) -> None:
    from pptx.oxml.ns import qn

    properties = paragraph._p.get_or_add_pPr()
    properties.set("marL", "0")
    properties.set("indent", "0")
    for old in properties.findall(qn("a:buNone")):
        properties.remove(old)
    properties.append(properties.makeelement(qn("a:buNone"), {}))


def _paragraphs(frame: Any, blocks: list[Block]) -> None:
    from pptx.util import Pt

    _frame(frame)
    for place, block in enumerate(blocks):
        paragraph = frame.paragraphs[0] if place == 0 else frame.add_paragraph()
        number = block.role == "number"
        runs = [("b", block.lead), ("", block.text.text)]
        _fill(paragraph, runs, block.text.size, theme.INK, bold=number, italic=block.role == "quote")
        if place:
            before = blocks[place - 1]
            space = block.top - before.top - before.text.height
            paragraph.space_before = Pt(round(space * _POINTS, 1))


def _box(made: Any, left: float, top: float, width: float, height: float, colour: str | None = None) -> Any:
    from pptx.enum.shapes import MSO_SHAPE
    from pptx.oxml.ns import qn

    shape = made.shapes.add_shape(MSO_SHAPE.RECTANGLE, 0, 0, 0, 0)
    _place(shape, left, top, width, height)
    shape.line.fill.background()
    # Without the theme's style there are no shadow and no outline, in any program.
    style = shape._element.find(qn("p:style"))
    if style is not None:
        shape._element.remove(style)
    if colour is None:
        shape.fill.background()
    else:
        shape.fill.solid()
        shape.fill.fore_color.rgb = _rgb(colour)
    return shape


def _rgb(colour: str) -> Any:
    from pptx.dml.color import RGBColor

    make: Any = RGBColor  # python-pptx has no types here
    return make(*(int(colour[place : place + 2], 16) for place in (1, 3, 5)))


def _caveat(made: Any, block: Block) -> None:
    text, ground = theme.CAVEAT
    whole = replace(block.text, text=block.lead + block.text.text)
    height = _height(whole, FULL - 2 * GAP) + 2 * BAND
    top = block.top + block.text.height + BAND - height
    shape = _box(made, theme.MARGIN, top, FULL, height, ground)
    shape.name = "Caveat"
    _box(made, theme.MARGIN, top, 6, height, text)
    _write(shape.text_frame, [("b", block.lead), ("", block.text.text)], block.text.size, text)
    shape.text_frame.margin_left = shape.text_frame.margin_right = GAP * _EMU
    shape.text_frame.margin_top = shape.text_frame.margin_bottom = BAND * _EMU


def _marks(made: Any, slide: Slide) -> None:
    """The labels over the title, each on its own ground."""
    from pptx.enum.text import PP_ALIGN

    left = float(theme.MARGIN)
    for mark in slide.marks:
        text, ground = theme.LABELS[mark.style]
        width = mark_width(mark, slide.mark_size)
        label = _box(made, left, MARKS_TOP, width, MARKS_HEIGHT, ground)
        label.name = f"Mark: {mark.style}"
        _write(label.text_frame, [("b", mark.text)], slide.mark_size, text)
        label.text_frame.paragraphs[0].alignment = PP_ALIGN.CENTER
        label.text_frame.margin_top = 3 * _EMU
        label.text_frame.word_wrap = False
        left += width + 12


def _footer(made: Any, footer: Footer) -> None:
    """The layout's footer with the citation, and the claim's id at its right end."""
    from pptx.enum.text import PP_ALIGN

    _box(made, theme.MARGIN, FOOTER_TOP, FULL, 2, theme.RULE)
    claim = len(footer.claim) * _TYPEWRITER * (FOOTER_SIZE - 1) + 8
    foot = _copied(made, _FOOTER)
    _place(foot, theme.MARGIN, FOOTER_TOP + 8, FULL - claim, 28)
    _write(foot.text_frame, [("", footer.source)], FOOTER_SIZE, theme.MUTED)
    foot.text_frame.word_wrap = False
    name = made.shapes.add_textbox(0, 0, 0, 0)
    name.name = "Claim"
    _place(name, theme.MARGIN + FULL - claim, FOOTER_TOP + 8, claim, 28)
    _write(name.text_frame, [("m", footer.claim)], FOOTER_SIZE - 1, theme.MUTED)
    name.text_frame.word_wrap = False
    name.text_frame.paragraphs[0].alignment = PP_ALIGN.RIGHT


def _copied(made: Any, index: int) -> Any:
    """A placeholder of the layout on the slide: python-pptx leaves footers and numbers out."""
    import copy

    for shape in made.slide_layout.placeholders:
        if shape.placeholder_format.idx == index:
            element = copy.deepcopy(shape._element)
            made.shapes._spTree.append(element)
            copied = made.shapes[-1]
            copied.text_frame.clear()
            return copied
    raise LookupError(f"the layout has no placeholder {index}")  # a layout of our own making has it


def _number(made: Any, place: int) -> None:
    from pptx.enum.text import PP_ALIGN

    shape = _copied(made, _NUMBER)
    _place(shape, theme.WIDTH - 116, 6, 100, 24)
    _write(shape.text_frame, [("", str(place))], 15, theme.MUTED)
    shape.text_frame.paragraphs[0].alignment = PP_ALIGN.RIGHT


def _picture(made: Any, picture: Picture, place: Box) -> None:
    if picture.file is not None:
        data = io.BytesIO(Path(picture.file).read_bytes())
        shape = made.shapes.add_picture(data, 0, 0)
        height = place.width * picture.size[1] / picture.size[0]
        _place(shape, place.left, place.top, place.width, height)
        shape._element.nvPicPr.cNvPr.set("descr", picture.alt)
        credit = Label(0, height, place.width, picture.credit, CREDIT, theme.MUTED)
        _words(made, credit, place.left, place.top)
        return
    drawing = chart.drawn(picture, place.width, place.height)
    for one in drawing.rectangles:
        bar = _box(made, place.left + one.x, place.top + one.y, one.width, one.height, one.colour)
        bar._element.nvSpPr.cNvPr.set("descr", picture.alt)
    for label in drawing.labels:
        _words(made, label, place.left, place.top)


def _words(made: Any, label: Label, left: float = 0, top: float = 0) -> None:
    box = made.shapes.add_textbox(0, 0, 0, 0)
    _place(box, left + label.x, top + label.y, label.width, label.size * LINE)
    _write(box.text_frame, [("", label.text)], label.size, label.colour, bold=label.bold)
    box.text_frame.word_wrap = False


def _properties(properties: Any, outline: Outline) -> None:
    properties.title = _legal(outline.title)[:255]
    properties.author = "kb"
    properties.last_modified_by = "kb"
    properties.comments = ""
    properties.revision = 1
    properties.created = properties.modified = properties.last_printed = _LONG_AGO


def _stable(data: bytes) -> bytes:
    """The same archive with fixed times and order of its parts."""
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as new:
        names = sorted(old.namelist(), key=lambda name: (name != "[Content_Types].xml", name))
        for name in names:
            entry = zipfile.ZipInfo(name, _ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            new.writestr(entry, old.read(name))
    return result.getvalue()
