"""Cases of the plan that no other test of decoding holds, named by their ids."""

from __future__ import annotations

import os
import struct
import time

import av
import numpy as np
import pytest

from fixtures.subtitled import Track, make_film
from moviola.core import FileCode, UniformSampler
from moviola.video import DecodePool, Limits, WindowSegmenter

SEVEN = list(range(7))


def numbers(studio, clip) -> list[int]:
    return [studio.number_of(picture) for picture in clip.frames.pixels]


@pytest.mark.parametrize("scale", [0, 1, 0xFFFFFFFF])
def test_v56_a_timescale_of_nothing_or_of_ages(studio, read, tmp_path, scale):
    data = bytearray(studio.film(tmp_path / "v.mp4", 30).read_bytes())
    for box in (b"mvhd", b"mdhd"):
        at = data.index(box) + 16
        data[at : at + 4] = struct.pack(">I", scale)
    path = tmp_path / "scaled.mp4"
    path.write_bytes(data)
    clips, done = read(path, WindowSegmenter(1, 0.5), UniformSampler(2))
    assert len(clips) <= 20_000
    assert done.code in (FileCode.OK, FileCode.OK_PARTIAL, FileCode.CORRUPT, FileCode.TRUNCATED)


def test_v57_a_picture_that_claims_65535_squared(studio, read, tmp_path):
    data = bytearray(studio.film(tmp_path / "v.mp4", 7).read_bytes())
    at = data.index(b"avc1", data.index(b"stsd")) + 28
    data[at : at + 4] = b"\xff\xff\xff\xff"
    path = tmp_path / "claims.mp4"
    path.write_bytes(data)
    began = time.monotonic()
    clips, done = read(path, sampler=UniformSampler(7))
    # The stream's own header is the truth, and what the box claims costs nothing.
    assert time.monotonic() - began < 10
    assert done.code in (FileCode.OK, FileCode.TOO_LARGE)
    if clips:
        assert numbers(studio, clips[0]) == SEVEN


def test_v60_four_thousand_million_frames_are_claimed(studio, read, tmp_path):
    data = bytearray(studio.film(tmp_path / "v.mp4", 7, options={"bf": "0"}).read_bytes())
    at = data.index(b"stsz") + 12
    data[at : at + 4] = b"\xff\xff\xff\xff"
    path = tmp_path / "claims.mp4"
    path.write_bytes(data)
    began = time.monotonic()
    _, done = read(path, sampler=UniformSampler(7))
    assert time.monotonic() - began < 20
    assert done.info is None or done.info.frames != 0xFFFFFFFF


def test_v70_texts_alone_are_no_video(read, tmp_path):
    film = make_film(tmp_path / "film.mkv", [Track("subrip", [(0, 1, "words"), (2, 3, "more")])])
    path = tmp_path / "v.mkv"
    with av.open(str(film)) as source, av.open(str(path), "w") as output:
        stream = output.add_stream_from_template(source.streams.subtitles[0])
        for packet in source.demux(subtitles=0):
            if packet.dts is not None:
                packet.stream = stream
                output.mux(packet)
    assert path.stat().st_size > 200
    assert read(path)[1].code is FileCode.NO_VIDEO


def test_v74_one_pixel_wide_and_four_thousand_high(studio, read, tmp_path):
    tall = np.full((4096, 1), 100, np.uint8)
    how = {"codec": "gif", "pix_fmt": "gray", "size": (1, 4096), "draw": lambda _: tall}
    path = studio.film(tmp_path / "v.gif", 3, **how)
    clips, done = read(path, sampler=UniformSampler(1))
    assert done.code is FileCode.OK
    assert np.abs(clips[0].frames.pixels.astype(int) - 100).max() <= 3


def still(path, size, codec, pix_fmt) -> None:
    """Write one black picture of `size`."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=1)
        stream.width, stream.height = size
        stream.pix_fmt = pix_fmt
        frame = av.VideoFrame(*size, pix_fmt)
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.pts = 0
        output.mux(stream.encode(frame))
        output.mux(stream.encode())


def test_v75_8k_is_read(read, tmp_path):
    path = tmp_path / "v.mov"
    still(path, (7680, 4320), "mjpeg", "yuvj420p")
    clips, done = read(path, sampler=UniformSampler(1))
    assert done.code is FileCode.OK, done
    assert (done.info.width, done.info.height) == (7680, 4320)
    assert clips[0].frames.pixels[0].size <= 3 * Limits().frame_pixels


def test_v75_larger_pictures_are_refused_at_once(read, tmp_path):
    path = tmp_path / "v.mov"
    still(path, (16384, 8192), "mjpeg", "yuvj420p")
    began = time.monotonic()
    assert read(path)[1].code is FileCode.TOO_LARGE
    assert time.monotonic() - began < 5 + 15 * (os.getloadavg()[0] > 2)


def test_v75_a_png_of_225_megapixels_in_a_film(read, tmp_path):
    path = tmp_path / "v.mov"
    still(path, (15_000, 15_000), "png", "gray")
    assert path.stat().st_size < 1 << 20
    with DecodePool(1, Limits(extra_codecs=("png",))) as by:
        for pool in (None, by):  # not on the list, and allowed
            began = time.monotonic()
            done = read(path, by=pool)[1]
            assert done.code in (FileCode.UNSUPPORTED_CODEC, FileCode.TOO_LARGE), done
            assert time.monotonic() - began < 20


@pytest.mark.parametrize("codec", ["libx264", "mpeg2video"])
def test_v77_interlaced_pictures_are_read(studio, read, tmp_path, codec):
    options = {"flags": "+ilme+ildct"} | ({"x264-params": "tff=1"} if codec == "libx264" else {})
    path = studio.film(tmp_path / "v.ts", 25, codec=codec, options=options)
    clips, done = read(path, sampler=UniformSampler(25))
    assert done.code is FileCode.OK, done
    assert numbers(studio, clips[0]) == list(range(25))


def test_v79_among_64_videos_and_24_sounds_one_is_read(studio, read, tmp_path):
    good = studio.film(tmp_path / "good.mp4", 7, sound=0.2)
    path = tmp_path / "many.mkv"
    with av.open(str(good)) as source, av.open(str(path), "w") as output:
        copies = {
            "video": [output.add_stream_from_template(source.streams.video[0]) for _ in range(64)],
            "audio": [output.add_stream_from_template(source.streams.audio[0]) for _ in range(24)],
        }
        for packet in source.demux():
            if packet.dts is None:
                continue
            data, kind = bytes(packet), packet.stream.type
            for stream in copies[kind]:
                copy = av.Packet(data)
                copy.pts, copy.dts, copy.time_base = packet.pts, packet.dts, packet.time_base
                copy.is_keyframe, copy.stream = packet.is_keyframe, stream
                output.mux(copy)
    clips, done = read(path, sampler=UniformSampler(7))
    assert done.code is FileCode.OK, done
    # The sound begins a little earlier, so the frames are not asked for at their own times.
    found = numbers(studio, clips[0])
    assert found == sorted(found)
    assert (found[0], found[-1]) == (0, 6)


def test_v81_a_comment_of_ten_megabytes(studio, read, tmp_path):
    path = studio.film(tmp_path / "v.mkv", 7, metadata={"comment": "C" * 10_000_000})
    clips, done = read(path, sampler=UniformSampler(7))
    assert done.code is FileCode.OK, done
    assert numbers(studio, clips[0]) == SEVEN


NOISE = np.random.default_rng(83)
PICTURES = {
    "black": lambda _: np.zeros((96, 160), np.uint8),
    "still": lambda _: np.tile(np.arange(160, dtype=np.uint8), (96, 1)),
    "noise": lambda _: NOISE.integers(0, 256, (96, 160), np.uint8),
}


@pytest.mark.parametrize("kind", PICTURES)
def test_v83_black_still_and_noise_are_cut_like_anything(studio, read, tmp_path, kind):
    path = studio.film(tmp_path / "v.mp4", 75, draw=PICTURES[kind])
    clips, done = read(path, WindowSegmenter(1, 0.5), UniformSampler(2))
    assert done.code is FileCode.OK, done
    assert len(clips) == 5
    assert all(np.isfinite(clip.frames.times).all() for clip in clips)
