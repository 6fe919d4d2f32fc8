"""Parse typed queries into a sentence, terms of single channels, and what is not wanted."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from moviola.library.text_index import SoughtWord, query_tokens

#: The channels of passages that a word before a colon stands for; others go by their own names.
GROUPS: dict[str, frozenset[str]] = {
    "said": frozenset({"subtitles", "speech"}),
    "written": frozenset({"writing"}),
    "named": frozenset({"names"}),
}
#: The pictures, where channels are chosen.
SEEN = "seen"
_ALIASES = {"name": "named"}

# A hyphen after white space or at the start, before a letter or a quote: neither "x-ray" nor "-5".
# A quote behind a colon that is not closed yet reaches to the end.
_PIECE = re.compile(
    r"(?P<minus>(?<!\S)-)?(?:(?<![^\s-])(?P<field>[^\W\d_][\w-]*):(?=\S))?"
    r'(?:"(?P<phrase>[^"]*)"(?P<star>\*)?|(?P<open>(?<=:)"[^"]*$)|(?P<word>[^\s"]+))'
)
_LEAST_PREFIX = 2
# Words that joined a sentence to a term that was taken out of it.
_JOINT = r"\b(?:and|while|when|with|as|where)\b"
_JOINTS = re.compile(rf"^(?:{_JOINT}\s*)+|(?:\s*{_JOINT})+$", re.IGNORECASE)
# A clause that quotes: what stands or is said there is for texts to find, not for pictures.
_QUOTING = re.compile(
    r"[,;]?\s+(?:while|and|where|when|as)\s+(?:(?:the|a|an)\s+)?"
    r"(?:sign|text|screen|caption|subtitle|title|banner|board|poster|label|someone|somebody|he|she"
    r"|they|voice)\s+(?:says?|reads?|said|saying|reading)\s+\S.*$",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Term:
    """Words that passages of text are asked for.

    Attributes:
        text: as it was typed.
        words: beside each other, in order.
        field: a key of `GROUPS` or the name of a channel; None for every one.
        is_required: whether a moment without it is none that was asked for.
    """

    text: str
    words: tuple[SoughtWord, ...]
    field: str | None = None
    is_required: bool = True


@dataclass(frozen=True, slots=True)
class ParsedQuery:
    """Hold the parts of a typed query.

    Attributes:
        text: the sentence, without signs of this language.
        unwanted: what should be neither seen nor read.
        terms: words with quotes, a channel or an open end.
        barred: words of single channels that are not wanted.
    """

    text: str
    unwanted: tuple[str, ...] = ()
    terms: tuple[Term, ...] = ()
    barred: tuple[Term, ...] = ()


def parse_query(words: str, channels: Collection[str] = ()) -> ParsedQuery:
    """Parse a typed query: `a street "exit sign" written:EXIT exi* -car -"red bus"`.

    Args:
        words: as they were typed.
        channels: names of further channels that may stand before a colon.
    """
    fields = {*GROUPS, *_ALIASES, *channels, *(name for group in GROUPS.values() for name in group)}
    sentence: list[str] = []
    unwanted: list[str] = []
    terms: list[Term] = []
    barred: list[Term] = []
    for found in _PIECE.finditer(words):
        piece = _Piece.of(found, fields)
        term = _term(piece)
        if piece.is_unwanted and piece.field is None:
            unwanted.extend([piece.value.strip()] if piece.value.strip() else [])
        elif piece.is_unwanted:
            barred.extend([term] if term.words else [])
        else:
            if piece.field is None:
                sentence.append(term.text)
            if term.words and (term.is_required or term.words[-1].is_prefix):
                terms.append(term)
    text = " ".join(" ".join(sentence).split())
    if any(term.field for term in terms):
        text = _JOINTS.sub("", text)
    return ParsedQuery(text, tuple(unwanted), tuple(terms), tuple(barred))


def without_quotation(text: str) -> str:
    """Leave out of a sentence the clause that quotes: `a red disc while the sign says EXIT`."""
    return _QUOTING.sub("", text)


def group_of(channel: str) -> str:
    """Return the key of `GROUPS` that a channel belongs to, its own name where there is none."""
    return next((key for key, names in GROUPS.items() if channel in names), channel)


def check_channels(names: Collection[str], known: Collection[str] = ()) -> frozenset[str]:
    """Check the names of where to look.

    Raises:
        ValueError: when one is unknown, or there is none.
    """
    asked = frozenset(_ALIASES.get(name.lower(), name.lower()) for name in names)
    members = (name for group in GROUPS.values() for name in group)
    unknown = asked.difference((SEEN, *GROUPS, *members, *known))
    if unknown or not asked:
        raise ValueError(
            f"there is nothing to look in by the name of {', '.join(sorted(unknown)) or 'nothing'};"
            f" name some of {', '.join((SEEN, *GROUPS, *sorted(known)))}"
        )
    return asked


def split_unwanted(words: str) -> tuple[str, tuple[str, ...]]:
    """Split a typed query into its sentence and what is not wanted: `a street -car -"red bus"`."""
    parsed = parse_query(words)
    return parsed.text, parsed.unwanted


def phrase_words(text: str, *, is_prefix: bool = False) -> tuple[SoughtWord, ...]:
    """Cut text into words that are looked for beside each other; the last may be a beginning."""
    tokens = query_tokens(text)
    return tuple(
        SoughtWord(
            token.text,
            token.position - tokens[0].position,
            is_prefix and token is tokens[-1],
            not (token.has_digit or token.is_gram),
        )
        for token in tokens
    )


@dataclass(frozen=True, slots=True)
class _Piece:
    """A word or phrase of a typed query, and the signs before and behind it."""

    value: str
    field: str | None
    is_phrase: bool
    is_unwanted: bool
    is_open: bool

    @classmethod
    def of(cls, found: re.Match[str], fields: Collection[str]) -> _Piece:
        """Read a match of `_PIECE`."""
        phrase, name = found["phrase"], (found["field"] or "").lower()
        if found["open"] is not None:
            phrase = found["open"][1:]
        field = _ALIASES.get(name, name) if name in fields else None
        value = found["word"] if phrase is None else phrase
        if found["field"] and field is None:
            value = f"{found['field']}:{value}"
        unwanted = bool(found["minus"]) and (
            phrase is not None or field is not None or value[:1].isalpha()
        )
        if found["minus"] and not unwanted:
            value = f"-{value}"
        bare = value.rstrip("*")
        is_open = bool(found["star"])
        if phrase is None and bare != value and sum(map(str.isalnum, bare)) >= _LEAST_PREFIX:
            value, is_open = bare, True
        return cls(value, field, phrase is not None, unwanted, is_open)


def _term(piece: _Piece) -> Term:
    """Make a term of a piece; it is required where it stands in quotes or names a channel."""
    return Term(
        piece.value,
        phrase_words(piece.value, is_prefix=piece.is_open),
        piece.field,
        is_required=piece.is_phrase or piece.field is not None,
    )
