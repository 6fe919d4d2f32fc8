"""Keep what was measured of this machine, and estimate a run from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from moviola.core.json_text import decode_json
from moviola.core.paths import cache_path

_NAME = "bench.json"


@dataclass(frozen=True, slots=True)
class Bench:
    """Hold rates of this machine.

    Attributes:
        date: the day on which they were measured, such as `2026-11-28`.
        decode: seconds to decode a minute of 720p video in windows of 6 s every 3 s, all decoders
            together.
        models: seconds that each model takes for a minute of such windows, by its name.
        write: megabytes that the disk of the library writes in a second.
    """

    date: str
    decode: float
    models: Mapping[str, float] = field(default_factory=dict[str, float])
    write: float = 0.0

    @classmethod
    def stored(cls) -> Self | None:
        """Read what was measured last; None where nothing was, or it cannot be read."""
        try:
            found = decode_json(bench_path().read_text(encoding="utf-8"))
            return cls(
                str(found["date"]),
                float(found["decode"]),
                {str(name): float(value) for name, value in found["models"].items()},
                float(found["write"]),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def store(self) -> None:
        """Keep it in the user's cache."""
        path = bench_path()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    def seconds_for(self, model: str, video_seconds: float) -> float | None:
        """Estimate the seconds of indexing `video_seconds` of 720p video by `model`.

        Decoding and the model go on side by side, so the slower one counts. None where the model
        was not measured.
        """
        own = self.models.get(model)
        return None if own is None else max(self.decode, own) * video_seconds / 60


def bench_path() -> Path:
    """Return the file in which measurements of this machine are kept."""
    return cache_path() / _NAME
