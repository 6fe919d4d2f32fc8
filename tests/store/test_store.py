from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file

from moviola.core import (
    Clip,
    Embeddings,
    LibraryLockedError,
    Readout,
    Space,
    SpaceMismatchError,
    Span,
    StorageError,
    StoreCorruptError,
    Text,
)
from moviola.store import StoreWriter, is_store, open_clips, open_embeddings, open_texts, verify
from moviola.store.parts import Part, gather_shards, item_pieces
from moviola.store.shards import map_rows

SPACE = Space("tiny", "1", "abc", 4)
READOUT = Readout("resize", pooling="none")


def clip(number, path=None):
    return Clip(f"clip{number}", path or Path(f"/videos/{number}.mp4"), Span(number, number + 1.5))


def rows(number, count=3, dtype=np.float32):
    return np.random.default_rng(number).standard_normal((count, 4)).astype(dtype)


def writer(folder, **options):
    chosen = {"kind": "clips", "space": SPACE, "readout": READOUT, "dtype": "float32"} | options
    return StoreWriter(folder, **chosen)


def write(folder, count=10, **options):
    with writer(folder, **options) as store:
        for number in range(count):
            store.append(clip(number), rows(number, 1 + number % 4))
    return folder


def test_what_goes_in_comes_out(tmp_path):
    odd = Path(os.fsdecode(b"/videos/\xff\n-x.mp4"))
    with writer(tmp_path / "s") as store:
        store.append(clip(0, odd), rows(0, 1))
        store.append(clip(1), rows(1, 5))
    found = open_clips(tmp_path / "s")
    assert list(found.items) == [clip(0, odd), clip(1)]
    assert (found.space, found.readout) == (SPACE, READOUT)
    assert found.offsets.tolist() == [0, 1, 6]
    np.testing.assert_array_equal(found.rows(1), rows(1, 5))
    assert not list(tmp_path.glob("*.partial"))


def test_texts_keep_their_words(tmp_path):
    texts = [Text("a", "ein Bär läuft"), Text("b", ""), Text("c", "x" * 10_000)]
    with writer(tmp_path / "s", kind="texts", dtype="float16") as store:
        for text in texts:
            store.append(text, rows(1))
    found = open_texts(tmp_path / "s")
    assert list(found.items) == texts
    assert found.vectors.dtype == np.float16
    np.testing.assert_array_equal(found.rows(2), rows(1).astype(np.float16))


@settings(max_examples=25)
@given(
    order=st.permutations(range(7)),
    flushed=st.sets(st.integers(0, 6)),
    shard_rows=st.integers(1, 12),
)
def test_a_store_can_be_finished_in_another_order(tmp_path_factory, order, flushed, shard_rows):
    folder = tmp_path_factory.mktemp("s") / "store"
    store = writer(folder, shard_bytes=shard_rows * 16)
    for number in order:
        store.append(clip(number), rows(number, 1 + number % 3))
        if number in flushed:
            store.flush()
    store.finish(lambda item: item.span.start)
    found = open_clips(folder)
    assert list(found.items) == [clip(number) for number in range(7)]
    for number in range(7):
        np.testing.assert_array_equal(found.rows(number), rows(number, 1 + number % 3))
    assert all(len(shard) <= max(shard_rows, 3) for shard in found.shards)


@settings(max_examples=25)
@given(
    counts=st.lists(st.integers(1, 9), max_size=20),
    flushes=st.sets(st.integers(0, 19)),
    shard_rows=st.integers(1, 12),
    part_rows=st.integers(1, 12),
)
def test_any_cut_into_parts_and_shards_gives_the_same(
    tmp_path_factory, counts, flushes, shard_rows, part_rows
):
    folder = tmp_path_factory.mktemp("cut") / "store"
    with writer(folder, shard_bytes=shard_rows * 16, part_bytes=part_rows * 16) as store:
        for number, count in enumerate(counts):
            store.append(clip(number), rows(number, count))
            if number in flushes:
                store.flush()
    found = open_clips(folder)
    verify(folder)
    assert [len(found.rows(i)) for i in range(len(found))] == counts
    for number, count in enumerate(counts):
        np.testing.assert_array_equal(found.rows(number), rows(number, count))
    assert all(len(shard) <= max(shard_rows, *counts) for shard in found.shards)


@given(
    parts=st.lists(st.lists(st.integers(1, 7), min_size=1, max_size=6), max_size=6),
    limit=st.integers(1, 10),
)
def test_shards_hold_whole_items_in_order(parts, limit):
    made = [Part([clip(0)] * len(counts), counts, Path(str(n))) for n, counts in enumerate(parts)]
    shards = gather_shards(item_pieces(made), limit)
    flat = [(int(str(p)), s.start, s.stop) for shard in shards for p, s in shard]
    expected = [(n, row) for n, counts in enumerate(parts) for row in range(sum(counts))]
    assert [(n, row) for n, first, last in flat for row in range(first, last)] == expected
    edges = {n: {0, *np.cumsum(counts).tolist()} for n, counts in enumerate(parts)}
    assert all({first, last} <= edges[n] for n, first, last in flat)
    for shard in shards:
        total = sum(s.stop - s.start for _, s in shard)
        assert total <= limit or total in {count for counts in parts for count in counts}


def test_an_empty_store_is_a_store(tmp_path):
    found = open_embeddings(write(tmp_path / "s", 0))
    assert (len(found), len(found.shards)) == (0, 0)
    verify(tmp_path / "s")


def test_the_same_content_is_the_same_bytes(tmp_path):
    one, two = write(tmp_path / "one"), write(tmp_path / "two", part_bytes=16)
    for path in one.iterdir():
        assert path.read_bytes() == (two / path.name).read_bytes()


def test_shards_are_ordinary_safetensors(tmp_path):
    folder = write(tmp_path / "s", shard_bytes=64)
    shards = sorted(folder.glob("vectors-*.safetensors"))
    assert shards[0].name == f"vectors-00000-of-{len(shards):05d}.safetensors"
    joined = np.concatenate([load_file(path)["vectors"] for path in shards])
    np.testing.assert_array_equal(joined, np.concatenate([rows(n, 1 + n % 4) for n in range(10)]))


def test_opening_maps_rows_instead_of_reading_them(tmp_path):
    found = open_clips(write(tmp_path / "s"))
    (shard,) = found.shards
    assert not shard.flags.owndata
    assert not shard.flags.writeable
    base = shard
    while isinstance(base.base, np.ndarray):
        base = base.base
    assert isinstance(base, np.memmap)


def test_a_resident_set_stays_small_when_a_large_store_is_opened(tmp_path):
    with writer(tmp_path / "s", shard_bytes=1 << 24, part_bytes=1 << 23) as store:
        for number in range(32):
            store.append(clip(number), np.full((1 << 16, 4), number, np.float32))
    code = """
import resource, sys
from pathlib import Path
from moviola.store import open_clips
import numpy
open_clips
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
found = open_clips(Path(sys.argv[1]))
assert float(found.rows(31)[-1, 0]) == 31.0
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
assert grown < 16_000, f"{grown} KiB for 32 MiB of rows"
"""
    if sys.platform != "linux":
        pytest.skip("ru_maxrss counts KiB on Linux only")
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "s")], check=True, timeout=60)


def test_a_second_writer_goes_on_where_the_first_was_killed(tmp_path):
    code = """
import os, sys
from pathlib import Path
import numpy as np
from moviola.core import Clip, Readout, Space, Span
from moviola.store import StoreWriter
store = StoreWriter(Path(sys.argv[1]), kind="clips", space=Space("tiny", "1", "abc", 4),
                    readout=Readout("resize", pooling="none"), dtype="float32", part_bytes=64)
for n in range(7):
    rows = np.random.default_rng(n).standard_normal((3, 4)).astype(np.float32)
    store.append(Clip(f"clip{n}", Path(f"/videos/{n}.mp4"), Span(n, n + 1.5)), rows)
os.kill(os.getpid(), 9)
"""
    folder = tmp_path / "s"
    subprocess.run([sys.executable, "-c", code, str(folder)], check=False, timeout=60)
    assert not is_store(folder)
    with pytest.raises(StoreCorruptError, match="never finished: run the same encode again"):
        open_embeddings(folder)
    (tmp_path / "s.partial" / "part-000009.safetensors.tmp").write_bytes(b"half")
    with writer(folder) as store:
        assert store.done_ids == {f"clip{n}" for n in range(6)}
        for number in range(6, 9):
            store.append(clip(number), rows(number))
    found = open_clips(folder)
    assert [item.id for item in found.items] == [f"clip{n}" for n in range(9)]
    for number in range(9):
        np.testing.assert_array_equal(found.rows(number), rows(number))


def test_an_error_keeps_what_was_appended(tmp_path):
    store = writer(tmp_path / "s")
    store.append(clip(0), rows(0))
    store.__exit__(KeyError, KeyError(), None)
    assert not is_store(tmp_path / "s")
    with writer(tmp_path / "s") as store:
        assert store.done_ids == {"clip0"}


def test_a_writer_killed_while_finishing_finishes_later(tmp_path, monkeypatch):
    store = writer(tmp_path / "s")
    store.append(clip(0), rows(0))
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", lambda *_: (_ for _ in ()).throw(OSError(28, "disk full")))
        with pytest.raises(StorageError, match="disk full"):
            store.finish()
    store.release()
    with writer(tmp_path / "s") as again:
        assert again.done_ids == {"clip0"}
    assert len(open_clips(tmp_path / "s")) == 1


def test_two_writers_at_once_are_refused(tmp_path):
    store = writer(tmp_path / "s")
    with pytest.raises(LibraryLockedError, match="another process"):
        writer(tmp_path / "s")
    store.release()
    writer(tmp_path / "s").release()


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"space": Space("tiny", "2", "abc", 4)}, SpaceMismatchError, "revision '1' is not '2'"),
        ({"readout": Readout("crop")}, SpaceMismatchError, "preprocessing"),
        ({"dtype": "float16"}, ValueError, "has clips in float32, not clips in float16"),
        ({"kind": "texts"}, ValueError, "not texts in float32"),
    ],
)
def test_an_unfinished_store_goes_on_only_as_it_was_begun(tmp_path, options, error, words):
    store = writer(tmp_path / "s")
    store.append(clip(0), rows(0))
    store.release()
    with pytest.raises(error, match=words):
        writer(tmp_path / "s", **options)
    writer(tmp_path / "s").release()


def test_extend_takes_only_the_same_space_and_readout(tmp_path):
    made = Embeddings.from_rows([clip(0), clip(1)], [rows(0), rows(1)], SPACE, READOUT)
    other = Embeddings.from_rows([clip(2)], [rows(2)], Space("other", "1", "abc", 4), READOUT)
    crop = Embeddings.from_rows([clip(2)], [rows(2)], SPACE, Readout("crop"))
    with writer(tmp_path / "s") as store:
        store.append(clip(0), rows(0))
        store.extend(made)
        for wrong in (other, crop):
            with pytest.raises(SpaceMismatchError, match="being added"):
                store.extend(wrong)
    assert len(open_clips(tmp_path / "s")) == 2


@pytest.mark.parametrize(
    ("item", "vectors", "words"),
    [
        (clip(0), rows(0), "in the store already"),
        (Text("t", "words"), rows(0), "not one of clips"),
        (Clip("\udcff", Path("x"), Span(0, 1)), rows(0), "valid Unicode"),
        (clip(1), rows(0)[:, :3], r"needs \(n, 4\) rows, got \(3, 3\)"),
        (clip(1), rows(0)[0], r"got \(4,\)"),
        (clip(1), rows(0)[:0], r"got \(0, 4\)"),
        (clip(1), rows(0).astype(np.float64), "got float64"),
        (clip(1), np.full((1, 4), np.nan, np.float32), "'clip1' has rows that are not finite"),
        (clip(1), np.full((1, 4), 1e6, np.float32), "not finite in float16"),
    ],
)
def test_what_does_not_belong_is_refused_and_spoils_nothing(tmp_path, item, vectors, words):
    with writer(tmp_path / "s", dtype="float16") as store:
        store.append(clip(0), rows(0))
        with pytest.raises(ValueError, match=words):
            store.append(item, vectors)
        store.append(clip(1), rows(1))
    assert [item.id for item in open_clips(tmp_path / "s").items] == ["clip0", "clip1"]


def test_a_finished_or_foreign_folder_is_not_overwritten(tmp_path):
    folder = write(tmp_path / "s")
    (tmp_path / "s.partial").mkdir()
    with pytest.raises(FileExistsError, match="already holds a finished store"):
        writer(folder)
    assert not (tmp_path / "s.partial").exists()
    with pytest.raises(FileExistsError, match="no empty folder"):
        writer(tmp_path)
    (tmp_path / "empty").mkdir()
    write(tmp_path / "empty")


def test_pooled_and_unpooled_lie_side_by_side(tmp_path):
    write(tmp_path / "run" / "rows")
    write(tmp_path / "run" / "pooled")
    with pytest.raises(StoreCorruptError, match="it holds pooled, rows: open one of them"):
        open_embeddings(tmp_path / "run")


def test_a_store_is_opened_as_what_it_is(tmp_path):
    folder = write(tmp_path / "s")
    with pytest.raises(ValueError, match="holds clips, not texts"):
        open_texts(folder)
    with pytest.raises(StoreCorruptError, match="is not a store"):
        open_clips(tmp_path / "nowhere")


def damage_card(folder, **changes):
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps(card | changes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"version": 99}, "version 99"),
        ({"schema": "x"}, "not the card of a Moviola store"),
        ({"space": {}}, "lacks or misspells"),
        ({"kind": "dogs"}, "kind 'dogs'"),
        ({"items": 3}, "the card says 3"),
        ({"dtype": "float16"}, "not float16"),
        ({"files": {"../../secret": {"bytes": 1, "sha256": ""}}}, "no store has a file"),
        ({"files": []}, "lacks or misspells"),
    ],
)
def test_a_damaged_card_is_told(tmp_path, changes, words):
    folder = write(tmp_path / "s")
    damage_card(folder, **changes)
    with pytest.raises(StoreCorruptError, match=words):
        open_embeddings(folder)


def test_a_card_that_is_no_json_is_told(tmp_path):
    folder = write(tmp_path / "s")
    (folder / "card.json").write_bytes(b"\xff{")
    with pytest.raises(StoreCorruptError, match="not JSON"):
        open_embeddings(folder)
    (folder / "card.json").write_text("[]")
    with pytest.raises(StoreCorruptError, match="not the card"):
        open_embeddings(folder)


def test_missing_and_shortened_files_are_told_with_the_remedy(tmp_path):
    folder = write(tmp_path / "s")
    shard = next(folder.glob("vectors-*"))
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-4])
    with pytest.raises(StoreCorruptError, match=rf"{shard.name} has .* instead of .*; delete"):
        open_embeddings(folder)
    shard.unlink()
    with pytest.raises(StoreCorruptError, match="is missing"):
        open_embeddings(folder)


def test_verify_finds_one_flipped_bit(tmp_path):
    folder = write(tmp_path / "s")
    assert verify(folder).items == 10
    shard = next(folder.glob("vectors-*"))
    raw = bytearray(shard.read_bytes())
    raw[-1] ^= 1
    shard.write_bytes(raw)
    open_embeddings(folder)
    with pytest.raises(StoreCorruptError, match=rf"{shard.name} changed since"):
        verify(folder)


@pytest.mark.parametrize("name", ["items.arrow", "vectors-00000-of-00001.safetensors"])
def test_noise_of_the_right_length_is_told(tmp_path, name):
    folder = write(tmp_path / "s")
    (folder / name).write_bytes(b"\x07" * (folder / name).stat().st_size)
    with pytest.raises(StoreCorruptError, match=f"{name} cannot be read"):
        open_embeddings(folder)


def test_damaged_parts_and_drafts_are_told(tmp_path):
    store = writer(tmp_path / "s")
    store.append(clip(0), rows(0))
    store.release()
    partial = tmp_path / "s.partial"
    part = partial / "part-000000.safetensors"
    other = tmp_path / "other"
    store = writer(other)
    store.append(clip(0), rows(0, 9))
    store.release()
    part.write_bytes((tmp_path / "other.partial" / part.name).read_bytes())
    with pytest.raises(StoreCorruptError, match="does not fit its items"):
        writer(tmp_path / "s")
    (partial / "draft.json").write_text("{}")
    with pytest.raises(StoreCorruptError, match=r"draft.json cannot be read"):
        writer(tmp_path / "s")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_no_permission_is_one_sentence(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(StorageError, match="cannot write"):
        writer(tmp_path / "s")


def test_a_file_in_the_way_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot write"):
        writer(tmp_path / "file" / "s")


def test_impossible_kinds_are_refused(tmp_path):
    with pytest.raises(ValueError, match="'dogs'"):
        writer(tmp_path / "s", kind="dogs")


def test_the_room_imports_no_torch():
    code = "import sys, moviola.store; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


class LineFault:
    """Raises KeyboardInterrupt at the n-th line that runs in the store; counts them for n None."""

    def __init__(self, at=None):
        self.at, self.lines = at, 0

    def __call__(self, frame, event, _arg):
        # `__exit__` calls what is tested; its own first line is not among it.
        code = frame.f_code
        if "/moviola/store/" not in code.co_filename or code.co_name == "__exit__":
            return None
        if event == "line":
            self.lines += 1
            if self.at == self.lines:
                raise KeyboardInterrupt
        return self


@contextlib.contextmanager
def stopped(folder):
    """A writer of ten rows a part whose block ends in an error."""
    with writer(folder, part_bytes=10 * 16) as store:
        yield store
        store.append(1 / 0, None)


def append_until_interrupted(folder, fault):
    """Appends six items, ten rows a part, then stops short: every kind of line is passed."""
    returned = []
    tracer = sys.gettrace()
    try:
        with contextlib.suppress(KeyboardInterrupt, ZeroDivisionError), stopped(folder) as store:
            sys.settrace(fault)
            for number in range(6):
                store.append(clip(number), rows(number))
                returned.append(clip(number).id)
    finally:
        sys.settrace(tracer)
    return returned


def test_an_interruption_at_any_line_keeps_what_was_complete(tmp_path):
    count = LineFault()
    assert len(append_until_interrupted(tmp_path / "count", count)) == 6
    assert count.lines > 150
    for line in range(1, count.lines + 1):
        folder = tmp_path / f"line{line}"
        returned = append_until_interrupted(folder, LineFault(line))
        with writer(folder) as store:
            kept = set(store.done_ids)
            assert kept >= set(returned), line
            for number in range(6):
                if clip(number).id not in store.done_ids:
                    store.append(clip(number), rows(number))
        found = open_clips(folder)
        assert sorted(item.id for item in found.items) == [clip(n).id for n in range(6)], line
        for place, item in enumerate(found.items):
            np.testing.assert_array_equal(found.rows(place), rows(int(item.id[4:])))


def test_an_interruption_that_is_caught_lets_appending_go_on(tmp_path):
    count = LineFault()
    append_until_interrupted(tmp_path / "count", count)
    for line in range(1, count.lines + 1, 3):
        folder = tmp_path / f"line{line}"
        with writer(folder, part_bytes=10 * 16) as store:
            tracer = sys.gettrace()
            sys.settrace(LineFault(line))
            try:
                for number in range(4):
                    store.append(clip(number), rows(number))
            except KeyboardInterrupt:
                pass
            finally:
                sys.settrace(tracer)
            for number in range(6):
                if clip(number).id not in store.done_ids:
                    store.append(clip(number), rows(number))
        assert sorted(item.id for item in open_clips(folder).items) == [
            clip(number).id for number in range(6)
        ]


@pytest.mark.parametrize("name", ["card.json", "items.arrow", "vectors-00000-of-00001.safetensors"])
def test_a_damaged_byte_is_told_or_harmless(tmp_path, name):
    """Every byte of the first and last hundred flipped: a typed error, or a store that opens."""
    write(tmp_path / "s", 3)
    path = tmp_path / "s" / name
    whole = path.read_bytes()
    for place in {*range(min(100, len(whole))), *range(max(0, len(whole) - 100), len(whole))}:
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        with contextlib.suppress(StoreCorruptError):
            open_embeddings(tmp_path / "s")


def test_json_that_is_nested_without_end_is_told(tmp_path):
    write(tmp_path / "s")
    deep = "[" * 200_000
    (tmp_path / "s" / "card.json").write_text(deep)
    with pytest.raises(StoreCorruptError, match="is not JSON"):
        open_embeddings(tmp_path / "s")
    shard = tmp_path / "shard.safetensors"
    shard.write_bytes(len(deep).to_bytes(8, "little") + deep.encode())
    with pytest.raises(StoreCorruptError, match="cannot be read"):
        map_rows(shard)
    store = writer(tmp_path / "begun")
    store.append(clip(0), rows(0))
    store.release()
    (tmp_path / "begun.partial" / "draft.json").write_text(deep)
    with pytest.raises(StoreCorruptError, match="cannot be read"):
        writer(tmp_path / "begun")


def test_a_store_is_added_to(tmp_path):
    with writer(tmp_path / "s") as store:
        store.append(clip(0), rows(0))
    with writer(tmp_path / "s", adding=True) as store:
        assert store.finished_ids == {clip(0).id}
        with pytest.raises(ValueError, match="in the store already"):
            store.append(clip(0), rows(0))
        store.append(clip(1), rows(1))
    found = open_clips(tmp_path / "s")
    assert [each.id for each in found.items] == [clip(0).id, clip(1).id]
    for index in range(2):
        np.testing.assert_array_equal(found.rows(index), rows(index))
    verify(tmp_path / "s")
    assert [path.name for path in tmp_path.iterdir()] == ["s"]


@pytest.mark.parametrize("shard_bytes", [1, 1 << 20])
def test_what_is_added_to_many_shards_keeps_its_order(tmp_path, shard_bytes):
    for step in range(3):
        with writer(tmp_path / "s", adding=True, shard_bytes=shard_bytes) as store:
            for number in range(step * 3, step * 3 + 3):
                store.append(clip(number), rows(number, count=1 + number % 2))
    found = open_clips(tmp_path / "s")
    assert [each.id for each in found.items] == [clip(number).id for number in range(9)]
    for number in range(9):
        np.testing.assert_array_equal(found.rows(number), rows(number, count=1 + number % 2))


def test_nothing_added_changes_nothing(tmp_path):
    with writer(tmp_path / "s") as store:
        store.append(clip(0), rows(0))
    before = (tmp_path / "s" / "card.json").stat().st_ino
    with writer(tmp_path / "s", adding=True):
        pass
    assert (tmp_path / "s" / "card.json").stat().st_ino == before
    assert [path.name for path in tmp_path.iterdir()] == ["s"]


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        (
            {"space": Space("other", "1", "abc", 4)},
            SpaceMismatchError,
            "model 'tiny' is not 'other'",
        ),
        ({"readout": Readout("other")}, SpaceMismatchError, "read in another way"),
        ({"kind": "texts"}, ValueError, "has clips in float32, not texts"),
        ({"dtype": "float16"}, ValueError, "not clips in float16"),
        ({"segment": "whole"}, ValueError, "cut by windows:6/3"),
    ],
)
def test_a_store_is_added_to_only_as_it_was_begun(tmp_path, options, error, words):
    with writer(tmp_path / "s", segment="windows:6/3") as store:
        store.append(clip(0), rows(0))
    with pytest.raises(error, match=words):
        writer(tmp_path / "s", adding=True, **({"segment": "windows:6/3"} | options))
    assert len(open_clips(tmp_path / "s")) == 1


@pytest.mark.parametrize("renames", [0, 1, 2])
def test_a_kill_while_adding_loses_nothing(tmp_path, monkeypatch, renames):
    folder = tmp_path / "s"
    with writer(folder) as store:
        store.append(clip(0), rows(0))
    store = writer(folder, adding=True)
    store.append(clip(1), rows(1))
    rename, left = Path.rename, iter(range(renames))

    def rename_some(self, target):
        if self in (folder, folder.with_name("s.adding") / "ready") and next(left, None) is None:
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", rename_some)
    if renames == 2:
        monkeypatch.setattr("moviola.store.writing.shutil.rmtree", interrupt_at("s.adding"))
    with pytest.raises(KeyboardInterrupt):
        store.finish()
    monkeypatch.undo()
    store.release()
    with writer(folder, adding=True) as again:
        assert set(again.done_ids) == {clip(0).id, clip(1).id}
        again.append(clip(2), rows(2))
    assert [each.id for each in open_clips(folder).items] == [clip(i).id for i in range(3)]
    assert [path.name for path in tmp_path.iterdir()] == ["s"]


def interrupt_at(name):
    rmtree = shutil.rmtree

    def remove(path, **options):
        if Path(path).name == name:
            raise KeyboardInterrupt
        rmtree(path, **options)

    return remove
