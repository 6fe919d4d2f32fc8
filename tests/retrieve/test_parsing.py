"""Typed queries have a language of few signs."""

from __future__ import annotations

import pytest

from moviola.retrieve.parsing import check_channels, group_of, parse_query
from moviola.retrieve.query import Query


def shown(words, channels=()):
    parsed = parse_query(words, channels)
    terms = [
        (term.field, term.text, term.is_required, term.words[-1].is_prefix) for term in parsed.terms
    ]
    return parsed.text, terms


@pytest.mark.parametrize(
    ("words", "text", "terms"),
    [
        ("a red circle", "a red circle", []),
        ('a "red circle" moves', "a red circle moves", [(None, "red circle", True, False)]),
        ("written:EXIT", "", [("written", "EXIT", True, False)]),
        ('WRITTEN:"no exit"', "", [("written", "no exit", True, False)]),
        ('said:"still typing', "", [("said", "still typing", True, False)]),
        ("name:IMG_2041", "", [("named", "IMG_2041", True, False)]),
        ("exi*", "exi", [(None, "exi", False, True)]),
        ("name:IMG*", "", [("named", "IMG", True, True)]),
        ('"exit si"*', "exit si", [(None, "exit si", True, True)]),
        ("x*", "x*", []),
        ("what she said: hello", "what she said: hello", []),
        ("at 12:30 http://x", "at 12:30 http://x", []),
        ("notes:entropy", "notes:entropy", []),
        ("said:!?", "", []),
        (
            "the moment a red circle moves while written:EXIT",
            "the moment a red circle moves",
            [("written", "EXIT", True, False)],
        ),
        ("written:EXIT and a dog", "a dog", [("written", "EXIT", True, False)]),
    ],
)
def test_signs_make_terms(words, text, terms):
    assert shown(words) == (text, terms)


def test_channels_of_a_library_can_be_named():
    assert shown("notes:entropy", ["notes"]) == ("", [("notes", "entropy", True, False)])


def test_what_is_not_wanted_is_apart():
    parsed = parse_query('a street -car -"red bus" -written:stop -5 x-ray')
    assert parsed.text == "a street -5 x-ray"
    assert parsed.unwanted == ("car", "red bus")
    assert [(term.field, term.text) for term in parsed.barred] == [("written", "stop")]


def test_channels_belong_to_groups():
    assert [group_of(name) for name in ("speech", "subtitles", "writing", "names", "notes")] == [
        "said",
        "said",
        "written",
        "named",
        "notes",
    ]


def test_where_to_look_is_checked():
    assert check_channels(["Seen", "name", "notes"], ["notes"]) == {"seen", "named", "notes"}
    with pytest.raises(ValueError, match="by the name of notes; name some of seen, said"):
        check_channels(["notes"])
    with pytest.raises(ValueError, match="nothing to look in"):
        check_channels([])


@pytest.mark.parametrize(
    ("words", "seen"),
    [
        ("a red disc while the sign says EXIT", "a red disc"),
        ("a dog runs, and someone says come here", "a dog runs"),
        ("a sign that says stop", "a sign that says stop"),
        ("a man reads a book", "a man reads a book"),
        ("the sign says EXIT", "the sign says EXIT"),
    ],
)
def test_pictures_are_not_asked_what_a_clause_quotes(words, seen):
    assert Query.parse(words).texts == (seen,)
    assert Query.parse(words).text == words
    assert Query.parse(words, channels=["seen"]).texts == (words,)
