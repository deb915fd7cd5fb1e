"""Reports from templates: the same text as HTML in one file and as Markdown, and numbers as they are printed.

    render("study.j2", {"results": results, ...}, {"epochs": "<svg ..."}, results).markdown

A template imports html.j2 or md.j2 as `f` for headings, tables and figures.
"""

import base64
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from digitocr.runtime.errors import MissingExtraError
from digitocr.train.paper.statistics import PairedTest

try:
    import jinja2
except ImportError as error:
    raise MissingExtraError("train", "a report") from error

Values = dict[str, Any]


@dataclass(frozen=True)
class Pages:
    """A report.

    Attributes:
        html: The text of report.html, which needs no other file.
        markdown: The text of README.md, which refers to figures/.
        figures: The text of each SVG, by its name without ".svg".
        results: The results that the report is made from; None for a training run.
    """

    html: str
    markdown: str
    figures: dict[str, str]
    results: Values | None = field(default=None, repr=False)


def render(template: str, context: Values, drawn: dict[str, str], results: Values | None) -> Pages:
    """The report of a template with the values in `context` and the SVGs in `drawn`, by their names."""
    rendered = {}
    for form in ("html", "md"):
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
            autoescape=form == "html",
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters |= {"percent": percent, "between": between, "p_value": p_value, "difference": difference}
        environment.globals["image"] = _embedded(drawn) if form == "html" else _beside
        environment.globals["form"] = form
        text = environment.get_template(template).render(**context, drawn=drawn)
        rendered[form] = "\n".join(line.rstrip() for line in text.splitlines()) + "\n"
    return Pages(rendered["html"], _spaced(rendered["md"]), drawn, results)


def _spaced(markdown: str) -> str:
    """Each run of empty lines reduced to one."""
    while "\n\n\n" in markdown:
        markdown = markdown.replace("\n\n\n", "\n\n")
    return markdown.strip() + "\n"


def _embedded(drawn: dict[str, str]) -> Callable[[str], str]:
    def image(name: str) -> str:
        return f"data:image/svg+xml;base64,{base64.b64encode(drawn[name].encode()).decode()}"

    return image


def _beside(name: str) -> str:
    return f"figures/{name}.svg"


def percent(mean_low_high: tuple[float, float, float]) -> str:
    """Percent as "99.31 % (99.25 to 99.37)"; without the interval where that is nan."""
    mean, low, high = mean_low_high
    return f"{mean:.2f} %" + ("" if math.isnan(low) else f" ({between((low, high))})")


def between(low_high: tuple[float, float]) -> str:
    """An interval as "99.25 to 99.37", or "unknown" where it is nan."""
    low, high = low_high
    return "unknown" if math.isnan(low) else f"{low:.2f} to {high:.2f}"


def p_value(p: float | None) -> str:
    """A p value with three decimals; "none" where there was no test."""
    if p is None:
        return "none"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def difference(test: PairedTest) -> str:
    """A mean difference as "+0.274 points (+0.019 to +0.529)"; without the interval where that is nan."""
    interval = "" if math.isnan(test.low) else f" ({test.low:+.3f} to {test.high:+.3f})"
    return f"{test.difference:+.3f} {test.unit}{interval}"
