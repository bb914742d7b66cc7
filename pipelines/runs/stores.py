"""Run folders on a store: ``s3://bucket/some/run``, ``gs://bucket/some/run``.  No Beam.

Files are read, by ranges, and written through pyarrow.fs; what it has no call for (a file that is
made only where there is none, the end of many) is asked of the store's own library: see
`pipelines.runs.s3` and `pipelines.runs.gcs`.
"""

import contextlib
import mmap
import os
import posixpath
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.fs as pafs

from pipelines.errors import RecipeError
from pipelines.runs.folders import Folder, Sink, is_utf8

S3, GS = "s3://", "gs://"
WAIT = 5  # seconds for a connection


def folder(path: str | Path) -> Folder:
    """A folder on this machine or on a store.

    Raises:
        RecipeError: if it is neither, or its path cannot be written down.
    """
    text = str(path)
    if not is_utf8(str(Path(text).absolute())):
        raise RecipeError(f"{text}: a run folder's path must be UTF-8; take another --run folder")
    if not re.match(r"\w+://", text):
        return Folder(os.path.normpath(Path(path).absolute()))
    if not is_remote(text) or not text.partition("://")[2].strip("/"):
        raise RecipeError(
            f"{text}: a run folder is a local path, or s3://bucket/folder, or gs://bucket/folder"
        )
    if text.startswith(S3):
        from pipelines.runs.s3 import S3Store

        return S3Store(text.rstrip("/"))
    from pipelines.runs.gcs import GoogleStore

    return GoogleStore(text.rstrip("/"))


def is_remote(path: str | Path) -> bool:
    """Whether a path names a folder on a store."""
    return str(path).startswith((S3, GS))


class Tagged(NamedTuple):
    """A file as it was written at one time; age: seconds since then, by the store's clock."""

    tag: str
    body: bytes
    age: float


def age(written: datetime, date: str | None) -> float:
    """Seconds since a file was written.

    Args:
        written: as its store says.
        date: of the store's answer; None: it told none, and our own clock has to do.
    """
    now = parsedate_to_datetime(date) if date else datetime.now(UTC)
    return (now - written).total_seconds()


@dataclass(frozen=True)
class Store(Folder):
    """A place for files on a store, where a file is there once it is whole; `Folder.path` its URL.

    Each kind of store says how it is reached, and how a file is written on a condition.
    """

    def look(self) -> None:
        """See whether we are let in, and do not wait long for it.

        Raises:
            RecipeError: if not, in one line.
        """
        raise NotImplementedError

    def put_if(self, name: str, body: bytes, tag: str) -> str | None:
        """Write a file, if what is there has this tag; "": if nothing is.

        Returns:
            its new tag; None if that is not so.
        """
        raise NotImplementedError

    def tagged(self, name: str) -> Tagged | None:
        """A file with its tag; None if there is none."""
        raise NotImplementedError

    def drop(self, name: str, tag: str) -> None:
        """Delete a file that still has this tag."""
        raise NotImplementedError

    def _remove(self, name: str, names: Sequence[str]) -> None:
        """Delete files, those of notes first, if they are there."""
        raise NotImplementedError

    def _key(self, name: str) -> str:
        """The bucket and the key of a file, as pyarrow wants them."""
        return self.at(name).partition("://")[2].rstrip("/")

    def list(self, name: str = "") -> list[str]:
        """Names of all files under `name`, at any depth, relative to this folder; sorted."""
        return sorted(posixpath.join(name, each) for each in self._sizes(name))

    def _sizes(self, name: str) -> dict[str, int]:
        """Bytes of all files under `name`, by their names relative to it."""
        key = self._key(name)
        infos = self.fs.get_file_info(pafs.FileSelector(key, recursive=True, allow_not_found=True))
        return {
            i.path.removeprefix(f"{key}/"): i.size for i in infos if i.type == pafs.FileType.File
        }

    def exists(self, name: str) -> bool:
        """Whether there is such a file; folders are nothing of their own here."""
        return bool(self.fs.get_file_info(self._key(name)).type == pafs.FileType.File)

    def names(self) -> Sequence[str]:
        """Names of the files and folders that stand right in it."""
        infos = self.fs.get_file_info(pafs.FileSelector(self._key(""), allow_not_found=True))
        return sorted(info.base_name for info in infos)

    def holds(self, name: str, sizes: Mapping[str, int]) -> bool:
        """Whether files under `name` are there, and so long."""
        there = self._sizes(name) if sizes else {}
        return all(there.get(each) == size for each, size in sizes.items())

    def _open(self, name: str) -> pa.NativeFile:
        return self.fs.open_input_file(self._key(name))

    @contextlib.contextmanager
    def create(self, name: str, hashed: bool = True) -> Iterator[Sink]:
        """A file to write: sent when the block ends well, and there once all of it has arrived.

        Until then it lies in the system's folder for temporary files, without a name.
        """
        self._before(name)
        with tempfile.TemporaryFile() as spool:
            sink = Sink(spool, hashed)
            yield sink
            spool.flush()
            self._before(name)
            body = mmap.mmap(spool.fileno(), 0, access=mmap.ACCESS_READ) if sink.size else b""
            with self.fs.open_output_stream(self._key(name), compression=None) as out:
                out.write(body)  # in one piece: to be closed half-way would make half a file

    def _before(self, name: str) -> None:
        self._is_fenced(name)

    def delete(self, name: str) -> None:
        """A file, or a folder and all in it; nothing where there is none.

        Plans and notes go before the files that they tell of: what is cut off leaves no note of a
        file that is gone.
        """
        names = self.list(name) or [name]
        names.sort(key=lambda each: not each.endswith(".json"))
        self._remove(name, names)


def key_of(path: str) -> tuple[str, str]:
    """Bucket and key of a path."""
    bucket, _, key = path.partition("://")[2].partition("/")
    return bucket, key.rstrip("/")


def reached(path: str | Path) -> str | Path:
    """The path of a folder that a user named, after a look whether its store lets us in.

    Raises:
        RecipeError: if it does not, or is not there: better at once than after a minute.
    """
    there = folder(path)
    if isinstance(there, Store):
        there.look()
    return path
