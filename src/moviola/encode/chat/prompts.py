"""Whole prompts of chat models in tokens: words, a caption or a clip, and the turns around them."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from moviola.core.errors import WeightsUnavailableError
from moviola.encode.decoder.inputs import Kind, Piece, Words
from moviola.encode.decoder.readouts import split_prompt

if TYPE_CHECKING:
    from moviola.encode.chat.vision import Content

_PLACE = "\ue000"
"""Stands for a user's turn while a template is written; no template has it."""


@dataclass(frozen=True, slots=True)
class Turn:
    """Hold what a chat template writes around a user's words, up to where the answer begins."""

    before: str = ""
    after: str = ""

    @classmethod
    def of_template(cls, tokenizer: Any) -> Turn:
        """Write the chat template of a checkpoint.

        Raises:
            WeightsUnavailableError: when it has none, or one that does not repeat the words.
        """
        if not tokenizer.chat_template:
            raise WeightsUnavailableError(
                "the checkpoint has no chat template; add template=none to the model's name to "
                "write prompts without one"
            )
        told = [{"role": "user", "content": _PLACE}]
        written: str = tokenizer.apply_chat_template(
            told, tokenize=False, add_generation_prompt=True
        )
        before, found, after = written.partition(_PLACE)
        if not found:
            raise WeightsUnavailableError(
                "the checkpoint's chat template leaves out what a user says; fetch it again, or "
                "add template=none to the model's name"
            )
        return cls(before, after)

    @property
    def spec(self) -> str:
        """Return the canonical text for a `Readout`."""
        if self == Turn():
            return "no template"
        digest = hashlib.sha256(f"{self.before}{_PLACE}{self.after}".encode()).hexdigest()
        return f"template {digest[:8]}"


def write_prompt(prompt: str, content: Content, turn: Turn) -> list[Piece | Words]:
    """Put content into its place in a prompt, and the prompt into a user's turn.

    Args:
        prompt: with one or two places, as in `DecoderReadout`; of two the first is no content.
        content: of a caption or a clip.
        turn: around it.
    """
    *before, final = split_prompt(prompt)
    row: list[Piece | Words] = [Words(Kind.PROMPT, turn.before)]
    for place, said in enumerate(before):
        row.append(Words(Kind.PROMPT, said))
        copy = place < len(before) - 1
        row += [replace(each, kind=Kind.PROMPT) if copy else each for each in content]
    return [*row, Words(Kind.PROMPT, final), Words(Kind.PROMPT, turn.after)]


def tokenize_row(tokenizer: Any, row: Content, pad: str) -> list[Piece]:
    """Tokenize a whole prompt at once, so that words melt as they do for the model.

    A token that belongs to two stretches counts for the one it begins in.

    Args:
        tokenizer: of the language model, with whatever it adds.
        row: words and vectors.
        pad: the token that stands for one vector.

    Raises:
        WeightsUnavailableError: when the tokenizer does not know the pad as one token.
    """
    texts = [
        each.text.encode(errors="replace").decode() if isinstance(each, Words) else pad * len(each)
        for each in row
    ]
    starts = [0]
    for text in texts:
        starts.append(starts[-1] + len(text))
    found = tokenizer("".join(texts), return_offsets_mapping=True)
    owners = [
        bisect_right(starts, first) - 1 if last > first else None
        for first, last in found.offset_mapping
    ]
    pieces: list[Piece] = []
    at = 0
    while at < len(owners):
        owner, end = owners[at], at
        while end < len(owners) and owners[end] == owner:
            end += 1
        pieces.append(_piece(owner, row, tuple(found.input_ids[at:end]), start=not at))
        at = end
    return pieces or [Piece(Kind.PROMPT, (_end(tokenizer),))]


def cut_text(tokenizer: Any, text: str, at_most: int) -> str:
    """Cut a text behind its first `at_most` tokens."""
    clean = text.encode(errors="replace").decode()
    if len(clean.encode()) <= at_most:
        return clean
    found = tokenizer(clean, add_special_tokens=False, return_offsets_mapping=True)
    if len(found.input_ids) <= at_most:
        return clean
    return clean[: found.offset_mapping[at_most - 1][1]]


def _piece(
    owner: int | None, row: Sequence[Piece | Words], ids: tuple[int, ...], *, start: bool
) -> Piece:
    """Make a piece of the tokens that belong to one stretch of a row, or that were added."""
    if owner is None:
        return Piece(Kind.BOS if start else Kind.PROMPT, ids)
    own = row[owner]
    if isinstance(own, Words):
        return Piece(own.kind, ids)
    if len(ids) != len(own):
        raise WeightsUnavailableError(
            f"the tokenizer writes {len(ids)} tokens for {len(own)} vectors: it does not know the "
            f"token that stands for one; fetch the model again"
        )
    return own


def _end(tokenizer: Any) -> int:
    if not isinstance(tokenizer.eos_token_id, int):
        raise TypeError("a tokenizer that has neither BOS nor EOS gives an empty text no token")
    return tokenizer.eos_token_id
