"""What the published dataset says of itself: its manifest, for programs, and its card, for people.

Neither holds a time or a place, so that equal runs publish equal bytes.
"""

import json
from collections import Counter
from typing import Any

import jinja2
import pyarrow as pa

from filters.tokens import Tokens
from pipelines.crawl import told
from pipelines.engine.step import Done, Job
from pipelines.recipe.measures import selected
from pipelines.runs import FORMAT
from pipelines.runs.tables import DATASET, marked, split_of
from pipelines.steps import consent, edited, languages
from pipelines.steps.dedup.recall import measured
from pipelines.steps.select import summary
from pipelines.units import say_share

SIZES = [(10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M")]


def manifest(job: Job, done: Done) -> str:
    """JSON: what was published, file by file, with checksums."""
    from importlib.metadata import version

    value = {
        "format": FORMAT,
        "karez": version("karez"),
        "seed": job.recipe.seed,
        "documents": done.counts["documents"],
        "tokens": done.counts["tokens"],
        "tokens_estimated": True,
        "shards": [
            {"path": p.name, "rows": p.rows, "bytes": p.size, "sha256": p.sha256}
            for p in done.parts[DATASET]
        ],
    }
    return json.dumps(value, indent=1) + "\n"


def page(job: Job, done: Done, text: str, columns: pa.Schema) -> str:
    """Markdown with the metadata that the Hugging Face hub reads."""
    about: dict[str, Any] = json.loads(text)
    steps = job.run.manifest.steps
    counts = marked(done.counts, "language: ")
    counted = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    dropped = marked(steps["decide"]["counts"], "dropped: ")
    found = Counter(split_of(each["path"]) for each in about["shards"])
    shards = {split: found[split] for split in job.recipe.publish.splits}
    splits = [s for s, n in shards.items() if n]
    loader = jinja2.PackageLoader("pipelines.steps", "")
    pages = jinja2.Environment(loader=loader, undefined=jinja2.StrictUndefined)
    pages.filters["percent"] = say_share
    return pages.get_template("card.md.jinja").render(
        recipe=job.recipe,
        languages=[language for language, _ in counted if language != "unknown"],
        size=next((word for limit, word in SIZES if about["documents"] < limit), "n>1M"),
        splits=splits,
        shards=shards,
        documents={s: done.counts[f"documents: {s}"] for s in splits},
        manifest=about,
        rate=_rate(job),
        seen=sum(dropped.values()) + steps["decide"]["counts"].get("kept", 0),
        dropped=dict(sorted(dropped.items(), key=lambda pair: (-pair[1], pair[0]))),
        dead=steps["ingest"]["counts"].get("dead", 0),
        recall=measured(job.run, job.recipe),
        fetched=told.reasons(steps)["fetched"],
        unfetched=told.faults(steps).most_common(),
        edited=edited.listed(steps),
        selected=summary.listed(job.run, job.recipe),
        unit=steps["split"]["facts"].get("unit"),
        spoken=languages.listed(steps["decide"]["counts"]),
        asked=steps["decide"]["counts"].get(consent.ASKED, 0),
        said=consent.listed(steps["decide"]["counts"]),
        columns=[(f.name, f.type) for f in columns],
    )


def _rate(job: Job) -> int:
    """Bytes a token, by which tokens were estimated."""
    tokens = selected(job.recipe).measures["tokens"]
    assert isinstance(tokens, Tokens)  # noqa: S101 (no other may have its name)
    return tokens.bytes_per_token
