"""Measure where the time of a run goes: decoding, waiting for it, the model, writing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

Stage = Literal["wait", "model", "write"]


@dataclass(slots=True)
class StageSeconds:
    """Add up wall-clock seconds of the stages of a run.

    Decoding goes on beside the others, in several processes; the other three follow each other.

    Attributes:
        decode: seconds that decoders worked, all of them together.
        decoders: how many there were at most.
        wait: seconds that the model waited for decoders.
        model: seconds in the model.
        write: seconds of writing to the library.
    """

    decode: float = 0.0
    decoders: int = 1
    wait: float = 0.0
    model: float = 0.0
    write: float = 0.0

    @contextmanager
    def spent_on(self, stage: Stage) -> Iterator[None]:
        """Count the time of the block for `stage`."""
        began = time.monotonic()
        try:
            yield
        finally:
            setattr(self, stage, getattr(self, stage) + time.monotonic() - began)

    @property
    def bound(self) -> str:
        """Name what kept the run from being faster: `decoding`, `the model` or `writing`."""
        stages = {"decoding": self.wait, "the model": self.model, "writing": self.write}
        return max(stages, key=stages.__getitem__)
