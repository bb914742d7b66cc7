"""A run as a Flex Template of Dataflow: one job, whose task is the command that drives the rest.

A template begins one job, and a run is a job for each step with a command that plans and seals
between them.  So the job of the template runs that command on a worker of its own.  Should it be
tried again, the next command takes over the lock and goes on from what is done.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from pipelines.beam.dataflow import RUNNER
from pipelines.errors import RunError
from pipelines.runs import stores

OWN = ("--runner", "--job_name", "--template_location", "--num_workers", "--max_num_workers")
"""Options of the template's own job; all others are those of the steps' jobs too."""


class Drive(beam.DoFn):
    """Runs the command, of which it holds no more than words."""

    def __init__(self, recipe: str, arguments: Sequence[str]) -> None:
        self.recipe, self.arguments = recipe, list(arguments)

    def process(self, element: bytes) -> Iterator[str]:
        """What it prints at its end.

        Raises:
            RunError: with what it says, if it fails.
        """
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "recipe.toml")
            path.write_text(self.recipe, encoding="utf-8")
            command = [sys.executable, "-m", "pipelines", "run", str(path), *self.arguments]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RunError(done.stderr.strip().removeprefix("karez: "))
        yield done.stdout


def read(arguments: Sequence[str]) -> tuple[Drive, list[str]]:
    """What is to be driven, and the options of the job that does it.

    Args:
        arguments: --recipe, a file on a store, --run, --from, --max_workers; what else is Beam's.
    """
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for name in ("recipe", "run", "from"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--max_workers")
    known, options = parser.parse_known_args(arguments)
    place, _, name = known.recipe.rpartition("/")
    text = stores.folder(place).read(name).decode("utf-8")
    steps = [option for option in options if option.partition("=")[0] not in OWN]
    most = [f"--max_num_workers={known.max_workers}"] if known.max_workers else []
    where = ["--run", known.run, "--from", getattr(known, "from")]
    drive = Drive(text, [*where, "--", f"--runner={RUNNER}", *steps, *most])
    return drive, [*options, "--max_num_workers=1"]


def main(arguments: Sequence[str]) -> None:
    """Begin the job."""
    drive, options = read(arguments)
    pipeline = beam.Pipeline(options=PipelineOptions(options))
    pipeline | beam.Impulse() | "Drive" >> beam.ParDo(drive)
    pipeline.run()
