"""Write the prompts of EmbeddingGemma 2: queries, documents, and the marks of what is perceived."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

RETRIEVE = "search result"
PICTURE, SOUND = "<|image|>", "<|audio|>"
_RATE, _FRAME, _HOP = 16_000, 320, 160
"""Samples a second, of a window of the spectrogram, and between two windows."""


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of a prompt that stands for something perceived.

    Attributes:
        text: of the prompt, with a mark for every vector.
        heard: whether its vectors are those of the sound.
        start: number of the first vector.
        end: number behind the last one.
    """

    text: str
    heard: bool
    start: int
    end: int


def query_prompt(task: str, text: str) -> str:
    """Write the prompt of a query."""
    return f"task: {task} | query: {text}"


def document_head(title: str = "") -> str:
    """Write what stands before the text of a document, or before what is perceived."""
    return f"title: {title.strip() or 'none'} | text: "


def picture_marks(vectors: int) -> str:
    """Write the marks of a picture or a frame."""
    return f"<|image>{PICTURE * vectors}<image|>"


def sound_marks(vectors: int) -> str:
    """Write the marks of a stretch of sound."""
    return f"<|audio>{SOUND * vectors}<audio|>"


def frame_blocks(times: Sequence[float], vectors: int) -> list[Block]:
    """Write the blocks of frames, each behind its time.

    Args:
        times: of T frames in seconds.
        vectors: of each frame.
    """
    return [
        Block(
            f"{_clock(time)} {picture_marks(vectors)}",
            False,
            place * vectors,
            (place + 1) * vectors,
        )
        for place, time in enumerate(times)
    ]


def sounded_blocks(times: Sequence[float], vectors: int, heard: int, seconds: float) -> list[Block]:
    """Write the blocks of frames, each followed by the seconds of sound up to the next one.

    As the published processor does where it loads the sound of a video.

    Args:
        times: of T frames in seconds, T >= 1.
        vectors: of each frame.
        heard: vectors of the sound.
        seconds: that the clip lasts.
    """
    whole = [round(time) for time in times]
    last = max(1, int(seconds))
    stretches = range(whole[0], last)
    by_second = _vectors_of(_RATE)
    counts = [min(by_second, max(0, heard - place * by_second)) for place in range(len(stretches))]
    if counts:
        counts[-1] += heard - sum(counts)
    starts = [sum(counts[:place]) for place in range(len(counts))]
    found: list[Block] = []
    frames = frame_blocks(whole, vectors)
    for block, (here, following) in zip(frames, pairwise([*whole, last]), strict=True):
        found.append(block)
        for second in range(here, following):
            place = second - whole[0]
            if 0 <= place < len(counts) and counts[place] > 0:
                text = f"{_clock(second)} {sound_marks(counts[place])}"
                found.append(Block(text, True, starts[place], starts[place] + counts[place]))
    return found


def _vectors_of(samples: int) -> int:
    """Count the vectors of the windows that lie within so many samples."""
    windows = (samples - _FRAME // 2 - 1) // _HOP + 1
    for _ in range(2):
        # A convolution of three by steps of two.
        windows = (windows - 1) // 2 + 1
    return windows


def _clock(seconds: float) -> str:
    """Write seconds as `MM:SS`, rounded."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes:02d}:{rest:02d}"
