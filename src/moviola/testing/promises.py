"""Turn a broken promise into one sentence."""

from __future__ import annotations


def require_kind(thing: object, kind: type | tuple[type, ...], sentence: str) -> None:
    """Raise an AssertionError that says `sentence` unless `thing` is of that kind."""
    require(isinstance(thing, kind), sentence)


def require(kept: bool, sentence: str) -> None:
    """Raise an AssertionError that says `sentence` unless it was `kept`."""
    if not kept:
        raise AssertionError(sentence)
