"""Letters are found in one text as they are typed."""

from __future__ import annotations

import pytest

from moviola.retrieve.words.finding import find_in


@pytest.mark.parametrize(
    ("text", "words", "found"),
    [
        ("Good morning, Zürich", "zuri", ["Züri"]),
        ("Good morning, Zürich", "OO morn", ["oo", "morn"]),
        ("banana", "an", ["anan"]),  # what touches is one
        ("the ﬁlm", "film", ["ﬁlm"]),
        ("東京タワー", "京タ", ["京タ"]),
        ("an 🌂 umbrella", "umbrella", ["umbrella"]),
        ("a b", "a b a", ["a", "b"]),
        ("anything", "", []),
        ("anything", " \u200b ", []),
    ],
)
def test_parts_of_words_are_found_where_they_stand(text, words, found):
    matched = find_in(text, words)
    assert matched is not None
    assert [word.text for word in matched] == found
    assert [text[word.first : word.last] for word in matched] == found


@pytest.mark.parametrize("words", ["evening", "morning evening", "<script>"])
def test_a_word_that_is_missing_leaves_nothing(words):
    assert find_in("Good morning, Zürich", words) is None
