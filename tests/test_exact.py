import re
from hashlib import blake2b

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.exact import Exact
from filters.unicode import SPACES


def hashes(texts: list[bytes]) -> list[bytes | None]:
    column = pa.array(texts, pa.binary()).view(pa.string())
    found: list[bytes | None] = (
        Exact().measure(pa.record_batch({"text": column}))["text_hash"].to_pylist()
    )
    return found


def twin(data: bytes) -> bytes | None:
    text = data.decode(errors="surrogateescape")
    plain = re.sub(f"[{SPACES}]+", " ", text).strip(" ").encode(errors="surrogateescape")
    return blake2b(plain, digest_size=16).digest() if plain else None


SPACED = st.sampled_from(SPACES).map(str.encode)
TEXTS = st.lists(SPACED | st.text(max_size=3).map(str.encode) | st.binary(max_size=2)).map(b"".join)


@given(st.lists(TEXTS))
def test_the_twin_agrees(texts: list[bytes]) -> None:
    assert hashes(texts) == [*map(twin, texts)]


@pytest.mark.parametrize("same", [" a  b\n", "a\u3000b", "a\r\n\tb", "\x85a\xa0\u2028b "])
def test_white_space_does_not_count(same: str) -> None:
    assert hashes([same.encode()]) == hashes([b"a b"])


@pytest.mark.parametrize("other", ["ab", "A b", "a b.", "a\u200bb", "b a", "a\0b"])
def test_all_else_does(other: str) -> None:
    assert hashes([other.encode()]) != hashes([b"a b"])


def test_a_blank_text_has_no_hash() -> None:
    assert hashes([b"", b" \n", b"x"])[:2] == [None, None]


def test_the_same_bytes_everywhere() -> None:
    assert hashes([b"Das  ist\nein Text."]) == [bytes.fromhex("76058243d2d228df5727b5a6efb4a1ec")]
