"""digitocr data: what is in a labelled set of one's own."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from digitocr.cli import options
from digitocr.cli.batch.output import plain, say
from digitocr.cli.stderr import libraries_silenced
from digitocr.runtime.errors import GateError, InputError

EXAMPLES = "For example: digitocr data check digits/    digitocr data check labels.csv --sheet sheet.png --json"


@libraries_silenced()
def data(
    action: Annotated[Literal["check"], typer.Argument(help="check: look at a set before it is trained with.")],  # noqa: ARG001  # one so far
    source: Annotated[
        Path,
        typer.Argument(
            metavar="SOURCE",
            help="A folder for each class, a CSV, an .npz, IDX files, labels.json or JSON lines; see docs/data.md.",
        ),
    ],
    sheet: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="Also write a picture with ten pictures of each class.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all findings as one JSON object.")] = False,
    force: options.Force = False,
) -> None:
    """Look at a labelled set before it is trained with.

    Prints the counts of each class, sizes, polarity, duplicates, test pictures that are or nearly are training
    pictures, labels that the shipped network doubts, and what cannot be used. Exit code 4: a file could not be read or
    a label is no digit; 6: the set is not fit to train with. Needs the extra "train".
    """
    from digitocr.train.sources.check import as_text, check
    from digitocr.train.sources.load import read_source
    from digitocr.train.sources.sheet import sheet as drawn

    options.refuse_other_endings("--sheet", sheet, (".png",))
    options.refuse_overwriting(sheet, force)
    labelled = read_source(source)
    report = check(labelled)
    if sheet is not None:
        page = drawn(labelled)
        options.write(sheet, lambda beside: page.save(beside, "PNG"))
    say(json.dumps(report, indent=2) if as_json else "\n".join(map(plain, as_text(report).split("\n"))))
    if report["unreadable"]:
        raise InputError(f"{source}: {report['unreadable']} pictures or labels could not be read; correct them")
    if report["failures"]:
        more = f" (and {len(report['failures']) - 1} more)" if len(report["failures"]) > 1 else ""
        raise GateError(f"{source}: is not fit to train with: {report['failures'][0]}{more}")
