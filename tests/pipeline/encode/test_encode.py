"""Videos and captions into stores, once, whatever is asked for."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from moviola.core import Text
from moviola.pipeline.encode.encode import encode_captions, encode_videos
from moviola.store import StoreWriter, open_embeddings
from moviola.video import DecodePool

ECHO = "moviola.testing:EchoEncoder"
SHAPES = "shapes"
RED, BLUE = (220, 20, 20), (20, 20, 220)
CAPTIONS = [
    Text("video1-1", "a red square moves left"),
    Text("video1-2", "a box, then a blue circle grows"),
]


@pytest.fixture
def folder(tmp_path, colour_video):
    videos = tmp_path / "videos"
    videos.mkdir()
    colour_video(videos / "video1.mp4", RED, seconds=4)
    colour_video(videos / "video2.mp4", BLUE, seconds=2)
    return videos


def test_whole_videos_are_called_by_their_stems(folder, tmp_path):
    report = encode_videos([folder], out=tmp_path / "out", model=ECHO)
    stored = open_embeddings(report.written[0])
    assert (report.items, report.failures) == (2, ())
    assert sorted(item.id for item in stored.items) == ["video1", "video2"]
    assert stored.is_pooled


def test_pooled_and_unpooled_rows_come_from_one_pass(folder, tmp_path):
    report = encode_videos([folder], out=tmp_path / "out", model=SHAPES, poolings=("none", "mean"))
    rows, means = map(open_embeddings, report.written)
    assert [item.id for item in rows.items] == [item.id for item in means.items]
    assert (rows.readout.pooling, means.readout.pooling) == ("none", "mean")
    for index in range(len(rows)):
        expected = rows.rows(index).astype(np.float32).mean(0)
        np.testing.assert_allclose(means.rows(index)[0], expected, atol=2e-3)
    long = [item.id for item in rows.items].index("video1")
    assert len(rows.rows(long)) == 3  # windows of 2 s every second over 4 s


def test_cut_videos_carry_their_spans(folder, tmp_path):
    report = encode_videos(
        [folder / "video1.mp4"], out=tmp_path / "out", model=ECHO, segment="windows:2/2"
    )
    stored = open_embeddings(report.written[0])
    assert [item.id for item in stored.items] == ["video1@0.000-2.000", "video1@2.000-4.000"]


def test_captions_as_one_npy_each(tmp_path):
    report = encode_captions(CAPTIONS, out=tmp_path / "out", model=SHAPES, layout="npy")
    assert sorted(file.name for file in report.written[0].glob("*.npy")) == [
        "video1-1.npy",
        "video1-2.npy",
    ]
    assert np.load(report.written[0] / "video1-1.npy", allow_pickle=False).shape[-1] == 257


def test_a_file_that_cannot_be_read_is_reported_and_costs_nothing_else(folder, tmp_path):
    (folder / "broken.mp4").write_text("no video")
    report = encode_videos([folder], out=tmp_path / "out", model=ECHO)
    assert report.items == 2
    assert [(f.path.name, f.code) for f in report.failures] == [
        ("broken.mp4", "unsupported_container")
    ]


def test_what_was_cut_short_goes_on(folder, tmp_path, monkeypatch):
    finish = StoreWriter.finish

    def fail_at_the_second(self, order):
        if self._folder.name == "mean":
            raise KeyboardInterrupt
        return finish(self, order)

    monkeypatch.setattr(StoreWriter, "finish", fail_at_the_second)
    options = {"out": tmp_path / "out", "model": SHAPES, "poolings": ("none", "mean")}
    with pytest.raises(KeyboardInterrupt):
        encode_videos([folder], **options)
    monkeypatch.undo()
    assert encode_videos([folder], **options).items == 2
    with pytest.raises(FileExistsError, match="--out"):
        encode_videos([folder], **options)


@pytest.fixture
def uneven(tmp_path, colour_video):
    """Videos whose lengths fall, so that with several workers the later ones end first."""
    videos = tmp_path / "uneven"
    videos.mkdir()
    for number, seconds in enumerate((40, 20, 1, 1, 1, 1)):
        colour_video(videos / f"clip{number}.mp4", (20, 40 * number, 20), seconds=seconds)
    return videos


@pytest.mark.parametrize("segment", ["whole", "windows:10/10"])
def test_clips_are_stored_in_the_order_of_the_inputs(uneven, tmp_path, monkeypatch, segment):
    finished = []
    append = StoreWriter.append

    def record(self, item, rows):
        finished.append(item.id)
        append(self, item, rows)

    monkeypatch.setattr(StoreWriter, "append", record)
    monkeypatch.setattr(
        "moviola.pipeline.encode.encode.DecodePool", functools.partial(DecodePool, workers=4)
    )
    paths = sorted(uneven.iterdir(), key=lambda path: path.name[::-1])
    report = encode_videos(paths, out=tmp_path / "out", model=ECHO, segment=segment)
    stored = open_embeddings(report.written[0])
    ids = [item.id for item in stored.items]
    assert finished != ids  # else the test shows nothing
    assert ids == sorted(ids)
    alone = encode_videos([uneven / "clip1.mp4"], out=tmp_path / "one", model=ECHO, segment=segment)
    one = open_embeddings(alone.written[0])
    for row, item in enumerate(one.items):
        np.testing.assert_array_equal(stored.rows(ids.index(item.id)), one.rows(row))


def test_what_goes_on_after_an_interruption_is_in_input_order(uneven, tmp_path, monkeypatch):
    append = StoreWriter.append

    def stop_after_two(self, item, rows):
        if len(self.done_ids) == 2:
            raise KeyboardInterrupt
        append(self, item, rows)

    monkeypatch.setattr(StoreWriter, "append", stop_after_two)
    with pytest.raises(KeyboardInterrupt):
        encode_videos([uneven], out=tmp_path / "out", model=ECHO)
    monkeypatch.undo()
    report = encode_videos([uneven], out=tmp_path / "out", model=ECHO)
    ids = [item.id for item in open_embeddings(report.written[0]).items]
    assert ids == [f"clip{number}" for number in range(6)]


def test_an_encoder_that_pools_by_itself_gives_no_rows(folder, tmp_path):
    with pytest.raises(ValueError, match="pools by itself"):
        encode_videos([folder], out=tmp_path / "out", model=ECHO, poolings=("mean",))
