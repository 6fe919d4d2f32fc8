from __future__ import annotations

import csv
import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moviola.core import DatasetError
from moviola.datasets.annotations.captions import read_captions
from moviola.datasets.annotations.tables import read_rows
from moviola.pipeline.inputs.pairing import read_pairs
from moviola.pipeline.inputs.sources import parse_source
from moviola.pipeline.inputs.tables import Absent, make_table
from moviola.store.npy import file_name


def save(folder, dtype=np.float32, **shapes):
    folder.mkdir(exist_ok=True)
    for name, shape in shapes.items():
        np.save(folder / f"{name.replace('_', '-')}.npy", np.ones(shape, dtype))


@pytest.fixture
def world(tmp_path):
    (tmp_path / "videos" / "sub").mkdir(parents=True)
    for name in ("a.mp4", "sub/b.mkv"):
        (tmp_path / "videos" / name).touch()
    (tmp_path / "captions.csv").write_text("video,caption\na.mp4,one\na.mp4,two\nsub/b,three\n")
    save(tmp_path / "clips", a=(32, 8), b=(3, 8))
    save(tmp_path / "texts", np.float16, a_1=4, a_2=4)
    np.save(tmp_path / "texts" / file_name("sub/b-1"), np.ones(4, np.float16))
    return tmp_path


def join(world, out="table.csv", captions="captions.csv", **options):
    return make_table(
        **({"videos": world / "videos"} | options),
        captions=world / captions,
        video_embeddings=world / "clips",
        text_embeddings=world / "texts",
        out=world / out,
    )


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_row_for_every_caption(world, kind):
    report = join(world, f"made/table.{kind}")
    assert (report.rows, report.captions, report.missing, report.unused) == (3, 3, (), ())
    rows = read_rows(world / "made" / f"table.{kind}", ["id"])
    assert [dict(row.values) for row in rows][1:] == [
        {
            "id": "a-2",
            "video": "a.mp4",
            "caption": "two",
            "video_path": "../videos/a.mp4",
            "video_embedding": "../clips/a.npy",
            "video_shape": "32x8",
            "text_embedding": "../texts/a-2.npy",
            "text_shape": "4",
        },
        {
            "id": "sub/b-1",
            "video": "sub/b",
            "caption": "three",
            "video_path": "../videos/sub/b.mkv",
            "video_embedding": "../clips/b.npy",
            "video_shape": "3x8",
            "text_embedding": "../texts/sub%2Fb-1.npy",
            "text_shape": "4",
        },
    ]
    for row in rows:
        for column in ("video_path", "video_embedding", "text_embedding"):
            assert (world / "made" / row.text(column)).is_file()
    assert [path.name for path in (world / "made").iterdir()] == [f"table.{kind}"]


def test_what_is_missing_is_listed_and_gets_no_row(world):
    (world / "captions.csv").write_text("video,caption\na,one\na,two\nb,three\nz,four\nz,five\n")
    (world / "clips" / "b.npy").unlink()
    (world / "videos" / "alone.mp4").touch()
    save(world / "clips", other=(1, 8))
    save(world / "texts", np.float16, z_2=4)
    report = join(world)
    assert (report.rows, report.captions) == (2, 5)
    assert report.missing == (
        Absent("video embedding", "b"),
        Absent("text embedding", "b-1"),
        Absent("video", "z"),
        Absent("video embedding", "z"),
        Absent("text embedding", "z-1"),
    )
    assert set(report.unused) == {
        Absent("video", "alone"),
        Absent("text embedding", "sub/b-1"),
    }
    assert report.uncaptioned == 1
    ids = [row.values["id"] for row in read_rows(world / "table.csv", ["id"])]
    assert ids == ["a-1", "a-2", ""]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_videos_without_captions_stay_in_the_gallery(world, kind):
    save(world / "clips", other=(1, 8))
    np.save(world / "clips" / "a@1.000-2.500.npy", np.ones((2, 8), np.float32))
    report = join(world, f"table.{kind}")
    assert (report.rows, report.uncaptioned) == (3, 2)
    table = parse_source(world / f"table.{kind}")
    clips, texts = table.clips("mean"), table.texts()
    assert {clip.id for clip in clips.items} == {"a", "sub/b", "other", "a@1.000-2.500"}
    assert {(c.span.start, c.span.end) for c in clips.items if "@" in c.id} == {(1.0, 2.5)}
    assert [text.id for text in texts.items] == ["a-1", "a-2", "sub/b-1"]
    assert [text.id for text in read_captions(table.path)] == ["a-1", "a-2", "sub/b-1"]
    pairs = read_pairs(table, table, table, pooling="mean")
    assert len(pairs.clips) == 4
    assert set(pairs.qrels.relevant) == {"a-1", "a-2", "sub/b-1"}


def test_columns_may_be_called_as_msrvtt_calls_them(world):
    (world / "captions.csv").write_text("key,vid_key,video_id,sentence\nret0,msr1,a,one\n")
    assert join(world).rows == 1
    assert [text.text for text in read_captions(world / "captions.csv")] == ["one"]


def test_columns_may_be_called_anything(world):
    (world / "captions.csv").write_text("clip,words,video,from,to\na,one,x,,\nsub/b,two,y,,\n")
    columns = {"video": "clip", "caption": "words", "start": "from", "end": "to"}
    assert join(world, columns=columns).rows == 2
    with pytest.raises(DatasetError, match="there is no column 'absent'"):
        join(world, columns={"video": "absent"})
    with pytest.raises(ValueError, match="no column 'clip' is read; there are video, caption"):
        join(world, columns={"clip": "video"})


def test_a_table_needs_no_video_files(world):
    shutil.rmtree(world / "videos")
    (world / "captions.csv").write_text("video,caption\na.mp4,one\nb,three\n")
    save(world / "texts", np.float16, b_1=4)
    report = join(world, videos=None)
    assert (report.rows, report.missing, report.bad) == (2, (), ())
    clips = parse_source(world / "table.csv").clips("mean")
    assert [(clip.id, clip.path) for clip in clips.items] == [("a", Path()), ("b", Path())]


def test_every_bad_file_is_listed(world):
    np.save(world / "clips" / "b.npy", np.full((3, 8), np.nan, np.float32))
    (world / "texts" / "a-2.npy").write_bytes(b"")
    save(world / "clips", alone=(9,))
    report = join(world)
    assert (report.rows, report.captions, report.uncaptioned) == (1, 3, 0)
    assert [bad.path.rpartition("/")[2] for bad in report.bad] == ["b.npy", "alone.npy", "a-2.npy"]
    assert [bad.why.split("npy ", 1)[1] for bad in report.bad] == [
        "holds NaN or infinity; encode it again",
        "has vectors of 9 numbers, the others of 8",
        "is empty",
    ]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_moments_and_splits_are_kept(world, kind):
    (world / "captions.csv").write_text(
        "split,caption,video,start,end\ntest,one,a,0.5,2\ntest,whole,a,,\n"
    )
    np.save(world / "clips" / "a@0.500-2.000.npy", np.ones(8))
    np.save(world / "texts" / "a@0.500-2.000-1.npy", np.ones(4))
    report = join(world, f"table.{kind}")
    assert not report.missing
    rows = read_rows(world / f"table.{kind}", ["split"])
    assert [row.span() is None for row in rows] == [False, True, True]
    assert rows.pop().values["video"] == "b"  # no caption describes it
    assert rows[0].values["video_embedding"] == "clips/a@0.500-2.000.npy"
    assert rows[0].values["text_embedding"] == "texts/a@0.500-2.000-1.npy"
    # The table is itself a table of captions.
    texts = read_captions(world / f"table.{kind}")
    assert [text.id for text in texts] == [row.text("id") for row in rows]


def test_annotations_in_the_layout_of_msrvtt(world):
    value = {
        "videos": [{"video_id": "a", "split": "test"}],
        "sentences": [{"video_id": "a", "caption": "one"}],
    }
    (world / "info.json").write_text(json.dumps(value))
    join(world, captions="info.json")
    row, alone = read_rows(world / "table.csv", ["split"])
    assert (alone.values["id"], alone.values["video"]) == ("", "b")
    assert (row.text("id"), row.text("split")) == ("a-1", "test")


def broken_array(world):
    (world / "clips" / "b.npy").write_bytes(b"\x93NUMPY noise")


def pickled(world):
    np.save(world / "clips" / "b.npy", np.array([{}], object), allow_pickle=True)


def not_finite(world):
    np.save(world / "clips" / "b.npy", np.full((3, 8), np.nan, np.float32))


def zeros(world):
    rows = np.ones((3, 8), np.float32)
    rows[1] = 0
    np.save(world / "clips" / "b.npy", rows)


def other_length(world):
    np.save(world / "clips" / "b.npy", np.ones((3, 9), np.float32))


def three_sides(world):
    np.save(world / "clips" / "b.npy", np.ones((2, 3, 8), np.float32))


def whole_numbers(world):
    np.save(world / "clips" / "b.npy", np.ones((3, 8), np.int64))


def no_embeddings(world):
    shutil.rmtree(world / "texts")


def no_column(world):
    (world / "captions.csv").write_text("caption\none\n")


def no_captions(world):
    (world / "captions.csv").write_text("video,caption\n")


def nothing_fits(world):
    (world / "captions.csv").write_text("video,caption\nq,one\n")


def open_quote(world):
    (world / "captions.csv").write_text('video,caption\na,one\nsub/b,"two\n')


def no_videos(world):
    shutil.rmtree(world / "videos")


def two_videos(world):
    (world / "videos" / "sub" / "a.mp4").touch()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (broken_array, r"b.npy cannot be read as .npy"),
        (pickled, r"b.npy .* it holds pickled Python objects"),
        (not_finite, r"b.npy holds NaN or infinity"),
        (zeros, r"b.npy holds a vector of zeros"),
        (other_length, r"b.npy has vectors of 9 numbers, the others of 8"),
        (three_sides, r"b.npy has shape \(2, 3, 8\); one item is \(D,\) or \(n, D\)"),
        (whole_numbers, r"b.npy holds int64"),
    ],
)
def test_a_bad_embedding_is_told_and_costs_its_rows_alone(world, spoil, words):
    save(world / "clips", c=(3, 8))  # what most have is the usual length
    spoil(world)
    report = join(world)
    (bad,) = report.bad
    assert re.search(words, bad.why)
    assert report.rows == 2


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (no_embeddings, "texts holds no .npy files"),
        (no_column, "line 2: there is no column 'video' to join by"),
        (no_captions, "holds no captions"),
        (nothing_fits, "none of the 1 captions of .* the first to be missing is the video 'q'"),
        (open_quote, "line 3: .* is not closed"),
        (no_videos, "videos is not a folder"),
        (two_videos, "may mean .*name it by its path"),
    ],
)
def test_bad_input_is_named_and_leaves_the_old_table_alone(world, spoil, words):
    join(world)
    before = (world / "table.csv").read_bytes()
    spoil(world)
    names = sorted(path.name for path in world.iterdir())
    with pytest.raises((DatasetError, ValueError), match=words):
        join(world)
    assert (world / "table.csv").read_bytes() == before
    assert sorted(path.name for path in world.iterdir()) == names


def test_a_table_is_not_written_over_its_captions_or_as_something_else(world):
    before = (world / "captions.csv").read_bytes()
    with pytest.raises(ValueError, match="is the table of captions; write to another file"):
        join(world, "captions.csv")
    assert (world / "captions.csv").read_bytes() == before
    with pytest.raises(ValueError, match=r"must end in .csv or .parquet"):
        join(world, "table.xlsx")


def test_a_full_disk_leaves_nothing_half_written(world, monkeypatch):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(csv.DictWriter, "writerows", refuse)
    with pytest.raises(OSError, match="No space left"):
        join(world)
    assert not list(world.glob("*table.csv*"))


def test_a_file_whose_name_is_no_text_is_told(world):
    name = os.fsdecode(b"caf\xe9.mp4")
    try:
        (world / "videos" / name).touch()
    except OSError:
        pytest.skip("this file system takes Unicode names only")
    save(world / "clips", caf=(1, 8))
    # Such a file cannot be named in a table of captions, and stands in the way of nothing.
    report = join(world)
    assert Absent("video", r"caf\xe9") in report.unused


def test_a_path_that_is_no_text_is_refused(world):
    odd = world / os.fsdecode(b"caf\xe9")
    try:
        shutil.move(world / "clips", odd)
    except OSError:
        pytest.skip("this file system takes Unicode names only")
    with pytest.raises(DatasetError, match=r"caf\\xe9/a.npy: the name is not valid Unicode"):
        make_table(
            videos=world / "videos",
            captions=world / "captions.csv",
            video_embeddings=odd,
            text_embeddings=world / "texts",
            out=world / "table.csv",
        )
    assert not (world / "table.csv").exists()


def test_paths_are_absolute_where_no_relative_one_leads(world, monkeypatch):
    def other_drive(*_):
        raise ValueError("path is on mount 'C:', start on mount 'D:'")

    monkeypatch.setattr(os.path, "relpath", other_drive)
    join(world)
    row = read_rows(world / "table.csv", ["video_path"])[0]
    assert row.text("video_path") == (world / "videos" / "a.mp4").as_posix()


WORDS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1
).filter(str.strip)


@given(st.lists(WORDS, min_size=1, max_size=4), st.sampled_from(["csv", "parquet"]))
def test_words_come_back_as_they_were(tmp_path_factory, words, kind):
    root = tmp_path_factory.mktemp("words")
    (root / "videos").mkdir()
    (root / "videos" / "a.mp4").touch()
    save(root / "clips", a=(2,))
    save(root / "texts", **{f"a_{n + 1}": (2,) for n in range(len(words))})
    lines = [json.dumps({"video": "a", "caption": each}) for each in words]
    (root / "captions.jsonl").write_text("\n".join(lines))
    join(root, f"table.{kind}", "captions.jsonl")
    found = [text.text for text in read_captions(root / f"table.{kind}")]
    assert found == [each.strip() for each in words]


def test_parquet_has_typed_columns(world):
    np.save(world / "clips" / "a@1.000-2.000.npy", np.ones(8))
    np.save(world / "texts" / "a@1.000-2.000-1.npy", np.ones(4))
    (world / "captions.csv").write_text("video,caption,start,end\na,one,1,2\na,two,,\n")
    join(world, "table.parquet")
    schema = pq.read_schema(world / "table.parquet")
    assert str(schema.field("start").type) == "double"
    assert {str(schema.field(name).type) for name in ("id", "caption", "text_shape")} == {"string"}
