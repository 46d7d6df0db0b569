"""Renders the report: one HTML file that can be mailed, opened without a network and read without JavaScript."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from monitor.core.wording import printable
from monitor.report.heat import LEGEND
from monitor.report.model import ReportData
from monitor.report.quality import HEADINGS
from monitor.report.views import model_view

if TYPE_CHECKING:
    from jinja2 import Environment


def render(data: ReportData | Sequence[ReportData]) -> str:
    """Return the page of one model, or of several with an overview on top.

    Raises
    ------
    ValueError
        Without any model.
    """
    reports = [data] if isinstance(data, ReportData) else list(data)
    if not reports:
        raise ValueError("a report needs at least one model")
    models = [model_view(report, f"m{place}") for place, report in enumerate(reports)]
    ranks = ("critical", "warning", "unknown", "calm")
    models.sort(key=lambda model: ranks.index(model.headline.level))
    return (
        templates()
        .get_template("page.html.j2")
        .render(models=models, many=len(models) > 1, legend=LEGEND, headings=HEADINGS, first=reports[0])
    )


def _visible(value: object) -> object:
    """Return a text without characters that hide or turn round what stands beside them; markup of our own as it is."""
    if type(value) is not str or value.isprintable():
        return value
    return "\n".join(map(printable, value.split("\n")))


@cache
def templates() -> "Environment":
    """Return the templates, prepared once; whatever they are given is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    from checks.wording import share_text
    from monitor.core.wording import moment
    from monitor.report.words import when

    environment = Environment(
        loader=PackageLoader("monitor.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        finalize=_visible,
    )
    environment.filters["moment"] = moment
    environment.filters["share"] = share_text
    environment.filters["when"] = when
    return environment
