"""Folders of Hugging Face datasets: downloaded snapshots, and what `save_to_disk` writes.

Which files belong to a config and a split is decided as `datasets.load_dataset` does: by the card,
or where it is silent by the names of folders and files.  The files are then read by the readers of
their kinds.

Source: Hugging Face, datasets 4, "Structure your repository" and "Manual configuration".
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from pipelines.errors import RecipeError, nearest
from pipelines.readers import Item, Source, by_kind, kind_of
from pipelines.readers.paths import Found, matches, under

DATA = ("parquet", "jsonl", "webdataset")  # kinds of files that hold data
OTHERS = (
    "dataset_dict.json",
    "dataset_info.json",
    "dataset_infos.json",
    "state.json",
    "config.json",
)
CARD = 1_000_000  # bytes; a larger README.md is no card
BEGINS = re.compile(rb"[\xef\xbb\xbf]*---")  # a card, perhaps after a mark of its encoding
CARD_KEYS = {"configs", "dataset_info", "pretty_name", "size_categories", "task_categories"}
SPLITS = {
    "train": "train|training",
    "validation": "validation|valid|dev|val",
    "test": "test|testing|eval|evaluation",
}
SHARD = re.compile(r"data/(\w+(?:\.\w+)*)-\d{5}-of-\d{5}.*\..*")

Splits = Mapping[str, list[Path]]
"""Data files by the name of their split."""


def read(file: BinaryIO, name: str, source: Source) -> Iterator[Item]:
    """The records of one data file, by the reader of its kind."""
    yield from by_kind(str(kind_of(name)))(file, name, source)


def is_dataset(folder: Path) -> bool:
    """Whether a folder says of itself that it is one."""
    if (folder / "dataset_dict.json").is_file() or (folder / "state.json").is_file():
        return (folder / "dataset_dict.json").is_file() or (folder / "dataset_info.json").is_file()
    return bool(CARD_KEYS & _card(folder).keys()) and any(_data(folder, under(folder, "**/*")))


def files(folder: Path, config: str | None, split: str | None) -> Found:
    """The data files of a dataset, with their names relative to its folder.

    Args:
        folder: of the dataset.
        config: None: the default one, or where there is none all of them.
        split: None: all.

    Raises:
        RecipeError: there is no such folder, config or split, or no file that can be read.
    """
    if not folder.is_dir():
        raise RecipeError(f"{folder}: no such folder")
    found: dict[str, list[Path]] = {}
    for splits in _chosen(folder, config):
        for name, paths in splits.items():
            found.setdefault(name, []).extend(paths)
    if not found:
        raise RecipeError(
            f"{folder}: holds no Parquet, Arrow, JSON lines or tar files as its card says"
        )
    if split is not None and split not in found:
        raise RecipeError(f"{folder}: no split {split!r}; {nearest(split, found)}")
    paths = [p for name, each in found.items() if split in (None, name) for p in each]
    for path in paths:
        yield path.relative_to(folder).as_posix(), path


def choices(folder: Path) -> str:
    """Which splits are read of a dataset unless a source says, and which configs are not.

    Returns:
        "" if there is nothing to choose.
    """
    configs, chosen = _configs(folder), _chosen(folder, None)
    splits = list(dict.fromkeys(name for each in chosen for name in each))
    left = [name for name, each in configs.items() if each and each not in chosen]
    if len(splits) < 2 and not left:
        return ""
    said = f"{folder}: splits {', '.join(splits)}" + f"; not config {', '.join(left)}" * bool(left)
    return f"{said}; config and split of a [[source]] choose"


def _chosen(folder: Path, config: str | None) -> list[Splits]:
    """The splits of the config, or of all that the default stands for."""
    configs = _configs(folder)
    if config is not None:
        if config not in configs:
            raise RecipeError(f"{folder}: no config {config!r}; {nearest(config, configs)}")
        return [configs[config]]
    first = next(iter(configs.values()))  # the default one, if there is one
    return [first] if first else list(configs.values())


def _configs(folder: Path) -> dict[str, Splits]:
    """The data files of every config, the default one (perhaps empty) first."""
    if (folder / "dataset_dict.json").is_file():
        names = _names(folder / "dataset_dict.json", "splits")
        return {"default": {name: _saved(folder / name) for name in names}}
    if (folder / "state.json").is_file():
        split = _json(folder / "state.json").get("_split") or "train"
        return {"default": {str(split): _saved(folder)}}
    card = _card(folder).get("configs")
    entries = [e for e in card if isinstance(e, dict)] if isinstance(card, list) else []
    if not entries:
        return {"default": _inferred(folder)}
    found = {str(entry.get("config_name", "default")): _listed(folder, entry) for entry in entries}
    marked = [str(e.get("config_name")) for e in entries if e.get("default") is True]
    default = next(iter(marked), "default")
    return {default: found.pop(default, {}), **found}


def _listed(folder: Path, entry: Mapping[str, Any]) -> Splits:
    """The data files that an entry of the card's `configs` names."""
    root = folder / _inside(folder, entry.get("data_dir") or ".")
    listed = entry.get("data_files")
    if listed is None:
        return _inferred(root)
    if isinstance(listed, Mapping):
        listed = [{"split": split, "path": path} for split, path in listed.items()]
    splits: dict[str, list[Path]] = {}
    for each in listed if isinstance(listed, list) else [listed]:
        named = each if isinstance(each, Mapping) else {"path": each}
        patterns, split = named.get("path", []), str(named.get("split", "train"))
        for pattern in patterns if isinstance(patterns, list) else [patterns]:
            found = _data(folder, matches(root, _inside(folder, pattern)))
            splits.setdefault(split, []).extend(path for _, path in sorted(found))
    return {split: paths for split, paths in splits.items() if paths}


def _inferred(root: Path) -> Splits:
    """The data files below a folder of the most frequent kind, their splits told by their names."""
    found = sorted(_data(root, under(root, "**/*")))
    kinds = Counter(kind_of(name) for name, _ in found)
    kind = max(kinds, key=lambda k: (kinds[k], k == DATA[0]), default=None)
    found = [(name, path) for name, path in found if kind_of(name) == kind]
    for told in zip(*(_told(name) for name, _ in found), strict=True):
        splits: dict[str, list[Path]] = {}
        for (_, path), named in zip(found, told, strict=True):
            for split in named:
                splits.setdefault(split, []).append(path)
        if splits:
            return splits
    return {"train": [path for _, path in found]} if found else {}


def _told(name: str) -> Iterator[Iterable[str]]:
    """Splits that a name tells as that of a shard, by its folders, and by the file's own name."""
    shard, parts = SHARD.fullmatch(name), PurePosixPath(name).parts
    yield [shard[1]] if shard else []
    yield _said(parts[:-1])
    yield _said(parts[-1:])


def _said(pieces: Iterable[str]) -> Iterator[str]:
    """Splits whose word stands in one of the pieces between marks, digits or spaces."""
    for split, words in SPLITS.items():
        word = re.compile(rf"(?:^|[-._ 0-9])(?:{words})(?:$|[-._ 0-9])")
        if any(word.search(piece) for piece in pieces):
            yield split


def _saved(folder: Path) -> list[Path]:
    """The data files of one split as `save_to_disk` writes it."""
    state = folder / "state.json"
    if _json(state).get("_indices_data_files"):
        raise RecipeError(f"{folder}: was saved with a selection of rows; load it and save it anew")
    paths = [folder / _inside(folder, name) for name in _names(state, "_data_files", "filename")]
    for path in paths:
        if not path.is_file():
            raise RecipeError(f"{path}: is missing; {state} names it")
    return paths


def _data(root: Path, found: Found) -> Found:
    """Those that hold data."""
    for _, path in found:
        if path.name not in OTHERS and kind_of(path.name) in DATA:
            yield path.relative_to(root).as_posix(), path


def _inside(folder: Path, name: object) -> str:
    """A path or pattern that a dataset names, if it stays in its folder."""
    path = PurePosixPath(str(name))
    if path.is_absolute() or ".." in path.parts or "://" in str(name):
        raise RecipeError(f"{folder}: its card names {name}, which is not in the folder")
    return str(path)


def _card(folder: Path) -> dict[str, Any]:
    """What the card says to programs; nothing where there is no card."""
    path = folder / "README.md"
    try:
        if path.stat().st_size > CARD or not BEGINS.match(path.read_bytes()):
            return {}
        from huggingface_hub import metadata_load

        return metadata_load(path) or {}
    except Exception:  # whatever YAML trips over: then it is a README like any other
        return {}


def _names(path: Path, *keys: str) -> list[str]:
    """Names that one of the JSON files of a dataset lists."""
    listed = _json(path).get(keys[0])
    try:
        return [str(each[keys[1]] if len(keys) > 1 else each) for each in listed or []]
    except (KeyError, TypeError) as error:
        raise RecipeError(f"{path}: {keys[0]} is no list of names") from error


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise RecipeError(f"{path}: cannot be read: {error}") from error
    if not isinstance(value, dict):
        raise RecipeError(f"{path}: is no JSON object")
    return value
