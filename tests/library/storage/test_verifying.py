"""Damage is found, and nothing crashes on it."""

from __future__ import annotations

import random
from contextlib import suppress

import numpy as np
import pytest

from fixtures.shelf import search_vector
from moviola.core import MoviolaError
from moviola.library import Library
from moviola.library.storage import schema


@pytest.fixture
def stocked(shelf):
    for number in range(12):
        shelf.put(f"{number}.mp4")
    shelf.index()
    assert shelf.library.verify() == []
    return shelf


def data_file(library: Library, table: str):
    (found,) = (library.path / f"{table}.lance" / "data").iterdir()
    return found


def vector_bytes(library: Library) -> list[bytes]:
    tables = library._open_tables()
    return [row.tobytes() for row in schema.vectors_of(tables.read(tables.clips))]


def test_every_flipped_bit_of_a_vector_is_found(stocked):
    file = data_file(stocked.library, "clips")
    whole = file.read_bytes()
    rng = random.Random(1)  # noqa: S311 (no secret)
    for vector in rng.sample(vector_bytes(stocked.library), 12):
        place = whole.index(vector) + rng.randrange(len(vector))
        spoilt = bytearray(whole)
        spoilt[place] ^= 1 << rng.randrange(8)
        file.write_bytes(spoilt)
        problems = Library.open(stocked.library.path).verify()
        assert len(problems) == 1
        assert "is damaged" in problems[0].what
        assert problems[0].video in {record.id for record in stocked.library.videos()}
    file.write_bytes(whole)
    assert Library.open(stocked.library.path).verify() == []


@pytest.mark.parametrize("table", ["clips", "videos"])
def test_flipped_bits_anywhere_are_found_or_harmless(stocked, table):
    """A flip is reported, or everything reads exactly as before; nothing ever crashes."""
    file = data_file(stocked.library, table)
    whole = file.read_bytes()
    rng = random.Random(2)  # noqa: S311 (no secret)
    sound = (stocked.library.videos(), vector_bytes(stocked.library))
    found = 0
    for _ in range(60):
        spoilt = bytearray(whole)
        spoilt[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        file.write_bytes(spoilt)
        library = Library.open(stocked.library.path)
        if library.verify():
            found += 1
        else:
            assert (library.videos(), vector_bytes(library)) == sound
        with suppress(MoviolaError):
            search_vector(library, np.eye(1, 16), library.card.space, library.card.text_readout)
    assert found > 10


def test_a_damaged_video_is_repaired_by_forgetting_and_indexing(stocked):
    file = data_file(stocked.library, "clips")
    whole = bytearray(file.read_bytes())
    whole[whole.index(vector_bytes(stocked.library)[0])] ^= 4
    file.write_bytes(whole)
    library = Library.open(stocked.library.path)
    (problem,) = library.verify()
    with library.writer() as writer:
        writer.remove([problem.video])
    assert [video.id for video in stocked.index().decode] == [problem.video]
    assert library.verify() == []


@pytest.mark.parametrize("table", ["clips", "videos"])
@pytest.mark.parametrize("part", ["data", "_versions", ""])
def test_missing_files_are_told(stocked, table, part):
    for file in sorted((stocked.library.path / f"{table}.lance" / part).rglob("*"), reverse=True):
        if file.is_file():
            file.unlink()
    library = Library.open(stocked.library.path)
    problems = library.verify()
    assert len(problems) == 1
    assert str(stocked.library.path) in problems[0].what
    query = np.eye(1, 16), library.card.space, library.card.text_readout
    for use in (lambda: search_vector(library, *query), lambda: library.writer().__enter__()):
        with pytest.raises(MoviolaError) as told:
            use()
        assert told.value.exit_code == 6


def test_lost_and_doubled_clips_are_found(stocked):
    tables = stocked.library._open_tables()
    rows = tables.read(tables.clips)
    tables.clips.add(rows.slice(0, 1))
    whats = [problem.what for problem in stocked.library.verify()]
    assert any("is stored 2 times" in what for what in whats)
    tables.delete(tables.clips, "id", rows.column("id").to_pylist()[:1])
    (problem,) = stocked.library.verify()
    assert "has 1 clips, its record promises 2" in problem.what
