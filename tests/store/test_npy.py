from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from moviola.core import (
    Clip,
    Embeddings,
    Readout,
    Space,
    Span,
    StorageError,
    StoreCorruptError,
    Text,
)
from moviola.store import (
    StoreWriter,
    is_store,
    move_store_into_npy,
    open_clips,
    read_npy_clips,
    read_npy_texts,
    replace_store_by_npy,
    write_npy,
)
from moviola.store.npy import file_name, item_id, natural_key
from moviola.store.sidecar import SIDECAR

SPACE = Space("tiny", "1", "abc", 3)
READOUT = Readout("resize")


def embeddings(ids, counts=None):
    counts = counts or [1] * len(ids)
    rng = np.random.default_rng(0)
    return Embeddings.from_rows(
        [Text(identity, "words") for identity in ids],
        [rng.standard_normal((count, 3)).astype(np.float32) for count in counts],
        SPACE,
        READOUT,
    )


@given(st.text(min_size=1, max_size=20))
def test_any_id_goes_into_a_file_name_and_comes_back(identity):
    assume(not any(0xD800 <= ord(character) <= 0xDFFF for character in identity))
    name = file_name(identity)
    assert item_id(name) == identity
    assert not set(name) & set('/\\:*?"<>|\0\n')
    assert name[0] not in ". "
    assert name.endswith(".npy")


@pytest.mark.parametrize(
    ("identity", "name"),
    [
        ("video7890-1", "video7890-1.npy"),
        ("_abc-DEF@1.000-2.500", "_abc-DEF@1.000-2.500.npy"),
        ("Bär 熊", "Bär 熊.npy"),
        ("a/b", "a%2Fb.npy"),
        ("100%", "100%25.npy"),
        ("..", "%2E%2E.npy"),
        (".hidden", "%2Ehidden.npy"),
        ("CON", "%43ON.npy"),
        ("nul.mp4", "%6Eul.mp4.npy"),
        ("-dash", "-dash.npy"),
    ],
)
def test_names_are_readable_and_safe(identity, name):
    assert file_name(identity) == name
    assert item_id(name) == identity


@pytest.mark.parametrize("identity", ["", "\udcff", "x" * 300])
def test_ids_that_cannot_be_names_are_refused(identity):
    with pytest.raises(ValueError, match=r"no file name|not valid Unicode|too long"):
        file_name(identity)


@given(st.lists(st.integers(0, 10**9), unique=True, min_size=2))
def test_natural_order_is_that_of_numbers(numbers):
    names = sorted((f"video{number}-1.npy" for number in numbers), key=natural_key)
    assert names == [f"video{number}-1.npy" for number in sorted(numbers)]


@pytest.mark.parametrize("counts", [None, [2, 1, 3]])
def test_what_is_written_is_read(tmp_path, counts):
    made = embeddings(["video10-1", "video2-1", "a/b"], counts)
    write_npy(made, tmp_path / "out")
    found = read_npy_texts(tmp_path / "out")
    assert [text.id for text in found.items] == ["a/b", "video2-1", "video10-1"]
    for index, text in enumerate(found.items):
        before = [item.id for item in made.items].index(text.id)
        np.testing.assert_array_equal(found.rows(index), made.rows(before))
    assert (found.space, found.readout) == (SPACE, READOUT)
    shapes = {np.load(path).ndim for path in (tmp_path / "out").glob("*.npy")}
    assert shapes == {1 if counts is None else 2}


def test_clips_are_called_by_their_files(tmp_path):
    for number in (1, 2, 10):
        np.save(tmp_path / f"video{number}.npy", np.full((32, 4), number, np.float16))
    found = read_npy_clips(tmp_path)
    assert [clip.id for clip in found.items] == ["video1", "video2", "video10"]
    assert found.vectors.dtype == np.float16
    assert found.offsets.tolist() == [0, 32, 64, 96]


def test_mixed_precision_is_widened_not_narrowed(tmp_path):
    np.save(tmp_path / "a.npy", np.ones(4, np.float16))
    np.save(tmp_path / "b.npy", np.ones((2, 4), np.float64))
    assert read_npy_clips(tmp_path).vectors.dtype == np.float32


def save(path, value):
    np.save(path, value, allow_pickle=True)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.array([{"a": 1}], dtype=object), "cannot be read as .npy: it holds pickled"),
        (np.arange(4), "holds int64; it must be float16"),
        (np.ones((2, 2, 2), np.float32), r"has shape \(2, 2, 2\); one item is \(D,\) or \(n, D\)"),
        (np.ones((0, 4), np.float32), r"has shape \(0, 4\)"),
        (np.float32(3), r"has shape \(\)"),
        (np.array([1, np.nan, 0, 0], np.float32), "NaN or infinity"),
        (np.array([1, 1e300, 0, 0]), r"bad\.npy\[1\] is beyond"),
        (np.ones(5, np.float32), r"has 5 numbers a row, .*a\.npy has 4"),
    ],
)
def test_a_bad_file_is_named(tmp_path, value, words):
    np.save(tmp_path / "a.npy", np.ones(4, np.float32))
    save(tmp_path / "bad.npy", value)
    with pytest.raises(ValueError, match=words) as caught:
        read_npy_clips(tmp_path)
    assert "bad.npy" in str(caught.value)


def test_noise_pickles_and_archives_are_refused(tmp_path):
    for content in (b"", b"noise", pickle.dumps(np.ones(3))):
        (tmp_path / "bad.npy").write_bytes(content)
        with pytest.raises(ValueError, match=r"bad.npy (cannot be read|is empty)"):
            read_npy_clips(tmp_path)
    np.savez(tmp_path / "x.npz", a=np.ones(3))
    (tmp_path / "x.npz").rename(tmp_path / "bad.npy")
    with pytest.raises(ValueError, match=r"bad.npy cannot be read"):
        read_npy_clips(tmp_path)


@pytest.mark.parametrize("shape", [(10**12,), (10**12, 512), (10**30, 10**30), (2**40, 0)])
def test_a_claim_of_more_than_there_is_is_refused_at_once(tmp_path, shape):
    with (tmp_path / "bad.npy").open("wb") as file:
        head = {"descr": "<f4", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, head)
        file.write(b"\0" * 64)
    with pytest.raises(ValueError, match=r"bad.npy (cannot be read as .npy|has shape)"):
        read_npy_clips(tmp_path)


def test_an_empty_folder_is_told(tmp_path):
    with pytest.raises(ValueError, match=r"holds no .npy files"):
        read_npy_clips(tmp_path)


def test_a_folder_is_written_whole_or_not_at_all(tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(FileExistsError, match="exists already"):
        write_npy(embeddings(["a"]), tmp_path / "out")
    with pytest.raises(ValueError, match="too long"):
        write_npy(embeddings(["a", "x" * 300]), tmp_path / "new")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_refusing_disk_leaves_nothing(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", refuse)
    with pytest.raises(StorageError, match="No space left"):
        write_npy(embeddings(["a"]), tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_a_store_becomes_a_folder_of_npy(tmp_path):
    folder = tmp_path / "s"
    with StoreWriter(folder, kind="clips", space=SPACE, readout=READOUT) as store:
        for name in ("a", "b"):
            store.append(Clip(name, Path("x.mp4"), Span(0, 1)), np.ones((2, 3), np.float32))
    assert len(open_clips(folder)) == 2
    replace_store_by_npy(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["a.npy", "b.npy", SIDECAR]
    assert not is_store(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["s"]


def test_a_folder_without_a_sidecar_is_in_the_anonymous_space(tmp_path):
    write_npy(embeddings(["a"]), tmp_path / "out")
    (tmp_path / "out" / SIDECAR).unlink()
    assert read_npy_texts(tmp_path / "out").space == Space.anonymous(3)


def test_the_sidecar_tells_texts_from_clips(tmp_path):
    write_npy(embeddings(["a"]), tmp_path / "out")
    with pytest.raises(ValueError, match="holds texts, not clips"):
        read_npy_clips(tmp_path / "out")


def test_a_sidecar_that_speaks_of_other_vectors_is_refused(tmp_path):
    write_npy(embeddings(["a"]), tmp_path / "out")
    np.save(tmp_path / "out" / "a.npy", np.ones(5, np.float32))
    with pytest.raises(ValueError, match="5 numbers, and its sidecar speaks of 3"):
        read_npy_texts(tmp_path / "out")


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", "[" * 9999, '{"schema": "moviola-npy", "version": 1}']
)
def test_a_damaged_sidecar_is_not_passed_over(tmp_path, content):
    write_npy(embeddings(["a"]), tmp_path / "out")
    (tmp_path / "out" / SIDECAR).write_text(content)
    with pytest.raises(StoreCorruptError, match=SIDECAR):
        read_npy_texts(tmp_path / "out")


def test_a_later_sidecar_is_left_to_a_later_moviola(tmp_path):
    write_npy(embeddings(["a"]), tmp_path / "out")
    path = tmp_path / "out" / SIDECAR
    path.write_text(path.read_text().replace('"version": 1', '"version": 2'))
    with pytest.raises(StoreCorruptError, match="update Moviola"):
        read_npy_texts(tmp_path / "out")


def test_a_store_is_moved_into_a_folder(tmp_path):
    write_npy(embeddings(["a"]), tmp_path / "out")
    with StoreWriter(tmp_path / "s", kind="texts", space=SPACE, readout=READOUT) as store:
        store.append(Text("b", ""), np.ones((1, 3), np.float32))
    move_store_into_npy(tmp_path / "s", tmp_path / "out")
    assert [text.id for text in read_npy_texts(tmp_path / "out").items] == ["a", "b"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert not list((tmp_path / "out").glob(".*"))
