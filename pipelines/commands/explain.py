"""Why one document is in or out: every score, edit and rule, for the terminal and as JSON."""

import difflib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import click
import pyarrow as pa
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from filters import EDITS
from pipelines import sql
from pipelines.commands import onpage
from pipelines.crawl import tables
from pipelines.errors import RecipeError, RunError
from pipelines.opened import Address, Opened
from pipelines.plain import plain
from pipelines.recipe.measures import Scan, selected
from pipelines.recipe.texts import Texts
from pipelines.runs.tables import DECISIONS_TABLE, EDITS_TABLE
from pipelines.steps import consent

CONTEXT = 1  # lines around an edit
SHOWN = 16  # bytes of what is no text


def command(folder: str, key: str, page: bool, as_json: bool) -> None:
    """Print why the documents of this id, URL or key are in or out, and what their pages held.

    Raises:
        RunError: if there is no such run, or no such document in it.
    """
    opened = Opened(folder)
    values = [explained(opened, address) for address in find(opened, key)]
    for value in values if page else ():
        value |= onpage.seen(opened.run, opened.recipe, value["document"])
    if as_json:
        said = values[0] if len(values) == 1 else values  # a page that was fetched twice
        click.echo(json.dumps(said, indent=1, ensure_ascii=False, default=str))
        return
    console = Console()
    for value in values:
        show(value, console)
        console.print()


def explained(opened: Opened, address: Address) -> dict[str, Any]:
    """All about one document, ready for JSON.

    Returns:
        `document` (with its raw text), `decision`, `columns` by measure, `rules` in written order
        with what each says (true: drops; null: has no value; without those
        whose columns are not measured yet), `edits` with the text they took,
        `overlaps`: the given files that hold its `overlap_passage`.
    """
    rows: dict[str, Any] = opened.row(address)
    recipe = opened.recipe
    scan = selected(recipe)
    edits = rows.pop(EDITS_TABLE, {}).get("edits") or []
    measured = {t.rpartition("/")[2]: v for t, v in rows.items() if t.startswith("columns/")}
    document = rows["documents"]
    raw = str(document["text"]).encode()
    rules = []
    for name, text in recipe.rules.items():
        homes = scan.homes(sql.columns(text, f"[rules] {name}"))
        if not homes.keys() <= rows.keys():
            continue  # not measured yet
        values = {c: rows[t].get(c) for t, columns in homes.items() for c in columns}
        rules.append({"rule": name, "sql": text, "drops": _verdict(text, values), "values": values})
    return {
        "document": document,
        "decision": rows.get(DECISIONS_TABLE),
        "rules": rules,
        "edits": [{**e, "cut": raw[e["start"] : e["end"]].decode(errors="replace")} for e in edits],
        "columns": {name: values for name, values in measured.items() if name != "paragraphs"},
        "overlaps": _holders(scan, measured.get("overlap", {})),
        "paragraphs": measured.get("paragraphs", {}).get("paragraphs"),
        "edited_text": _edited(str(document["text"]), edits),
    }


def _holders(scan: Scan, columns: Mapping[str, Any]) -> list[str]:
    """The given files that hold the passage found, told when asked; none where files are gone."""
    passage = columns.get("overlap_passage")
    if passage is None:
        return []
    from filters.overlap import Overlap
    from filters.words import words

    measure = scan.measures.get("overlap")
    if not isinstance(measure, Overlap) or not isinstance(measure.files, Texts):
        return []
    text = pa.array([passage])
    batch = pa.record_batch({"text": text, "words": words(text)})
    try:
        alone = {name: replace(measure, files=file) for name, file in measure.files.each().items()}
        return [name for name, one in alone.items() if one.measure(batch)["overlap"][0].as_py()]
    except RecipeError:
        return []


def _verdict(rule: str, values: Mapping[str, object]) -> bool | None:
    row = pa.Table.from_pylist([dict(values)]) if values else pa.table({"_": [1]})
    answer = sql.evaluate(row, [f"(\n{rule}\n)"])["c0"][0].as_py()
    return None if answer is None else bool(answer)


def _edited(text: str, edits: list[dict[str, Any]]) -> str:
    from filters.edits import apply

    return str(apply(pa.array([text]), pa.array([edits], EDITS))[0])


def find(opened: Opened, key: str) -> list[Address]:
    """Where the document stands.

    Raises:
        RunError: if the run has none of that id, URL or source key.
    """
    found = opened.find(key)
    if not found:
        dead = [r for r in opened.dead().to_pylist() if key and key in r["detail"]]
        if dead:
            where = f"{dead[0]['source']} at {dead[0]['offset']}"
            raise RunError(
                f"{key}: a dead letter, {dead[0]['reason']}: {dead[0]['detail']} ({where})"
            )
        if told := tables.became(opened.run, key):
            raise RunError(told)
        first = opened.row((0, 0))["documents"]
        raise RunError(
            f"{key}: no document of that id, URL or source key in {opened.run.folder.path}; "
            f"its first is {plain(str(first['url'] or first['source_key'] or first['id']))}"
        )
    return found


def show(value: Mapping[str, Any], console: Console) -> None:
    """What `explained` gives, for a person."""
    document, decision = value["document"], value["decision"] or {}
    title = document["url"] or document["source_key"] or document["id"]
    console.print(Text(plain(title), style="bold"), soft_wrap=True)
    console.print(
        Text(f"id {document['id']}  {plain(document['source'])} at {document['offset']}", "dim")
    )
    console.print(_said(decision))
    console.print()
    console.print(_rules(value["rules"]))
    if said := {c: document[c] for c in consent.COLUMNS if document.get(c) is not None}:
        console.print(_figures("consent", said))
    for name, columns in value["columns"].items():
        if name not in ("rules", "split", "duplicates", "exact"):
            console.print(_figures(name, columns))
        if name == "overlap" and value["overlaps"]:
            console.print(Text(f"{'':<11}found in {', '.join(value['overlaps'])}"))
    if value["edits"]:
        console.print()
        _diff(str(document["text"]), value["edited_text"], value["edits"], console)
    if "blocks" in value:
        console.print()
        _page(value["blocks"], value["images"], console)


def _page(blocks: list[dict[str, Any]], images: list[dict[str, Any]], console: Console) -> None:
    """What the extractor saw, and what it took."""
    kept = sum(block["kept"] for block in blocks)
    console.print(Text(f"page: {len(blocks)} blocks, {kept} kept", "bold"))
    for block in blocks:
        said = f"{'+' if block['kept'] else '-'} {block['chance']:.2f}  {plain(block['text'])}"
        console.print(Text(said, "" if block["kept"] else "red"), no_wrap=True, overflow="ellipsis")
    for image in images:
        said = f"image {image['url']}  {image['caption'] or image['alt'] or ''}"
        console.print(Text(plain(said), "dim"), no_wrap=True, overflow="ellipsis")


def _said(decision: Mapping[str, Any]) -> Text:
    if not decision:
        return Text("not decided yet", "yellow")
    if decision["kept"]:
        return Text(f"kept, in {decision['split']}", "bold green")
    cluster = f"; {decision['cluster']} is kept in its place" if decision["cluster"] else ""
    return Text(f"dropped: {decision['reason']}{cluster}", "bold red")


def _figures(name: str, columns: Mapping[str, Any]) -> Text:
    said = "  ".join(f"{column} {_short(value)}" for column, value in columns.items())
    return Text(f"{name:<11}", "bold") + Text(said)


def _rules(rules: list[dict[str, Any]]) -> Table:
    columns = (Column(overflow="fold") for _ in range(4))
    table = Table(*columns, box=None, pad_edge=False, show_header=False)
    for rule in rules:
        verdict = {True: "drops", False: "passes", None: "no value"}[rule["drops"]]
        style = "green" if rule["drops"] is False else "red"
        values = ", ".join(f"{c} = {_short(v)}" for c, v in rule["values"].items())
        name, text = Text(rule["rule"]), Text(rule["sql"])
        table.add_row(name, Text(verdict, style), text, Text(values, "dim"))
    return table


def _short(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, bytes):
        return f"{value[:SHOWN].hex()}… ({len(value)} bytes)" if len(value) > SHOWN else value.hex()
    if isinstance(value, list):
        return ", ".join(map(_short, value)) or "none"
    if isinstance(value, dict):
        return " ".join(map(_short, value.values()))
    return "none" if value is None else plain(value)


def _diff(raw: str, edited: str, edits: list[dict[str, Any]], console: Console) -> None:
    reasons = Counter(edit["reason"] for edit in edits)
    said = ", ".join(f"{reason} {count}" for reason, count in reasons.items())
    console.print(Text(f"edits: {said}", "bold"))
    lines = difflib.unified_diff(raw.splitlines(), edited.splitlines(), n=CONTEXT, lineterm="")
    for line in list(lines)[2:]:
        style = {"-": "red", "+": "green", "@": "cyan"}.get(line[:1], "dim")
        console.print(Text(plain(line), style))
