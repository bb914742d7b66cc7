"""WebDataset shards: tar files whose members belong together by name; plain, gzip or zstd.

Neighbours whose names agree up to the first dot of the last piece are one sample.

Source: T. Breuel, the WebDataset format, 2019.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from filters import charset
from pipelines.readers import LIMIT, Dead, Document, Skipped, Source, packed, rows
from pipelines.readers.packed import Stream
from pipelines.readers.pages import brief
from pipelines.readers.tar import BLOCK, Member, members
from pipelines.readers.text import BYTES

TEXT = "txt"  # extension of texts, where the source names none
FIELDS = "json"  # extension of all other fields

_NAME = re.compile(r"((?:.*/)?[^./][^./]*)\.([^/]+)", re.DOTALL)  # key, extension
_SHORT = re.compile(r"[a-z0-9_.]{1,12}")


@dataclass
class Sample:
    """Members that belong together."""

    key: str
    offset: int
    length: int = 0
    seen: set[str] = field(default_factory=set)  # extensions
    text: bytes | None = None
    fields: bytes = b"{}"
    fault: str | None = None  # what is too large

    def add(self, member: Member, kind: str, held: bool, stream: Stream) -> Iterator[Skipped]:
        """A member by its extension: its bytes are held, or it is skipped."""
        self.seen.add(kind)
        self.length = stream.passed + member.size - self.offset
        if not held:
            yield Skipped(kind if _SHORT.fullmatch(kind) else "other")
        elif member.size > (LIMIT if kind == FIELDS else BYTES):
            self.fault = f".{kind} of {member.size:,} bytes"
        elif kind == FIELDS:
            self.fields = stream.take(member.size)
        else:
            self.text = stream.take(member.size)

    def item(self, source: Source) -> Document | Dead:
        """The document that it is, or why it is none."""
        item = self._item(source)
        if isinstance(item, Dead):
            return item._replace(detail=brief(f"{self.key}: {item.detail}"))
        return item._replace(source_key=item.source_key or self.key)

    def _item(self, source: Source) -> Document | Dead:
        if self.fault:
            return Dead(self.offset, "too large", self.fault)
        row = rows.parse(self.fields, self.offset)
        if isinstance(row, Dead):
            return row
        if self.text is None:
            text = rows.pop(row, source.text)
        else:
            text, _ = charset.decode(self.text, "utf-8")
        return rows.document(text, row, self.offset, self.length, source)


def read(file: BinaryIO, name: str, source: Source) -> Iterator[Document | Dead | Skipped]:
    """The samples of a shard.

    A sample's text is the member with the extension that the source names as `text`, else the field
    of that name in its ``json``, which holds all other fields.  Other members are skipped.  Its key
    is the name of its members, unless its fields have an id or a URL.

    Args:
        file: seekable; its first bytes tell how it is packed.
        name: of the file; not used.
        source: `text` is an extension (the default, "text", means ``txt``); names the fields that
            hold id and URL.
    """
    whole = packed.File(file)
    pieces = packed.unpacker(whole)
    stream = Stream(pieces)
    wanted = TEXT if source.text == "text" else source.text.lower().removeprefix(".")
    for item in samples(stream, wanted):
        if isinstance(item, Sample):
            yield item.item(source)
        elif isinstance(item, Dead):
            used = item.offset if isinstance(pieces, packed.Plain) else pieces.at
            yield item._replace(unread=max(whole.size - used, 0))
        else:
            yield item


def samples(stream: Stream, wanted: str) -> Iterator[Sample | Skipped | Dead]:
    """Members by sample; a fault comes last, and takes the sample along that may lack members."""
    sample: Sample | None = None
    for member in members(stream):
        if isinstance(member, Dead):
            yield from _last(sample, member, stream)
            return
        match = _NAME.fullmatch(member.name) if member.is_file else None
        if not match:
            yield Skipped("no sample")  # a folder, a link, a name without an extension
            continue
        key, kind = match[1], match[2].lower()
        if sample is None or key != sample.key or kind in sample.seen:
            if sample:
                yield sample
            sample = Sample(key, member.offset)
        yield from sample.add(member, kind, kind in (wanted, FIELDS), stream)
    if sample:
        yield sample


def _last(sample: Sample | None, fault: Dead, stream: Stream) -> Iterator[Sample | Dead]:
    """The sample before a fault, if nothing of it can be behind it; else it is lost as well."""
    if sample is None:
        yield fault
        return
    zeros_between = fault.offset - (sample.offset + sample.length) >= BLOCK
    only_end_missing = fault.offset == stream.passed and not stream.fault
    if zeros_between or only_end_missing:
        yield sample
        yield fault
    else:
        yield fault._replace(offset=sample.offset)
