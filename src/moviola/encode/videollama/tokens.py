"""Texts and prompts to token ids."""

from __future__ import annotations

from pathlib import Path

from transformers import AutoTokenizer, PreTrainedTokenizerBase

from moviola.core.errors import WeightsUnavailableError
from moviola.encode.videollama.prompts import IMAGE


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


def text_ids(tokenizer: PreTrainedTokenizerBase, text: str) -> tuple[int, ...]:
    """BOS and the tokens of `text`, no end: how the reference report reads a caption."""
    return tuple(tokenizer(text).input_ids)


def segment_ids(tokenizer: PreTrainedTokenizerBase, prompt: str) -> tuple[tuple[int, ...], ...]:
    """Ids of the pieces of `prompt` between its `<ImageHere>`; only the first one has a BOS."""
    first, *others = prompt.split(IMAGE)
    return (
        text_ids(tokenizer, first),
        *(tuple(tokenizer(piece, add_special_tokens=False).input_ids) for piece in others),
    )
