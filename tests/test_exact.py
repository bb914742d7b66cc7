import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.exact import Exact
from filters.unicode import SPACES
from tests.helpers.measuring import measured


def hashes(texts: list[bytes]) -> list[bytes | None]:
    return [row["text_hash"] for row in measured(Exact(), *texts)]


def twin(data: bytes) -> bytes | None:
    text = data.decode(errors="surrogateescape")
    plain = re.sub(f"[{SPACES}]+", " ", text).strip(" ").encode(errors="surrogateescape")
    return slow_hash(plain) if plain else None


def slow_hash(data: bytes) -> bytes:
    first, second, most = 0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53, 2**64
    one, two = len(data) * 0x9E3779B97F4A7C15 % most, len(data) ^ second
    for at in range(0, len(data), 8):
        some = int.from_bytes(data[at : at + 8], "little")
        one = (one ^ some) * first % most
        one ^= one >> 32
        two = (two ^ some) * second % most
        two ^= two >> 29
    one, two = one * second % most, two * first % most
    return b"".join((half ^ half >> 32).to_bytes(8, "little") for half in (one, two))


SPACED = st.sampled_from(SPACES).map(str.encode)
LETTERS = st.text("abcé", max_size=20).map(str.encode)  # so that eight bytes hold no white space
PIECES = SPACED | LETTERS | st.text(max_size=3).map(str.encode) | st.binary(max_size=2)
TEXTS = st.lists(PIECES).map(b"".join)


@given(st.lists(TEXTS))
def test_the_twin_agrees(texts: list[bytes]) -> None:
    assert hashes(texts) == [*map(twin, texts)]


@pytest.mark.parametrize("same", [" a  b\n", "a\u3000b", "a\r\n\tb", "\x85a\xa0\u2028b "])
def test_white_space_does_not_count(same: str) -> None:
    assert hashes([same.encode()]) == hashes([b"a b"])


@pytest.mark.parametrize("other", ["ab", "A b", "a b.", "a\u200bb", "b a", "a\0b"])
def test_all_else_does(other: str) -> None:
    assert hashes([other.encode()]) != hashes([b"a b"])


def test_each_half_knows_every_byte() -> None:
    plain = b"a text of more than sixteen bytes"
    changed = [
        plain[:i] + bytes([plain[i] ^ 1 << b]) + plain[i + 1 :] for i in range(33) for b in (0, 6)
    ]
    halves = [(h[:8], h[8:]) for h in hashes([plain, *changed]) if h]
    assert all(len(set(half)) == len(changed) + 1 for half in zip(*halves, strict=True))


def test_numbered_texts_share_no_half() -> None:
    numbered = [h for h in hashes([b"page %d of a book" % i for i in range(100_000)]) if h]
    for half in ([h[:8] for h in numbered], [h[8:] for h in numbered]):
        assert len(set(half)) == 100_000
        low = np.frombuffer(b"".join(half), np.uint32)[::2]
        assert len(np.unique(low)) > 99_990  # chance: 1.2 pairs of 32 bits


def test_a_blank_text_has_no_hash() -> None:
    assert hashes([b"", b" \n", b"x"])[:2] == [None, None]


def test_the_same_bytes_everywhere() -> None:
    assert hashes([b"Das  ist\nein Text."]) == [bytes.fromhex("bc302010bf2be686c5cf4ad38682df3e")]
