"""What is called without the parser is what the parser would call."""

import subprocess
import sys

import typer
from hypothesis import given, settings
from hypothesis import strategies as st

from digitocr.cli import quick
from digitocr.cli.commands.predict import predict
from digitocr.cli.main import command_line

SWITCHES = ("--jsonl", "--quiet", "--main", "--recursive", "--force", "--resume", "--fail-on-empty")
OTHERS = (
    "-r",
    "-",
    "--",
    "",
    "a b.png",
    "--mode",
    "single",
    "--output=x",
    "--json",
    "---jsonl",
    "-jsonl",
    "--model",
    "-h",
)
COMMAND = typer.main.get_command(command_line(["predict"])).commands["predict"]


@given(st.lists(st.sampled_from((*SWITCHES, *OTHERS, "photos/*.jpg")), max_size=4))
@settings(derandomize=True, deadline=None, max_examples=300)
def test_the_parser_finds_the_same(words):
    call = quick.call(["predict", *words])
    if call is None:
        return
    assert call.func is predict
    called = dict(quick._defaults(predict)) | {"sources": tuple(call.args[0])} | call.keywords
    assert called == COMMAND.make_context("predict", list(words)).params


def test_pictures_and_switches_need_no_parser():
    assert quick.call(["predict", "a.png", "-", "--jsonl", "--fail-on-empty"]) is not None
    for words in ([], ["predict"], ["predict", "--jsonl"], ["predict", "a.png", "--help"], ["predict", "a.png", "-r"]):
        assert quick.call(words) is None
    assert quick.call(["webcam", "a.png"]) is None


def test_the_parser_is_not_imported(pages):
    code = (
        "import os, sys; from digitocr.cli import main; sys.argv[1:] = ['predict', 'a.png', '--quiet']; "
        "os._exit = lambda _: os.write(1, ' '.join(sys.modules).encode()) and os.kill(os.getpid(), 15); main.main()"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=pages, capture_output=True, text=True)
    numbers, modules = done.stdout.strip().rsplit("\n", 1)
    assert numbers.split() == ["407", "12"]
    assert "cv2" in modules.split()
    assert "typer" not in modules.split()
