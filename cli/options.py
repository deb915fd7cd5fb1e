"""What commands ask of their own options."""

from collections.abc import Iterable

import typer

from digitocr.runtime.errors import UsageError


def refuse(context: typer.Context, names: Iterable[str], why: str) -> None:
    """Raises UsageError where one of these parameters was typed: what would do nothing is not passed over."""
    for option in context.command.params:
        name = option.name or ""
        source = context.get_parameter_source(name)
        if name in names and source is not None and source.name == "COMMANDLINE":
            raise UsageError(f"{'/'.join([*option.opts, *option.secondary_opts])} {why}")
