"""Read and write TREC runs and qrels, as trec_eval and ir_measures know them.

A run has the lines `query Q0 item rank score tag`, qrels the lines `query 0 item relevance`. White
space inside an id is written as `%20` and the like, and read back as what it was.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote

from moviola.core import DatasetError, Qrels, display_path
from moviola.datasets.annotations.tables import read_text

#: What a field must not hold, and the sign that begins an escape.
_ESCAPED = re.compile(r"[\s%\x00-\x1f\x7f]")


def read_run(path: Path) -> dict[str, dict[str, float]]:
    """Read query id to item id to score. Scores make the order; written ranks are not read.

    Raises:
        DatasetError: naming the line that is not of a run, or that names a pair a second time.
    """
    found: dict[str, dict[str, float]] = {}
    for place, fields in _lines(path, 6, "query Q0 item rank score tag"):
        query, _, item, _, score, _ = fields
        value = _number(place, score)
        scores = found.setdefault(_read_id(query), {})
        if _read_id(item) in scores:
            raise DatasetError(f"{place}: {item!r} comes a second time for {query!r}")
        scores[_read_id(item)] = value
    if not found:
        raise DatasetError(f"{display_path(path)} is an empty run")
    return found


def read_qrels(path: Path) -> Qrels:
    """Read the items of a relevance above 0; queries that have none are left out.

    Raises:
        DatasetError: naming the line that is not of qrels, or when nothing is relevant.
    """
    grades: dict[str, dict[str, float]] = {}
    for place, fields in _lines(path, 4, "query 0 item relevance"):
        query, _, item, grade = fields
        value = _number(place, grade)
        given = grades.setdefault(_read_id(query), {})
        if given.setdefault(_read_id(item), value) != value:
            raise DatasetError(f"{place}: {item!r} has another relevance for {query!r} above")
    relevant = {
        query: frozenset(item for item, grade in given.items() if grade > 0)
        for query, given in grades.items()
    }
    kept = {query: items for query, items in relevant.items() if items}
    if not kept:
        raise DatasetError(f"{display_path(path)}: nothing is relevant to anything")
    return Qrels(kept)


def run_lines(
    ranked: Iterable[tuple[str, Iterable[tuple[str, float]]]], *, tag: str
) -> Iterator[str]:
    """Write the lines of a run, each with its line end.

    Args:
        ranked: query ids, each with its items and their scores, the best first.
        tag: the last field, what made the run.

    Raises:
        ValueError: when an id is empty.
    """
    for query, items in ranked:
        for rank, (item, score) in enumerate(items, start=1):
            yield f"{_write_id(query)} Q0 {_write_id(item)} {rank} {score!r} {_write_id(tag)}\n"


def qrels_lines(qrels: Qrels) -> Iterator[str]:
    """Write the lines of qrels, each with its line end.

    Raises:
        ValueError: when an id is empty.
    """
    for query, items in qrels.relevant.items():
        for item in sorted(items):
            yield f"{_write_id(query)} 0 {_write_id(item)} 1\n"


def _lines(path: Path, count: int, layout: str) -> Iterator[tuple[str, list[str]]]:
    shown = display_path(path)
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        fields = line.split()
        if not fields:
            continue
        place = f"{shown}, line {number}"
        if len(fields) != count:
            raise DatasetError(f"{place}: {len(fields)} fields; a line is `{layout}`")
        yield place, fields


def _number(place: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise DatasetError(f"{place}: {text!r} is no number") from None
    if not math.isfinite(value):
        raise DatasetError(f"{place}: {text!r} is not finite")
    return value


@lru_cache(maxsize=1 << 17)
def _write_id(identity: str) -> str:
    if not identity:
        raise ValueError("an empty id cannot stand in a TREC file")
    return _ESCAPED.sub(lambda found: "".join(f"%{b:02X}" for b in found[0].encode()), identity)


def _read_id(field: str) -> str:
    return unquote(field)
