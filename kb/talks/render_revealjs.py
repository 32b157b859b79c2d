"""A talk as one HTML file: reveal.js and everything else inside, so that it works without a network.

reveal.js 6.0.2 (MIT) stands in `assets/reveal`, as its npm package ships it. Press S for the speaker's view with
notes, F for the full screen, Esc for the overview.
"""

from __future__ import annotations

import base64
import re
from functools import cache
from pathlib import Path

from kb.talks import chart, theme
from kb.talks.column import GAP, Block
from kb.talks.deck import slides
from kb.talks.drawing import CREDIT
from kb.talks.escape import html
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
    Box,
    Footer,
    Slide,
)

ASSETS = Path(__file__).parent / "assets" / "reveal"

_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:;"
    " frame-src 'self' data: blob: file:; child-src 'self' blob: file:"
)
"""Nothing in the file may load anything from anywhere: what cannot be fetched cannot leak or break."""

_STYLE = f"""
*{{box-sizing:border-box}}
html,body{{margin:0;height:100%;background:{theme.PAPER}}}
.reveal{{font-family:{theme.FONT};color:{theme.INK};line-height:{LINE}}}
.reveal .slides{{text-align:left}}
.reveal .slides section{{width:{theme.WIDTH}px;height:{theme.HEIGHT}px;padding:0;overflow:hidden}}
.box{{position:absolute;left:{theme.MARGIN}px;width:{FULL}px;margin:0;overflow-wrap:anywhere}}
.flow>*{{margin:0 0 {GAP}px}}
.list .flow>p{{margin-bottom:{ROW_GAP}px}}
.closing .flow>.row{{margin-bottom:{CLOSING_GAP}px}}
.opening .flow>h1{{margin-bottom:{2 * GAP}px}}
.flow>h1,.flow>h2{{font-weight:700;line-height:{LINE};letter-spacing:-.01em}}
.flow>h1,.flow>h2{{color:{theme.ACCENT};text-wrap:balance}}
.number{{font-weight:700;color:{theme.INK}}}
.lead{{font-weight:700}}
.quote{{font-style:italic}}
.caveat{{bottom:{theme.HEIGHT - FOOTER_TOP + 12}px;padding:{BAND}px {GAP}px}}
.caveat{{border-left:6px solid {theme.CAVEAT[0]};color:{theme.CAVEAT[0]};background:{theme.CAVEAT[1]}}}
.bar{{position:absolute;left:0;top:0;width:14px;height:100%;background:{theme.ACCENT}}}
.marks{{top:{MARKS_TOP}px;display:flex;gap:12px;white-space:nowrap}}
.marks>span{{font-weight:700;padding:2px 12px;border-radius:5px}}
.foot{{top:{FOOTER_TOP}px;font-size:{FOOTER_SIZE}px;line-height:1.5;color:{theme.MUTED};padding-top:6px}}
.foot{{border-top:2px solid {theme.RULE};display:flex;justify-content:space-between;gap:20px;white-space:nowrap}}
.foot code{{font:{FOOTER_SIZE - 1}px/1.6 "DejaVu Sans Mono",Menlo,Consolas,monospace}}
figure img{{display:block;width:100%}}
figure figcaption{{font-size:{CREDIT}px;color:{theme.MUTED}}}
.reveal .slide-number{{font:15px {theme.FONT};color:{theme.MUTED};background:none}}
.reveal .slide-number{{left:auto;right:16px;bottom:auto;top:10px;padding:0}}
.reveal .slide-number a{{text-decoration:none;color:inherit}}
aside.notes{{display:none}}
@media print{{.box{{break-inside:avoid}}}}
""" + "".join(
    f".{style}{{color:{text};background:{ground}}}\n" for style, (text, ground) in theme.LABELS.items()
)

_START = (
    f"Reveal.initialize({{width:{theme.WIDTH},height:{theme.HEIGHT},margin:0,minScale:0.1,maxScale:4,"
    "center:false,hash:true,transition:'none',controls:false,progress:true,slideNumber:'c/t',"
    "plugins:[RevealNotes]});"
)


def render(outline: Outline) -> str:
    """The talk as an HTML document, ending in a line break."""
    body = "\n".join(map(_slide, slides(outline)))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="generator" content="kb">\n'
        f"<title>{html(outline.title)}</title>\n"
        f"<style>{_asset('reveal.css')}</style>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'<div class="reveal"><div class="slides">\n{body}\n</div></div>\n'
        f"<script>{_asset('reveal.js')}</script>\n<script>{_asset('notes.js')}</script>\n"
        f"<script>{_START}</script>\n</body>\n</html>\n"
    )


@cache
def _asset(name: str) -> str:
    text = (ASSETS / name).read_text(encoding="utf-8").strip()
    # Inside a script or style element nothing may look like its end.
    return re.sub(r"</(?=script|style)", r"<\\/", text, flags=re.IGNORECASE)


def _slide(slide: Slide) -> str:
    first = slide.kind == "opening"
    tag = "h1" if first else "h2"
    parts = ['<div class="bar"></div>'] if first else []
    if slide.marks:
        marks = "".join(f'<span class="{mark.style}">{html(mark.text)}</span>' for mark in slide.marks)
        parts.append(f'<div class="box marks" style="font-size:{slide.mark_size}px">{marks}</div>')
    title = f'<{tag} style="font-size:{slide.title.size}px">{html(slide.title.text)}</{tag}>'
    width = f";width:{slide.text_width:.0f}px" if slide.text_width < FULL else ""
    flowing = [_text(block, width) for block in slide.blocks if block.role != "caveat"]
    parts.append(f'<div class="box flow" style="top:{slide.top}px">{title}{"".join(flowing)}</div>')
    parts += [_text(block, box="box ") for block in slide.blocks if block.role == "caveat"]
    if slide.picture:
        parts.append(_picture(slide.picture, slide.box))
    if slide.footer:
        parts.append(_footer(slide.footer))
    notes = "".join(f"<p>{html(note)}</p>" for note in slide.notes)
    return f'<section class="{slide.kind}">{"".join(parts)}<aside class="notes">{notes}</aside></section>'


def _text(block: Block, width: str = "", box: str = "") -> str:
    lead = f'<span class="lead">{html(block.lead)}</span>' if block.lead else ""
    style = f"font-size:{block.text.size}px{width}"
    return f'<p class="{box}{block.role}" style="{style}">{lead}{html(block.text.text)}</p>'


def _footer(footer: Footer) -> str:
    return f'<div class="box foot"><span>{html(footer.source)}</span><code>{html(footer.claim)}</code></div>'


def _picture(picture: Picture, box: Box) -> str:
    place = f"left:{box.left:.0f}px;top:{box.top:.0f}px;width:{box.width:.0f}px;height:{box.height:.0f}px"
    figure = f'<figure class="box" style="{place}">'
    if picture.file is None:
        return f"{figure}{chart.svg(picture, box.width, box.height)}</figure>"
    data = base64.b64encode(Path(picture.file).read_bytes()).decode()
    image = f'<img alt="{html(picture.alt)}" src="data:image/png;base64,{data}">'
    return f"{figure}{image}<figcaption>{html(picture.credit)}</figcaption></figure>"
