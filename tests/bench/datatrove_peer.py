"""Datatrove in its own environment: its near-duplicates, its filters, FineWeb's pipeline.

python datatrove_peer.py near CORPUS.parquet OUT     writes the ids that it would remove
python datatrove_peer.py rules DOCUMENTS.parquet OUT
python datatrove_peer.py race FOLDER OUT
python datatrove_peer.py choose POOL OUT

``rules`` writes ``OUT.json``: CPU seconds of four filters on every document, and of the four as a
pipeline, where a document that one has rejected is not shown to the next; and ``OUT.parquet``: each
filter's reason on the text as it was (null: kept), datatrove's words as byte spans, and which of
them are more than punctuation.

``race`` goes over a folder of WARC files as examples/fineweb.py of its repository does, without
what asks for a download (the filters of URLs and of languages) and without the one for personal
data.
``OUT/kept`` is Parquet; what was dropped stands under ``OUT/gone`` by the name of the filter.
``choose`` writes as JSON lines what no filter of that pipeline drops of a folder of Parquet.
"""

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import minhash as stage
from datatrove.pipeline.readers import JsonlReader, ParquetReader, WarcReader
from datatrove.pipeline.writers import JsonlWriter, ParquetWriter

BUCKETS = 14
PATIENCE = 30.0  # seconds for a page: a busy machine loses it none
FINEWEB = {"c4": {"filter_no_terminal_punct": False}}
"""Options of its filters in FineWeb's pipeline, which keeps lines without a full stop."""


def written(folder: Path) -> JsonlWriter:
    """Writes JSON lines as they are."""
    return JsonlWriter(str(folder), compression=None)


def filters(options: dict[str, Any], gone: Path | None = None) -> dict[str, Any]:
    """Its four, in the order of FineWeb's pipeline, and where each writes what it drops."""
    from datatrove.pipeline import filters as its

    kinds = {
        "gopher repetition": its.GopherRepetitionFilter,
        "gopher quality": its.GopherQualityFilter,
        "c4": its.C4QualityFilter,
        "fineweb": its.FineWebQualityFilter,
    }
    return {
        name: kind(**options.get(name, {}), exclusion_writer=gone and written(gone / name))
        for name, kind in kinds.items()
    }


def run(folder: Path, source: Any, gone: Path, *kept: Any, before: Any = ()) -> None:
    """Its near-duplicates, each stage when the one before is done.

    Args:
        folder: for what stages tell each other.
        source: of the documents.
        gone: where the near-duplicates go.
        kept: what is done with the others.
        before: steps that are done first.
    """
    signs, buckets, ids = (str(folder / name) for name in ("signs", "buckets", "ids"))
    config = stage.MinhashConfig(n_grams=5, num_buckets=BUCKETS, hashes_per_bucket=8)
    stages = [
        (1, [source, stage.MinhashDedupSignature(signs, config, language="en")]),
        (BUCKETS, [stage.MinhashDedupBuckets(signs, buckets, config=config)]),
        (1, [stage.MinhashDedupCluster(buckets, ids, config=config)]),
        (1, [source, stage.MinhashDedupFilter(ids, exclusion_writer=written(gone)), *kept]),
    ]
    for number, (tasks, steps) in enumerate([(1, before), *stages] if before else stages):
        logs = str(folder / f"log-{number}")
        LocalPipelineExecutor([*steps], tasks=tasks, workers=1, logging_dir=logs).run()


def near(corpus: Path, out: Path) -> None:
    """What it would remove of a corpus."""
    with tempfile.TemporaryDirectory() as name:
        gone = Path(name, "gone")
        run(Path(name), ParquetReader(str(corpus.parent), glob_pattern=corpus.name), gone)
        lines = (line for file in gone.rglob("*.jsonl") for line in file.read_text().splitlines())
        out.write_text("\n".join(json.loads(line)["id"] for line in lines))


def race(folder: Path, out: Path) -> None:
    """Read, extract, judge, find near-duplicates, write."""
    from datatrove.pipeline.extractors import Trafilatura

    gone, judged = out / "gone", out / "judged"
    before = [
        WarcReader(str(folder), glob_pattern="*.warc.gz"),
        Trafilatura(favour_precision=True, timeout=PATIENCE),
        *filters(FINEWEB, gone).values(),
        written(judged),
    ]
    kept = ParquetWriter(str(out / "kept"), expand_metadata=True)
    source = JsonlReader(str(judged), compression=None)
    run(out, source, gone / "near duplicate", kept, before=before)


def choose(pool: Path, out: Path) -> None:
    """What no filter of FineWeb's drops."""
    from datatrove.data import Document

    each = filters(FINEWEB).values()
    out.mkdir(parents=True, exist_ok=True)
    with (out / "part-00000.jsonl").open("w") as file:
        for path in sorted(pool.glob("*.parquet")):
            for row in pq.read_table(path, columns=["id", "url", "text"]).to_pylist():
                document = Document(text=row["text"], id=row["id"])
                if all(one.filter(document) is True for one in each):
                    file.write(json.dumps({**row, "text": document.text}) + "\n")


def pipeline(texts: list[str]) -> float:
    """CPU seconds of its filters one after the other."""
    from datatrove.data import Document
    from datatrove.utils.text import split_into_words

    each = filters({}).values()
    split_into_words("The tokenizer is loaded before.")
    began = time.process_time()
    for text in texts:
        document = Document(text=text, id="")
        all(one.filter(document) is True for one in each)
    return time.process_time() - began


def spans(text: str) -> tuple[list[dict[str, int]], list[bool]]:
    """Where its words stand, in bytes, and which hold something besides punctuation."""
    from datatrove.utils.text import PUNCTUATION_SET, split_into_words

    found, solid = [], []
    place, byte = 0, 0
    for word in split_into_words(text):
        at = text.index(word, place)
        start = byte + len(text[place:at].encode())
        place, byte = at + len(word), start + len(word.encode())
        found.append({"start": start, "end": byte})
        solid.append(any(character not in PUNCTUATION_SET for character in word))
    return found, solid


def rules(documents: Path, out: Path) -> None:
    """Measure, judge, write."""
    from datatrove.data import Document
    from datatrove.utils.text import split_into_parts

    table = pq.read_table(documents, columns=["id", "text"])
    texts, each = table["text"].to_pylist(), filters({})
    took = {"pipeline": pipeline(texts), "every": 0.0}
    columns: dict[str, list[Any]] = {name: [] for name in [*each, "words", "solid"]}
    split_into_parts.cache_clear()
    for text in texts:
        began = time.process_time()
        for name, one in each.items():
            said = one.filter(Document(text=text, id=""))
            columns[name].append(None if said is True else said[1])
        took["every"] += time.process_time() - began
        for name, values in zip(("words", "solid"), spans(text), strict=True):
            columns[name].append(values)
    out.with_suffix(".json").write_text(json.dumps(took))
    span = pa.struct([pa.field("start", pa.int32(), False), pa.field("end", pa.int32(), False)])
    kinds = dict.fromkeys(each, pa.string())
    kinds |= {"words": pa.list_(span), "solid": pa.list_(pa.bool_())}
    made = {name: pa.array(values, kinds[name]) for name, values in columns.items()}
    pq.write_table(pa.table({"id": table["id"], **made}), out.with_suffix(".parquet"))


if __name__ == "__main__":
    globals()[sys.argv[1]](*map(Path, sys.argv[2:]))
