"""The report: one page that needs nothing but itself.

Documents are strangers' text: the page escapes all of it, holds no script and forbids any.
"""

import posixpath
from pathlib import Path
from typing import Any

import click
import jinja2
from markupsafe import Markup

from pipelines.commands.show import place
from pipelines.errors import RunError, said_of
from pipelines.plain import plain
from pipelines.prove import view as proof_view
from pipelines.report import curve, plots, samples
from pipelines.report import proof as proof_plot
from pipelines.report.spread import Numbers
from pipelines.report.view import View, gather
from pipelines.runs import FORMAT, Run, stores
from pipelines.units import say_share, say_size

FILE = "report.html"
LANGUAGES = 30  # that are shown


def command(folder: str, out: str | None) -> None:
    """Write the report of a run and print its path.

    Raises:
        RecipeError: if the folder is no run.
        RunError: if the run is not finished or damaged, or the file cannot be written.
    """
    run = Run.opened(folder)
    html = page(gather(run)).encode()
    try:
        if out is None:
            run.folder.write(FILE, html)
        elif stores.is_remote(out):
            stores.folder(posixpath.dirname(out)).write(posixpath.basename(out), html)
        else:
            Path(out).write_bytes(html)
    except OSError as error:
        said = said_of(error, out or run.folder.at(FILE))
        raise RunError(f"{said}: the report cannot be written") from error
    click.echo(out or place(run, FILE))


def page(view: View) -> str:
    """The report as HTML."""
    loader = jinja2.PackageLoader("pipelines.report", "")
    pages = jinja2.Environment(
        loader=loader,
        autoescape=True,
        finalize=lambda value: plain(value) if type(value) is str else value,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters |= {
        "number": "{:,}".format,
        "short": plots.short,
        "brief": plots.brief,
        "value": _value,
        "share": _share,
        "percent": say_share,
        "size": say_size,
    }
    style, _, _ = loader.get_source(pages, "report.css")
    return pages.get_template("report.html.jinja").render(
        view=view,
        plots=plots,
        curve=curve.curve,
        proof_plot=proof_plot,
        proof_view=proof_view,
        style=Markup(style),
        format=FORMAT,
        many=samples.MANY,
        many_languages=LANGUAGES,
        lost={(loss.language, loss.reason) for loss in view.losses},
        every=max(
            (c.every for g in view.groups for c in g.columns if isinstance(c, Numbers)), default=1
        ),
    )


def _share(part: float, whole: float) -> str:
    """A share in per cent; what is not nothing is not called nothing."""
    share = part / whole if whole else 0.0
    return "<0.1%" if 0 < share < 0.0005 else f"{share:.1%}"


def _value(value: Any) -> str:
    if value is None:
        return "no value"
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float):
        return plots.short(value)
    text = f"{value:,}" if type(value) is int else str(value)
    return text if len(text) <= 80 else f"{text[:79]}…"
