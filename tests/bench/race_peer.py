"""Datatrove's FineWeb pipeline over a folder of WARC files, in its own environment.

python race_peer.py FOLDER OUT

As examples/fineweb.py of its repository has it, without what asks for a download (the filters of
URLs and of languages) and without the one for personal data.  ``OUT/kept`` is Parquet; what was
dropped stands under ``OUT/gone`` by the name of the filter.
"""

import sys
from pathlib import Path

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import minhash as stage
from datatrove.pipeline.extractors import Trafilatura
from datatrove.pipeline.filters import (
    C4QualityFilter,
    FineWebQualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
)
from datatrove.pipeline.readers import JsonlReader, WarcReader
from datatrove.pipeline.writers import JsonlWriter, ParquetWriter

BUCKETS = 14
PATIENCE = 30.0  # seconds for a page: a busy machine loses it none


def main(folder: str, out: str) -> None:
    """Read, extract, judge, find near-duplicates, write; each stage when the one before is done."""

    def place(name: str) -> str:
        return str(Path(out, name))

    def gone(name: str) -> JsonlWriter:
        return JsonlWriter(place(f"gone/{name}"), compression=None)

    config = stage.MinhashConfig(n_grams=5, num_buckets=BUCKETS, hashes_per_bucket=8)
    judged = JsonlReader(place("judged"), compression=None)
    stages = [
        (1, [
            WarcReader(folder, glob_pattern="*.warc.gz"),
            Trafilatura(favour_precision=True, timeout=PATIENCE),
            GopherRepetitionFilter(exclusion_writer=gone("gopher repetition")),
            GopherQualityFilter(exclusion_writer=gone("gopher quality")),
            C4QualityFilter(filter_no_terminal_punct=False, exclusion_writer=gone("c4")),
            FineWebQualityFilter(exclusion_writer=gone("fineweb")),
            JsonlWriter(place("judged"), compression=None),
        ]),
        (1, [judged, stage.MinhashDedupSignature(place("signs"), config, language="en")]),
        (BUCKETS, [stage.MinhashDedupBuckets(place("signs"), place("buckets"), config=config)]),
        (1, [stage.MinhashDedupCluster(place("buckets"), place("ids"), config=config)]),
        (1, [
            judged,
            stage.MinhashDedupFilter(place("ids"), exclusion_writer=gone("near duplicate")),
            ParquetWriter(place("kept"), expand_metadata=True),
        ]),
    ]  # fmt: skip
    for number, (tasks, steps) in enumerate(stages):
        logs = place(f"log-{number}")
        LocalPipelineExecutor(steps, tasks=tasks, workers=1, logging_dir=logs).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
