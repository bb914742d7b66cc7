"""python -m pipelines = karez."""

from pipelines.cli import main

main()
