"""One promise, one sentence when it is broken."""

from __future__ import annotations


def require(kept: bool, sentence: str) -> None:
    """Raises an AssertionError that says `sentence` unless it was `kept`."""
    if not kept:
        raise AssertionError(sentence)
