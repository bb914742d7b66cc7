import datasketch
import numpy as np
import pyarrow as pa
import pytest
from datasketch.lsh import _optimal_param
from hypothesis import given, settings
from hypothesis import strategies as st

from filters import SPANS
from filters.buffers import table
from filters.lsh import similarity
from filters.minhash import NONE, MinHash, keys, permutations
from tests.helpers.measuring import batch, structs, words_of

FIRST, SECOND = 0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53
GOLDEN, BASE = 0x9E3779B97F4A7C15, 6364136223846793005
ALL = 2**64 - 1

PROSE = "The quick brown fox jumps over the lazy dog; naïvely, 3.14 times, in its sleep."


def word_hash(text: str) -> int:
    word = text.encode()
    value = len(word) * GOLDEN & ALL
    for at in range(0, len(word), 8):
        piece = word[at : at + 8].rjust(8, b"\0") if at + 8 > len(word) else word[at : at + 8]
        value = (value ^ int.from_bytes(piece, "little")) * FIRST & ALL
        value ^= value >> 32
    value = value * SECOND & ALL
    return value ^ value >> 32


def shingle_hash(shingle: tuple[str, ...]) -> int:
    """The twin: not rolled."""
    value = 0
    for word in shingle:
        value = (value * BASE + word_hash(word)) & ALL
    value = (value ^ value >> 32) * SECOND & ALL
    return value ^ value >> 32


def upper_half(shingle: tuple[str, ...]) -> int:
    return shingle_hash(shingle) >> 32


def shingles(text: bytes | str, size: int) -> set[tuple[str, ...]]:
    found = words_of(text)
    if not found:
        return set()
    return {tuple(found[i : i + size]) for i in range(max(1, len(found) - size + 1))}


def reference(text: bytes | str, family: MinHash) -> datasketch.MinHash:
    made = datasketch.MinHash(family.slots, family.seed, hashfunc=upper_half, scheme="affine32")
    made.update_batch(shingles(text, family.shingle))
    return made


WORDS = st.sampled_from(["a", "b", "The", "the", "eightlet", "ninelette", "naïve", "U.S", "漢字"])
TEXT = (
    st.lists(WORDS | st.text(max_size=30), max_size=20).map(" ".join).map(str.encode)
    | st.lists(WORDS, max_size=2).map(" ".join).map(str.encode)
    | st.binary(max_size=30)
)
FAMILIES = st.builds(
    MinHash, shingle=st.integers(1, 6), bands=st.integers(1, 5), rows=st.integers(1, 5)
)


@given(st.lists(TEXT, max_size=6), FAMILIES)
@settings(max_examples=60)
def test_datasketch_has_the_same_slots(texts: list[bytes], family: MinHash) -> None:
    low = family.signatures(batch(*texts))
    assert low.dtype == np.uint32
    assert low.tolist() == [reference(text, family).hashvalues.tolist() for text in texts]


def test_datasketch_can_be_made_of_our_slots() -> None:
    family = MinHash(seed=7)
    one, other = PROSE * 9, PROSE * 9 + " And one more thing that it did not say before."
    ours = [
        datasketch.MinHash(
            hashvalues=slots,
            permutations=permutations(family.slots, family.seed),
            seed=family.seed,
            scheme="affine32",
        )
        for slots in family.signatures(batch(one, other))
    ]
    theirs = [reference(text, family) for text in (one, other)]
    assert ours == theirs
    assert 0 < ours[0].jaccard(ours[1]) == theirs[0].jaccard(theirs[1]) < 1


@pytest.mark.parametrize(("slots", "seed"), [(112, 1), (1, 0), (9, 2**32 - 1)])
def test_permutations_are_drawn_as_datasketch_does(slots: int, seed: int) -> None:
    ours = permutations(slots, seed)
    assert ours.dtype == np.uint32
    assert (ours == datasketch.MinHash(slots, seed, scheme="affine32").permutations).all()


def test_the_same_bytes_everywhere() -> None:
    family = MinHash(bands=2, rows=3)
    assert permutations(2, 1).tolist() == [[3582191691, 4270784983], [3093770124, 4005303368]]
    low = [725956384, 265038638, 558193413, 161733890, 612492211, 341676468]
    assert family.signatures(batch(PROSE)).tolist() == [low]
    row = family.measure(batch(PROSE)).to_pylist()[0]
    assert row["minhash"].hex() == "202e0502b3b4"
    assert row["bands"].hex() == "b6c2f1cffb603545e10b1474018c7a7c"
    assert shingle_hash(("the", "cat")) == 0x0B25AFA90B35044F


@given(st.lists(st.lists(st.integers(0, 2**32 - 1), min_size=6, max_size=6), max_size=5))
def test_keys_of_the_twin(rows: list[list[int]]) -> None:
    def key(band: int, slots: list[int]) -> int:
        value = (band + 1) * GOLDEN & ALL
        for slot in slots:
            value = (value ^ slot) * FIRST & ALL
            value ^= value >> 32
        value = value * SECOND & ALL
        return value ^ value >> 32

    low = np.array(rows, np.uint32).reshape(-1, 6)
    assert keys(low, 3).tolist() == [[key(0, row[:3]), key(1, row[3:])] for row in rows]
    assert keys(low, 2).shape == (len(rows), 3)


def test_bands_do_not_mix() -> None:
    low = np.full((2, 112), 5, np.uint32)
    low[1, 111] += 256  # its low byte is the same
    one, other = keys(low, 8)
    assert len(set(one.tolist())) == 14
    assert (one == other).tolist() == [True] * 13 + [False]


def test_spans_of_another_text_do_not_lead_out() -> None:
    texts = pa.array(["ab cd", "ef gh"])
    spans = [[(0, 2), (3, 9)], [(0, 2), (3, 5), (7, 99)]]
    inside = [[(0, 2), (3, 5)], [(0, 2), (3, 5), (5, 5)]]
    found = []
    for rows in (spans, inside):
        batch_ = pa.record_batch({"text": texts, "words": structs(SPANS, rows)})
        found.append(MinHash(shingle=1).measure(batch_))
    assert found[0].equals(found[1])


def test_columns_are_low_bytes_and_keys() -> None:
    family = MinHash(shingle=2, bands=3, rows=4)
    rows = batch(PROSE, "", "one", None, "...")
    found, low = family.measure(rows), family.signatures(rows)
    assert found.schema == pa.schema([("minhash", pa.binary(12)), ("bands", pa.binary(24))])
    assert [v.is_valid for v in found["minhash"]] == [True, False, True, False, False]
    assert [v.is_valid for v in found["bands"]] == [True, False, True, False, False]
    assert (table(found["minhash"])[[0, 2]] == low[[0, 2]] & 255).all()
    assert (table(found["bands"]).view("<u8")[[0, 2]] == keys(low, 4)[[0, 2]]).all()
    assert (low[[1, 3, 4]] == NONE).all()


def same(one: str, other: str) -> bool:
    low = MinHash().signatures(batch(one, other))
    return bool((low[0] == low[1]).all())


def test_a_short_text_is_one_shingle() -> None:
    assert same("one two three", "(one) two, three!")
    assert not same("one two three", "one two")
    assert not same("one two three", "one two three four")
    assert not same("one", "one one")


def test_order_and_case_count() -> None:
    assert not same("one two three four five", "two one three four five")
    assert not same("one two", "two one")
    assert not same("one two three four five", "One two three four five")
    assert not same("ab c", "a bc")


def test_repetition_does_not_count() -> None:
    assert same("a b c d e " * 2 + "a b c d", "a b c d e " * 7 + "a b c d")


@pytest.mark.parametrize("slots", [(14, 8), (25, 5)], ids=str)
def test_the_estimate_has_no_bias_and_the_error_of_theory(slots: tuple[int, int]) -> None:
    family, draw = MinHash(bands=slots[0], rows=slots[1]), np.random.default_rng(5)
    texts, true = [], []
    for pair in range(1500):
        size, shared = 300, int(draw.integers(120, 280))
        head = [f"w{pair}x{i}" for i in range(shared)]
        tails = [[f"{side}{pair}y{i}" for i in range(size - shared)] for side in "lr"]
        texts += [" ".join(head + tail) for tail in tails]
        both = shared - 4
        true.append(both / (2 * (size - 4) - both))
    signatures = table(family.measure(batch(*texts))["minhash"])
    j = np.array(true)
    agreeing = (signatures[::2] == signatures[1::2]).sum(axis=1)
    error = similarity(agreeing, signatures.shape[1]) - j
    theory = np.sqrt(j * (1 - j) / family.slots)
    assert abs(error.mean()) < 3 * error.std() / np.sqrt(len(j))
    assert np.sqrt(((error / theory) ** 2).mean()) == pytest.approx(1, abs=0.1)
    assert j.min() < 0.3 and j.max() > 0.8
    one, other = (shingles(text, 5) for text in texts[:2])
    assert len(one & other) / len(one | other) == pytest.approx(true[0])


def test_hashes_of_words_are_all_different_and_fair() -> None:
    numbers = [f"{i}" for i in range(100_000)]
    family = MinHash(shingle=1, bands=1, rows=1)
    low = family.signatures(batch(*numbers))[:, 0]
    assert len(set(low.tolist())) >= 99_990  # 32 bits: one pair or two are expected
    for shift in range(0, 32, 8):
        counts = np.bincount(low >> np.uint32(shift) & np.uint32(255), minlength=256)
        chi = ((counts - 100_000 / 256) ** 2 / (100_000 / 256)).sum()
        assert chi < 255 + 5 * np.sqrt(2 * 255)


@pytest.mark.parametrize("target", [0.05, 0.5, 0.7, 0.8, 0.9, 0.97])
def test_a_target_chooses_as_datasketch_does(target: float) -> None:
    family = MinHash(target=target)
    assert (family.bands, family.rows) == _optimal_param(target, 112, 0.5, 0.5)
    again = MinHash(target=target, bands=family.bands, rows=family.rows)
    assert again == family


def test_a_scheme_names_all_that_must_agree() -> None:
    families = [MinHash(shingle=4), MinHash(bands=7), MinHash(bands=8, rows=14), MinHash(seed=2)]
    families += [MinHash(), MinHash(target=0.8)]
    assert len({family.scheme for family in families}) == len(families)
    assert MinHash().scheme == "minhash 1: affine32, shingle 5, slots 112, rows 8, seed 1"
    assert MinHash(target=0.8).scheme == MinHash(bands=9, rows=12).scheme


def test_a_text_is_the_union_of_its_parts() -> None:
    text = [f"w{i % 50_000}" for i in range(100_000)]
    parts = [" ".join(text[at : at + 104]) for at in range(0, 100_000, 100)]
    family = MinHash()
    whole = family.signatures(batch(" ".join(text)))[0]
    assert (whole == family.signatures(batch(*parts)).min(axis=0)).all()
