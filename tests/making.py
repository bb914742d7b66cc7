"""Small runs made for tests, with a document that means harm."""

import json
from pathlib import Path

from pipelines import command

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
