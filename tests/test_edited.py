"""What edits took: counted by reason, and told by the summary, the report and the card."""

from pathlib import Path

from filters import EDITS
from pipelines.steps.edited import Edited, counted, listed
from tests.helpers import corpora
from tests.helpers.command import here
from tests.helpers.measuring import structs
from tests.test_boilerplate import FOOT, page


def test_edits_are_counted_with_the_bytes_that_they_take() -> None:
    edits = [[(0, 5, "", "line"), (9, 10, "<email>", "email")], [], [(2, 4, "", "line")]]
    array = structs(EDITS, edits)
    found = counted(array)
    taken = {"bytes taken: line": 7, "bytes taken: email": 1}
    assert found == {"edits: line": 2, "edits: email": 1, **taken}
    assert counted(array[1:]) == {"edits: line": 1, "bytes taken: line": 2}
    assert counted(array[:0]) == {}
    steps = {"scan": {"counts": found}, "passages": {"counts": {"edits: email": 4}}, "near": {}}
    assert listed(steps) == [Edited("email", 5, 1), Edited("line", 2, 7)]


def test_summary_report_and_card_tell_of_both_steps(tmp_path: Path) -> None:
    rows = [page(i, "a.org", FOOT, "Write to me@example.org") for i in range(10)]
    rest = "[edits]\npersonal_data = {}\nboilerplate = { documents = 10, words = 5 }"
    done = here("run", corpora.recipe(tmp_path, rows, rest), cwd=tmp_path)
    assert "20 edits boilerplate 10, email 10" in " ".join(done.stdout.split())
    card = (tmp_path / "runs/a/dataset/README.md").read_text()
    taken = 10 * len(FOOT + "\n")
    assert f"| 10 | {taken} | boilerplate |\n| 10 | 140 | email |\n" in card
    assert here("view", "runs/a", cwd=tmp_path).returncode == 0
    html = (tmp_path / "runs/a/report.html").read_text()
    assert '<th scope="row">email</th><td class="n">10</td><td class="n">140 B</td>' in html
