"""Datatrove's four filters over some documents, in its own environment.

python rules_peer.py DOCUMENTS.parquet OUT

Writes ``OUT.json``: CPU seconds of all four on every document, and of the four as a pipeline, where
a document that one has rejected is not shown to the next; and ``OUT.parquet``: each filter's reason
on the text as it was (null: kept), datatrove's words as byte spans, and which of them are more than
punctuation.
"""

import json
import sys
import time
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from datatrove.data import Document
from datatrove.pipeline.filters import (
    C4QualityFilter,
    FineWebQualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
)
from datatrove.utils.text import PUNCTUATION_SET, split_into_parts, split_into_words

FILTERS = {
    "gopher repetition": GopherRepetitionFilter,
    "gopher quality": GopherQualityFilter,
    "c4": C4QualityFilter,
    "fineweb": FineWebQualityFilter,
}


def reason(each: Any, text: str) -> str | None:
    """Why a filter rejects a text; None: it does not."""
    said = each.filter(Document(text=text, id=""))
    return None if said is True else said[1]


def pipeline(filters: list[Any], texts: list[str]) -> float:
    """CPU seconds of the filters one after the other."""
    split_into_words("The tokenizer is loaded before.")
    began = time.process_time()
    for text in texts:
        document = Document(text=text, id="")
        for each in filters:
            if each.filter(document) is not True:
                break
    return time.process_time() - began


def spans(text: str) -> tuple[list[dict[str, int]], list[bool]]:
    """Where the words stand, in bytes, and which hold something besides punctuation."""
    found, solid = [], []
    place, byte = 0, 0
    for word in split_into_words(text):
        at = text.index(word, place)
        start = byte + len(text[place:at].encode())
        place, byte = at + len(word), start + len(word.encode())
        found.append({"start": start, "end": byte})
        solid.append(any(character not in PUNCTUATION_SET for character in word))
    return found, solid


def main(documents: str, out: str) -> None:
    """Measure, judge, write."""
    table = pq.read_table(documents, columns=["id", "text"])
    texts = table["text"].to_pylist()
    filters = {name: kind() for name, kind in FILTERS.items()}
    took = {"pipeline": pipeline([*filters.values()], texts), "every": 0.0}
    columns: dict[str, list[Any]] = {name: [] for name in [*filters, "words", "solid"]}
    split_into_parts.cache_clear()
    for text in texts:
        began = time.process_time()
        for name, each in filters.items():
            columns[name].append(reason(each, text))
        took["every"] += time.process_time() - began
        found, solid = spans(text)
        columns["words"].append(found)
        columns["solid"].append(solid)
    with open(f"{out}.json", "w") as file:  # noqa: PTH123
        json.dump(took, file)
    span = pa.struct([pa.field("start", pa.int32(), False), pa.field("end", pa.int32(), False)])
    kinds = {name: pa.string() for name in filters}
    kinds |= {"words": pa.list_(span), "solid": pa.list_(pa.bool_())}
    made = {name: pa.array(values, kinds[name]) for name, values in columns.items()}
    pq.write_table(pa.table({"id": table["id"], **made}), f"{out}.parquet")


if __name__ == "__main__":
    main(*sys.argv[1:])
