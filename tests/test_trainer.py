"""Reader, tokenizer and trainer: every token once, in the order drawn; gone on with exactly."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.errors import RunError
from pipelines.runs import Run
from pipelines.trainer import shards, tokens
from pipelines.trainer.sizes import SIZES
from pipelines.trainer.stream import Stream
from pipelines.trainer.tokens import BEGIN, Bytes, Corpus
from tests.helpers import needs
from tests.helpers.command import rows
from tests.helpers.making import write_run

TEXT = st.text(max_size=12) | st.sampled_from(["", "e\u0301", "שלום", "👩\u200d🚀\r\n", "<begin>"])
DOCUMENTS = st.lists(st.lists(st.integers(1, 999), max_size=7), min_size=1, max_size=9)


def corpus(documents: list[list[int]]) -> Corpus:
    return Corpus.of([np.array([BEGIN, *document], np.uint16) for document in documents])


def flat(documents: list[list[int]], seed: int | None, rounds: int) -> list[int]:
    """The tokens of some rounds, the slow way."""
    out: list[int] = []
    for number in range(rounds):
        order = list(range(len(documents)))
        if seed is not None:
            order = np.random.default_rng([seed, number]).permutation(len(documents)).tolist()
        for document in order:
            out += [BEGIN, *documents[document]]
    return out


@given(DOCUMENTS, st.integers(1, 6), st.integers(1, 3), st.none() | st.integers(0, 9))
@settings(max_examples=100)
def test_every_token_of_a_round_is_given_once_and_in_its_order(
    documents: list[list[int]], length: int, rows: int, seed: int | None
) -> None:
    stream = Stream(corpus(documents), length, seed)
    whole = flat(documents, seed, 4)
    steps = 3 * len(flat(documents, seed, 1)) // (length * rows) + 1
    given_ = [stream.next(rows) for _ in range(steps)]
    inputs = np.concatenate([some[:, :-1].ravel() for some in given_])
    targets = np.concatenate([some[:, 1:].ravel() for some in given_])
    whole = whole + flat(documents, seed, 4 + steps * length * rows)[len(whole) :]
    assert inputs.tolist() == whole[: len(inputs)]
    assert targets.tolist() == whole[1 : len(targets) + 1]


@given(DOCUMENTS, st.integers(1, 6), st.integers(0, 9), st.integers(0, 5), st.integers(1, 4))
def test_ranks_share_a_stream_whose_number_may_change(
    documents: list[list[int]], length: int, seed: int, before: int, world: int
) -> None:
    alone = Stream(corpus(documents), length, seed)
    wanted = [alone.next(1)[0].tolist() for _ in range(before + 4 * world)]
    first = Stream(corpus(documents), length, seed)
    for _ in range(before):
        first.next(1)
    ranks = [Stream(corpus(documents), length, seed, rank, world) for rank in range(world)]
    for each in ranks:
        each.load_state_dict(json.loads(json.dumps(first.state_dict())))
    found = [row for _ in range(2) for each in ranks for row in each.next(2).tolist()]
    assert found == wanted[before:]


def test_a_state_of_another_stream_is_refused() -> None:
    state = Stream(corpus([[1, 2], [3]]), 4, 0).state_dict()
    for other in (Stream(corpus([[1, 2, 3]]), 4, 0), Stream(corpus([[1, 2], [3]]), 4, 1)):
        with pytest.raises(ValueError, match="another stream"):
            other.load_state_dict(state)
    with pytest.raises(ValueError, match="no token"):
        Stream(Corpus.of([]), 4, 0)


@given(st.lists(st.none() | TEXT, max_size=6), st.integers(0, 3))
def test_bytes_are_those_of_the_text(texts: list[str | None], skipped: int) -> None:
    rows = Bytes().encode(pa.array(["x"] * skipped + texts, pa.string())[skipped:])
    wanted = [[BEGIN, *(byte + 1 for byte in (text or "").encode())] for text in texts]
    assert [row.tolist() for row in rows] == wanted


@given(st.lists(st.lists(TEXT, max_size=4), max_size=4))
@settings(max_examples=20)
def test_tokens_in_files_are_those_in_memory(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[str]]
) -> None:
    stem = tmp_path_factory.mktemp("tokens") / "some"
    made = tokens.write([pa.array(batch, pa.string()) for batch in batches], Bytes(), stem)
    wanted = Corpus.of(Bytes().encode(pa.array([t for b in batches for t in b], pa.string())))
    assert made.tokens.tolist() == wanted.tokens.tolist()
    assert made.ends.tolist() == wanted.ends.tolist()


def test_published_shards_hold_the_documents_in_their_order(tmp_path: Path) -> None:
    texts = [f"Document {number} " + "is of some words. " * (number % 40) for number in range(200)]
    run = Run(write_run(tmp_path, texts, {}))
    found = shards.published(run, "train")
    seen = found["text"].to_pylist()
    kept = [row for row in rows(Path(run.folder.path)).values() if row["split"] == "train"]
    assert seen == [row["text"] for row in sorted(kept, key=lambda row: row["order"])]
    with pytest.raises(RunError, match="nothing in split dev"):
        shards.published(run, "dev")
    next(Path(run.folder.path).glob("dataset/data/documents/train-*")).write_bytes(b"cut")
    with pytest.raises(RunError, match="are missing"):
        shards.published(run, "train")


def test_what_a_machine_with_torch_alone_runs_needs_no_more() -> None:
    code = (
        "import sys, pipelines.trainer.job, pipelines.trainer.stream, pipelines.trainer.shards\n"
        "print([m for m in ('apache_beam', 'numba', 'duckdb', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.train
class TestWithTorch:
    """What trains."""

    @pytest.fixture(autouse=True)
    def one_thread(self) -> Iterator[None]:
        needs.torch()
        import torch

        before = torch.get_num_threads()
        torch.set_num_threads(1)
        yield
        torch.set_num_threads(before)

    def training(self, documents: Corpus, steps: int) -> Any:
        from pipelines.trainer.train import Training, Way

        size = replace(SIZES["tiny"], batch=4, length=16)
        stream = Stream(documents, size.length, 3)
        return Training(size, 257, stream, Way(steps, 4), 5)

    @pytest.fixture
    def documents(self) -> Corpus:
        return Corpus.of(Bytes().encode(pa.array(["The water comes down.", "A hill."] * 40)))

    def test_it_learns_and_the_same_seed_gives_the_same(self, documents: Corpus) -> None:
        from pipelines.trainer.train import Held, train

        held = {"a": Held(documents, len(documents.tokens))}
        first, second = (train(self.training(documents, 60), held) for _ in range(2))
        assert first == second and [p.tokens for p in first] == [960, 1920, 2880, 3840]
        bits = [point.bits["a"] for point in first]
        assert bits[-1] < 1 < bits[0] < 9

    def test_cut_off_and_gone_on_with_it_ends_the_same(
        self, documents: Corpus, tmp_path: Path
    ) -> None:
        from pipelines.trainer.train import Held, train

        held = {"a": Held(documents, 1000)}
        whole = train(self.training(documents, 20), held)
        state = tmp_path / "a.state"

        def cut(tokens: int) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            train(self.training(documents, 20), held, state, cut)
        assert state.exists()
        assert train(self.training(documents, 20), held, state) == whole

    def test_bits_per_byte_are_those_of_one_token_at_a_time(self, documents: Corpus) -> None:
        import torch

        from pipelines.trainer.train import Held, bits_per_byte

        training = self.training(documents, 9)
        for _ in range(9):
            training.advance()
        model, length = training.mean, training.size.length
        some = Corpus(documents.tokens[:50], documents.ends[:3])
        tokens_ = [int(t) for t in some.tokens]
        bits = 0.0
        for place in range(1, len(tokens_)):
            if tokens_[place] != BEGIN:
                first = (place - 1) // length * length
                seen = torch.tensor([tokens_[first:place]])
                bits -= model(seen)[0, -1].log_softmax(-1)[tokens_[place]].item() / np.log(2)
        found = bits_per_byte(model, Held(some, 47), training.size)
        assert found == pytest.approx(bits / 47, rel=1e-5)

    def test_a_token_sees_no_later_one_and_the_rate_rises_first(self, documents: Corpus) -> None:
        import torch

        training = self.training(documents, 9)
        row = torch.tensor([[0, 5, 6, 7, 0, 8, 9]])
        later = row.clone()
        later[0, -1] = 3
        assert torch.equal(training.model(row)[:, :-1], training.model(later)[:, :-1])
        training.size = replace(training.size, warmup=4)
        rates = []
        for _ in range(6):
            training.advance()
            rates.append(training.optimizer.param_groups[0]["lr"] / training.size.rate)
        assert rates == [0.25, 0.5, 0.75, 1, 1, 1]

    @given(st.lists(TEXT, min_size=1, max_size=5))
    @settings(max_examples=50)
    def test_byte_pairs_lose_nothing(self, texts: list[str]) -> None:
        needs.torch()
        pairs = tokens.made(tokens.learned(["the water comes down the hill " * 9], 300))
        assert isinstance(pairs, tokens.Pairs) and 256 < pairs.vocabulary <= 300
        for row, text in zip(pairs.encode(pa.array(texts)), texts, strict=True):
            assert row[0] == BEGIN and BEGIN not in row[1:]
            assert pairs._library.decode(row[1:].tolist()) == text
