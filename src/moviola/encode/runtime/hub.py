"""Fetch checkpoints of the Hugging Face hub once, as folders that are read without the network."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from moviola.core.errors import StorageError, WeightsNotFoundError, WeightsUnavailableError
from moviola.core.paths import display_path
from moviola.encode.runtime.config_files import read_config

if TYPE_CHECKING:
    from huggingface_hub.hf_api import ModelInfo

MODEL_FILES = ("*.json", "*.txt", "*.model", "model*.safetensors")
"""What a transformers checkpoint needs: configurations, the tokenizer, and weights."""
LOCAL = "local"
"""The revision of a folder that the caller named; its weights' digest tells two apart."""
INDEX = "model.safetensors.index.json"
_PICKLES = (".bin", ".pth", ".pt", ".ckpt", ".pkl", ".h5", ".msgpack")
_SECONDS = 6.0
"""Patience with a hub that does not answer; two requests still end within 15 s."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Files of one model.

    Attributes:
        model: the id on the hub, or the name of the folder.
        revision: the exact commit, or `"local"` for a folder.
        folder: where the files lie.
    """

    model: str
    revision: str
    folder: Path


def fetch(
    model: str,
    patterns: Sequence[str] = MODEL_FILES,
    revision: str | None = None,
    *,
    refresh: bool = False,
) -> Checkpoint:
    """Fetch the files of a model, out of a folder, out of the cache, or else from the hub.

    What is in the cache is taken without asking the hub, so a model that was fetched once works
    offline, and does not change under a library. The environment variables of `huggingface_hub`
    (`HF_HOME`, `HF_TOKEN`, `HF_ENDPOINT`, `HF_HUB_OFFLINE`, …) are honoured.

    Args:
        model: an id such as `openai/clip-vit-base-patch32`, or a folder.
        patterns: file names with `*`, of the top folder unless they hold a `/`. Each pattern
            without `*` must be there, and one of those for safetensors where there are any.
        revision: a commit, branch or tag; None for the main branch.
        refresh: ask the hub for the newest commit of a branch even if one is cached.

    Raises:
        StorageError: when the cache cannot be written, with its place and the ways out.
        WeightsUnavailableError: with the model, the place of the cache, and the ways out.
    """
    if model and (folder := Path(model).expanduser()).is_dir():
        _require_files(model, _names(folder), patterns)
        return Checkpoint(folder.resolve().name, LOCAL, folder)
    _require_id(model)
    if not refresh and (cached := _cached(model, patterns, revision)):
        return cached
    info = _ask(model, revision)
    names = [file.rfilename for file in info.siblings or ()]
    try:
        _require_files(model, names, patterns)
    except WeightsUnavailableError as error:
        raise WeightsNotFoundError(str(error)) from error
    return _download(model, revision, _wanted(names, patterns))


def fetch_tensors(
    model: str, tensors: Sequence[str], revision: str | None = None, *, refresh: bool = False
) -> Checkpoint:
    """Fetch those shards of a checkpoint that hold certain tensors, and no others.

    Args:
        model: an id, or a folder.
        tensors: beginnings of their names.
        revision: a commit, branch or tag; None for the main branch.
        refresh: ask the hub for the newest commit of a branch even if one is cached.

    Raises:
        WeightsUnavailableError: as `fetch`, or there is no such tensor.
    """
    index = fetch(model, (INDEX,), revision, refresh=refresh)
    said = _weight_map(index.folder)
    shards = sorted({file for name, file in said.items() if name.startswith(tuple(tensors))})
    if not shards:
        raise WeightsUnavailableError(f"{model} holds no tensor {' or '.join(tensors)}")
    exact = revision if index.revision == LOCAL else index.revision
    return fetch(model, (INDEX, *shards), exact)


def weight_files(folder: Path) -> list[Path]:
    """Return the safetensors files of a transformers checkpoint, all its shards.

    Raises:
        WeightsUnavailableError: when there are none, or a shard is missing.
    """
    names = _names(folder)
    _require_files(display_path(folder), names, ("model*.safetensors",))
    shards = _shards(folder) or {"model.safetensors"}
    if missing := sorted(shards - set(names)):
        raise WeightsUnavailableError(f"{display_path(folder)} lacks {missing[0]}; fetch it again")
    return [folder / name for name in sorted(shards)]


def cached_repositories() -> set[str]:
    """List the ids of models of which the cache holds files, without asking the hub."""
    from huggingface_hub.constants import HF_HUB_CACHE

    folders = Path(HF_HUB_CACHE).glob("models--*")
    return {folder.name.removeprefix("models--").replace("--", "/") for folder in folders}


def _require_id(model: str) -> None:
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    try:
        validate_repo_id(model)
    except HFValidationError as error:
        raise WeightsUnavailableError(
            f"{model!r} is neither a folder that is there nor a model's id on the hub"
        ) from error


def _cached(model: str, patterns: Sequence[str], revision: str | None) -> Checkpoint | None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        folder = Path(
            snapshot_download(
                model, revision=revision, allow_patterns=list(patterns), local_files_only=True
            )
        )
        names = _names(folder)
        _require_files(model, names, patterns)
    except (LocalEntryNotFoundError, WeightsUnavailableError):
        return None
    # An interrupted download, or another program, may have left a part of the shards.
    complete = all(name in names for name in _wanted(_shards(folder), patterns))
    return Checkpoint(model, folder.name, folder) if complete else None


def _ask(model: str, revision: str | None) -> ModelInfo:
    """Ask the hub about a model: its exact commit and its files."""
    import httpx2
    from huggingface_hub import HfApi
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        return HfApi().model_info(model, revision=revision, timeout=_SECONDS)
    except GatedRepoError as error:
        raise WeightsNotFoundError(
            f"{model} is gated: accept its licence on its page on the hub, then set HF_TOKEN"
        ) from error
    except RevisionNotFoundError as error:
        raise WeightsNotFoundError(f"{model} has no revision {revision!r}") from error
    except RepositoryNotFoundError as error:
        raise WeightsNotFoundError(
            f"the hub knows no model {model}, or it is private: check the name, or set HF_TOKEN"
        ) from error
    except (httpx2.HTTPError, HfHubHTTPError, OfflineModeIsEnabled, OSError) as error:
        raise _unreachable(model, error) from error


def _download(model: str, revision: str | None, names: Sequence[str]) -> Checkpoint:
    import httpx2
    from huggingface_hub import snapshot_download
    from huggingface_hub.constants import HF_HUB_CACHE
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    from huggingface_hub.utils.tqdm import tqdm

    class Bar(tqdm):
        """The hub's progress bars; none where stderr is no terminal."""

        def __init__(self, *words: Any, **options: Any) -> None:
            if not sys.stderr.isatty():
                options["disable"] = True
            super().__init__(*words, **options)

    try:
        # By the branch's name rather than its commit: so the cache learns what the branch is.
        folder = Path(
            snapshot_download(
                model,
                revision=revision,
                allow_patterns=list(names),
                etag_timeout=_SECONDS,
                tqdm_class=Bar,
            )
        )
    except (*(httpx2.HTTPError, HfHubHTTPError, LocalEntryNotFoundError), ConnectionError) as error:
        raise _unreachable(model, error) from error
    except OSError as error:
        raise StorageError(
            f"cannot write {model} into the cache {display_path(HF_HUB_CACHE)}: "
            f"{error.strerror or error}; free some space or name another folder by the variable "
            "HF_HOME, and run the same command again"
        ) from error
    return Checkpoint(model, folder.name, folder)


def _unreachable(model: str, error: Exception) -> WeightsNotFoundError:
    from huggingface_hub.constants import HF_HUB_CACHE

    why = str(error).split("\n", maxsplit=1)[0] or type(error).__name__
    return WeightsNotFoundError(
        f"the weights of {model} are not in the cache ({display_path(HF_HUB_CACHE)}), and the hub "
        f"does not give them ({why}). Ways out: connect once and run `moviola models pull`; copy "
        f"the cache of another machine and set HF_HOME; name a folder with the weights, as "
        f"--model FAMILY:FOLDER; or take `--model shapes`, which needs none and knows only its "
        f"generated world"
    )


def _require_files(model: str, names: Iterable[str], patterns: Sequence[str]) -> None:
    names = list(names)
    tensors = [pattern for pattern in patterns if pattern.endswith(".safetensors")]
    if tensors and not _wanted(names, tensors):
        pickles = sorted(name for name in names if name.endswith(_PICKLES))
        if pickles:
            raise WeightsUnavailableError(
                f"{model} has its weights only as {pickles[0]}, and such a file can run code when "
                f"it is read; convert it to safetensors, or name a revision that has them "
                f"(the hub's converter opens one, refs/pr/N)"
            )
        raise WeightsUnavailableError(f"{model} holds no weights ({', '.join(tensors)})")
    for pattern in patterns:
        if "*" not in pattern and pattern not in names:
            raise WeightsUnavailableError(f"{model} holds no file {pattern}")


def _wanted(names: Iterable[str], patterns: Sequence[str]) -> list[str]:
    """Return the names that a pattern matches; one without a `/` looks at the top folder only."""
    return [
        name
        for name in names
        if any(
            fnmatchcase(name, pattern) and ("/" in pattern or "/" not in name)
            for pattern in patterns
        )
    ]


def _names(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]


def _shards(folder: Path) -> set[str]:
    """Read the files that the index of a sharded checkpoint names; none without an index."""
    return set(_weight_map(folder).values()) if (folder / INDEX).is_file() else set()


def _weight_map(folder: Path) -> dict[str, str]:
    """Read in which file each tensor of a sharded checkpoint lies.

    Raises:
        WeightsUnavailableError: when the index is damaged, or names files elsewhere.
    """
    found = read_config(folder / INDEX).get("weight_map")
    if not isinstance(found, dict):
        raise WeightsUnavailableError(
            f"{display_path(folder / INDEX)} names no files; fetch it again"
        )
    said = cast("dict[str, Any]", found)
    if any(not isinstance(file, str) or Path(file).name != file for file in said.values()):
        raise WeightsUnavailableError(
            f"{display_path(folder / INDEX)} names files outside its folder"
        )
    return said
