"""The `karez` command: arguments in, one call, a short table out."""

from importlib import import_module
from importlib.metadata import packages_distributions
from pathlib import Path

import click

# Steps are imported inside their commands: Beam takes seconds, and `karez -h` should not.

OURS = {"filters": "Filters: ", "labeling": "Labels: ", "graphs": "Graphs: "}
"""Our packages with common names, and how their docstrings begin."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="karez", message="%(version)s")
def main() -> None:
    """Turn a crawl of text into a small training set that teaches as much as a huge one."""


class BeamCommand(click.Command):
    """A command that hands on to Beam what follows ``--``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Ours before the ``--``."""
        if "--" in args:
            at = args.index("--")
            args, ctx.meta["beam"] = args[:at], args[at + 1 :]
        return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """With the ``--`` at the end."""
        return [*super().collect_usage_pieces(ctx), "[-- BEAM OPTIONS]"]


@main.command(cls=BeamCommand)
@click.argument("paths", nargs=-1, required=True, metavar="RECIPE|PATH…")
@click.option("--run", "folder", metavar="DIR", help="The run folder; runs/<name> unless told.")
@click.pass_context
def run(ctx: click.Context, paths: tuple[str, ...], folder: str | None) -> None:
    """Make a dataset from files: clean them, drop duplicates, publish shards and a card.

    RECIPE is one .toml file that decides everything.  With PATHs instead, files or folders of WARC,
    HTML or JSON lines, a recipe with good defaults is made and saved in the run folder.  A rerun
    does only what is missing or changed.

    \b
    Examples:
        karez run crawl/ dump.jsonl.gz
        karez run recipe.toml
        karez run recipe.toml --run /data/runs/manual -- --runner=FlinkRunner
    """  # noqa: D301 (\b is click's mark for a paragraph it must not rewrap)
    check_owners()
    from pipelines.command import run_paths
    from pipelines.errors import KarezError

    try:
        run_paths([Path(p) for p in paths], folder, ctx.meta.get("beam", []))
    except KarezError as error:
        click.echo(f"karez: {error}", err=True)
        ctx.exit(error.exit_code)


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
