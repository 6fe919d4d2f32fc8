"""Text is cut into tokens that know where they stand in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moviola.library.text_index import index_tokens, query_tokens, tokenise


def words(text: str) -> list[str]:
    return [token.text for token in tokenise(text)]


def sought(text: str) -> list[str]:
    return [token.text for token in query_tokens(text)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CAFÉ", "cafe"),
        ("cafe\u0301", "café"),
        ("Straße", "STRASSE"),
        ("İstanbul", "istanbul"),
        ("Łódź", "lodz"),
        ("Ærø", "aero"),
        ("ﬁlm", "film"),
        ("\uff25\uff58\uff49\uff54", "exit"),
        ("\u0401ж", "\u0435ж"),
        ("Ὀδυσσεύς", "ὀδυσσευΣ"),
        ("שָׁלוֹם", "שלום"),
        ("مُحَمَّد", "محمد"),
        ("ex\u00adit", "exit"),
        ("ｶﾞｷﾞ", "ガギ"),
        ("don\u2019t", "dont"),
        ("IMG-2041", "img_2041"),
    ],
)
def test_what_is_written_differently_is_found_alike(one, other):
    assert sought(one) == sought(other)


@pytest.mark.parametrize(("one", "other"), [("हिन्दी", "हन्द"), ("ก้า", "กา"), ("2.0s", "20s")])
def test_what_means_something_else_stays_apart(one, other):
    assert sought(one) != sought(other)


def test_names_with_digits_match_whole():
    assert words("IMG_2041.mov") == ["img_2041", "mov"]
    assert words("PTS = 2.0s") == ["pts", "2_0s"]
    assert words("at 12:30:05, 1,000 people") == ["at", "12_30_05", "1_000", "people"]
    assert "holiday" in words("holiday_paris_2019")
    assert sought("holiday_paris_2019") == ["holiday_paris_2019"]


def test_joined_words_are_their_parts():
    assert [(t.text, t.position) for t in tokenise("a well-known fact")] == [
        ("a", 0),
        ("well", 1),
        ("known", 2),
        ("fact", 3),
    ]


def test_scripts_without_spaces_are_cut_into_characters_and_pairs():
    assert words("東京駅") == ["東", "東京", "京", "京駅", "駅"]
    assert sought("東京駅") == ["東京", "京駅"]
    assert sought("駅") == ["駅"]


def test_symbols_such_as_emoji_are_words():
    assert words("go 🔥!") == ["go", "🔥"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("he said שָׁלוֹם twice", ["he", "said", "שָׁלוֹם", "twice"]),
        ("cafe\u0301 🔥 x", ["cafe\u0301", "🔥", "x"]),
        ("don\u2019t", ["don\u2019t"]),
    ],
)
def test_tokens_know_their_place_in_the_text(text, shown):
    assert set(shown) <= {text[token.start : token.end] for token in tokenise(text)}


@given(st.text())
def test_every_text_has_tokens_in_order_within_it(text):
    last = 0
    for token in tokenise(text):
        assert 0 <= token.start < token.end <= len(text)
        assert token.position >= last
        assert token.text
        last = token.position


@given(st.text(alphabet=st.sampled_from("aZ09 -_'.,:é東\u0301*\"\0")))
def test_the_fast_way_cuts_as_the_slow_way_does(text):
    assert index_tokens(text) == [(token.text, token.position) for token in tokenise(text)]


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_the_fast_way_cuts_ascii_as_the_slow_way_does(text):
    assert index_tokens(text) == [(token.text, token.position) for token in tokenise(text)]


def test_half_of_a_surrogate_pair_is_no_word():
    assert words("a\ud800b") == ["a", "b"]
