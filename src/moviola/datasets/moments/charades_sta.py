"""Read Charades-STA: lines of `VIDEO START END##SENTENCE`, times in seconds.

Gao, Sun, Yang and Nevatia, "TALL: Temporal Activity Localization via Language Query", ICCV 2017.
"""

from __future__ import annotations

import re
from pathlib import Path

from moviola.core import DatasetError, display_path
from moviola.core.moment_queries import MomentQuery
from moviola.datasets.annotations.files import read_lines
from moviola.datasets.moments.spans import span_of

LINE = re.compile(r"(\S+) +([0-9.]+) +([0-9.]+) *##(.*)")


def load(path: Path) -> tuple[MomentQuery, ...]:
    """Read the queries of a file; they are called by the number of their line, from 0.

    Where a file tells an end before its start, as a few lines of the official one do, the two
    change places.

    Raises:
        DatasetError: naming the line that is wrong.
    """
    queries: list[MomentQuery] = []
    for number, line in read_lines(path):
        place = f"{display_path(path)}, line {number}"
        found = LINE.fullmatch(line.strip())
        if found is None:
            raise DatasetError(f"{place}: a line is VIDEO START END##SENTENCE, not {line[:60]!r}")
        try:
            times = [float(found[2]), float(found[3])]
        except ValueError:
            raise DatasetError(f"{place}: {found[2]} and {found[3]} are no seconds") from None
        span = span_of(times, place, turn=True)
        queries.append(MomentQuery(str(number - 1), found[4].strip(), found[1], (span,)))
    return tuple(queries)
