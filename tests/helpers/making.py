"""Small runs made for tests, with a document that means harm."""

import json
from collections.abc import Sequence
from pathlib import Path

from pipelines.commands import run as command
from tests.helpers.command import SAMPLE

PROSE = "The water comes down from the hills in a tunnel that people dug by hand long ago. "
HOSTILE = (
    "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
    "<a href=javascript:alert(3)>' \" &lt; {{ 7*7 }}</style></pre></div>"
    "\x1b[2J\x1b]0;owned\x07 \x00 \x9b31m \u202e " + PROSE
)
RULES = {
    "hostile": "starts_with(source_key, '</script>')",
    "edited": "starts_with(source_key, 'A line of')",
    "short": "words < 12",
    "long": "words not between 12 and 400",
    "<b>x</b>": "entropy > 7.5 or 0.2 > unique_words",
    "unsure": "language_score < 0.0",
}
RECIPE = """\
name = "view"
seed = 5
limit = {{ dead = "50 %" }}
{sources}
[edits]
repeated_lines = {{}}
[rules]
{rules}
{dedup}
[publish]
splits = {{ train = 0.8, test = 0.2 }}
"""

STORED = """\
name = "stored"
first = {first}
limit = {{ dead = "30 %" }}
{sources}
[edits]
repeated_lines = {{}}
{across}
[rules]
short = "words < 50"
"größe: <b>x</b>_MAX" = "words > 900"
[publish]
splits = {{ train = 0.8, test = 0.2 }}
near_train = {near}
shard = "50 kB"
"""
ACROSS = """\
boilerplate = {}
repeated_passages = { words = 20 }
[dedup]
[cap]
documents = 30
per = "domain"
[[select]]
strategy = "importance"
by = "words desc"
temperature = 100
budget = "60 %"
per = "language"
[curriculum]
by = "ngram_entropy"
pacing = "root"
[measure.ngrams]
buckets = 4096
"""


def write_pair(folder: Path, names: Sequence[str], first: int, measure: str = "") -> None:
    """Two recipes over files of the sample: "whole" with every step, and "short" with six.

    Args:
        folder: to write them into; a link to each file stands beside them.
        names: of the files.
        first: documents of each that are read, at most.
        measure: a table of the recipe.
    """
    sources = measure
    for name in names:
        (folder / f"{name}.warc.gz").symlink_to(SAMPLE / f"{name}.warc.gz")
        sources += f'[[source]]\nkind = "warc"\npaths = ["{name}.warc.gz"]\n'
    for name, across, near in (("whole", ACROSS, 0.5), ("short", "", "false")):
        text = STORED.format(first=first, sources=sources, across=across, near=near)
        (folder / f"{name}.toml").write_text(text)


def write_two(folder: Path, measure: str = "") -> None:
    """A recipe over two small files of JSON lines, each of which is a task."""
    sources = ""
    for name in "ab":
        (folder / f"{name}.jsonl").write_text(f'{{"text": "{name} and so on"}}\n' * 5)
        sources += f'[[source]]\nkind = "jsonl"\npaths = ["{name}.jsonl"]\n'
    (folder / "recipe.toml").write_text(f'name = "a"\n{sources}{measure}[dedup]\n')


def write_run(
    folder: Path, texts: list[str], rules: dict[str, str], dedup: bool = False, files: int = 1
) -> Path:
    """A run over JSON lines; each file becomes a part, the second has a line that is none."""
    sources = ""
    for number in range(files):
        rows = [
            {"text": text, "id": f"{text[:9]}{i}", "url": f"http://h{i % 7}.org/{i}"}
            for i, text in enumerate(texts)
            if i % files == number
        ]
        lines = [json.dumps(row) for row in rows] + ["{broken"] * (number == 1)
        (folder / f"{number}.jsonl").write_text("\n".join(lines))
        sources += f'[[source]]\nkind = "jsonl"\npaths = ["{number}.jsonl"]\n'
    said = "\n".join(f"{json.dumps(k)} = {json.dumps(v)}" for k, v in rules.items())
    recipe = RECIPE.format(sources=sources, rules=said, dedup="[dedup]" * dedup)
    (folder / "recipe.toml").write_text(recipe)
    command.run(command.Asked([folder / "recipe.toml"], str(folder / "run")))
    return folder / "run"
