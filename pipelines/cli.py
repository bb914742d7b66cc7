"""The `karez` command: arguments in, one call, a short table out."""

import io
import resource
import signal
import sys
from importlib import import_module
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import click

# Steps are imported inside their commands: Beam takes seconds, and `karez -h` should not.

PATH = click.Path(path_type=Path)

OURS = {"filters": "Filters: ", "labeling": "Labels: ", "graphs": "Graphs: "}
"""Our packages with common names, and how their docstrings begin."""
SPACE = 3_500_000_000
"""Bytes of addresses that a small run asks for: Beam, Arrow, DuckDB and LLVM set them aside."""


class Guarded(click.Command):
    """A command of ours: what the user can put right is one message and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Do it."""
        from pipelines.errors import SHORT, KarezError

        check_owners()
        _prepare()
        try:
            check_space()
            return super().invoke(ctx)
        except KarezError as error:
            click.echo(f"karez: {error}", err=True)
            ctx.exit(error.exit_code)
        except MemoryError:
            click.echo(f"karez: {SHORT}", err=True)
            ctx.exit(1)
        except KeyboardInterrupt:
            click.echo("karez: interrupted; run it again and it goes on from here", err=True)
            ctx.exit(1)


class Main(click.Group):
    """All commands; what the system says, of files or of a full disk, is told in one line."""

    command_class = Guarded

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """As click does it."""
        try:
            return super().main(*args, **kwargs)
        except OSError as error:
            from pipelines.errors import is_told, said_of

            if not is_told(error):
                raise
            click.echo(f"karez: {said_of(error, 'the system says')}", err=True)
            sys.exit(1)


@click.group(cls=Main, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="karez", message="%(version)s")
def main() -> None:
    """Turn a crawl of text into a small training set that teaches as much as a huge one."""


class BeamCommand(Guarded):
    """A command that hands on to Beam what follows ``--``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Ours before the ``--``."""
        at = args.index("--") if "--" in args else len(args)
        ctx.params["beam"] = args[at + 1 :]
        return super().parse_args(ctx, args[:at])

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """With the ``--`` at the end."""
        return [*super().collect_usage_pieces(ctx), "[-- BEAM OPTIONS]"]


@main.command(cls=BeamCommand)
@click.argument("paths", nargs=-1, required=True, metavar="RECIPE|PATH…")
@click.option("--run", "folder", metavar="DIR", help="The run folder; runs/<name> unless told.")
@click.option(
    "--from", "other", metavar="DIR", help="Take documents and unchanged columns of this run."
)
@click.option("--workers", type=click.IntRange(1), default=1, help="Worker processes here.")
@click.option(
    "--exchange",
    type=click.Choice(["files", "shuffle"]),
    help="How rows meet: through files of the run folder, or sent by the runner (on clusters).",
)
@click.option("--limit", type=click.IntRange(1), help="Read the first so many of each source.")
@click.option("--only", metavar="STEP", help="Do this step alone: ingest, scan, rules, …")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def run(paths: tuple[str, ...], **options: Any) -> None:
    """Make a dataset from files: clean them, drop duplicates, publish shards and a card.

    RECIPE is one .toml file that decides everything.  With PATHs instead, files or folders of WARC,
    HTML, text, JSON lines, Parquet, tar or a Hugging Face dataset, a recipe with good defaults is
    made and saved in the run folder.  A rerun does only what is missing or changed.

    \b
    Examples:
        karez run crawl/ dump.jsonl.gz
        karez run recipe.toml --workers 2
        karez run stricter.toml --from runs/manual
        karez run recipe.toml -- --runner=PrismRunner --prism_location=bin/prism
    """  # noqa: D301 (\b is click's mark for a paragraph it must not rewrap)
    from pipelines.commands import run as command

    command.run(command.Asked([Path(p) for p in paths], **options))


@main.command()
@click.argument("folder", metavar="DIR")
@click.argument("key", metavar="ID|URL")
@click.option("--page", is_flag=True, help="Show its page too: the blocks, and what was kept.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def explain(folder: str, key: str, page: bool, as_json: bool) -> None:
    """Say why one document of a run is in or out: every rule, score and edit.

    The document is named by its id (or the first 8 digits of it), its URL or the user's own key.

    \b
    Examples:
        karez explain runs/manual https://docs.example.org/intro
        karez explain runs/manual 05f63e5b --json
        karez explain runs/manual https://docs.example.org/intro --page
    """  # noqa: D301
    from pipelines.commands import explain

    explain.command(folder, key, page, as_json)


@main.command()
@click.argument("folder", metavar="DIR")
@click.option("--out", metavar="FILE", help="Where to write it; DIR/report.html unless told.")
def view(folder: str, out: str | None) -> None:
    """Write a report of a run: every reason, every column's spread, documents to look at.

    It is one HTML file that needs nothing but itself and runs no script.

    \b
    Examples:
        karez view runs/manual
        karez view runs/manual --out manual.html
    """  # noqa: D301
    from pipelines.report import command as report

    report.command(folder, out)


@main.command()
@click.argument("folder", metavar="DIR")
@click.option("--target", multiple=True, type=PATH, help="Clean texts of the domain that is meant.")
@click.option("--general", multiple=True, type=PATH, help="Clean texts of all kinds.")
@click.option("--against", multiple=True, type=PATH, help="Another run, or a folder of texts.")
@click.option("--without-each-rule", is_flag=True, help="The recipe with one rule left out, each.")
@click.option("--tokens", type=click.IntRange(1), help="That each model learns from.")
@click.option(
    "--seeds", type=click.IntRange(1), default=3, show_default=True, help="Models an arm."
)
@click.option("--size", type=click.Choice(["cpu", "gpu", "tiny"]), default="cpu", help="Of models.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def prove(folder: str, **options: Any) -> None:
    """Measure whether what a run published teaches more a token than its corpus does.

    Small models of one size are trained on equal tokens of a random sample of the deduplicated
    corpus, of the ocean that rules alone let through, of what was published, and of what --against
    names.  Held-out texts are files or folders of plain text, or of rows with a field "text"; what
    shares 13 words in a row with them is left out everywhere.  Cut off, it goes on from there; what
    was trained before is not trained again.  `karez view DIR` shows the curves.

    \b
    Examples:
        karez prove runs/manual --target manuals/ --general wikipedia.jsonl
        karez prove runs/manual --against runs/other --against fineweb/ --seeds 5
    """  # noqa: D301
    from pipelines.prove.command import Asked, command

    command(Asked(folder, **options))


@main.command()
@click.argument("folder", metavar="DIR")
@click.argument("names", nargs=-1, metavar="URL|HOST|SOURCE-KEY|PATH…")
@click.option("--file", type=PATH, metavar="LIST", help="More, one a line.")
@click.option("--reason", metavar="TEXT", help="Is kept beside the refusal, as it is written.")
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and change nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def forget(folder: str, names: tuple[str, ...], **options: Any) -> None:
    """Take out of a run what a site or a person asks to have removed, and keep it out.

    example.org is that host alone, *.example.org all hosts below it; a path is that file of a
    source.  Text, names and measures of the documents go, out of the published dataset too; a hash
    says to later crawls and runs of this folder that it is refused.  Not changed are your own
    source files, runs that took documents of this one by --from (forget, and run these again), and
    copies that were made of the dataset.  Other pages that link to it, or quote it, stay.  Cut off,
    it is finished by the same command.

    \b
    Examples:
        karez forget runs/manual https://docs.example.org/intro
        karez forget runs/manual example.org *.example.org --reason "asked on 3 May"
        karez forget runs/manual --file requests.txt --dry-run
    """  # noqa: D301
    from pipelines.forget import command as forget

    forget.command(forget.Asked(folder, names, **options))


@main.command()
@click.argument("recipe", type=PATH, metavar="RECIPE")
@click.option("--run", "folder", metavar="DIR", help="The run folder; runs/<name> unless told.")
@click.option(
    "--price",
    type=PATH,
    metavar="FILE",
    help="Say what 1 TB, 100 TB and 1 PB of such text take and cost, at the prices of a TOML file.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
def plan(recipe: Path, folder: str | None, price: Path | None, as_json: bool) -> None:
    """Check a recipe, and say what will be read, measured, exchanged, written and held in memory.

    \b
    Examples:
        karez plan recipe.toml
        karez plan recipe.toml --price infra/prices.toml
    """  # noqa: D301
    from pipelines.commands import plan

    plan.command_plan(recipe, folder, price, as_json)


@main.command()
@click.argument("recipe", type=PATH, metavar="RECIPE")
def recipe(recipe: Path) -> None:
    """Print a recipe whole: what its presets bring, what is measured for its rules, and defaults.

    It is a recipe itself, and decides the same.

    \b
    Examples:
        karez recipe recipe.toml
        karez recipe recipe.toml > whole.toml
    """  # noqa: D301
    from pipelines.commands import written

    written.command(recipe)


def check_space() -> None:
    """Refuse an address space in which libraries would die of their own, without a word of ours.

    Raises:
        RunError: with what there is, and what there must be.
    """
    from pipelines.errors import RunError
    from pipelines.units import say_size

    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    if soft != resource.RLIM_INFINITY and soft < SPACE:
        raise RunError(
            f"this shell allows {say_size(soft)} of addresses (ulimit -v), {say_size(SPACE)} are "
            "needed, though most are never used: raise it, or limit memory by a control group"
        )


def _prepare() -> None:
    """Have what ends us heard as Ctrl-C is, and a letter that a terminal lacks not end us."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:  # `nohup` has the second ignored
            signal.signal(number, signal.default_int_handler)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def check_owners() -> None:
    """Refuse to run where another distribution overwrote one of our packages; exit code 2."""
    for package, begins in OURS.items():
        if not (import_module(package).__doc__ or "").startswith(begins):
            owners = " and ".join(sorted(set(packages_distributions().get(package, []))))
            click.echo(
                f"karez: {owners} install a package named {package!r} over ours; "
                "give karez an environment of its own",
                err=True,
            )
            raise SystemExit(2)


if __name__ == "__main__":
    main()
