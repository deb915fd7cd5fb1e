"""An HTML page about one picture: its numbers, the lines as they were read, and its regions with what became of them.

It answers why a digit is missing or wrong: no region was found, its line shows a letter or a sign there, its confidence
is too low, or it is taken for another digit; and why a number is split.

The file needs no other file and no network: pictures are embedded as data. Colours follow the light or dark mode of the
browser. Links work without a script and by keyboard, and the page can be printed.
"""

import base64
import io
from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import NamedTuple

import numpy as np
from PIL import Image

from digitocr.cli.batch.output import plain
from digitocr.runtime.candidates import Candidate, Mark, Strip
from digitocr.runtime.characters import OTHER, SIGNS
from digitocr.runtime.detector import MIN_SCORE
from digitocr.runtime.reading import EITHER, Digit, Number, Reading
from digitocr.runtime.recognizer import CLASSES, DIGIT, STRIP_HEIGHT, kind_in_line, sign_in_line

PICTURE_SIDE = 1600  # pixels of the longer side of the picture on the page, at most
FONT_SHARE = 64  # the font of the labels is the longer side divided by this
CROP_SIDE = 224  # pixels of the longer side of a region's picture; it is shown at half of that, for sharp screens
MIN_SHOWN_WIDTH = 640  # pixels, so that a tiny picture is enlarged
PAGE_WIDTH = 992  # pixels for the picture, at most
MIN_LABEL = 14  # pixels of the page; height of the largest labels, unless the picture is shown smaller
JPEG_QUALITY = 85  # percent
LETTER_SHARE = 0.6  # width of a letter of the labels, in font sizes
FRAME_SHARE = 0.25  # of the font of the labels, from a number's digits to its frame
RANKED = 3  # digits that are named to readers of the page who cannot see the bars
MAX_STRIPS = 40  # lines that are shown
STRIP_ZOOM = 2  # pixels of the page for one of a strip
STRIP_FONT = 11  # pixels of a strip; the letters below it
MARKS_BASE = STRIP_HEIGHT + 13  # pixels of a strip; base line of what the recognizer reads
RESULT_BASE = MARKS_BASE + 16  # base line of what became of the regions
STRIP_FOOT = RESULT_BASE + 6  # the height of a strip with what is below it
LEFT_OUT = "\u00d7"
MIN_SHARE = 0.35  # opacity of what the recognizer reads with a low probability
MIN_NAMED = 0.02  # probability of what is named as seen in a line
NOT_WANTED = "read, but its number is not of the form that was asked for"

_PAGE = Path(__file__).with_name("explain.html")  # a string.Template

_TABLE = Template("""\
<table>
<caption>The regions that the detector and the line reader found: in the picture, as the first of two crops of
28&times;28 pixels that the classifier got, and the probabilities of both networks together.$none A number links back to
the picture.</caption>
<thead><tr><th scope="col"><span class="hidden">Region</span></th><th scope="col">In the picture</th>
<th scope="col">As the classifier got it</th><th scope="col">Probabilities</th><th scope="col">Outcome</th></tr></thead>
$groups
</table>""")

_NUMBERS = Template("""\
<table class="numbers">
<caption>The numbers. The confidence is that every digit and sign is right and none is missing.</caption>
<thead><tr><th scope="col">Number</th><th scope="col">Confidence</th><th scope="col">Least certain digit</th>
<th scope="col">Why it is split off</th></tr></thead>
<tbody>$rows</tbody></table>""")

_STRIPS = Template("""\
<h2>Lines</h2>
<p class="facts">As the line reader got them.$left_out Below each: what it reads there, where a bar is a letter, a word
or another sign; then what was read, with a line below each number: a ? with its likeliest digits where a digit cannot
be told, and &times; for a region that is left out.</p>
<ol class="strips">
$strips
</ol>""")

_ROW = Template("""\
<tr id="r$number" class="$state">
<th scope="row"><a href="#b$number" aria-label="Region $number in the picture">$number</a></th>
<td><img class="crop" alt="Region $number" src="$crop"></td>
<td><img class="seen" alt="Region $number as 28 by 28 pixels" src="$seen"></td>
<td class="probabilities"><ol class="bars" aria-hidden="true">$bars</ol><span class="hidden">$ranked</span></td>
<td class="verdict"><b>$label</b> $confidence$why</td></tr>""")


class _Region(NamedTuple):
    """A region with its number on the page.

    Attributes:
        number: From 1.
        one: The region.
        digit: What it is in the reading; None for a region that is not in it.
    """

    number: int
    one: Candidate
    digit: Digit | None

    @property
    def state(self) -> str:
        """The class of its colours: kept, doubt, other or rejected."""
        if self.digit is None:
            return "other" if _is_other(self.one) else "rejected"
        return "doubt" if self.digit.digit is None else "kept"

    @property
    def label(self) -> str:
        """The digit, or the likeliest one where none is read; of what is no digit in its line, the sign or LEFT_OUT."""
        if self.digit is not None:
            return self.digit.text
        if self.state == "rejected":
            return str(max(range(10), key=self.one.probabilities.__getitem__))
        return sign_in_line(np.array(self.one.lined, np.float32)) or LEFT_OUT

    @property
    def why(self) -> str:
        """What became of it and why, in a line."""
        if self.digit is None:
            return self.one.why or NOT_WANTED
        if self.digit.digit is None:
            return f"a digit, but which cannot be told: {_either(self.digit)}"
        return f"{self.label} {self.one.confidence:.0%}"


def explained(
    name: str, shown: Image.Image, reading: Reading, candidates: Sequence[Candidate], strips: Sequence[Strip] = ()
) -> bytes:
    """The page of one picture.

    Args:
        name: The picture's name, shown as the title.
        shown: The picture as a person sees it, RGB; the boxes are in its pixels.
        reading: The picture's reading.
        candidates: All regions that were found, in any order.
        strips: Its lines, whose spans are places in `candidates`; the first MAX_STRIPS are shown.

    Returns:
        HTML, UTF-8.
    """
    small = shown.copy()
    small.thumbnail((PICTURE_SIDE, PICTURE_SIDE))
    regions = _regions(reading, candidates)
    in_order = sorted(regions, key=lambda region: region.number)
    width = max(small.width, MIN_SHOWN_WIDTH)
    font = max(max(shown.size) / FONT_SHARE, MIN_LABEL * shown.width / min(width, PAGE_WIDTH))
    overlay = [_on_picture(region, font, shown.height) for region in reversed(in_order)]
    overlay += [_frame(number, font, shown.width) for number in reading.numbers]
    page = Template(_PAGE.read_text(encoding="utf-8")).substitute(
        name=escape(plain(name)),
        text=f'<p class="text">{reading.text}</p>'
        if reading.digits
        else f'<p class="text nothing">Nothing was read: {escape(reading.why)}.</p>',
        facts=_facts(reading, regions),
        font=f"{font:.1f}",
        strip_font=STRIP_FONT,
        width=shown.width,
        height=shown.height,
        shown=width,
        picture=_data(small, "JPEG"),
        overlay="\n".join(overlay),
        numbers=_numbers(reading, candidates),
        strips=_lines(strips, regions, reading),
        table=_table(in_order, shown, reading.turned),
    )
    return page.encode("utf-8", "backslashreplace")  # the name of a file may hold bytes that are no text


def _regions(reading: Reading, candidates: Sequence[Candidate]) -> list[_Region]:
    """The candidates, numbered in the order of the page: digits first, in reading order."""
    digits = {digit.box: digit for digit in reading.digits}
    kept = [digits.get(one.box) if one.kept else None for one in candidates]
    order = sorted(
        range(len(candidates)),
        key=lambda place: (
            (0, 0.0)
            if kept[place]
            else (1 if candidates[place].kept or not _is_other(candidates[place]) else 2, -candidates[place].score)
        ),
    )
    numbers = {place: number for number, place in enumerate(order, 1)}
    return [_Region(numbers[place], one, kept[place]) for place, one in enumerate(candidates)]


def _is_other(one: Candidate) -> bool:
    """Whether the line of a region that is left out shows a letter, a sign or nothing there."""
    return not one.kept and bool(one.lined) and kind_in_line(np.array(one.lined, np.float32)) != DIGIT


def _either(digit: Digit) -> str:
    return " or ".join(str(label) for label, _ in digit.topk[:EITHER])


def _facts(reading: Reading, regions: Sequence[_Region]) -> str:
    states = [region.state for region in regions]
    counts = (
        ("kept", "read"),
        ("doubt", "cannot be told"),
        ("other", "letters, signs or nothing"),
        ("rejected", "left out for other reasons"),
    )
    parts = ", ".join(f"{states.count(state)} {text}" for state, text in counts if state in states)
    facts = [f"{_count(len(regions), 'region')}{': ' if parts else ''}{parts}"]
    if reading.turned:
        facts.append(f"turned by {reading.turned}&deg; clockwise before it was read")
    facts.append(", ".join(f"{step} {spent:.1f} ms" for step, spent in reading.ms._asdict().items()))
    facts.append(escape(f"model {reading.model.name} ({reading.model.sha256[:12]})"))
    return " &middot; ".join(facts)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _on_picture(region: _Region, font: float, height: int) -> str:
    """A region on the picture, SVG: its box, which links to its row, and below it the digit that was read.

    Args:
        region: The region.
        font: Height of the largest labels, in pixels of the picture.
        height: The picture's height in pixels.
    """
    box = region.one.box
    label = ""
    if region.digit is not None:
        size = _limited(box.w / LETTER_SHARE, font)
        x, y = box.x + box.w / 2, min(box.y + box.h + FRAME_SHARE * font + size, height - 0.1 * size)
        label = f'<text x="{x:.1f}" y="{y:.1f}" style="font-size:{size:.1f}px">{region.label}</text>'
    return (
        f'<a id="b{region.number}" href="#r{region.number}" class="{region.state}" '
        f'aria-label="Region {region.number}: {escape(region.why)}"><title>{escape(region.why)}</title>'
        f'<rect x="{box.x}" y="{box.y}" width="{box.w}" height="{box.h}"/>{label}</a>'
    )


def _frame(number: Number, font: float, width: int) -> str:
    """A number on the picture, SVG: a frame around its digits, and above it the number and its confidence."""
    x, y, w, h = number.box
    margin = FRAME_SHARE * font
    label = f"{number.text} {number.confidence:.0%}"
    size = _limited(h / 2, font)
    left = max(0.0, min(x - margin, width - LETTER_SHARE * size * len(label)))
    above = y - margin - 0.3 * size
    base = above if above > size else y + h + margin + font + size
    return (
        f'<g class="number"><rect x="{x - margin:.1f}" y="{y - margin:.1f}" width="{w + 2 * margin:.1f}" '
        f'height="{h + 2 * margin:.1f}" pointer-events="none"/>'
        f'<text x="{left:.1f}" y="{base:.1f}" style="font-size:{size:.1f}px">{label}</text></g>'
    )


def _limited(size: float, font: float) -> float:
    """The size of a label's letters, between a half of `font` and all of it."""
    return max(font / 2, min(size, font))


def _numbers(reading: Reading, candidates: Sequence[Candidate]) -> str:
    """The table of numbers, HTML."""
    if not reading.numbers:
        return ""
    begins = {one.box: one.begins for one in candidates if one.kept}
    rows = []
    for number in reading.numbers:
        doubtful = [digit for digit in number.digits if digit.digit is None]
        least = min(number.digits, key=lambda digit: digit.confidence)
        doubt = "; ".join(f"{digit.text} is {_either(digit)}" for digit in doubtful)
        rows.append(
            f"<tr><td>{number.text}</td><td>{number.confidence:.3f}</td>"
            f"<td>{doubt or f'{least.text} {least.confidence:.3f}'}</td>"
            f"<td>{escape(begins.get(number.digits[0].box, ''))}</td></tr>"
        )
    return _NUMBERS.substitute(rows="\n".join(rows))


def _lines(strips: Sequence[Strip], regions: Sequence[_Region], reading: Reading) -> str:
    """The lines, HTML, in the order of their regions."""
    strips = [strip for strip in strips if strip.marks or strip.spans]
    if not strips:
        return ""

    def first(strip: Strip) -> int:  # a line without a region is read where nothing else is found
        return min((regions[span.candidate].number for span in strip.spans), default=0)

    shown = sorted(strips[:MAX_STRIPS], key=first)
    hidden = len(strips) - len(shown)
    return _STRIPS.substitute(
        left_out=f" {_count(hidden, 'line')} with smaller or fewer digits {'is' if hidden == 1 else 'are'} not shown."
        if hidden
        else "",
        strips="\n".join(f"<li>{_strip(strip, regions, reading)}</li>" for strip in shown),
    )


def _strip(strip: Strip, regions: Sequence[_Region], reading: Reading) -> str:
    """A line, SVG: its picture with the regions, what the recognizer reads, and what was read."""
    width = strip.image.shape[1]
    middles = [(span, (max(span.left, 0) + min(span.right, width)) / 2) for span in strip.spans]
    parts = [
        f'<image href="{_data(Image.fromarray(strip.image), "PNG")}" width="{width}" height="{STRIP_HEIGHT}"/>',
        *map(_mark, strip.marks),
    ]
    for span, middle in sorted(middles, key=lambda one: regions[one[0].candidate].digit is not None):
        region = regions[span.candidate]
        text = LEFT_OUT if region.state == "rejected" else region.label
        if region.digit is not None and region.digit.digit is None:
            likeliest = "".join(str(label) for label, _ in region.digit.topk[:EITHER])
            text += f'<tspan style="font-size:{STRIP_FONT / 2}px">{likeliest}</tspan>'
        parts.append(
            f'<a href="#r{region.number}" class="{region.state}" aria-label="Region {region.number}">'
            f"<title>{escape(region.why)}</title>"
            f'<rect x="{span.left:.1f}" y="2" width="{span.right - span.left:.1f}" height="{STRIP_HEIGHT - 4}"/>'
            f'<text x="{middle:.1f}" y="{RESULT_BASE}">{text}</text></a>'
        )
    for number in reading.numbers:
        boxes = {digit.box for digit in number.digits}
        spans = [span for span in strip.spans if regions[span.candidate].one.box in boxes]
        if spans:
            left, right = min(span.left for span in spans), max(span.right for span in spans)
            parts.append(f'<path class="brace" d="M{left:.1f} {RESULT_BASE + 4}H{right:.1f}"/>')
    seen = " ".join(mark.text for mark in strip.marks)
    return (
        f'<svg viewBox="0 0 {width} {STRIP_FOOT}" width="{STRIP_ZOOM * width}" role="group" '
        f'aria-label="Line: {seen}">{"".join(parts)}</svg>'
    )


def _mark(mark: Mark) -> str:
    """What the recognizer reads in a part of a strip, SVG. The less probable it is, the paler."""
    middle = (mark.left + mark.right) / 2
    share = f"{max(mark.probability, MIN_SHARE):.2f}"
    if mark.text == OTHER:
        return (
            f'<rect class="words" x="{mark.left}" y="{MARKS_BASE - 7}" width="{mark.right - mark.left}" height="6">'
            f"<title>a letter, a word or another sign ({mark.probability:.2f})</title></rect>"
        )
    state = ' class="sign"' if mark.text in SIGNS else ""
    return (
        f'<text{state} x="{middle:.1f}" y="{MARKS_BASE}" opacity="{share}">{mark.text}'
        f"<title>{mark.text} ({mark.probability:.2f})</title></text>"
    )


def _table(regions: Sequence[_Region], shown: Image.Image, turned: int) -> str:
    """The table of regions, HTML. turned: degrees clockwise that the picture was turned by."""
    groups = []
    for title, states in (
        ("In the reading", ("kept", "doubt")),
        ("Left out", ("rejected",)),
        ("Left out: letters, signs or nothing in their lines", ("other",)),
    ):
        rows = [_row(region, shown, turned) for region in regions if region.state in states]
        if rows:
            head = f'<tbody><tr class="group"><th scope="rowgroup" colspan="5">{title}</th></tr>\n'
            groups.append(head + "\n".join(rows) + "</tbody>")
    if not groups:
        return ""
    none = any(len(region.one.probabilities) > 10 for region in regions)
    return _TABLE.substitute(
        none=" &times; stands for &ldquo;no digit&rdquo;." if none else "", groups="\n".join(groups)
    )


def _row(region: _Region, shown: Image.Image, turned: int) -> str:
    """A region's row of the table, HTML. turned: degrees clockwise that the picture was turned by."""
    one = region.one
    box, best = one.box, max(one.probabilities)
    margin = max(2, max(box.w, box.h) // 8)
    # a region of a picture that was made level may lie beyond its edge: then the pixels at the edge are shown
    left, top = (max(0, min(at - margin, side - 1)) for at, side in zip(box[:2], shown.size, strict=True))
    right, bottom = (max(1, min(at + margin, side)) for at, side in zip(box.xyxy[2:], shown.size, strict=True))
    crop = shown.crop((left, top, right, bottom))
    crop.thumbnail((CROP_SIDE, CROP_SIDE))
    if turned:
        crop = crop.rotate(-turned, Image.Resampling.BILINEAR, expand=True)
    names = [*map(str, range(10)), "&times;"]
    bars = "".join(
        f'<li{" class=best" if chance == best else ""}><i style="height:{chance:.1%}"></i>{name}</li>'
        for name, chance in zip(names, one.probabilities, strict=False)
    )
    ranked = sorted(zip(one.probabilities, [*map(str, range(10)), "no digit"], strict=False), reverse=True)[:RANKED]
    begins = f"begins a number: {one.begins}" if one.begins else ""
    reasons = [region.why if region.state != "kept" else "", begins, _in_line(one), _found(one)]
    return _ROW.substitute(
        number=region.number,
        state=region.state,
        crop=_data(crop, "JPEG"),
        seen=_data(Image.fromarray(one.image), "PNG"),
        bars=bars,
        ranked=", ".join(f"{name} {chance:.3f}" for chance, name in ranked),
        label=region.label,
        confidence=f"{one.confidence:.3f}",
        why="".join(f"<small>{escape(reason)}</small>" for reason in reasons if reason),
    )


def _in_line(one: Candidate) -> str:
    """What the recognizer sees in a region's place, the likeliest first."""
    names = [*CLASSES, "letter or other sign", "nothing"]
    ranked = sorted(zip(one.lined, names, strict=False), reverse=True)[:RANKED]
    named = ", ".join(f"{name} {chance:.2f}" for chance, name in ranked if chance >= MIN_NAMED)
    return named and f"in its line: {named}"


def _found(one: Candidate) -> str:
    return f"detector: {one.score:.2f}" if one.score >= MIN_SCORE else "found by the line reader alone"


def _data(picture: Image.Image, form: str) -> str:
    file = io.BytesIO()
    picture.save(file, form, quality=JPEG_QUALITY)
    return f"data:image/{form.lower()};base64,{base64.b64encode(file.getvalue()).decode()}"
