"""Videos and captions into stores, once, whatever is asked for."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from moviola.core import SpaceMismatchError, Text
from moviola.pipeline.encode.encode import encode_captions, encode_videos
from moviola.pipeline.encode.streaming import encode_stream
from moviola.store import StoreWriter, open_clips, open_embeddings, read_npy_clips
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
    assert encode_videos([folder], **options).skipped == ("video1", "video2")


LAYOUTS = pytest.mark.parametrize("layout", ["store", "npy"])


def read(folder, layout):
    return read_npy_clips(folder) if layout == "npy" else open_clips(folder)


@LAYOUTS
@pytest.mark.parametrize("segment", ["whole", "windows:1/1"])
def test_what_is_finished_is_added_to(  # noqa: PLR0917 -- fixtures
    folder, tmp_path, colour_video, monkeypatch, layout, segment
):
    options = {"out": tmp_path / "out", "model": ECHO, "layout": layout, "segment": segment}
    first = encode_videos([folder], **options)
    before = read(tmp_path / "out", layout)
    colour_video(folder / "video0.mp4", RED, seconds=1)
    decoded = []
    stream = encode_stream

    def record(pool, requests, tower):
        requests = list(requests)
        decoded.extend(request.key for request in requests)
        return stream(pool, iter(requests), tower)

    monkeypatch.setattr("moviola.pipeline.encode.encode.encode_stream", record)
    second = encode_videos([folder], **options)
    assert decoded == ["video0"]
    assert second.skipped == ("video1", "video2")
    assert second.items == first.items + 1
    after = read(tmp_path / "out", layout)
    assert (after.space, after.readout) == (before.space, before.readout)
    assert not before.space.is_anonymous
    ids = [item.id for item in after.items]
    assert ids == sorted(ids)
    for index, item in enumerate(before.items):
        np.testing.assert_array_equal(after.rows(ids.index(item.id)), before.rows(index))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "videos"]


@LAYOUTS
def test_only_what_is_alike_is_added(folder, tmp_path, layout):
    options = {"out": tmp_path / "out", "layout": layout}
    encode_videos([folder], model=ECHO, **options)
    for other, error, words in (
        ({"model": SHAPES}, SpaceMismatchError, "another space"),
        ({"model": ECHO, "segment": "windows:1/1"}, ValueError, "cut by whole"),
        ({"model": ECHO, "dtype": "float32"}, ValueError, "not clips in float32"),
    ):
        with pytest.raises(error, match=words):
            encode_videos([folder], **options, **other)
    with pytest.raises(ValueError, match="has clips in float16, not texts"):
        encode_captions(CAPTIONS, model=ECHO, **options)
    (other,) = {"store", "npy"} - {layout}
    with pytest.raises(FileExistsError, match=f"--layout {layout}"):
        encode_videos([folder], model=ECHO, out=tmp_path / "out", layout=other)
    assert len(read(tmp_path / "out", layout)) == 2


def test_npy_of_unknown_origin_are_not_added_to(folder, tmp_path):
    encode_videos([folder], out=tmp_path / "out", model=ECHO, layout="npy")
    (tmp_path / "out" / "embeddings.json").unlink()
    with pytest.raises(FileExistsError, match="of which nothing is known"):
        encode_videos([folder], out=tmp_path / "out", model=ECHO, layout="npy")


def test_npy_that_were_gathered_and_not_moved_are_not_lost(folder, tmp_path, monkeypatch):
    options = {"out": tmp_path / "out", "model": ECHO, "layout": "npy"}
    encode_videos([folder / "video1.mp4"], **options)

    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("moviola.pipeline.encode.outputs.move_store_into_npy", stop)
        with pytest.raises(KeyboardInterrupt):
            encode_videos([folder], **options)
    assert encode_videos([folder], **options).skipped == ("video1", "video2")
    assert len(read_npy_clips(tmp_path / "out")) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "videos"]


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
