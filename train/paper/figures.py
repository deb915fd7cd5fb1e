"""Figures as SVG that follows the reader's light or dark and prints: the paper's nine and those of a study.

    svg = bars([5923, 6742, ...], "Training images")        # text of one .svg file

Text and lines are drawn in one colour, which the file's own style sheet turns with the colour scheme; pictures of
digits are ink on black in both. The same input gives the same bytes.
"""

import io
from collections.abc import Callable, Mapping, Sequence

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axis import Axis
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

INK = "#1c2025"  # stands for the reader's text colour
COLOURS = ("#3b82c4", "#d97706", "#2f9e6e", "#a855c7")  # legible on white and on near black
_STYLE = (
    f"<style>svg {{ color: {INK} }} @media (prefers-color-scheme: dark) {{ svg {{ color: #e8ebee }} }} "
    f"@media print {{ svg {{ color: {INK} }} }}</style>"
)
_SETTINGS = {
    "svg.hashsalt": "digitocr",  # names inside the file are the same each time
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
Image = npt.NDArray[np.floating] | npt.NDArray[np.uint8]


def _drawn(draw: Callable[[Figure], None], size: tuple[float, float]) -> str:
    """What draw draws on a figure of that size in inches."""
    with mpl.rc_context(_SETTINGS):
        figure = Figure(figsize=size, layout="constrained")
        draw(figure)
        content = io.StringIO()
        figure.savefig(content, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = content.getvalue()
    svg = svg[svg.index("<svg") :].replace(INK, "currentColor")
    end = svg.index(">") + 1
    return svg[:end] + _STYLE + svg[end:]


def labels(counts: Sequence[int]) -> str:
    """Figure 1: how often each digit occurs."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.bar(range(len(counts)), counts, color=COLOURS[0])
        for digit, count in enumerate(counts):
            axes.text(digit, count, f"{count:,}", ha="center", va="bottom", fontsize=8)
        axes.set(xticks=range(len(counts)), xlabel="label", ylabel="training images")

    return _drawn(draw, (7, 3))


def grid(images: Sequence[Image], columns: int, titles: Sequence[str] | None = None) -> str:
    """Figures 2, 4, 5, 6 and 9: pictures of one size side by side, each from its darkest to its brightest value.

    titles: two lines to stand over each. Drawn as one picture, which takes a twentieth of the time of one for each.
    """
    enlarge = -(-24 // len(images[0]))  # a filter has three pixels, and the gaps would be as wide
    images = [image.repeat(enlarge, axis=0).repeat(enlarge, axis=1) for image in images]
    side, rows = len(images[0]), -(-len(images) // columns)
    across, over = side * 1.18, side * (1.18 if titles is None else 1.55)  # from picture to picture
    gap, room = int(across) - side, int(over) - side
    sheet = np.full((rows * (side + room), columns * (side + gap)), np.nan)  # nan is drawn transparent
    for place, image in enumerate(images):
        top, left = room + (side + room) * (place // columns), (side + gap) * (place % columns)
        low, high = float(image.min()), float(image.max())
        sheet[top : top + side, left : left + side] = (image - low) / ((high - low) or 1)
    inches = 0.62 if titles is None else 1.45

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.imshow(sheet, cmap="gray", vmin=0, vmax=1, interpolation="none")
        axes.axis("off")
        for place, title in enumerate(titles or ()):
            left, top = (side + gap) * (place % columns), room + (side + room) * (place // columns)
            axes.text(left + side / 2, top - 1.5, title, ha="center", va="bottom", fontsize=8)

    return _drawn(draw, (columns * inches, rows * inches * sheet.shape[0] / rows / (side + gap)))


def matrix(confusion: Sequence[Sequence[float]]) -> str:
    """Figure 8: row the truth, column the answer; colour shows the mistakes alone."""
    classes = range(len(confusion))
    wrong = np.array([[0 if t == a else confusion[t][a] for a in classes] for t in classes], float)

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        shade = np.zeros((*wrong.shape, 4))
        shade[..., :3] = to_rgb(COLOURS[1])
        shade[..., 3] = wrong / max(wrong.max(), 1)
        axes.imshow(shade, interpolation="none")
        for t in classes:
            for a in classes:
                if confusion[t][a]:
                    axes.text(a, t, f"{confusion[t][a]:.4g}", ha="center", va="center", fontsize=8)
        axes.set(xlabel="answer", ylabel="truth", xticks=classes, yticks=classes)

    return _drawn(draw, (5.5, 5.2))


def curves(
    by_name: Mapping[str, Sequence[Sequence[float]]], ylabel: str, level: tuple[str, float] | None = None
) -> str:
    """A line for each name, the mean of its runs' accuracies, and a band from the least to the greatest, by epoch.

    Accuracies and level in %; level: the name and the height of a broken line across all epochs. The axis is
    logarithmic in what is wrong: a first epoch of 40 % leaves room to tell 99.1 from 99.2.
    """

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for number, (name, runs) in enumerate(by_name.items()):
            values = np.maximum(100 - np.array(runs), 0.01)
            epochs = np.arange(1, values.shape[1] + 1)
            colour = COLOURS[number % len(COLOURS)]
            axes.plot(epochs, values.mean(axis=0), marker=".", label=name, color=colour)
            axes.fill_between(epochs, values.min(axis=0), values.max(axis=0), alpha=0.15, color=colour, lw=0)
        if level:
            axes.axhline(100 - level[1], linestyle="--", lw=1, color=INK, label=level[0])
        axes.set(xlabel="epoch", ylabel=ylabel, yscale="log")
        axes.invert_yaxis()
        _plain_ticks(axes.yaxis, lambda wrong: 100 - wrong)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)

    return _drawn(draw, (7, 3.6))


def dots(by_name: Mapping[str, Sequence[float]], marks: Mapping[str, float], xlabel: str, mark: str) -> str:
    """A row for each name: a dot a run, their mean as a bar, and a cross for a number of somebody else's."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for row, (name, values) in enumerate(by_name.items()):
            colour = COLOURS[0]
            axes.plot(values, [row] * len(values), "o", color=colour, alpha=0.6, label="a run" if row == 0 else None)
            axes.plot(
                [np.mean(values)],
                [row],
                "|",
                color=colour,
                markersize=18,
                mew=2,
                label="their mean" if row == 0 else None,
            )
            if name in marks:
                axes.plot([marks[name]], [row], "x", color=COLOURS[1], mew=2, label=mark if row == 0 else None)
        axes.set(yticks=range(len(by_name)), yticklabels=by_name, xlabel=xlabel, ylim=(len(by_name) - 0.5, -0.5))
        axes.grid(axis="x", alpha=0.3)
        axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=3)

    return _drawn(draw, (7, 0.9 + 0.38 * len(by_name)))


def front(points: Sequence[tuple[float, float]], best: Sequence[tuple[float, float]], xlabel: str, ylabel: str) -> str:
    """Trials as dots, (x, y) each, both over 0, and the best of them as a stepped line; on logarithmic axes."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.plot(*zip(*points, strict=True), "o", color=COLOURS[0], alpha=0.45, label="a trial")
        axes.plot(
            *zip(*sorted(best), strict=True),
            "o-",
            color=COLOURS[1],
            drawstyle="steps-post",
            label="the front of the two",
        )
        axes.set(xlabel=xlabel, ylabel=ylabel, xscale="log", yscale="log")
        for axis in (axes.xaxis, axes.yaxis):
            _plain_ticks(axis)
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)

    return _drawn(draw, (7, 4))


def _plain_ticks(axis: Axis, shown: Callable[[float], float] = lambda value: value) -> None:
    """Ticks at 1, 2 and 5 of each power of ten of a logarithmic axis, without exponents."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(lambda value, _: f"{shown(value):g}")
    axis.set_minor_locator(NullLocator())
