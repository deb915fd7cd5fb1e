"""An extension of mkdocstrings' parser: doctests in docstrings become blocks of code, wherever they stand."""

import re
from typing import Any

import griffe

DOCTEST = re.compile(r"(?m)^( *)>>> (?:.*\n?)(?: *\S.*\n?)*")


class FencedDoctests(griffe.Extension):
    """Fences each paragraph that begins with `>>>`."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrites the docstring of an object that was loaded."""
        if obj.docstring and not re.search(r"(?m)^Examples?:$", obj.docstring.value):
            obj.docstring.value = fenced(obj.docstring.value)


def fenced(text: str) -> str:
    r"""The docstring with its doctests fenced.

    >>> fenced("One:\n\n>>> 1\n1\n\nTwo.")
    'One:\n\n```pycon\n>>> 1\n1\n```\n\nTwo.'
    """
    return DOCTEST.sub(lambda block: f"{block[1]}```pycon\n{block[0].rstrip()}\n{block[1]}```\n", text)
