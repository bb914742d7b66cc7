"""Run folders on an S3-compatible store: ``s3://bucket/some/run``.  No Beam.

Files are read, by ranges, and written through pyarrow.fs; what it has no call for (a file that is
made only where there is none, the end of many) is asked of botocore, which comes with
``karez[s3]``.  Who asks, the region and the store are told by the usual variables and files:
AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL.
"""

import contextlib
import mmap
import os
import posixpath
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.fs as pafs

from pipelines.errors import DamagedError, RecipeError, RunError
from pipelines.folders import Folder, Sink

S3 = "s3://"
ATTEMPTS = 10  # at a request; the waits between them double up to 20 s, so about a minute
KNOCKS = 2  # attempts where nothing is begun yet
WAIT = 5  # seconds for a connection
MANY = 1000  # files that one request may delete


def folder(path: str | Path) -> Folder:
    """A folder on this machine or on a store.

    Raises:
        RecipeError: if it is neither.
    """
    text = str(path)
    if not re.match(r"\w+://", text):
        return Folder(os.path.normpath(Path(path).absolute()))
    if not text.startswith(S3) or not text.removeprefix(S3).strip("/"):
        raise RecipeError(f"{text}: a run folder is a local path, or s3://bucket/folder")
    return Store(text.rstrip("/"))


def is_remote(path: str | Path) -> bool:
    """Whether a path names a folder on a store."""
    return str(path).startswith(S3)


@dataclass(frozen=True)
class Store(Folder):
    """A place for files on a store, where a file is there once it is whole.

    Attributes:
        path: begins with ``s3://``.
    """

    @cached_property
    def fs(self) -> pafs.FileSystem:
        """Where it stands."""
        return filesystem()

    def _key(self, name: str) -> str:
        """The bucket and the key of a file, as pyarrow wants them."""
        return self.at(name).removeprefix(S3).rstrip("/")

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

    def halves(self) -> Sequence[str]:
        """None: what was not written to its end is not there."""
        return []

    def open(self, name: str) -> pa.NativeFile:
        """A file to read, of which only what is asked for is fetched.

        Raises:
            DamagedError: if it is not there.
        """
        try:
            return self.fs.open_input_file(self._key(name))
        except FileNotFoundError as error:
            raise DamagedError(f"{self.at(name)}: is missing; run the recipe again") from error

    def segment(self, name: str, start: int, length: int) -> pa.Buffer:
        """Some bytes of a file; the others are not fetched."""
        with self.open(name) as file:
            file.seek(start)
            return file.read_buffer(length)

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
            with self.fs.open_output_stream(self._key(name)) as out:
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
        for start in range(0, len(names), MANY):
            keys = [{"Key": key_of(self.at(each))[1]} for each in names[start : start + MANY]]
            with told(self.at(name)):
                done = client().delete_objects(
                    Bucket=key_of(self.path)[0], Delete={"Objects": keys, "Quiet": True}
                )
            for error in done.get("Errors", []):
                raise RunError(f"{S3}{key_of(self.path)[0]}/{error['Key']}: {error['Message']}")


def key_of(path: str) -> tuple[str, str]:
    """Bucket and key of a path."""
    bucket, _, key = path.removeprefix(S3).partition("/")
    return bucket, key.rstrip("/")


def endpoint() -> str | None:
    """Where the store is, if it is not Amazon's."""
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")


@cache
def region() -> str:
    """As it was told; where nothing was, the first that there was."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        if os.environ.get(name):
            return os.environ[name]
    import botocore.session  # takes a while

    return botocore.session.get_session().get_config_variable("region") or "us-east-1"


@cache
def filesystem() -> pafs.FileSystem:
    """The store, as pyarrow sees it; one a process, and none before a process is forked."""
    scheme, _, host = (endpoint() or "https://").partition("://")
    return pafs.S3FileSystem(
        region=region(),
        scheme=scheme,
        endpoint_override=host.rstrip("/") or None,
        connect_timeout=WAIT,
        allow_delayed_open=True,  # what is small is one request
        retry_strategy=pafs.AwsStandardS3RetryStrategy(max_attempts=ATTEMPTS),
    )


@cache
def client(attempts: int = ATTEMPTS) -> Any:
    """The store, as botocore sees it."""
    import botocore.session
    from botocore.config import Config

    return botocore.session.get_session().create_client(
        "s3",
        region_name=region(),
        endpoint_url=endpoint(),
        config=Config(
            connect_timeout=WAIT,
            retries={"mode": "standard", "max_attempts": attempts},
            s3={"addressing_style": "path"} if endpoint() else {},
        ),
    )


def reached(path: str | Path) -> str | Path:
    """The path of a folder that a user named, after a look whether its store lets us in.

    Raises:
        RecipeError: if it does not, or is not there: better at once than after a minute.
    """
    if is_remote(folder(path).path):
        try:
            import botocore  # noqa: F401
        except ImportError as error:
            raise RecipeError(
                f"{path}: s3:// wants botocore, which is not here; pip install 'karez[s3]'"
            ) from error
        bucket, key = key_of(str(path))
        with told(str(path), RecipeError):
            client(KNOCKS).list_objects_v2(Bucket=bucket, Prefix=f"{key}/", MaxKeys=1)
    return path


@contextlib.contextmanager
def told(where: str, kind: type[RecipeError | RunError] = RunError) -> Iterator[None]:
    """What botocore raises, in one line: where, what, and what to do."""
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        ConnectionError,
        HTTPClientError,
        NoCredentialsError,
        PartialCredentialsError,
    )

    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        said = REFUSALS.get(code) or f"the store refuses: {error.response['Error']['Message']}"
        raise kind(f"{where}: {said}") from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise kind(f"{where}: {NAMELESS}") from error
    except (ConnectionError, HTTPClientError) as error:
        raise kind(f"{where}: {AWAY.format(endpoint() or 'Amazon')}") from error
    except (BotoCoreError, ValueError) as error:  # ValueError: of an endpoint that is none
        raise kind(f"{where}: {error}; see the AWS_ variables") from error


NAMELESS = "no key is set; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
AWAY = "no store answers at {}; see that it runs, and that AWS_ENDPOINT_URL names it"
WRONG = "the key or its secret is wrong; see AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
REFUSALS = {
    "NoSuchBucket": "the store has no such bucket; make it, or name another",
    "InvalidAccessKeyId": WRONG,
    "SignatureDoesNotMatch": WRONG,
    "AccessDenied": "this key has no permission there; let it list, read, write and delete",
}
"""What to say of what a store answers."""
