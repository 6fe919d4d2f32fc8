"""Ask a generated world for what is seen, said, written, named and for two of these together.

Videos of the shapes world are written with signs, subtitles and names, indexed by the shipped
encoder with the channel `writing` beside `subtitles` and `names`, and each query is asked of every
channel alone and of all together. A query counts where the first hit is of the right video (R@1),
and where its span overlaps the right one by half as well (moment R1@IoU 0.5).

Run: python benchmarks/five_kinds.py [videos [seed [folder]]]
"""

from __future__ import annotations

import math
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from recording import record

import moviola
from moviola.core import Span
from moviola.core.moments import Moment
from moviola.library import Library
from moviola.synthetic.shapes import TextedQuery, generate_texted

KINDS = ("seen", "said", "written", "named", "mixed")
WAYS: dict[str, tuple[str, ...] | None] = {
    "seen": ("seen",),
    "said": ("said",),
    "written": ("written",),
    "named": ("named",),
    "all": None,
}


def interval(right: int, count: int) -> tuple[float, float]:
    """Return the bounds within which a share lies with 95 % confidence (Wilson, 1927)."""
    z, share = 1.96, right / count
    middle = share + z * z / (2 * count)
    reach = z * math.sqrt(share * (1 - share) / count + (z / (2 * count)) ** 2)
    return (middle - reach) / (1 + z * z / count), (middle + reach) / (1 + z * z / count)


def told(right: int, count: int) -> str:
    """Write a share with its interval."""
    low, high = interval(right, count)
    return f"{right / count:.3f} ({low:.2f}-{high:.2f})"


def is_right(query: TextedQuery, found: Sequence[Moment]) -> tuple[bool, bool]:
    """Tell whether the first hit is of the right video, and of the right span too."""
    if not found or Path(found[0].path).name != query.file:
        return False, False
    if query.window is None:
        return True, True
    span = Span(found[0].start, found[0].end)
    return True, span.iou(Span(*query.window)) >= 0.5


def main() -> None:
    """Make the world, index it, ask, and keep the figures."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 91
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(sys.argv[3] if len(sys.argv) > 3 else temporary)
        _, queries = generate_texted(root, seed=seed, count=count)
        moviola.index(
            root / "videos", library=root / "library", model="shapes", channels=("writing",)
        )
        ask(queries, root / "library", count, seed)


def ask(queries: Sequence[TextedQuery], library: Path, count: int, seed: int) -> None:
    """Ask all queries in all ways, and keep what was right."""
    hits: defaultdict[tuple[str, str], list[tuple[bool, bool]]] = defaultdict(list)
    opened = Library.open(library)
    for query in queries:
        for way, channels in WAYS.items():
            found = moviola.search(query.query, library=opened, top=1, channels=channels)
            hits[query.kind, way].append(is_right(query, found))
    figures = []
    for kind in KINDS:
        asked = len(hits[kind, "all"])
        row: dict[str, object] = {"kind": kind, "queries": asked}
        for way in WAYS:
            row[f"R@1, {way}"] = told(sum(video for video, _ in hits[kind, way]), asked)
        row["moment R1@0.5, all"] = told(sum(span for _, span in hits[kind, "all"]), asked)
        figures.append(row)
    record(
        "five_kinds",
        "Seen, said, written, named: one query asks everything",
        figures,
        f"{count} unseen videos of the generated world, seed {seed}; 95 % intervals. A named query "
        "means all of the video.",
    )


if __name__ == "__main__":
    main()
