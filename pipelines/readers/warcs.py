"""Lists of WARC files, such as Common Crawl's ``warc.paths.gz``: a name a line, below some root."""

import gzip
import zlib
from pathlib import Path

from pipelines.errors import RecipeError
from pipelines.readers import ranges


def is_list(name: str) -> bool:
    """Whether a file's name is that of a list."""
    return name.lower().endswith((".paths", ".paths.gz"))


def root(given: str, base: str) -> str:
    """What names are relative to: a URL of a server, or a folder relative to the recipe's."""
    return given if ranges.is_remote(given) else str(Path(base, given))


def named(path: Path) -> list[str]:
    """The names in a list.

    Raises:
        RecipeError: if it cannot be read, or names what is not below a root.
    """
    try:
        body = path.read_bytes()
        text = (gzip.decompress(body) if path.name.lower().endswith(".gz") else body).decode()
        return [ranges.checked(line.strip()) for line in text.splitlines() if line.strip()]
    except ranges.RangeError as error:
        raise RecipeError(f"{path}: {error.detail}: {error.reason}") from error
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise RecipeError(f"{path}: cannot be read: {error}") from error
