"""Rows of pieces for a decoder: the words of a prompt around a caption, or around a video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from moviola.encode.decoder.inputs import Kind, Piece
from moviola.encode.decoder.readouts import split_prompt

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def caption_pieces(tokenizer: PreTrainedTokenizerBase, text: str, at_most: int) -> list[Piece]:
    """Return the first `at_most` tokens of `text`, without BOS; nothing of an empty text."""
    return _pieces(Kind.TEXT, _ids(tokenizer, text)[:at_most])


def prompt_row(
    tokenizer: PreTrainedTokenizerBase, prompt: str, content: Sequence[Piece], timing: str = ""
) -> list[Piece]:
    """Put `content` into its place in `prompt`, behind BOS; into its second place if it has two.

    Each stretch of words is tokenised alone, as Video-LLaMA does it, so that what stands where
    does not depend on how words and content would melt together. A row is never empty: where there
    is neither BOS nor anything else, it is the token that ends a text.

    Args:
        tokenizer: of the decoder.
        prompt: as in `DecoderReadout`.
        content: of the caption or video; may be empty.
        timing: what stands for `{timing}`.
    """
    row = _pieces(Kind.BOS, tuple(tokenizer("").input_ids))
    *before, final = split_prompt(prompt, timing)
    for place, words in enumerate(before):
        row += _pieces(Kind.PROMPT, _ids(tokenizer, words))
        # A first copy is there to be read by the second, and does not count as content.
        copy = place < len(before) - 1
        row += [replace(piece, kind=Kind.PROMPT) for piece in content] if copy else content
    row += _pieces(Kind.PROMPT, _ids(tokenizer, final))
    return row or [Piece(Kind.PROMPT, (_end(tokenizer),))]


def _ids(tokenizer: PreTrainedTokenizerBase, words: str) -> tuple[int, ...]:
    return tuple(tokenizer(words, add_special_tokens=False).input_ids) if words else ()


def _end(tokenizer: PreTrainedTokenizerBase) -> int:
    if not isinstance(tokenizer.eos_token_id, int):
        raise TypeError("a tokenizer that has neither BOS nor EOS gives an empty text no token")
    return tokenizer.eos_token_id


def _pieces(kind: Kind, ids: tuple[int, ...]) -> list[Piece]:
    return [Piece(kind, ids)] if ids else []
