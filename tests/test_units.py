import pytest

from pipelines import units


@pytest.mark.parametrize(
    ("written", "size"),
    [("256 MB", 256_000_000), ("1.5kB", 1500), ("10 B", 10), (4096, 4096), ("2 TB", 2 * 10**12)],
)
def test_a_size_is_read(written: object, size: int) -> None:
    assert units.size(written) == size


@pytest.mark.parametrize("written", ["", "MB", "-1 MB", "1 MiB", 0, -3, True, None, 1.5, "0 B"])
def test_what_is_no_size_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="256 MB"):
        units.size(written)


@pytest.mark.parametrize(("written", "share"), [("1 %", 0.01), ("100%", 1), (0.25, 0.25), (0, 0)])
def test_a_share_is_read(written: object, share: float) -> None:
    assert units.share(written) == share


@pytest.mark.parametrize("written", ["", "%", "101 %", -0.1, 1.1, True, None, "ten %"])
def test_what_is_no_share_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="1 %"):
        units.share(written)


@pytest.mark.parametrize(
    ("size", "said"),
    [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (5e12, "5.0 TB")],
)
def test_a_size_is_said(size: float, said: str) -> None:
    assert units.say_size(size) == said
