"""Loaders on small files in the published formats."""

from __future__ import annotations

import json

import pytest

from moviola.core import DatasetError, Span
from moviola.datasets import activitynet, beir, coco, didemo, lsmdc, msvd, vatex, youcook2
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


# LSMDC


def film(clip, sentence):
    return f"{clip}\t00:00:01,000\t00:00:02,000\t00:00:00,900\t00:00:02,100\t{sentence}"


TRAINING = "LSMDC16_annos_training__csv"


def test_lsmdc(tmp_path):
    first, second = "1004_Juno_00.00.32.161-00.00.33.752", "0001_Up_00.01.00.000-00.01.02.000"
    put(
        tmp_path,
        **{TRAINING: lines(film(first, 'Someone says "hi.'), film(first, "He waves."))},
        LSMDC16_annos_val__csv=lines(film(second, "A balloon rises.")),
    )
    touch(tmp_path, f"{first}.avi")
    found = check_dataset(lsmdc.load, tmp_path, "train")
    assert [clip.id for clip in found.clips] == [first]
    assert [text.text for text in found.texts] == ['Someone says "hi.', "He waves."]
    assert found.texts[1].id == f"{first}-2"
    assert found.is_complete
    assert check_dataset(lsmdc.load, tmp_path, "val").missing == (second,)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("a\tb", r"line 2: 2 fields separated by tabs; there must be 6: clip"),
        (film("x", " "), "line 2: 'sentence' is ' '; write words"),
    ],
)
def test_bad_lines_of_lsmdc_are_told(tmp_path, row, words):
    put(tmp_path, **{TRAINING: lines(film("a", "fine"), row)})
    with pytest.raises(DatasetError, match=f"LSMDC16_annos_training.csv, {words}"):
        lsmdc.load(tmp_path, "train")


def test_lsmdc_protocol_is_counted_and_splits_are_kept_apart(tmp_path):
    test = {"LSMDC16_challenge_1000_publictect__csv": lines(film("a", "one"), film("b", "two"))}
    put(tmp_path, **test)
    with pytest.raises(DatasetError, match=r"publictect.csv gives lsmdc: clips: 2, where 1,000"):
        lsmdc.load(tmp_path, "test")
    put(tmp_path, **{TRAINING: lines(film("b", "x"))})
    with pytest.raises(DatasetError, match="share 1 videos, the first of them 'b'"):
        lsmdc.load(tmp_path, "test")


# VATEX


def described(video, **more):
    return {
        "videoID": video,
        "enCap": [f"{n} of {video}" for n in range(10)],
        "chCap": ["?"],
    } | more


def test_vatex(tmp_path):
    put(
        tmp_path,
        vatex_training_v1__0__json=[described("Ptf_2VRj-V0_000122_000132"), described("b")],
        vatex_validation_v1__0__json=[described(f"v{n}") for n in range(1500)],
        val_list__txt=lines(*(f"v{n}" for n in range(1500))),
    )
    touch(tmp_path, "Ptf_2VRj-V0_000122_000132.mp4")
    found = check_dataset(vatex.load, tmp_path, "training")
    assert len(found.texts) == 20
    assert found.missing == ("b",)
    assert found.texts[9].id == "Ptf_2VRj-V0_000122_000132-10"
    found = check_dataset(vatex.load, tmp_path, "val")
    assert (found.name, len(found.clips), len(found.texts)) == ("vatex-val", 1500, 15_000)
    put(tmp_path, vatex_public_test_english_v1__1__json=[described("b")])
    with pytest.raises(DatasetError, match="'b' is in another file as well"):
        vatex.load(tmp_path, "val")
    put(tmp_path, test_list__txt=lines("v3", "v4"))
    with pytest.raises(DatasetError, match=r"val_list.txt and .*test_list.txt share 2 videos"):
        vatex.load(tmp_path, "val")


def test_the_vatex_protocol(tmp_path):
    ids = [f"v{n}" for n in range(1500)]
    put(tmp_path, test_list__txt=lines(*ids))
    put(tmp_path, vatex_validation_v1__0__json=[described(video) for video in ids])
    found = check_dataset(vatex.load, tmp_path, "test")
    assert (found.name, len(found.texts)) == ("vatex", 15_000)
    put(tmp_path, test_list__txt=lines(*ids[1:]))
    with pytest.raises(DatasetError, match=r"test_list.txt gives vatex: clips: 1,499, where 1,500"):
        vatex.load(tmp_path, "test")
    put(tmp_path, test_list__txt=lines(*ids, "w"))
    with pytest.raises(DatasetError, match=r"lists 'w', of which no VATEX file in .* has captions"):
        vatex.load(tmp_path, "test")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({}, "is a dict instead of a list"),
        ([3], r"\[0\] is a int instead of an object"),
        ([{"enCap": ["x"]}], r"\[0\]: 'videoID' is None"),
        ([described("a", enCap=[])], r"\[0\], enCap must be a list of captions"),
        ([described("a", enCap=["x", " "])], r"\[0\], enCap\[1\] is ' '; write words"),
        ([described("a"), described("a")], r"\[1\]: 'a' comes a second time"),
        ([], "the annotations hold no clips"),
    ],
)
def test_bad_vatex_is_told(tmp_path, value, words):
    put(tmp_path, vatex_training_v1__0__json=value)
    with pytest.raises(DatasetError, match=words):
        vatex.load(tmp_path, "training")


# MSVD, DiDeMo, ActivityNet, YouCook2: the published files are checked elsewhere


@pytest.mark.parametrize(
    ("captions", "words"),
    [
        ({"v1": ["x"]}, "captions_msvd.json has no captions of 'v0', which .*val_list.txt lists"),
        ({"v0": "x"}, "'v0' must be a list of captions"),
        ({"v0": []}, "'v0' must be a list of captions, and not an empty one"),
        ({"v0": ["x", ""]}, r"'v0'\[1\] is ''; write words"),
        ([], "holds a list instead of an object"),
    ],
)
def test_bad_msvd_is_told(tmp_path, captions, words):
    put(tmp_path, val_list__txt=lines(*(f"v{n}" for n in range(100))), captions_msvd__json=captions)
    with pytest.raises(DatasetError, match=words):
        msvd.load(tmp_path, "val")


def test_msvd_lists_are_counted(tmp_path):
    put(tmp_path, val_list__txt=lines("a", "b"), captions_msvd__json={"a": ["x"], "b": ["y"]})
    with pytest.raises(DatasetError, match=r"val_list.txt gives videos: 2, where 100 were"):
        msvd.load(tmp_path, "val")
    with pytest.raises(DatasetError, match=r"has no test_list.txt or"):
        msvd.load(tmp_path, "test")


def test_didemo_keeps_the_listed_videos_in_the_order_of_the_list(tmp_path):
    told = [{"video": f"{name}.mov", "description": f"it is {name}"} for name in "abc"]
    put(tmp_path, train_data__json=told, didemo_train_list__txt=lines("c.mov", "a.mp4", "gone"))
    found = check_dataset(didemo.load, tmp_path, "train")
    assert [clip.id for clip in found.clips] == ["c", "a"]
    assert [text.text for text in found.texts] == ["it is c", "it is a"]
    # A video that is in no list counts in no split: it is no leak either.
    put(tmp_path, val_data__json=told[1:2], didemo_val_list__txt=lines("b.mov"))
    assert [clip.id for clip in didemo.load(tmp_path, "val").clips] == ["b"]


def test_didemo_joins_sentences_as_they_were_published(tmp_path):
    put(
        tmp_path,
        train_data__json=[
            {"video": "u_1_a.mov", "description": "a cat runs. "},
            {"video": "u_2_b.", "description": "a dog"},
            {"video": "u_1_a.mov", "description": "it stops"},
        ],
    )
    touch(tmp_path, "u_1_a.mov.mp4", "u_2_b.mp4")
    found = check_dataset(didemo.load, tmp_path, "train")
    assert [(text.id, text.text) for text in found.texts] == [
        ("u_1_a-1", "a cat runs. it stops"),
        ("u_2_b-1", "a dog"),
    ]
    # A file that kept the suffix in its name is another name, and is not guessed.
    assert found.missing == ("u_1_a",)
    put(tmp_path, val_data__json=[{"video": "u_2_b.mp4", "description": "again"}])
    with pytest.raises(DatasetError, match="share 1 videos, the first of them 'u_2_b'"):
        didemo.load(tmp_path, "train")


def test_a_video_twice_in_a_file_of_paragraphs_is_refused(tmp_path):
    put(tmp_path, didemo_val_label__csv=lines("video_path,text", "x/a.mov,one", "y/a.mov,two"))
    with pytest.raises(DatasetError, match="line 3: 'a' comes a second time; keep one paragraph"):
        didemo.load(tmp_path, "val")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"v_a": []}, "'v_a': list instead of an object"),
        ({"v_a": {"sentences": []}}, "'v_a', sentences must be a list of captions"),
        ({"v_a": {}}, "'v_a', sentences must be a list of captions"),
        ({"v_a": {"sentences": ["x", None]}}, r"sentences\[1\] is None; write words"),
        ({}, "hold no clips"),
    ],
)
def test_bad_activitynet_is_told(tmp_path, value, words):
    put(tmp_path, val_2__json=value)
    with pytest.raises(DatasetError, match=words):
        activitynet.load(tmp_path, "val_2")


def test_activitynet_splits_are_kept_apart(tmp_path):
    put(tmp_path, val_2__json={"v_a": {"sentences": [" One. ", "  Two."]}})
    assert check_dataset(activitynet.load, tmp_path, "val_2").texts[0].text == "One. Two."
    put(tmp_path, train__json={"v_b": {"sentences": ["x"]}})
    with pytest.raises(DatasetError, match=r"train.json gives videos: 1, where 10,009 were"):
        activitynet.load(tmp_path, "train")
    (tmp_path / "train.json").unlink()
    put(tmp_path, **{"activity-net_train_list__txt": lines("v_b", "v_a")})
    with pytest.raises(DatasetError, match=r"train_list.txt share 1 videos.*'v_a'"):
        activitynet.load(tmp_path, "val_2")


def test_youcook2_clips(tmp_path):
    entry = {
        "subset": "validation",
        "annotations": [
            {"segment": [90, 102.5], "sentence": "chop"},
            {"segment": [90, 102.5], "sentence": "cut"},
        ],
    }
    other = {"subset": "training", "annotations": [{"segment": [1, 2], "sentence": "stir"}]}
    put(tmp_path, youcookii_annotations_trainval__json={"database": {"v1": entry, "v2": other}})
    touch(tmp_path, "v1.webm")
    found = check_dataset(youcook2.load, tmp_path, "validation")
    assert [(clip.id, clip.span) for clip in found.clips] == [
        ("v1@90.000-102.500", Span(90, 102.5))
    ]
    assert [text.id for text in found.texts] == ["v1@90.000-102.500-1", "v1@90.000-102.500-2"]
    with pytest.raises(DatasetError, match="gives videos: 1, where 1,333 were published"):
        youcook2.load(tmp_path, "train")
    put(tmp_path, validation_youcook__csv=lines("end,start,text,video_id", "3,1,chop,v2"))
    with pytest.raises(DatasetError, match="share 1 videos, the first of them 'v2'"):
        youcook2.load(tmp_path, "val")


@pytest.mark.parametrize(
    ("segment", "words"),
    [
        ({"segment": [2, 1]}, r"annotations\[0\]: a span needs 0 <= start < end"),
        ({"segment": [2]}, r"annotations\[0\]: 'segment' is \[2\], not \[start, end\]"),
        ({"segment": [None, None]}, "a clip needs start and end"),
        ({}, "'segment' is None"),
        ({"segment": [1, 2], "sentence": ""}, "'sentence' is ''"),
    ],
)
def test_bad_segments_of_youcook2_are_told(tmp_path, segment, words):
    entry = {"subset": "validation", "annotations": [{"sentence": "x"} | segment]}
    put(tmp_path, youcookii_annotations_trainval__json={"database": {"v1": entry}})
    with pytest.raises(DatasetError, match=words):
        youcook2.load(tmp_path, "validation")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({}, "there is no object 'database'"),
        ({"database": []}, "there is no object 'database'"),
        ({"database": {"v1": []}}, "'v1': list instead of an object"),
        ({"database": {"v1": {"subset": "validation"}}}, "annotations is a NoneType"),
    ],
)
def test_a_bad_database_of_youcook2_is_told(tmp_path, value, words):
    put(tmp_path, youcookii_annotations_trainval__json=value)
    with pytest.raises(DatasetError, match=words):
        youcook2.load(tmp_path, "validation")


@pytest.mark.parametrize("loader", [activitynet, beir, coco, didemo, lsmdc, msvd, vatex, youcook2])
def test_what_is_not_there_is_told(tmp_path, loader):
    for split in ("zzz", "test", "val_1", "val"):
        with pytest.raises(DatasetError):
            loader.load(tmp_path, split)
        with pytest.raises(DatasetError):
            loader.load(tmp_path / "nowhere", split)
