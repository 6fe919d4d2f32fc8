"""Cut text into the tokens that words are found by."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from moviola.library.text_index.folding import fold

#: Characters of a token, at most; what is longer is compared by its beginning.
LONGEST_TOKEN = 64

# Scripts that put no spaces between words, or whose words carry endings: found by n-grams.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]"
)
# Kinds of characters: w letter, d digit, n of an unspaced script, j joins parts, p stands inside
# of numbers, a apostrophe, s symbol such as an emoji, space for all others.
_RUNS = re.compile(r"(?P<run>[wd]+(?:(?:(?<=d)p(?=d)|j|(?<=w)a(?=w))[wd]+)*)|(?P<chars>n+)|s")
# Of ASCII text: words, and what may join two of them to one.
_PLAIN = re.compile(r"[a-z0-9]+")
_COMPOUND = re.compile(r"[A-Za-z0-9][-_'.,:][A-Za-z0-9]")
_SIGNS = {"-": "j", "_": "j", ".": "p", ",": "p", ":": "p", "'": "a", "\u2019": "a", "\u02bc": "a"}
_LONGEST_CODE = 3  # letters before a number, such as IMG_2041; in capitals one more


@dataclass(frozen=True, slots=True)
class Token:
    """A token of a text.

    Attributes:
        text: folded.
        position: its place among the words of the text; tokens of one word may share it.
        start: where it begins in the text, in characters.
        end: where it ends.
        sought: whether a query that holds it looks for it; the others are there to be found.
    """

    text: str
    position: int
    start: int
    end: int
    sought: bool = True

    @property
    def is_gram(self) -> bool:
        """Tell whether it is a piece of a script without spaces."""
        return is_gram(self.text)

    @property
    def has_digit(self) -> bool:
        """Tell whether a digit is in it: such names and numbers only match whole."""
        return any(map(str.isdigit, self.text))


def tokenise(text: str) -> list[Token]:
    """Cut `text` into tokens, by position.

    Words with digits that are joined, such as IMG_2041, 2024-05-01 and 2.0, are one token;
    of longer ones the words are tokens as well (`holiday_2019` is found by `holiday`), but not
    the letters of a code. Words joined without digits are their parts. Scripts without spaces
    give every character and every pair.
    """
    source = _Source.of(text)
    kinds = source.kinds
    found: list[Token] = []
    position = 0
    for match in _RUNS.finditer(kinds):
        begin, end = match.span()
        if match["run"]:
            new = list(_word_tokens(source, begin, end, position))
            position += 1 + sum(kind in "ja" for kind in kinds[begin:end])
        else:
            new = list(_gram_tokens(source, begin, end, position))
            position += end - begin
        found += new
    return found


def index_tokens(text: str) -> list[tuple[str, int]]:
    """Cut `text` into the words and positions of its tokens, as `tokenise` does, but faster."""
    if text.isascii() and not _COMPOUND.search(text):
        words = _PLAIN.findall(text.lower())
        return [(word[:LONGEST_TOKEN], position) for position, word in enumerate(words)]
    return [(token.text, token.position) for token in tokenise(text)]


def query_tokens(text: str) -> list[Token]:
    """Cut what is asked for into the tokens to look for, by position."""
    return [token for token in tokenise(unicodedata.normalize("NFC", text)) if token.sought]


def is_gram(word: str) -> bool:
    """Tell whether a token is a piece of a script without spaces."""
    return _UNSPACED.match(word) is not None


def _word_tokens(source: _Source, begin: int, end: int, position: int) -> Iterator[Token]:
    """Yield the tokens of a run of letters and digits."""
    text, folded, kinds = source.text, source.folded, source.kinds
    joints = [at for at in range(begin, end) if kinds[at] in "ja"]
    edges = [(first + 1, last) for first, last in pairwise([begin - 1, *joints, end])]
    parts = [
        Token(_written(folded[a:b], kinds[a:b]), position + number, *source.place(a, b))
        for number, (a, b) in enumerate(edges)
    ]
    is_whole = "d" in kinds[begin:end] or any(kinds[at] == "a" for at in joints)
    if not joints or not is_whole:
        yield from parts
        return
    start, stop = parts[0].start, parts[-1].end
    yield Token(_written(folded[begin:end], kinds[begin:end]), position, start, stop)
    shown = [
        part for part, edge in zip(parts, edges, strict=True) if "d" not in kinds[slice(*edge)]
    ]
    codes = {part.position for part in shown if _is_code(text[part.start : part.end])}
    if "d" in kinds[begin:end] and codes and len(parts) == len(codes) + 1:
        return
    for part in parts:
        if "d" not in kinds[begin:end] or part.position not in codes:
            yield Token(part.text, part.position, part.start, part.end, sought=False)


def _is_code(letters: str) -> bool:
    """Tell whether letters beside a number are a code, such as the IMG of IMG_2041."""
    return len(letters) <= _LONGEST_CODE + letters.isupper()


def _written(folded: str, kinds: str) -> str:
    """Write a word as it is compared: apostrophes go, all joints are alike."""
    if "j" in kinds or "p" in kinds or "a" in kinds:
        pairs = zip(folded, kinds, strict=True)
        folded = "".join("_" if kind in "jp" else char for char, kind in pairs if kind != "a")
    return folded[:LONGEST_TOKEN]


def _gram_tokens(source: _Source, begin: int, end: int, position: int) -> Iterator[Token]:
    """Yield every character of a run and every pair; a query looks for pairs where it has any."""
    alone = end - begin == 1
    for at in range(begin, end):
        start, stop = source.place(at, at + 1)
        yield Token(source.folded[at], position + at - begin, start, stop, sought=alone)
        if at + 1 < end:
            stop = source.place(at, at + 2)[1]
            yield Token(source.folded[at : at + 2], position + at - begin, start, stop)


@dataclass(frozen=True, slots=True)
class _Source:
    """A text, what it was folded to, and the kinds and places of the folded characters."""

    text: str
    folded: str
    kinds: str
    places: list[int]

    @classmethod
    def of(cls, text: str) -> _Source:
        """Fold a text."""
        folded, places = fold(text)
        return cls(text, folded, folded.translate(_KINDS), places)

    def place(self, begin: int, end: int) -> tuple[int, int]:
        """Find where folded characters stand in the text, the marks on the last one included."""
        stop = self.places[end - 1] + 1
        while stop < len(self.text) and unicodedata.combining(self.text[stop]):
            stop += 1
        return self.places[begin], stop


class _Kinds(dict[int, str]):
    """Map code points to the kinds of their characters, each when it is first met."""

    def __missing__(self, point: int) -> str:
        kind = self[point] = _kind(chr(point))
        return kind


def _kind(char: str) -> str:
    """Tell the kind of a folded character."""
    category = unicodedata.category(char)
    if char in _SIGNS:
        return _SIGNS[char]
    if _UNSPACED.match(char):
        return "n"
    if category[0] == "N" and char.isdigit():
        return "d"
    return "s" if category == "So" else "w" if category[0] in "LMN" else " "


_KINDS = _Kinds()
