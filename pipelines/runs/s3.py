"""Run folders on an S3-compatible store: ``s3://bucket/some/run``.  No Beam.

What pyarrow has no call for is asked of botocore, which comes with ``karez[s3]``.  Who asks, the
region and the store are told by the usual variables and files: AWS_ACCESS_KEY_ID,
AWS_SECRET_ACCESS_KEY, AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL.
"""

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import pyarrow.fs as pafs

from pipelines.errors import RecipeError, RunError
from pipelines.runs.stores import S3, WAIT, Store, Tagged, age, key_of

ATTEMPTS = 10  # at a request; the waits between them double up to 20 s, so about a minute
KNOCKS = 2  # attempts where nothing is begun yet
MANY = 1000  # files that one request may delete
TAKEN = ("PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey")
"""What a store answers whose object is not as it was said to be."""


@dataclass(frozen=True)
class S3Store(Store):
    """A place for files on such a store."""

    @cached_property
    def fs(self) -> pafs.FileSystem:
        """Where it stands."""
        return filesystem()

    def _remove(self, name: str, names: Sequence[str]) -> None:
        """In this order, `MANY` at a time."""
        for start in range(0, len(names), MANY):
            keys = [{"Key": key_of(self.at(each))[1]} for each in names[start : start + MANY]]
            with explained(self.at(name)):
                done = client().delete_objects(
                    Bucket=key_of(self.path)[0], Delete={"Objects": keys, "Quiet": True}
                )
            for error in done.get("Errors", []):
                raise RunError(f"{S3}{key_of(self.path)[0]}/{error['Key']}: {error['Message']}")

    def look(self) -> None:
        """Ask for one name; without botocore nothing can be asked."""
        try:
            import botocore  # noqa: F401
        except ImportError as error:
            raise RecipeError(
                f"{self.path}: s3:// wants botocore, which is not here; pip install 'karez[s3]'"
            ) from error
        bucket, key = key_of(self.path)
        with explained(self.path, RecipeError):
            client(KNOCKS).list_objects_v2(Bucket=bucket, Prefix=f"{key}/", MaxKeys=1)

    def put_if(self, name: str, body: bytes, tag: str) -> str | None:
        """By a conditional PUT."""
        bucket, key = key_of(self.at(name))
        condition = {"IfMatch": tag} if tag else {"IfNoneMatch": "*"}
        with explained(self.path, but=TAKEN):
            put = client().put_object(Bucket=bucket, Key=key, Body=body, **condition)
            return str(put["ETag"])
        return None

    def tagged(self, name: str) -> Tagged | None:
        """Its ETag, and its age by the store's own clock."""
        bucket, key = key_of(self.at(name))
        with explained(self.path, but=("NoSuchKey",)):
            found = client().get_object(Bucket=bucket, Key=key)
            date = found["ResponseMetadata"]["HTTPHeaders"].get("date")
            return Tagged(found["ETag"], found["Body"].read(), age(found["LastModified"], date))
        return None

    def drop(self, name: str, tag: str) -> None:
        """Between the look and the end somebody may take it over: then he finds it gone."""
        bucket, key = key_of(self.at(name))
        with explained(self.path):
            if client(KNOCKS).head_object(Bucket=bucket, Key=key)["ETag"] == tag:
                client(KNOCKS).delete_object(Bucket=bucket, Key=key)


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


@contextlib.contextmanager
def explained(
    where: str, kind: type[RecipeError | RunError] = RunError, but: Sequence[str] = ()
) -> Iterator[None]:
    """What botocore raises, in one line: where, what, and what to do; answers in `but` are none."""
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
        if code in but:
            return
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
