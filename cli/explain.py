"""An HTML page about one picture: its regions, the crop of each that the classifier got, and the probabilities.

The file needs no other file and no network: pictures are embedded as data. Colours follow the light or dark mode of the
browser. Links work without a script and by keyboard, and the page can be printed.
"""

import base64
import io
import textwrap
from collections.abc import Sequence
from html import escape
from string import Template

from PIL import Image

from digitocr.cli.batch.output import plain
from digitocr.runtime.reading import Candidate, Reading

PICTURE_SIDE = 1600  # pixels of the longer side of the picture on the page, at most
FONT_SHARE = 64  # the font of the labels is the longer side divided by this
CROP_SIDE = 224  # pixels of the longer side of a region's picture; it is shown at half of that, for sharp screens
MIN_SHOWN_WIDTH = 320  # pixels, so that a tiny picture is enlarged
JPEG_QUALITY = 85  # percent
LETTER_SHARE = 0.6  # width of a letter of the labels, in font sizes
MIN_LABEL_LETTERS = 13  # a label is wrapped at its box's width, but not before that
RANKED = 3  # digits that are named to readers of the page who cannot see the bars

_PAGE = Template("""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$name</title>
<style>
:root { color-scheme: light dark; --ground: #fff; --ink: #1c2024; --faint: #667079; --line: #dde2e6; --card: #f6f8f9;
  --kept: #0b7a3e; --rejected: #c62828; --bar: #7c8894 }
@media (prefers-color-scheme: dark) { :root { --ground: #14171a; --ink: #e8ebee; --faint: #98a2ab; --line: #30363c;
  --card: #1c2126; --kept: #4cc884; --rejected: #ff7b72; --bar: #8a96a1 } }
* { box-sizing: border-box }
body { margin: 0 auto; padding: 1.5rem 1rem 3rem; max-width: 64rem; background: var(--ground); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif }
h1 { margin: 0; font-size: 1rem; font-weight: 600; overflow-wrap: anywhere }
.text { margin: .25rem 0; font: 600 2rem/1.25 ui-monospace, monospace; letter-spacing: .06em; white-space: pre-wrap;
  overflow-wrap: anywhere }
.nothing { font: 600 1.25rem/1.5 system-ui, sans-serif; letter-spacing: 0; color: var(--rejected) }
.facts { margin: 0 0 1rem; color: var(--faint); font-size: .875rem; overflow-wrap: anywhere }
a { color: inherit }
:focus-visible { outline: 3px solid #2f81f7; outline-offset: 2px }
svg { display: block; max-width: 100%; max-height: 85vh; margin: 0 auto; border-radius: 6px; background: var(--card) }
svg .kept { color: #0b7a3e }
svg .rejected { color: #c62828; stroke-dasharray: 6 4 }
svg rect { fill: transparent; stroke: currentColor; stroke-width: 2.5; vector-effect: non-scaling-stroke;
  filter: drop-shadow(0 0 1.5px #fff) }
svg text { font: 600 ${font}px system-ui, sans-serif; fill: currentColor; stroke: #fff; stroke-width: .22em;
  stroke-dasharray: none; stroke-linejoin: round; paint-order: stroke }
svg a:hover rect, svg a:focus-visible rect, svg a:target rect { fill: #2f81f744; stroke-width: 5 }
table { width: 100%; margin-top: 1.5rem; border-collapse: collapse }
caption { padding-bottom: .5rem; text-align: left; color: var(--faint); font-size: .875rem }
thead th, .group th { padding: .5rem; text-align: left; font-size: .8125rem; font-weight: 600; color: var(--faint) }
.group th { padding-top: 1.25rem; color: var(--ink); font-size: 1rem }
td, tbody th { padding: .5rem; border-top: 1px solid var(--line); vertical-align: middle }
.group th { border: 0 }
tr:target > * { background: #2f81f722 }
tbody th a { display: inline-block; min-width: 1.8rem; padding: .1rem .4rem; border-radius: 1rem; text-align: center;
  text-decoration: none; background: var(--card); border: 1px solid var(--line) }
td img { display: block; width: 112px; height: 112px; border-radius: 4px; background: var(--card) }
.crop { object-fit: contain }
.seen { image-rendering: pixelated; background: #000 }
.bars { display: flex; gap: 3px; width: 15rem; max-width: 100%; height: 112px; margin: 0; padding: 0; list-style: none }
.bars li { display: flex; flex: 1; flex-direction: column; justify-content: flex-end; text-align: center;
  font: .8125rem/1.4 ui-monospace, monospace; color: var(--faint) }
.bars i { min-height: 1px; border-radius: 2px 2px 0 0; background: var(--bar); print-color-adjust: exact;
  -webkit-print-color-adjust: exact }
.bars .best { color: var(--ink); font-weight: 700 }
.kept .best i { background: var(--kept) } .rejected .best i { background: var(--rejected) }
.verdict b { font: 600 1.75rem/1.2 ui-monospace, monospace }
.kept b { color: var(--kept) } .rejected b { color: var(--rejected) }
small { display: block; color: var(--faint); font-size: .8125rem }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%) }
@media (max-width: 44rem) {
  thead { display: none }
  tbody tr { display: grid; grid-template-columns: 3rem auto auto 1fr; align-items: center; padding: .5rem 0;
    border-top: 1px solid var(--line) }
  tbody tr > * { border: 0 }
  .group { display: block; border: 0 }
  .probabilities { grid-column: 1 / -1; order: 1 }
  .bars { width: 100%; height: 72px }
  td img { width: 88px; height: 88px }
}
@media print {
  body { max-width: none; padding: 0; font-size: 11px }
  svg { max-height: 60vh }
  tr, figure { break-inside: avoid }
}
</style>
</head>
<body>
<h1>$name</h1>
$text
<p class="facts">$facts</p>
<svg viewBox="0 0 $width $height" width="$shown" role="group" aria-label="The picture with its regions">
<image href="$picture" width="$width" height="$height"/>
$overlay
</svg>
$table
</body>
</html>
""")

_TABLE = Template("""\
<table>
<caption>The regions that the detector found: in the picture, as the first of two crops of 28&times;28 pixels that the
classifier got, and the probabilities that it gave.$none A number links back to the picture.</caption>
<thead><tr><th scope="col"><span class="hidden">Region</span></th><th scope="col">In the picture</th>
<th scope="col">As the classifier got it</th><th scope="col">Probabilities</th><th scope="col">Outcome</th></tr></thead>
$groups
</table>""")

_ROW = Template("""\
<tr id="r$number" class="$state">
<th scope="row"><a href="#b$number" aria-label="Region $number in the picture">$number</a></th>
<td><img class="crop" alt="Region $number" src="$crop"></td>
<td><img class="seen" alt="Region $number as 28 by 28 pixels" src="$seen"></td>
<td class="probabilities"><ol class="bars" aria-hidden="true">$bars</ol><span class="hidden">$ranked</span></td>
<td class="verdict"><b>$label</b> $confidence<small>$why</small></td></tr>""")


def explained(name: str, shown: Image.Image, reading: Reading, candidates: Sequence[Candidate]) -> bytes:
    """The page of one picture.

    Args:
        name: The picture's name, shown as the title.
        shown: The picture as a person sees it, RGB; the boxes are in its pixels.
        reading: The picture's reading.
        candidates: All regions that the detector proposed, in any order.

    Returns:
        HTML, UTF-8.
    """
    small = shown.copy()
    small.thumbnail((PICTURE_SIDE, PICTURE_SIDE))
    kept = [one for one in candidates if one.kept]
    rejected = sorted((one for one in candidates if not one.kept), key=lambda one: -one.score)
    numbered = list(enumerate(kept + rejected, 1))
    rows = [_row(number, one, shown, reading.turned) for number, one in numbered]
    font = max(shown.size) / FONT_SHARE
    page = _PAGE.substitute(
        name=escape(plain(name)),
        text=f'<p class="text">{reading.text}</p>'
        if reading.digits
        else f'<p class="text nothing">Nothing was read: {escape(reading.why)}.</p>',
        facts=_facts(reading, len(kept), len(rejected)),
        font=f"{font:.1f}",
        width=shown.width,
        height=shown.height,
        shown=max(small.width, MIN_SHOWN_WIDTH),
        picture=_data(small, "JPEG"),
        overlay="\n".join(_region(number, one, font, shown.width) for number, one in numbered),
        table=_table(rows[: len(kept)], rows[len(kept) :], any(len(one.probabilities) > 10 for one in candidates)),
    )
    return page.encode("utf-8", "backslashreplace")  # the name of a file may hold bytes that are no text


def _facts(reading: Reading, kept: int, rejected: int) -> str:
    facts = [f"{kept} kept, {rejected} rejected of {kept + rejected} regions"]
    if reading.turned:
        facts.append(f"turned by {reading.turned}&deg; clockwise before it was read")
    facts.append(", ".join(f"{step} {spent:.1f} ms" for step, spent in reading.ms._asdict().items()))
    facts.append(escape(f"model {reading.model.name} ({reading.model.sha256[:12]})"))
    return " &middot; ".join(facts)


def _region(number: int, one: Candidate, font: float, width: int) -> str:
    """A region on the picture, SVG: its box, which links to its row, and its label, wrapped at the box's width.

    Args:
        number: The region's number.
        one: The region.
        font: Height of the label's letters, in pixels of the picture.
        width: The picture's width in pixels.
    """
    box = one.box
    label = f"{_likeliest(one)} {one.confidence:.0%}" if one.kept else one.why
    letter = LETTER_SHARE * font
    lines = textwrap.wrap(
        label, max(MIN_LABEL_LETTERS, round(box.w / letter)), break_long_words=False, break_on_hyphens=False
    )
    left = max(0.0, min(box.x, width - letter * max(map(len, lines))))
    above = box.y - (len(lines) - 0.6) * font
    top = above if above > font else box.y + box.h + font  # the baseline of the first line
    text = "".join(
        f'<tspan x="{left:.1f}" y="{top + place * font:.1f}">{escape(line)}</tspan>' for place, line in enumerate(lines)
    )
    return (
        f'<a id="b{number}" href="#r{number}" class="{_state(one)}" aria-label="Region {number}: {escape(label)}">'
        f'<rect x="{box.x}" y="{box.y}" width="{box.w}" height="{box.h}"/><text>{text}</text></a>'
    )


def _table(kept: list[str], rejected: list[str], none: bool) -> str:
    groups = [
        f'<tbody><tr class="group"><th scope="rowgroup" colspan="5">{title}</th></tr>\n' + "\n".join(rows) + "</tbody>"
        for title, rows in (("Kept", kept), ("Rejected", rejected))
        if rows
    ]
    if not groups:
        return ""
    return _TABLE.substitute(
        none=" &times; stands for &ldquo;no digit&rdquo;." if none else "", groups="\n".join(groups)
    )


def _row(number: int, one: Candidate, shown: Image.Image, turned: int) -> str:
    """A region's row of the table, HTML. turned: degrees clockwise that the picture was turned by."""
    box, best = one.box, max(one.probabilities)
    margin = max(2, max(box.w, box.h) // 8)
    crop = shown.crop(
        (
            max(0, box.x - margin),
            max(0, box.y - margin),
            min(shown.width, box.x + box.w + margin),
            min(shown.height, box.y + box.h + margin),
        )
    )
    crop.thumbnail((CROP_SIDE, CROP_SIDE))
    if turned:
        crop = crop.rotate(-turned, Image.Resampling.BILINEAR, expand=True)
    names = [*map(str, range(10)), "&times;"]
    bars = "".join(
        f'<li{" class=best" if chance == best else ""}><i style="height:{chance:.1%}"></i>{name}</li>'
        for name, chance in zip(names, one.probabilities, strict=False)
    )
    ranked = sorted(zip(one.probabilities, [*map(str, range(10)), "no digit"], strict=False), reverse=True)[:RANKED]
    return _ROW.substitute(
        number=number,
        state=_state(one),
        crop=_data(crop, "JPEG"),
        seen=_data(Image.fromarray(one.image), "PNG"),
        bars=bars,
        ranked=", ".join(f"{name} {chance:.3f}" for chance, name in ranked),
        label=_likeliest(one),
        confidence=f"{one.confidence:.3f}",
        why=escape(one.why) or f"detector: {one.score:.2f}",
    )


def _likeliest(one: Candidate) -> int:
    return max(range(10), key=one.probabilities.__getitem__)


def _state(one: Candidate) -> str:
    return "kept" if one.kept else "rejected"


def _data(picture: Image.Image, form: str) -> str:
    file = io.BytesIO()
    picture.save(file, form, quality=JPEG_QUALITY)
    return f"data:image/{form.lower()};base64,{base64.b64encode(file.getvalue()).decode()}"
