"""A talk as Markdown for Marp: front matter with the style, a slide between rules, notes as comments.

Everything that came from outside is escaped, so that no statement ends a comment, opens a directive or a tag.
"""

from __future__ import annotations

import base64
import json
import unicodedata
from pathlib import Path

from kb.talks import chart, escape, theme
from kb.talks.deck import BAND, FOOTER_TOP, FULL, GAP, PICTURE_WIDTH, TOP, Block, Footer, Slide, slides
from kb.talks.measure import LINE
from kb.talks.outline import Outline, Picture

_NARROW = FULL - PICTURE_WIDTH - 2 * GAP

_STYLE = f"""
section {{
  width: {theme.WIDTH}px; height: {theme.HEIGHT}px; padding: {TOP}px {theme.MARGIN}px 0;
  display: block; place-content: start;
  font-family: {theme.FONT}; line-height: {LINE}; color: {theme.INK}; background-color: {theme.PAPER};
  overflow-wrap: anywhere;
}}
section > * {{ margin: 0 0 {GAP}px; }}
h1, h2 {{ color: {theme.ACCENT}; font-weight: 700; letter-spacing: -.01em; line-height: {LINE}; }}
h2 {{ margin-bottom: {GAP + 6}px; }}
h3 {{ font-weight: 700; line-height: {LINE}; }}
p, h1, h2, h3, blockquote {{ padding: 0; }}
section.opening {{ padding-top: {TOP + 120}px; border-left: 14px solid {theme.ACCENT}; }}
section.opening h1 {{ margin-bottom: {2 * GAP}px; }}
section.list p, section.closing p {{ margin-bottom: 10px; }}
section.pictured h3, section.pictured > p {{ width: {_NARROW}px; }}
blockquote {{
  position: absolute; left: {theme.MARGIN}px; width: {FULL}px; bottom: {theme.HEIGHT - FOOTER_TOP + GAP}px;
  box-sizing: border-box; margin: 0; padding: {BAND}px {GAP}px; border-left: 6px solid {theme.CAVEAT[0]};
  color: {theme.CAVEAT[0]}; background: {theme.CAVEAT[1]};
}}
blockquote::before, blockquote::after {{ content: none; }}
blockquote p {{ margin: 0; }}
footer {{
  position: absolute; left: {theme.MARGIN}px; right: {theme.MARGIN}px; top: {FOOTER_TOP}px; bottom: auto;
  font-size: 19px; line-height: 1.5; color: {theme.MUTED}; border-top: 2px solid {theme.RULE}; padding-top: 6px;
}}
footer strong {{ padding: 1px 10px; border-radius: 5px; }}
footer em {{ font: 17px "DejaVu Sans Mono", Menlo, Consolas, monospace; float: right; }}
section::after {{ font-size: 15px; color: {theme.MUTED}; top: 10px; right: 16px; bottom: auto; padding: 0; }}
""" + "".join(
    f"section.{verdict} footer strong {{ color: {text}; background: {ground}; }}\n"
    for verdict, (text, ground) in theme.VERDICTS.items()
)


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
    classes = [slide.kind]
    if slide.footer:
        classes.append(slide.footer.verdict)
    if slide.picture:
        classes.append("pictured")
    parts = [f"<!-- _class: {' '.join(classes)} -->"]
    if slide.footer:
        parts.append(f"<!-- _footer: {_quoted(_footer(slide.footer))} -->")
    parts.append(_scoped(slide))
    parts.append(f"{'#' if slide.kind == 'opening' else '##'} {markdown(slide.title.text)}")
    parts += [_block(block) for block in slide.blocks]
    parts.append(_notes(slide.notes))
    return "\n\n".join(parts)


def _scoped(slide: Slide) -> str:
    """The sizes of this slide's texts, and its picture, as a style of this slide alone."""
    rules = [f"h1, h2 {{ font-size: {slide.title.size}px; }}"]
    paragraph = 0
    for block in slide.blocks:
        if block.role == "number":
            rules.append(f"h3 {{ font-size: {block.text.size}px; }}")
        elif block.role == "caveat":
            rules.append(f"blockquote {{ font-size: {block.text.size}px; }}")
        else:
            paragraph += 1
            rules.append(f"section > p:nth-of-type({paragraph}) {{ font-size: {block.text.size}px; }}")
    if slide.picture:
        rules.append(_picture(slide.picture, slide.picture_top, slide.picture_height))
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
    return (
        f"**{markdown(footer.check)}** &nbsp; {markdown(footer.literature)}<br />"
        f"*{markdown(footer.claim)}* {markdown(footer.source)}"
    )


def _picture(picture: Picture, top: float, height: float) -> str:
    """A background: Marp refuses HTML and images of SVG in a link, and the file should stand alone."""
    if picture.file is None:
        data = base64.b64encode(chart.svg(picture, PICTURE_WIDTH, height).encode()).decode()
        kind = "svg+xml"
    else:
        data = base64.b64encode(Path(picture.file).read_bytes()).decode()
        kind = "png"
    left = theme.MARGIN + FULL - PICTURE_WIDTH
    return (
        f"section {{ background: {theme.PAPER} url(data:image/{kind};base64,{data}) no-repeat {left}px {top:.0f}px"
        f" / {PICTURE_WIDTH}px {'auto' if picture.file else f'{height:.0f}px'}; }}"
    )


def _notes(notes: tuple[str, ...]) -> str:
    """A comment. Marp reads a comment that is YAML as directives, so each line begins as prose does."""
    safe = (note.replace("--", "- -").replace("<", "‹").replace(">", "›") for note in notes)
    return "<!--\nNotes\n\n" + "\n\n".join(f"• {note}" for note in safe) + "\n-->"


def _quoted(text: str) -> str:
    """Text as a double-quoted YAML scalar that cannot end the comment it may stand in."""
    return json.dumps(text, ensure_ascii=False).replace("-->", "--&gt;")
