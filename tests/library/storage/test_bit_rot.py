"""Bits that flip anywhere in a library change nothing that is shown, or are reported."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from fixtures.shelf import search_vector, unit_rows
from moviola.core import FileCode, MoviolaError, Passage, Span
from moviola.library import CACHE, ChannelReading, Library
from moviola.library.storage.locking import LOCK_NAME
from moviola.library.storage.state_files import FAVOURITES, write_state
from moviola.pipeline.upkeep.verify import verify
from moviola.retrieve.calibration.library_calibration import LibraryCalibration, Restated
from moviola.serve.favourites import Favourites

QUERIES = [unit_rows(f"query {number}", 1) for number in range(4)]


@pytest.fixture
def busy(shelf):
    """A library with everything in it: commits, deletions, forgotten names, failures, passages."""
    for number in range(10):
        shelf.put(f"{number}.mp4")
    shelf.index(fails=lambda path: FileCode.CORRUPT if path.name == "3.mp4" else None)
    for number in range(10, 14):
        shelf.put(f"{number}.mp4")
    shelf.index()
    shelf.put("5.mp4", "other content")
    shelf.index()
    with shelf.library.writer() as writer:
        for record in shelf.library.snapshot().records:
            passages = tuple(
                Passage(record.id, Span(float(at), at + 1.0), f"words {at} of {record.id}", "said")
                for at in range(3)
            )
            writer.add_readings(record.id, [ChannelReading("said", "1", passages)])
        writer.forget([shelf.folder / "7.mp4"])
    restated = Restated(1.5, -0.25)
    LibraryCalibration(restated, restated, None, {"pairs": 50}).write(shelf.library.path)
    write_state(shelf.library.path / FAVOURITES, [])
    return shelf


def shown(folder: Path) -> str:
    """Everything that anybody is shown of a library, as text."""
    library = Library.open(folder)
    found = [
        moment
        for query in QUERIES
        for moment in search_vector(
            library, query, library.card.space, library.card.text_readout, top=30
        )
    ]
    parts = [
        library.videos(),
        found,
        library.passages(),
        library.embeddings().items,
        LibraryCalibration.read(folder),
        Favourites(folder).all(),
        (library.card.model, library.card.segment, library.card.codecs, library.card.calibration),
    ]
    if library.damage:
        raise Reported(library.damage)
    return repr(parts)


class Reported(Exception):  # noqa: N818
    """Something was left out, and said."""


def flips(folder: Path, number: int, seed: int):
    """Choose bits over all files: as many in small files as in large ones."""
    rng = random.Random(seed)  # noqa: S311 (no secret)
    files = sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and path.stat().st_size and path.name != LOCK_NAME
    )
    for place in range(number):
        path = files[place % len(files)]
        yield path, rng.randrange(path.stat().st_size), 1 << rng.randrange(8)


def check_flips(folder: Path, number: int, seed: int) -> dict[str, int]:
    """Flip bits one after another; count what came of them."""
    reference = shown(folder)
    assert verify(folder, deep=True).ok
    counts = {"reported": 0, "nothing changed": 0, "found by verify": 0}
    for path, at, bit in flips(folder, number, seed):
        whole = path.read_bytes()
        stamps = path.stat()
        spoilt = bytearray(whole)
        spoilt[at] ^= bit
        path.write_bytes(spoilt)
        os.utime(path, ns=(stamps.st_atime_ns, stamps.st_mtime_ns))
        where = f"{path.relative_to(folder)} byte {at} bit {bit} seed {seed}"
        try:
            found = shown(folder)
            assert found == reference, where
            counts["nothing changed"] += 1
        except (MoviolaError, Reported):
            counts["reported"] += 1
        found = verify(folder)
        is_kept = folder / CACHE in path.parents or path.name == "latest_version_hint.json"
        assert is_kept or not found.ok, where  # what is made again may have bytes without a meaning
        counts["found by verify"] += not found.ok
        path.write_bytes(whole)
    assert shown(folder) == reference
    return counts


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_six_hundred_flipped_bits_change_nothing_or_are_reported(busy, keep_result):
    seed = int(os.environ.get("MOVIOLA_SEED", "0")) or random.SystemRandom().randrange(1 << 31)
    counts = check_flips(busy.library.path, 600, seed)
    assert counts["reported"] + counts["nothing changed"] == 600
    rows = [
        ("flips over every file of a library", "≥ 500", 600),
        ("changed nothing that is shown", "", counts["nothing changed"]),
        ("reported by whoever read it", "", counts["reported"]),
        ("silently different", "0", 600 - counts["nothing changed"] - counts["reported"]),
        ("found by `moviola verify`", "all but hints and caches", counts["found by verify"]),
    ]
    keep_result(
        "flipped-bits",
        "Flipped bits",
        [{"what": what, "bar": bar, "measured": measured} for what, bar, measured in rows],
        f"Seed {seed}. Files in turn, small ones as often as large ones: tables, manifests, lists "
        "of deleted rows, transactions, checksums, card, calibration, favourites, text index. "
        "Shown are all videos, moments of four queries, passages, calibration and favourites.",
    )


def test_forty_flipped_bits_change_nothing_or_are_reported(busy):
    counts = check_flips(busy.library.path, 40, seed=11)
    assert counts["reported"] >= 10
