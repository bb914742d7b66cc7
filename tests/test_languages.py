"""What rules drop of each language is counted, told and shown."""

import re
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest

from pipelines.opened import Opened
from pipelines.recipe import Recipe
from pipelines.recipe.text import parse
from pipelines.steps.languages import Language, counted, listed, losses
from tests.helpers.command import ROOT, here

RULES = """
[rules]
foreign = "language not in ('en', 'ja') and language_score > 0.9"
stubby = "mean_word_length < 3"
"""


def recipe(rules: str = RULES) -> Recipe:
    return parse(f'name = "a"\n[[source]]\nkind = "text"\npaths = ["x"]\n{rules}', Path("r.toml"))


def test_documents_are_counted_by_language_and_reason() -> None:
    reasons = pa.array([None, "short", None, "short: no value", "short"])
    found = listed(counted(reasons, pa.array(["en", "en", None, "de", "en"])))
    assert found == [
        Language("en", 3, 1, {"short": 2}),
        Language("de", 1, 0, {"short: no value": 1}),
        Language("unknown", 1, 1, {}),
    ]


@pytest.mark.parametrize(
    ("languages", "told"),
    [
        ({"en": (1000, 20), "th": (100, 60)}, ["th"]),
        ({"en": (1000, 500), "th": (100, 60)}, []),  # a rule that takes much of all
        ({"en": (1000, 2), "th": (100, 8)}, []),  # little of it
        ({"en": (1000, 20), "th": (19, 19)}, []),  # too few to tell
        ({"en": (1000, 20), "th": (20, 4)}, []),  # may be chance
        ({"en": (1000, 20), "unknown": (100, 60)}, []),
        ({"th": (100, 60)}, []),  # no others to compare with
        ({"en": (1000, 20), "th": (100, 60), "lo": (100, 70)}, ["lo", "th"]),
    ],
)
def test_what_takes_much_more_of_one_language_is_told(
    languages: dict[str, tuple[int, int]], told: list[str]
) -> None:
    some = [Language(k, n, n - d, {"stubby": d}) for k, (n, d) in languages.items()]
    assert [loss.language for loss in losses(some, recipe())] == told
    asked = [Language(k, n, n - d, {"foreign": d}) for k, (n, d) in languages.items()]
    assert losses(asked, recipe()) == []


@pytest.mark.slow
def test_a_rule_made_for_spaces_is_seen_to_throw_japanese_out(tmp_path: Path) -> None:
    text = (ROOT / "infra/recipes/sample.toml").read_text()
    text = re.sub(r"(?m)^base = .*$", f'base = "{ROOT}"', text)
    rule = '[rules]\nstubby = "mean_word_length < 3"'
    (tmp_path / "r.toml").write_text(text.replace("[rules]", rule, 1))
    done = here("run", "r.toml", "--run", "run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    assert "of ja, 0.0% of the others: is the rule made for that language?" in said
    rows = Opened(tmp_path / "run").arrow(["language", "reason"]).to_pylist()
    counts = Counter(row["language"] or "unknown" for row in rows)
    kept = Counter(row["language"] or "unknown" for row in rows if row["reason"] is None)
    card = (tmp_path / "run/dataset/README.md").read_text()
    told = re.findall(r"^\| (\w+) \| ([\d,]+) \| ([\d,]+) \| [\d.]+% \|", card, re.MULTILINE)
    found = {name: (int(k), int(n)) for name, k, n in told}
    assert found == {name: (kept[name], n) for name, n in counts.items()}
    assert here("view", "run", cwd=tmp_path).returncode == 0
    page = (tmp_path / "run/report.html").read_text()
    lost = re.findall(r'<th scope="row">(\w+)</th>.*?<b>stubby ([\d.]+%)</b>', page)
    assert [name for name, _ in lost] == ["ja"]
