"""Numba, set up once: where compiled kernels are kept, and how a kernel is declared.

Importing this module imports Numba, so only a module that holds a kernel does it.  A kernel is
compiled when it is first called, for the types it is annotated with, and kept in
``$NUMBA_CACHE_DIR``, else ``$XDG_CACHE_HOME/karez/numba``, else ``~/.cache/karez/numba``, else,
where nothing can be written, in a folder for temporary files.

Numba compiles a kernel anew when the kernel's own file changes.  What kernels of several files
share, the helpers, it does not watch: so the folder's name holds a digest of files with helpers.
For the same reason a kernel takes tables as arguments: a global array would be compiled in.
"""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Callable
from functools import cached_property, update_wrapper
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, TypeVar, cast, get_args, get_origin, get_type_hints

import numba
import numpy as np
from numba import types
from numpy.typing import NDArray

from filters.buffers import TWO, WRITTEN

Function = TypeVar("Function", bound=Callable[..., Any])

SHARED = ("helper", "part", "allocator")
"""What marks a function that kernels share."""


def folder() -> Path:
    """Where compiled kernels are kept when the user names no place; made if it is missing."""
    files = [path.read_bytes() for path in sorted(Path(__file__).parent.rglob("*.py"))]
    shared = (f for f in files if any(f"@{name}".encode() in f for name in SHARED))
    name = hashlib.sha256(b"\0".join(shared)).hexdigest()[:12]
    if os.environ.get("NUMBA_BOUNDSCHECK", "0") != "0":
        name += "-checked"
    bases = [Path(tempfile.gettempdir()) / f"karez-{os.getuid()}"]
    with contextlib.suppress(RuntimeError):  # a user may have no home
        home = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
        bases.insert(0, Path(home))
    for base in bases:
        place = base / "karez" / "numba" / name
        try:
            base.mkdir(mode=0o700, parents=True, exist_ok=True)
            place.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        # code is loaded from there, so it must be a place where only we can put it
        if os.access(place, os.W_OK) and base.stat().st_uid == os.getuid():
            return place
    return Path(tempfile.mkdtemp(prefix="karez-numba-"))


class Kernel:
    """A function of arrays, for the types that it is annotated with."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        update_wrapper(self, function)

    @cached_property
    def compiled(self) -> Callable[..., Any]:
        """The machine code, compiled or loaded from the cache when it is first asked for."""
        *given, made = map(_type, get_type_hints(self.function, include_extras=True).values())
        return numba.njit(made(*given), nogil=True, cache=True)(self.function)

    def __call__(self, *arguments: Any) -> Any:
        """Call the machine code."""
        return self.compiled(*arguments)


KERNELS: list[Kernel] = []
"""Those of all modules imported so far.  To ask each for `compiled` is to warm it."""


def _type(hint: Any) -> Any:
    """What Numba calls an annotation: a number, an array as `filters.buffers` has them, a tuple."""
    if get_origin(hint) is tuple:
        return types.Tuple([*map(_type, get_args(hint))])
    of, *marks = get_args(hint) if get_origin(hint) is Annotated else (hint,)
    if get_origin(of) is not np.ndarray:
        return {int: types.int64, float: types.float64, NoneType: types.void}[of]
    kind = numba.from_dtype(np.dtype(get_args(get_args(of)[1])[0]))
    return types.Array(kind, 2 if TWO in marks else 1, "C", readonly=WRITTEN not in marks)


def kernel(function: Function) -> Function:
    """Make a function a kernel; what it writes is annotated as `Out`.

    It releases the GIL, and reads and writes without bounds checks unless ``NUMBA_BOUNDSCHECK=1``.
    """
    KERNELS.append(Kernel(function))
    return cast(Function, KERNELS[-1])


def helper(function: Function) -> Function:
    """A function that kernels call; they call no kernels.  It is compiled as a part of each.

    It does not count references to the arrays that it is given: that would cost more than the work
    in it, and whoever calls it holds them.  So it can make no array; an `allocator` can.
    """
    made: Function = numba.njit(nogil=True, forceinline=True, _nrt=False)(function)
    return made


def part(function: Function) -> Function:
    """A helper that is compiled once and called from everywhere: it is long, or often used."""
    made: Function = numba.njit(nogil=True, _nrt=False)(function)
    return made


def allocator(function: Function) -> Function:
    """A helper that makes arrays."""
    made: Function = numba.njit(nogil=True, forceinline=True)(function)
    return made


@helper
def longest(offsets: NDArray[np.int64]) -> int:
    """The most that lies between two neighbours; 0 where there are none."""
    most = 0
    for i in range(len(offsets) - 1):
        most = max(most, offsets[i + 1] - offsets[i])
    return most


@helper
def signed(value: int | np.integer[Any]) -> int:
    """A number as int64.  Numba makes an unsigned and a signed number together a float."""
    return int(np.int64(value))


if not os.environ.get("NUMBA_CACHE_DIR"):
    os.environ["NUMBA_CACHE_DIR"] = str(folder())
    numba.config.reload_config()  # Numba may have been imported, and its settings read, by others
