"""Damage is found, and nothing crashes on it."""

from __future__ import annotations

import random
import shutil
from contextlib import suppress

import numpy as np
import pytest

from fixtures.shelf import search_vector
from moviola.core import MoviolaError, StoreCorruptError
from moviola.library import Library, writer_lock
from moviola.library.storage import schema
from moviola.library.storage.card import CARD_NAME
from moviola.library.storage.rescuing import Rescue, rescue
from moviola.library.storage.seals import SEALS_NAME, table_files
from moviola.library.storage.tables import Tables


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
    tables = library._reader.tables
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


def test_a_damaged_video_is_shown_to_nobody_and_no_writer_touches_it(stocked):
    file = data_file(stocked.library, "clips")
    whole = bytearray(file.read_bytes())
    whole[whole.index(vector_bytes(stocked.library)[0])] ^= 4
    file.write_bytes(whole)
    library = Library.open(stocked.library.path)
    (problem,) = library.verify()
    assert problem.video not in {record.id for record in library.snapshot().records}
    assert len(library.snapshot().records) == 11
    assert library.damage == (problem,)
    assert problem.path is not None
    assert problem.path.suffix == ".mp4"
    with pytest.raises(StoreCorruptError, match="moviola repair"):
        library.writer().__enter__()


def rescued(shelf) -> Rescue:
    with writer_lock(shelf.library.path):
        found = rescue(shelf.library.path)
    shelf.library = Library.open(shelf.library.path)
    assert shelf.library.verify(deep=True) == []
    return found


def test_a_rescued_library_holds_what_was_sound_and_the_rest_is_encoded_again(stocked):
    reference = sorted(vector_bytes(stocked.library))
    file = data_file(stocked.library, "clips")
    whole = bytearray(file.read_bytes())
    place = whole.index(reference[0])
    whole[place : place + 2] = b"\1\2"
    file.write_bytes(whole)
    found = rescued(stocked)
    assert found.is_rebuilt
    (redo,) = found.redo
    assert [video.id for video in stocked.index().decode] == [redo.video]
    assert stocked.library.verify(deep=True) == []
    assert sorted(vector_bytes(stocked.library)) == reference


def test_a_single_flipped_bit_of_any_file_is_put_back(stocked):
    folder = stocked.library.path
    rng = random.Random(3)  # noqa: S311 (no secret)
    for name in sorted(table_files(folder)):
        whole = (folder / name).read_bytes()
        spoilt = bytearray(whole)
        spoilt[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        (folder / name).write_bytes(spoilt)
    assert stocked.library.verify() != []
    assert rescued(stocked) == Rescue()
    assert stocked.index().decode == ()


@pytest.mark.parametrize("kind", ["cut", "zeros", "lost"])
def test_whatever_file_is_lost_the_library_is_made_whole(stocked, kind, tmp_path):
    reference = {record.id for record in stocked.library.videos()}
    vectors = sorted(vector_bytes(stocked.library))
    shutil.copytree(stocked.library.path, tmp_path / "before")
    names = [*table_files(stocked.library.path), SEALS_NAME, CARD_NAME]
    for name in sorted(names):
        path = stocked.library.path / name
        held = path.read_bytes()
        if kind == "lost":
            path.unlink()
        else:
            path.write_bytes(held[: len(held) // 2] + bytes(kind == "zeros") * (len(held) // 2))
        rescued(stocked)
        stocked.index()
        assert stocked.library.verify(deep=True) == [], name
        assert {record.id for record in stocked.library.videos()} == reference, name
        assert sorted(vector_bytes(stocked.library)) == vectors, name
        shutil.rmtree(stocked.library.path)
        shutil.copytree(tmp_path / "before", stocked.library.path)
        stocked.library = Library.open(stocked.library.path)


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
    tables = Tables.open(stocked.library.path)
    tables.prepare_to_write()
    rows = tables.read(tables.clips)
    tables.clips.add(rows.slice(0, 1))
    tables.seal()
    (problem,) = stocked.library.verify(deep=True)
    assert "is stored 2 times" in problem.what
    tables.delete(tables.clips, "id", rows.column("id").to_pylist()[:1])
    tables.seal()
    (problem,) = stocked.library.verify(deep=True)
    assert "has 1 clips, its record promises 2" in problem.what
