"""Perplexity under a causal model: of a real tiny one, trained here on real text."""

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from filters import causal
from filters.causal import TYPE, Causal
from pipelines.errors import RecipeError
from pipelines.recipe.given import Folder, given
from pipelines.recipe.measures import MEASURES, made
from tests.helpers import needs
from tests.helpers.command import ROOT
from tests.helpers.measuring import measured

trained = pytest.mark.train

LICENCE = (ROOT / "tests/data/sample/MPL-2.0.txt").read_text()
HALF = len(LICENCE) // 2
STEPS, WINDOW = 150, 64


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of bytes and two pairs of them, in the layout of Hugging Face."""
    needs.torch()
    import torch
    import transformers
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    place = tmp_path_factory.mktemp("model")
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: i + 1 for i, letter in enumerate(alphabet)} | {"<s>": 0}
    vocabulary |= {"th": 257, "in": 258}
    tokenizer = Tokenizer(models.BPE(vocabulary, [("t", "h"), ("i", "n")]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.save(str(place / "tokenizer.json"))
    torch.manual_seed(0)
    torch.set_num_threads(1)
    config = transformers.LlamaConfig(
        vocab_size=len(vocabulary),
        hidden_size=48,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=WINDOW,
        bos_token_id=0,
        eos_token_id=0,
        tie_word_embeddings=True,
    )
    model = transformers.LlamaForCausalLM(config)
    ids = torch.tensor(tokenizer.encode(LICENCE[:HALF], add_special_tokens=False).ids)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
    for _ in range(STEPS):
        at = torch.randint(len(ids) - WINDOW, (16,))
        some = torch.stack([ids[i : i + WINDOW] for i in at.tolist()])
        loss = model(input_ids=some, labels=some).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.save_pretrained(place)
    return place


def fitted(folder: Path, **options: Any) -> Any:
    asked = Causal(name="surprise", model=Folder.at(str(folder)), **options)
    return asked.fitted(asked.fit(0).model)


@trained
def test_it_is_that_of_one_token_after_another(folder: Path) -> None:
    import torch
    import transformers

    plain = transformers.AutoModelForCausalLM.from_pretrained(folder).eval()
    texts = [LICENCE[:40], "水 שלום 👩\u200d🚀\r\n", "x", LICENCE[HALF : HALF + 200]]
    for text, row in zip(texts, measured(fitted(folder), *texts), strict=True):
        tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_file=f"{folder}/tokenizer.json")
        ids = tokenizer(text)["input_ids"]
        bits = 0.0
        for at in range(len(ids)):
            window = at - at % (WINDOW - 1)
            with torch.no_grad():
                logits = plain(input_ids=torch.tensor([[0, *ids[window:at]]])).logits[0, -1]
            bits -= torch.log_softmax(logits.double(), -1)[ids[at]].item() / math.log(2)
        assert row["surprise"] == pytest.approx(2 ** (bits / len(ids)), rel=1e-4)
        assert row["surprise_bits_per_byte"] == pytest.approx(bits / len(text.encode()), rel=1e-4)


@trained
def test_what_it_was_trained_on_is_less_surprising_than_shuffled_or_other_text(
    folder: Path,
) -> None:
    unseen = LICENCE[HALF:]
    shuffled = "".join(np.random.default_rng(0).permutation(list(unseen)))
    other = "Das Wasser kommt durch einen Stollen aus dem Berg. " * 9
    prose, *odd = (
        row["surprise_bits_per_byte"] for row in measured(fitted(folder), unseen, shuffled, other)
    )
    assert prose < 0.9 * min(odd)


@trained
def test_neighbours_and_batches_do_not_matter(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = ["", LICENCE[:3000], None, "one", LICENCE[:70], "two words"]
    model = fitted(folder)
    together = measured(model, *texts)
    monkeypatch.setattr(causal, "ROOM", 100)
    for row, text in zip(together, texts, strict=True):
        (alone,) = measured(model, text)
        assert alone == (pytest.approx(row, rel=1e-4) if text else dict.fromkeys(row))


@trained
@pytest.mark.parametrize(
    ("file", "body", "why"),
    [
        ("config.json", b"{}", "is no model"),
        ("config.json", b'{"model_type": "none"}', "is no model"),
        ("model.safetensors", b"", "is no model"),
        ("tokenizer.json", b"[]", "is no model"),
        ("model.safetensors", None, "model.safetensors is not in the folder"),
    ],
)
def test_what_is_no_model_is_refused(
    folder: Path, tmp_path: Path, file: str, body: bytes | None, why: str
) -> None:
    for each in folder.iterdir():
        (tmp_path / each.name).write_bytes(each.read_bytes())
    (tmp_path / file).unlink()
    if body is not None:
        (tmp_path / file).write_bytes(body)
    with pytest.raises(ValueError, match=why):
        fitted(tmp_path)


@trained
def test_weights_of_another_shape_or_name_are_refused(folder: Path, tmp_path: Path) -> None:
    for each in folder.iterdir():
        (tmp_path / each.name).write_bytes(each.read_bytes())
    config = json.loads((folder / "config.json").read_text())
    for option in ("num_hidden_layers", "hidden_size"):
        (tmp_path / "config.json").write_text(json.dumps(config | {option: 4 * config[option]}))
        with pytest.raises(ValueError, match="is no model"):
            fitted(tmp_path)


def test_without_torch_it_says_what_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in causal.FILES:
        (tmp_path / name).write_bytes(b"")
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    with pytest.raises(ValueError, match="wants torch, which is not here: " + re.escape(TYPE)):
        fitted(tmp_path)


def test_options_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="want a folder with config"):
        Causal().fit(0)


def test_a_folder_that_is_not_there_is_told_with_the_recipe(tmp_path: Path) -> None:
    made_ = made("odd", {"is": "causal", "model": "gone"}, MEASURES, "[measure]", str(tmp_path))
    with pytest.raises(RecipeError, match="odd: names no file: model = "):
        given({"odd": made_})
    with pytest.raises(RecipeError, match="model: want a file"):
        made("odd", {"is": "causal", "model": ["gone"]}, MEASURES, "[measure]")
