"""Load the tokenizer of a checkpoint, and refuse a checkpoint that has none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from moviola.core.errors import WeightsUnavailableError
from moviola.core.paths import display_path

_VOCABULARIES = (
    "tokenizer.json",
    "tokenizer.model",
    "spiece.model",
    "sentencepiece.bpe.model",
    "vocab.json",
    "vocab.txt",
)
"""Files of which any tokenizer has one. Without them transformers makes an empty one in silence, by
which every sentence becomes the same vector."""


def load_tokenizer(folder: Path) -> Any:
    """Load the tokenizer of a transformers checkpoint.

    Raises:
        WeightsUnavailableError: when the folder holds none that can be loaded, or an empty one.
    """
    from transformers import AutoTokenizer

    require_vocabulary(folder)
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
    except Exception as error:  # a damaged file raises whatever its reader comes upon
        raise WeightsUnavailableError(
            f"{display_path(folder)} has no tokenizer that can be loaded: "
            f"{str(error).strip().split(chr(10), maxsplit=1)[0]}; fetch it again"
        ) from error
    if len(tokenizer) <= len(set(tokenizer.all_special_ids)):
        raise WeightsUnavailableError(
            f"the tokenizer in {display_path(folder)} knows no words; fetch it again"
        )
    return tokenizer


def require_vocabulary(folder: Path) -> None:
    """Refuse a checkpoint without the words of its tokenizer, in `folder` or in a folder of it.

    Raises:
        WeightsUnavailableError: naming what it should hold.
    """
    if not any(path.is_file() for name in _VOCABULARIES for path in folder.rglob(name)):
        raise WeightsUnavailableError(
            f"{display_path(folder)} has no tokenizer (none of {', '.join(_VOCABULARIES)}); fetch "
            f"the model again, or copy the tokenizer's files beside its weights"
        )
