"""The tokenizer of a LLaMA."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from moviola.core.errors import WeightsUnavailableError
from moviola.encode.runtime import tokenizers

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def load_tokenizer(folder: Path | str) -> PreTrainedTokenizerBase:
    """Load the LLaMA tokenizer in `folder`, padded with the unknown token if it names no other.

    Raises:
        WeightsUnavailableError: when there is none in it.
    """
    try:
        tokenizer = tokenizers.load_tokenizer(Path(folder))
    except WeightsUnavailableError as error:
        raise WeightsUnavailableError(
            f"{error} (a LLaMA needs tokenizer.json, or tokenizer.model and the extra `llama`)"
        ) from error
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.unk_token
    tokenizer.padding_side = "right"
    return tokenizer
