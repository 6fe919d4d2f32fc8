"""Load the bank of ordinary sentences about videos, which queries are compared with.

They were written for Moviola, about anything that videos show, and are about no library at all.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.resources import files


@lru_cache(maxsize=1)
def ordinary_sentences() -> tuple[str, ...]:
    """Load the 200 sentences."""
    shipped = files("moviola.retrieve.calibration") / "ordinary.txt"
    return tuple(shipped.read_text(encoding="utf-8").splitlines())


def digest_of(sentences: tuple[str, ...]) -> str:
    """Name sentences by a digest of them, in order."""
    return hashlib.sha256("\n".join(sentences).encode()).hexdigest()[:16]
