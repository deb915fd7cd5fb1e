"""Options that several commands share."""

import inspect
from importlib import import_module
from typing import get_args, get_origin

import pytest
import typer
from typer.testing import CliRunner

from digitocr.cli import options
from digitocr.cli.main import COMMANDS
from digitocr.runtime.errors import UsageError

SHARED = {name.lower(): value for name, value in vars(options).items() if get_origin(value) and get_args(value)[1:]}

OTHER_MEANING = {
    ("export", "model"),  # a .keras file
    ("export", "detector"),  # what C files and pages are made of
    ("export", "recognizer"),
    ("evaluate", "model"),  # any network that reads a digit
    ("evaluate", "conf"),  # above which a picture counts as a digit
}


def parameters(command):
    module = import_module(f"digitocr.cli.commands.{command}")
    names = {**vars(module), "typer": typer, "options": options}  # as main.py puts them there
    return inspect.signature(getattr(module, command), globals=names, eval_str=True).parameters


@pytest.mark.parametrize("command", COMMANDS)
def test_an_option_that_several_commands_have_is_defined_once(command):
    for name, parameter in parameters(command).items():
        if name in SHARED and (command, name) not in OTHER_MEANING:
            assert parameter.annotation == SHARED[name], name


def test_shared_options_are_used():
    used = {name for command in COMMANDS for name in parameters(command)}
    assert set(SHARED) <= used
    assert {"model", "data", "quiet", "force"} <= set(SHARED)


def test_an_option_that_would_have_no_effect_is_refused_if_it_was_typed():
    app = typer.Typer()

    @app.command()
    def command(context: typer.Context, seed: options.Seed = 0, quiet: options.Quiet = False) -> None:
        options.refuse(context, ("seed",), "is for drawing; leave it out")

    for words in ([], ["--quiet"]):
        assert CliRunner().invoke(app, words).exit_code == 0
    for words in (["--seed", "0"], ["--seed=3", "--quiet"]):
        error = CliRunner().invoke(app, words).exception
        assert isinstance(error, UsageError)
        assert str(error) == "--seed is for drawing; leave it out"
