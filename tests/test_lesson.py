"""examples/lesson.ipynb runs from its first cell to its last, as Jupyter runs it, with less data."""

import ast
import json
from dataclasses import replace
from pathlib import Path

import pytest

from digitocr.train import data

EXAMPLES = Path(__file__).parents[1] / "examples"
CELLS = json.loads((EXAMPLES / "lesson.ipynb").read_text("utf-8"))["cells"]
CODE = ["".join(cell["source"]) for cell in CELLS if cell["cell_type"] == "code"]


def test_it_has_ten_cells_each_under_a_word_and_no_results():
    assert len(CODE) == 10
    assert [cell["cell_type"] for cell in CELLS] == ["markdown", *["markdown", "code"] * 10]
    assert [("".join(cell["source"]))[:4] for cell in CELLS[1::2]] == [
        f"**{n}." if n < 10 else "**10" for n in range(1, 11)
    ]
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in CELLS)


# Keras (3.15) saves its variables through an __array__ that NumPy 2 finds outdated.
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")
def test_it_trains_exports_and_reads(mnist, monkeypatch, tmp_path, capsys):
    small = replace(mnist, test_images=mnist.test_images[:500], test_labels=mnist.test_labels[:500])
    monkeypatch.setattr(data, "load_mnist", lambda: small)
    monkeypatch.chdir(EXAMPLES)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    first = CODE[0].replace("IMAGES, EPOCHS = 2000, 3", "IMAGES, EPOCHS = 1000, 2")
    assert first != CODE[0]
    names, shown, printed = {}, [], []
    for cell in (first, *CODE[1:]):
        *body, last = ast.parse(cell).body
        exec(compile(ast.Module(body, []), "lesson", "exec"), names)
        if isinstance(last, ast.Expr):
            shown.append(eval(compile(ast.Expression(last.value), "lesson", "eval"), names))
        else:
            exec(compile(ast.Module([last], []), "lesson", "exec"), names)
        printed.append(capsys.readouterr().out)
    assert [picture.size for picture in shown if picture] == [(1120, 56), (672, 56), (1248, 78), (960, 960)]
    shown[-1].close()
    assert float(printed[4].split("%")[0]) > 50  # of ten answers; a die has 10
    labels, answers = (line.split()[1:] for line in printed[5].splitlines())
    assert all(label != answer for label, answer in zip(labels, answers, strict=True))
    read, labels = (line.split()[1:] for line in printed[8].splitlines())
    assert sum(one == other for one, other in zip(read, labels, strict=True)) >= 5
    assert "read: " in printed[9]
    (folder,) = tmp_path.glob("*/run/model.keras")
    assert f"digitocr draw {folder.parent}\n" in printed[9]
