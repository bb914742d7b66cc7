import math
from collections import Counter
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.entropy import BITS, Entropy, log2
from tests.helpers.measuring import measured


def slow_log2(count: int) -> int:
    """The logarithm digit by digit, in fractions cut off at 31 digits."""
    exponent = count.bit_length() - 1
    power, digits = Fraction(count, 2**exponent), exponent
    for _ in range(BITS):
        power = Fraction(math.floor(power**2 * 2**31), 2**31)
        digits *= 2
        if power >= 2:
            power = Fraction(math.floor(power * 2**30), 2**31)
            digits += 1
    return digits


def twin(data: bytes) -> dict[str, Any]:
    if not data:
        return {"entropy": None, "compression_ratio": None}
    counts = [len(data), *Counter(data).values()]
    total, *parts = (count * slow_log2(count) for count in counts)
    packed = pa.Codec("zstd", 3).compress(data)
    return {
        "entropy": (total - sum(parts)) / (len(data) << BITS),
        "compression_ratio": len(data) / packed.size,
    }


@given(st.lists(st.binary(max_size=300) | st.text().map(str.encode), max_size=4))
def test_the_twin_agrees(texts: list[bytes]) -> None:
    assert measured(Entropy(), *texts) == [*map(twin, texts)]


COUNTS = st.integers(1, 2**31 - 1) | st.integers(1, 5000)


@given(COUNTS)
def test_logarithms_are_right_to_one_unit(count: int) -> None:
    assert log2(count) == slow_log2(count)
    with localcontext(prec=50):
        exact = Decimal(count).ln() / Decimal(2).ln() * 2**BITS
    assert -1.1 < log2(count) - exact <= 0 or log2(count) == round(exact)


@given(st.integers(0, 30))
def test_logarithms_of_powers_are_exact(exponent: int) -> None:
    assert log2(2**exponent) == exponent << BITS


@pytest.mark.parametrize(
    ("data", "bits"),
    [
        (b"aaaa", 0.0),
        (b"abab", 1.0),
        (bytes(range(256)), 8.0),
        (b"ab" * 2500, 1.0),
        (b"a" * 100_000, 0.0),
    ],
    ids=["constant", "two symbols", "uniform", "long", "longer"],
)
def test_entropy_of_known_histograms(data: bytes, bits: float) -> None:
    assert measured(Entropy(), data)[0]["entropy"] == bits


@given(st.binary(min_size=1))
def test_entropy_is_shannon(data: bytes) -> None:
    p = [count / len(data) for count in Counter(data).values()]
    shannon = -sum(x * math.log2(x) for x in p)
    assert measured(Entropy(), data)[0]["entropy"] == pytest.approx(shannon, abs=1e-6)


def test_the_same_bits_everywhere() -> None:
    text = b"Measure once, decide on columns, write once.\n" * 203  # counts beyond the table
    assert measured(Entropy(), text)[0]["entropy"].hex() == "0x1.f48afea2d82d8p+1"


def test_what_repeats_compresses() -> None:
    prose, menu = measured(Entropy(), bytes(range(32, 127)) * 2, b"Home About Contact " * 10)
    assert menu["compression_ratio"] > prose["compression_ratio"] > 1
