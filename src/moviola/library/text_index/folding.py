"""Fold text to the form in which words are compared: case, accents, widths and ligatures go."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

# Letters whose stroke or join no decomposition takes away.
_LETTERS = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ħ": "h",
        "\u0131": "i",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
        "ð": "d",
    }
)
_TATWEEL = "\u0640"
# Voicing marks of kana, which halfwidth text writes apart from their letters.
_VOICING = {"\u3099", "\u309a"}


def fold(text: str) -> tuple[str, list[int]]:
    """Fold `text`, and tell where each character of the result stood in it.

    Accents of Latin, Greek, Cyrillic, Hebrew and Arabic go; vowel signs and tone marks of Indic
    scripts, Thai and Lao are letters, and stay. Invisible characters go: soft hyphens, joiners,
    marks of direction.

    Returns:
        The folded text of n characters, and n places in `text`.
    """
    if text.isascii():
        return text.lower(), list(range(len(text)))
    folded: list[str] = []
    places: list[int] = []
    for place, char in enumerate(text):
        parts = char.lower() if char.isascii() else _fold_character(char)
        if parts in _VOICING and folded:
            folded[-1] = unicodedata.normalize("NFC", folded[-1] + parts)[0]
            continue
        folded.extend(parts)
        places.extend([place] * len(parts))
    return "".join(folded), places


@lru_cache(maxsize=20_000)
def _fold_character(char: str) -> str:
    """Fold one character to none, one or several."""
    category = unicodedata.category(char)
    if category == "Cf" or char == _TATWEEL:
        return ""
    if category == "Cs":
        return " "  # half of a broken pair
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", char).casefold())
    bare = "".join(part for part in apart if not _is_accent(part))
    if len(bare) == 1 and bare in _VOICING:
        return bare
    return unicodedata.normalize("NFC", bare).translate(_LETTERS)


def _is_accent(char: str) -> bool:
    """Tell accents and points, whose class says so, from signs that are letters of their script."""
    place = unicodedata.combining(char)
    return place == 1 or 10 <= place <= 35 or place >= 200
