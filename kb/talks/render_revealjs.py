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
from kb.talks.deck import BAND, FOOTER_TOP, FULL, GAP, PICTURE_WIDTH, TOP, Block, Footer, Slide, slides
from kb.talks.escape import html
from kb.talks.measure import LINE
from kb.talks.outline import Outline, Picture

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
h1.box,h2.box{{font-weight:700;letter-spacing:-.01em;color:{theme.ACCENT};text-wrap:balance}}
.number{{font-weight:700;color:{theme.INK}}}
.lead{{font-weight:700}}
.quote{{font-style:italic}}
.caveat{{color:{theme.CAVEAT[0]};background:{theme.CAVEAT[1]}}}
.caveat{{padding:{BAND}px {GAP}px;border-left:6px solid {theme.CAVEAT[0]}}}
.bar{{position:absolute;left:0;top:0;width:14px;height:100%;background:{theme.ACCENT}}}
.foot{{top:{FOOTER_TOP}px;height:72px;font-size:19px;color:{theme.MUTED}}}
.foot{{border-top:2px solid {theme.RULE};padding-top:8px}}
.foot>div{{display:flex;justify-content:space-between;gap:20px;white-space:nowrap;margin-bottom:4px}}
.foot code{{font:17px "DejaVu Sans Mono",Menlo,Consolas,monospace}}
.label{{font-weight:700;padding:1px 10px;border-radius:5px}}
figure.box{{left:{theme.MARGIN + FULL - PICTURE_WIDTH}px;width:{PICTURE_WIDTH}px}}
figure img{{display:block;max-width:100%;max-height:100%;margin:auto}}
figure figcaption{{font-size:15px;color:{theme.MUTED}}}
.reveal .slide-number{{font:15px {theme.FONT};color:{theme.MUTED};background:none}}
.reveal .slide-number{{left:auto;right:16px;bottom:auto;top:10px;padding:0}}
.reveal .slide-number a{{text-decoration:none;color:inherit}}
aside.notes{{display:none}}
@media print{{.box{{break-inside:avoid}}}}
""" + "".join(
    f".v-{verdict}{{color:{text};background:{ground}}}\n"
    for verdict, (text, ground) in theme.VERDICTS.items()
)

_START = (
    f"Reveal.initialize({{width:{theme.WIDTH},height:{theme.HEIGHT},margin:0,minScale:0.1,maxScale:4,"
    "center:false,hash:true,transition:'none',controls:false,progress:true,slideNumber:'c/t',"
    "plugins:[RevealNotes]});"
)


def render(outline: Outline) -> str:
    """The talk as an HTML document, ending in a line break."""
    deck = slides(outline)
    body = "\n".join(_slide(slide, outline) for slide in deck)
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


def _slide(slide: Slide, outline: Outline) -> str:
    first = slide.kind == "opening"
    tag = "h1" if first else "h2"
    top = TOP + 120 if first else TOP
    parts = ['<div class="bar"></div>'] if first else []
    parts.append(
        f'<{tag} class="box" style="top:{top}px;font-size:{slide.title.size}px">{html(slide.title.text)}</{tag}>'
    )
    narrow = FULL - PICTURE_WIDTH - 2 * GAP if slide.picture else FULL
    parts += [_block(block, narrow) for block in slide.blocks]
    if slide.picture:
        parts.append(_picture(slide.picture, slide.picture_top, slide.picture_height))
    if slide.footer:
        parts.append(_footer(slide.footer))
    notes = "".join(f"<p>{html(note)}</p>" for note in slide.notes)
    return f'<section class="{slide.kind}">{"".join(parts)}<aside class="notes">{notes}</aside></section>'


def _block(block: Block, narrow: int) -> str:
    lead = f'<span class="lead">{html(block.lead)}</span>' if block.lead else ""
    caveat = block.role == "caveat"
    top = block.top - BAND if caveat else block.top
    width = "" if caveat else f";width:{narrow}px"
    style = f"top:{top:.0f}px;font-size:{block.text.size}px{width}"
    return f'<p class="box {block.role}" style="{style}">{lead}{html(block.text.text)}</p>'


def _footer(footer: Footer) -> str:
    return (
        f'<div class="box foot"><div><span><span class="label v-{footer.verdict}">{html(footer.check)}</span>'
        f" &nbsp; {html(footer.literature)}</span></div>"
        f"<div><span>{html(footer.source)}</span><code>{html(footer.claim)}</code></div></div>"
    )


def _picture(picture: Picture, top: float, height: float) -> str:
    box = f'<figure class="box" style="top:{top:.0f}px;height:{height:.0f}px">'
    if picture.file is None:
        return f"{box}{chart.svg(picture, PICTURE_WIDTH, height)}</figure>"
    data = base64.b64encode(Path(picture.file).read_bytes()).decode()
    image = f'<img alt="{html(picture.alt)}" style="max-height:{height - 26:.0f}px" src="data:image/png;base64,{data}">'
    return f"{box}{image}<figcaption>{html(picture.credit)}</figcaption></figure>"
