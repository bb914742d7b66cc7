"""One peer's languages of documents, in its own environment.

python languages_peer.py TOOL GOLD.parquet OUT

Writes CPU seconds of asking alone, and a line a document: its languages, the likeliest first.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq

LEAST = 5  # per cent of a text that a language must have to be one of it


def pycld2() -> Callable[[str], list[str]]:
    """CLD2, which tells up to three languages with their shares."""
    import pycld2

    def ask(text: str) -> list[str]:
        try:
            _, _, found = pycld2.detect(text)
        except pycld2.error:  # it refuses some characters, and calls them invalid UTF-8
            return []
        return [code for _, code, share, _ in found if code != "un" and share >= LEAST]

    return ask


def py3langid() -> Callable[[str], list[str]]:
    """langid's model, which tells one language."""
    import py3langid

    return lambda text: [py3langid.classify(text)[0]]


if __name__ == "__main__":
    tool, gold, out = sys.argv[1:]
    ask = {"pycld2": pycld2, "py3langid": py3langid}[tool]()
    texts = pq.read_table(gold, columns=["text"])["text"].to_pylist()
    ask("The first text loads the model.")
    began = time.process_time()
    found = [ask(text) for text in texts]
    took = time.process_time() - began
    Path(out).write_text("\n".join([f"{took}", *(" ".join(each) for each in found)]) + "\n")
