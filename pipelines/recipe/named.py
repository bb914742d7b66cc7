"""What a name in a recipe stands for, and what tells one version of its code from another."""

import hashlib
import importlib
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines.errors import RecipeError, nearest


def thing(name: str, known: Mapping[str, str], where: str) -> Any:
    """What a name stands for.

    Raises:
        RecipeError: if it is not known, or cannot be imported.
    """
    path = known.get(name, name)
    if ":" not in path:
        raise RecipeError(f"{where}: unknown name {name!r}; {nearest(name, known)}")
    module, _, attribute = path.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise RecipeError(f"{where}: {name!r} cannot be imported: {error}") from error


def code_of(thing: Any, version: object) -> list[object]:
    """What tells one version of some code from another: its name, and its version.

    A user's own has no version that we could trust: a hash of its module's source stands for it.
    """
    if thing.__module__.partition(".")[0] != "filters":
        source = Path(str(inspect.getsourcefile(thing))).read_bytes()
        version = hashlib.sha256(source).hexdigest()
    return [f"{thing.__module__}:{thing.__qualname__}", version]
