"""Tell whether two readings are of one text."""

from __future__ import annotations

import re
import unicodedata

#: Letters of this many, for each of which one may be misread.
LETTERS_A_MISTAKE = 5
#: Two different readings that are both at least this sure are two texts.
CERTAIN = 0.95

_DIGITS = re.compile(r"\d+")


def folded(text: str) -> str:
    """Fold a text to its letters and digits, without case, widths, spaces and punctuation."""
    return "".join(
        character
        for character in unicodedata.normalize("NFKC", text).casefold()
        if character.isalnum()
    )


def edit_distance(one: str, other: str, most: int) -> int:
    """Count the letters to insert, delete or replace (Levenshtein 1966), up to `most + 1`.

    Counting ends where the distance is known to pass `most`.
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        above, row = row, [i]
        for j, against in enumerate(other, start=1):
            row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (letter != against)))
        if min(row) > most:
            return most + 1
    return row[-1]


def same_text(one: str, other: str, *, certain: bool) -> bool:
    """Tell whether two readings are of one text, misread here or there.

    Texts whose numbers differ are two texts: a clock shows another one each second.

    Args:
        one: a reading.
        other: another.
        certain: whether both are sure, so that a letter that differs is another letter.
    """
    first, second = folded(one), folded(other)
    if not first or not second or _numbers(one) != _numbers(other):
        return False
    if first == second:
        return True
    most = max(len(first), len(second)) // LETTERS_A_MISTAKE
    return not certain and edit_distance(first, second, most) <= most


def _numbers(text: str) -> list[str]:
    return _DIGITS.findall(unicodedata.normalize("NFKC", text))
