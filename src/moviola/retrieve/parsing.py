"""Parse typed queries into sentences and what is not wanted."""

from __future__ import annotations

import re

# A hyphen after white space or at the start, before a letter or a quote: neither "x-ray" nor "-5".
_NEGATIVE = re.compile(r'(?:^|(?<=\s))-(?:"([^"]+)"|([^\W\d_][^\s"]*))')


def parse_query(words: str) -> tuple[str, tuple[str, ...]]:
    """A typed query as the sentence and what is not wanted: `a street -car -"red bus"`."""
    negative = tuple(found[1] or found[2] for found in _NEGATIVE.finditer(words))
    return " ".join(_NEGATIVE.sub(" ", words).split()), negative
