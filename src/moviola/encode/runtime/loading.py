"""Strict loading of transformers models, and the digest of what was loaded."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import torch
from safetensors import SafetensorError

from moviola.core.errors import WeightsUnavailableError
from moviola.core.paths import display_path
from moviola.encode.runtime.config_files import read_config
from moviola.encode.runtime.hub import weight_files

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel

COMPUTED_WITH = (
    "config.json",
    "merges.txt",
    "sentencepiece.bpe.model",
    "spiece.model",
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "vocab.json",
)
DAMAGES = (
    OSError,
    RuntimeError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    SafetensorError,
)
"""Errors that transformers raises over files that are missing, cut off, or of another kind."""
ModelT = TypeVar("ModelT", bound="PreTrainedModel")
ConfigT = TypeVar("ConfigT", bound="PreTrainedConfig")


def load_strictly(
    kind: type[ModelT], folder: Path, *, ignored: frozenset[str] = frozenset(), **options: Any
) -> ModelT:
    """Load a transformers model in float32 and evaluation mode, every weight from the folder.

    Args:
        kind: the model's class.
        folder: a checkpoint with `config.json` and safetensors.
        ignored: names of weights that may be missing or left over.
        options: passed on to `from_pretrained`.

    Raises:
        WeightsUnavailableError: naming weights that are missing, left over or of another shape.
    """
    from transformers.utils import logging

    weight_files(folder)
    # It says nothing that the error below does not, and its bar is gone before it can be read.
    logging.disable_progress_bar()
    try:
        loaded: Any = kind.from_pretrained(
            folder,
            dtype=torch.float32,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            output_loading_info=True,
            **options,
        )
    except torch.OutOfMemoryError:
        raise
    except DAMAGES as error:
        raise WeightsUnavailableError(
            f"{display_path(folder)} is no checkpoint of {kind.__name__}: {error}; fetch it again"
        ) from error
    model, told = cast("tuple[ModelT, dict[str, Any]]", loaded)
    for what in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        if wrong := sorted({str(key) for key in told[what]} - ignored):
            raise WeightsUnavailableError(
                f"{display_path(folder)} does not fit {kind.__name__}: "
                f"{what.removesuffix('_keys')} {', '.join(wrong[:3])}"
                f"{f' and {len(wrong) - 3} more' if len(wrong) > 3 else ''}"
            )
    return model.eval().requires_grad_(requires_grad=False)


def checkpoint_digest(folder: Path) -> str:
    """Return 32 hexadecimal digits of what a checkpoint's towers compute with.

    These are its weights, its `config.json` and its tokenizer. How frames are prepared is left
    out: a readout says that.
    """
    rest = [folder / name for name in COMPUTED_WITH]
    return weights_digest([*weight_files(folder), *(path for path in rest if path.is_file())])


def weights_digest(files: Iterable[Path], *, start: str = "") -> str:
    """Return 32 hexadecimal digits of the names and bytes of weight files, by name.

    Args:
        files: in any order.
        start: what else tells the weights apart.
    """
    digest = hashlib.blake2b(start.encode(), digest_size=16)
    for path in sorted(files, key=lambda path: path.name):
        with path.open("rb") as file:
            # SHA-256 for the bytes: processors have instructions for it, and files are large.
            digest.update(
                f"{path.name}:{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode()
            )
    return digest.hexdigest()


def read_model_config(folder: Path, kind: type[ConfigT], name: str) -> ConfigT:
    """Read `config.json` as that of one architecture, called `name`, and refuse any other.

    Raises:
        WeightsUnavailableError: when it is not there, damaged, or of another model.
    """
    path = folder / "config.json"
    told = read_config(path)
    if told.get("model_type") != kind.model_type:
        raise WeightsUnavailableError(
            f"{display_path(folder)} is no {name}: its config.json says {told.get('model_type')!r}"
        )
    try:
        return kind.from_pretrained(folder, local_files_only=True)
    except DAMAGES as error:
        raise WeightsUnavailableError(
            f"{display_path(path)} is damaged ({error}); fetch it again"
        ) from error
