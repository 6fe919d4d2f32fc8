"""Loaders of data sets in COCO's and in BEIR's layout."""

from __future__ import annotations

import json

import pytest

from moviola.core import DatasetError
from moviola.datasets import beir, coco
from moviola.datasets.annotations.captions import read_captions
from moviola.testing import check_dataset


def put(root, **files):
    for name, value in files.items():
        path = root / name.replace("__", ".").replace("_slash_", "/")
        path.parent.mkdir(exist_ok=True)
        path.write_text(value if isinstance(value, str) else json.dumps(value))
    return root


def touch(root, *names):
    (root / "videos").mkdir(exist_ok=True)
    for name in names:
        (root / "videos" / name).touch()


def lines(*words):
    return "\n".join(words) + "\n"


# COCO captions


IMAGES = [{"id": 7, "file_name": "a.mp4"}, {"id": 8, "file_name": "b.mp4"}]


def test_coco_captions(tmp_path):
    annotations = [
        {"id": 1, "image_id": 7, "caption": "one"},
        {"id": 2, "image_id": 7, "caption": "two"},
    ]
    put(tmp_path, captions_val__json={"images": IMAGES, "annotations": annotations, "info": {}})
    touch(tmp_path, "a.mp4")
    found = check_dataset(coco.load, tmp_path, "val")
    # A video without captions stays in the gallery.
    assert [clip.id for clip in found.clips] == ["a", "b"]
    assert found.missing == ("b",)
    assert found.qrels.relevant == {"a-1": {"a"}, "a-2": {"a"}}
    assert read_captions(tmp_path / "captions_val.json") == found.texts
    put(tmp_path, other__json={"a": ["x"]})
    with pytest.raises(DatasetError, match=r"neither 'videos' and 'sentences'.* nor 'images'"):
        read_captions(tmp_path / "other.json")


def test_coco_captions_of_videos_without_file_names(tmp_path):
    value = {"videos": [{"id": "v1"}], "annotations": [{"video_id": "v1", "caption": "x"}]}
    put(tmp_path, test__json=value)
    assert [clip.id for clip in check_dataset(coco.load, tmp_path, "test").clips] == ["v1"]


@pytest.mark.parametrize(
    ("images", "annotations", "words"),
    [
        (IMAGES, [{"image_id": 9, "caption": "x"}], r"annotations\[0\]: there is no '9' among"),
        (IMAGES, [{"image_id": 7, "caption": " "}], r"annotations\[0\]: 'caption' is ' '"),
        (IMAGES, [{"id": 1, "image_id": 7, "caption": "x"}] * 2, "the id '1' comes a second time"),
        ([*IMAGES, IMAGES[0]], [], r"images\[2\]: '7' \('a'\) comes a second time"),
        ([*IMAGES, {"id": 9, "file_name": "a.avi"}], [], r"'9' \('a'\) comes a second time"),
        (IMAGES, [], "holds no captions"),
        (IMAGES, None, "annotations is a NoneType instead of a list"),
        (None, [], "images is a NoneType instead of a list"),
        ([{"file_name": "a.mp4"}], [], r"images\[0\]: 'id' is None"),
    ],
)
def test_bad_coco_captions_are_told(tmp_path, images, annotations, words):
    put(tmp_path, val__json={"images": images, "annotations": annotations})
    with pytest.raises(DatasetError, match=words):
        coco.load(tmp_path, "val")


def test_a_split_of_coco_is_part_of_a_file_name(tmp_path):
    for split in ("../x", "*", ""):
        with pytest.raises(DatasetError, match="is no split"):
            coco.load(tmp_path, split)


# BEIR


CORPUS = lines('{"_id": "c1", "video": "a.mp4", "start": 0, "end": 2}', '{"_id": "b", "title": ""}')
QUERIES = lines('{"_id": "q1", "text": "one"}', '{"_id": "q2", "text": "two"}')
HEAD = "query-id\tcorpus-id\tscore"


def write_beir(root, *judged, corpus=CORPUS, queries=QUERIES, head=HEAD):
    return put(
        root,
        corpus__jsonl=corpus,
        queries__jsonl=queries,
        qrels_slash_test__tsv=lines(head, *judged),
    )


def test_beir_folders(tmp_path):
    write_beir(tmp_path, "q1\tc1\t1", "q1\tb\t2", "q2\tb\t0")
    touch(tmp_path, "a.mp4")
    found = check_dataset(beir.load, tmp_path, "test")
    assert [(clip.id, clip.span.end) for clip in found.clips] == [("c1", 2), ("b", 1e6)]
    assert found.missing == ("b",)
    assert [text.id for text in found.texts] == ["q1"]
    assert found.qrels.relevant == {"q1": {"c1", "b"}}


@pytest.mark.parametrize(
    ("judged", "more", "words"),
    [
        ("q3\tb\t1", {}, "test.tsv, line 2: queries.jsonl has no 'q3'"),
        ("q1\tz\t1", {}, "test.tsv, line 2: corpus.jsonl has no 'z'"),
        ("q1\tb\tx", {}, "line 2: the score 'x' is no whole number"),
        ("q1\tb\t0", {}, "nothing is relevant to any query"),
        ("q1 b 1", {}, "line 2: 1 fields separated by tabs"),
        ("q1\tb\t1\nq1\tb\t1", {}, "line 3: 'q1' and 'b' come a second time"),
        ("q1\tb\t1", {"head": "q1\tb\t1"}, "the first line must name the columns"),
        ("q1\tb\t1", {"corpus": CORPUS + '{"_id": "b"}'}, "the id 'b' comes a second time"),
        ("q1\tb\t1", {"queries": QUERIES + '{"_id": "q1", "text": "x"}'}, "the id 'q1' comes"),
        ("q1\tb\t1", {"queries": '{"_id": "q1"}'}, "line 1: there is no column 'text'"),
    ],
)
def test_bad_beir_folders_are_told(tmp_path, judged, more, words):
    write_beir(tmp_path, judged, **more)
    with pytest.raises(DatasetError, match=words):
        beir.load(tmp_path, "test")


def test_two_files_for_one_annotation_are_refused(tmp_path):
    put(tmp_path, captions_val__json={}, more_slash_captions_val__json={})
    with pytest.raises(DatasetError, match=r"may both be captions_val.json; keep one"):
        coco.load(tmp_path, "val")
