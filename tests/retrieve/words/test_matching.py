"""Passages are found by the words of a query, and shown with what matched."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moviola.core import Passage, Span, Word
from moviola.library.text_index import IndexedPassages, tokenise
from moviola.retrieve.parsing import parse_query
from moviola.retrieve.words.highlighting import matched_words, reason_of
from moviola.retrieve.words.matching import match_passages

SHELF = [
    ("v1", "writing", "NO EXIT"),
    ("v2", "writing", "EXIT"),
    ("v3", "subtitles", "follow the exit sign to the left"),
    ("v4", "names", "IMG_2041"),
    ("v5", "speech", "東京タワーへ行く"),
    ("v6", "writing", "frame 50 PTS = 2.0s"),
    ("v7", "writing", "frame 75 PTS = 3.0s"),
    ("v8", "subtitles", "the captain forgot his umbrella"),
    ("v9", "names", "Sommer in Zürich"),
    ("v10", "lectures", "entropy of an exit"),
]


def passages_of(rows):
    return IndexedPassages.of([Passage(v, Span(1, 3), text, c) for v, c, text in rows])


SHELVED = passages_of(SHELF)


def find(words, passages=SHELVED, channels=()):
    parsed = parse_query(words, channels)
    return match_passages(
        parsed.text, parsed.terms, parsed.barred, passages, np.ones(len(passages), np.bool_)
    )


def texts(words, channels=()):
    return [SHELVED.text(hit.number) for hit in find(words, channels=channels).hits]


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("exit", "EXIT"),
        ("EXIT", "EXIT"),
        ("exti", "EXIT"),
        ("zurich", "Sommer in Zürich"),
        ("img_2041", "IMG_2041"),
        ("IMG-2041", "IMG_2041"),
        ("im*", "IMG_2041"),
        ("umbrel*", "the captain forgot his umbrella"),
        ("captian umbrela", "the captain forgot his umbrella"),
        ('"exit sign"', "follow the exit sign to the left"),
        ('"exti sign"', "follow the exit sign to the left"),
        ("東京", "東京タワーへ行く"),
        ("タワー", "東京タワーへ行く"),
        ("塔", None),
        ("PTS = 2.0s", "frame 50 PTS = 2.0s"),
        ('written:"PTS = 2.0s"', "frame 50 PTS = 2.0s"),
        ("said:exit", "follow the exit sign to the left"),
        ("written:exit", "EXIT"),
        ("subtitles:exit", "follow the exit sign to the left"),
        ("name:exit", None),
        ("img", None),
        ("2041", None),
        ("IMG_2042", None),
    ],
)
def test_the_passage_that_is_meant_comes_first(query, first):
    assert [*texts(query), None][0] == first


def test_a_table_of_ones_own_is_a_channel():
    assert texts("lectures:exit", ["lectures"]) == ["entropy of an exit"]
    assert "entropy of an exit" not in texts("said:exit")


def test_what_is_exactly_on_screen_is_marked_so():
    hits = find("exit").hits
    assert [SHELVED.text(hit.number) for hit in hits if hit.is_exact] == ["EXIT"]


def test_a_condition_of_a_channel_holds_even_where_nothing_satisfies_it():
    (mask,) = find("exit name:nothing").required
    assert not mask.any()
    assert find('a "phrase nobody wrote"').required == []


def test_barred_words_keep_passages_out():
    assert "NO EXIT" not in texts("exit -written:no")


def test_what_matched_is_told_with_its_times():
    spoken = ["the", "train", "leaves", "now"]
    words = tuple(Word(word, Span(n, n + 0.5)) for n, word in enumerate(spoken))
    passage = Passage("v", Span(0, 4), "the train, leaves now", "speech", words=words)
    hit = find("leaves train", IndexedPassages.of([passage])).hits[0]
    reason = reason_of(passage, [hit.asked])
    assert (reason.channel, reason.text, reason.start, reason.end) == (
        "speech",
        passage.text,
        0,
        4,
    )
    assert [(word.text, word.span) for word in reason.words] == [
        ("train", Span(1, 1.5)),
        ("leaves", Span(2, 2.5)),
    ]


@pytest.mark.parametrize(
    ("text", "query", "marked"),
    [
        ("he said שָׁלוֹם twice", "שלום", ["שָׁלוֹם"]),
        ("المُعلِّم هنا", "المعلم", ["المُعلِّم"]),
        ("cafe\u0301 au lait", "café", ["cafe\u0301"]),
        ("go 🔥👩‍🚒 now", "🔥 now", ["🔥", "now"]),
        ("हिन्दी सिनेमा", "हिन्दी", ["हिन्दी"]),
        ("今日は東京タワー", "東京タワー", ["東京タワー"]),
        ("Straße 7", "strasse", ["Straße"]),
        ("see IMG_2041 there", "IMG_2041", ["IMG_2041"]),
        ("ﬁlm ﬁrst", "first", ["ﬁrst"]),
    ],
)
def test_marks_stand_at_the_words_in_every_script(text, query, marked):
    passages = IndexedPassages.of([Passage("v", Span(0, 1), text, "speech")])
    hit = find(query, passages).hits[0]
    words = matched_words(passages.passages([0])[0], [hit.asked])
    assert [word.text for word in words] == marked
    assert all(text[word.first : word.last] == word.text for word in words)


@given(st.lists(st.text(min_size=1).filter(str.strip), min_size=1, max_size=6), st.text())
def test_marks_are_parts_of_the_text_in_order(lines, query):
    rows = [Passage(f"v{n}", Span(0, 1), line, "speech") for n, line in enumerate(lines)]
    passages = IndexedPassages.of(rows)
    for hit in find(query, passages).hits:
        last = 0
        for word in matched_words(rows[hit.number], [hit.asked]):
            assert last <= word.first < word.last
            assert rows[hit.number].text[word.first : word.last] == word.text
            last = word.last


@given(st.text(min_size=1).filter(str.strip))
def test_every_text_with_words_finds_itself(line):
    passages = passages_of([("v0", "speech", line), ("v1", "speech", "something else")])
    quoted = line.replace('"', " ").replace("*", " ")
    if tokenise(quoted):
        hits = find(f'"{quoted}"', passages).hits
        assert hits
        assert hits[0].number == 0


HOSTILE = [
    "word " * 10_000,
    "a AND (b OR NOT c) NEAR/2 d*",
    "(?:a+)+$ [^ \\ .* {1,99999}",
    "\0\0 nul \0",
    "'; DROP TABLE passages; --",
    '"' * 99,
    'said:"' * 50,
    "*" * 1000,
    "\ud800 half",
    "é" * 5000,
    "東" * 5000,
    "a_1-" * 2000,
    "-" * 500 + "x",
]


@pytest.mark.parametrize("query", HOSTILE)
def test_hostile_queries_find_something_or_nothing(query):
    find(query)


@given(st.text(alphabet=st.sampled_from('ab1 "*-:_.,said:writtenname')))
def test_every_query_can_be_parsed(query):
    parsed = parse_query(query)
    for term in (*parsed.terms, *parsed.barred):
        assert term.words
        assert term.field in {None, "said", "written", "named"}
    find(query)
