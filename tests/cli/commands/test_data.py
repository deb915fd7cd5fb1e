"""The command data."""

import json

import cv2
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from digitocr.cli.main import command_line
from digitocr.runtime.errors import GateError, InputError, OutputError, UsageError
from digitocr.train.sources import check as module


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two pictures of each digit; the shipped network is not asked."""
    monkeypatch.setattr(module, "_doubts", lambda *_: {"asked": 20, "differ": 0, "worst": []})
    for label in range(10):
        for number in range(6):
            image = np.zeros((28, 28), np.uint8)
            image[4 + label : 8 + label, 5 : 10 + 2 * number] = 255
            (tmp_path / "digits" / str(label)).mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(tmp_path / "digits" / str(label) / f"{number}.png"), image)
    return tmp_path / "digits"


def run(*words):
    return CliRunner().invoke(command_line(()), ["data", *map(str, words)])


def test_check_says_what_is_there(folder):
    done = run("check", folder)
    assert done.exception is None
    assert done.stdout.startswith("pictures      60; training and test: a share of each class, seed 0\n")


def test_names_of_files_change_nothing_on_a_terminal(folder):
    (folder / "5" / "0.png").rename(folder / "5" / "\x1b[2J.png")
    (folder / "5" / "again.png").write_bytes((folder / "5" / "\x1b[2J.png").read_bytes())
    done = run("check", folder)
    assert "\\x1b[2J.png" in done.stdout
    assert done.stdout.replace("\n", "").isprintable()


def test_json_and_a_sheet(folder, tmp_path):
    done = run("check", folder, "--json", "--sheet", tmp_path / "sheet.png")
    report = json.loads(done.stdout)
    assert (report["schema"], report["pictures"], report["failures"]) == ("digitocr-data/1", 60, [])
    with Image.open(tmp_path / "sheet.png") as page:
        assert page.size == (668, 620)


def test_a_sheet_is_not_overwritten_unasked(folder, tmp_path):
    (tmp_path / "sheet.png").write_text("mine")
    assert isinstance(run("check", folder, "--sheet", tmp_path / "sheet.png").exception, OutputError)
    assert (tmp_path / "sheet.png").read_text() == "mine"
    assert run("check", folder, "--sheet", tmp_path / "sheet.png", "--force").exception is None
    with Image.open(tmp_path / "sheet.png") as page:
        assert page.width == 668
    error = run("check", folder, "--sheet", tmp_path / "none" / "sheet.png").exception
    assert isinstance(error, OutputError)


def test_a_sheet_is_a_png_file_by_its_name_too(folder, tmp_path):
    error = run("check", folder, "--sheet", tmp_path / "sheet.txt").exception
    assert isinstance(error, UsageError)
    assert str(error) == f"--sheet draws .png files, not {tmp_path / 'sheet.txt'}"
    assert run("check", folder, "--sheet", tmp_path / "sheet.PNG").exception is None


def test_a_file_that_cannot_be_read_ends_with_4_after_the_report(folder):
    (folder / "3" / "bad.png").write_text("no picture")
    done = run("check", folder)
    assert isinstance(done.exception, InputError)
    assert "1 pictures or labels could not be read" in str(done.exception)
    assert f"not used      {folder}/3/bad.png: not a picture" in done.stdout


def test_a_set_that_is_unfit_ends_with_6_after_the_report(folder):
    for path in [*(folder / "7").iterdir(), *(folder / "8").iterdir()]:
        path.unlink()
    cv2.imwrite(str(folder / "3" / "same.png"), cv2.imread(str(folder / "4" / "0.png")))
    done = run("check", folder)
    assert isinstance(done.exception, GateError)
    assert "is not fit to train with: no picture of 7, 8 to train with" in str(done.exception)
    assert "(and 1 more)" in str(done.exception)
    assert done.stdout.count("FAILURE") == 2


def test_what_is_no_source_is_said(tmp_path):
    assert isinstance(run("check", tmp_path / "none").exception, InputError)
    assert run("look", tmp_path).exit_code == 2
