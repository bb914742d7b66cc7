"""Run folders on Google Cloud Storage: ``gs://bucket/some/run``.  No Beam.

What pyarrow has no call for is asked of google-cloud-storage, which comes with ``karez[gs]``.  Who
asks is told by Google's usual variables and files (GOOGLE_APPLICATION_CREDENTIALS, or the machine's
own account), an emulator by STORAGE_EMULATOR_HOST.
"""

import contextlib
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, cached_property
from typing import Any

import pyarrow.fs as pafs

from pipelines.errors import RecipeError, RunError
from pipelines.runs.stores import WAIT, Store, Tagged, age, key_of

PATIENCE = 60  # seconds that a request is tried again for
TOGETHER = 16  # files that are deleted at a time
HEARD = threading.local()
"""`date`: of the last answer that this thread had."""


@dataclass(frozen=True)
class GoogleStore(Store):
    """A place for files there."""

    @cached_property
    def fs(self) -> pafs.FileSystem:
        """Where it stands."""
        return filesystem()

    def _blob(self, name: str) -> Any:
        bucket, key = key_of(self.at(name))
        return client().bucket(bucket).blob(key)

    def _remove(self, name: str, names: Sequence[str]) -> None:
        """Notes first, then the others, `TOGETHER` at a time."""
        with explained(self.at(name)), ThreadPoolExecutor(TOGETHER) as pool:
            notes = [each for each in names if each.endswith(".json")]
            for some in (notes, names[len(notes) :]):
                list(pool.map(self._remove_one, some))

    def _remove_one(self, name: str) -> None:
        from google.api_core.exceptions import NotFound

        with contextlib.suppress(NotFound):
            self._blob(name).delete()

    def look(self) -> None:
        """Ask for one name; without Google's library nothing can be asked."""
        try:
            import google.cloud.storage  # noqa: F401
        except ImportError as error:
            raise RecipeError(
                f"{self.path}: gs:// wants google-cloud-storage, which is not here; "
                "pip install 'karez[gs]'"
            ) from error
        bucket, key = key_of(self.path)
        with explained(self.path, RecipeError):
            one = {"prefix": f"{key}/", "max_results": 1}
            list(client().list_blobs(bucket, **one, timeout=WAIT, retry=None))

    def put_if(self, name: str, body: bytes, tag: str) -> str | None:
        """On the condition of its generation."""
        from google.api_core.exceptions import PreconditionFailed

        blob = self._blob(name)
        with explained(self.path):
            try:
                blob.upload_from_string(body, if_generation_match=int(tag or 0))
            except PreconditionFailed:  # where there is none any more, too
                return None
        return str(blob.generation)

    def tagged(self, name: str) -> Tagged | None:
        """Its generation, and its age by the store's own clock."""
        from google.api_core.exceptions import NotFound, PreconditionFailed

        blob = self._blob(name)
        with explained(self.path):
            try:
                blob.reload()
                body = blob.download_as_bytes(if_generation_match=blob.generation)
            except (NotFound, PreconditionFailed):  # it was written meanwhile
                return None
        return Tagged(str(blob.generation), body, age(blob.updated, HEARD.date))

    def drop(self, name: str, tag: str) -> None:
        """On the condition of its generation."""
        from google.api_core.exceptions import NotFound, PreconditionFailed

        blob = self._blob(name)
        with explained(self.path), contextlib.suppress(NotFound, PreconditionFailed):
            blob.reload(timeout=WAIT, retry=None)  # emulators forget the condition
            if str(blob.generation) == tag:
                blob.delete(if_generation_match=blob.generation, timeout=WAIT, retry=None)


def emulator() -> str | None:
    """Where the store is, if it is not Google's."""
    return os.environ.get("STORAGE_EMULATOR_HOST")


@cache
def filesystem() -> pafs.FileSystem:
    """The store, as pyarrow sees it; one a process, and none before a process is forked."""
    scheme, _, host = (emulator() or "https://").partition("://")
    return pafs.GcsFileSystem(
        anonymous=bool(host),
        scheme=scheme,
        endpoint_override=host.rstrip("/") or None,
        retry_time_limit=timedelta(seconds=PATIENCE),
    )


@cache
def client() -> Any:
    """The store, as Google's library sees it; no call of ours is of a project."""
    from google.cloud import storage
    from requests.adapters import HTTPAdapter

    made = storage.Client(project=os.environ.get("GOOGLE_CLOUD_PROJECT", "none"))
    for scheme in ("https://", "http://"):  # as many connections are kept as are open at a time
        made._http.mount(scheme, HTTPAdapter(pool_maxsize=TOGETHER))
    made._http.hooks["response"].append(_hear)  # the library tells no date of an answer
    return made


def _hear(answer: Any, **_: object) -> None:
    HEARD.date = answer.headers.get("date")


@contextlib.contextmanager
def explained(where: str, kind: type[RecipeError | RunError] = RunError) -> Iterator[None]:
    """What Google's library raises, in one line: where, what, and what to do."""
    import requests
    from google.api_core.exceptions import (
        Forbidden,
        GoogleAPICallError,
        NotFound,
        RetryError,
        Unauthorized,
    )
    from google.auth.exceptions import GoogleAuthError

    try:
        yield
    except NotFound as error:
        raise kind(f"{where}: the store has no such bucket; make it, or name another") from error
    except (Forbidden, Unauthorized) as error:
        raise kind(f"{where}: {REFUSED}") from error
    except GoogleAuthError as error:
        raise kind(f"{where}: {NAMELESS}") from error
    except (requests.ConnectionError, requests.Timeout, RetryError) as error:
        raise kind(f"{where}: no store answers at {emulator() or 'Google'}") from error
    except (GoogleAPICallError, ValueError) as error:
        raise kind(f"{where}: {str(error).splitlines()[0]}") from error


NAMELESS = "nobody is logged in; set GOOGLE_APPLICATION_CREDENTIALS, or give the machine an account"
REFUSED = "this account has no permission there; let it list, read, write and delete"
