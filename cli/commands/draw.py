"""digitocr draw: a page on which one draws a digit and sees what a network makes of it."""

import sys
from pathlib import Path
from time import sleep
from typing import Annotated

import typer

from digitocr.cli.stderr import libraries_silenced

EXAMPLES = "For example: digitocr draw    digitocr draw runs/study    digitocr draw runs/first --port 8001"


@libraries_silenced()
def draw(
    sources: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[RUN]...",
            help="The folders of runs of digitocr train, study or search, or .keras files; default: the shipped "
            "network.",
        ),
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The page's port; 0 for any free one.")] = 8000,
    host: Annotated[
        str, typer.Option(help="The page's address; 0.0.0.0 or :: lets other machines draw.")
    ] = "127.0.0.1",
) -> None:
    """Draw a digit on a page and see at once what each layer of a network makes of it.

    The page shows the 28x28 pixels that the network gets, the feature maps of all its layers, the probabilities, and
    which patches of ink would change the answer if they were missing or added. Ctrl-C ends it.
    """
    from digitocr.cli.drawing.page import DrawPage, find_networks

    page = DrawPage(find_networks(sources or []), host, port)
    print(f"digitocr: open {page.server.address}", file=sys.stderr)
    if not page.server.local:
        print("digitocr: everybody who can reach this machine over the network can draw", file=sys.stderr)
    try:
        while True:
            sleep(1)  # the server has threads of its own
    except KeyboardInterrupt:
        page.server.close()
