"""Files of a run folder: whole or absent, counted and hashed.  No Beam."""

import contextlib
import hashlib
import io
import json
import os
import posixpath
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.fs as pafs

from pipelines.errors import DamagedError, RunError


def fingerprint(*things: object) -> str:
    """Twelve hex digits of whatever JSON can hold; keys of tables keep their written order."""
    text = json.dumps(things, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def is_utf8(path: str) -> bool:
    """Whether a path can be written down; what the system names otherwise has surrogates."""
    return not any("\ud800" <= sign <= "\udfff" for sign in path)


class Sink(io.RawIOBase):
    """A file being written: counts and hashes what goes through it."""

    def __init__(self, out: Any, hashed: bool = True) -> None:
        self.out, self.size = out, 0
        self._sha = hashlib.sha256() if hashed else None

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, data: Any) -> int:
        """All of it."""
        view = memoryview(data)
        self.out.write(view)
        if self._sha is not None:
            self._sha.update(view)
        self.size += view.nbytes
        return view.nbytes

    @property
    def sha256(self) -> str:
        """Of all that was written so far, in hex; "" if it is not hashed."""
        return self._sha.hexdigest() if self._sha is not None else ""


@dataclass(frozen=True)
class Folder:
    """A place for files on this machine.

    Attributes:
        path: a local path, absolute.
        fence: name of a file in it without which nothing is written.
    """

    path: str
    fence: str | None = None

    @cached_property
    def fs(self) -> pafs.FileSystem:
        """Where it stands."""
        return pafs.LocalFileSystem()

    def at(self, name: str) -> str:
        """The path of a file in it."""
        return posixpath.join(self.path, name)

    def list(self, name: str = "") -> list[str]:
        """Names of all files under `name`, at any depth, relative to this folder; sorted.

        A link counts as a file, also one to a folder: what it leads to is not ours to delete.
        """
        found = []
        for where, folders, files in os.walk(self.at(name)):
            here = posixpath.relpath(where, self.path)
            links = [each for each in folders if Path(where, each).is_symlink()]
            found += [posixpath.normpath(posixpath.join(here, each)) for each in (*files, *links)]
        return sorted(found)

    def exists(self, name: str) -> bool:
        """Whether there is such a file or folder."""
        return bool(self.fs.get_file_info(self.at(name)).type != pafs.FileType.NotFound)

    def names(self) -> Sequence[str]:
        """Names of the files and folders that stand right in it."""
        path = Path(self.path)
        return sorted(p.name for p in path.iterdir()) if path.is_dir() else []

    def holds(self, name: str, sizes: Mapping[str, int]) -> bool:
        """Whether files under `name` are there, and so long."""
        base = Path(self.at(name))
        try:
            return all((base / each).stat().st_size == size for each, size in sizes.items())
        except FileNotFoundError:
            return False

    def read(self, name: str) -> bytes:
        """A whole file.

        Raises:
            DamagedError: if it is not there.
        """
        with self.open(name) as file:
            return bytes(file.read())

    def open(self, name: str) -> pa.NativeFile:
        """A file to read: memory-mapped, or of a store's only what is asked for is fetched.

        Raises:
            DamagedError: if it is not there.
        """
        try:
            return self._open(name)
        except FileNotFoundError as error:
            raise DamagedError(f"{self.at(name)}: is missing; run the recipe again") from error

    def _open(self, name: str) -> pa.NativeFile:
        return pa.memory_map(self.at(name))

    def segment(self, name: str, start: int, length: int) -> pa.Buffer:
        """Some bytes of a file: a view of a mapped one; the others are not fetched."""
        with self.open(name) as file:
            file.seek(start)
            return file.read_buffer(length)

    @contextlib.contextmanager
    def create(self, name: str, hashed: bool = True) -> Iterator[Sink]:
        """A file to write: whole under its name when the block ends well, else absent.

        Whoever writes one of that name at the same time does not see ours; the last one stays.
        """
        target = Path(self.at(name))
        self._before(name)
        part = _beside(target)
        try:
            with part.open("wb") as out:
                yield Sink(out, hashed)
            self._before(name)
            part.replace(target)
        except BaseException as error:
            part.unlink(missing_ok=True)
            if isinstance(error, OSError) and error.filename is None:
                error.filename = str(target)  # a full disk does not say where
            raise

    def _before(self, name: str) -> None:
        """What is seen to before a file is begun, and before it gets its name.

        Raises:
            RunError: if the fence is gone.
        """
        if not self._is_fenced(name):  # to make the fence's own folder again would be to miss that
            Path(self.at(name)).parent.mkdir(parents=True, exist_ok=True)

    def _is_fenced(self, name: str) -> bool:
        """Whether a file is to stand beside the fence, which is there."""
        if self.fence is None:
            return False
        work = posixpath.dirname(self.fence)
        if not self.exists(self.fence):
            raise RunError(f"{self.at(work)}: is gone; another command took over")
        return name.startswith(work)

    def write(self, name: str, data: bytes) -> None:
        """A whole file at once."""
        with self.create(name) as out:
            out.write(data)

    def write_json(self, name: str, value: object) -> None:
        """A value as JSON that a person can read."""
        self.write(name, (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode())

    def read_json(self, name: str) -> Any:
        """The value back.

        Raises:
            DamagedError: if it is not there, or no JSON.
        """
        try:
            return json.loads(self.read(name))
        except ValueError as error:
            where = self.at(name)
            raise DamagedError(f"{where}: is no JSON; delete it and run again") from error

    def delete(self, name: str) -> None:
        """A file, or a folder and all in it; nothing where there is none.

        A folder is moved aside first, so that nobody puts a file into it meanwhile.  Of a link the
        link is deleted.
        """
        path = Path(self.at(name))
        with contextlib.suppress(FileNotFoundError):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path.rename(_beside(path)))
            else:
                path.unlink()


def _beside(path: Path) -> Path:
    """A name in the same folder for what is not whole; no two are alike, on no machine."""
    return path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")


def is_half(name: str) -> bool:
    """Whether a file is not whole, by its name."""
    return posixpath.basename(name).startswith(".") and name.endswith(".part")
