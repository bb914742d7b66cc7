import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from filters.hashset import has, hash_set

VALUES = st.lists(st.integers(0, 9) | st.integers(0, 2**64 - 1), max_size=200)


@given(VALUES, VALUES)
def test_a_set_holds_what_was_put_in(some: list[int], others: list[int]) -> None:
    bits, slots = hash_set(np.array(some, np.uint64))
    known = {max(1, value) for value in some}
    asked = some + others
    found = [has(np.uint64(value), bits, slots) for value in asked]
    assert found == [max(1, value) in known for value in asked]


def test_most_that_is_not_there_is_told_by_its_bit() -> None:
    draw = np.random.default_rng(1)
    bits, slots = hash_set(draw.integers(0, 2**64, 100_000, np.uint64))
    assert len(slots) == len(bits) == 1 << 18
    assert np.unpackbits(bits).mean() < 1 / 16


def test_repetitions_take_no_room() -> None:
    _, slots = hash_set(np.full(100_000, 7, np.uint64))
    assert np.flatnonzero(slots).tolist() == [7]
