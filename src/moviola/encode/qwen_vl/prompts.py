"""Write the prompts of Qwen3-VL-Embedding and Qwen3-VL-Reranker."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from moviola.core.frames import Frames
from moviola.encode.qwen_vl.patches import Patches

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Layout = Literal["per-frame", "wrapped"]
"""The two ways of marking a video: `per-frame` marks every group of frames alone, as transformers
4.57.3 did; `wrapped` marks the whole video as well, as transformers does from 5.10 on."""

REPRESENT = "Represent the user's input."
RETRIEVE = "Given a search query, retrieve relevant candidates that answer the query."
JUDGE = (
    "Judge whether the Document meets the requirements based on the Query and the Instruct "
    'provided. Note that the answer can only be "yes" or "no".'
)
_START, _END = "<|vision_start|>", "<|vision_end|>"
VIDEO_PAD, IMAGE_PAD = "<|video_pad|>", "<|image_pad|>"
_EMPTY = "NULL"


@dataclass(frozen=True, slots=True)
class Item:
    """A thing to encode or to judge: videos, then pictures, then a text.

    Attributes:
        text: `""` for none.
        videos: clips.
        pictures: `(H, W, 3)` uint8 each.
    """

    text: str = ""
    videos: Sequence[Frames] = field(default=())
    pictures: Sequence[NDArray[np.uint8]] = field(default=())


def settle_instruction(instruction: str) -> str:
    """Strip an instruction, and end it with a full stop where no punctuation ends it."""
    stripped = instruction.strip()
    if not stripped:
        return REPRESENT
    return stripped if unicodedata.category(stripped[-1]).startswith("P") else f"{stripped}."


def embedding_prompt(instruction: str, content: str) -> str:
    """Write the prompt of the embedding model; nothing to represent is the word `NULL`."""
    return _chat(settle_instruction(instruction), content or _EMPTY)


def reranking_prompt(instruction: str, query: str, document: str) -> str:
    """Write the prompt of the reranker: no line break before the query, no full stop added."""
    sides = f"<Query>:{query or _EMPTY}\n<Document>:{document or _EMPTY}"
    return _chat(JUDGE, f"<Instruct>: {instruction}{sides}")


def write_content(text: str, media: Sequence[Patches], layout: Layout) -> str:
    """Write the marks of clips and pictures, and a text behind them."""
    return "".join(_marks(each, layout) for each in media) + text


def _marks(seen: Patches, layout: Layout) -> str:
    """Write the marks that a clip's or a picture's vectors stand between."""
    if not seen.times:
        return f"{_START}{IMAGE_PAD * seen.vectors}{_END}"
    pads = f"{_START}{VIDEO_PAD * seen.vectors}{_END}"
    groups = "".join(f"<{time:.1f} seconds>{pads}" for time in seen.times)
    return f"{_START}{groups}{_END}" if layout == "wrapped" else groups


def _chat(system: str, user: str) -> str:
    """Write a system line, a user's turn and the beginning of the answer."""
    return (
        f"<|im_start|>system\n{system}<|im_end|>\n<|im_start|>user\n{user}<|im_end|>\n"
        f"<|im_start|>assistant\n"
    )
