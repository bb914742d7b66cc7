"""Perplexity under a small causal language model of the user's own.

The model is a folder in the layout of Hugging Face; its three files go into the run, so that every
worker measures by them.  A text longer than the window is cut into windows, each of which begins
anew, after the model's own token for a beginning.  It runs on a GPU if there is one, else on one
thread of the CPU; sums of floating-point numbers differ in the last digits between machines, and
with what else is in a batch.

Sources: Jelinek, Mercer, Bahl and Baker 1977, for perplexity; Marion et al. 2023, "When Less is
More", for choosing text by it.
"""

import importlib
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from filters import Learned, check_name, check_whole

FILES = "config.json", "model.safetensors", "tokenizer.json"
TYPE = "pip install 'karez[train]'"
ROOM = 16_384  # tokens of a batch
NO_FILE = "is no model: want a folder with " + ", ".join(FILES)

Windows = list[list[int]]


class Folder(Protocol):
    """A folder of the user's."""

    def read(self, name: str) -> bytes:
        """The whole of a file in it."""


@dataclass(frozen=True, slots=True)
class Causal:
    """How surprising a text is to a causal language model.

    Columns, of one that is called ``surprise``:
        surprise: perplexity, 2 to the power of the mean bits a token; null for an empty text, as
            the next.
        surprise_bits_per_byte: which compares under any tokenizer.

    Attributes:
        name: the measure's name in the recipe.
        model: a folder with config.json, model.safetensors and tokenizer.json.
        window: tokens that the model sees at once.
    """

    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("text",)

    name: str = field(default="causal", metadata={"named": True})
    model: Folder | None = field(default=None, metadata={"files": "folder"})
    window: int = 512

    def __post_init__(self) -> None:
        check_name(self.name)
        check_whole("window", self.window, 2, 1 << 20)

    @property
    def columns(self) -> pa.Schema:
        """Both float64."""
        return pa.schema([(self.name, pa.float64()), (f"{self.name}_bits_per_byte", pa.float64())])

    def fit(self, seed: int) -> Learned:
        """Take the files and try them.  Nothing is drawn, so the seed does not matter.

        Raises:
            ValueError: if PyTorch is not there, or the folder holds no model.
        """
        if self.model is None:
            raise ValueError(NO_FILE)
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as packed:
            for name in FILES:
                packed.writestr(zipfile.ZipInfo(name), self.model.read(name))
        self.fitted(out.getvalue())
        return Learned(out.getvalue(), {})

    def fitted(self, model: bytes) -> "Fitted":
        """What measures, by the bytes of the files."""
        return Fitted(self, model)


class Fitted:
    """A model that measures."""

    version = Causal.version
    needs = Causal.needs

    def __init__(self, asked: Causal, packed: bytes) -> None:
        self.columns = asked.columns
        try:
            self._torch = needed("torch")
            with zipfile.ZipFile(io.BytesIO(packed)) as files:
                config, weights, tokenizer = map(files.read, FILES)
            self._tokenizer = needed("tokenizers").Tokenizer.from_str(tokenizer.decode())
            self._model, self._start = loaded(json.loads(config), weights)
        except ImportError as error:
            raise ValueError(str(error)) from error
        except Exception as error:  # three libraries read the files, and each has its own errors
            raise ValueError(f"{NO_FILE}; {type(error).__name__}: {error}"[:300]) from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        most = getattr(self._model.config, "max_position_embeddings", None) or asked.window
        self._window = min(asked.window, most)

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The columns.  A null text counts as an empty one."""
        texts = [text or "" for text in batch["text"].to_pylist()]
        found = self._tokenizer.encode_batch(texts, add_special_tokens=False)
        tokens = [encoding.ids for encoding in found]
        step = self._window - 1
        cut = [[ids[at : at + step] for at in range(0, len(ids), step)] for ids in tokens]
        bits_of = self._bits([window for windows in cut for window in windows])
        row_of = np.repeat(np.arange(len(texts)), [len(windows) for windows in cut])
        bits = np.bincount(row_of, bits_of, len(texts))
        sizes = np.array([len(text.encode("utf-8", "replace")) for text in texts], np.int64)
        counts = np.array([len(ids) for ids in tokens], np.int64)
        with np.errstate(over="ignore"):
            arrays = [2.0 ** (bits / np.maximum(counts, 1)), bits / np.maximum(sizes, 1)]
        none = [(counts == 0) | ~np.isfinite(array) for array in arrays]
        columns = [pa.array(a, mask=mask) for a, mask in zip(arrays, none, strict=True)]
        return pa.record_batch(columns, schema=self.columns)

    def _bits(self, windows: Windows) -> NDArray[np.float64]:
        """The bits of each window, those of like length together."""
        out = np.zeros(len(windows))
        for some in together(windows):
            out[some] = self._of([windows[i] for i in some])
        return out

    def _of(self, windows: Windows) -> NDArray[np.float64]:
        """The bits of windows in one batch, filled up at their ends, which no token before sees."""
        torch = self._torch
        table = np.full((len(windows), 1 + max(map(len, windows))), self._start)
        for row, window in zip(table, windows, strict=True):
            row[1 : 1 + len(window)] = window
        given = torch.from_numpy(table).to(self._model.device)
        with torch.inference_mode():
            logits = self._model(input_ids=given[:, :-1]).logits.float()
            chances = torch.log_softmax(logits, dim=-1).gather(2, given[:, 1:, None])[..., 0]
        nats: NDArray[np.float64] = chances.double().cpu().numpy()
        there = np.arange(nats.shape[1]) < np.array([len(w) for w in windows])[:, None]
        return -np.where(there, nats, 0).sum(axis=1) / np.log(2)


def together(windows: Windows) -> Iterator[list[int]]:
    """Numbers of windows that go into one batch: of like length, at most `ROOM` tokens."""
    held = list[int]()
    for i in sorted(range(len(windows)), key=lambda i: (len(windows[i]), i)):
        if held and (len(held) + 1) * (len(windows[i]) + 1) > ROOM:
            yield held
            held = []
        held.append(i)
    if held:
        yield held


def loaded(config: dict[str, Any], weights: bytes) -> tuple[Any, int]:
    """The model, where it runs, and the token of a beginning.

    Raises:
        ValueError: if the weights are not the model's.
    """
    torch, transformers = needed("torch"), needed("transformers")
    made = transformers.AutoConfig.for_model(config.pop("model_type"), **config)
    torch.set_num_threads(1)
    model = transformers.AutoModelForCausalLM.from_config(made).float()
    given = needed("safetensors.torch").load(weights)
    told = model.load_state_dict({name: w.float() for name, w in given.items()}, strict=False)
    model.tie_weights()
    ours = dict(model.named_parameters())  # a weight of two names is here once
    missing = [name for name in told.missing_keys if name in ours]
    if missing or told.unexpected_keys:
        raise ValueError(f"weights: {[*missing, *told.unexpected_keys][0]} is not in both")
    starts = (made.bos_token_id, made.eos_token_id, 0)
    start = next(token for token in starts if isinstance(token, int))
    return model.eval().to("cuda" if torch.cuda.is_available() else "cpu"), start


def needed(name: str) -> Any:
    """A module of the extra, imported.

    Raises:
        ImportError: if it is not there, with what to type.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(f"wants {name.partition('.')[0]}, which is not here: {TYPE}") from error
