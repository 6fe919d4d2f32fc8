"""Parse typed queries into sentences and what is not wanted."""

from __future__ import annotations

import re

# A hyphen after white space or at the start, before a letter or a quote: neither "x-ray" nor "-5".
_UNWANTED = re.compile(r'(?:^|(?<=\s))-(?:"([^"]+)"|([^\W\d_][^\s"]*))')


def split_unwanted(words: str) -> tuple[str, tuple[str, ...]]:
    """Split a typed query into its sentence and what is not wanted: `a street -car -"red bus"`."""
    unwanted = tuple(found[1] or found[2] for found in _UNWANTED.finditer(words))
    return " ".join(_UNWANTED.sub(" ", words).split()), unwanted
