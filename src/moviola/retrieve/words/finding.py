"""Find letters in one text as they are typed, as programs that show texts do."""

from __future__ import annotations

from moviola.core.moments import MatchedWord
from moviola.library.text_index import fold


def find_in(text: str, words: str) -> tuple[MatchedWord, ...] | None:
    """Find every word of `words` in `text`, wherever in it: a beginning or a part of a word does.

    Case, accents and widths of letters are alike, as in a search.

    Returns:
        What was found, in order and without overlaps; None where one of the words is not in it.
    """
    folded, places = fold(text)
    ranges: list[tuple[int, int]] = []
    for word in {fold(word)[0] for word in words.split()} - {""}:
        at = folded.find(word)
        if at < 0:
            return None
        while at >= 0:
            ranges.append((places[at], places[at + len(word) - 1] + 1))
            at = folded.find(word, at + len(word))
    joined: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if joined and first <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(last, joined[-1][1])
        else:
            joined.append((first, last))
    return tuple(MatchedWord(text[first:last], first, last) for first, last in joined)
