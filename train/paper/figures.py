"""Figures: the paper's nine, those of a study and a search as SVG, and the curves of a training run as PNG.

    svg = labels([5923, 6742, ...])        # the text of an .svg file

Text and lines of an SVG have one colour, which the file's own style sheet changes with the reader's light or dark
scheme and for print; images of digits are ink on black in both. Equal input gives equal bytes.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

INK_COLOUR = "#1c2025"  # replaced by the reader's text colour
COLOURS = ("#3b82c4", "#d97706", "#2f9e6e", "#a855c7")  # legible on white and on near black
MIN_ERROR = 0.01  # percent; stands for no error on a logarithmic axis
IMAGE_SIDE = 24  # pixels that a smaller image is enlarged to, as the gaps would be as wide as a 3x3 filter
_STYLE = (
    f"<style>svg {{ color: {INK_COLOUR} }} @media (prefers-color-scheme: dark) {{ svg {{ color: #e8ebee }} }} "
    f"@media print {{ svg {{ color: {INK_COLOUR} }} }}</style>"
)
_SETTINGS = {
    "svg.hashsalt": "digitocr",  # makes the identifiers inside the file reproducible
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK_COLOUR,
    "axes.edgecolor": INK_COLOUR,
    "axes.labelcolor": INK_COLOUR,
    "xtick.color": INK_COLOUR,
    "ytick.color": INK_COLOUR,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
Image = npt.NDArray[np.floating] | npt.NDArray[np.uint8]


def _svg(draw: Callable[[Figure], None], size: tuple[float, float]) -> str:
    """The text of an SVG of what `draw` draws on a figure of that width and height in inches."""
    with mpl.rc_context(_SETTINGS):
        figure = Figure(figsize=size, layout="constrained")
        draw(figure)
        content = io.StringIO()
        figure.savefig(content, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = content.getvalue()
    svg = svg[svg.index("<svg") :].replace(INK_COLOUR, "currentColor")
    end = svg.index(">") + 1
    return svg[:end] + _STYLE + svg[end:]


def labels(counts: Sequence[int]) -> str:
    """Figure 1: the number of training images of each digit."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.bar(range(len(counts)), counts, color=COLOURS[0])
        for digit, count in enumerate(counts):
            axes.text(digit, count, f"{count:,}", ha="center", va="bottom", fontsize=8)
        axes.set(xticks=range(len(counts)), xlabel="label", ylabel="training images")

    return _svg(draw, (7, 3))


def grid(images: Sequence[Image], columns: int, titles: Sequence[str] | None = None) -> str:
    """Figures 2, 4, 5, 6 and 9: images of one size in rows, each scaled from its least to its greatest value.

    All images are drawn as one, since a single image is quick to draw.

    Args:
        images: All of one size.
        columns: Images in a row.
        titles: Two lines of text over each image.
    """
    enlarge = -(-IMAGE_SIDE // len(images[0]))
    images = [image.repeat(enlarge, axis=0).repeat(enlarge, axis=1) for image in images]
    side, rows = len(images[0]), -(-len(images) // columns)
    across, over = side * 1.18, side * (1.18 if titles is None else 1.55)  # from image to image
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

    return _svg(draw, (columns * inches, rows * inches * sheet.shape[0] / rows / (side + gap)))


def matrix(confusion: Sequence[Sequence[float]]) -> str:
    """Figure 8: a confusion matrix of counts; rows are labels, columns answers. Only the mistakes are coloured."""
    return _svg(lambda figure: _draw_matrix(figure.subplots(), confusion), (5.5, 5.2))


def _draw_matrix(axes: Axes, confusion: Sequence[Sequence[float]]) -> None:
    classes = range(len(confusion))
    wrong = np.array([[0 if t == a else confusion[t][a] for a in classes] for t in classes], float)
    shade = np.zeros((*wrong.shape, 4))
    shade[..., :3] = to_rgb(COLOURS[1])
    shade[..., 3] = wrong / max(wrong.max(), 1)
    axes.imshow(shade, interpolation="none")
    for t in classes:
        for a in classes:
            if confusion[t][a]:
                axes.text(a, t, f"{confusion[t][a]:.4g}", ha="center", va="center", fontsize=8)
    axes.set(xlabel="answer", ylabel="label", xticks=classes, yticks=classes)


def curves(
    by_name: Mapping[str, Sequence[Sequence[float]]], ylabel: str, level: tuple[str, float] | None = None
) -> str:
    """Accuracy by epoch: for each name a line, the mean of its runs, and a band from the lowest to the highest run.

    The axis is logarithmic in the error, so that 99.1 and 99.2 differ visibly although the first epoch is at 40.

    Args:
        by_name: For each name its runs, and for each run its accuracies in percent, one per epoch.
        ylabel: The label of the axis.
        level: The name and height of a dashed horizontal line.
    """

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        _draw_curves(axes, by_name, ylabel)
        if level:
            axes.axhline(100 - level[1], linestyle="--", lw=1, color=INK_COLOUR, label=level[0])
        axes.legend(frameon=False)

    return _svg(draw, (7, 3.6))


def _draw_curves(axes: Axes, by_name: Mapping[str, Sequence[Sequence[float]]], ylabel: str) -> None:
    for number, (name, runs) in enumerate(by_name.items()):
        values = np.maximum(100 - np.array(runs), MIN_ERROR)
        colour = COLOURS[number % len(COLOURS)]
        epochs = np.arange(1, values.shape[1] + 1)
        axes.plot(epochs, values.mean(axis=0), marker=".", label=name, color=colour)
        axes.fill_between(epochs, values.min(axis=0), values.max(axis=0), alpha=0.15, color=colour, lw=0)
    axes.set(xlabel="epoch", ylabel=ylabel, yscale="log")
    axes.invert_yaxis()
    _plain_ticks(axes.yaxis, lambda wrong: 100 - wrong)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.grid(alpha=0.3)


def draw_curves(history: Sequence[Mapping[str, float]], confusion: Sequence[Sequence[int]], path: Path) -> None:
    """Writes the PNG of a training run: accuracy and loss by epoch, and the confusion matrix of the test images.

    Args:
        history: One row per epoch with accuracy, loss, val_accuracy and val_loss.
        confusion: Rows are labels, columns answers, in counts.
        path: The file to write.
    """
    series = {"training": "", "held out": "val_"}  # the prefixes of their columns
    with mpl.rc_context(_SETTINGS):
        figure = Figure(figsize=(15, 4.5), layout="constrained")
        accuracy, loss, matrix_axes = figure.subplots(1, 3)
        shares = {name: [[100 * row[f"{prefix}accuracy"] for row in history]] for name, prefix in series.items()}
        _draw_curves(accuracy, shares, "accuracy, %")
        for number, (name, prefix) in enumerate(series.items()):
            losses = [row[f"{prefix}loss"] for row in history]
            loss.plot(range(1, len(losses) + 1), losses, marker=".", label=name, color=COLOURS[number])
        loss.set(xlabel="epoch", ylabel="loss")
        loss.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        loss.grid(alpha=0.3)
        accuracy.legend(frameon=False)
        loss.legend(frameon=False)
        _draw_matrix(matrix_axes, confusion)
        figure.savefig(path, dpi=100, format="png")


def dots(by_name: Mapping[str, Sequence[float]], marks: Mapping[str, float], xlabel: str, mark: str) -> str:
    """A row for each name: a dot for each run, a bar for their mean, and a cross for the value in `marks`."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for row, (name, values) in enumerate(by_name.items()):
            colour = COLOURS[0]
            axes.plot(values, [row] * len(values), "o", color=colour, alpha=0.6, label="run" if row == 0 else None)
            axes.plot(
                [np.mean(values)],
                [row],
                "|",
                color=colour,
                markersize=18,
                mew=2,
                label="mean" if row == 0 else None,
            )
            if name in marks:
                axes.plot([marks[name]], [row], "x", color=COLOURS[1], mew=2, label=mark if row == 0 else None)
        axes.set(yticks=range(len(by_name)), yticklabels=by_name, xlabel=xlabel, ylim=(len(by_name) - 0.5, -0.5))
        axes.grid(axis="x", alpha=0.3)
        axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=3)

    return _svg(draw, (7, 0.9 + 0.38 * len(by_name)))


def front(points: Sequence[tuple[float, float]], best: Sequence[tuple[float, float]], xlabel: str, ylabel: str) -> str:
    """Trials as dots, the best of them joined by a stepped line, on logarithmic axes. Points: (x, y), both above 0."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.plot(*zip(*points, strict=True), "o", color=COLOURS[0], alpha=0.45, label="trial")
        axes.plot(
            *zip(*sorted(best), strict=True),
            "o-",
            color=COLOURS[1],
            drawstyle="steps-post",
            label="Pareto front",
        )
        axes.set(xlabel=xlabel, ylabel=ylabel, xscale="log", yscale="log")
        for axis in (axes.xaxis, axes.yaxis):
            _plain_ticks(axis)
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)

    return _svg(draw, (7, 4))


def _plain_ticks(axis: Axis, shown: Callable[[float], float] = lambda value: value) -> None:
    """Ticks of a logarithmic axis at 1, 2 and 5 times each power of ten, labelled without exponents."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(lambda value, _: f"{shown(value):g}")
    axis.set_minor_locator(NullLocator())
