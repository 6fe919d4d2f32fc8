"""The tokenizer of a LLaMA."""

from __future__ import annotations

from pathlib import Path

from transformers import AutoTokenizer, PreTrainedTokenizerBase

from moviola.core.errors import WeightsUnavailableError


def load_tokenizer(folder: Path | str) -> PreTrainedTokenizerBase:
    """The LLaMA tokenizer in `folder`, padded with the unknown token where it names no other.

    Raises:
        WeightsUnavailableError: there is none in it.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        raise WeightsUnavailableError(
            f"no tokenizer in {folder}: it needs tokenizer.json, or tokenizer.model and the "
            f"extra `llama` ({str(error).splitlines()[0]})"
        ) from error
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.unk_token
    tokenizer.padding_side = "right"
    return tokenizer
