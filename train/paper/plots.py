"""The pictures of a run: how it went, epoch by epoch, and which digits were taken for which."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure


def draw_curves(history: Sequence[dict[str, float]], confusion: Sequence[Sequence[int]], path: Path) -> None:
    """Writes a PNG: accuracy and loss by epoch on training and held-out images, and a confusion matrix of counts.

    history: for each epoch its epoch, accuracy, loss, val_accuracy, val_loss; confusion: row the truth, column the
    answer. In the matrix the right answers are left white, so that the colours show the mistakes.
    """
    figure = Figure(figsize=(15, 4.5), layout="constrained")
    accuracy, loss, matrix = figure.subplots(1, 3)
    epochs = [row["epoch"] for row in history]
    for axes, name in ((accuracy, "accuracy"), (loss, "loss")):
        axes.plot(epochs, [row[name] for row in history], marker=".", label="training")
        axes.plot(epochs, [row[f"val_{name}"] for row in history], marker=".", label="held out")
        axes.set(title=name.capitalize(), xlabel="epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        axes.legend()
    classes = range(len(confusion))
    matrix.imshow([[0 if t == a else confusion[t][a] for a in classes] for t in classes], cmap="Reds")
    for t in classes:
        for a in classes:
            if confusion[t][a]:
                matrix.text(a, t, str(confusion[t][a]), ha="center", va="center", fontsize=7)
    matrix.set(title="Test images", xlabel="answer", ylabel="truth", xticks=classes, yticks=classes)
    figure.savefig(path, dpi=100, format="png")
