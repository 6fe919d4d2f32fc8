"""Read what is written in pictures: signs, titles, burnt-in clocks."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from moviola.core import MissingExtraError

if TYPE_CHECKING:
    from moviola.channels.writing.channel import WritingChannel


def load(threads: int = 1) -> WritingChannel:
    """Load the channel `writing`; its models are loaded with the first picture.

    Args:
        threads: processor threads that recognition uses.

    Raises:
        MissingExtraError: when rapidocr or its runtime is not installed.
        ValueError: when there are to be no threads.
    """
    if threads < 1:
        raise ValueError(f"reading takes at least 1 thread, got {threads}")
    if any(importlib.util.find_spec(name) is None for name in ("rapidocr", "onnxruntime")):
        raise MissingExtraError(
            "the channel 'writing' needs rapidocr; install it with: pip install 'moviola[ocr]'"
        )
    from moviola.channels.writing.channel import WritingChannel

    return WritingChannel(threads)
