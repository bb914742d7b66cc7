"""Pairs: images that were fetched, each with what a document says of it.

The WARC files are read once more: what pages say of images meets the documents by file and offset,
and then the images by their address.  Images are kept by content, undecoded, under ``images/``.  An
image that no document is about, or that was not fetched, is no pair.
"""

import hashlib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.engine.corpus import Corpus
from pipelines.engine.step import Batches, Done, Job, Key, Plan, Step
from pipelines.recipe import Recipe, Source
from pipelines.runs import Run, parts, refusals
from pipelines.runs.folders import fingerprint
from pipelines.runs.tables import PAIRS_TABLE
from pipelines.schema import PAIRS
from pipelines.steps import sources
from pipelines.steps.meeting import by_key, by_name, those

VERSION = 1
PARTITION = 200_000  # documents whose images meet in one partition, about
SAID = ("alt", "title", "caption", "before", "after")
"""Kinds of texts that a page has of an image; and of the page the title."""

PAGE = [pa.field("source", pa.string(), False), pa.field("at", pa.int64(), False)]
"""Its file, and the offset of its record in it."""

MENTIONS = pa.schema(
    [*PAGE, pa.field("image_url", pa.string(), False), *((kind, pa.string()) for kind in SAID)]
)
ABOUT = [(name, pa.string()) for name in ("url", "page_title", "declared_language")]
NAMED = pa.schema([*PAGE, pa.field("document", pa.string(), False), *ABOUT])
IMAGES = pa.schema([f for f in PAIRS if f.name not in ("id", "document", "url", "texts")])


def imaged(recipe: Recipe) -> list[int]:
    """The sources that have images, by their number among all that are read."""
    here = [number for number, each in enumerate(recipe.source) if each.images]
    is_crawled = recipe.crawl is not None and recipe.crawl.images
    return [*here, len(recipe.source)] if is_crawled else here


def tables(run: Run, recipe: Recipe) -> dict[str, str]:
    """The pairs, by the documents that they are of; none of another run's documents."""
    if "from" in run.manifest.facts:
        return {}
    return {PAIRS_TABLE: fingerprint("pairs", VERSION, run.table("documents").fingerprint)}


def sizes(recipe: Recipe, corpus: Corpus) -> list[int]:
    """Files and parts of documents, partitions of pages, partitions of images."""
    count = 1 + corpus.documents // PARTITION
    return [corpus.parts, count, count]


def plan(run: Run, recipe: Recipe) -> Plan:
    """A task a file and one a part of documents; then the partitions."""
    every = sources.of(run, recipe)
    files = [
        {"source": number, "name": file.name, "path": file.path}
        for number in imaged(recipe)
        for file in sources.files(every[number], recipe.base)
    ]
    known = [{"part": part} for part in range(run.parts)]
    return Plan([*files, *known], sizes(recipe, Corpus.of(run))[1:])


def gather(job: Job, key: int, _: Batches) -> Done:
    """What a file says of images and holds of them; or who the documents of a part are."""
    task, count = job.plan.tasks[key], job.plan.keys[0]
    if "part" in task:
        return Done(out=_keyed(_documents(job.run, task["part"]), ("source", "at"), count, 0))
    mentions, images = _read(job, task)
    onward = _keyed(images, ("image_url",), count, 2)  # past the mentions, by the place
    done = Done(out=chain(_keyed(mentions, ("source", "at"), count, 1), onward))
    done.counts.update({"mentions": mentions.num_rows, "images": images.num_rows})
    return done


def _documents(run: Run, part: int) -> pa.Table:
    names = ["source", "offset", "id", "url", "title", "declared_language"]
    read = run.open_part("documents", part).read(names)
    return read.rename_columns(NAMED.names).cast(NAMED)


def _read(job: Job, task: dict[str, Any]) -> tuple[pa.Table, pa.Table]:
    from filters.extract import KAREZ
    from pipelines.readers import pictures

    source: Source = sources.of(job.run, job.recipe)[task["source"]]
    mode = KAREZ[source.extract][0] if source.extract in KAREZ else "balanced"
    refused = refusals.read(job.run.folder).refused
    mentions, images = [], []
    with Path(task["path"]).open("rb") as file:
        for item in pictures.read(file, mode):
            if refused(item.url, None):
                continue
            if isinstance(item, pictures.Found):
                images.append((_kept(job.run, item), *_facts(item, task["name"])))
            else:
                told = (getattr(item.said, kind) for kind in SAID)
                mentions.append((task["name"], item.offset, item.url, *(t or None for t in told)))
    return _table(mentions, MENTIONS), _table(images, IMAGES)


def _facts(item: Any, name: str) -> tuple[object, ...]:
    picture = item.picture
    media = f"image/{picture.format}", picture.width, picture.height, len(item.body)
    return item.url, *media, item.noai, item.noimageai, name, item.offset, item.length


def _kept(run: Run, item: Any) -> str:
    """Write an image under its content's name, and give that."""
    digest = hashlib.sha256(item.body).hexdigest()
    name = path_of(digest, item.picture.format)
    if not run.folder.exists(name):
        run.folder.write(name, item.body)
    return digest


def path_of(digest: str, format: str) -> str:
    """Where an image stands in the run folder."""
    return f"images/{digest[:2]}/{digest}.{format}"


def _table(rows: list[Any], schema: pa.Schema) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else [[] for _ in schema]
    return pa.table([pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema)


def _keyed(
    rows: pa.Table, by: tuple[str, ...], count: int, place: int
) -> Iterator[tuple[Key, pa.RecordBatch]]:
    """Rows by the partition of what they meet by."""
    names = pc.binary_join_element_wise(*(rows[each].cast(pa.string()) for each in by), "\n")
    for number, batch in by_key(rows, by_name(names, count)):
        yield (number, place), batch


def name(job: Job, key: int, batches: Batches) -> Done:
    """Of one partition, mentions with their documents; to where their images come."""
    documents, mentions, images = (those(batches, schema) for schema in (NAMED, MENTIONS, IMAGES))
    named = mentions.join(documents, ["source", "at"], join_type="inner")
    count = job.plan.keys[1]
    onward = _keyed(images, ("image_url",), count, 1)
    return Done(out=chain(_keyed(named, ("image_url",), count, 0), onward))


def pair(job: Job, key: int, batches: Batches) -> Done:
    """Of one partition, mentions with their images: a part of the pairs, by id."""
    own = [each for each in batches if "document" in each.schema.names]
    images = those(batches, IMAGES).sort_by([("image_url", "ascending"), ("offset", "ascending")])
    latest = {row["image_url"]: row for row in images.to_pylist()}
    rows = [
        {**latest[row["image_url"]], **_told(row), "id": _id(row, latest[row["image_url"]])}
        for batch in own
        for row in batch.to_pylist()
        if row["image_url"] in latest
    ]
    if not rows:
        return Done()
    table = pa.Table.from_pylist(sorted(rows, key=lambda row: str(row["id"])), PAIRS)
    with parts.Writer(job.run, PAIRS_TABLE, f"part-{key:05d}.parquet", PAIRS) as writer:
        writer.write(table)
    done = Done({PAIRS_TABLE: [writer.part]})
    done.counts["pairs"] = len(rows)
    return done


def _told(row: dict[str, Any]) -> dict[str, Any]:
    said = [(kind, row[kind]) for kind in (*SAID, "page_title")]
    lang = row["declared_language"]
    texts = [{"kind": kind, "text": text, "lang": lang} for kind, text in said if text]
    return {"document": row["document"], "url": row["url"], "texts": texts}


def _id(row: dict[str, Any], image: dict[str, Any]) -> str:
    """32 hex: of the document, the image and its address."""
    key = "\n".join((row["document"], image["image"], row["image_url"]))
    return hashlib.sha256(key.encode()).hexdigest()[:32]


STEP = Step(
    "pairs",
    "images to pairs",
    tables,
    (gather, name, pair),
    wanted=lambda recipe: bool(imaged(recipe)),
    sizes=sizes,
    plan=plan,
    exchanges=(700, 0),
    files=lambda recipe: 0,
    reads=lambda recipe: True,
)
