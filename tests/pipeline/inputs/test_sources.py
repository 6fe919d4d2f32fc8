"""`--texts` and `--videos` in every form, and what is refused."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from moviola.core import (
    Clip,
    DatasetError,
    Embeddings,
    Readout,
    Space,
    SpaceMismatchError,
    Span,
    Text,
)
from moviola.pipeline.evaluate.evaluate import evaluate_vectors
from moviola.pipeline.evaluate.evaluation import EvaluateOptions
from moviola.pipeline.evaluate.manifest import manifest
from moviola.pipeline.inputs.pairing import read_pairs
from moviola.pipeline.inputs.sources import parse_source
from moviola.pipeline.inputs.tables import make_table
from moviola.store import StoreWriter
from moviola.store.npy_writing import write_npy

RNG = np.random.default_rng(0)


def _save(path: Path, array: np.ndarray) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, array)
    return str(path)


def _read_texts(spec: str, *, pooling: str | None = None) -> Embeddings[Text]:
    return parse_source(spec).texts(pooling)


def _read_clips(spec: str, *, pooling: str | None = None) -> Embeddings[Clip]:
    return parse_source(spec).clips(pooling)


def _rows(*shape: int, dtype: type = np.float32) -> np.ndarray:
    return RNG.normal(size=shape).astype(dtype)


def _store(folder: Path, items: list[Clip] | list[Text], rows: list[np.ndarray]) -> str:
    space = Space("toy", "1", "w", rows[0].shape[1])
    kind = "clips" if isinstance(items[0], Clip) else "texts"
    with StoreWriter(folder, kind=kind, space=space, readout=Readout("toy"), dtype="float32") as w:
        for item, block in zip(items, rows, strict=True):
            w.append(item, block)
    return str(folder)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_flat_array_is_its_rows_called_by_number(tmp_path: Path, dtype: type) -> None:
    array = _rows(5, 4, dtype=dtype)
    found = _read_texts(_save(tmp_path / "t.npy", array))
    assert [text.id for text in found.items] == ["0", "1", "2", "3", "4"]
    assert found.space == Space.anonymous(4)
    np.testing.assert_array_equal(found.vectors, array.astype(found.vectors.dtype))


def test_fortran_order_and_big_endian_are_only_ways_of_writing(tmp_path: Path) -> None:
    array = _rows(5, 4)
    for written in (np.asfortranarray(array), array.astype(">f4")):
        found = _read_clips(_save(tmp_path / "v.npy", written))
        np.testing.assert_array_equal(found.vectors, array)


def test_a_tensor_is_named_behind_a_colon(tmp_path: Path) -> None:
    first, second = _rows(3, 4), _rows(2, 4, dtype=np.float16)
    path = tmp_path / "both.safetensors"
    save_file({"a": first, "b": second}, path)
    np.testing.assert_array_equal(_read_texts(f"{path}:a").vectors, first)
    np.testing.assert_array_equal(_read_clips(f"{path}:b").vectors, second)
    with pytest.raises(ValueError, match=r"both\.safetensors.*one of a, b"):
        _read_texts(str(path))
    with pytest.raises(ValueError, match=r"no tensor 'c'.*one of a, b"):
        _read_texts(f"{path}:c")


def test_three_dimensions_need_a_pooling(tmp_path: Path) -> None:
    array = _rows(5, 3, 4)
    spec = _save(tmp_path / "v.npy", array)
    with pytest.raises(ValueError, match=r"15 rows for 5 items.*--pool"):
        _read_clips(spec)
    np.testing.assert_allclose(
        _read_clips(spec, pooling="mean").vectors, array.mean(axis=1), rtol=1e-6
    )
    np.testing.assert_array_equal(_read_clips(spec, pooling="first").vectors, array[:, 0])
    assert not _read_clips(spec, pooling="none").is_pooled
    with pytest.raises(ValueError, match="no pooling is called 'middle'"):
        _read_clips(spec, pooling="middle")


def test_a_folder_of_files_is_called_by_their_names(tmp_path: Path) -> None:
    for name, block in (("video1", _rows(4)), ("video2", _rows(1, 4)), ("video10", _rows(4))):
        _save(tmp_path / "v" / f"{name}.npy", block)
    _save(tmp_path / "v" / ".half.npy", _rows(4))
    found = _read_clips(str(tmp_path / "v"))
    assert [clip.id for clip in found.items] == ["video1", "video2", "video10"]
    assert parse_source(tmp_path / "v").has_ids
    _save(tmp_path / "v" / "video3.npy", _rows(5))
    with pytest.raises(ValueError, match=r"video3\.npy has 5 numbers a row"):
        _read_clips(str(tmp_path / "v"))


def test_file_names_are_those_that_the_store_writes(tmp_path: Path) -> None:
    names = [
        "sub/a",
        "a b",
        "50% off",
        "con",
        ".hidden",
        "ends.",
        'what "is" <this>?',
        "日本",
        "v%2Fw",
    ]
    texts = [Text(f"{name}-{n}", "words") for name in names for n in (1, 2)]
    clips = [Clip(name, Path("no.mp4"), Span(0, 1)) for name in names]
    for kind, items in (("t", texts), ("v", clips)):
        rows = list(_rows(len(items), 1, 4))
        made = Embeddings.from_rows(items, rows, Space("toy", "1", "w", 4), Readout("toy"))
        write_npy(made, tmp_path / kind)
    assert (tmp_path / "v" / "sub%2Fa.npy").is_file()
    _, clips, qrels = read_pairs(parse_source(tmp_path / "t"), parse_source(tmp_path / "v"))
    assert {clip.id for clip in clips.items} == set(names)
    assert qrels.relevant == {f"{name}-{n}": {name} for name in names for n in (1, 2)}


def test_a_file_name_that_is_no_id_is_named(tmp_path: Path) -> None:
    _save(tmp_path / "v" / "a%FF.npy", _rows(4))
    with pytest.raises(DatasetError, match=r"a%FF\.npy: the name is not valid Unicode"):
        _read_clips(str(tmp_path / "v"))
    (tmp_path / "v" / "a%FF.npy").rename(tmp_path / "v" / "a-1.npy")
    _save(tmp_path / "v" / "a%2D1.npy", _rows(4))
    with pytest.raises(ValueError, match=r"a%2D1\.npy and .*a-1\.npy are one item"):
        _read_clips(str(tmp_path / "v"))


def test_ragged_folders_are_pooled(tmp_path: Path) -> None:
    blocks = [_rows(3, 4), _rows(2, 4)]
    for number, block in enumerate(blocks):
        _save(tmp_path / "t" / f"video{number}-1.npy", block)
    with pytest.raises(ValueError, match="--pool"):
        _read_texts(str(tmp_path / "t"))
    found = _read_texts(str(tmp_path / "t"), pooling="max")
    np.testing.assert_array_equal(found.vectors, [block.max(axis=0) for block in blocks])


def test_stores_keep_their_space_ids_and_words(tmp_path: Path) -> None:
    texts = [Text("a-1", "one"), Text("b-1", "two")]
    found = _read_texts(_store(tmp_path / "t", texts, [_rows(1, 4), _rows(1, 4)]))
    assert list(found.items) == texts
    assert found.space.model == "toy"
    with pytest.raises(ValueError, match="texts"):
        _read_clips(str(tmp_path / "t"))
    assert parse_source(tmp_path / "t").has_ids


def test_rows_without_direction_are_named(tmp_path: Path) -> None:
    array = _rows(5, 4)
    array[3] = 0
    with pytest.raises(ValueError, match=r"t\.npy: the vector of '3' .*all zeros"):
        _read_texts(_save(tmp_path / "t.npy", array))
    array[2, 1] = np.nan
    with pytest.raises(ValueError, match=r"t\.npy: the vector of '2' .*NaN"):
        _read_texts(_save(tmp_path / "t.npy", array))
    opposite = np.stack([np.stack([row, -row]) for row in _rows(3, 4)])
    with pytest.raises(ValueError, match=r"pooled by sum.*all zeros"):
        _read_clips(_save(tmp_path / "v.npy", opposite), pooling="sum")


def test_float64_beyond_float32_is_refused(tmp_path: Path) -> None:
    array = _rows(3, 4, dtype=np.float64)
    array[1, 2] = 1e300
    with pytest.raises(ValueError, match=r"t\.npy\[1, 2\] is beyond"):
        _read_texts(_save(tmp_path / "t.npy", array))


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros((3,), np.float32), "shape"),
        (np.zeros((0, 4), np.float32), "shape"),
        (np.zeros((2, 0), np.float32), "shape"),
        (np.zeros((1, 2, 3, 4), np.float32), "shape"),
        (np.ones((2, 3), np.int64), "int64"),
        (np.ones((2, 3), np.complex64), "complex64"),
    ],
)
def test_wrong_shapes_and_kinds_are_refused(tmp_path: Path, array: np.ndarray, said: str) -> None:
    with pytest.raises(ValueError, match=rf"t\.npy.*{said}"):
        _read_texts(_save(tmp_path / "t.npy", array))


def test_files_that_are_no_arrays_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.npy"
    with pytest.raises(FileNotFoundError, match=r"t\.npy"):
        _read_texts(str(path))
    path.write_bytes(b"")
    with pytest.raises(ValueError, match=r"t\.npy is empty"):
        _read_texts(str(path))
    path.write_bytes(pickle.dumps([1.0]))
    with pytest.raises(ValueError, match=r"t\.npy cannot be read as \.npy: it is no array"):
        _read_texts(str(path))
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match=r"t\.npy cannot be read as \.npy: it holds pickled"):
        _read_texts(str(path))
    np.save(path, _rows(100, 4))
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(ValueError, match=r"t\.npy cannot be read.*promises \(100, 4\)"):
        _read_texts(str(path))
    other = tmp_path / "t.safetensors"
    other.write_bytes(b"no tensors")
    with pytest.raises(ValueError, match=r"t\.safetensors cannot be read"):
        _read_texts(str(other))
    qrels = tmp_path / "qrels"
    qrels.write_text("a 0 b 1\n")
    with pytest.raises(ValueError, match=r"qrels is not a \.npy file"):
        _read_texts(str(qrels))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"holds no \.npy files, and is no store"):
        _read_texts(str(tmp_path / "empty"))


def test_a_table_of_captions_names_everything(tmp_path: Path) -> None:
    vectors = {"v/a": _rows(4), "v/b": _rows(4), "t/a-1": _rows(4), "t/a-2": _rows(4)}
    vectors["t/b-1"] = _rows(4)
    for name, row in vectors.items():
        _save(tmp_path / f"{name}.npy", row)
    lines = [f"{clip}.mp4,words {clip}{n}" for clip, n in (("a", 1), ("a", 2), ("b", 1))]
    (tmp_path / "captions.csv").write_text("\n".join(["video,caption", *lines]) + "\n")
    (tmp_path / "videos").mkdir()
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / "videos" / name).write_bytes(b"not looked into")
    table = tmp_path / "all.csv"
    make_table(
        videos=tmp_path / "videos",
        captions=tmp_path / "captions.csv",
        video_embeddings=tmp_path / "v",
        text_embeddings=tmp_path / "t",
        out=table,
    )
    texts, clips, qrels = read_pairs(parse_source(table), parse_source(table))
    assert [text.text for text in texts.items] == ["words a1", "words a2", "words b1"]
    assert [(clip.id, clip.path.name) for clip in clips.items] == [("a", "a.mp4"), ("b", "b.mp4")]
    np.testing.assert_array_equal(clips.vectors, [vectors["v/a"], vectors["v/b"]])
    assert qrels.relevant == {"a-1": {"a"}, "a-2": {"a"}, "b-1": {"b"}}
    assert parse_source(table).kind == "table"
    (tmp_path / "t" / "b-1.npy").unlink()
    with pytest.raises(FileNotFoundError, match=r"b-1\.npy"):
        _read_texts(str(table))
    with pytest.raises(FileNotFoundError, match=r"none\.csv"):
        _read_texts(str(tmp_path / "none.csv"))
    table.write_text(table.read_text().splitlines()[0] + "\n")
    with pytest.raises(ValueError, match=r"holds no (captions|rows)"):
        _read_clips(str(table))


def _folder(folder: Path, items: list[Clip] | list[Text], model: str, readout: str = "r") -> Path:
    made = Embeddings.from_rows(
        items, [_rows(1, 4) for _ in items], Space(model, "1", "w", 4), Readout(readout)
    )
    write_npy(made, folder)
    return folder


def test_vectors_of_two_models_are_refused_from_folders_too(tmp_path: Path) -> None:
    texts = _folder(tmp_path / "t", [Text("a-1", "")], "one")
    clips = _folder(tmp_path / "v", [Clip("a", Path(), Span(0, 1))], "other")
    with pytest.raises(SpaceMismatchError, match="model 'one' is not 'other'"):
        evaluate_vectors(str(texts), str(clips), asked=EvaluateOptions())
    (clips / "embeddings.json").unlink()
    (texts / "embeddings.json").unlink()
    evaluate_vectors(str(texts), str(clips), asked=EvaluateOptions())


@pytest.mark.parametrize(
    ("model", "readout", "words"), [("other", "r", "another space"), ("one", "s", "another way")]
)
def test_a_table_of_folders_that_differ_is_refused(
    tmp_path: Path, model: str, readout: str, words: str
) -> None:
    _folder(tmp_path / "t", [Text("a-1", ""), Text("b-1", "")], "one")
    _folder(tmp_path / "v", [Clip("a", Path(), Span(0, 1))], "one")
    _folder(tmp_path / "w", [Clip("b", Path(), Span(0, 1))], model, readout)
    lines = ["id,video,caption,video_path,video_embedding,text_embedding"]
    lines += [
        f"{n}-1,{n},words,{n}.mp4,{f}/{n}.npy,t/{n}-1.npy" for n, f in (("a", "v"), ("b", "w"))
    ]
    (tmp_path / "table.csv").write_text("\n".join(lines))
    assert _read_texts(str(tmp_path / "table.csv")).space == Space("one", "1", "w", 4)
    with pytest.raises(SpaceMismatchError, match=words):
        _read_clips(str(tmp_path / "table.csv"))


def test_the_digest_of_a_folder_tells_every_change(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "t", [Text("a-1", ""), Text("b-1", "")], "one")
    digests = [parse_source(folder).sha256()]
    (folder / ".hidden").touch()
    assert parse_source(folder).sha256() == digests[0]
    (folder / "a-1.npy").rename(folder / "c-1.npy")
    digests.append(parse_source(folder).sha256())
    np.save(folder / "c-1.npy", np.zeros(4, np.float32))
    digests.append(parse_source(folder).sha256())
    (folder / "embeddings.json").unlink()
    digests.append(parse_source(folder).sha256())
    assert len(set(digests)) == 4
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        for path in (folder / "b-1.npy", folder / "c-1.npy")
    ]
    assert digests[3] == hashlib.sha256("".join(lines).encode()).hexdigest()


def test_the_manifest_holds_the_digests_of_folders(tmp_path: Path) -> None:
    texts = _folder(tmp_path / "t", [Text("a-1", "")], "one")
    clips = _folder(tmp_path / "v", [Clip("a", Path(), Span(0, 1))], "one")
    inputs = manifest(
        evaluate_vectors(str(texts), str(clips), asked=EvaluateOptions()), run_depth=1
    )["inputs"]
    assert {inputs[side]["sha256"] for side in ("texts", "videos")} == {
        parse_source(folder).sha256() for folder in (texts, clips)
    }
