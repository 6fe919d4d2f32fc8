from __future__ import annotations

import csv
import json

import pytest

from moviola.core import DatasetError, Span
from moviola.datasets import msrvtt
from moviola.datasets.annotations.msrvtt_categories import CATEGORIES
from moviola.testing import check_dataset

INFO = {"description": "a small one"}


def video(number, split="test", **more):
    return {"video_id": f"video{number}", "split": split, "category": 9, "url": ""} | more


def sentence(number, caption, **more):
    return {"video_id": f"video{number}", "caption": caption, "sen_id": 0} | more


def write(root, videos, sentences, name="annotations.json", files=None):
    (root / "videos").mkdir(exist_ok=True)
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_text(json.dumps({"info": INFO, "videos": videos, "sentences": sentences}))
    for each in videos if files is None else files:
        (root / "videos" / f"{each['video_id']}.mp4").touch()
    return root


@pytest.fixture
def small(tmp_path):
    return write(
        tmp_path,
        [
            video(1, **{"start time": 10.5, "end time": 14.0}),
            video(2),
            video(3, "train"),
            video(4, "val"),
        ],
        [
            sentence(2, "a dog runs", held_out=True),
            sentence(1, "a cat"),
            sentence(3, "a cow"),
            sentence(1, "a small cat", held_out=False),
            sentence(4, "a hen"),
        ],
    )


def test_a_split_is_read(small):
    found = check_dataset(msrvtt.load, small, "test")
    assert [clip.id for clip in found.clips] == ["video1", "video2"]
    assert found.clips[0].span == Span(0, 3.5)
    assert found.clips[1].span.duration > 86400
    assert {text.id: text.text for text in found.texts} == {
        "video2-1": "a dog runs",
        "video1-1": "a cat",
        "video1-2": "a small cat",
    }
    assert found.qrels.relevant["video1-2"] == {"video1"}
    assert found.groups == {"held-out": {"video2-1"}}
    assert found.is_complete


@pytest.mark.parametrize(
    ("split", "count"), [("train", 1), ("val", 1), ("validate", 1), ("all", 4), ("test", 2)]
)
def test_every_split_is_there(small, split, count):
    assert len(check_dataset(msrvtt.load, small, split).clips) == count


def test_captions_are_grouped_by_the_category_of_their_video(tmp_path):
    kinds = {1: 0, 2: 19, 3: 0, 4: 3}
    root = write(
        tmp_path,
        [video(number, category=kind) for number, kind in kinds.items()],
        [sentence(number, "a", held_out=number == 2) for number in (1, 1, 2, 3, 4)],
    )
    assert check_dataset(msrvtt.load, root, "test").groups == {
        "held-out": {"video2-1"},
        "category: advertisement": {"video2-1"},
        "category: music": {"video1-1", "video1-2", "video3-1"},
        "category: sports/actions": {"video4-1"},
    }
    moments = [
        {"qid": number, "query": "it jumps", "vid": f"video{number}", "relevant_windows": [[0, 1]]}
        for number in (1, 4)
    ]
    (root / "moments.jsonl").write_text("\n".join(map(json.dumps, moments)))
    assert msrvtt.load(root, "test-moments").groups == {
        "category: music": {"1"},
        "category: sports/actions": {"4"},
    }


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        (0, 0, set()),  # a generated world: one bar would say nothing
        (None, "", set()),
        (None, 5, set()),
        (16, 17, {"category: food/drink", "category: cooking"}),
        (1, 20, {"category: people", "category: 20"}),  # another data set's own kinds
        ("indoors", "outdoors", {"category: indoors", "category: outdoors"}),
    ],
)
def test_categories_are_named_where_there_are_several(tmp_path, first, second, found):
    videos = [video(1, category=first), video(2, category=second)]
    root = write(tmp_path, videos, [sentence(1, "a"), sentence(2, "b")])
    assert msrvtt.load(root, "test").groups.keys() == found


def test_a_category_that_is_no_name_is_refused(tmp_path):
    root = write(tmp_path, [video(1, category=[3])], [])
    with pytest.raises(DatasetError, match=r"videos\[0\]: 'category' is \[3\]"):
        msrvtt.load(root, "test")


def test_there_are_twenty_categories():
    assert len(set(CATEGORIES)) == 20


def test_missing_videos_are_listed_and_stay_in_the_gallery(small):
    (small / "videos" / "video1.mp4").unlink()
    found = check_dataset(msrvtt.load, small, "test")
    assert found.missing == ("video1",)
    assert not found.is_complete
    # The gallery is whole all the same: embeddings made elsewhere may hold the missing video.
    assert [clip.id for clip in found.clips] == ["video1", "video2"]
    assert set(found.qrels.relevant) == {"video2-1", "video1-1", "video1-2"}


def test_official_files_are_joined(tmp_path):
    write(tmp_path, [video(1, "train")], [sentence(1, "a")], "train_val_videodatainfo.json")
    write(tmp_path, [video(2)], [sentence(2, "b")], "test_videodatainfo.json")
    assert len(check_dataset(msrvtt.load, tmp_path, "all").clips) == 2
    write(tmp_path, [video(1)], [], "test_videodatainfo.json")
    with pytest.raises(DatasetError, match=r"videos\[0\]: the video 'video1' comes a second time"):
        msrvtt.load(tmp_path, "all")


def test_moments_are_a_data_set_of_their_own(small):
    rows = [
        {"qid": 7, "query": "it jumps", "vid": "video1", "duration": 3.5,
         "relevant_windows": [[0, 1.5], [2, 3]], "held_out": True},
        {"qid": 8, "query": "it eats", "vid": "video3", "relevant_windows": [[1, 2]]},
    ]  # fmt: skip
    (small / "moments.jsonl").write_text("\n".join(map(json.dumps, rows)))
    found = check_dataset(msrvtt.load, small, "test-moments")
    assert found.moments == {"7": (Span(0, 1.5), Span(2, 3))}
    assert found.qrels.relevant == {"7": {"video1"}}
    assert found.groups == {"held-out": {"7"}}
    assert not msrvtt.load(small, "test").moments
    assert len(msrvtt.load(small, "all-moments").texts) == 2
    with pytest.raises(DatasetError, match="no query about a video of this split"):
        msrvtt.load(small, "val-moments")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"vid": "video9"}, "no video 'video9'"),
        ({"relevant_windows": [[1, 0]]}, "0 <= start < end"),
        ({"relevant_windows": []}, "is empty"),
        ({"relevant_windows": 3}, "not a list"),
        ({"query": ""}, "write words"),
    ],
)
def test_bad_moments_are_named_by_their_line(small, change, words):
    row = {"qid": 1, "query": "x", "vid": "video1", "relevant_windows": [[0, 1]]} | change
    (small / "moments.jsonl").write_text("\n" + json.dumps(row))
    with pytest.raises(DatasetError, match=f"line 2.*{words}"):
        msrvtt.load(small, "test-moments")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "line 1: not JSON"),
        ("[]", "a list instead of an object"),
        ('{"videos": []}', "sentences is a NoneType instead of a list"),
        ('{"videos": [3], "sentences": []}', r"videos\[0\] is a int instead of an object"),
        ('{"videos": [{"video_id": "a"}], "sentences": []}', r"videos\[0\]: 'split' is None"),
        ('{"videos": [], "sentences": [{"video_id": "a", "caption": "b"}]}', "no video 'a'"),
        ('{"videos": [], "sentences": []}', "no video of split 'test'"),
        (b"\xff\xfe", "is UTF-16; save the file as UTF-8"),
        (b"{\n\xe9}", "line 2: byte 0xe9 is not UTF-8"),
        (b'\xef\xbb\xbf{"videos": [], "sentences": []}', "no video of split"),
        (b"[" * 100_000, "nested too deeply|not JSON"),
    ],
)
def test_bad_annotations_are_named(tmp_path, content, words):
    raw = content.encode() if isinstance(content, str) else content
    (tmp_path / "annotations.json").write_bytes(raw)
    with pytest.raises(DatasetError, match=words) as caught:
        msrvtt.load(tmp_path, "test")
    assert "annotations" in str(caught.value)


@pytest.mark.parametrize("split", ["", "tset", "1ka-moments", "test-moments-x", "-moments"])
def test_unknown_splits_are_told_with_those_there_are(small, split):
    with pytest.raises(DatasetError, match=f"no split '{split}'; there are train, val, test, all"):
        msrvtt.load(small, split)


def test_a_query_that_comes_twice_is_refused(small):
    row = {"qid": 1, "query": "x", "vid": "video1", "relevant_windows": [[0, 1]]}
    (small / "moments.jsonl").write_text("\n".join([json.dumps(row)] * 2))
    with pytest.raises(DatasetError, match="line 2: the qid '1' comes a second time"):
        msrvtt.load(small, "test-moments")


def test_nothing_is_guessed(small):
    (small / "videos" / "copy").mkdir()
    (small / "videos" / "copy" / "video1.avi").touch()
    with pytest.raises(DatasetError, match=r"'video1' may mean .* and "):
        msrvtt.load(small, "test")
    (small / "annotations.json").unlink()
    with pytest.raises(DatasetError, match=r"has no annotations.json"):
        msrvtt.load(small, "test")


def write_1ka(root, count):
    (root / "videos").mkdir(exist_ok=True)
    with (root / "MSRVTT_JSFUSION_test.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["key", "vid_key", "video_id", "sentence"])
        for number in range(count):
            rows.writerow([f"ret{number}", f"msr{number}", f"video{number}", f"it is, no {number}"])
            (root / "videos" / f"video{number}.mp4").touch()


@pytest.mark.parametrize("count", [999, 1000])
def test_another_list_is_not_taken_for_1ka(tmp_path, count):
    write_1ka(tmp_path, count)
    with pytest.raises(DatasetError, match=r"MSRVTT_JSFUSION_test.csv.* msrvtt-1ka"):
        msrvtt.load(tmp_path, "1ka")


@pytest.mark.shared
def test_the_published_1ka_list_is_read(shared_data, tmp_path):
    source = shared_data / "annotations/MSRVTT/MSRVTT_JSFUSION_test.csv"
    (tmp_path / source.name).symlink_to(source)
    (tmp_path / "video9770.mp4").touch()
    found = check_dataset(msrvtt.load, tmp_path, "1ka")
    assert found.name == "msrvtt-1ka"
    assert len(found.missing) == 999
    assert found.texts[0].text == "a person is connecting something to system"
