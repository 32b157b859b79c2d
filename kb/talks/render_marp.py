"""A talk as Markdown for Marp: front matter with the style, a slide between rules, notes as comments.

Everything that came from outside is escaped, so that no statement ends a comment, opens a directive or a tag.
"""

from __future__ import annotations

import base64
import json
import unicodedata
from pathlib import Path

from kb.talks import chart, escape, theme
from kb.talks.column import GAP, Block
from kb.talks.deck import slides
from kb.talks.drawing import CREDIT
from kb.talks.measure import LINE
from kb.talks.outline import Outline, Picture
from kb.talks.slide import (
    BAND,
    CLOSING_GAP,
    FOOTER_SIZE,
    FOOTER_TOP,
    FULL,
    MARKS_TOP,
    ROW_GAP,
    TOP,
    TOP_ALONE,
    TOP_OPENING,
    Box,
    Footer,
    Slide,
)

_STYLE = f"""
section {{
  width: {theme.WIDTH}px; height: {theme.HEIGHT}px; padding: {TOP_ALONE}px {theme.MARGIN}px 0;
  display: block; place-content: start;
  font-family: {theme.FONT}; line-height: {LINE}; color: {theme.INK}; background-color: {theme.PAPER};
  overflow-wrap: anywhere;
}}
section.marked {{ padding-top: {TOP}px; }}
section > *, section > h1, section > h2, section > h3 {{ margin: 0 0 {GAP}px; }}
h1, h2 {{ color: {theme.ACCENT}; font-weight: 700; letter-spacing: -.01em; line-height: {LINE}; }}
h1, h2 {{ text-wrap: balance; }}
h3 {{ font-weight: 700; line-height: {LINE}; }}
p, h1, h2, h3, blockquote {{ padding: 0; }}
section.opening {{ padding-top: {TOP_OPENING}px; border-left: 14px solid {theme.ACCENT}; }}
section.opening h1 {{ margin-bottom: {2 * GAP}px; }}
section.list > p {{ margin-bottom: {ROW_GAP}px; }}
section.closing > p {{ margin-bottom: {CLOSING_GAP}px; }}
section.closing > h2 + p {{ margin-bottom: {GAP}px; }}
section > ul {{
  position: absolute; left: {theme.MARGIN}px; top: {MARKS_TOP}px; margin: 0; padding: 0;
  list-style: none; display: flex; gap: 12px;
}}
section > ul > li {{ margin: 0; padding: 2px 12px; border-radius: 5px; font-weight: 700; white-space: nowrap; }}
blockquote {{
  position: absolute; left: {theme.MARGIN}px; width: {FULL}px; bottom: {theme.HEIGHT - FOOTER_TOP + 12}px;
  box-sizing: border-box; margin: 0; padding: {BAND}px {GAP}px; border-left: 6px solid {theme.CAVEAT[0]};
  color: {theme.CAVEAT[0]}; background: {theme.CAVEAT[1]};
}}
blockquote::before, blockquote::after {{ content: none; }}
blockquote p {{ margin: 0; }}
footer {{
  position: absolute; left: {theme.MARGIN}px; right: {theme.MARGIN}px; top: {FOOTER_TOP}px; bottom: auto;
  font-size: {FOOTER_SIZE}px; line-height: 1.5; color: {theme.MUTED}; border-top: 2px solid {theme.RULE};
  padding-top: 6px;
}}
footer em {{ font: {FOOTER_SIZE - 1}px "DejaVu Sans Mono", Menlo, Consolas, monospace; float: right; }}
section::after {{ font-size: 15px; color: {theme.MUTED}; top: 10px; right: 16px; bottom: auto; padding: 0; }}
"""


def markdown(text: str) -> str:
    """`escape.markdown`, with symbols as entities: Marp would load a picture from the network for an emoji."""
    return "".join(
        f"&#{ord(char)};" if ord(char) > 0x7F and unicodedata.category(char) == "So" else char
        for char in escape.markdown(text)
    )


def render(outline: Outline) -> str:
    """The talk as Marp's Markdown, ending in a line break."""
    style = "".join(f"  {line}\n" for line in _STYLE.strip().splitlines())
    front = (
        "---\nmarp: true\ntheme: default\npaginate: true\nsize: 16:9\nmath: false\n"
        f"title: {_quoted(outline.title)}\nstyle: |\n{style}---"
    )
    return (
        "\n\n---\n\n".join(
            [
                f"{front}\n\n{_slide(first)}" if not place else _slide(first)
                for place, first in enumerate(slides(outline))
            ]
        )
        + "\n"
    )


def _slide(slide: Slide) -> str:
    classes = [slide.kind, *(["marked"] if slide.marks else [])]
    parts = [f"<!-- _class: {' '.join(classes)} -->"]
    if slide.footer:
        parts.append(f"<!-- _footer: {_quoted(_footer(slide.footer))} -->")
    parts.append(_scoped(slide))
    if slide.marks:
        parts.append("\n".join(f"- {markdown(mark.text)}" for mark in slide.marks))
    parts.append(f"{'#' if slide.kind == 'opening' else '##'} {markdown(slide.title.text)}")
    parts += [_block(block) for block in slide.blocks]
    if slide.picture and slide.picture.file:
        parts.append(markdown(slide.picture.credit))
    parts.append(_notes(slide.notes))
    return "\n\n".join(parts)


def _scoped(slide: Slide) -> str:
    """The sizes of this slide's texts, the colours of its marks, and its picture, as a style of this slide alone."""
    rules = [f"h1, h2 {{ font-size: {slide.title.size}px; }}"]
    if slide.marks:
        rules.append(f"section > ul {{ font-size: {slide.mark_size}px; }}")
    for place, mark in enumerate(slide.marks, start=1):
        text, ground = theme.LABELS[mark.style]
        rules.append(f"section > ul > li:nth-child({place}) {{ color: {text}; background: {ground}; }}")
    paragraph = 0
    narrow = f" width: {slide.text_width:.0f}px;" if slide.text_width < FULL else ""
    for block in slide.blocks:
        if block.role == "number":
            rules.append(f"h3 {{ font-size: {block.text.size}px;{narrow} }}")
        elif block.role == "caveat":
            rules.append(f"blockquote {{ font-size: {block.text.size}px; }}")
        else:
            paragraph += 1
            size = f"font-size: {block.text.size}px;{narrow}"
            rules.append(f"section > p:nth-of-type({paragraph}) {{ {size} }}")
    if slide.picture:
        rules += _picture(slide.picture, slide.box, paragraph + 1)
    return "<style scoped>\n" + "\n".join(rules) + "\n</style>"


def _block(block: Block) -> str:
    lead = f"**{markdown(block.lead.strip())}** " if block.lead else ""
    text = markdown(block.text.text)
    match block.role:
        case "number":
            return f"### {lead}{text}"
        case "caveat":
            return f"> {lead}{text}"
        case "quote":
            return f"{lead}*{text}*"
        case _:
            return f"{lead}{text}"


def _footer(footer: Footer) -> str:
    """The foot of a slide as Markdown: a directive's value, which Marp renders as Markdown."""
    return f"*{markdown(footer.claim)}* {markdown(footer.source)}"


def _picture(picture: Picture, box: Box, paragraph: int) -> list[str]:
    """A background: Marp refuses HTML and images of SVG in a link, and the file should stand alone.

    The credit of a plot is the slide's paragraph of that number, set under it.
    """
    height, credit = box.height, []
    if picture.file is None:
        data = base64.b64encode(chart.svg(picture, box.width, height).encode()).decode()
        kind = "svg+xml"
    else:
        data = base64.b64encode(Path(picture.file).read_bytes()).decode()
        kind = "png"
        height = box.width * picture.size[1] / picture.size[0]
        credit.append(
            f"section > p:nth-of-type({paragraph}) {{ position: absolute; left: {box.left:.0f}px; margin: 0;"
            f" top: {box.top + height:.0f}px; width: {box.width:.0f}px; font-size: {CREDIT}px;"
            f" color: {theme.MUTED}; }}"
        )
    place = f"{box.left:.0f}px {box.top:.0f}px / {box.width:.0f}px {height:.0f}px"
    return [
        f"section {{ background: {theme.PAPER} url(data:image/{kind};base64,{data}) no-repeat {place}; }}",
        *credit,
    ]


def _notes(notes: tuple[str, ...]) -> str:
    """A comment. Marp reads a comment that is YAML as directives, so each line begins as prose does."""
    safe = (note.replace("--", "- -").replace("<", "‹").replace(">", "›") for note in notes)
    return "<!--\nNotes\n\n" + "\n\n".join(f"• {note}" for note in safe) + "\n-->"


def _quoted(text: str) -> str:
    """Text as a double-quoted YAML scalar that cannot end the comment it may stand in."""
    return json.dumps(text, ensure_ascii=False).replace("-->", "--&gt;")
