"""The published annotations, as they lie beside the checkout, against the published numbers."""

from __future__ import annotations

import csv
import hashlib
import json

import pytest

from moviola.core import DatasetError
from moviola.datasets import activitynet, didemo, msrvtt, msvd, youcook2
from moviola.datasets.annotations.coverage import caveats
from moviola.datasets.annotations.gallery import read_ids
from moviola.datasets.annotations.protocols import PROTOCOLS
from moviola.plugins import load_dataset
from moviola.testing import check_dataset

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def annotations(shared_data):
    return shared_data / "annotations"


def linked(root, *sources):
    for source in sources:
        (root / source.name).symlink_to(source)
    return root


@pytest.mark.parametrize(
    ("name", "clips", "texts"),
    [
        ("msrvtt-1ka", 1000, 1000),
        ("msvd", 670, 27_763),
        ("didemo", 1004, 1004),
        ("activitynet-val1", 4917, 4917),
        ("youcook2-val", 3349, 3350),
    ],
)
def test_a_protocol_holds_what_was_published(annotations, name, clips, texts):
    protocol = PROTOCOLS[name]
    found = load_dataset(protocol.dataset, annotations, protocol.split)
    assert found.name == name
    assert (len(found.clips), len(found.texts)) == (clips, texts)
    assert len(found.qrels) == texts
    # No videos lie there: the gallery is whole all the same, and the result says what is missing.
    assert caveats(found) == (f"you have 0 of {clips:,}: not comparable",)


def test_the_files_are_those_that_the_protocols_were_measured_on(annotations):
    lying = {path.name: path for path in annotations.glob("*/*")}
    for protocol in PROTOCOLS.values():
        for name, digest in protocol.files.items():
            assert hashlib.sha256(lying[name].read_bytes()).hexdigest() == digest


@pytest.mark.parametrize(
    ("folder", "name", "count"),
    [
        ("MSRVTT", "MSRVTT_train.7k.csv", 7010),
        ("MSRVTT", "MSRVTT_train.9k.csv", 9000),
        ("CE_splits", "msrvtt_test_list_miech.txt", 1000),
        ("CE_splits", "msrvtt_train_list_miech.txt", 6656),
        ("CE_splits", "msrvtt_train_list_full.txt", 6513),
        ("CE_splits", "msrvtt_val_list_full.txt", 497),
        ("CE_splits", "msrvtt_test_list_full.txt", 2990),
        ("MSVD", "train_list.txt", 1200),
        ("MSVD", "val_list.txt", 100),
        ("MSVD", "test_list.txt", 670),
        ("CE_splits", "didemo_test_list.txt", 1004),
        ("CE_splits", "activity-net_val_1_list.txt", 4917),
    ],
)
def test_a_list_is_as_long_as_published(annotations, folder, name, count):
    assert len(read_ids(annotations / folder / name)) == count


@pytest.fixture(scope="module")
def official(annotations, tmp_path_factory):
    """The real lists of videos, with an official annotation file whose captions are made up."""
    root = tmp_path_factory.mktemp("msrvtt")
    splits = annotations / "CE_splits"
    videos = [
        {"video_id": video, "split": split, "category": int(video.removeprefix("video")) % 20}
        for split, listed in (("train", "train"), ("validate", "val"), ("test", "test"))
        for video in read_ids(splits / f"msrvtt_{listed}_list_full.txt")
    ]
    write_annotations(root, videos, 1)
    return linked(
        root, *splits.glob("msrvtt_*_miech.txt"), *(annotations / "MSRVTT").glob("MSRVTT_*.csv")
    )


def write_annotations(root, videos, each):
    sentences = [
        {"video_id": video["video_id"], "caption": f"take {take} of {video['video_id']}"}
        for video in videos
        for take in range(each)
    ]
    (root / "MSRVTT_data.json").write_text(json.dumps({"videos": videos, "sentences": sentences}))


@pytest.mark.parametrize(
    ("split", "clips"),
    [
        ("1ka", 1000),
        ("1ka-train-7k", 7010),
        ("1ka-train-9k", 9000),
        ("1kb", 1000),
        ("1kb-train", 6656),
        ("full-train", 6513),
        ("full-val", 497),
    ],
)
def test_every_published_split_of_msrvtt_loads(official, split, clips):
    found = msrvtt.load(official, split)
    assert found.name == f"msrvtt-{split}"
    assert len(found.clips) == len(found.texts) == clips
    assert {text.id for text in found.texts} == {f"{clip.id}-1" for clip in found.clips}
    assert len(found.groups) == 20
    texts = {text.id for text in found.texts if text.id.endswith("7-1")}
    assert texts == found.groups["category: movie/comedy"] | found.groups["category: cooking"]


def test_full_msrvtt_has_twenty_captions_a_video(official, tmp_path):
    with pytest.raises(DatasetError, match="captions: 2,990, where 59,800 were published"):
        msrvtt.load(official, "full")
    listed = [clip.id for clip in msrvtt.load(official, "test").clips]
    videos = [{"video_id": video, "split": "test"} for video in listed]
    write_annotations(tmp_path, videos, 20)
    assert len(msrvtt.load(tmp_path, "full").texts) == 59_800


def test_a_listed_video_without_annotations_is_told(official, tmp_path):
    linked(tmp_path, *official.glob("*miech.txt"))
    write_annotations(tmp_path, [{"video_id": "video1", "split": "test"}], 1)
    with pytest.raises(DatasetError, match=r"miech.txt lists 'video\d+', which the annotations do"):
        msrvtt.load(tmp_path, "1kb")


def test_1kb_takes_the_first_caption_of_each_video(official, tmp_path):
    linked(tmp_path, *official.glob("*miech.txt"))
    videos = [{"video_id": clip.id, "split": "test"} for clip in msrvtt.load(official, "1kb").clips]
    write_annotations(tmp_path, videos, 3)
    texts = msrvtt.load(tmp_path, "1kb").texts
    assert [text.text for text in texts] == [f"take 0 of {video['video_id']}" for video in videos]


def test_training_on_a_test_video_is_refused(annotations, tmp_path):
    linked(tmp_path, annotations / "MSRVTT" / "MSRVTT_JSFUSION_test.csv")
    with (annotations / "MSRVTT" / "MSRVTT_train.7k.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    rows[5] = ["video9770"]
    with (tmp_path / "MSRVTT_train.7k.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    with pytest.raises(DatasetError, match=r"7k.csv share 1 videos, .*'video9770'"):
        msrvtt.load(tmp_path, "1ka")


def test_msvd_with_a_video_in_two_lists_is_refused(annotations, tmp_path):
    linked(tmp_path, *(annotations / "MSVD").glob("*.json"), annotations / "MSVD/test_list.txt")
    videos = read_ids(annotations / "MSVD" / "train_list.txt")
    tested = read_ids(annotations / "MSVD" / "test_list.txt")
    (tmp_path / "train_list.txt").write_text("\n".join([*videos[:-1], tested[7]]))
    for split in ("train", "test"):
        with pytest.raises(DatasetError, match=f"share 1 videos.*{tested[7]}"):
            msvd.load(tmp_path, split)


def test_msvd_training_lists_hold_what_was_published(annotations):
    root = annotations / "MSVD"
    assert [len(msvd.load(root, split).texts) for split in ("train", "val")] == [48_774, 4290]


def test_didemo_from_the_list_and_without_it(annotations, tmp_path):
    alone = didemo.load(linked(tmp_path, annotations / "DiDeMo/didemo_test_label.csv"), "test")
    both = didemo.load(annotations, "test")
    assert {clip.id for clip in alone.clips} == {clip.id for clip in both.clips}
    assert sorted(text.text for text in alone.texts) == sorted(text.text for text in both.texts)
    assert "10052357@N03_7585070382_5762149bfc" in {clip.id for clip in alone.clips}


def test_activitynet_joins_the_sentences_of_a_video(annotations):
    found = activitynet.load(annotations / "ActivityNet", "val_1")
    assert found.texts[0].id == "v_uqiMw7tQ1Cc-1"
    assert found.texts[0].text.startswith("A weight lifting tutorial is given. The coach helps")


def test_youcook2_subsets(annotations):
    root = annotations / "YouCook2"
    train, validation = (youcook2.load(root, split) for split in ("train", "validation"))
    assert (len(train.texts), len(validation.texts)) == (10_337, 3492)
    tested = {clip.id for clip in youcook2.load(root, "val").clips}
    assert tested < {clip.id for clip in validation.clips}


def test_879_of_1000(annotations, tmp_path):
    root = linked(tmp_path, annotations / "MSRVTT" / "MSRVTT_JSFUSION_test.csv")
    (root / "videos").mkdir()
    for clip in msrvtt.load(root, "1ka").clips[:879]:
        (root / "videos" / f"{clip.id}.mp4").touch()
    found = check_dataset(msrvtt.load, root, "1ka")
    assert not found.is_complete
    assert len(found.missing) == 121
    assert caveats(found) == ("you have 879 of 1,000: not comparable",)


def test_other_captions_are_told(annotations, tmp_path):
    raw = (annotations / "MSRVTT" / "MSRVTT_JSFUSION_test.csv").read_text("utf-8")
    (tmp_path / "videos").mkdir()
    copy = tmp_path / "MSRVTT_JSFUSION_test.csv"
    copy.write_text(raw.replace("a little girl does gymnastics", "a girl does gymnastics"), "utf-8")
    for clip in msrvtt.load(tmp_path, "1ka").clips:
        (tmp_path / "videos" / f"{clip.id}.mp4").touch()
    assert caveats(msrvtt.load(tmp_path, "1ka")) == (
        "the captions are not those published for msrvtt-1ka: not comparable",
    )
    copy.write_text(raw, "utf-8")
    assert caveats(msrvtt.load(tmp_path, "1ka")) == ()
