from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moviola.core import DatasetError, Span
from moviola.datasets import folder
from moviola.datasets.annotations.captions import caption_ids, is_caption_table, read_captions
from moviola.testing import check_dataset


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_a_bare_folder_is_a_gallery(tmp_path):
    touch(tmp_path, "a.mp4", "sub/b.MKV", "sub/b.webm", "notes.txt", ".hidden.mp4", ".x/c.mp4")
    found = check_dataset(folder.load, tmp_path, "all")
    assert [clip.id for clip in found.clips] == ["a", "sub/b.MKV", "sub/b.webm"]
    assert not found.texts
    with pytest.raises(DatasetError, match="no table of captions and so no split 'test'"):
        folder.load(tmp_path, "test")


def test_an_empty_or_absent_folder_is_told(tmp_path):
    with pytest.raises(DatasetError, match="holds no videos"):
        folder.load(tmp_path, "all")
    with pytest.raises(DatasetError, match="is not a folder"):
        folder.load(tmp_path / "x", "all")


ROWS = [
    {"video": "a.mp4", "caption": "a dog, running", "split": "test"},
    {"video": "a.mp4", "caption": 'he says "hi"', "split": "test"},
    {"video": "sub/b", "caption": "ein Bär", "split": "train"},
    {"video": "gone", "caption": "lost", "split": "test"},
]


def as_csv(path, *, bom=False):
    lines = ["video,caption,split"]
    for row in ROWS:
        quoted = row["caption"].replace('"', '""')
        lines.append(f'{row["video"]},"{quoted}",{row["split"]}')
    path.write_bytes((b"\xef\xbb\xbf" if bom else b"") + "\r\n".join(lines).encode())


@pytest.mark.parametrize("kind", ["csv", "bom", "jsonl", "parquet"])
def test_every_kind_of_table_says_the_same(tmp_path, kind):
    touch(tmp_path, "a.mp4", "sub/b.mp4")
    if kind == "jsonl":
        (tmp_path / "captions.jsonl").write_text("\n".join(map(json.dumps, ROWS)) + "\n\n")
    elif kind == "parquet":
        pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "captions.parquet")
    else:
        as_csv(tmp_path / "captions.csv", bom=kind == "bom")
    found = check_dataset(folder.load, tmp_path, "test")
    assert {text.id: text.text for text in found.texts} == {
        "a-1": "a dog, running",
        "a-2": 'he says "hi"',
        "gone-1": "lost",
    }
    assert found.missing == ("gone",)
    assert {clip.id for clip in folder.load(tmp_path, "all").clips} == {"a", "sub/b", "gone"}
    with pytest.raises(DatasetError, match="no split 'val'; it has all, test, train"):
        folder.load(tmp_path, "val")


def test_moments_are_clips_of_their_own(tmp_path):
    touch(tmp_path, "a.mp4")
    (tmp_path / "captions.csv").write_text(
        "video,caption,start,end\na,first,0,1.5\na,again,0,1.5\na,whole,,\n"
    )
    found = check_dataset(folder.load, tmp_path, "all")
    assert {clip.id: clip.span.end for clip in found.clips} == {"a@0.000-1.500": 1.5, "a": 1e6}
    assert found.clips[0].span == Span(0, 1.5)
    assert found.qrels.relevant["a@0.000-1.500-2"] == {"a@0.000-1.500"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty; its first line must name the columns"),
        (b"video,text\na,b\n", "line 1: there is no column 'caption'; there are 'video', 'text'"),
        (b"caption\nb\n", "no column 'video'"),
        (b'video,caption\na,fine\na,"open\nb,next\n', "line 3: .*a quote that opens in this row"),
        (b'video,caption\na,"x" y\n', "line 2: .*quote"),
        (b"video,caption\na,one, two\n", "line 2: 3 fields under 2 columns"),
        (b"video,caption\na,b\xe9\n", "line 2: byte 0xe9 is not UTF-8"),
        (b"video,caption\na,\n", "line 2: 'caption' is ''; write words"),
        (b"video,caption,start,end\na,b,0,\n", "line 2: a moment needs both start and end"),
        (b"video,caption,start,end\na,b,3,1\n", "line 2: a span needs 0 <= start < end"),
        (b"video,caption,start,end\na,b,x,1\n", "line 2: 'start' is 'x'; write seconds"),
        (b"video,caption\n", "no split 'all'; it is empty"),
    ],
)
def test_a_bad_table_is_named_by_file_and_row(tmp_path, content, words):
    touch(tmp_path, "a.mp4")
    (tmp_path / "captions.csv").write_bytes(content)
    with pytest.raises(DatasetError, match=words) as caught:
        folder.load(tmp_path, "all")
    assert "captions.csv" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("captions.jsonl", b'{"video": "a", "caption": "b"}\n{', "line 2: not JSON"),
        ("captions.jsonl", b"[1]\n", "line 1: a list instead of an object"),
        ("captions.jsonl", b'{"video": "a", "caption": 3}\n', "line 1: 'caption' is 3"),
        ("captions.parquet", b"noise", "cannot be read as Parquet"),
    ],
)
def test_other_bad_tables_are_named_too(tmp_path, name, content, words):
    touch(tmp_path, "a.mp4")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DatasetError, match=words):
        folder.load(tmp_path, "all")


def test_what_could_mean_two_things_is_refused(tmp_path):
    touch(tmp_path, "x/a.mp4", "y/a.mp4")
    (tmp_path / "captions.csv").write_text("video,caption\na,which?\n")
    with pytest.raises(DatasetError, match=r"'a' may mean .*x.a.mp4 and .*y.a.mp4"):
        folder.load(tmp_path, "all")
    (tmp_path / "captions.jsonl").touch()
    with pytest.raises(DatasetError, match=r"captions.csv and captions.jsonl; keep one"):
        folder.load(tmp_path, "all")


@given(st.lists(st.sampled_from(["a", "b", "a-1", "video7"]), max_size=12))
def test_captions_are_numbered_within_their_clip(clips):
    ids = caption_ids(clips)
    for clip, identity in zip(clips, ids, strict=True):
        assert identity.rpartition("-")[0] == clip
    for clip in set(clips):
        own = [int(i.rpartition("-")[2]) for c, i in zip(clips, ids, strict=True) if c == clip]
        assert own == list(range(1, len(own) + 1))


def test_captions_alone_can_be_read(tmp_path):
    lines, table = tmp_path / "c.txt", tmp_path / "c.csv"
    lines.write_text("a dog\n\n  \na cat\n")
    table.write_text("caption,video\na dog,x.mp4\na cat,y\na cow,x\n")
    assert [(t.id, t.text) for t in read_captions(lines)] == [
        ("caption-1", "a dog"),
        ("caption-4", "a cat"),
    ]
    assert [text.id for text in read_captions(table)] == ["x-1", "y-1", "x-2"]
    assert is_caption_table(table)
    assert not is_caption_table(tmp_path)
    assert not is_caption_table(tmp_path / "x.csv")
    lines.write_text("\n")
    with pytest.raises(DatasetError, match="holds no captions"):
        read_captions(lines)
    with pytest.raises(DatasetError, match=r"is none of .csv, .jsonl, .parquet"):
        read_captions(tmp_path / "c.xlsx")
