"""What was indexed with a codec beyond the built-in list is shown, and later runs know it."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from moviola.core import FileCode, Span, VideoUnreadableError
from moviola.library import Library, LibraryCard
from moviola.pipeline.index.index import index
from moviola.serve.media.media import Media
from moviola.video import DecodePool, read_play_facts


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "films"
    path.mkdir()
    with av.open(str(path / "v.avi"), "w") as output:
        stream = output.add_stream("huffyuv", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv422p"
        for number in range(25):
            rgb = np.full((48, 64, 3), (200, 40, 40), np.uint8)
            frame = av.VideoFrame.from_ndarray(rgb, "rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return path


def test_a_codec_that_was_allowed_is_shown_and_remembered(folder, tmp_path):
    library = tmp_path / "library"
    report = index([folder], library=library, model="shapes")
    assert report.failed == 1
    assert "--allow-codec huffyuv" in report.failures[0].message
    # What failed for want of it is read now, without being asked twice.
    report = index([folder], library=library, extra_codecs=("huffyuv",))
    assert (report.ok, report.failed) == (1, 0)
    assert LibraryCard.read(library).codecs == ("huffyuv",)

    (record,) = Library.open(library).snapshot().records
    media = Media(library)
    try:
        assert media.facts(record).codec == "huffyuv"
        assert media.poster(record, Span(0.0, 1.0)).startswith(b"\xff\xd8")
        assert len(media.sprite(record, Span(0.0, 1.0))) > 100
        preview = media.preview(record, Span(0.2, 0.8))
        with av.open(str(preview)) as made:
            red, green, _ = next(made.decode(video=0)).to_ndarray(format="rgb24")[24, 32]
        assert red > 150
        assert green < 90
    finally:
        media.close()

    # Another file of the kind needs no second permission.
    (folder / "w.avi").write_bytes((folder / "v.avi").read_bytes() + bytes(1000))
    report = index([folder], library=library)
    assert report.failed == 0


def test_a_name_that_is_no_decoder_is_refused_at_once(folder, tmp_path):
    with pytest.raises(ValueError, match="no decoder 'hufyuv'"):
        index([folder], library=tmp_path / "library", extra_codecs=("hufyuv",))
    assert not (tmp_path / "library").exists()


def test_a_pool_allows_more_from_the_next_task_on(folder):
    path = folder / "v.avi"
    with DecodePool(1) as pool:
        with pytest.raises(VideoUnreadableError) as caught:
            read_play_facts(pool, path)
        assert caught.value.code is FileCode.UNSUPPORTED_CODEC
        pool.allow_codecs(["huffyuv"])
        assert read_play_facts(pool, path).codec == "huffyuv"
        assert pool.limits.extra_codecs == ("huffyuv",)
        pool.allow_codecs(["huffyuv"])
        assert len(pool._idle) == 1
