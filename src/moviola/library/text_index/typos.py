"""Find the terms that are one slip of the finger away from a word."""

from __future__ import annotations

from moviola.library.text_index.segment import Segment

#: Letters of a word that may be mistyped, at least.
LEAST_LETTERS = 4


def is_one_typo(word: str, other: str) -> bool:
    """Test whether one letter too few, too many or wrong, or two swapped, part two words.

    Digits are neither lost nor added: `room` is not `room1`.
    """
    if word == other or abs(len(word) - len(other)) > 1:
        return False
    begin = 0
    for one, two in zip(word, other, strict=False):
        if one != two:
            break
        begin += 1
    rest, others = word[begin:], other[begin:]
    if len(rest) == len(others):
        return rest[1:] == others[1:] or (rest[2:] == others[2:] and rest[:2] == others[1::-1])
    longer, shorter = (rest, others) if len(rest) > len(others) else (others, rest)
    return longer[1:] == shorter and not longer[0].isdigit()


def similar_terms(segment: Segment, word: str) -> list[int]:
    """List the numbers of the terms that are one typo away from `word`.

    One typo leaves the first or the second half of a word as it is, but for two letters that are
    swapped across the middle.
    """
    if len(word) < LEAST_LETTERS:
        return []
    middle = len(word) // 2
    swapped = word[: middle - 1] + word[middle] + word[middle - 1] + word[middle + 1 :]
    found = {*segment.find_prefix(word[:middle]), *segment.find_suffix(word[middle:]).tolist()}
    crossing = segment.find(swapped)
    if crossing is not None:
        found.add(crossing)
    room = 4 * (len(word) + 1)  # bytes of a term that is one letter longer
    return sorted(
        number
        for number in found
        if segment.term_ends[number + 1] - segment.term_ends[number] <= room
        and is_one_typo(word, segment.term(number).decode())
    )
