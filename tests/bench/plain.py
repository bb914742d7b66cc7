"""The same reads and writes as a run without measures, in a plain loop.

JSON lines are read, Parquet is written, read by what would measure it, and read again to write one
Arrow stream.

python tests/bench/plain.py INPUT.jsonl FOLDER
"""

import sys
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

ROWS, BYTES = 4096, 8_000_000
SCHEMA = pa.schema([("url", pa.string()), ("text", pa.string())])


def main(source: Path, folder: Path) -> None:
    """JSON lines to Parquet, Parquet to nothing, Parquet to an Arrow stream."""
    folder.mkdir(parents=True, exist_ok=True)
    table = folder / "documents.parquet"
    with pq.ParquetWriter(table, SCHEMA, compression="zstd", compression_level=1) as out:
        rows, size = [], 0
        with source.open("rb") as lines:
            for line in lines:
                rows.append(orjson.loads(line))
                size += len(line)
                if len(rows) == ROWS or size > BYTES:
                    out.write_batch(pa.RecordBatch.from_pylist(rows, SCHEMA))
                    rows, size = [], 0
        if rows:
            out.write_batch(pa.RecordBatch.from_pylist(rows, SCHEMA))
    for _ in pq.ParquetFile(table).iter_batches(ROWS):
        pass
    file = pq.ParquetFile(table)
    shard = pa.OSFile(str(folder / "shard.arrow"), "wb")
    with shard, pa.ipc.new_stream(shard, SCHEMA) as stream:
        for batch in file.iter_batches(ROWS):
            stream.write_batch(batch)


main(Path(sys.argv[1]), Path(sys.argv[2]))
