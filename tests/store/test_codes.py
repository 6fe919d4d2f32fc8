"""Codes beside a store: linked rows, whole or not at all, and refused where they are damaged."""

from __future__ import annotations

import os
import shutil

import numpy as np
import pytest

from moviola.core import Clip, Readout, Space, Span, StoreCorruptError
from moviola.score import encode_embeddings
from moviola.store import StoreWriter, open_clips, verify
from moviola.store.codes import codes_path, copy_with_codes, read_codes

SPACE = Space("m", "1", "w", 8)


@pytest.fixture
def store(tmp_path):
    folder = tmp_path / "store"
    random = np.random.default_rng(0)
    with StoreWriter(folder, kind="clips", space=SPACE, readout=Readout("r")) as writer:
        for i in range(5):
            rows = random.normal(size=(i + 1, 8)).astype(np.float16)
            writer.append(Clip(f"c{i}", folder, Span(0, 1)), rows)
    return folder


def test_codes_lie_beside_the_rows_that_stay(store, tmp_path):
    out, both = tmp_path / "out", tmp_path / "both"
    codes = {name: encode_embeddings(open_clips(store), name) for name in ("int8", "binary")}
    copy_with_codes(store, codes["int8"], out)
    copy_with_codes(out, codes["binary"], both)
    verify(both)
    np.testing.assert_array_equal(open_clips(both).vectors, open_clips(store).vectors)
    assert read_codes(store, "int8") is None
    assert read_codes(out, "binary") is None
    for name, wanted in codes.items():
        found = read_codes(both, name)
        np.testing.assert_array_equal(found.widen(), wanted.widen())
    assert not list(tmp_path.glob("*.partial"))


def test_making_codes_again_leaves_the_first_store_as_it_is(store, tmp_path):
    codes = encode_embeddings(open_clips(store), "int8")
    copy_with_codes(store, codes, tmp_path / "one")
    before = codes_path(tmp_path / "one", "int8").read_bytes()
    codes.codes[:] = 0
    copy_with_codes(tmp_path / "one", codes, tmp_path / "two")
    assert codes_path(tmp_path / "one", "int8").read_bytes() == before
    assert not read_codes(tmp_path / "two", "int8").codes.any()


def test_rows_are_copied_where_they_cannot_be_linked(store, tmp_path, monkeypatch):
    def refuse(*_args):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    copy_with_codes(store, encode_embeddings(open_clips(store), "int8"), tmp_path / "out")
    verify(tmp_path / "out")


def test_damaged_codes_and_codes_of_other_rows_are_refused(store, tmp_path):
    out = tmp_path / "out"
    copy_with_codes(store, encode_embeddings(open_clips(store), "int8"), out)
    path = codes_path(out, "int8")
    whole = path.read_bytes()
    path.unlink()
    for damaged in (b"", whole[:40], whole[:-1], b"\xff" * len(whole)):
        path.write_bytes(damaged)
        with pytest.raises(StoreCorruptError, match="delete that file"):
            read_codes(out, "int8")
    shutil.copy(out / "card.json", tmp_path / "card.json")
    path.write_bytes(whole)
    (out / "card.json").unlink()
    (out / "card.json").write_bytes((tmp_path / "card.json").read_bytes() + b"\n")
    with pytest.raises(StoreCorruptError, match="is of other rows"):
        read_codes(out, "int8")


def test_what_is_there_is_not_written_over(store, tmp_path):
    codes = encode_embeddings(open_clips(store), "int8")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    (tmp_path / "file").touch()
    for out in (store, tmp_path / "full", tmp_path / "file"):
        with pytest.raises(FileExistsError):
            copy_with_codes(store, codes, out)
    (tmp_path / "empty").mkdir()
    copy_with_codes(store, codes, tmp_path / "empty")
    verify(tmp_path / "empty")


def test_a_store_that_lacks_a_file_says_so(store, tmp_path):
    codes = encode_embeddings(open_clips(store), "int8")
    (store / "items.arrow").unlink()
    with pytest.raises(StoreCorruptError, match=r"lacks a file .*items\.arrow"):
        copy_with_codes(store, codes, tmp_path / "out")
