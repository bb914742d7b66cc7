"""Consent on its way from a record to the columns, the rules, the card and `karez explain`."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.consent import AGENTS, Consent
from pipelines.readers import Document
from pipelines.readers.consents import FIELD, UNKNOWN, Consents, consents
from tests.helpers.archives import WORDS, http, record, url
from tests.helpers.command import here, rows, shards
from tests.test_warc import read

DATE = datetime(2024, 1, 2, tzinfo=UTC)
SITE = {"robots": "allowed", "agents": ["GPTBot"], "ai_txt": "in part", "tdm": 1, "tdm_policy": "p"}
ASKED = Consents(noindex=False, noai=False, noimageai=False, tdm_reserved=False)


def line(**said: Any) -> str:
    return json.dumps(SITE | said, separators=(",", ":"))


def crawled(i: int, head: str = "", *headers: str, recorded: str | None = None) -> bytes:
    page = f"<html><head>{head}</head><body><p>Page {i}. {WORDS.decode()}</p></body></html>"
    whole = record(url(i), http(page.encode(), "text/html; charset=utf-8", *headers))
    extra = f"\r\n{FIELD}: {recorded}".encode() if recorded is not None else b""
    return whole.replace(b"\r\nContent-Type", extra + b"\r\nContent-Type", 1)


def told(body: bytes) -> Consents:
    (item,) = read(body)
    assert isinstance(item, Document)
    return item.consents


def test_what_the_crawler_recorded_is_in_the_columns() -> None:
    wanted = Consents("allowed", ["GPTBot"], False, False, False, True, "p", "in part")
    assert told(crawled(0, recorded=line())) == wanted
    assert told(crawled(0, recorded=line(tdm=0))) == wanted._replace(
        tdm_reserved=False, tdm_policy=None
    )
    nothing = line(agents=[], tdm=None, tdm_policy=None, ai_txt=None, robots="none")
    assert told(crawled(0, recorded=nothing)) == ASKED._replace(robots="none", agents_refused=[])


def test_a_foreign_page_is_asked_alone() -> None:
    assert told(crawled(0)) == ASKED
    head = '<meta name="robots" content="noai"><meta name="tdm-reservation" content="1">'
    found = told(crawled(0, head, "X-Robots-Tag: noindex", "X-Robots-Tag: GPTBot: none"))
    assert found == Consents(None, ["GPTBot"], True, True, True, True, None, None)


def test_a_page_adds_to_what_its_site_says_and_its_own_reservation_counts() -> None:
    head = '<meta name="tdm-reservation" content="0"><meta name="CCBot" content="noindex">'
    found = told(crawled(0, head, "X-Robots-Tag: noimageai", recorded=line()))
    assert found == Consents(
        "allowed", ["CCBot", "GPTBot"], False, False, True, False, None, "in part"
    )


def test_a_text_says_what_its_header_does_and_an_extract_nothing() -> None:
    text = http(WORDS, "text/plain", "X-Robots-Tag: noai", "TDM-Reservation: 1", "TDM-Policy: q")
    wanted = ASKED._replace(noai=True, noimageai=True, tdm_reserved=True, tdm_policy="q")
    assert told(record(url(0), text)) == wanted
    assert told(record(url(0), WORDS, "conversion", "text/plain")) == UNKNOWN


@pytest.mark.parametrize(
    "recorded",
    ["", "{", "[]", "1", '"x"', '{"robots": 1, "agents": "GPTBot", "ai_txt": [], "tdm": "?"}'],
)
def test_what_is_not_of_the_form_is_not_read(recorded: str) -> None:
    assert told(crawled(0, recorded=recorded)) == ASKED


def test_unknown_agents_and_verdicts_are_left_out() -> None:
    found = told(crawled(0, recorded=line(agents=["x", "GPTBot", 3, "CCBot"], robots="perhaps")))
    assert (found.robots, found.agents_refused) == (None, ["CCBot", "GPTBot"])


@given(st.text(), st.sampled_from([Consent(), Consent(agents=AGENTS[:2])]))
def test_any_record_says_something_or_nothing(recorded: str, page: Consent) -> None:
    assert consents(recorded, page, DATE).noai is False


@pytest.mark.parametrize(
    ("written", "noindex"),
    [
        ("1 jan 2024 15:00:00 gmt", True),
        ("fri 25 jun 2010 15:00:00 pst", True),
        ("2024-01-02", True),
        ("2024-01-01t00:00:00+01:00", True),
        ("3 jan 2024 00:00:00 gmt", False),
        ("2024-01-03", False),
        ("tomorrow", False),
        ("99 jan 99999", False),
        ("20 nov 99999999999999999999 19:12:08 gmt", False),
        ("mon, 20 nov 1995 19:12:08 +9999999999999", False),
    ],
)
def test_a_page_that_is_past_its_date_is_not_to_be_indexed(written: str, noindex: bool) -> None:
    page = Consent(unavailable_after=written)
    assert consents(None, page, DATE).noindex is noindex
    assert consents(None, page, None).noindex is False


def test_a_licence_in_the_header_is_that_of_a_page_without_its_own() -> None:
    link = "Link: </l>; rel=license"
    (without,) = read(crawled(0, "", link))
    (with_its_own,) = read(crawled(0, '<link rel=license href="/m">', link))
    assert isinstance(without, Document) and isinstance(with_its_own, Document)
    assert without.head.licence == "http://example.org/l"
    assert with_its_own.head.licence == "http://example.org/m"


NO = '<meta name="robots" content="{}">'
PAGES = {  # by the rule of the preset that leaves it out
    None: crawled(0),
    "not_ours": crawled(1, recorded=line(robots="unreachable", agents=[], tdm=0, ai_txt=None)),
    "refuses_ai": crawled(2, recorded=line(agents=["CCBot"], tdm=0)),
    "noai": crawled(3, NO.format("noai, noindex")),
    "noindex": crawled(4, "", "X-Robots-Tag: none"),
    "reserved": crawled(5, recorded=line(agents=["Diffbot"])),
    "ai_txt": crawled(6, recorded=line(agents=[], tdm=0, ai_txt="disallowed")),
}
RECIPE = """\
name = "a"
presets = ["consent"]
[[source]]
kind = "warc"
paths = ["a.warc"]
[[source]]
kind = "jsonl"
paths = ["a.jsonl"]
[publish]
columns = ["robots", "agents_refused", "tdm_policy", "noai"]
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("consents")
    (base / "a.warc").write_bytes(b"".join(PAGES.values()))
    (base / "a.jsonl").write_text(json.dumps({"text": "A text of a table."}))
    (base / "a.toml").write_text(RECIPE)
    done = here("run", "a.toml", "--run", "run", cwd=base)
    assert done.returncode == 0, done.stderr
    return base / "run"


def test_the_preset_leaves_out_what_said_no_and_nothing_else(run: Path) -> None:
    found = {row["url"]: row["reason"] for row in rows(run).values()}
    assert found == {url(i): reason for i, reason in enumerate(PAGES)} | {None: None}


def test_a_table_has_no_consent_and_published_columns_hold_it(run: Path) -> None:
    made = {row["url"]: row for row in rows(run).values()}
    assert [made[None][name] for name in Consents._fields] == [*UNKNOWN]
    (shard,) = shards(run)
    published = pa.ipc.open_stream(shard.read_bytes()).read_all().to_pylist()
    assert {row["url"]: (row["robots"], row["agents_refused"]) for row in published} == {
        url(0): (None, None),
        None: (None, None),
    }


def test_the_card_says_what_was_said_and_what_became_of_it(run: Path) -> None:
    card = (run / "dataset/README.md").read_text()
    section = card[card.index("## Consent") :]
    assert "Of 7 documents from pages" in section
    assert [line for line in section.splitlines() if line.startswith("| `")] == [
        "| `robots` unreachable | 1 | 1 | 0 |",
        "| `agents_refused` | 2 | 1 | 0 |",
        "| `noindex` | 2 | 1 | 0 |",
        "| `noai` | 1 | 1 | 0 |",
        "| `noimageai` | 1 | 0 | 0 |",
        "| `tdm_reserved` | 1 | 1 | 0 |",
        "| `ai_txt` disallowed | 1 | 1 | 0 |",
        "| `ai_txt` in part | 2 | 0 | 0 |",
    ]


def test_what_is_kept_though_it_says_no_is_told(run: Path) -> None:
    recipe = RECIPE.replace('presets = ["consent"]', "").replace('"a.', f'"{run.parent}/a.')
    recipe += (
        "[rules]\nboth = \"noai and robots = 'allowed'\"\nsilent = \"robots = 'disallowed'\"\n"
    )
    (run.parent / "b.toml").write_text(recipe)
    done = here("run", "b.toml", "--run", "b", cwd=run.parent)
    assert done.returncode == 0, done.stderr
    card = (run.parent / "b/dataset/README.md").read_text()
    assert "| `tdm_reserved` | 1 | 0 | 1 |" in card
    assert "| `noai` | 1 | 1 | 0 |" in card  # as `both` had no value
    assert "| `noindex` | 2 | 0 | 0 |" in card  # as `silent` had none, which does not name it
    assert "| `robots` unreachable | 1 | 0 | 1 |" in card


def test_a_run_of_tables_alone_has_no_such_section(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": "A text of a table. " * 30}))
    done = here("run", "a.jsonl", "--run", "run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Consent" not in (tmp_path / "run/dataset/README.md").read_text()


def test_explain_tells_of_it(run: Path) -> None:
    shown = " ".join(here("explain", run, url(2), cwd=run).stdout.split())
    assert "consent robots allowed agents_refused CCBot noindex False noai False" in shown
    assert "dropped: refuses_ai" in shown
    value = json.loads(here("explain", run, url(3), "--json", cwd=run).stdout)
    assert value["document"]["noai"] is True and value["document"]["robots"] is None
    assert next(r["rule"] for r in value["rules"] if r["drops"]) == "noai"
