"""Index timed text for search by words: derived from the table of passages, and deletable."""

from moviola.library.text_index.files import SegmentFiles, passage_keys
from moviola.library.text_index.folding import fold
from moviola.library.text_index.index import (
    TYPO_WEIGHT,
    Occurrences,
    SoughtWord,
    TextIndex,
    add_up,
)
from moviola.library.text_index.passages import IndexedPassages
from moviola.library.text_index.segment import Segment
from moviola.library.text_index.tokens import Token, index_tokens, is_gram, query_tokens, tokenise
from moviola.library.text_index.typos import LEAST_LETTERS, is_one_typo

__all__ = [
    "LEAST_LETTERS",
    "TYPO_WEIGHT",
    "IndexedPassages",
    "Occurrences",
    "Segment",
    "SegmentFiles",
    "SoughtWord",
    "TextIndex",
    "Token",
    "add_up",
    "fold",
    "index_tokens",
    "is_gram",
    "is_one_typo",
    "passage_keys",
    "query_tokens",
    "tokenise",
]
