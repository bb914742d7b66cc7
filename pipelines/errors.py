"""The exceptions we raise on purpose.

Everything here is something the user can put right: the message says where, what and what to do.
All else is a bug and keeps its traceback.
"""

import errno
import os
import re
from collections.abc import Iterable
from difflib import get_close_matches


class KarezError(Exception):
    """Something the user can put right."""

    exit_code = 1


class RecipeError(KarezError):
    """The command or the recipe is wrong; nothing was touched."""

    exit_code = 2


class RunError(KarezError):
    """The run failed, or passed a limit."""


class DamagedError(RunError):
    """A file of a run folder is missing or not the one that was sealed."""


class BusyError(RunError):
    """Another command works on this run folder."""


ENVIRONMENT = {
    errno.EACCES, errno.EDQUOT, errno.EEXIST, errno.EFBIG, errno.EIO, errno.EISDIR, errno.ELOOP,
    errno.EMFILE, errno.ENAMETOOLONG, errno.ENFILE, errno.ENOLCK, errno.ENOMEM, errno.ENOSPC,
    errno.ENOTDIR, errno.EPERM, errno.EROFS, errno.ESTALE,
}  # fmt: skip
"""What the system refuses and the user can put right: a full disk, a folder that is not his."""


SHORT = "memory is short; run again with fewer --workers, or where there is more"
"""What a `MemoryError` means to the user."""

AWAY = "the store does not answer any more"
STORE = re.compile(
    r"key '(.*)' in bucket '(.*)': AWS Error (\w+)(?: \(.*?\))? during (\w+) operation"
)
"""What Arrow says of a store that refuses, or does not answer."""

GOOGLE = re.compile(r"google::cloud::Status\((\w+): ")
"""The same, of Google's."""


def is_told(error: OSError) -> bool:
    """Whether it is something that the user can put right."""
    said = str(error)
    return error.errno in ENVIRONMENT or bool(STORE.search(said) or GOOGLE.search(said))


def said_of(error: OSError, where: str) -> str:
    """The system's words, or the store's, with the place."""
    if google := GOOGLE.search(str(error)):
        if google[1] in ("UNAVAILABLE", "DEADLINE_EXCEEDED"):
            return f"{where}: {AWAY}"
        return f"{where}: the store refuses: {google[1].lower().replace('_', ' ')}"
    found = STORE.search(str(error))
    if found is None:
        return f"{error.filename or where}: {os.strerror(error.errno or 0)}"
    key, bucket, code, operation = found.groups()
    if code == "NETWORK_CONNECTION":
        return f"s3://{bucket}/{key}: {AWAY}"
    return f"s3://{bucket}/{key}: the store refuses {operation}: {code.lower().replace('_', ' ')}"


def nearest(word: str, known: Iterable[str]) -> str:
    """What to say of an unknown name: the nearest known one, or all of them."""
    names = sorted(known)
    near = get_close_matches(word, names, n=1)
    return f"did you mean {near[0]}?" if near else f"known: {', '.join(names)}"
