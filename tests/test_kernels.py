import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from filters import kernels
from filters.buffers import Bytes


def python(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


SAY = "import filters.kernels, numba; print(numba.config.CACHE_DIR)"


def test_kernels_are_kept_where_the_user_says(tmp_path: Path) -> None:
    told, cache = str(tmp_path / "told"), str(tmp_path / "cache")
    assert python(SAY, NUMBA_CACHE_DIR=told, HOME=cache) == told
    assert python(SAY, XDG_CACHE_HOME=cache).startswith(cache + "/karez/numba/")
    assert python("import numba; " + SAY, HOME=cache).startswith(cache + "/.cache/karez/numba/")


def test_kernels_with_and_without_bounds_checks_are_kept_apart(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("NUMBA_BOUNDSCHECK", raising=False)
    plain = kernels.folder()
    monkeypatch.setenv("NUMBA_BOUNDSCHECK", "1")
    assert kernels.folder() == plain.with_name(plain.name + "-checked")


def test_where_nothing_can_be_written_a_temporary_folder_will_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert kernels.folder().is_relative_to(tmp_path)


def test_a_kernel_is_compiled_when_it_is_called() -> None:
    @kernels.kernel
    def total(data: Bytes) -> int:
        count = 0
        for byte in data:
            count += kernels.signed(byte)
        return count

    made = kernels.KERNELS.pop()
    assert "compiled" not in vars(made) and made.__name__ == "total"  # type: ignore[attr-defined]
    assert total(np.frombuffer(b"\1\2\377", np.uint8)) == 258
    assert "compiled" in vars(made)


def test_what_needs_no_kernel_does_not_load_numba() -> None:
    assert python("import filters.buffers, sys; print('numba' in sys.modules)") == "False"
