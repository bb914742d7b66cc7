"""Data-Juicer's text filters that need no download, over some documents, in its own environment.

python juicer_peer.py DOCUMENTS.parquet OUT.json

Writes CPU seconds of its eight filters over all documents, and how many pass every one.
"""

import json
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
from data_juicer.ops.filter.alphanumeric_filter import AlphanumericFilter
from data_juicer.ops.filter.average_line_length_filter import AverageLineLengthFilter
from data_juicer.ops.filter.character_repetition_filter import CharacterRepetitionFilter
from data_juicer.ops.filter.maximum_line_length_filter import MaximumLineLengthFilter
from data_juicer.ops.filter.special_characters_filter import SpecialCharactersFilter
from data_juicer.ops.filter.text_length_filter import TextLengthFilter
from data_juicer.ops.filter.word_repetition_filter import WordRepetitionFilter
from data_juicer.ops.filter.words_num_filter import WordsNumFilter
from data_juicer.utils.constant import Fields

FILTERS = (
    AlphanumericFilter,
    AverageLineLengthFilter,
    CharacterRepetitionFilter,
    MaximumLineLengthFilter,
    SpecialCharactersFilter,
    TextLengthFilter,
    WordRepetitionFilter,
    WordsNumFilter,
)

if __name__ == "__main__":
    source, out = sys.argv[1:]
    texts = pq.read_table(source, columns=["text"])["text"].to_pylist()
    batch = {"text": texts, Fields.stats: [{} for _ in texts], Fields.context: [{} for _ in texts]}
    stays = [True] * len(texts)
    filters = [kind() for kind in FILTERS]
    began = time.process_time()
    for each in filters:
        each.compute_stats_batched(batch)
        stays = [a and b for a, b in zip(stays, each.process_batched(batch), strict=True)]
    took = time.process_time() - began
    Path(out).write_text(json.dumps({"juicer": took, "pass": sum(stays)}))
