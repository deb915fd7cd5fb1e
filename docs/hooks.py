"""Hooks of mkdocs: pages of the site that lie outside docs/, and links between all pages.

In the repository, links lead from file to file: README.md names docs/live.md, docs/live.md names ../SECURITY.md. On the
site these files lie elsewhere, so each link is rewritten. A link to a file that the site does not hold becomes text.
"""

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
PAGES = {  # files of the repository -> pages of the site
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "runtime/models/README.md": "model-card.md",
    **{
        f"benchmarks/results/{path.name}": f"benchmarks/{path.name}"
        for path in sorted((ROOT / "benchmarks" / "results").iterdir())
        if path.suffix in (".md", ".json", ".svg")
    },
}
SOURCES = {page: source for source, page in PAGES.items()}
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s#]+)(#[^)\s]*)?\)")
CODE = re.compile(r"(?ms)^```.*?^```")


def on_files(files: Files, config: Any) -> Files:
    """Adds the pages that lie outside docs/."""
    for source, page in PAGES.items():
        file = File.generated(config, page, abs_src_path=str(ROOT / source))
        if page.startswith("benchmarks/"):
            file.inclusion = file.inclusion.NOT_IN_NAV  # pages that others link to
        files.append(file)
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Rewrites the links of a page, outside its blocks of code."""
    here = page.file.src_uri
    source = SOURCES.get(here, f"docs/{here}")
    parts, last = [], 0
    for block in CODE.finditer(markdown):
        parts += [linked(markdown[last : block.start()], source, here), block[0]]
        last = block.end()
    return "".join([*parts, linked(markdown[last:], source, here)])


def linked(text: str, source: str, page: str) -> str:
    """The text of a file of the repository with its links as those of a page of the site.

    >>> linked("see [live](docs/live.md#roi) and [the code](runtime/reader.py)", "README.md", "index.md")
    'see [live](live.md#roi) and the code'
    """

    def rewritten(link: re.Match[str]) -> str:
        mark, shown, target, anchor = link.groups()
        if re.match(r"[a-z]+:", target):
            return link[0]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        if path in PAGES:
            there = PAGES[path]
        elif path.startswith("docs/"):
            there = path.removeprefix("docs/")
        else:
            return shown
        return f"{mark}[{shown}]({posixpath.relpath(there, posixpath.dirname(page) or '.')}{anchor or ''})"

    return LINK.sub(rewritten, text)
