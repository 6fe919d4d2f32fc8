"""Check the batches that a head would learn from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from moviola.align.data.pairs import PairTable
from moviola.align.data.rows import RaggedRows
from moviola.align.training.batches import Batches, PairedRows, pair_draws

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Counts = NDArray[np.int64]

Severity = Literal["error", "warning"]

#: Share of positives beyond which labels are out of balance.
_BALANCE = (0.4, 0.6)
#: Share of items that copy another one, from which on that is told.
_COPIES = 0.01


@dataclass(frozen=True, slots=True)
class LoaderFinding:
    """Hold one fault in a sentence with the way out."""

    severity: Severity
    sentence: str


@dataclass(frozen=True, slots=True)
class SplitSeen:
    """Hold counts over the batches of one split.

    Attributes:
        batches: how many.
        pairs: how many.
        videos: how many different ones.
        texts: how many different ones.
        positives: share of pairs that belong together.
        text_shape: of the texts of the first batch `(B, L, D)`.
        video_shape: of its videos.
    """

    batches: int
    pairs: int
    videos: int
    texts: int
    positives: float
    text_shape: tuple[int, ...]
    video_shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LoaderCheck:
    """Hold the counts of all splits and the faults found.

    Attributes:
        splits: split to what its batches hold.
        findings: errors first.
    """

    splits: Mapping[str, SplitSeen]
    findings: tuple[LoaderFinding, ...] = field(default=())

    @property
    def is_sound(self) -> bool:
        """Return whether there is no error; warnings may be."""
        return all(finding.severity != "error" for finding in self.findings)

    def to_json(self) -> dict[str, Any]:
        """Convert to JSON values."""
        return {
            "splits": {name: asdict(seen) for name, seen in self.splits.items()},
            "findings": [asdict(finding) for finding in self.findings],
            "sound": self.is_sound,
        }


def check_loader(data: PairedRows, tables: Mapping[str, PairTable], *, batch: int) -> LoaderCheck:
    """Walk all batches of all splits: shapes, labels, numbers, leaks between splits.

    Args:
        data: both sides.
        tables: split to its pairs.
        batch: pairs a batch.
    """
    splits: dict[str, SplitSeen] = {}
    found: list[LoaderFinding] = []
    for name, table in tables.items():
        seen, findings = _walk(name, data, table, batch)
        splits[name] = seen
        found.extend(findings)
    found.extend(_leaks(data, tables))
    found.extend(_sides(data))
    found.sort(key=lambda finding: finding.severity)
    return LoaderCheck(splits, tuple(found))


def _walk(
    name: str, data: PairedRows, table: PairTable, batch: int
) -> tuple[SplitSeen, list[LoaderFinding]]:
    draws = pair_draws(table, batch, np.random.default_rng(0))
    batches = Batches(data, draws)
    shapes: list[tuple[int, ...]] = []
    pairs = positives = broken = wrong = 0
    for place, draw in enumerate(draws):
        tensors = batches[place]
        if not shapes:
            shapes = [tuple(tensors[side].shape) for side in ("texts", "clips")]
        pairs += len(draw.truth)
        positives += int(draw.truth.sum())
        finite = [bool(tensors[side].isfinite().all()) for side in ("texts", "clips")]
        broken += not all(finite)
        wrong += int(((data.owner[draw.texts] == draw.clips) != draw.truth).sum())
    share = positives / pairs
    findings: list[LoaderFinding] = []
    if broken:
        findings.append(
            LoaderFinding("error", f"{name}: {broken} batches hold NaN or infinity; encode again")
        )
    if wrong:
        findings.append(
            LoaderFinding("error", f"{name}: {wrong} labels contradict whose caption is whose")
        )
    if not _BALANCE[0] <= share <= _BALANCE[1]:
        findings.append(
            LoaderFinding(
                "warning",
                f"{name}: {100 * share:.0f} % of the pairs are positive, so that a constant answer "
                f"costs less than at one half; ask for as many negatives as positives",
            )
        )
    videos, texts = (len(np.unique(rows)) for rows in (table.videos, table.texts))
    return SplitSeen(len(draws), pairs, videos, texts, share, shapes[0], shapes[1]), findings


def _leaks(data: PairedRows, tables: Mapping[str, PairTable]) -> Iterator[LoaderFinding]:
    """Find videos and texts that stand in two splits, by row or as equal vectors."""
    names = list(tables)
    for place, first in enumerate(names):
        for second in names[place + 1 :]:
            one, other = tables[first], tables[second]
            for what, rows, others, side in (
                ("videos", one.videos, other.videos, data.clips),
                ("texts", one.texts, other.texts, data.texts),
            ):
                both = np.intersect1d(rows, others)
                if len(both):
                    yield LoaderFinding(
                        "error",
                        f"{len(both)} {what} are in {first} and in {second}, the first of them "
                        f"row {both[0]}; split by video",
                    )
                copies = _keys(side, np.setdiff1d(rows, both)) & _keys(
                    side, np.setdiff1d(others, both)
                )
                if copies:
                    yield LoaderFinding(
                        "warning",
                        f"{len(copies)} {what} of {second} have the very vector of one of {first}; "
                        f"put copies into one split",
                    )


def _sides(data: PairedRows) -> Iterator[LoaderFinding]:
    for what, side in (("texts", data.texts), ("videos", data.clips)):
        different = len(_keys(side, np.arange(len(side))))
        if different == 1 and len(side) > 1:
            yield LoaderFinding(
                "error",
                f"all {what} have one and the same vector: nothing can be learned from them; pool "
                f"another row (a decoder's first token is the same for every text)",
            )
        elif len(side) - different > _COPIES * len(side):
            yield LoaderFinding(
                "warning",
                f"{len(side) - different} of {len(side)} {what} have the vector of an earlier one; "
                f"each is a wrong answer that scores like the right one",
            )


def _keys(side: RaggedRows, items: Iterable[int]) -> set[bytes]:
    return {side.rows[side.offsets[i] : side.offsets[i + 1]].tobytes() for i in items}
