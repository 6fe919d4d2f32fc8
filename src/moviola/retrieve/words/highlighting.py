"""Say of a passage what of its text was asked for, and when that is said."""

from __future__ import annotations

from collections.abc import Sequence

from moviola.core.moments import MatchedWord, Reason
from moviola.core.passages import Passage
from moviola.core.spans import Span
from moviola.library.text_index import tokenise
from moviola.retrieve.words.comparing import Asked, matching


def reason_of(passage: Passage, asked: Sequence[Asked]) -> Reason:
    """Make a reason of a passage that matches some of what was asked."""
    return Reason(
        passage.channel,
        passage.text,
        passage.span.start,
        passage.span.end,
        matched_words(passage, asked),
    )


def matched_words(passage: Passage, asked: Sequence[Asked]) -> tuple[MatchedWord, ...]:
    """List what of the text of a passage was asked for, in order, without overlaps."""
    ranges = [
        (token.start, token.end)
        for token in tokenise(passage.text)
        if any(matching(each, token.text) for each in asked)
    ]
    times = _word_places(passage)
    found: list[MatchedWord] = []
    for first, last in _joined(sorted(ranges)):
        own = [span for begin, end, span in times if begin < last and end > first]
        span = Span(own[0].start, max(each.end for each in own)) if own else None
        found.append(MatchedWord(passage.text[first:last], first, last, span))
    return tuple(found)


def _joined(ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join ranges that overlap, such as the pairs of characters of one word."""
    found: list[tuple[int, int]] = []
    for first, last in ranges:
        if found and first < found[-1][1]:
            found[-1] = found[-1][0], max(last, found[-1][1])
        else:
            found.append((first, last))
    return found


def _word_places(passage: Passage) -> list[tuple[int, int, Span]]:
    """Find the words that have times in the text of a passage, in order."""
    found: list[tuple[int, int, Span]] = []
    after = 0
    for word in passage.words:
        text = word.text.strip()
        first = passage.text.find(text, after) if text else -1
        if first >= 0:
            after = first + len(text)
            found.append((first, after, word.span))
    return found
